"""Phrases of a voice, from breath to breath, as its energies tell them."""

from dataclasses import dataclass

import numpy as np

from automix.analysis.loudness import Energies, energy_to_lufs, integrated_lufs
from automix.methods.rides.hearing import FINE_HOPS_PER_SECOND, to_meter_hops
from automix.methods.rides.windows import count_hops, find_runs, max_around, mean_around

_SMOOTHED_S = 0.06
_AROUND_S = 3.0
"""Time within which the loudest syllable says how loud the voice is here."""

_OPEN_DB = -15.0
"""Sounds from there on, against that syllable: consonants and ends of words lie above, breaths
below (10 and 17 dB below the vowels, in the voices that this was chosen with)."""

_CLOSE_DB = -24.0
"""A phrase ends where its last sound has died away to there."""

_SILENCE_LU = -36.0
"""Below the loudest second of a voice there is no phrase, whatever is around."""

_BREATH_S = 0.28
"""Rests from there on part phrases: stops of consonants are shorter, a breath takes longer."""

_SHORTEST_S = 0.8
"""A phrase that is shorter goes with its neighbor, unless that is a second away."""

_NEIGHBOR_S = 1.0
_CLICK_S = 0.1
_SHORTEST_ALONE_S = 0.3

_SUNG_LU = 15.0
"""What lies further below the voice as a whole is no phrase: noise and bleed in long rests."""


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """What is sung or spoken in one breath.

    Attributes:
        start_s: Onset of its first sound.
        end_s: When its last sound has died away.
        lufs: Loudness while it sounds.
    """

    start_s: float
    end_s: float
    lufs: float

    def hops(self) -> slice:
        """Its hops of 20 ms."""
        return slice(
            round(self.start_s * FINE_HOPS_PER_SECOND), round(self.end_s * FINE_HOPS_PER_SECOND)
        )


def find_phrases(energies: Energies) -> list[Phrase]:
    """Finds the phrases of a voice.

    A voice sounds where it is within 15 dB of its loudest syllable around, which follows soft
    passages as well as loud ones; it pauses for breath where it does not for 0.28 s and longer.
    Notes and words with shorter rests stay together.

    Args:
        energies: Of the dry voice ``(hops,)``, per 20 ms.
    """
    if len(energies) < FINE_HOPS_PER_SECOND // 2 or not energies.any():
        return []
    levels = 10.0 * np.log10(mean_around(energies, count_hops(_SMOOTHED_S)) + 1e-12)
    syllables = mean_around(energies, count_hops(0.2))
    around = 10.0 * np.log10(max_around(syllables, count_hops(_AROUND_S)) + 1e-12)
    seconds = mean_around(to_meter_hops(energies), 10)
    loudest = 10.0 * np.log10(float(seconds.max()) + 1e-12)
    audible = levels > loudest + _SILENCE_LU
    sounding = (levels > around + _OPEN_DB) & audible
    lasting = (levels > around + _CLOSE_DB) & audible
    runs = _join_short(_join_close(find_runs(sounding)))
    phrases = []
    for number, (start, stop) in enumerate(runs):
        if stop - start < count_hops(_SHORTEST_ALONE_S):
            continue
        limit = runs[number + 1][0] if number + 1 < len(runs) else len(energies)
        end = stop
        while end < limit and lasting[end]:
            end += 1
        heard = sounding[start:stop]
        phrases.append(
            Phrase(
                start_s=start / FINE_HOPS_PER_SECOND,
                end_s=end / FINE_HOPS_PER_SECOND,
                lufs=energy_to_lufs(float(energies[start:stop][heard].mean())),
            )
        )
    usual = integrated_lufs(to_meter_hops(energies))
    return [phrase for phrase in phrases if phrase.lufs > usual - _SUNG_LU]


def _join_close(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs without the rests that are shorter than a breath, and without clicks."""
    joined: list[tuple[int, int]] = []
    for start, stop in runs:
        if joined and start - joined[-1][1] < count_hops(_BREATH_S):
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return [run for run in joined if run[1] - run[0] >= count_hops(_CLICK_S)]


def _join_short(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs of which the short ones have gone with the nearer of their neighbors."""
    runs, number = list(runs), 0
    while number < len(runs):
        start, stop = runs[number]
        before = start - runs[number - 1][1] if number else count_hops(_NEIGHBOR_S)
        after = runs[number + 1][0] - stop if number + 1 < len(runs) else count_hops(_NEIGHBOR_S)
        if stop - start >= count_hops(_SHORTEST_S) or min(before, after) >= count_hops(_NEIGHBOR_S):
            number += 1
            continue
        first = number - 1 if before <= after else number
        runs[first : first + 2] = [(runs[first][0], runs[first + 1][1])]
        number = first
    return runs
