"""What is said of rides, against numbers worked out by hand and by another implementation."""

import numpy as np
import pytest

from automix.plan.model import MixPlan
from automix.plan.ride_figures import (
    describe_ride,
    find_value,
    format_time,
    list_rides,
    measure_ride,
)
from automix.plan.rides import Ride
from automix.plan.settings import Bus, ChannelStrip, Master, Send

RIDE = Ride(
    times_s=(1.0, 2.0, 2.5, 4.0, 5.0, 65.0, 65.5),
    values=(0.0, 1.0, 3.0, 3.0, -2.5, -2.0, -2.0),
)
STRIP = ChannelStrip(name="vox", sends=(Send(bus="room"), Send(bus="hall")), pan=0.4)


def test_values_are_those_of_the_line() -> None:
    times_s = np.linspace(0.0, 70.0, 701)
    found = [find_value(RIDE, float(time_s)) for time_s in times_s]
    np.testing.assert_allclose(found, np.interp(times_s, RIDE.times_s, RIDE.values), atol=1e-12)
    assert find_value(Ride(values=(2.0,)), 9.0) == 2.0


def test_moves_are_stretches_that_rise_or_fall() -> None:
    figures = measure_ride(STRIP, RIDE)
    assert (figures.points, figures.lowest, figures.highest) == (7, -2.5, 3.0)
    assert figures.farthest == 3.0
    assert (figures.fastest_per_s, figures.fastest_at_s) == (5.5, 4.0)
    moves = [(move.start_s, move.end_s, move.change) for move in figures.moves]
    assert moves == [(4.0, 5.0, -5.5), (1.0, 2.5, 3.0), (5.0, 65.0, 0.5)]
    still = measure_ride(STRIP, Ride(values=(-4.0,)))
    assert (still.farthest, still.fastest_per_s, still.moves) == (4.0, 0.0, ())


def test_a_pan_is_far_from_where_it_rests() -> None:
    figures = measure_ride(STRIP, Ride(setting="pan", times_s=(0.0, 1.0), values=(0.4, 0.9)))
    assert figures.farthest == pytest.approx(0.5)
    assert figures.unit == ""


def test_words() -> None:
    assert describe_ride(STRIP, RIDE) == (
        "fader -2.5 … +3.0 dB in 7 points, at most 5.5 dB/s; -5.5 dB at 0:04.0, +3.0 dB at 0:01.0,"
        " +0.5 dB at 0:05.0"
    )
    send = Ride(setting="sends.2.gain_db", values=(-6.0,))
    assert describe_ride(STRIP, send) == "send to hall -6.0 dB in 1 point"
    pan = Ride(setting="pan", times_s=(0.0, 10.0), values=(0.4, 0.5))
    assert describe_ride(STRIP, pan) == (
        "pan 20 % left … center in 2 points, at most 2 %/s; +20.0 % at 0:00.0"
    )
    assert [format_time(time_s) for time_s in (0.0, 59.96, 3725.04)] == [
        "0:00.0",
        "1:00.0",
        "62:05.0",
    ]


def test_all_rides_of_a_plan_are_listed() -> None:
    gain = Ride(setting="gain_db")
    strip = ChannelStrip(name="vox", rides=(Ride(setting="pan", values=(0.1,)), RIDE))
    plan = MixPlan(
        tracks=(ChannelStrip(name="a"), strip),
        buses=(Bus(name="room", rides=(gain,)),),
        master=Master(rides=(gain,)),
    )
    assert [(owner, number, ride.setting) for owner, _, number, ride in list_rides(plan)] == [
        ("vox", 1, "pan"),
        ("vox", 2, "fader_db"),
        ("room", 1, "gain_db"),
        ("master", 1, "gain_db"),
    ]
