"""Differences between plans: every setting, addressed as by --set, and nothing else."""

import math
from dataclasses import replace

import pytest

from automix.plan.address import change_setting
from automix.plan.decision import Decision
from automix.plan.difference import Difference, plan_difference
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    Master,
    Send,
)

PLAN = MixPlan(
    method="rules",
    preset="full",
    automix_version="1.0",
    tracks=(
        ChannelStrip(
            name="kick",
            file="a/kick.wav",
            sha256="11",
            equalizer=EqualizerSettings(bands=(EqualizerBand(gain_db=1.0), EqualizerBand())),
            sends=(Send(bus="room", gain_db=-6.0),),
        ),
        ChannelStrip(name="lead vocal", file="a/vox.wav", sha256="22"),
    ),
    buses=(Bus(name="room"),),
)


@pytest.mark.parametrize(
    ("setting", "value", "unit"),
    [
        ("kick.fader_db", 2.5, "dB"),
        ("kick.role", "kick", ""),
        ("kick.mute", True, ""),
        ("kick.order", "cer", ""),
        ("lead vocal.pan", 0.25, ""),
        ("lead vocal.compressor.attack_ms", 3.0, "ms"),
        ("kick.equalizer.bands.2.frequency_hz", 500.0, "Hz"),
        ("kick.equalizer.bands.1.kind", "high_pass", ""),
        ("kick.sends.1.gain_db", -9.0, "dB"),
        ("room.reverb.reverberation_time_s", 3.0, "s"),
        ("master.limiter.ceiling_dbtp", -1.0, "dBTP"),
        ("pan_law", "linear", ""),
    ],
)
def test_a_change_is_found_by_its_address(setting: str, value, unit: str) -> None:
    changed = change_setting(PLAN, setting, lambda _: value)
    (found,) = plan_difference(PLAN, changed).settings
    assert (found.setting, found.new, found.unit) == (setting, value, unit)
    back = change_setting(changed, found.setting, lambda _: found.old)
    assert back == PLAN
    if isinstance(value, float):
        assert found.change == value - found.old
    else:
        assert found.change is None


def test_equal_plans_do_not_differ() -> None:
    assert not plan_difference(PLAN, replace(PLAN))
    reasons = Decision(setting="kick.pan", value=0.5, rule="r", reason="why")
    moved = replace(
        PLAN,
        request="other",
        decisions=(reasons,),
        tracks=tuple(replace(strip, file="b/x.wav") for strip in reversed(PLAN.tracks)),
    )
    assert not plan_difference(PLAN, moved)


def test_the_smallest_change_is_found() -> None:
    changed = PLAN.with_strip("kick", fader_db=math.nextafter(0.0, 1.0), pan=0.5)
    (found,) = plan_difference(PLAN, changed).settings
    assert found.change == math.nextafter(0.0, 1.0)


def test_entries_that_one_plan_lacks() -> None:
    added = EqualizerBand(kind="peak", frequency_hz=300.0, gain_db=-2.0, q=1.5)
    bands = (*PLAN.tracks[0].equalizer.bands, added)
    changed = PLAN.with_strip("kick", equalizer=EqualizerSettings(bands=bands))
    found = plan_difference(PLAN, changed).settings
    assert {difference.setting: (difference.old, difference.new) for difference in found} == {
        "kick.equalizer.bands.3.kind": (None, "peak"),
        "kick.equalizer.bands.3.frequency_hz": (None, 300.0),
        "kick.equalizer.bands.3.gain_db": (None, -2.0),
        "kick.equalizer.bands.3.q": (None, 1.5),
    }
    assert {difference.unit for difference in found} == {"", "Hz", "dB"}
    assert [(d.new, d.old) for d in plan_difference(changed, PLAN).settings] == [
        (d.old, d.new) for d in found
    ]


def test_settings_come_in_the_order_of_the_first_plan() -> None:
    changed = replace(
        PLAN,
        tracks=tuple(replace(strip, pan=0.1, fader_db=1.0) for strip in reversed(PLAN.tracks)),
        buses=(Bus(name="room", gain_db=3.0),),
        master=Master(compressor=CompressorSettings(threshold_db=-1.0)),
    )
    assert [difference.setting for difference in plan_difference(PLAN, changed).settings] == [
        "kick.fader_db",
        "kick.pan",
        "lead vocal.fader_db",
        "lead vocal.pan",
        "room.gain_db",
        "master.compressor.threshold_db",
    ]


def test_tracks_and_buses_of_one_plan_only() -> None:
    other = replace(
        PLAN,
        tracks=(replace(PLAN.tracks[1], name="vox"), replace(PLAN.tracks[0], sends=())),
        buses=(Bus(name="hall"),),
    )
    found = plan_difference(PLAN, other)
    assert found.only_in_first == ("track lead vocal", "bus room")
    assert found.only_in_second == ("track vox", "bus hall")
    assert {difference.setting for difference in found.settings} == {
        "kick.sends.1.bus",
        "kick.sends.1.gain_db",
    }


def test_provenance_and_inputs() -> None:
    other = replace(
        PLAN,
        method="dmc",
        preset="basic",
        automix_version="1.1",
        seed=3,
        sample_rate_hz=48000,
        bits="16",
        tracks=(replace(PLAN.tracks[0], sha256="33"), replace(PLAN.tracks[1], sha256="")),
    )
    found = plan_difference(PLAN, other)
    assert found.settings == ()
    assert [difference.setting for difference in found.provenance] == [
        "method",
        "preset",
        "automix_version",
        "seed",
        "sample_rate_hz",
        "bits",
    ]
    assert found.provenance[4] == Difference(
        setting="sample_rate_hz", old=44100, new=48000, unit="Hz"
    )
    assert found.inputs == (Difference(setting="kick.sha256", old="11", new="33"),)
    assert found


LINE = Ride(times_s=(1.0, 3.0), values=(0.0, 4.0))
SENT = Ride(setting="sends.1.gain_db", times_s=(2.0,), values=(-3.0,))


def test_a_ride_that_was_added_is_measured_against_none() -> None:
    ridden = PLAN.with_strip("kick", rides=(LINE,))
    (added,) = plan_difference(PLAN, ridden).rides
    assert (added.setting, added.kind, added.unit) == ("kick.rides.fader_db", "added", "dB")
    assert (added.old, added.new) == (None, LINE)
    # Rises evenly by 4 dB: 2 dB on average.
    assert (added.change.largest, added.change.at_s, added.change.mean) == (4.0, 3.0, 2.0)
    (removed,) = plan_difference(ridden, PLAN).rides
    assert (removed.kind, removed.change.largest, removed.change.mean) == ("removed", -4.0, -2.0)
    assert plan_difference(PLAN, ridden)
    assert plan_difference(PLAN, ridden).settings == ()


def test_rides_are_matched_by_what_they_move() -> None:
    first = PLAN.with_strip("kick", rides=(LINE, SENT))
    assert not plan_difference(first, PLAN.with_strip("kick", rides=(SENT, LINE)))
    later = replace(LINE, times_s=(2.0, 4.0))
    (found,) = plan_difference(first, PLAN.with_strip("kick", rides=(SENT, later))).rides
    assert (found.setting, found.kind) == ("kick.rides.fader_db", "changed")
    # 2 dB below from 2 s to 3 s, where it has nothing and the old line ends; and level with it at
    # 1 s and 4 s: a trapezoid of 4 dB·s over 3 s.
    assert (found.change.largest, found.change.at_s) == (-2.0, 2.0)
    assert found.change.mean == pytest.approx(-4.0 / 3.0)


def test_a_ride_of_the_pan_is_measured_against_where_the_track_was() -> None:
    still = PLAN.with_strip("kick", pan=0.3)
    ride = Ride(setting="pan", times_s=(0.0, 1.0), values=(0.3, 0.9))
    (found,) = plan_difference(still, still.with_strip("kick", rides=(ride,))).rides
    assert (found.unit, found.change.at_s) == ("", 1.0)
    assert found.change.largest == pytest.approx(0.6)


def test_rides_of_what_one_plan_lacks_and_of_buses_and_the_master() -> None:
    of_gain = replace(LINE, setting="gain_db")
    without = PLAN.with_strip("kick", sends=())
    ridden = replace(
        PLAN.with_strip("kick", rides=(SENT,)),
        buses=(Bus(name="room", rides=(of_gain,)),),
        master=Master(rides=(of_gain,)),
    )
    found = plan_difference(without, ridden).rides
    assert [(ride.setting, ride.change.largest) for ride in found] == [
        ("kick.rides.sends.1.gain_db", -3.0),
        ("room.rides.gain_db", 4.0),
        ("master.rides.gain_db", 4.0),
    ]


def test_other_points_of_the_same_line_differ_by_nothing() -> None:
    finer = replace(LINE, times_s=(1.0, 2.0, 3.0), values=(0.0, 2.0, 4.0))
    plans = (PLAN.with_strip("kick", rides=(ride,)) for ride in (LINE, finer))
    (found,) = plan_difference(*plans).rides
    assert (found.change.largest, found.change.mean) == (0.0, 0.0)
