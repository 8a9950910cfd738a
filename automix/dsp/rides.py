"""Rides as the console plays them: values and gains of each frame of a line through points.

A value depends on the number of its frame alone, so blocks of any size give the same bits.
"""

import math

import numpy as np
from numpy.typing import NDArray

from automix.plan.rides import Ride, find_ride

Curve = NDArray[np.float64] | float
"""``(n,)`` of each frame of a block, or one number where it does not move."""


class RideLine:
    """The line of a ride, read block by block from the start of a mix.

    Args:
        ride: Its points.
        sample_rate: Frames per second.
        late: How many frames late the signal is that it goes with.
    """

    def __init__(self, ride: Ride, sample_rate: int, late: int = 0) -> None:
        self._frames = np.array(ride.times_s) * sample_rate
        self._values = np.array(ride.values)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            slopes = np.diff(self._values) / np.diff(self._frames)
        self._slopes = np.nan_to_num(slopes)  # of points that are as good as at one time
        self._position = -late

    def next_values(self, frames: int) -> Curve:
        """The values of the next frames, in the unit of the setting."""
        start, self._position = self._position, self._position + frames
        # The first point after the block's first frame, and the first after its last frame.
        first = int(np.searchsorted(self._frames, start, side="right"))
        last = int(np.searchsorted(self._frames, start + frames - 1, side="right"))
        around = self._values[max(first - 1, 0) : last + 1]
        if (around == around[0]).all():
            return float(around[0])
        at = np.arange(start, start + frames, dtype=np.float64)
        point = np.searchsorted(self._frames, at, side="right") - 1
        line = self._values[np.maximum(point, 0)]
        moving = (point >= 0) & (point < len(self._slopes))
        on = point[moving]
        line[moving] += self._slopes[on] * (at[moving] - self._frames[on])
        return line

    def next_gains(self, frames: int) -> Curve:
        """The linear gains of the next frames, where the values are dB."""
        values = self.next_values(frames)
        if isinstance(values, float):
            return float(np.exp(np.array([values * _NEPERS_PER_DB]))[0])
        gains: NDArray[np.float64] = np.exp(values * _NEPERS_PER_DB)
        return gains


_NEPERS_PER_DB = math.log(10.0) / 20.0


def open_line(
    rides: tuple[Ride, ...], setting: str, sample_rate: int, late: int = 0
) -> RideLine | None:
    """The line of a setting from its start; none if the setting does not move."""
    ride = find_ride(rides, setting)
    return None if ride is None else RideLine(ride, sample_rate, late)
