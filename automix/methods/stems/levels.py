"""Level and pan rules for stems: small functions of measured figures, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from automix.methods.stems.hearing import HeardTrack
from automix.methods.stems.settings import StemsRules
from automix.plan.roles import ROLE_TRAITS, Role

_MONO_SIDE_SHARE = 1e-3  # −30 dB: a stereo file with less in its sides holds a mono track


@dataclass(frozen=True, kw_only=True)
class LevelOffset:
    """Loudness of a track above equal loudness, by reason."""

    crest_lu: float
    lead_lu: float

    @property
    def sum_lu(self) -> float:
        """All of it."""
        return self.crest_lu + self.lead_lu


def median_crest_db(heard: Mapping[str, HeardTrack]) -> float:
    """The crest factor that the song's tracks are compared with."""
    return float(np.median([track.crest_db for track in heard.values()]))


def level_offsets(
    heard: Mapping[str, HeardTrack], roles: Mapping[str, Role], rules: StemsRules
) -> dict[str, LevelOffset]:
    """By track, what the rules add to equal loudness. None of the tracks is silent."""
    median_db = median_crest_db(heard)
    return {
        name: LevelOffset(
            crest_lu=crest_correction_lu(
                track.crest_db, median_db, rules.crest_slope, rules.level_limit_db
            ),
            lead_lu=rules.lead_vocal_lu if roles[name] == "lead vocal" else 0.0,
        )
        for name, track in heard.items()
    }


def choose_pans(
    heard: Mapping[str, HeardTrack], roles: Mapping[str, Role], rules: StemsRules
) -> dict[str, float]:
    """Pan positions of the mono tracks; a stereo track keeps its own."""
    mono = {name: track for name, track in heard.items() if track.side_share < _MONO_SIDE_SHARE}
    return pan_positions(
        {name: track.centroid_octaves for name, track in mono.items()},
        roles,
        {name: track.low_share for name, track in mono.items()},
        rules.width,
    )


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
