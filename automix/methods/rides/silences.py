"""Mutes: what is silence with noise is faded out, as an engineer mutes a microphone in its rests.

Noise is what lies far below the part that a track plays and does not change of itself: hiss, hum
and rooms are steady, and what leaks in rises and falls with the other tracks. Tails, soft entries
and breaths do neither, and are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import OFFSET_LUFS, Energies, integrated_lufs
from automix.methods.rides.hearing import FINE_HOPS_PER_SECOND, to_meter_hops
from automix.methods.rides.lines import GainLine, make_line
from automix.methods.rides.windows import count_hops, find_runs, mean_around
from automix.plan.rides import RIDE_RANGE
from automix.plan.roles import Role

SHORTEST_SILENCE_S = 2.0
"""Shorter rests are left alone."""

BELOW_LU, WELL_BELOW_LU = 18.0, 30.0
"""How far below its track noise lies: from the first on if it is the least that the track ever
holds, from the second on in any case."""

INAUDIBLE_LU = -55.0
"""Noise further below the mix needs no fade: digital silence, dither, and what comes close."""

FADE_OUT_S, FADE_IN_S = 0.2, 0.1
OPENS_BEFORE_S = 0.05
"""From the end of the fade in to the onset, which is found 40 ms early besides."""

MUTED_ROLES = frozenset[Role]({
    "lead vocal", "backing vocal", "tom", "bass", "electric guitar", "acoustic guitar", "guitar",
    "brass", "woodwind",
})  # fmt: skip
"""Roles of which the rests are rests. Microphones that hear a room or a kit, ambiences, strings,
which play softly by intention, and samplers, whose tails are long, are not among them."""

_DIGITAL_LUFS = -100.0  # what was cut out of a recording holds no noise, and parts its rests
_SMOOTHED_S = 0.1
_MARGIN_DB = 6.0  # what is within this of the floor is noise
_ENDED_DB = 2.0  # a tail has ended where it is this near to the floor
_LONGEST_TAIL_S = 1.0
_DRIFT_DB = 2.0  # what rises or falls by more over a rest is a tail or a swell
_LEAK_CORRELATION = 0.4
"""Of the changes of level over 0.2 s with those of the other tracks: 0.54 and more in bleed of
three songs through a high pass, 0.23 at most in the soft passages of the stems of four."""

_LEAK_PERCENTILE = 90


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A rest in which a track holds noise alone.

    Attributes:
        start_s: When the tail of what was played before has ended; 0 at the start of the song.
        end_s: Onset of what is played next, or the end of the song.
        noise_lufs: Loudness of the noise.
    """

    start_s: float
    end_s: float
    noise_lufs: float


def find_silences(energies: Energies, others: Energies, mix_lufs: float) -> list[Silence]:
    """Finds the rests of a track that hold noise.

    Args:
        energies: Of the track as it stands in the mix, per 20 ms ``(hops,)``.
        others: Of all other tracks ``(hops,)``: what leaks in comes from there.
        mix_lufs: Loudness of the mix.
    """
    program_lufs = integrated_lufs(to_meter_hops(energies))
    levels = _smooth(energies)
    recorded = levels > _DIGITAL_LUFS
    low = recorded & (levels < program_lufs - BELOW_LU + _MARGIN_DB)
    shortest = count_hops(SHORTEST_SILENCE_S)
    rests = [(start, stop) for start, stop in find_runs(low) if stop - start >= shortest]
    if not rests:
        return []
    least = float(np.percentile(levels[recorded], 1))
    leaking = _expect_leaks(levels, _smooth(others), rests)
    found = []
    for start, stop in rests:
        floor = np.maximum(np.percentile(levels[start:stop], 25), leaking[start:stop])
        for first, last in find_runs(levels[start:stop] < floor + _MARGIN_DB):
            if start + first > 0:
                first = _skip_tail(levels[start:stop], floor, first, last)
            if start + last < len(levels):
                last = _skip_rise(levels[start:stop], floor, first, last)
            part = slice(start + first, start + last)
            if last - first < shortest or not _is_steady(levels[part], leaking[part]):
                continue
            noise_lufs = float(np.median(levels[part]))
            if noise_lufs < mix_lufs + INAUDIBLE_LU:
                continue
            below_lu = program_lufs - noise_lufs
            is_least = noise_lufs < least + _MARGIN_DB
            if below_lu > WELL_BELOW_LU or (is_least and below_lu > BELOW_LU):
                found.append(
                    Silence(
                        start_s=part.start / FINE_HOPS_PER_SECOND,
                        end_s=part.stop / FINE_HOPS_PER_SECOND,
                        noise_lufs=noise_lufs,
                    )
                )
    return found


def draw_mutes(silences: Sequence[Silence], duration_s: float) -> GainLine:
    """The line that is at −60 dB in silences and at 0 dB everywhere else.

    It begins to fall when a silence begins, and is up again 50 ms before it ends.

    Args:
        silences: Of one track, in their order; at least one.
        duration_s: Length of the song.
    """
    points: list[tuple[float, float]] = []
    lowest_db = RIDE_RANGE.low
    for silence in silences:
        if silence.start_s <= 0.0:
            points.append((0.0, lowest_db))
        else:
            points += [(silence.start_s, 0.0), (silence.start_s + FADE_OUT_S, lowest_db)]
        if silence.end_s >= duration_s:
            continue
        open_s = silence.end_s - OPENS_BEFORE_S
        points += [(open_s - FADE_IN_S, lowest_db), (open_s, 0.0)]
    return make_line(points)


def _smooth(energies: Energies) -> NDArray[np.float64]:
    """Levels in LUFS over 100 ms."""
    smoothed = np.maximum(mean_around(energies, count_hops(_SMOOTHED_S)), 1e-14)
    levels: NDArray[np.float64] = OFFSET_LUFS + 10.0 * np.log10(smoothed)
    return levels


def _expect_leaks(
    levels: NDArray[np.float64], around: NDArray[np.float64], rests: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """The highest level of what leaks from other tracks into one, as its rests tell ``(hops,)``.

    Returns:
        −inf everywhere where the rests do not follow the others.
    """
    nothing = np.full(len(levels), -np.inf)
    resting = np.concatenate([np.arange(start, stop) for start, stop in rests])
    sounding = around[resting] > np.percentile(around[resting], 90) - 20.0
    if np.count_nonzero(sounding) < count_hops(SHORTEST_SILENCE_S):
        return nothing
    step = count_hops(2.0 * _SMOOTHED_S)
    own, other = (line[resting][step:] - line[resting][:-step] for line in (levels, around))
    if not own.any() or not other.any():
        return nothing
    if float(np.corrcoef(own, other)[0, 1]) < _LEAK_CORRELATION:
        return nothing
    below = levels[resting][sounding] - around[resting][sounding]
    return around + float(np.percentile(below, _LEAK_PERCENTILE))


def _skip_tail(
    levels: NDArray[np.float64], floor: NDArray[np.float64], first: int, last: int
) -> int:
    """The hop from which a tail is no louder than the noise."""
    for hop in range(first, min(last, first + count_hops(_LONGEST_TAIL_S))):
        if levels[hop] < floor[hop] + _ENDED_DB:
            return hop + count_hops(_SMOOTHED_S)
    return last


def _skip_rise(
    levels: NDArray[np.float64], floor: NDArray[np.float64], first: int, last: int
) -> int:
    """The hop from which what comes next is louder than the noise."""
    for hop in range(last - 1, max(first, last - count_hops(_LONGEST_TAIL_S)), -1):
        if levels[hop] < floor[hop] + _ENDED_DB:
            return hop
    return first


def _is_steady(levels: NDArray[np.float64], leaking: NDArray[np.float64]) -> bool:
    """Whether a rest neither rises nor falls, unless with what leaks in."""
    if np.isfinite(leaking).all():
        return True
    third = len(levels) // 3
    drift = float(np.median(levels[:third]) - np.median(levels[-third:]))
    return abs(drift) < _DRIFT_DB
