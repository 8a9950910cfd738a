"""Equalizer, compressor and reverb rules for stems: small functions of measured figures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.plan.roles import Role
from automix.plan.settings import CompressorSettings

ESSENTIAL_BANDS = 3
LARGEST_CUT_DB = 3.0
FILTERS_PER_TRACK = 2
SMALLEST_CUT_DB = 1.0
HIGHEST_RATIO = 3.0
LOWEST_HZ = 20.0
"""Corner of a high pass that takes nothing away; less of one moves towards it."""

SENDS_DB: dict[Role, float] = {
    "lead vocal": 0.0,
    "backing vocal": 2.0,
    "snare": -3.0,
    "tom": -3.0,
    "percussion": -4.0,
    "strings": -2.0,
    "brass": -3.0,
    "woodwind": -3.0,
    "acoustic guitar": -4.0,
    "electric guitar": -5.0,
    "guitar": -5.0,
    "keys": -4.0,
    "piano": -4.0,
    "organ": -5.0,
    "synth": -6.0,
    "pad": -6.0,
    "other": -8.0,
}
"""Relative send levels by role; roles that are not here stay dry: low sources, cymbals, whole kits,
rooms and effects (common practice as collected by De Man & Reiss 2013; Moffat & Sandler 2019)."""


def high_pass_hz(band_powers: NDArray[np.float64], centers_hz: tuple[float, ...]) -> float | None:
    """Corner of a high pass that takes away what lies below a track's own range.

    An octave below the lowest band that is within 20 dB of the strongest (De Man & Reiss 2013: high
    pass what has no content down there); none for a track that reaches down to 125 Hz.
    """
    strong = np.flatnonzero(band_powers > band_powers.max(initial=0.0) * 1e-2)
    if len(strong) == 0 or centers_hz[strong[0]] < 250:
        return None
    return float(centers_hz[int(strong[0])] / 2)


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


def masking_cuts(levels_db: NDArray[np.float64]) -> list[list[Cut]]:
    """Cuts that free the essential bands of other tracks (Hafezi & Reiss 2015).

    Args:
        levels_db: Band levels ``(tracks, bands)`` as they are in the mix; −inf is silence.

    Returns:
        For each track the cuts in bands that are not essential for it, but for another track that
        it covers there: a third of the excess, within −3 dB; the two deepest.
    """
    tracks = len(levels_db)
    ranks = np.argsort(np.argsort(-levels_db, axis=1, kind="stable"), axis=1, kind="stable")
    essential = (ranks < ESSENTIAL_BANDS) & np.isfinite(levels_db)
    found: list[list[Cut]] = []
    for track in range(tracks):
        cuts = []
        for band in np.flatnonzero(~essential[track] & np.isfinite(levels_db[track])):
            masked = [m for m in range(tracks) if m != track and essential[m, band]]
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


def compression(
    crest_db: float, loudness_range_lu: float, peak_db: float
) -> CompressorSettings | None:
    """A gentle compressor for a track that varies in loudness.

    The more the loudness ranges, the higher the ratio; the threshold lies at two fifths of the
    crest factor above the RMS level, so that peaks are reached and the body is not; a peaky track
    gets a slow attack, which keeps its transients (after Ma et al. 2015 and Giannoulis et al.
    2013, who set ratio and time constants from the same two figures).

    Args:
        crest_db: Peak over RMS of the active parts.
        loudness_range_lu: EBU Tech 3342.
        peak_db: Of the track at the compressor.

    Returns:
        The settings, or none where the loudness is steady (below 5 LU).
    """
    if loudness_range_lu < 5.0:
        return None
    threshold_db = float(np.clip(peak_db - 0.6 * crest_db, -60.0, -1.0))
    return CompressorSettings(
        threshold_db=threshold_db,
        ratio=float(np.clip(1.0 + (loudness_range_lu - 3.0) / 6.0, 1.3, HIGHEST_RATIO)),
        attack_ms=float(np.clip(crest_db, 5.0, 30.0)),
        release_ms=150.0,
    )
