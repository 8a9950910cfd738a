"""Finds tracks that start late against all others, as a take without its leading silence does."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.fine_powers import FINE_S, measure_fine_powers
from automix.audio.samples import AudioSource

LEAST_S = 0.05
"""What is less is playing before or behind the beat."""

MOST_S = 30.0
"""What is more is not looked for: a song has verses."""

LEAST_LIKENESS = 0.4
"""Correlation of the onsets that a track must have with the others where it belongs.

Tracks of the demo song and of synthetic songs reach 0.4 to 0.8, those of the CC0 songs 0.1 to 0.4:
their parts come and go. Of those nothing is said.
"""

MOST_AS_IT_IS = 0.35
"""What is left of that where it is, over it."""

_FEWEST_TRACKS = 3  # of two, nobody knows which is late
_METRICAL = 0.4  # autocorrelation of the others at the lag or twice it: off-beats are meant
_HALF = 0.6  # of the likeness, that either half of the song must have
_EQUAL = 0.97  # of the likeness: of several such lags the shortest is taken
_RISE_DB = 12.0  # what rises by more is one onset too
_FLOOR = 1e-4  # power below the loud parts: −40 dB
_NEAR = round(LEAST_S / FINE_S)

Onsets = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LateFile:
    """A track that is played at another time than the others.

    Attributes:
        late_s: By how much it is late; negative for early. Where a song repeats itself, it may be
            some beats more or less.
        likeness: Correlation of its onsets with those of the others when it is moved, 0…1.
        as_it_is: The same as it is.
    """

    late_s: float
    likeness: float
    as_it_is: float


def find_late_files(
    sources: Mapping[str, AudioSource], powers: Mapping[str, NDArray[np.float64]] | None = None
) -> dict[str, LateFile]:
    """Finds tracks that are over 50 ms off against the sum of all others.

    Args:
        sources: Tracks of one rate and length, by name.
        powers: What `measure_fine_powers` gives for them, where that is known already.

    Returns:
        What was found, by name; nothing where the evidence is not clear: where a track has few
        onsets in common with the others, or goes with them as it is, or a beat or half of one off.

    Raises:
        InputError: The file behind a source changed or cannot be read.
    """
    if len(sources) < _FEWEST_TRACKS:
        return {}
    known = powers if powers is not None else measure_fine_powers(sources)
    onsets = {name: _find_onsets(known[name]) for name in sources}
    total = np.sum(list(onsets.values()), axis=0)
    found = {}
    for name, own in onsets.items():
        late = _compare(own, total - own) if own.any() else None
        if late is not None:
            found[name] = late
    return found if 2 * len(found) < len(sources) else {}


def _find_onsets(power: NDArray[np.float64]) -> Onsets:
    """How much a track rises over 20 ms, at each hundredth of a second; of power 1 in all."""
    if len(power) < 3:
        return np.zeros(len(power))
    smooth = np.convolve(power, np.ones(3), "same")
    loud = np.partition(smooth, -max(len(smooth) // 100, 1))[-max(len(smooth) // 100, 1)]
    if loud <= 0.0:
        return np.zeros(len(power))
    levels_db = 10.0 * np.log10(smooth / loud + _FLOOR)
    rises = np.zeros(len(power))
    rises[:-2] = np.clip(levels_db[2:] - levels_db[:-2], 0.0, _RISE_DB)
    norm = float(np.sqrt(rises @ rises))
    return rises / norm if norm > 0.0 else rises


def _compare(own: Onsets, others: Onsets) -> LateFile | None:
    reach = min(round(MOST_S / FINE_S), len(own) // 2)
    if reach <= _NEAR:
        return None
    whole = _correlate(own, others, reach)
    likeness = float(whole.max())
    as_it_is = float(whole[reach - _NEAR : reach + _NEAR + 1].max())
    if likeness < LEAST_LIKENESS or as_it_is > MOST_AS_IT_IS * likeness:
        return None
    lags = np.flatnonzero(whole >= _EQUAL * likeness) - reach
    lag = int(lags[np.argmin(np.abs(lags))])
    rhythm = _correlate(others, others, min(2 * reach, len(own) - 1))
    middle = len(rhythm) // 2
    for times in (1, 2):
        at = min(middle + times * abs(lag), len(rhythm) - 1)
        if rhythm[at - 2 : at + 3].max() > _METRICAL:
            return None
    half = len(own) // 2
    for part in (slice(None, half), slice(half, None)):
        there = _correlate(own[part], others[part], min(reach, half - 1))
        place = len(there) // 2 + lag
        if not 3 <= place < len(there) - 3:
            return None
        near = there[len(there) // 2 - _NEAR : len(there) // 2 + _NEAR + 1]
        if there[place - 2 : place + 3].max() < max(_HALF * likeness, near.max()):
            return None
    return LateFile(late_s=-lag * FINE_S, likeness=likeness, as_it_is=max(as_it_is, 0.0))


def _correlate(own: Onsets, others: Onsets, reach: int) -> Onsets:
    """Correlation −1…1 at lags from −reach to reach; at a lag above 0, ``own`` is moved later."""
    first, second = own - own.mean(), others - others.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    if scale <= 0.0:
        return np.zeros(2 * reach + 1)
    size = 1 << (len(own) + reach).bit_length()
    product = np.fft.irfft(np.fft.rfft(first, size).conj() * np.fft.rfft(second, size), size)
    return np.concatenate([product[-reach:], product[: reach + 1]]) / scale
