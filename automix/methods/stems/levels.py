"""Level and pan rules for stems: small functions of measured figures, each with its source."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from automix.methods.stems.hearing import EQUAL_LUFS, HeardTrack
from automix.methods.stems.settings import StemsRules
from automix.methods.stems.sources import KIT_ROOMS, find_families, find_sources, sum_lufs
from automix.plan.roles import ROLE_TRAITS, Role
from automix.units import db_to_power

_MONO_SIDE_SHARE = 1e-3  # −30 dB: a stereo file with less in its sides holds a mono track

KIT_TRIMS_LU: dict[Role, float] = {
    "hats": -4.0, "tom": -1.0, "cymbals": -4.0, "overheads": -2.0, "room": -6.0,
}  # fmt: skip
"""Loudness of the microphones of a drum kit against those of kick and snare: the kit is made of the
close ones, the others add air (common practice; the order is that of De Man & Reiss 2013)."""

KIT_ABOVE_ITS_LOUDEST_LU = 2.5
"""How much louder a whole kit is than its loudest microphone alone would be set. With it, kits come
about 3 LU under the sum of the other instruments, as drums do on average in MUSDB18."""

BACKING_BELOW_LEAD_LU = 1.0
"""Backing vocals together stay at least this far below the lead, and further below where they sing
along with it: until all voices together stand nearly where the lead does."""

_FAMILY_GROWTH = 0.5
_BACKING_TRACK_LU = 6.0
_MOST_FOR_BACKING_LU, _FURTHEST_BACKING_LU = 0.85, 9.0
_LEAD_STEPS = 40


@dataclass(frozen=True, kw_only=True)
class LevelOffset:
    """Loudness of a track above equal loudness, by reason."""

    crest_lu: float = 0.0
    kit_lu: float = 0.0
    source_lu: float = 0.0
    family_lu: float = 0.0
    vocal_lu: float = 0.0
    importance_lu: float = 0.0

    @property
    def sum_lu(self) -> float:
        """All of it."""
        return math.fsum(getattr(self, field.name) for field in fields(self))

    @property
    def reason(self) -> str:
        """The parts that matter, as words that follow each other."""
        words = {
            "crest_lu": "for its crest factor",
            "kit_lu": "as this microphone of the kit",
            "source_lu": "because several tracks are one source",
            "family_lu": "because its family has several parts",
            "vocal_lu": "to set the lead against the sum of all others, and other voices under it",
            "importance_lu": "as asked",
        }
        said = [
            f"{getattr(self, name):+.1f} LU {word}"
            for name, word in words.items()
            if abs(getattr(self, name)) >= 0.05
        ]
        return ", ".join(said) or "the same loudness as the others"


Offsets = Mapping[str, LevelOffset]


def median_crest_db(heard: Mapping[str, HeardTrack]) -> float:
    """The crest factor that the song's tracks are compared with."""
    return float(np.median([track.crest_db for track in heard.values()]))


def level_offsets(
    heard: Mapping[str, HeardTrack], roles: Mapping[str, Role], rules: StemsRules
) -> dict[str, LevelOffset]:
    """By track, what the rules add to equal loudness. None of the tracks is silent.

    A track alone is set by its crest factor. What is one source, such as the microphones of a kit,
    counts once: together it is as loud as its loudest part would be, and a kit a little louder. The
    sources of one family count half: what they gain together by their number, in LU, is halved. So
    the balance hardly depends on how finely a song is cut into tracks. The vocals are then set
    against all others.
    """
    median_db = median_crest_db(heard)
    found = {
        name: LevelOffset(
            crest_lu=crest_correction_lu(
                track.crest_db, median_db, rules.crest_slope, rules.level_limit_db
            )
        )
        for name, track in heard.items()
    }
    sources = find_sources(heard, roles)
    for names in sources:
        if len(names) > 1:
            is_kit = any(roles[name] in KIT_ROOMS for name in names)
            if is_kit:
                for name in names:
                    found[name] = replace(found[name], kit_lu=KIT_TRIMS_LU.get(roles[name], 0.0))
            less_lu = _growth_lu(heard, [[name] for name in names], found)
            more_lu = KIT_ABOVE_ITS_LOUDEST_LU if is_kit else 0.0
            for name in names:
                found[name] = replace(found[name], source_lu=more_lu - less_lu)
    for family, members in find_families(list(heard), roles).items():
        of_family = [names for names in sources if names[0] in members]
        if family == "vocal":
            of_family = [names for names in of_family if roles[names[0]] != "lead vocal"]
        if len(of_family) < 2:
            continue
        less_lu = (1.0 - _FAMILY_GROWTH) * _growth_lu(heard, of_family, found)
        for name in (name for names in of_family for name in names):
            found[name] = replace(found[name], family_lu=-less_lu)
    for name in heard:
        if roles[name] == "backing track":
            found[name] = replace(found[name], family_lu=_BACKING_TRACK_LU)
    found = _set_vocals(heard, roles, rules, found)
    for name, steps in rules.importances().items():
        if name in found:
            found[name] = replace(found[name], importance_lu=steps * rules.importance_lu)
    return found


def _growth_lu(
    heard: Mapping[str, HeardTrack], groups: Sequence[Sequence[str]], found: Offsets
) -> float:
    """How much louder groups of tracks are together than the loudest of the groups."""
    levels = {name: EQUAL_LUFS + found[name].sum_lu for names in groups for name in names}
    together = sum_lufs(heard, list(levels), levels)
    loudest = max(sum_lufs(heard, names, levels) for names in groups)
    growth = together - loudest
    return max(growth, 0.0) if math.isfinite(growth) else 0.0


def _set_vocals(
    heard: Mapping[str, HeardTrack], roles: Mapping[str, Role], rules: StemsRules, found: Offsets
) -> dict[str, LevelOffset]:
    """Sets the lead against the sum of all others, and the backing vocals under it.

    The lead's own crest factor does not count. Where there are backing vocals, the wanted distance
    is that of the lead to all others and that of all vocals to the instruments, on average: so it
    hardly matters whether backing vocals come with the lead or with the instruments. The lead gives
    way to them by at most 0.85 LU.
    """
    result = dict(found)
    leads = [name for name in heard if roles[name] == "lead vocal"]
    backing = [name for name in heard if roles[name] == "backing vocal"]
    instruments = [name for name in heard if name not in leads and name not in backing]
    if not leads or len(heard) == len(leads):
        return result
    for name in leads:
        result[name] = replace(result[name], crest_lu=0.0)
    levels = {name: EQUAL_LUFS + offset.sum_lu for name, offset in result.items()}

    def place_vocals(shift_lu: float, below_lu: float) -> dict[str, float]:
        """What is added to each vocal where the lead is shifted, the others so far under it."""
        lead_lu = sum_lufs(heard, leads, levels) + shift_lu
        above_lu = sum_lufs(heard, backing, levels) - lead_lu + below_lu
        less_lu = max(above_lu, 0.0) if math.isfinite(above_lu) else 0.0
        return {**dict.fromkeys(leads, shift_lu), **dict.fromkeys(backing, -less_lu)}

    def measure_distances(added: Mapping[str, float]) -> tuple[float, float]:
        """Loudness of the lead over all others, and of all voices over the instruments."""
        at = levels | {name: levels[name] + own_lu for name, own_lu in added.items()}
        lead_lu = sum_lufs(heard, leads, at) - sum_lufs(heard, [*backing, *instruments], at)
        vocals_lu = sum_lufs(heard, [*leads, *backing], at) - sum_lufs(heard, instruments, at)
        return lead_lu, vocals_lu

    def find_shift(below_lu: float) -> tuple[float, float]:
        """Where the lead stands as it is meant to, and how much all voices are above that."""
        shift_lu = vocals_lu = 0.0
        for _ in range(_LEAD_STEPS if instruments else 0):
            lead_lu, vocals_lu = measure_distances(place_vocals(shift_lu, below_lu))
            gives_way = float(np.clip((vocals_lu - lead_lu) / 2, 0.0, _MOST_FOR_BACKING_LU))
            missing_lu = rules.lead_above_rest_lu - lead_lu - (gives_way if backing else 0.0)
            if not math.isfinite(missing_lu) or abs(missing_lu) < 1e-4:
                break
            shift_lu += missing_lu
        return shift_lu, vocals_lu - rules.lead_above_rest_lu

    below_lu = BACKING_BELOW_LEAD_LU
    shift_lu, excess_lu = find_shift(below_lu)
    while backing and excess_lu > _MOST_FOR_BACKING_LU and below_lu < _FURTHEST_BACKING_LU:
        below_lu += 0.5
        shift_lu, excess_lu = find_shift(below_lu)
    for name, own_lu in place_vocals(shift_lu, below_lu).items():
        result[name] = replace(result[name], vocal_lu=own_lu)
    return result


def choose_pans(
    heard: Mapping[str, HeardTrack], roles: Mapping[str, Role], rules: StemsRules
) -> dict[str, float]:
    """Pan positions of the mono tracks; a stereo track keeps its own.

    The pairs face each other so that neither side becomes louder than the other.
    """
    mono = {name: track for name, track in heard.items() if track.side_share < _MONO_SIDE_SHARE}
    positions = pan_positions(
        {name: track.centroid_octaves for name, track in mono.items()},
        roles,
        {name: track.low_share for name, track in mono.items()},
        rules.width,
    )
    powers = {
        name: float(track.energies.mean()) / db_to_power(track.lufs) for name, track in mono.items()
    }
    return balance_pairs(positions, powers)


def balance_pairs(positions: Mapping[str, float], powers: Mapping[str, float]) -> dict[str, float]:
    """Swaps the sides of mirrored pairs, the most powerful first, so that both sides are as strong.

    Args:
        positions: Pan position by track; those of a pair mirror each other.
        powers: Power of each track over the whole song.
    """
    result = dict(positions)
    pairs: dict[float, list[str]] = {}
    for name in sorted(positions):
        if positions[name] != 0.5:
            pairs.setdefault(round(abs(positions[name] - 0.5), 9), []).append(name)
    lean = 0.0  # above 0: the right side is stronger
    for distance, names in sorted(
        pairs.items(), key=lambda pair: -pair[0] * sum(powers[name] for name in pair[1])
    ):
        tilt = distance * sum(math.copysign(powers[name], positions[name] - 0.5) for name in names)
        if abs(lean - tilt) < abs(lean + tilt):
            tilt = -tilt
            for name in names:
                result[name] = 1.0 - positions[name]
        lean += tilt
    return result


def crest_correction_lu(
    crest_db: float, median_crest_db: float, slope: float, limit: float
) -> float:
    """Level of a track against equal loudness, from how peaky it is.

    At equal loudness, percussive tracks stand out: loudness is averaged over the parts that pass
    the meter's gate, while a hit is heard, and uses headroom, by its peak. Human mixes lie between
    equal loudness and equal peaks; the slope says where. (Equal loudness: Perez Gonzalez & Reiss
    2009. That it is not what engineers do: Pestana & Reiss 2014. The slope was chosen on four CC0
    songs, so figures on those are not held out.)

    Args:
        crest_db: Peak over RMS of the track's active parts.
        median_crest_db: Of the song's tracks.
        slope: dB per dB.
        limit: Largest |correction| in LU.
    """
    return float(np.clip(slope * (median_crest_db - crest_db), -limit, limit))


def pan_positions(
    centroids: Mapping[str, float],
    roles: Mapping[str, Role],
    low_shares: Mapping[str, float],
    width: float,
) -> dict[str, float]:
    """Pan positions that spread spectrally alike tracks apart.

    Low-frequency sources and lead roles stay in the center. The others are taken in pairs of
    neighbors in frequency, doubles above all, and each pair is mirrored, further out the higher it
    lies (Perez Gonzalez & Reiss 2007; Pestana & Reiss 2014).

    Args:
        centroids: Spectral centroid in octaves by track; only tracks that may be moved.
        roles: Role of each track, by name.
        low_shares: Share of the power below 180 Hz by track.
        width: 0…1, how far the outermost stand from the center.

    Returns:
        0 left … 1 right by track.
    """
    movable = sorted(
        (name for name in centroids if not _stays(roles[name], low_shares[name])),
        key=lambda name: (centroids[name], name),
    )
    positions = dict.fromkeys(centroids, 0.5)
    movable = movable[len(movable) % 2 :]  # an odd one out would pull the mix to its side
    if not movable:
        return positions
    lowest, highest = centroids[movable[0]], centroids[movable[-1]]
    for pair, (first, second) in enumerate(zip(movable[::2], movable[1::2], strict=True)):
        middle = (centroids[first] + centroids[second]) / 2
        height = (middle - lowest) / max(highest - lowest, 1e-9)
        distance = 0.5 * width * (0.4 + 0.6 * height)
        left, right = (first, second) if pair % 2 == 0 else (second, first)
        positions[left], positions[right] = 0.5 - distance, 0.5 + distance
    return positions


def _stays(role: Role, low_share: float) -> bool:
    return ROLE_TRAITS[role].centered or low_share > 0.5
