"""Who covers whom, by critical band: small functions of cells, see `measuring`.

A track is masked in a cell where its power is more than 4 dB below what the others excite there: a
tone is just audible 2 to 6 dB below a noise as wide as its critical band (Zwicker & Fastl,
"Psychoacoustics", 4.1). Maskers excite neighboring bands as well (Schroeder, Atal & Hall 1979). Of
both sides, the better ear counts, so that tracks panned apart do not mask each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.dsp.k_weighting import k_weighting
from automix.explanation.measuring import BANDS, Cells
from automix.units import db_to_power, power_to_db

Vector = NDArray[np.float64]

AUDIBLE_DB = -4.0
"""A track is audible in a cell from this ratio to its maskers on."""

_LOUDNESS_EXPONENT = 0.23  # of specific loudness against power (Zwicker)
_ESSENTIAL_DB = -24.0  # a quarter of the specific loudness of the strongest band
_ACTIVE_DB = -20.0
_MASKED_BAND = 0.5


def _spreading() -> NDArray[np.float32]:
    """Power ``(24, 24)`` that a masker excites in one band, from another."""
    bands = np.arange(len(BANDS))
    distance = bands[:, np.newaxis] - bands + 0.474
    level_db = 15.81 + 7.5 * distance - 17.5 * np.sqrt(1.0 + distance**2)
    return np.asarray(10.0 ** (level_db / 10.0), np.float32)


_SPREADING = _spreading()


def excitation(cells: Cells) -> Cells:
    """What a signal excites in every critical band, its own and those around it."""
    return np.asarray(cells @ _SPREADING.T, np.float32)


def ear_weights(sample_rate: int) -> Vector:
    """Power gain ``(24,)`` of K-weighting in the middle of each critical band."""
    centers = np.array([np.sqrt(low * high) for low, high in BANDS])
    z = np.exp(-2j * np.pi * np.minimum(centers / sample_rate, 0.499))
    gain = np.ones(len(BANDS))
    for b0, b1, b2, a1, a2 in k_weighting(sample_rate):
        gain *= np.abs((b0 + b1 * z + b2 * z**2) / (1.0 + a1 * z + a2 * z**2)) ** 2
    return gain


@dataclass(frozen=True, kw_only=True)
class Cover:
    """How far a track is masked by the others.

    Attributes:
        share: Of what there is to hear of the track (specific loudness of its essential bands,
            while it plays), 0…1.
        bands: The same of each critical band, 24 of them; none in those that are not essential.
        low_hz: Lower end of the widest region in which the track is masked most of the time; none
            where there is none.
        high_hz: Upper end.
        region_share: Of what there is to hear of the track, how much lies masked in that region.
        masker: The strongest of the others there.
        ratio_db: Level of the track over that of the masker there.
    """

    share: float
    bands: tuple[float | None, ...]
    low_hz: float | None = None
    high_hz: float | None = None
    region_share: float = 0.0
    masker: str | None = None
    ratio_db: float | None = None


def weights_of(cells: Cells, ear: Vector) -> NDArray[np.float32]:
    """How much each cell and band ``(cells, 24)`` matters for hearing a track; 0 in silence.

    Args:
        cells: Of the track.
        ear: See `ear_weights`.
    """
    powers = cells.mean(1) * ear.astype(np.float32)
    totals = powers.sum(1)
    sounding = totals[totals > 0.0]
    if not sounding.size:
        return np.zeros_like(powers)
    # The 95th percentile, so that one click does not make all else count as silence.
    active = totals > np.percentile(sounding, 95) * db_to_power(_ACTIVE_DB)
    means = powers[active].mean(0)
    essential = means > means.max() * db_to_power(_ESSENTIAL_DB)
    weights = np.power(powers, np.float32(_LOUDNESS_EXPONENT)) * essential
    weights[~active] = 0.0
    return np.asarray(weights, np.float32)


def mark_masked_cells(cells: Cells, others: Cells) -> NDArray[np.bool_]:
    """Marks ``(cells, 24)`` where a track is masked on both sides.

    Args:
        cells: Of the track.
        others: Excitation by all others.
    """
    audible = cells > others * np.float32(db_to_power(AUDIBLE_DB))
    return ~np.asarray(audible.any(1))


def measure_masked_share(weights: NDArray[np.float32], masked: NDArray[np.bool_]) -> float:
    """Share of the weights that is masked; 0 for silence."""
    total = float(weights.sum(dtype=np.float64))
    return float(weights[masked].sum(dtype=np.float64)) / total if total > 0.0 else 0.0


def cover(
    cells: Cells, weights: NDArray[np.float32], others: Cells, maskers: Mapping[str, Cells]
) -> Cover:
    """How far a track is masked, where most, and by which other.

    Args:
        cells: Of the track.
        weights: Of it, see `weights_of`.
        others: Excitation by all others together.
        maskers: Excitation by each of the others.
    """
    masked = mark_masked_cells(cells, others)
    by_band = weights.sum(0, dtype=np.float64)
    lost = np.where(masked, weights, 0.0).sum(0, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        shares = np.where(by_band > 0.0, lost / np.maximum(by_band, 1e-300), np.nan)
    share = measure_masked_share(weights, masked)
    bands = tuple(None if np.isnan(value) else float(value) for value in shares)
    found = Cover(share=share, bands=bands)
    regions = runs([bool(value >= _MASKED_BAND) for value in shares])
    if not regions or not maskers:
        return found
    first, last = max(regions, key=lambda run: (lost[run[0] : run[1]].sum(), -run[0]))
    playing = weights.any(1)
    region = (playing, slice(None), slice(first, last))
    powers = {name: float(heard[region].sum(dtype=np.float64)) for name, heard in maskers.items()}
    masker = max(powers, key=lambda name: (powers[name], name))
    own = float(cells[region].sum(dtype=np.float64))
    return Cover(
        share=share,
        bands=bands,
        low_hz=BANDS[first][0],
        high_hz=BANDS[last - 1][1],
        region_share=float(lost[first:last].sum() / by_band.sum()),
        masker=masker,
        ratio_db=power_to_db(own) - power_to_db(powers[masker]),
    )


def runs(marked: Sequence[bool]) -> list[tuple[int, int]]:
    """First index and the one after the last of every unbroken run of marks."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(marked, int), [0]])))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
