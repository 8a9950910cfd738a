"""Finds clicks and dropouts: single broken places of a recording, with their times.

A click is one step or a few samples that do not belong to the sound. It stands alone in the third
difference of the samples, which is next to nothing for sound that was sampled and is large for a
step; and the slope is that of a step as well, where a string that is plucked has only a corner.
What music begins or ends with is none: the level is the same before and after a click. A dropout is
a hole of digital silence with hard edges within sound.

The limits of clicks were set on the stems of two finished songs and on three synthetic songs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.conditions import stand_at_one_distance
from automix.audio.samples import Samples
from automix.dsp.compiled import kernel
from automix.units import db_to_gain, gain_to_db

_CELL_S = 0.001
_AROUND = 60  # cells to each side: pulses of a tone come sooner than that
_AROUND_GAIN = np.float32(db_to_gain(12.0))
_STEP_GAIN = db_to_gain(12.0)
_BOTH_GAIN = db_to_gain(38.0)  # of the two together
_CORE, _BESIDE = 3, 13  # samples: the step, and the slopes on both sides of it
_EDGE_S = 0.01  # before and after, whose levels are compared
_NEAR_S = 0.001
_CHANGE = db_to_gain(10.0)
_UNDER_CLICK = 0.03  # what is so far below a click counts as silence
_IMPULSE = 3.0  # the largest third difference of one sample of 1
_QUIETEST = db_to_gain(-60.0)
_BELOW_PEAK = db_to_gain(-46.0)
_FEWEST_ON_GRID = 6
_MOST_PARTS = 8  # of the shortest distance
_SHORTEST_BEAT_S = 0.05
_OFF_BEAT_S = 0.0015
_MOST = 2000  # clicks that are remembered
_SHORTEST_HOLE_S = 0.0013  # the smallest buffers of audio interfaces
_LONGEST_HOLE_S = 0.5
_HOLE = 1.6e-5  # half a step of 16 bits
_AUDIBLE = np.float32(1e-3)
_SOUND = db_to_gain(-55.0)
_HARD = db_to_gain(-12.0)  # the last millisecond against the last ten: a fade is softer
_DECAY = np.float32(0.97)  # per sample: what was heard within a millisecond before a hole


@dataclass(frozen=True, kw_only=True)
class Click:
    """A place where the signal jumps.

    Attributes:
        time_s: Where it is.
        level: Height of a single sample that would be heard as much; full scale is 1.
        above_db: How far it stands above everything within 60 ms, in the third difference.
    """

    time_s: float
    level: float
    above_db: float


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """A hole within sound.

    Attributes:
        time_s: Where it begins.
        duration_s: How long it is.
    """

    time_s: float
    duration_s: float


class DiscontinuityScan:
    """Finds clicks and dropouts in audio that arrives in blocks of any size.

    Args:
        sample_rate: Frames per second.
        channels: Number of channels.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._cell = max(4, round(_CELL_S * sample_rate))
        self._edge = round(_EDGE_S * sample_rate)
        self._near = max(1, round(_NEAR_S * sample_rate))
        self._longest = round(_LONGEST_HOLE_S * sample_rate)
        self._window = np.zeros((channels, _AROUND * self._cell), np.float32)
        self._start = -_AROUND * self._cell  # frame of the first sample of the window
        self._heights = np.zeros((channels, _AROUND), np.float32)  # of cells from there on
        self._places = np.zeros((channels, _AROUND), np.int64)
        self._judged = 0  # cells of the window
        self._frames = 0
        self._peak = 0.0
        self._zeros = np.zeros(channels, np.int64)
        self._recent = np.zeros(channels, np.float32)
        self._holes: list[tuple[int, int, int]] = []
        self._clicks: list[tuple[int, float, float]] = []
        self._dropouts: list[tuple[int, int]] = []
        self._count = 0

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``."""
        if not block.shape[1]:
            return
        self._peak = max(self._peak, float(block.max()), -float(block.min()))
        self._find_holes(block)
        self._frames += block.shape[1]
        self._take(np.asarray(block, np.float32))

    def _take(self, block: Samples) -> None:
        self._window = np.concatenate([self._window, block], axis=1)
        known, cells = self._heights.shape[1], self._window.shape[1] // self._cell
        if cells > known:
            first = max(known * self._cell - 3, 0)
            heights, places = _measure_heights(
                np.ascontiguousarray(self._window[:, first : cells * self._cell]),
                known * self._cell - first,
                self._cell,
            )
            self._heights = np.concatenate([self._heights, heights], axis=1)
            self._places = np.concatenate([self._places, places + known * self._cell], axis=1)
        self._judge_cells()
        self._judge_holes()
        keep = max(0, self._judged - _AROUND)
        behind = self._frames - self._longest - 2 * self._edge - self._start
        keep = max(0, min(keep, behind // self._cell))
        if keep:
            self._window = self._window[:, keep * self._cell :]
            self._heights, self._places = self._heights[:, keep:], self._places[:, keep:]
            self._places = self._places - keep * self._cell
            self._start += keep * self._cell
            self._judged -= keep

    def _judge_cells(self) -> None:
        """Finds the clicks in all cells that have enough of them to both sides."""
        first, last = max(self._judged, _AROUND), self._heights.shape[1] - _AROUND
        if last <= first:
            return
        self._judged = last
        for channel, heights in enumerate(self._heights):
            least = np.float32(_IMPULSE * max(_QUIETEST, _BELOW_PEAK * self._peak))
            loud = np.flatnonzero(heights[first:last] > least) + first
            for cell in _stand_alone(heights, loud):
                self._judge_click(channel, int(cell))

    def _judge_click(self, channel: int, cell: int) -> None:
        heights = self._heights[channel]
        height, place = float(heights[cell]), int(self._places[channel, cell])
        frame = self._start + place
        if not self._edge // 2 < frame < self._frames - self._edge // 2:
            return
        samples = self._window[channel]
        before = measure_rms(samples[max(place - self._edge, 0) : place - self._near])
        after = measure_rms(samples[place + self._near : place + self._edge])
        level = height / _IMPULSE
        softer, louder = sorted((before, after))
        if louder > _UNDER_CLICK * level and louder > _CHANGE * softer:
            return
        others = max(
            float(heights[cell - _AROUND : cell - 1].max()),
            float(heights[cell + 2 : cell + _AROUND + 1].max()),
        )
        above, steepness = height / max(others, 1e-6), self._steepness(samples, place)
        if steepness < _STEP_GAIN or above * steepness < _BOTH_GAIN:
            return
        self._count += 1
        if len(self._clicks) < _MOST:
            self._clicks.append((frame, level, gain_to_db(above)))

    def _steepness(self, samples: NDArray[np.float32], place: int) -> float:
        """The largest step at a click over those just beside it."""
        slopes = np.abs(np.diff(samples[max(place - _BESIDE, 0) : place + _BESIDE + 1]))
        middle = min(place, _BESIDE)
        core = slopes[max(middle - _CORE, 0) : middle + _CORE]
        beside = max(
            float(slopes[: max(middle - _CORE, 0)].max(initial=0.0)),
            float(slopes[middle + _CORE :].max(initial=0.0)),
        )
        return float(core.max(initial=0.0)) / max(beside, 1e-7)

    def _find_holes(self, block: Samples) -> None:
        samples = np.require(block, np.float32, ["C", "W"])
        shortest = max(2, round(_SHORTEST_HOLE_S * self._rate))
        most = len(samples) * (samples.shape[1] // (shortest + 1) + 1)
        found = np.empty((most, 3), np.int64)
        lengths = (shortest, self._longest)
        count = _find_zeros(samples, self._frames, lengths, self._zeros, self._recent, found)
        self._holes += [tuple(map(int, hole)) for hole in found[:count]]  # type: ignore[misc]

    def _judge_holes(self) -> None:
        """Tells dropouts from rests, for the holes that have enough sound behind them."""
        waiting = []
        for channel, begin, end in self._holes:
            if end + self._edge > self._frames:
                waiting.append((channel, begin, end))
                continue
            samples = self._window[channel]
            start, stop = begin - self._start, end - self._start
            before = samples[max(start - self._edge, 0) : start]
            after = samples[stop : stop + self._edge]
            if self._is_cut(before[::-1]) and self._is_cut(after):
                self._dropouts.append((begin, end))
        self._holes = waiting

    def _is_cut(self, from_edge: NDArray[np.float32]) -> bool:
        """Whether sound is as loud, or moves as fast, at the edge of a hole as further away."""
        if measure_rms(from_edge) <= _SOUND:
            return False
        slopes = np.diff(from_edge)  # where the sound crosses zero, it moves
        return any(
            measure_rms(x[: self._near]) > _HARD * measure_rms(x) for x in (from_edge, slopes)
        )

    def result(self) -> tuple[list[Click], list[Dropout]]:
        """Returns the clicks and the dropouts of all audio; nothing may be added after that.

        Pulses of a synthesizer, ticks of a drum machine and chopped notes, at one distance or
        multiples of it, are none.
        """
        tail = _AROUND * self._cell + self._cell
        self._take(np.zeros((len(self._window), tail), np.float32))
        holes = _merge(self._dropouts, self._edge)
        edges = np.array([frame for hole in holes for frame in hole])
        clicks: dict[int, tuple[int, float, float]] = {}
        for frame, level, above_db in sorted(self._clicks):
            if level < max(_QUIETEST, _BELOW_PEAK * self._peak):
                continue
            if len(edges) and np.abs(edges - frame).min() <= 2 * self._near:
                continue
            last = max(clicks, default=None)
            if last is not None and frame - last <= self._near:  # the other channel, or its end
                continue
            clicks[frame] = (frame, level, above_db)
        if _are_played(list(clicks), self._rate):
            clicks = {}
        if _are_played([begin for begin, _ in holes], self._rate):
            holes = []
        return (
            [Click(time_s=f / self._rate, level=v, above_db=a) for f, v, a in clicks.values()],
            [
                Dropout(time_s=begin / self._rate, duration_s=(end - begin) / self._rate)
                for begin, end in holes
            ],
        )


def _are_played(places: Sequence[int], rate: int) -> bool:
    """Whether places stand at one distance, or many of them on the beats of a bar."""
    if stand_at_one_distance(places, rate):
        return True
    distances = np.diff(np.unique(places))
    if len(distances) + 1 < _FEWEST_ON_GRID:
        return False
    for parts in range(2, _MOST_PARTS + 1):
        period = distances.min() / parts
        apart = np.abs(distances - np.round(distances / period) * period)
        if period >= _SHORTEST_BEAT_S * rate and apart.max() <= _OFF_BEAT_S * rate:
            return True
    return False


def _merge(holes: Sequence[tuple[int, int]], distance: int) -> list[tuple[int, int]]:
    """Makes one of the holes that several channels have at one time."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(holes):
        if merged and begin <= merged[-1][0] + distance:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _stand_alone(heights: NDArray[np.float32], cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of some cells that are far above all within reach but their two neighbors."""
    for step in range(2, _AROUND + 1):
        least = _AROUND_GAIN * np.maximum(heights[cells - step], heights[cells + step])
        cells = cells[heights[cells] > least]
        if not len(cells):
            break
    return cells


def measure_rms(samples: NDArray[np.float32]) -> float:
    """The RMS of samples of any shape; 0 for none."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


@kernel
def _measure_heights(
    samples: NDArray[np.float32], first: int, cell: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Finds the largest third difference of each cell of samples ``(channels, n)``, and its place.

    The first cell begins at ``first``; places count from there.
    """
    channels, cells = samples.shape[0], (samples.shape[1] - first) // cell
    heights = np.zeros((channels, cells), np.float32)
    places = np.zeros((channels, cells), np.int64)
    for channel in range(channels):
        row = samples[channel]
        for number in range(cells):
            begin = first + number * cell
            height, place = np.float32(-1.0), begin
            for n in range(max(begin, 3), begin + cell):
                change = abs((row[n] - row[n - 3]) + np.float32(3.0) * (row[n - 2] - row[n - 1]))
                if change > height:
                    height, place = change, n
            heights[channel, number] = max(height, np.float32(0.0))
            places[channel, number] = place - first
    return heights, places


@kernel
def _find_zeros(
    samples: NDArray[np.float32],
    position: int,
    lengths: tuple[int, int],
    zeros: NDArray[np.int64],
    recent: NDArray[np.float32],
    found: NDArray[np.int64],
) -> int:
    """Finds the holes that end in a block of samples ``(channels, n)``, and begin after sound.

    ``lengths`` holds the shortest and the longest; ``zeros`` the length of the current run of each
    channel, ``recent`` the magnitude before it; ``found`` gets rows of channel, first frame, end.

    Returns:
        How many rows were written.
    """
    count = 0
    for channel in range(samples.shape[0]):
        length, before = zeros[channel], recent[channel]
        frame = position
        for x in samples[channel]:
            magnitude = abs(x)
            if magnitude <= _HOLE:
                length += 1
            else:
                if length:
                    is_hole = lengths[0] <= length <= lengths[1] and length < frame
                    if is_hole and before > _AUDIBLE and count < len(found):
                        found[count, 0] = channel
                        found[count, 1] = frame - length
                        found[count, 2] = frame
                        count += 1
                    if length >= lengths[0]:
                        before = np.float32(0.0)
                    length = 0
                before = max(magnitude, before * _DECAY)
            frame += 1
        zeros[channel], recent[channel] = length, before
    return count
