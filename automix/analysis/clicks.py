"""Tells whether audio is a metronome: short, equal ticks at one distance, and silence between."""

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import fold_block
from automix.audio.samples import AudioSource
from automix.units import db_to_gain

_STEPS_PER_SECOND = 1000
_FEWEST_TICKS = 8
_SHORTEST_S, _LONGEST_S = 0.29, 2.0  # between ticks: 207 … 30 BPM
_TICK_S = 0.08
_SILENT = db_to_gain(-30.0)
_HEARD = db_to_gain(-15.0)  # also those between the accents
_EQUAL_DB = 1.0
_JITTER_STEPS = 3
_ACCENTS = 2
_STEADY = 0.9  # of the ticks follow the one before without a pause


def is_metronome(source: AudioSource) -> bool:
    """Tells whether all that sounds is a metronome.

    That is eight ticks or more, of 80 ms at most, at one distance of 0.29 … 2 s but for pauses, all
    equal but for one kind of accent, and nothing louder than −30 dB of them between.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    levels = _measure_levels(source)
    peak = float(levels.max(initial=0.0))
    if peak == 0.0:
        return False
    levels = levels / peak
    tick = round(_TICK_S * _STEPS_PER_SECOND)
    loud = np.flatnonzero(levels > _SILENT)
    starts = loud[np.diff(loud, prepend=-2 * tick) > tick // 2]
    if len(starts) < _FEWEST_TICKS:
        return False
    ends = np.append(loud[np.flatnonzero(np.diff(loud) > tick // 2)], loud[-1])
    heights = np.array([levels[a : b + 1].max() for a, b in zip(starts, ends, strict=True)])
    if (ends - starts).max() > tick or heights.min() < _HEARD:
        return False
    distances = np.diff(starts)
    distance = float(np.median(distances))
    if not _SHORTEST_S <= distance / _STEPS_PER_SECOND <= _LONGEST_S:
        return False
    beats = np.round(distances / distance)
    jitter = np.abs(distances - beats * distance)
    is_regular = (jitter <= _JITTER_STEPS * np.maximum(beats, 1)).all() and (
        beats == 1
    ).mean() > 0.9
    return bool(is_regular) and _count_kinds(heights) <= _ACCENTS


def _measure_levels(source: AudioSource) -> NDArray[np.float32]:
    """The highest magnitude of the fold in each millisecond."""
    length = max(1, source.sample_rate // _STEPS_PER_SECOND)
    pieces = []
    rest = np.zeros(0, np.float32)
    for block in source.blocks():
        fold = np.concatenate([rest, np.abs(fold_block(block))])
        steps = len(fold) // length
        pieces.append(fold[: steps * length].reshape(steps, length).max(axis=1))
        rest = fold[steps * length :]
    return np.concatenate(pieces) if pieces else rest


def _count_kinds(heights: NDArray[np.float32]) -> int:
    """How many levels there are, ticks within 1 dB of each other being of one."""
    ordered = np.sort(20.0 * np.log10(heights))
    return 1 + int((np.diff(ordered) > _EQUAL_DB).sum())
