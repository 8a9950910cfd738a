"""Draws the rides of a mix over the levels of the tracks that they move.

The level of a track is measured on the way of the inputs into their sum, so that nothing is decoded
for it.
"""

import html

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import Samples
from automix.plan.model import MixPlan
from automix.plan.ride_figures import Part, describe_ride, name_ridden
from automix.plan.rides import find_ridable
from automix.report import diagrams

_COLUMNS = 480


class LevelMeter:
    """Measures the level of a track over time, block by block.

    Args:
        frames: Length of the mix, over which the curve is spread.
    """

    def __init__(self, frames: int) -> None:
        self._edges = np.linspace(0, max(frames, 1), _COLUMNS + 1).astype(np.int64)
        self._squares = np.zeros(_COLUMNS)
        self._position = 0

    def add(self, block: Samples) -> None:
        """Takes the next block of the track ``(channels, n)``."""
        frames = block.shape[1]
        squares = np.square(block, dtype=np.float64).mean(axis=0)
        sums = np.concatenate([[0.0], np.cumsum(squares)])
        inside = np.clip(self._edges - self._position, 0, frames)
        self._squares += np.diff(sums[inside])
        self._position += frames

    def result(self) -> NDArray[np.float64]:
        """Returns the level ``(columns,)`` in dB over the loudest; −inf where there is silence."""
        powers = np.maximum(self._squares, 0.0) / np.maximum(np.diff(self._edges), 1)
        with np.errstate(divide="ignore"):
            return np.asarray(10.0 * np.log10(powers / max(powers.max(), 1e-20)))


def make_level_meters(plan: MixPlan, frames: int) -> dict[str, LevelMeter]:
    """Makes what measures the tracks that rides move, by name."""
    return {strip.name: LevelMeter(frames) for strip in plan.tracks if strip.rides}


def draw_rides(
    owner: str, part: Part, level_db: NDArray[np.float64] | None, duration_s: float
) -> list[str]:
    """Every ride of a strip, a bus or the master, with its figures.

    Args:
        owner: The name of the track or bus, or ``master``.
        part: It itself.
        level_db: The level of the track, see `LevelMeter`; none where it is not known.
        duration_s: The length of the mix.
    """
    drawn = []
    for ride in part.rides:
        svg = diagrams.ride_curve(
            ride,
            level_db,
            duration_s,
            unit=find_ridable(part, ride.setting)[1].unit,
            name=f"{name_ridden(part, ride.setting)} of {owner}",
        )
        area = "" if level_db is None else "; the area is the level of the recording, 40 dB high"
        said = html.escape(f"Ride of the {describe_ride(part, ride)}{area}")
        drawn.append(f"<div class=ride>{svg}<p>{said}</p></div>")
    return drawn
