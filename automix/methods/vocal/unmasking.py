"""Frequency unmasking of a vocal and its backing (Li & Lerch III-B, after Hafezi & Reiss 2015)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class BandFinding:
    """What the rule saw and did in one octave band.

    Attributes:
        center_hz: Of the band.
        vocal_db: RMS level of the vocal.
        backing_db: RMS level of the backing.
        difference_db: vocal − backing, its mean over the bands removed.
        verdict: Whether the vocal is masked here, masks the backing, or neither.
        gain_db: Of the peak filter on the vocal; 0 where there is none.
    """

    center_hz: float
    vocal_db: float
    backing_db: float
    difference_db: float
    verdict: Literal["maskee", "masker", "clear"]
    gain_db: float


def essential(levels_db: Levels, count: int) -> NDArray[np.bool_]:
    """Marks the ``count`` loudest bands: the lower of equals first, a silent one never."""
    loudest = np.argsort(-levels_db, kind="stable")[:count]
    marked = np.zeros(len(levels_db), dtype=bool)
    marked[loudest] = True
    return marked & np.isfinite(levels_db)


def find_masking(
    centers_hz: Sequence[float],
    vocal_db: Levels,
    backing_db: Levels,
    vocal_essential: NDArray[np.bool_],
    backing_essential: NDArray[np.bool_],
    *,
    limit_db: float,
    filters: int,
) -> list[BandFinding]:
    """Judges every band and chooses the filters.

    A band that is essential for the vocal alone and where the vocal is the weaker one is boosted; a
    band that is essential for the backing alone and where the vocal is the stronger one is cut.

    Args:
        centers_hz: Of the bands, each array below has one value per band.
        vocal_db: RMS levels of the vocal; −inf is silence.
        backing_db: RMS levels of the backing.
        vocal_essential: Marks the essential bands of the vocal; see `essential`.
        backing_essential: Marks the essential bands of the backing.
        limit_db: Largest |gain|.
        filters: How many filters at most; the largest |gain| first.
    """
    audible = np.isfinite(vocal_db) & np.isfinite(backing_db)
    difference = np.zeros(len(vocal_db))
    if audible.any():
        difference[audible] = vocal_db[audible] - backing_db[audible]
        difference[audible] -= difference[audible].mean()
    maskee = audible & vocal_essential & ~backing_essential & (difference < 0)
    masker = audible & backing_essential & ~vocal_essential & (difference > 0)
    # boost by |difference| or cut by difference: both are its negative
    gains = np.where(maskee | masker, np.clip(-difference, -limit_db, limit_db), 0.0)
    gains[np.argsort(-np.abs(gains), kind="stable")[filters:]] = 0.0
    return [
        BandFinding(
            center_hz=float(center),
            vocal_db=float(vocal_db[band]),
            backing_db=float(backing_db[band]),
            difference_db=float(difference[band]),
            verdict="maskee" if maskee[band] else "masker" if masker[band] else "clear",
            gain_db=float(gains[band]) + 0.0,
        )
        for band, center in enumerate(centers_hz)
    ]
