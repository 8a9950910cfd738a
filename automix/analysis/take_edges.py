"""Tells whether a recording begins or ends in the middle of the sound."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.discontinuities import measure_rms
from automix.audio.samples import Samples
from automix.units import db_to_gain, gain_to_db

_EDGE_S = 0.01
_LONG_S = 0.15
_STEP = 0.1  # of the RMS of the edge: the samples at the cut are as large as any
_STEP_S = 0.001
_HIGH = 0.5  # of the peak of the edge: no sound that begins comes there with its first sample
_HARD = db_to_gain(-12.0)  # of the first millisecond: what is softer is a fade
_FALL_DB = 6.0  # within 0.15 s, by which a hit falls


@dataclass(frozen=True, kw_only=True)
class Edges:
    """Levels at the ends of a recording that were cut.

    Attributes:
        start_db: RMS level of the first 10 ms where the recording begins within sound that goes on;
            −inf where it begins with silence, or with the beginning of a sound.
        end_db: RMS level of the last 10 ms where they end at a hard edge; −inf where they do not.
    """

    start_db: float
    end_db: float


class EdgeScan:
    """Keeps the ends of audio that arrives in blocks of any size.

    Args:
        sample_rate: Frames per second.
        channels: Number of channels.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._edge = max(2, round(_EDGE_S * sample_rate))
        self._long = max(4, round(_LONG_S * sample_rate))
        self._step = max(2, round(_STEP_S * sample_rate))
        self._head = np.zeros((channels, 0), np.float32)
        self._tail = np.zeros((channels, 0), np.float32)
        self._sums = np.zeros((channels, 1))
        self._frames = 0

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``."""
        if self._head.shape[1] < self._long:
            self._head = np.concatenate([self._head, block], axis=1)[:, : self._long]
        last = block[:, -self._long :]
        self._tail = np.concatenate([self._tail, last], axis=1)[:, -self._long :]
        self._sums += block.sum(axis=1, dtype=np.float64, keepdims=True)
        self._frames += block.shape[1]

    def result(self) -> Edges:
        """Returns how all audio that was added so far begins and ends, on its louder side.

        A note or a hit that begins with the first sample is no cut: it falls in level from there
        on, where sound that goes on stays.
        """
        if self._tail.shape[1] < self._long:  # too short to tell
            return Edges(start_db=-math.inf, end_db=-math.inf)
        offsets = (self._sums / self._frames).astype(np.float32)
        heads, tails = self._head - offsets, (self._tail - offsets)[:, ::-1]
        return Edges(
            start_db=max(self._measure_start(head) for head in heads),
            end_db=max(self._measure(tail) for tail in tails),
        )

    def _measure_start(self, head: NDArray[np.float32]) -> float:
        level_db = self._measure(head)
        later_db = gain_to_db(measure_rms(head[self._long // 2 :]))
        begins_high = np.abs(head[0]) >= _HIGH * np.abs(head[: self._edge]).max()
        return level_db if begins_high or level_db - later_db <= _FALL_DB else -math.inf

    def _measure(self, from_edge: NDArray[np.float32]) -> float:
        """The level of the edge that audio begins with, as seen from there; −inf if it is soft."""
        level = measure_rms(from_edge[: self._edge])
        is_constant = np.ptp(from_edge[: self._edge]) < _STEP * level
        if level == 0.0 or is_constant or np.abs(from_edge[0]) < _STEP * level:
            return -math.inf
        if measure_rms(from_edge[: self._step]) < _HARD * level:
            return -math.inf
        return gain_to_db(level)
