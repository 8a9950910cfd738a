"""Opens a DAWproject as a DAW would that has automix's own devices, and automix's pan law."""

import io
import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from zipfile import ZipFile

import numpy as np
import soundfile

from automix.audio.samples import Audio
from automix.plan.model import MixPlan, PanLaw
from automix.plan.settings import (
    ChannelStrip,
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    LimiterSettings,
    Master,
)
from automix.session.tracks import Session, Track

KINDS = {
    "highPass": "high_pass",
    "lowShelf": "low_shelf",
    "bell": "peak",
    "highShelf": "high_shelf",
}


@dataclass(frozen=True)
class Opened:
    """What a project holds: a plan and the audio that it plays; by name of the channel, sends."""

    plan: MixPlan
    session: Session
    sends: dict[str, dict[str, float]]
    effects: dict[str, Element]
    tempo_bpm: float | None
    files: dict[str, str]


def project(path: Path) -> Element:
    """The root of ``project.xml``."""
    with ZipFile(path) as archive:
        return ElementTree.fromstring(archive.read("project.xml"))


def opened(path: Path, pan_law: PanLaw = "constant-power") -> Opened:
    root = project(path)
    tracks = {track.get("id"): track for track in root.iter("Track")}
    channels = {channel.get("id"): track for track in tracks.values() for channel in track}
    strips, audio, sends, effects, files = [], {}, {}, {}, {}
    master = Master()
    with ZipFile(path) as archive:
        for lane in root.findall("Arrangement/Lanes/Lanes[Clips]"):
            (clip,) = lane.iter("Clip")
            (file,) = lane.iter("File")
            assert float(clip.attrib["playStart"]) == 0.0
            name = tracks[lane.get("track")].attrib["name"]
            samples, rate = soundfile.read(
                io.BytesIO(archive.read(file.attrib["path"])), dtype="float32", always_2d=True
            )
            described = next(lane.iter("Audio")).attrib
            assert int(described["channels"]) == samples.shape[1]
            assert int(described["sampleRate"]) == rate
            assert round(float(described["duration"]) * rate) == len(samples)
            assert clip.attrib["duration"] == described["duration"]
            before = round(float(clip.attrib["time"]) * rate)
            audio[name] = (np.pad(samples.T, ((0, 0), (before, 0))), rate)
            files[name] = file.attrib["path"]
    for track in tracks.values():
        (channel,) = track
        name = track.attrib["name"]
        if channel.get("role") == "master":
            master = read_master(channel)
        elif channel.get("role") == "effect":
            effects[name] = channel
        else:
            strips.append(read_strip(name, channel))
            sends[name] = {
                channels[send.get("destination")].attrib["name"]: decibel(send.find("Volume"))
                for send in channel.iter("Send")
            }
    frames = max(samples.shape[1] for samples, _ in audio.values())
    session = Session(
        tracks=tuple(
            Track(
                name=strip.name,
                role="other",
                source=Audio(
                    np.pad(samples, ((0, 0), (0, frames - samples.shape[1]))), sample_rate=rate
                ),
            )
            for strip in strips
            for samples, rate in [audio[strip.name]]
        )
    )
    tempo = root.find("Transport/Tempo")
    return Opened(
        MixPlan(
            tracks=tuple(strips),
            master=master,
            pan_law=pan_law,
            sample_rate_hz=session.sample_rate,
        ),
        session,
        sends,
        effects,
        None if tempo is None else float(tempo.attrib["value"]),
        files,
    )


def read_strip(name: str, channel: Element) -> ChannelStrip:
    devices = list(channel.find("Devices") or [])
    order = "".join(device.tag[0].lower() for device in devices)
    pan = channel.find("Pan")
    assert pan is not None
    assert (pan.get("unit"), pan.get("min"), pan.get("max")) == ("normalized", "0.0", "1.0")
    return ChannelStrip(
        name=name,
        equalizer=read_equalizer(channel),
        compressor=read_compressor(channel),
        order="cer" if order == "ce" else "ecr",
        fader_db=decibel(channel.find("Volume")),
        pan=float(pan.attrib["value"]),
        mute=channel.find("Mute").get("value") == "true",
    )


def read_master(channel: Element) -> Master:
    limiter = channel.find("Devices/Limiter")
    gain_db = decibel(channel.find("Volume"))
    if limiter is None:
        settings = LimiterSettings()
    else:
        assert gain_db == 0.0
        gain_db = number(limiter, "InputGain", "decibel")
        settings = LimiterSettings(
            ceiling_dbtp=number(limiter, "Threshold", "decibel"),
            release_ms=1000 * number(limiter, "Release", "seconds"),
        )
    return Master(
        equalizer=read_equalizer(channel),
        compressor=read_compressor(channel),
        gain_db=gain_db,
        limiter=settings,
    )


def read_equalizer(channel: Element) -> EqualizerSettings:
    return EqualizerSettings(
        bands=tuple(
            EqualizerBand(
                kind=KINDS[band.attrib["type"]],
                frequency_hz=number(band, "Freq", "hertz"),
                gain_db=0.0 if band.find("Gain") is None else number(band, "Gain", "decibel"),
                q=number(band, "Q", "linear"),
            )
            for band in channel.findall("Devices/Equalizer/Band")
        )
    )


def read_compressor(channel: Element) -> CompressorSettings:
    device = channel.find("Devices/Compressor")
    if device is None:
        return CompressorSettings()
    assert number(device, "InputGain", "decibel") == 0.0
    assert device.find("AutoMakeup").get("value") == "false"
    return CompressorSettings(
        threshold_db=number(device, "Threshold", "decibel"),
        ratio=1.0 / (1.0 - number(device, "Ratio", "percent") / 100.0),
        attack_ms=1000.0 * number(device, "Attack", "seconds"),
        release_ms=1000.0 * number(device, "Release", "seconds"),
        makeup_db=number(device, "OutputGain", "decibel"),
    )


@dataclass(frozen=True)
class Lane:
    """The automation of one parameter."""

    unit: str
    times_s: np.ndarray
    values: np.ndarray
    holds: np.ndarray

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """What the format says: each point tells how the way to the next one is."""
        point = np.searchsorted(self.times_s, times_s, side="right") - 1
        assert point.min() >= 0  # from the start on, whatever a DAW does before the first point
        following = np.minimum(point + 1, len(self.times_s) - 1)
        way_s = self.times_s[following] - self.times_s[point]
        share = np.where(way_s > 0, (times_s - self.times_s[point]) / np.maximum(way_s, 1e-30), 0)
        moved = (self.values[following] - self.values[point]) * share
        return self.values[point] + np.where(self.holds[point], 0.0, moved)


def lanes(path: Path) -> dict[tuple[str, str], Lane]:
    """Automation by track and parameter; that of a send by where it leads."""
    root = project(path)
    parents = {child: parent for parent in root.iter() for child in parent}
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    found = {}
    for lane in root.iter("Points"):
        target = by_id[lane.find("Target").attrib["parameter"]]
        name, above = target.tag, parents[target]
        if above.tag == "Send":
            name = f"to {parents[by_id[above.attrib['destination']]].attrib['name']}"
        while above.tag != "Track":
            above = parents[above]
        assert parents[lane].tag == "Lanes"
        assert parents[lane].get("track") == above.get("id")
        assert parents[parents[parents[lane]]].tag == "Arrangement"
        assert lane.get("timeUnit") == parents[parents[lane]].get("timeUnit") == "seconds"
        assert lane.get("unit") == target.get("unit")
        points = lane.findall("RealPoint")
        times_s = np.array([float(point.attrib["time"]) for point in points])
        values = np.array([float(point.attrib["value"]) for point in points])
        assert (np.diff(times_s) > 0).all()
        if target.get("max") is not None:
            assert float(target.attrib["min"]) <= values.min()
            assert values.max() <= float(target.attrib["max"])
        found[above.attrib["name"], name] = Lane(
            unit=lane.attrib["unit"],
            times_s=times_s,
            values=values,
            holds=np.array([point.get("interpolation", "hold") == "hold" for point in points]),
        )
    return found


def number(device: Element, name: str, unit: str) -> float:
    parameter = device.find(name)
    assert parameter is not None
    assert parameter.get("unit") == unit
    return float(parameter.attrib["value"])


def decibel(volume: Element | None) -> float:
    assert volume is not None
    assert volume.get("unit") == "linear"
    return 20.0 * math.log10(float(volume.attrib["value"]))
