"""Finds signals that are the sum of others, such as the mix of a song among its tracks."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import fold_block
from automix.audio.samples import BLOCK_FRAMES, AudioSource, Samples

_EXCERPTS = 8  # blocks of 1.5 s that are heard, spread over the song
_RESIDUE = 0.01  # power that the others leave unexplained: −20 dB
_LEAST_PART = 0.001  # power with which another signal is a part: −30 dB
_COPY = 0.97  # correlation from which another signal is the same one, not a part of it
_SILENT_POWER = 1e-9
_RIDGE = 1e-7
_SWEEPS = 300


def find_sums(sources: Mapping[str, AudioSource]) -> dict[str, tuple[str, ...]]:
    """Finds the signals that are sums of two others or more, at gains above 0.

    The gains may change from one excerpt to the next, as by a compressor. Of the folds to mono,
    −20 dB of a signal may be left unexplained. A copy of another signal is no sum: what remains
    when all sums are taken away holds all that was there.

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
    products = list(_measure_products(list(sources.values())))
    found = {number: _find_parts(products, number) for number in _find_candidates(products)}
    return {
        names[number]: tuple(names[part] for part in parts)
        for number, parts in found.items()
        if len(parts) > 1
    }


def _measure_products(sources: Sequence[AudioSource]) -> "list[NDArray[np.float64]]":
    """Products ``(n, n)`` of all folds with each other, for each excerpt in which any sounds."""
    blocks = -(-sources[0].frames // BLOCK_FRAMES)
    wanted = {round(place) for place in np.linspace(0, blocks - 1, min(blocks, _EXCERPTS))}
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
    sounds = powers > _SILENT_POWER * BLOCK_FRAMES
    gains = np.where(sounds, 1.0 / np.sqrt(np.maximum(powers, 1e-30)), 0.0)
    scaled = product * gains * gains[:, np.newaxis]
    np.fill_diagonal(scaled, 1.0)
    return scaled, sounds


def _find_parts(products: Sequence[NDArray[np.float64]], number: int) -> list[int]:
    """Numbers of the parts of a signal; none if it is no sum."""
    powers = np.zeros(len(products[0]))
    residues = []
    for product in products:
        scaled, sounds = _scale(product)
        if not sounds[number]:
            continue
        gains = _fit_gains(scaled, number, sounds)
        residues.append(1.0 - 2.0 * gains @ scaled[number] + gains @ scaled @ gains)
        powers = np.maximum(powers, gains**2)
    is_sum = np.median(residues) < _RESIDUE
    return [int(part) for part in np.flatnonzero(powers > _LEAST_PART)] if is_sum else []


def _fit_gains(
    scaled: NDArray[np.float64], number: int, sounds: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Gains of 0 and more with which the others come nearest to a signal, by coordinate descent."""
    gains = np.zeros(len(scaled))
    wanted = scaled[number]
    others = [int(n) for n in np.flatnonzero(sounds & (wanted < _COPY)) if n != number]
    for _ in range(_SWEEPS):
        before = gains.copy()
        for other in others:
            error = wanted[other] - scaled[other] @ gains
            gains[other] = max(0.0, gains[other] + error)
        if np.abs(gains - before).max() < 1e-5:
            break
    return gains
