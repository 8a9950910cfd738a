"""Lines in dB over time: how they hold, move and add up, and how few points they need."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.plan.rides import RIDE_RANGE, Ride

_TOLERANCE_DB = 0.005


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A stretch over which a line stays at one value.

    Attributes:
        start_s: Time at which the value is reached.
        end_s: Time from which it may be left, after ``start_s``.
        value_db: The value.
    """

    start_s: float
    end_s: float
    value_db: float


@dataclass(frozen=True, kw_only=True, eq=False)
class GainLine:
    """A line through points, straight between them and constant beyond them.

    Attributes:
        times_s: Times of the points, rising ``(points,)``.
        values_db: Values at these times ``(points,)``.
    """

    times_s: NDArray[np.float64]
    values_db: NDArray[np.float64]

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values at any times, in dB."""
        values: NDArray[np.float64] = np.interp(times_s, self.times_s, self.values_db)
        return values

    @property
    def is_flat(self) -> bool:
        """Whether nothing moves at 0 dB."""
        return bool(np.abs(self.values_db).max() < _TOLERANCE_DB)

    @property
    def steepest_db_s(self) -> float:
        """The fastest movement, without its sign."""
        if len(self.times_s) < 2:
            return 0.0
        return float(np.abs(np.diff(self.values_db) / np.diff(self.times_s)).max())


def make_line(points: Sequence[tuple[float, float]]) -> GainLine:
    """A line through points ``(s, dB)`` at times that do not fall; of equal times the last counts.

    Times are rounded to 1 ms and values to 0.01 dB; only corners are kept.
    """
    placed: dict[float, float] = {}
    for time_s, value_db in points:
        placed[round(max(time_s, 0.0), 3)] = round(RIDE_RANGE.clamp(value_db), 2)
    times = sorted(placed)
    kept: list[float] = []
    for number, time_s in enumerate(times):
        if 0 < number < len(times) - 1:
            before, after = kept[-1], times[number + 1]
            share = (time_s - before) / (after - before)
            straight = placed[before] + share * (placed[after] - placed[before])
            if abs(straight - placed[time_s]) < _TOLERANCE_DB:
                continue
        kept.append(time_s)
    while len(kept) > 1 and placed[kept[-1]] == placed[kept[-2]]:  # it is constant from there on
        kept.pop()
    while len(kept) > 1 and placed[kept[0]] == placed[kept[1]]:
        kept.pop(0)
    return GainLine(times_s=np.array(kept), values_db=np.array([placed[time_s] for time_s in kept]))


def add_lines(lines: Sequence[GainLine]) -> GainLine:
    """The sum of lines in dB, within the range of a ride."""
    times_s = np.unique(np.concatenate([line.times_s for line in lines]))
    total = np.sum([line.at(times_s) for line in lines], axis=0)
    return make_line(list(zip(times_s.tolist(), total.tolist(), strict=True)))


def make_ride(line: GainLine, setting: str = "fader_db") -> Ride:
    """A line as a plan holds it."""
    return Ride(
        setting=setting,
        times_s=tuple(line.times_s.tolist()),
        values=tuple(line.values_db.tolist()),
    )
