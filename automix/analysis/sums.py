"""Finds signals that are the sum of others, such as the mix of a song among its tracks."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import fold_block
from automix.audio.samples import BLOCK_FRAMES, AudioSource, Samples

_EXCERPTS = 8  # blocks of 1.5 s that are heard, spread over the song
_RESIDUE = 0.01  # power that the others leave unexplained: −20 dB
_BLOCK_RESIDUE = 0.3  # in any block: −5 dB, which is more than a fade leaves, if it is
_SOFT = 0.001  # no more than 30 dB below the loudest
_LEAST_PART = 0.001  # power with which another signal is a part: −30 dB
_COPY = 0.97  # correlation from which another signal is the same one, not a part of it
_SILENT_POWER = 1e-9
_QUIET = _SILENT_POWER * BLOCK_FRAMES
_RIDGE = 1e-7
_SWEEPS = 300


def find_sums(sources: Mapping[str, AudioSource]) -> dict[str, tuple[str, ...]]:
    """Finds the signals that are sums of two others or more, at gains above 0.

    The gains may change from one block to the next, as by a compressor. Of the folds to mono,
    −20 dB of a signal may be left unexplained, and no more than −5 dB of any block of 1.5 s: a
    loop with a fill of its own is no sum of the hits that it shares with others. A copy of another
    signal is no sum, nor is what is put together from one signal after the other, such as the best
    of several takes. What remains when all sums are taken away holds all that was there.

    Args:
        sources: Signals of one rate and length, by name.

    Returns:
        The names of the sums, with those of their parts.

    Raises:
        InputError: The file behind a source changed or cannot be read.
    """
    names = list(sources)
    if len(names) < 3:
        return {}
    products = _measure_products(list(sources.values()), _EXCERPTS)
    found = [n for n in _find_candidates(products) if len(_find_parts(products, n)) > 1]
    if not found:
        return {}
    every = _measure_products(list(sources.values()))
    rest = [number for number in range(len(names)) if number not in found]
    sums = {}
    for number in found:
        kept = [*rest, number]
        parts = _find_parts([product[np.ix_(kept, kept)] for product in every], len(rest))
        if len(parts) > 1:
            sums[names[number]] = tuple(names[kept[part]] for part in parts)
    return sums


def _measure_products(
    sources: Sequence[AudioSource], excerpts: int | None = None
) -> "list[NDArray[np.float64]]":
    """Products ``(n, n)`` of all folds with each other, for each block in which any sounds."""
    blocks = -(-sources[0].frames // BLOCK_FRAMES)
    wanted = {round(n) for n in np.linspace(0, blocks - 1, min(blocks, excerpts or blocks))}
    products = []
    for number, together in enumerate(zip(*(s.blocks() for s in sources), strict=True)):
        if number in wanted:
            folds: Samples = np.stack([fold_block(block) for block in together])
            product = (folds @ folds.T).astype(np.float64)
            if product.trace() > _SILENT_POWER * folds.shape[1]:
                products.append(product)
    return products


def _find_candidates(products: Sequence[NDArray[np.float64]]) -> list[int]:
    """Numbers of the signals that a sum of the others, at any gains, leaves next to nothing of."""
    if not products:
        return []
    residues = []
    for product in products:
        scaled, sounds = _scale(product)
        inverse = np.linalg.inv(scaled + _RIDGE * np.eye(len(scaled)))
        residues.append(np.where(sounds, 1.0 / np.diag(inverse), np.nan))
    heard = np.array(residues)
    enough = np.isfinite(heard).sum(axis=0) * 2 >= len(products)
    least = np.array(
        [np.median(r[np.isfinite(r)]) if np.isfinite(r).any() else 1.0 for r in heard.T]
    )
    return [int(number) for number in np.flatnonzero(enough & (least < _RESIDUE))]


def _scale(product: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The products of signals that are brought to one power, and which of them sound at all."""
    powers = np.diag(product)
    sounds = powers > _QUIET
    gains = np.where(sounds, 1.0 / np.sqrt(np.maximum(powers, 1e-30)), 0.0)
    scaled = product * gains * gains[:, np.newaxis]
    np.fill_diagonal(scaled, 1.0)
    return scaled, sounds


def _find_parts(products: Sequence[NDArray[np.float64]], number: int) -> list[int]:
    """Numbers of the parts of a signal; none if it is no sum."""
    judged = [product for product in products if product[number, number] > _QUIET]
    scaled, sounds = (np.array(each) for each in zip(*map(_scale, judged), strict=True))
    powers = np.array([product[number, number] for product in judged])
    is_copy = np.median(scaled[:, number], axis=0) > _COPY
    gains = _fit_gains(scaled, number, sounds & ~is_copy)
    fitted = np.einsum("bn,bnm->bm", gains, scaled)
    residues = 1.0 - 2.0 * (gains * scaled[:, number]).sum(axis=1) + (gains * fitted).sum(axis=1)
    counts = (gains**2 > _LEAST_PART).sum(axis=1)
    is_sum = (
        residues @ powers < _RESIDUE * powers.sum()
        and residues[powers > _SOFT * powers.max()].max() < _BLOCK_RESIDUE
        and np.median(counts) > 1
    )
    return [int(n) for n in np.flatnonzero((gains**2).max(axis=0) > _LEAST_PART)] if is_sum else []


def _fit_gains(
    scaled: NDArray[np.float64], number: int, usable: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Gains of 0 and more with which others come nearest to a signal, by coordinate descent.

    Args:
        scaled: Products ``(blocks, n, n)`` of signals that are brought to one power.
        number: The signal.
        usable: Which of the others are used, ``(blocks, n)``.

    Returns:
        The gains in each block ``(blocks, n)``.
    """
    gains = np.zeros(usable.shape)
    others = [int(n) for n in np.flatnonzero(usable.any(axis=0)) if n != number]
    for _ in range(_SWEEPS):
        before = gains.copy()
        for other in others:
            error = scaled[:, other, number] - (scaled[:, other] * gains).sum(axis=1)
            gains[:, other] = np.maximum(0.0, gains[:, other] + error) * usable[:, other]
        if np.abs(gains - before).max() < 1e-5:
            break
    return gains
