"""Rides in plans: reading, writing, and what is refused."""

from dataclasses import replace

import pytest

from automix.errors import PlanError, UsageError
from automix.plan.address import change_setting
from automix.plan.model import MixPlan
from automix.plan.rides import MOST_POINTS, Ride
from automix.plan.settings import Bus, ChannelStrip, Master, Send
from automix.plan.toml import dumps

RIDE = Ride(setting="fader_db", times_s=(0.0, 1.5), values=(0.1, -3.0))
LONG = Ride(
    setting="sends.1.gain_db",
    times_s=tuple(n / 7.0 for n in range(31)),
    values=tuple(n / 3.0 - 9.0 for n in range(31)),
)
PLAN = MixPlan(
    tracks=(ChannelStrip(name="vox", sends=(Send(bus="room"),), rides=(RIDE, LONG)),),
    buses=(Bus(name="room", rides=(replace(RIDE, setting="gain_db"),)),),
    master=Master(rides=(replace(RIDE, setting="gain_db"),)),
)
TEXT = dumps(PLAN)


def line_of(text: str, part: str) -> int:
    """The line, from 1, of the first place where a text is."""
    return text[: text.index(part)].count("\n") + 1


def test_rides_come_back_to_the_last_bit():
    assert MixPlan.from_toml(TEXT) == PLAN
    assert max(map(len, TEXT.splitlines())) < 260  # long lists go over several lines


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("[0.0, 1.5]", "[0.0, 0.0]", "times_s = [0.0, 0.0]", "must rise"),
        ("[0.0, 1.5]", "[1.0, 0.5]", "times_s = [1.0, 0.5]", "must rise"),
        ("[0.0, 1.5]", "[-1.0, 0.5]", "times_s = [-1.0", "outside 0 … 86400 s"),
        ("[0.0, 1.5]", "[0.0, nan]", "times_s = [0.0, nan", "finite"),
        ("[0.0, 1.5]", "[]", "values = [0.1", "0 times_s and 2 values"),
        ("[0.1, -3.0]", "[0.1]", "values = [0.1]", "2 times_s and 1 values"),
        ("[0.1, -3.0]", "[0.1, -61.0]", "values = [0.1, -61", "-61.0 is outside -60 … 24"),
        ("[0.1, -3.0]", '[0.1, "x"]', "values = [0.1, ", "must be a number"),
        ("[0.1, -3.0]", "3.0", "values = 3.0", "must be a list"),
        ('"fader_db"', '"level"', 'setting = "level"', "there is no 'level'"),
        ('"fader_db"', '"mute"', 'setting = "mute"', "cannot be ridden"),
        ('"fader_db"', '"equalizer"', 'setting = "equalizer"', "cannot be ridden"),
        ('"sends.1.gain_db"', '"sends.2.gain_db"', '"sends.2', "no entry '2'"),
        ('"sends.1.gain_db"', '"fader_db"', "[[tracks.rides]]", "two rides"),
    ],
)
def test_an_illegal_ride_is_refused_with_its_line(old, new, line, message):
    text = TEXT.replace(old, new, 1)
    with pytest.raises(PlanError, match=r"x\.toml, line \d+: ") as refused:
        MixPlan.from_toml(text, "x.toml")
    assert message in str(refused.value)
    if message != "two rides":
        assert f"line {line_of(text, line)}:" in str(refused.value)


def test_a_ride_has_a_limit_of_points():
    times_s = tuple(n * 0.01 for n in range(MOST_POINTS + 1))
    Ride(times_s=times_s[:-1], values=(0.0,) * MOST_POINTS)
    with pytest.raises(UsageError, match="20001 points; legal are 1 … 20000"):
        Ride(times_s=times_s, values=(0.0,) * len(times_s))


def test_the_range_of_a_pan_holds_for_its_ride():
    ride = Ride(setting="pan", values=(1.2,))
    with pytest.raises(UsageError, match=r"1\.2, is outside 0 … 1"):
        ChannelStrip(name="a", rides=(ride,))


def test_moving_the_setting_moves_the_whole_line():
    louder = change_setting(PLAN, "vox.fader_db", lambda old: old + 1.0)
    assert louder.strip("vox").fader_db == 1.0
    assert louder.strip("vox").rides == PLAN.strip("vox").rides


@pytest.mark.parametrize(
    ("address", "instead"),
    [
        ("vox.rides.1.values", "vox.fader_db+=1"),
        ("vox.rides.fader_db", "vox.fader_db+=1"),
        ("vox.rides", "vox.fader_db+=1"),
        ("room.rides.1.setting", "room.gain_db+=1"),
        ("master.rides.1", "master.gain_db+=1"),
    ],
)
def test_one_value_cannot_set_a_line(address, instead):
    with pytest.raises(PlanError, match="a ride is a line of points") as refused:
        change_setting(PLAN, address, lambda old: 1.0)
    assert address in str(refused.value)
    assert instead in str(refused.value)


def test_a_position_that_a_ride_takes_the_place_of_is_not_set_in_silence():
    pan = Ride(setting="pan", times_s=(0.0, 1.0), values=(0.2, 0.8))
    with pytest.raises(PlanError, match=r"'vox\.pan' has no effect"):
        change_setting(PLAN.with_strip("vox", rides=(pan,)), "vox.pan", lambda old: 0.3)
    assert change_setting(PLAN, "vox.pan", lambda old: 0.3).strip("vox").pan == 0.3
