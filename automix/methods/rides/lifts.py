"""Lifts: what a section buries is raised a little in it.

An engineer pushes what a chorus covers (Owsinski, The Mixing Engineer's Handbook; De Man & Reiss
2013 list automation by section among common practice). That a rule which hears levels alone comes
nearer to what they do could not be shown, so it is cautious: it raises groups by less than half of
what covers them, 1 dB at most, never what merely plays softer there, and only in sections that come
back, as choruses do: what happens once is the arrangement's intention.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import Energies
from automix.methods.rides.lines import GainLine, make_line
from automix.methods.rides.sections import STEP_S, SongSection
from automix.plan.roles import Family

MOST_LIFT_DB = 1.0
LEAST_BURIED_DB = 1.5
"""A group that is covered by less than this more than usual is left alone."""

SHARE = 0.4
"""How much of what covers it a group is raised by."""

RAMP_S = 0.5
"""Time of a move, before the section begins."""

LIFTED = frozenset[Family]({"vocal", "guitar", "keys", "orchestra"})
"""Drums and bass carry the section, effects mark it: they are not raised."""

_ACTIVE_DB = 20.0


def find_lifts(
    sections: Sequence[SongSection], groups: Mapping[Family, Energies]
) -> dict[Family, dict[str, float]]:
    """By how many dB each group is raised, by the label of the section.

    A group is buried where it stands further below all others than usual because these are louder
    than usual, and not because it is softer itself.

    Args:
        sections: Of the song.
        groups: Energies of each group of tracks per 200 ms ``(steps,)``.
    """
    whole = np.sum(list(groups.values()), axis=0)
    lifts: dict[Family, dict[str, float]] = {}
    for family, own in groups.items():
        if family not in LIFTED or not own.any():
            continue
        playing = own > float(np.percentile(own[own > 0.0], 90)) * 10.0 ** (-_ACTIVE_DB / 10.0)
        found: dict[str, tuple[int, float, float]] = {}
        for label in sorted({section.label for section in sections}):
            steps = _select(sections, label, len(own)) & playing
            covering = float((whole - own)[steps].mean()) if steps.any() else 0.0
            if covering > 0.0 and np.count_nonzero(steps) * STEP_S >= _LEAST_S:
                level, cover = 10.0 * np.log10([own[steps].mean(), covering])
                found[label] = (int(np.count_nonzero(steps)), float(level), float(cover))
        if len(found) < 2:
            continue
        counts, levels, covers = (np.array(column) for column in zip(*found.values(), strict=True))
        usual = _usual(levels, counts)
        usual_cover = _usual(covers, counts)
        raised = {}
        for label, (_, level, cover) in found.items():
            if _count_returns(sections, label) < _FEWEST_RETURNS:
                continue
            louder = cover - usual_cover
            buried_db = min(louder, louder - (level - usual))
            if buried_db >= LEAST_BURIED_DB:
                raised[label] = min(SHARE * buried_db, MOST_LIFT_DB)
        if raised:
            lifts[family] = raised
    return lifts


_LEAST_S = 4.0
_USUAL_DB = 6.0


def _usual(levels: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The weighted mean of levels in dB, of which none counts as further than 6 dB from the middle.

    A section in which a group plays on its own is so no measure for the others.
    """
    order = np.argsort(levels)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2.0)
    median = levels[order][middle]
    near = np.clip(levels, median - _USUAL_DB, median + _USUAL_DB)
    return float(np.average(near, weights=weights))


_FEWEST_RETURNS = 2


def _count_returns(sections: Sequence[SongSection], label: str) -> int:
    """How often a label comes, with others in between."""
    return sum(name == label for name, _ in groupby(section.label for section in sections))


def draw_lifts(sections: Sequence[SongSection], raised: Mapping[str, float]) -> GainLine:
    """The line of a group: in each section as much as its label says, reached as it begins."""
    points: list[tuple[float, float]] = []
    before = raised.get(sections[0].label, 0.0)
    points.append((0.0, before))
    for section in sections[1:]:
        value = raised.get(section.label, 0.0)
        points += [(section.start_s - RAMP_S, before), (section.start_s, value)]
        before = value
    return make_line(points)


def _select(sections: Sequence[SongSection], label: str, steps: int) -> NDArray[np.bool_]:
    """Marks the steps of all sections of a label."""
    marked = np.zeros(steps, np.bool_)
    for section in sections:
        if section.label == label:
            marked[round(section.start_s / STEP_S) : round(section.end_s / STEP_S)] = True
    return marked
