"""Finds flat tops: peaks that were cut off at one level, whatever gain came after."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import Samples
from automix.dsp.compiled import kernel

_SHORTEST = 4  # samples of a top: fewer are also found where treble is sampled at its peak
_FEWEST_TOPS = 2
_FEWEST_SAMPLES = 3  # of all tops together, beyond the three that each may have by chance
_SAME_LEVEL = 1.003
_OVERSHOOT = 1.006
_WORTH_A_LOOK = 1.5  # tops of one side may be lower than those of the other
_MOST_SHARE = 0.5  # of all samples that sound: a square wave is not clipped
_ELSEWHERE = 1.0  # for each top at the highest level: more are the steps of a bit crusher
_FLAT = 2e-4  # of the level
_CORNER = 12.0  # times as much on average on both sides; a peak of bass bends by less than 4
_LEAST_CORNER = 3.0
_NOISE = {"16": 2.1 / 32768, "24": 2.1 / 2**23, "32f": 2.1 / 2**23}  # what dither adds to a top
_QUIETEST = 1e-3
_PLACES = 3


@dataclass(frozen=True, kw_only=True)
class FlatTops:
    """Peaks that were cut off.

    Attributes:
        count: How many there are, in all channels together.
        level: Magnitude of the highest level at which they are flat; full scale is 1.
        times_s: Where the first three of them are.
    """

    count: int
    level: float
    times_s: tuple[float, ...]


class FlatTopScan:
    """Finds flat tops in audio that arrives in blocks of any size.

    A top is flat where four samples or more have one level, within what rounding and dither make of
    it, and the signal turns into it and out of it at a corner. A clipped take has many, all at its
    very peak; the peaks of bass notes and what a limiter or saturation rounds off have no corners.

    Args:
        sample_rate: Frames per second.
        channels: Number of channels.
        bits: Sample depth of the file: ``"16"``, ``"24"`` or ``"32f"``.
    """

    def __init__(self, sample_rate: int, channels: int, bits: str = "32f") -> None:
        self._sample_rate = sample_rate
        self._noise = np.float32(_NOISE[bits])
        self._frames = 0
        self._peak = 0.0
        self._runs = np.zeros((channels, 5), np.float32)
        self._levels = np.zeros((channels, 2, 2))
        self._counts = np.zeros((channels, 2, 3), np.int64)
        self._places = np.full((channels, 2, _PLACES), -1, np.int64)
        self._sounding = np.zeros(channels, np.int64)

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``."""
        samples = np.require(block, np.float32, ["C", "W"])
        begin, peak = self._frames, max(block.max(initial=0.0), -block.min(initial=0.0))
        self._frames += samples.shape[1]
        if peak * _WORTH_A_LOOK < self._peak:  # the tops that count are all at the very peak
            self._runs[:] = 0.0
            return
        self._peak = max(self._peak, float(peak))
        _find_tops(
            samples,
            begin,
            self._noise,
            self._runs,
            self._levels,
            self._counts,
            self._places,
            self._sounding,
        )

    def result(self) -> FlatTops | None:
        """Returns the flat tops of all audio that was added so far; none if it is not clipped."""
        found = [
            (channel, sign)
            for channel in range(len(self._runs))
            for sign in (0, 1)
            if self._may_be_clipped(channel, sign)
        ]
        tops, samples = (sum(int(self._counts[c, s, n]) for c, s in found) for n in (0, 1))
        if tops < _FEWEST_TOPS or samples - 3 * tops < _FEWEST_SAMPLES:
            return None
        places = sorted(
            {int(place) for c, s in found for place in self._places[c, s] if place >= 0}
        )
        return FlatTops(
            count=tops,
            level=max(float(self._levels[c, s, 0]) for c, s in found),
            times_s=tuple(place / self._sample_rate for place in places[:_PLACES]),
        )

    def _may_be_clipped(self, channel: int, sign: int) -> bool:
        tops, samples, elsewhere = self._counts[channel, sign]
        level, peak = self._levels[channel, sign]
        return bool(
            tops
            and elsewhere <= _ELSEWHERE * tops
            and peak <= _OVERSHOOT * level
            and samples <= _MOST_SHARE * self._sounding[channel]
        )


@kernel
def _find_tops(
    samples: NDArray[np.float32],
    position: int,
    noise: np.float32,
    runs: NDArray[np.float32],
    levels: NDArray[np.float64],
    counts: NDArray[np.int64],
    places: NDArray[np.int64],
    sounding: NDArray[np.int64],
) -> None:
    """Adds a block of samples ``(channels, n)`` to the figures of its channels, in place.

    A row of ``runs`` holds the first value of the current run, its length, the corner at its
    beginning, its tolerance, and whether it came from a smaller magnitude. By sign, ``levels``
    holds the level of the highest tops and the peak; ``counts`` the number of tops there, their
    samples, and the number of tops elsewhere; ``places`` the first tops.
    """
    for channel in range(samples.shape[0]):
        value, length, corner, tolerance, rises = runs[channel]
        sound = sounding[channel]
        frame = position
        for x in samples[channel]:
            difference = abs(x - value)
            if difference <= tolerance:
                length += 1
                frame += 1
                continue
            magnitude = abs(value)
            sign = 0 if value > 0 else 1
            if length >= _SHORTEST and magnitude > _QUIETEST:
                falls = abs(x) < magnitude
                if (
                    rises > 0
                    and falls
                    and corner + difference >= 2 * _CORNER * tolerance
                    and min(corner, difference) >= _LEAST_CORNER * tolerance
                ):
                    level = levels[channel, sign, 0]
                    if magnitude > level * _SAME_LEVEL:
                        counts[channel, sign, 2] += counts[channel, sign, 0]
                        counts[channel, sign, 0] = 0
                        counts[channel, sign, 1] = 0
                        levels[channel, sign, 0] = magnitude
                        places[channel, sign] = -1
                    if magnitude * _SAME_LEVEL < level:
                        counts[channel, sign, 2] += 1
                    else:
                        known = counts[channel, sign, 0]
                        if known < _PLACES:
                            places[channel, sign, known] = frame - int(length)
                        counts[channel, sign, 0] += 1
                        counts[channel, sign, 1] += int(length)
            if magnitude > levels[channel, sign, 1]:
                levels[channel, sign, 1] = magnitude
            if magnitude > _QUIETEST:
                sound += int(length)
            rises = np.float32(1.0) if abs(x) > magnitude else np.float32(0.0)
            corner = difference
            value, length = x, np.float32(1.0)
            tolerance = max(noise, np.float32(_FLAT) * abs(x))
            frame += 1
        runs[channel, 0], runs[channel, 1], runs[channel, 2] = value, length, corner
        runs[channel, 3], runs[channel, 4] = tolerance, rises
        sounding[channel] = sound
