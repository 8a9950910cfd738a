"""Tells whether audio is a metronome: short, equal ticks at one distance, and silence between."""

from collections.abc import Sequence

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
_LATEST_S = 0.02  # after the music begins
_THROUGH = 0.9  # of the music's length
_LOW_HZ, _HIGH_HZ = 400.0, 6000.0
_KICK, _HAT = 0.5, 0.8  # shares of power below, above


def is_metronome(source: AudioSource, others: Sequence[AudioSource] = ()) -> bool:
    """Tells whether all that sounds is a metronome.

    That is eight ticks or more, of 80 ms at most, at one distance of 0.29 … 2 s but for pauses, all
    equal but for one kind of accent, and nothing louder than −30 dB of them between. A drum machine
    plays such parts too: so neither kick nor hats are it, nor what begins later than the music or
    ends well before it, such as a snare on every other beat.

    Args:
        source: What may be one.
        others: The music that it would go with.

    Raises:
        InputError: The file behind a source changed or cannot be read.
    """
    levels = _measure_levels(source)
    return bool(
        _is_regular(levels) and _runs_through(levels, others) and not _is_kick_or_hat(source)
    )


def _runs_through(levels: NDArray[np.float32], others: Sequence[AudioSource]) -> bool:
    """Whether it begins with the others, or earlier, and sounds as long as they do."""
    spans = [span for other in others if len(span := _find_span(_measure_levels(other)))]
    if not spans:
        return True
    own = _find_span(levels)
    first, last = min(span[0] for span in spans), max(span[-1] for span in spans)
    return bool(own[0] <= first + _LATEST_S * _STEPS_PER_SECOND and own[-1] >= _THROUGH * last)


def _find_span(levels: NDArray[np.float32]) -> NDArray[np.int64]:
    """Where it is louder than −30 dB of its peak."""
    return np.flatnonzero(levels > _SILENT * levels.max(initial=0.0))


def _is_kick_or_hat(source: AudioSource) -> bool:
    low = high = total = 0.0
    for block in source.blocks():
        power = np.abs(np.fft.rfft(fold_block(block))) ** 2
        hz = np.fft.rfftfreq(block.shape[1], 1.0 / source.sample_rate)
        total += power.sum()
        low += power[hz < _LOW_HZ].sum()
        high += power[hz > _HIGH_HZ].sum()
    return low > _KICK * total or high > _HAT * total


def _is_regular(levels: NDArray[np.float32]) -> bool:
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
    ).mean() > _STEADY
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
