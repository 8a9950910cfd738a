"""Filters by what a track holds and by whom it covers: small functions of measured figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.features import THIRD_OCTAVE_CENTERS_HZ
from automix.analysis.octave_bands import CENTERS_HZ
from automix.dsp.biquad import coefficients, frequency_response
from automix.plan.roles import ROLE_FAMILIES, Role
from automix.plan.settings import EqualizerSettings

ESSENTIAL_BANDS = 3
LARGEST_CUT_DB = 3.0
FILTERS_PER_TRACK = 2
SMALLEST_CUT_DB = 1.0
LOWEST_HZ = 20.0
"""Corner of a high pass that takes nothing away; less of one moves towards it."""


HIGH_PASS_HZ: dict[Role, float] = {
    "lead vocal": 80.0, "backing vocal": 110.0, "snare": 60.0, "hats": 200.0, "cymbals": 150.0,
    "overheads": 80.0, "percussion": 80.0, "electric guitar": 75.0, "acoustic guitar": 75.0,
    "guitar": 75.0, "keys": 40.0, "organ": 50.0, "strings": 60.0, "brass": 80.0,
    "woodwind": 100.0,
}  # fmt: skip
"""Lowest corners by role: what is below is rumble, not the instrument (De Man & Reiss 2013)."""


def high_pass_hz(role: Role, band_powers: NDArray[np.float64]) -> tuple[float, str] | None:
    """Corner of a high pass that takes away what lies below a track's own range, and why.

    An octave below the lowest band that is within 20 dB of the strongest (De Man & Reiss 2013: high
    pass what has no content down there), and no lower than is usual for the role.
    """
    strong = np.flatnonzero(band_powers > band_powers.max(initial=0.0) * 1e-2)
    if len(strong) > 0 and CENTERS_HZ[strong[0]] >= 250:
        found = float(CENTERS_HZ[int(strong[0])] / 2)
        if found >= HIGH_PASS_HZ.get(role, 0.0):
            return found, "an octave below the track's lowest strong band"
    if role in HIGH_PASS_HZ:
        return HIGH_PASS_HZ[role], f"below the range of {role} tracks"
    return None


DESIGN_RATE = 96_000
"""Rate at which the curves of equalizers are computed here: far from Nyquist."""


def equalizer_power(settings: EqualizerSettings) -> NDArray[np.float64]:
    """Gain ``(30,)`` of an equalizer, as power, in thirds of octaves."""
    gain = np.ones(len(THIRD_OCTAVE_CENTERS_HZ))
    for band in settings.bands:
        section = coefficients(band.kind, band.frequency_hz, band.gain_db, band.q, DESIGN_RATE)
        gain *= np.abs(frequency_response(section, THIRD_OCTAVE_CENTERS_HZ, DESIGN_RATE)) ** 2
    return gain


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A band in which a track gives way to another.

    Attributes:
        band: Index of the band.
        gain_db: Below 0.
        excess_db: Level of the masker minus that of the masked track.
        masked: Row of the masked track.
    """

    band: int
    gain_db: float
    excess_db: float
    masked: int


_NEVER_MASKED = frozenset[Role](
    {"overheads", "room", "hats", "cymbals", "percussion", "tom", "fx", "backing vocal"}
)
"""Roles that nothing makes way for: they are air, or are meant to stand behind."""

_HIGHEST_CUT_BAND = 7  # 8 kHz


def masking_cuts(levels_db: NDArray[np.float64], roles: Sequence[Role]) -> list[list[Cut]]:
    """Cuts that free the essential bands of other tracks (Hafezi & Reiss 2015).

    A lead vocal makes way for nothing, and tracks of one family not for each other.

    Args:
        levels_db: Band levels ``(tracks, bands)`` as they are in the mix; −inf is silence.
        roles: Role of each track.

    Returns:
        For each track the cuts in bands that are not essential for it, but for another track that
        it covers there: a third of the excess, within −3 dB; the two deepest.
    """
    tracks = len(levels_db)
    ranks = np.argsort(np.argsort(-levels_db, axis=1, kind="stable"), axis=1, kind="stable")
    essential = (ranks < ESSENTIAL_BANDS) & np.isfinite(levels_db)
    found: list[list[Cut]] = []
    for track, role in enumerate(roles):
        served = [
            other
            for other in range(tracks)
            if role != "lead vocal"
            and roles[other] not in _NEVER_MASKED
            and (ROLE_FAMILIES[roles[other]] != ROLE_FAMILIES[role] or role == "other")
            and other != track
        ]
        cuts = []
        for band in np.flatnonzero(~essential[track] & np.isfinite(levels_db[track])):
            masked = [m for m in served if essential[m, band] and band <= _HIGHEST_CUT_BAND]
            excesses = {m: float(levels_db[track, band] - levels_db[m, band]) for m in masked}
            if not excesses:
                continue
            worst = max(excesses, key=lambda m: (excesses[m], -m))
            gain_db = -min(excesses[worst] / 3, LARGEST_CUT_DB)
            if gain_db <= -SMALLEST_CUT_DB:
                cut = Cut(band=int(band), gain_db=gain_db, excess_db=excesses[worst], masked=worst)
                cuts.append(cut)
        found.append(sorted(cuts, key=lambda cut: cut.gain_db)[:FILTERS_PER_TRACK])
    return found
