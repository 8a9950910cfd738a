"""The two documents of a DAWproject archive, version 1.0.

Source: the DAWproject format by Bitwig and PreSonus, its schemas Project.xsd and MetaData.xsd. The
order of elements and the attributes follow the schemas; where they leave a choice (volume linear up
to 2, pan 0 to 1, ratio in percent: 100·(1 − 1/R)), what Bitwig Studio writes.

A ride is an automation lane: ``Points`` within the ``Lanes`` of its track, in the unit of the
parameter that its ``Target`` names, where ``interpolation`` is that of the way to the next point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from automix.audio.samples import AudioSource
from automix.dsp.processors import Device, active_at, load
from automix.export.automation import AutomationPoint, make_gain_points, make_plain_points
from automix.export.names import xml_text
from automix.export.recordings import PrintedRecording
from automix.plan.model import MixPlan
from automix.plan.rides import Ride, find_ride
from automix.plan.settings import (
    BandKind,
    Bus,
    CompressorSettings,
    EqualizerSettings,
    LimiterSettings,
    ProcessorSettings,
    Send,
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
    """Audio at its place in the song.

    Attributes:
        path: The path of its file in the archive.
        audio: The audio in that file.
        start_frame: Where it begins.
    """

    path: str
    audio: AudioSource
    start_frame: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class ReturnTrack:
    """A bus: a channel that the sends lead to, and its reverberation as audio.

    Attributes:
        bus: The bus as it is in the plan.
        clip: The clip of its return, or none.
        name: The name of the track that plays the return.
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
        tempo_bpm: The song's tempo; none leaves the DAW's.
    """
    return _document(Project(plan, tempo_bpm).build(recordings, returns))


def _document(root: Element) -> str:
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


class Project:
    """The tree of a project while it grows; identifiers count up in the order of use."""

    def __init__(self, plan: MixPlan, tempo_bpm: float | None) -> None:
        self._plan = plan
        self._numbers = count()
        self._root = Element("Project", version=FORMAT_VERSION)
        SubElement(self._root, "Application", name="automix", version=__version__)
        if tempo_bpm is not None:
            transport = SubElement(self._root, "Transport")
            self.add_number(transport, "Tempo", tempo_bpm, "bpm", low=20.0, high=999.0)
        self._structure = SubElement(self._root, "Structure")
        self._arrangement = SubElement(self._root, "Arrangement", id=self._id())
        self._lanes = SubElement(self._arrangement, "Lanes", id=self._id(), timeUnit="seconds")
        self._master = self._id()
        self._effects = {bus.name: self._id() for bus in plan.buses}
        self._tracks: dict[str, str] = {}  # by channel
        self._lanes_of: dict[str, Element] = {}  # by track

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
        gain_db = recording.audio_gain_db
        self._devices(channel, [(row.device, row.of(strip), gain_db) for row in recording.devices])
        self.add_switch(channel, "Mute", strip.mute)
        pan = self.add_number(channel, "Pan", strip.pan, "normalized", low=0.0, high=1.0)
        if ride := find_ride(strip.rides, "pan"):
            self._automate(channel, pan, "normalized", make_plain_points(ride))
        if strip.sends:
            sends = SubElement(channel, "Sends")
            for number, send in enumerate(strip.sends, 1):
                line = find_ride(strip.rides, f"sends.{number}.gain_db")
                self._volume(channel, self._send(sends, send), send.gain_db, line)
        self._volume(channel, channel, recording.volume_db, find_ride(strip.rides, "fader_db"))

    def _return(self, returned: ReturnTrack) -> None:
        bus = returned.bus
        effect = self._track(
            bus.name, None, "effect", returned.comment, channel_id=self._effects[bus.name]
        )
        self._devices(effect, [(row.device, row.of(bus), 0.0) for row in active_at(bus, "before")])
        level_db = bus.gain_db if bus.parallel else 0.0
        self._fader(effect, level_db, find_ride(bus.rides, "gain_db"), mute=True)
        if returned.clip is not None:
            track = self._track(returned.name, returned.clip, "regular", "")
            self._fader(track, 0.0, None, mute=False)

    def _master_track(self) -> None:
        master = self._plan.master
        channel = self._track("Master", None, "master", "", channel_id=self._master)
        limited = master.limiter.is_active
        rows = active_at(master, "filter", "gain", "limiter")
        # A DAW's fader comes after all devices, where the plan's gain comes before the limiter.
        self._devices(
            channel,
            [
                (row.device, row.of(master), master.gain_db if row.master == "limiter" else 0.0)
                for row in rows
            ],
        )
        ride = find_ride(master.rides, "gain_db")
        if limited and ride is not None:
            (limiter,) = channel.iter("Limiter")
            gain = next(limiter.iter("InputGain")).attrib["id"]
            self._automate(channel, gain, "decibel", make_plain_points(ride, master.gain_db))
            ride = None
        self._fader(channel, 0.0 if limited else master.gain_db, ride, mute=False)

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
        self._tracks[channel.attrib["id"]] = identity["id"]
        if clip is not None:
            self._clip(identity, clip)
        return channel

    def _clip(self, track: dict[str, str], clip: Clip) -> None:
        audio = clip.audio
        seconds = _number(audio.frames / audio.sample_rate)
        clips = SubElement(
            self._lanes_of_track(track["id"]), "Clips", id=self._id(), timeUnit="seconds"
        )
        time = _number(clip.start_frame / audio.sample_rate)
        placed = SubElement(clips, "Clip", name=track["name"], time=time, duration=seconds)
        placed.set("contentTimeUnit", "seconds")
        placed.set("playStart", "0.0")
        file = SubElement(placed, "Audio", id=self._id(), algorithm="raw", duration=seconds)
        file.set("channels", str(audio.channels))
        file.set("sampleRate", str(audio.sample_rate))
        SubElement(file, "File", path=clip.path, external="false")

    def _lanes_of_track(self, track: str) -> Element:
        """The lanes of a track, which are made when the first is needed."""
        if track not in self._lanes_of:
            self._lanes_of[track] = SubElement(self._lanes, "Lanes", id=self._id(), track=track)
        return self._lanes_of[track]

    def _automate(
        self, channel: Element, parameter: str, unit: str, points: Sequence[AutomationPoint]
    ) -> None:
        """A lane that moves a parameter of a channel.

        Args:
            channel: The channel.
            parameter: The identifier of its parameter.
            unit: The unit of the parameter.
            points: Their values are in that unit.
        """
        lanes = self._lanes_of_track(self._tracks[channel.attrib["id"]])
        lane = SubElement(lanes, "Points", id=self._id(), timeUnit="seconds", unit=unit)
        SubElement(lane, "Target", parameter=parameter)
        for point in points:
            element = SubElement(lane, "RealPoint", time=_number(point.time_s))
            element.set("value", _number(point.value))
            element.set("interpolation", "hold" if point.holds else "linear")

    def _devices(
        self, channel: Element, used: Sequence[tuple[Device | None, ProcessorSettings, float]]
    ) -> None:
        """Devices with their settings, and how much louder their input is than the plan's, in dB.

        What has no device is left to the lists of what is in the audio or left out.
        """
        devices: Element | None = None
        for device, settings, input_gain_db in used:
            if device is None:
                continue
            if devices is None:
                devices = SubElement(channel, "Devices")
            tag = device.name
            element = SubElement(devices, tag, id=self._id(), name=tag, deviceName=tag)
            element.set("deviceRole", "audioFX")
            element.set("loaded", "true")
            self.add_switch(element, "Enabled", True)
            load(device.writer)(self, element, settings, input_gain_db)

    def _send(self, sends: Element, send: Send) -> Element:
        element = SubElement(sends, "Send", id=self._id(), type="post")
        element.set("destination", self._effects[send.bus])
        self.add_switch(element, "Enable", True)
        return element

    def _fader(self, channel: Element, volume_db: float, ride: Ride | None, *, mute: bool) -> None:
        self.add_switch(channel, "Mute", mute)
        self.add_number(channel, "Pan", 0.5, "normalized", low=0.0, high=1.0)
        self._volume(channel, channel, volume_db, ride)

    def _volume(
        self, channel: Element, parent: Element, level_db: float, ride: Ride | None
    ) -> None:
        """The level of a channel or of one of its sends, and the lane of its ride."""
        gain = db_to_gain(level_db)
        points = make_gain_points(ride, level_db) if ride else []
        high = max([_MAX_VOLUME, gain, *(point.value for point in points)])
        volume = self.add_number(parent, "Volume", gain, "linear", low=0.0, high=high)
        if points:
            self._automate(channel, volume, "linear", points)

    def add_switch(self, parent: Element, tag: str, value: bool) -> None:
        """Adds a parameter that is on or off."""
        SubElement(parent, tag, id=self._id(), name=tag, value="true" if value else "false")

    def add_number(
        self,
        parent: Element,
        tag: str,
        value: float,
        unit: str,
        *,
        low: float | None = None,
        high: float | None = None,
    ) -> str:
        """Adds a parameter in a unit of the format, with its range where both ends are given.

        Returns:
            Its identifier.
        """
        element = SubElement(parent, tag, id=self._id(), name=tag, unit=unit, value=_number(value))
        if low is not None and high is not None:
            element.set("min", _number(low))
            element.set("max", _number(high))
        return element.attrib["id"]


def write_equalizer(
    project: Project, device: Element, settings: EqualizerSettings, input_gain_db: float
) -> None:
    """Writes the bands of an equalizer, whose input may have any level."""
    for band in settings.bands:
        element = SubElement(device, "Band", type=BAND_TYPES[band.kind])
        project.add_number(element, "Freq", band.frequency_hz, "hertz")
        if band.kind == "high_pass":
            element.set("order", str(_PASS_ORDER))
        else:
            project.add_number(element, "Gain", band.gain_db, "decibel")
        project.add_number(element, "Q", band.q, "linear")
        project.add_switch(element, "Enabled", True)


def write_compressor(
    project: Project, device: Element, settings: CompressorSettings, input_gain_db: float
) -> None:
    """Writes a compressor that hears its input ``input_gain_db`` louder than the plan's does."""
    amount = 100.0 * (1.0 - 1.0 / settings.ratio) if settings.compresses else 0.0
    project.add_number(device, "Attack", settings.attack_ms / 1000.0, "seconds")
    project.add_switch(device, "AutoMakeup", False)
    project.add_number(device, "InputGain", 0.0, "decibel")
    project.add_number(device, "OutputGain", settings.makeup_db, "decibel")
    project.add_number(device, "Ratio", amount, "percent", low=0.0, high=100.0)
    project.add_number(device, "Release", settings.release_ms / 1000.0, "seconds")
    project.add_number(device, "Threshold", settings.threshold_db + input_gain_db, "decibel")


def write_limiter(
    project: Project, device: Element, settings: LimiterSettings, input_gain_db: float
) -> None:
    """Writes a limiter with a gain of ``input_gain_db`` before it."""
    project.add_number(device, "InputGain", input_gain_db, "decibel")
    project.add_number(device, "OutputGain", 0.0, "decibel")
    project.add_number(device, "Release", settings.release_ms / 1000.0, "seconds")
    project.add_number(device, "Threshold", settings.ceiling_dbtp, "decibel")


def _number(value: float) -> str:
    return repr(float(value))  # the shortest text that reads back as the same number
