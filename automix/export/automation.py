"""Rides as automation of a DAW: points, between which a parameter is straight in its own unit.

A fader's unit in the format is its linear gain, while rides are straight in dB: so a ramp gets
points in between.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from automix.plan.rides import Ride
from automix.units import db_to_gain

_LARGEST_STEP_DB = 2.0
"""Of one straight piece of linear gain: it is 0.06 dB above the line in its middle."""


@dataclass(frozen=True, kw_only=True)
class AutomationPoint:
    """One point of an automation lane.

    Attributes:
        time_s: When, from the start of the song.
        value: In the unit of the parameter.
        holds: Whether the value stays until the next point, or to the end, instead of moving there.
    """

    time_s: float
    value: float
    holds: bool


def make_gain_points(ride: Ride, trim_db: float) -> list[AutomationPoint]:
    """Points in linear gain of a ride in dB over a trim; between them less than 0.1 dB off."""
    return _make_points(ride, lambda value: db_to_gain(trim_db + value), _LARGEST_STEP_DB)


def make_plain_points(ride: Ride, trim: float = 0.0) -> list[AutomationPoint]:
    """Points of a ride in the unit of its own, over a trim."""
    return _make_points(ride, lambda value: trim + value, math.inf)


def _make_points(
    ride: Ride, convert: Callable[[float], float], largest_step: float
) -> list[AutomationPoint]:
    """Points from the start of the song on, as some DAWs have no value before the first one."""
    line = list(_refine(ride, largest_step))
    if line[0][0] > 0.0:
        line.insert(0, (0.0, line[0][1]))
    following = [value for _, value in line[1:]]
    return [
        AutomationPoint(time_s=time_s, value=convert(value), holds=next_value == value)
        for (time_s, value), next_value in zip(line, [*following, line[-1][1]], strict=True)
    ]


def _refine(ride: Ride, largest_step: float) -> Iterator[tuple[float, float]]:
    """Times and values of a ride, with points in between where it moves by more than a step."""
    points = list(zip(ride.times_s, ride.values, strict=True))
    for (start_s, before), (stop_s, after) in pairwise(points):
        yield start_s, before
        latest_s = start_s
        pieces = math.ceil(abs(after - before) / largest_step)
        for part in range(1, pieces):
            share = part / pieces
            time_s = start_s + share * (stop_s - start_s)
            if latest_s < time_s < stop_s:  # not where two points are as near as numbers can be
                latest_s = time_s
                yield time_s, before + share * (after - before)
    yield points[-1]
