"""Computes Fréchet distances of embeddings (Heusel et al. 2017; Kilgour et al. 2019 for audio).

d² = ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2·(Σ₁·Σ₂)^½). With Σ = RᵀR, the trace of the root is the sum of the
singular values of R₁·R₂ᵀ: no root of a matrix is taken, and nothing is lost where there are fewer
samples than dimensions.
"""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automix.errors import InputError
from automix.evaluation.mixes import find_audio_files
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.networks.embedders import Embedder

Matrix = NDArray[np.float64]

_SIZES = 12  # fractions of the sets that the extrapolation looks at
_DRAWS = 8
_SMALLEST_FRACTION = 0.4


@dataclass(frozen=True, kw_only=True)
class FrechetDistance:
    """The distance of a set of audio from the reference.

    Attributes:
        folder: Folder of the audio.
        files: Number of files.
        frames: Number of embeddings.
        distance: Fréchet distance as it comes, with the bias of few samples.
        extrapolated: Distance at infinitely many samples; NaN where there are too few to tell.
    """

    folder: Path
    files: int
    frames: int
    distance: float
    extrapolated: float


def frechet_distance(first: Matrix, second: Matrix) -> float:
    """Computes the Fréchet distance of two sets of vectors ``(samples, size)``.

    Raises:
        ValueError: A set has fewer than two vectors or values that are not finite, or the sizes
            differ.
    """
    for vectors in (first, second):
        if vectors.ndim != 2 or len(vectors) < 2 or not np.isfinite(vectors).all():
            raise ValueError("a set needs two finite vectors or more")
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"vectors of {first.shape[1]} and {second.shape[1]} values")
    return gaussian_distance(
        first.mean(axis=0), _compute_factor(first), second.mean(axis=0), _compute_factor(second)
    )


def gaussian_distance(
    first_mean: Matrix, first_factor: Matrix, second_mean: Matrix, second_factor: Matrix
) -> float:
    """Computes the Fréchet distance of two Gaussians.

    Args:
        first_mean: Mean ``(size,)`` of the first.
        first_factor: Factor R ``(rows, size)`` of its covariance RᵀR.
        second_mean: Mean ``(size,)`` of the second.
        second_factor: Factor ``(rows, size)`` of its covariance.
    """
    shared = float(np.linalg.svd(first_factor @ second_factor.T, compute_uv=False).sum())
    spread = float((first_factor**2).sum() + (second_factor**2).sum())
    return max(0.0, float(((first_mean - second_mean) ** 2).sum()) + spread - 2.0 * shared)


def _compute_factor(vectors: Matrix) -> Matrix:
    """Computes R ``(min(samples, size), size)``; RᵀR is the covariance of the samples (n − 1)."""
    centered = (vectors - vectors.mean(axis=0)) / math.sqrt(len(vectors) - 1)
    return np.asarray(np.linalg.qr(centered, mode="r"))


def extrapolate_distance(first: Matrix, second: Matrix, seed: int = 0) -> float:
    """Estimates the distance at infinitely many samples.

    Both sets are thinned to the same fractions; the bias falls with one over their size, so the
    intercept of a line through the distances over one over the fraction is free of it to the first
    order (Chong and Forsyth 2020; Gui et al. 2024 for audio).

    Args:
        first: Vectors ``(samples, size)``.
        second: Vectors ``(samples, size)``.
        seed: Seed of the draws.

    Returns:
        The distance; NaN where a set has fewer than 2.5 samples per dimension, since the first
        order does not hold there.
    """
    smallest = min(len(first), len(second))
    if smallest * _SMALLEST_FRACTION < first.shape[1] + 1:
        return math.nan
    rng = np.random.default_rng(seed)
    over, distances = [], []
    for fraction in 1.0 / np.linspace(1.0, 1.0 / _SMALLEST_FRACTION, _SIZES):
        drawn = []
        for _ in range(_DRAWS if fraction < 1.0 else 1):
            thinned = [
                vectors[rng.choice(len(vectors), round(fraction * len(vectors)), replace=False)]
                for vectors in (first, second)
            ]
            drawn.append(frechet_distance(*thinned))
        over.append(1.0 / fraction)
        distances.append(np.mean(drawn))
    _, intercept = np.polyfit(over, distances, 1)
    return max(0.0, float(intercept))


def compare_folders(
    reference: Path,
    folders: Sequence[Path],
    embedder: Embedder,
    *,
    seed: int = 0,
    report: Callable[[str], None] = lambda name: None,
) -> tuple[list[FrechetDistance], list[str]]:
    """Computes the distance of each folder of audio from a reference folder.

    Args:
        reference: Folder of the audio to compare with.
        folders: Folders of audio, each of which is one set.
        embedder: Network that turns audio into the vectors to compare.
        seed: Seed of the extrapolation.
        report: Called with the name of each folder as it begins.

    Returns:
        The distances, and notes for the user.

    Raises:
        InputError: A folder holds no audio, too little of it, or a file cannot be used.
    """
    notes: list[str] = []
    wanted, _ = _embed(reference, embedder, notes, report)
    distances = []
    for folder in folders:
        found, files = _embed(folder, embedder, notes, report)
        distances.append(
            FrechetDistance(
                folder=folder,
                files=files,
                frames=len(found),
                distance=frechet_distance(wanted, found),
                extrapolated=extrapolate_distance(wanted, found, seed),
            )
        )
    return distances, notes


def _embed(
    folder: Path, embedder: Embedder, notes: list[str], report: Callable[[str], None]
) -> tuple[Matrix, int]:
    report(printable(folder))
    if not os.path.isdir(folder):
        raise InputError(
            f"{printable(folder)}: is not a folder; the distance is one between folders"
        )
    files = find_audio_files(folder)
    vectors = []
    for path in files:
        opened = open_audio(path, ReadOptions(), in_memory=False)
        notes += [f"{printable(path)}: {note}" for note in opened.notes]
        if not any(block.any() for block in opened.source.blocks()):
            notes.append(f"{printable(path)}: is silent, and counts as it is")
        vectors.append(embedder.embeddings(opened.source))
    together = np.concatenate(vectors)
    if len(together) < 2:
        raise InputError(f"{printable(folder)}: is too short for a distance; give more audio")
    if len(together) <= embedder.size:
        notes.append(
            f"{printable(folder)}: {len(together)} frames for {embedder.size} dimensions: the"
            " distance"
            " comes out too large; compare only with sets of the same size"
        )
    return together, len(files)
