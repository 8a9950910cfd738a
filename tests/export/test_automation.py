"""Rides in a DAWproject: read back as the format says, they are the lines of the plan."""

import os
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from automix.consoles.exact import ExactConsole
from automix.export.automation import make_gain_points
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import Bus, ChannelStrip, LimiterSettings, Send, WidenerSettings
from tests.export.conftest import LINE, ON_SENDS, PANNED, RATE, with_rides, write
from tests.export.reader import Lane, lanes, opened, project
from tests.export.structure import faults
from tests.export.test_dawproject import (
    difference_db,
    export,
    mix_of,
    project_mix_of,
    rendered,
)

TIMES_S = np.linspace(0.0, 1.1, 1000)
XSD = os.environ.get("AUTOMIX_DAWPROJECT_XSD")


def written(ride: Ride, times_s: np.ndarray = TIMES_S) -> np.ndarray:
    return np.interp(times_s, ride.times_s, ride.values)


def decibels(lane: Lane, times_s: np.ndarray = TIMES_S) -> np.ndarray:
    assert lane.unit == "linear"
    return 20.0 * np.log10(lane.at(times_s))


def test_every_line_reads_back(song) -> None:
    plan, folder = with_rides(song[0]), song[1]
    exported = export(plan, folder)
    assert faults(project(exported.path)) == []
    found = lanes(exported.path)
    assert exported.automated == {
        "vocal": ("pan", "fader_db", "sends.2.gain_db"),
        "kick": ("fader_db",),
        "spare": ("fader_db",),
        "room": ("gain_db",),
        "master": ("gain_db",),
    }
    trims_db = {
        ("vocal", "Volume"): (LINE, -2.25),
        ("vocal", "to hall"): (ON_SENDS, -11.0),
        ("kick", "Volume"): (LINE, 13.5),
        ("spare", "Volume"): (LINE, 3.0),
        ("room", "Volume"): (
            LINE,
            0.0,
        ),  # for a reverb of one's own: the return has it in its audio
    }
    for key, (ride, trim_db) in trims_db.items():
        np.testing.assert_allclose(decibels(found.pop(key)), trim_db + written(ride), atol=0.1)
    pan = found.pop(("vocal", "Pan"))
    assert pan.unit == "normalized"
    np.testing.assert_allclose(pan.at(TIMES_S), written(PANNED), atol=1e-9)
    # A DAW's fader comes after its limiter, where the plan's gain comes before it.
    gain = found.pop(("Master", "InputGain"))
    assert gain.unit == "decibel"
    np.testing.assert_allclose(gain.at(TIMES_S), 5.0 + written(LINE), atol=1e-9)
    assert found == {}


def test_without_a_limiter_the_master_rides_its_volume(song) -> None:
    plan, folder = with_rides(song[0]), song[1]
    plan = replace(plan, master=replace(plan.master, limiter=LimiterSettings()))
    found = lanes(export(plan, folder).path)
    np.testing.assert_allclose(decibels(found["Master", "Volume"]), 5.0 + written(LINE), atol=0.1)


def test_a_parallel_bus_rides_from_its_level(tmp_path: Path) -> None:
    strip = ChannelStrip(name="x", file=write(tmp_path / "x.wav", 3), sends=(Send(bus="b"),))
    bus = Bus(name="b", parallel=True, gain_db=-4.0, rides=(replace(LINE, setting="gain_db"),))
    plan = MixPlan(sample_rate_hz=RATE, tracks=(strip,), buses=(bus,))
    found = lanes(export(plan, tmp_path).path)
    np.testing.assert_allclose(decibels(found["b", "Volume"]), written(LINE) - 4.0, atol=0.1)


def test_what_is_beyond_the_end_of_faders_goes_into_the_audio(song) -> None:
    """The kick is at 13.5 dB and rises by 4 dB."""
    plan, folder = with_rides(song[0]), song[1]
    exported = export(plan, folder, max_fader_db=6.0)
    kick = next(track for track in exported.tracks if track.name == "kick")
    assert kick.audio_gain_db == pytest.approx(11.5)
    assert kick.volume_db == pytest.approx(2.0)
    level = decibels(lanes(exported.path)["kick", "Volume"])
    np.testing.assert_allclose(level, 2.0 + written(LINE), atol=0.1)
    assert level.max() <= 6.0 + 1e-9
    assert any("+17.5 dB" in note for note in export(plan, folder, "far.dawproject").notes)


@pytest.mark.parametrize("max_fader_db", [0.0, 60.0])
def test_the_project_sounds_like_the_mix(song, max_fader_db: float) -> None:
    """With automix's own devices; what straight pieces of gain are off is 40 dB below."""
    plan, folder = with_rides(song[0]), song[1]
    path = export(plan, folder, max_fader_db=max_fader_db).path
    found, automated = opened(path), lanes(path)
    fine_s = np.arange(0.0, 1.0, 0.002)
    played = found.plan
    for name in ("vocal", "kick"):
        line = decibels(automated[name, "Volume"], fine_s) - played.strip(name).fader_db
        fader = Ride(times_s=tuple(fine_s), values=tuple(np.maximum(line, -60.0)))
        played = played.with_strip(name, rides=(fader,))
    pan = replace(PANNED, values=tuple(automated["vocal", "Pan"].at(np.array(PANNED.times_s))))
    played = played.with_strip("vocal", rides=(*played.strip("vocal").rides, pan))
    master = replace(plan.master, rides=(replace(LINE, setting="gain_db"),))
    sound = rendered(ExactConsole(found.session), replace(played, master=master))
    assert difference_db(mix_of(plan, folder), sound) < -40.0


def test_rides_of_the_sides_are_in_the_audio(tmp_path: Path) -> None:
    strip = ChannelStrip(
        name="x",
        file=write(tmp_path / "x.wav", 3),
        widener=WidenerSettings(side_db=-6.0),
        rides=(Ride(setting="widener.side_db", times_s=(0.2, 0.5), values=(-40.0, 0.0)),),
    )
    plan = MixPlan(sample_rate_hz=RATE, tracks=(strip,))
    exported = export(plan, tmp_path)
    assert exported.automated == lanes(exported.path) == {}
    assert difference_db(mix_of(plan, tmp_path), project_mix_of(exported.path)) < -110.0


def test_a_ramp_is_near_the_line_and_a_level_is_held() -> None:
    ride = Ride(times_s=(1.0, 1.02, 3.0, 3.0 + 4e-16), values=(0.0, -60.0, -60.0, 3.0))
    points = make_gain_points(ride, -10.0)
    lane = Lane(
        unit="linear",
        times_s=np.array([point.time_s for point in points]),
        values=np.array([point.value for point in points]),
        holds=np.array([point.holds for point in points]),
    )
    times_s = np.linspace(0.0, 2.9, 20_001)
    error_db = decibels(lane, times_s) - written(ride, times_s) + 10.0
    assert np.abs(error_db).max() < 0.06
    assert points[0].time_s == 0.0
    assert [point.holds for point in points if point.time_s in (0.0, 1.0, 1.02)] == [
        True,
        False,
        True,
    ]
    assert (np.diff(lane.times_s) > 0.0).all()


def test_a_plan_without_rides_has_no_lanes_of_automation(song) -> None:
    plan, folder = song
    still = project(export(plan, folder, "still.dawproject").path)
    assert list(still.iter("Points")) == []
    ridden = project(export(with_rides(plan), folder).path)
    for lane in ridden.findall("Arrangement/Lanes/Lanes"):
        for points in lane.findall("Points"):
            lane.remove(points)
    clips = [lane for lane in ridden.findall("Arrangement/Lanes/Lanes") if len(lane)]
    assert len(clips) == len(still.findall("Arrangement/Lanes/Lanes"))


@pytest.mark.skipif(XSD is None, reason="AUTOMIX_DAWPROJECT_XSD names no folder with the schemas")
def test_the_published_schema_accepts_automation(song) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    schema = xmlschema.XMLSchema(str(Path(str(XSD), "Project.xsd")))
    with ZipFile(export(with_rides(song[0]), song[1]).path) as archive:
        text = archive.read("project.xml").decode()
    assert text.count("<Points") == 7
    schema.validate(text)
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(text.replace('interpolation="hold"', 'interpolation="curve"'))
