"""Sections of a song: where verse, chorus and bridge begin, and which of them are alike.

A section begins where what was heard for some seconds differs from what is heard from there on: the
peaks of the novelty of Foote, "Automatic audio segmentation using a measure of audio novelty" (ICME
2000), over the loudness of each group of tracks and the timbre of the mix. With a kernel that
is a product and likeness that is an inner product, his correlation along the diagonal of the
self-similarity matrix is the power of a smoothed difference, so that no matrix is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import Energies
from automix.methods.rides.windows import max_around
from automix.plan.roles import Family

STEP_S = 0.2
"""Of the features."""

SHORTEST_SECTION_S = 8.0
_AROUND_S = 8.0
"""What is compared: so much before, and so much after."""

_CLOSE_S, _SEARCHED_S = 1.0, 2.5
"""A boundary lies where the second before and the second after differ most, this near the peak."""

LEAST_CHANGE_DB = 3.0
"""Root mean square over all features from which a change makes a section."""

ALIKE_DB = 3.0
"""Sections whose features differ by less have one name."""

_FLOOR_DB = -45.0
"""Below the strongest third of the mix, and below the loudest group, nothing counts."""


@dataclass(frozen=True, kw_only=True)
class SongSection:
    """A part of a song.

    Attributes:
        start_s: Where it begins.
        end_s: Where the next one begins, or the song ends.
        label: A letter that sections which are alike have in common.
    """

    start_s: float
    end_s: float
    label: str


def find_sections(
    spectrum: NDArray[np.float32], groups: Mapping[Family, Energies]
) -> list[SongSection]:
    """Parts a song into sections of 8 s or more.

    Args:
        spectrum: Mean squares of the mix per 200 ms and band ``(steps, bands)``.
        groups: Energies of each group of tracks per 200 ms ``(steps,)``, by name.

    Returns:
        The sections, in their order; one if nothing changes.
    """
    features = measure_features(spectrum, groups)
    steps = len(features)
    if not steps:
        return []
    edges = [0, *_find_boundaries(features), steps]
    means = [features[a:b].mean(axis=0) for a, b in zip(edges, edges[1:], strict=False)]
    labels: list[str] = []
    kinds: list[NDArray[np.float64]] = []
    for mean in means:
        away = [_rms(mean - kind) for kind in kinds]
        if away and min(away) < ALIKE_DB:
            number = int(np.argmin(away))
        else:
            number = len(kinds)
            kinds.append(mean)
        labels.append(_letters(number))
    return [
        SongSection(start_s=a * STEP_S, end_s=b * STEP_S, label=label)
        for a, b, label in zip(edges, edges[1:], labels, strict=False)
    ]


def measure_features(
    spectrum: NDArray[np.float32], groups: Mapping[Family, Energies]
) -> NDArray[np.float64]:
    """Levels in dB of each band of the mix and of each group, no lower than a floor.

    Bands and groups have the same weight altogether.
    """
    bands = _levels_db(np.asarray(spectrum, np.float64))
    levels = np.stack([groups[name] for name in sorted(groups)], axis=1)
    parts = _levels_db(levels[: len(bands)])
    return np.concatenate([bands, np.repeat(parts, max(bands.shape[1] // parts.shape[1], 1), 1)], 1)


def _levels_db(powers: NDArray[np.float64]) -> NDArray[np.float64]:
    if not powers.any():
        return np.zeros(powers.shape)
    top = float(np.percentile(powers.max(axis=1), 95)) or float(powers.max())
    levels: NDArray[np.float64] = np.maximum(10.0 * np.log10(powers / top + 1e-12), _FLOOR_DB)
    return levels


def measure_novelty(features: NDArray[np.float64], around_s: float) -> NDArray[np.float64]:
    """Change in dB from the time before each step to the time after it ``(steps,)``.

    Args:
        features: Levels in dB ``(steps, features)``.
        around_s: How long is looked back and ahead; what is nearer counts more.
    """
    reach = max(round(around_s / STEP_S), 1)
    taper = np.exp(-0.5 * (2.0 * (np.arange(reach) + 0.5) / reach) ** 2)
    kernel = np.concatenate([taper, -taper]) / taper.sum()
    padded = np.pad(features, ((reach, reach - 1), (0, 0)), mode="edge")
    changes = np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=1)
    novelty: NDArray[np.float64] = np.sqrt((changes**2).mean(axis=1))
    return novelty


def _find_boundaries(features: NDArray[np.float64]) -> list[int]:
    """Steps at which sections begin, but for the first."""
    shortest, searched = round(SHORTEST_SECTION_S / STEP_S), round(_SEARCHED_S / STEP_S)
    novelty = measure_novelty(features, _AROUND_S)
    nearby = measure_novelty(features, _CLOSE_S)
    peaks = (novelty == max_around(novelty, shortest)) & (novelty >= LEAST_CHANGE_DB)
    found: list[int] = []
    for peak in np.flatnonzero(peaks):
        first = max(int(peak) - searched, 0)
        step = first + int(np.argmax(nearby[first : peak + searched + 1]))
        before = found[-1] if found else 0
        if step - before >= shortest and len(features) - step >= shortest:
            found.append(step)
    return found


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _letters(number: int) -> str:
    """Names in their order: A, B … Z, AA, AB and so on."""
    head, last = divmod(number, 26)
    return (_letters(head - 1) if head else "") + chr(ord("A") + last)
