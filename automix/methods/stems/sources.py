"""Which tracks belong together: microphones of one source, doubles, and families of instruments.

How finely a song is cut into tracks is a matter of recording, not of music: twelve microphones of a
drum kit are one instrument. What is one source is heard rather than read from names, since the
microphones of a source rise and fall together in every band.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from automix.analysis.loudness import integrated_lufs
from automix.methods.stems.hearing import HeardTrack
from automix.plan.roles import ROLE_FAMILIES, Family, Role
from automix.units import db_to_power

ONE_SOURCE = 0.85
"""Likeness from which two tracks of a family are one source.

Microphones of one drum and played doubles reach 0.93 and more in synthetic songs, different parts
of one family 0.8 at most there, and 0.3 in the recorded songs that the rules were made with.
"""

_RANGE_DB = 40.0  # what lies further below a track's strongest band tells nothing
_LEAST_STEPS = 10
KIT_ROOMS = frozenset[Role]({"overheads", "room"})
"""Roles of microphones that hear a whole drum kit."""

_LEAST_KIT = 3


def find_sources(heard: Mapping[str, HeardTrack], roles: Mapping[str, Role]) -> list[list[str]]:
    """Groups tracks that are one source.

    Tracks of a family that sound at the same times in the same bands are one; so are all drums of
    a kit that was recorded with overheads or room microphones, which hear every piece of it.

    Args:
        heard: Measurements of the tracks; none is silent.
        roles: Role of each track.

    Returns:
        The names of each group, in the order of the tracks; most groups have one.
    """
    group = {name: name for name in heard}

    def join(first: str, second: str) -> None:
        kept, lost = sorted((group[first], group[second]))
        for name, of in group.items():
            if of == lost:
                group[name] = kept

    kit = [name for name in heard if ROLE_FAMILIES[roles[name]] == "drums"]
    kit = [name for name in kit if roles[name] != "percussion"]
    if len(kit) >= _LEAST_KIT and any(roles[name] in KIT_ROOMS for name in kit):
        for name in kit[1:]:
            join(kit[0], name)
    for first, second in combinations(heard, 2):
        if ROLE_FAMILIES[roles[first]] != ROLE_FAMILIES[roles[second]]:
            continue
        if (roles[first] == "lead vocal") != (roles[second] == "lead vocal"):
            continue
        if (
            group[first] != group[second]
            and measure_likeness(heard[first], heard[second]) >= ONE_SOURCE
        ):
            join(first, second)
    sources: dict[str, list[str]] = {}
    for name in heard:
        sources.setdefault(group[name], []).append(name)
    return list(sources.values())


def find_families(names: Sequence[str], roles: Mapping[str, Role]) -> dict[Family, list[str]]:
    """Groups tracks by family of instruments, in their order."""
    families: dict[Family, list[str]] = {}
    for name in names:
        families.setdefault(ROLE_FAMILIES[roles[name]], []).append(name)
    return families


def measure_likeness(first: HeardTrack, second: HeardTrack) -> float:
    """Correlation −1…1 of the band levels of two tracks over time, while either of them sounds.

    Bands count by how strong they are in both. Levels are in dB, so that it does not matter how
    loud the tracks are.
    """
    steps = min(len(first.active_steps), len(second.active_steps))
    active = first.active_steps[:steps] | second.active_steps[:steps]
    if np.count_nonzero(active) < _LEAST_STEPS:
        return 0.0
    levels, strengths = [], []
    for track in (first, second):
        powers = track.bands[:steps][active]
        strongest = float(powers.mean(axis=0).max())
        if strongest == 0.0:  # it sounds outside of all bands
            return 0.0
        levels.append(10.0 * np.log10(powers / strongest + db_to_power(-_RANGE_DB)))
        strengths.append(levels[-1].mean(axis=0))
    weights = 10.0 ** ((strengths[0] + strengths[1]) / 40.0)
    one, other = (level - level.mean(axis=0) for level in levels)
    variances = float(weights @ (one**2).mean(axis=0)), float(weights @ (other**2).mean(axis=0))
    scale = np.sqrt(variances[0] * variances[1])
    return float(weights @ (one * other).mean(axis=0) / scale) if scale > 0.0 else 0.0


def sum_lufs(
    heard: Mapping[str, HeardTrack], names: Sequence[str], loudness_lufs: Mapping[str, float]
) -> float:
    """Integrated loudness of the sum of tracks that have nothing in common.

    Args:
        heard: Measurements of the tracks.
        names: Names of those that are summed; −inf for none.
        loudness_lufs: The loudness to which each of them is brought.
    """
    total = np.zeros(max((len(heard[name].energies) for name in names), default=0))
    for name in names:
        energies = heard[name].energies
        total[: len(energies)] += energies * db_to_power(loudness_lufs[name] - heard[name].lufs)
    return integrated_lufs(total)
