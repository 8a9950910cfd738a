"""Compares a mix with its references, feature by feature."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automix.analysis.features import MixFeatures, Vector
from automix.units import power_to_db

NARROWEST_DB = -40.0
"""Least stereo width: less counts as this, because it cannot be heard and mono has none."""

_LEAST_IN_BAND_DB = -60.0
"""Least level of a band against the whole: less is not heard beside the rest."""

FEATURES = {
    "loudness": "LUFS",
    "loudness range": "LU",
    "crest factor": "dB",
    "spectrum": "dB",
    "width": "dB",
    "width by band": "dB",
    "imbalance": "dB",
    "imbalance by band": "dB",
}
"""Features that are compared, with their units."""

TOLERANCE = 0.1
"""Distance, in the unit of each feature, within which a mix has reached its reference."""

_STILL = 0.02
"""Distance, in the unit of each feature, by which a feature has to move to count as moved."""

STEREO_FEATURES = ("width", "width by band", "imbalance", "imbalance by band")


@dataclass(frozen=True, kw_only=True)
class FeatureComparison:
    """One feature of a mix without and with its reference.

    Attributes:
        name: Name of the feature, one of `FEATURES`.
        unit: Unit of all values.
        before: Value of the mix without the reference; none for features by band, which have many.
        after: Value of the mix; none for features by band.
        reference: Value of the reference, or weighted mean of several; none for features by band.
        distance_before: Mean absolute difference from the reference without it.
        distance_after: Mean absolute difference from the reference of the mix.
    """

    name: str
    unit: str
    before: float | None
    after: float | None
    reference: float | None
    distance_before: float
    distance_after: float


def select_figures(features: MixFeatures, *, stereo: bool = True) -> dict[str, Vector]:
    """Selects the features that are compared, by name; NaN where there is nothing to compare.

    Args:
        features: Measured features of a mix.
        stereo: Whether they say anything of the stereo image.
    """
    total_db = power_to_db(float(features.power.sum()))
    with np.errstate(invalid="ignore"):
        in_bands = features.bark_db - total_db
        heard = in_bands > _LEAST_IN_BAND_DB
        # Where the meter knows the band, and it holds next to nothing, that is what it says.
        spectrum = np.where(np.isnan(in_bands), np.nan, np.maximum(in_bands, _LEAST_IN_BAND_DB))
    lufs, range_lu = features.loudness.integrated_lufs, features.loudness.loudness_range_lu
    found = {
        "loudness": np.array([lufs]),
        "loudness range": np.array([range_lu]),
        "crest factor": np.array([features.crest_db]),
        "spectrum": spectrum,
        "width": np.maximum([features.width_db], NARROWEST_DB),
        "width by band": np.where(heard, np.maximum(features.bark_width_db, NARROWEST_DB), np.nan),
        "imbalance": np.array([features.imbalance_db]),
        "imbalance by band": np.where(heard, features.bark_imbalance_db, np.nan),
    }
    silent = [] if stereo else list(STEREO_FEATURES)
    return {
        name: np.full_like(values, np.nan)
        if name in silent
        else np.where(np.isfinite(values), values, np.nan)
        for name, values in found.items()
    }


def average_references(
    every: Sequence[dict[str, Vector]], weights: Sequence[float]
) -> dict[str, Vector]:
    """Averages the features of several references, each where it has a value.

    Args:
        every: Features of each reference, from `select_figures`.
        weights: Weight of each reference.
    """
    mean = {}
    for name in every[0]:
        values = np.array([figures[name] for figures in every])
        known = np.isfinite(values)
        parts = np.array(weights)[:, np.newaxis] * known
        total = parts.sum(axis=0)
        sums = (parts * np.where(known, values, 0.0)).sum(axis=0)
        mean[name] = np.where(total > 0.0, sums / np.maximum(total, 1e-12), np.nan)
    return mean


def compare_features(
    before: dict[str, Vector], after: dict[str, Vector], reference: dict[str, Vector]
) -> list[FeatureComparison]:
    """Compares all `FEATURES` that the reference has, each as `select_figures` gives it.

    Args:
        before: Features of the mix without its reference.
        after: Features of the mix.
        reference: Features of the reference.
    """
    rows = []
    for name, unit in FEATURES.items():
        distances = [_measure_distance(values[name], reference[name]) for values in (before, after)]
        if not all(map(math.isfinite, distances)):
            continue
        single = len(reference[name]) == 1
        rows.append(
            FeatureComparison(
                name=name,
                unit=unit,
                before=float(before[name][0]) if single else None,
                after=float(after[name][0]) if single else None,
                reference=float(reference[name][0]) if single else None,
                distance_before=distances[0],
                distance_after=distances[1],
            )
        )
    return rows


def find_moved_away(rows: Sequence[FeatureComparison]) -> dict[str, float]:
    """Finds the features that have moved away from the references, and by how much."""
    excess = {row.name: row.distance_after - max(row.distance_before, TOLERANCE) for row in rows}
    return {name: further for name, further in excess.items() if further > _STILL}


def _measure_distance(values: Vector, reference: Vector) -> float:
    known = np.isfinite(values) & np.isfinite(reference)
    return float(np.abs(values - reference)[known].mean()) if known.any() else math.nan
