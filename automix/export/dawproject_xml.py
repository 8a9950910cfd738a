"""The two documents of a DAWproject archive, version 1.0.

Source: the DAWproject format by Bitwig and PreSonus, its schemas Project.xsd and MetaData.xsd. The
order of elements and the attributes follow the schemas; where they leave a choice (volume linear up
to 2, pan 0 to 1, ratio in percent: 100·(1 − 1/R)), what Bitwig Studio writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from automix.audio.samples import AudioSource
from automix.export.names import xml_text
from automix.export.recordings import PrintedRecording, compresses
from automix.plan.model import Bus, MixPlan, Send
from automix.plan.settings import (
    BandKind,
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    LimiterSettings,
)
from automix.units import db_to_gain
from automix.version import __version__

FORMAT_VERSION = "1.0"
BAND_TYPES: dict[BandKind, str] = {
    "high_pass": "highPass",
    "low_shelf": "lowShelf",
    "peak": "bell",
    "high_shelf": "highShelf",
}
_PASS_ORDER = 2  # a biquad: 12 dB per octave
_MAX_VOLUME = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """Audio from the start of the song.

    Attributes:
        path: Of the file in the archive.
        audio: What it holds.
    """

    path: str
    audio: AudioSource


@dataclass(frozen=True, kw_only=True, eq=False)
class ReturnTrack:
    """A bus: a channel that the sends lead to, and its reverberation as audio.

    Attributes:
        bus: As in the plan.
        clip: Of its return, or none.
        name: Of the track that plays the return.
        comment: For whoever opens the project.
    """

    bus: Bus
    clip: Clip | None
    name: str
    comment: str


def metadata_xml(title: str, comment: str) -> str:
    """The document ``metadata.xml``."""
    root = Element("MetaData")
    SubElement(root, "Title").text = xml_text(title)
    SubElement(root, "Comment").text = xml_text(comment)
    return _document(root)


def project_xml(
    plan: MixPlan,
    recordings: Sequence[tuple[PrintedRecording, Clip]],
    returns: Sequence[ReturnTrack],
    tempo_bpm: float | None,
) -> str:
    """The document ``project.xml``.

    Args:
        plan: The mix.
        recordings: Its tracks, with the clips that they play.
        returns: Its buses.
        tempo_bpm: Of the song; none leaves the DAW's.
    """
    return _document(_Project(plan, tempo_bpm).build(recordings, returns))


def _document(root: Element) -> str:
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


class _Project:
    """The tree of a project while it grows; identifiers count up in the order of use."""

    def __init__(self, plan: MixPlan, tempo_bpm: float | None) -> None:
        self._plan = plan
        self._numbers = count()
        self._root = Element("Project", version=FORMAT_VERSION)
        SubElement(self._root, "Application", name="automix", version=__version__)
        if tempo_bpm is not None:
            transport = SubElement(self._root, "Transport")
            self._real(transport, "Tempo", tempo_bpm, "bpm", low=20.0, high=999.0)
        self._structure = SubElement(self._root, "Structure")
        self._arrangement = SubElement(self._root, "Arrangement", id=self._id())
        self._lanes = SubElement(self._arrangement, "Lanes", id=self._id(), timeUnit="seconds")
        self._master = self._id()
        self._effects = {bus.name: self._id() for bus in plan.buses}

    def build(
        self, recordings: Sequence[tuple[PrintedRecording, Clip]], returns: Sequence[ReturnTrack]
    ) -> Element:
        """The whole tree."""
        for recording, clip in recordings:
            self._recording(recording, clip)
        for returned in returns:
            self._return(returned)
        self._master_track()
        return self._root

    def _id(self) -> str:
        return f"id{next(self._numbers)}"

    def _recording(self, recording: PrintedRecording, clip: Clip) -> None:
        strip = recording.strip
        comment = f"in the audio: {', '.join(recording.printed)}" if recording.printed else ""
        channel = self._track(strip.name, clip, "regular", comment)
        self._devices(channel, recording)
        self._bool(channel, "Mute", strip.mute)
        self._real(channel, "Pan", strip.pan, "normalized", low=0.0, high=1.0)
        if strip.sends:
            sends = SubElement(channel, "Sends")
            for send in strip.sends:
                self._send(sends, send)
        self._volume(channel, recording.volume_db)

    def _return(self, returned: ReturnTrack) -> None:
        bus = returned.bus
        effect = self._track(
            bus.name, None, "effect", returned.comment, channel_id=self._effects[bus.name]
        )
        if bus.equalizer.bands:
            self._equalizer(SubElement(effect, "Devices"), bus.equalizer)
        self._fader(effect, 0.0, mute=True)
        if returned.clip is not None:
            self._fader(self._track(returned.name, returned.clip, "regular", ""), 0.0, mute=False)

    def _master_track(self) -> None:
        master = self._plan.master
        channel = self._track("Master", None, "master", "", channel_id=self._master)
        limited = not master.limiter.is_neutral
        compressor = master.compressor
        compressed = compresses(compressor) or compressor.makeup_db
        if master.equalizer.bands or compressed or limited:
            devices = SubElement(channel, "Devices")
            if master.equalizer.bands:
                self._equalizer(devices, master.equalizer)
            if compressed:
                self._compressor(devices, compressor, 0.0)
            if limited:
                self._limiter(devices, master.limiter, master.gain_db)
        self._fader(channel, 0.0 if limited else master.gain_db, mute=False)

    def _track(
        self, name: str, clip: Clip | None, role: str, comment: str, channel_id: str | None = None
    ) -> Element:
        """A track with its clip; returns its channel."""
        identity = {"id": self._id(), "name": xml_text(name)}
        if comment:
            identity["comment"] = xml_text(comment)
        track = SubElement(self._structure, "Track", identity, contentType="audio", loaded="true")
        channel = SubElement(track, "Channel", id=channel_id or self._id(), role=role)
        channel.set("audioChannels", str(clip.audio.channels if clip else 2))
        if role != "master":
            channel.set("destination", self._master)
        if clip is not None:
            self._clip(identity, clip)
        return channel

    def _clip(self, track: dict[str, str], clip: Clip) -> None:
        audio = clip.audio
        seconds = _number(audio.frames / audio.sample_rate)
        lanes = SubElement(self._lanes, "Lanes", id=self._id(), track=track["id"])
        clips = SubElement(lanes, "Clips", id=self._id(), timeUnit="seconds")
        placed = SubElement(clips, "Clip", name=track["name"], time="0.0", duration=seconds)
        placed.set("contentTimeUnit", "seconds")
        placed.set("playStart", "0.0")
        file = SubElement(placed, "Audio", id=self._id(), algorithm="raw", duration=seconds)
        file.set("channels", str(audio.channels))
        file.set("sampleRate", str(audio.sample_rate))
        SubElement(file, "File", path=clip.path, external="false")

    def _devices(self, channel: Element, recording: PrintedRecording) -> None:
        if not recording.devices:
            return
        devices = SubElement(channel, "Devices")
        for stage in recording.devices:
            if stage == "e":
                self._equalizer(devices, recording.strip.equalizer)
            else:
                self._compressor(devices, recording.strip.compressor, recording.audio_gain_db)

    def _device(self, devices: Element, tag: str) -> Element:
        device = SubElement(devices, tag, id=self._id(), name=tag, deviceName=tag)
        device.set("deviceRole", "audioFX")
        device.set("loaded", "true")
        self._bool(device, "Enabled", True)
        return device

    def _equalizer(self, devices: Element, settings: EqualizerSettings) -> None:
        device = self._device(devices, "Equalizer")
        for band in settings.bands:
            self._band(device, band)

    def _band(self, device: Element, band: EqualizerBand) -> None:
        element = SubElement(device, "Band", type=BAND_TYPES[band.kind])
        self._real(element, "Freq", band.frequency_hz, "hertz")
        if band.kind == "high_pass":
            element.set("order", str(_PASS_ORDER))
        else:
            self._real(element, "Gain", band.gain_db, "decibel")
        self._real(element, "Q", band.q, "linear")
        self._bool(element, "Enabled", True)

    def _compressor(
        self, devices: Element, settings: CompressorSettings, input_gain_db: float
    ) -> None:
        """A compressor that hears its input ``input_gain_db`` louder than the plan's does."""
        device = self._device(devices, "Compressor")
        amount = 100.0 * (1.0 - 1.0 / settings.ratio) if compresses(settings) else 0.0
        self._real(device, "Attack", settings.attack_ms / 1000.0, "seconds")
        self._bool(device, "AutoMakeup", False)
        self._real(device, "InputGain", 0.0, "decibel")
        self._real(device, "OutputGain", settings.makeup_db, "decibel")
        self._real(device, "Ratio", amount, "percent", low=0.0, high=100.0)
        self._real(device, "Release", settings.release_ms / 1000.0, "seconds")
        self._real(device, "Threshold", settings.threshold_db + input_gain_db, "decibel")

    def _limiter(self, devices: Element, settings: LimiterSettings, gain_db: float) -> None:
        device = self._device(devices, "Limiter")
        self._real(device, "InputGain", gain_db, "decibel")
        self._real(device, "OutputGain", 0.0, "decibel")
        self._real(device, "Release", settings.release_ms / 1000.0, "seconds")
        self._real(device, "Threshold", settings.ceiling_dbtp, "decibel")

    def _send(self, sends: Element, send: Send) -> None:
        element = SubElement(sends, "Send", id=self._id(), type="post")
        element.set("destination", self._effects[send.bus])
        self._bool(element, "Enable", True)
        self._volume(element, send.gain_db)

    def _fader(self, channel: Element, volume_db: float, *, mute: bool) -> None:
        self._bool(channel, "Mute", mute)
        self._real(channel, "Pan", 0.5, "normalized", low=0.0, high=1.0)
        self._volume(channel, volume_db)

    def _volume(self, parent: Element, level_db: float) -> None:
        gain = db_to_gain(level_db)
        self._real(parent, "Volume", gain, "linear", low=0.0, high=max(_MAX_VOLUME, gain))

    def _bool(self, parent: Element, tag: str, value: bool) -> None:
        SubElement(parent, tag, id=self._id(), name=tag, value="true" if value else "false")

    def _real(
        self,
        parent: Element,
        tag: str,
        value: float,
        unit: str,
        *,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        element = SubElement(parent, tag, id=self._id(), name=tag, unit=unit, value=_number(value))
        if low is not None and high is not None:
            element.set("min", _number(low))
            element.set("max", _number(high))


def _number(value: float) -> str:
    return repr(float(value))  # the shortest text that reads back as the same number
