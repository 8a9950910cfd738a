"""Tells whether two signals are the same recording, up to gain, polarity and a small delay."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.fine_powers import FINE_S
from automix.audio.blocks import fold_block
from automix.audio.samples import BLOCK_FRAMES, AudioSource
from automix.units import gain_to_db

_LAGS = 10  # hops
_SMOOTH_HOPS = 5
_ALIKE = 0.95
_EXCERPTS = 4  # blocks of 1.5 s, the loudest of both
_LONGEST_S = 0.1
_SEGMENT = 2048
_COHERENCE = 0.97
_SPREAD_DB = 1.0
_BANDS_HZ = (60.0, 120.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 15_000.0)
_HEARD = 1e-6  # of the loudest band: −60 dB
_FEWEST_BANDS = 3

_Signal = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Copy:
    """How one signal is made of another.

    Attributes:
        gain_db: Level of the second over the first.
        delay_s: How much later the second is; below 0 if it is earlier.
        inverted: Whether its polarity is the opposite.
        coherence: The lowest of all octaves, 0 … 1.
    """

    gain_db: float
    delay_s: float
    inverted: bool
    coherence: float


def find_alike(powers: Sequence[_Signal]) -> list[tuple[int, int]]:
    """Finds the pairs of signals that are loud and soft at the same times.

    Args:
        powers: What `automix.analysis.fine_powers.FinePowers` measured of each.

    Returns:
        Pairs of indices; a copy is among them, and so is much that is none.
    """
    longest = max(map(len, powers), default=0)
    table = np.zeros((len(powers), longest), np.float32)
    for row, power in zip(table, powers, strict=True):
        if not len(power):
            continue
        # Over 50 ms, so that it does not matter where in its periods a bass is measured.
        smooth = np.convolve(power, np.ones(_SMOOTH_HOPS), "same")
        row[: len(power)] = np.sqrt(smooth[: len(power)])
    norms = np.sqrt(np.einsum("nh,nh->n", table, table))
    table /= np.maximum(norms, 1e-9)[:, np.newaxis]
    best = np.zeros((len(table), len(table)), np.float32)
    for lag in range(min(_LAGS, longest - 1) + 1):
        products = table[:, : longest - lag] @ table[:, lag:].T
        best = np.maximum(best, np.maximum(products, products.T))
    first, second = np.nonzero(np.triu(best > _ALIKE, 1))
    return list(zip(first.tolist(), second.tolist(), strict=True))


def compare_recordings(first: AudioSource, second: AudioSource, powers: _Signal) -> Copy | None:
    """Tells whether a signal is a copy of another, by the loudest six seconds of the first.

    Two microphones of one source are no copies, however alike they are: they hear the octaves at
    different levels, and the upper ones with other reflections. Neither are two tracks that went
    through one bus.

    Args:
        first: A signal.
        second: Another one, at the same rate.
        powers: What `automix.analysis.fine_powers.FinePowers` measured of the first.

    Returns:
        How the second is made of the first; none if it is another recording.

    Raises:
        InputError: The file behind a source changed or cannot be read.
    """
    rate = first.sample_rate
    wanted = _choose_blocks(powers, rate)
    pairs = [
        (a[: len(b)], b[: len(a)])
        for a, b in zip(*(_read_blocks(s, wanted) for s in (first, second)), strict=False)
        if min(len(a), len(b)) > 4 * _SEGMENT
    ]
    if not pairs:
        return None
    lag = _find_lag(pairs, math.ceil(_LONGEST_S * rate))
    pairs = [(a[max(-lag, 0) :], b[max(lag, 0) :]) for a, b in pairs]
    pairs = [(a[: len(b)], b[: len(a)]) for a, b in pairs]
    coherences, gains = _compare_octaves(pairs, rate)
    if len(gains) < _FEWEST_BANDS or coherences.min() < _COHERENCE:
        return None
    levels_db = np.array([gain_to_db(gain) for gain in np.abs(gains)])
    if np.ptp(levels_db) > _SPREAD_DB:
        return None
    return Copy(
        gain_db=float(np.median(levels_db)),
        delay_s=lag / rate,
        inverted=sum(float(np.dot(a, b)) for a, b in pairs) < 0.0,
        coherence=float(coherences.min()),
    )


def _choose_blocks(powers: _Signal, rate: int) -> set[int]:
    blocks = np.arange(len(powers)) * round(FINE_S * rate) // BLOCK_FRAMES
    of_blocks = np.bincount(blocks, powers) if len(powers) else np.zeros(1)
    return set(np.argsort(of_blocks)[-_EXCERPTS:].tolist())


def _read_blocks(source: AudioSource, wanted: set[int]) -> list[_Signal]:
    pieces = []
    for number, block in enumerate(source.blocks()):
        if number in wanted:
            pieces.append(fold_block(block).astype(np.float64))
        if number >= max(wanted):
            break
    return pieces


def _find_lag(pairs: Sequence[tuple[_Signal, _Signal]], longest: int) -> int:
    """By how many frames the second is later, by the largest product of either sign."""
    size = 1 << (max(len(a) for a, _ in pairs) + longest).bit_length()
    spectra = (np.fft.rfft(b, size) * np.fft.rfft(a, size).conj() for a, b in pairs)
    product = sum(spectra, np.zeros(size // 2 + 1, complex))
    # Halfway to the phase alone, so that a tone has not as many peaks as it has periods.
    correlation = np.abs(np.fft.irfft(product / (np.sqrt(np.abs(product)) + 1e-12)))
    candidates = np.concatenate([correlation[-longest:], correlation[: longest + 1]])
    return int(candidates.argmax()) - longest


def _compare_octaves(
    pairs: Sequence[tuple[_Signal, _Signal]], rate: int
) -> tuple[_Signal, _Signal]:
    """The coherence of each octave in which there is sound, and the gain from a to b in it."""
    window = np.hanning(_SEGMENT)
    powers_a, powers_b = np.zeros(_SEGMENT // 2 + 1), np.zeros(_SEGMENT // 2 + 1)
    products = np.zeros(_SEGMENT // 2 + 1, complex)
    for pair in pairs:
        segments = len(pair[0]) // _SEGMENT
        spectra_a, spectra_b = (
            np.fft.rfft(x[: segments * _SEGMENT].reshape(segments, _SEGMENT) * window) for x in pair
        )
        powers_a += np.square(np.abs(spectra_a)).sum(axis=0)
        powers_b += np.square(np.abs(spectra_b)).sum(axis=0)
        products += (spectra_b * spectra_a.conj()).sum(axis=0)
    hertz = np.fft.rfftfreq(_SEGMENT, 1.0 / rate)
    coherences, gains, powers = [], [], []
    for low, high in zip(_BANDS_HZ, _BANDS_HZ[1:], strict=False):
        which = (hertz >= low) & (hertz < min(high, 0.45 * rate))
        powers.append(float(powers_a[which].sum()))
        shared = float(np.square(np.abs(products[which])).sum())
        both = float((powers_a[which] * powers_b[which]).sum())
        coherences.append(shared / (both + 1e-30))
        gains.append(math.sqrt(float(powers_b[which].sum()) / (powers[-1] + 1e-30)))
    heard = np.array(powers) > _HEARD * max(powers)
    return np.array(coherences)[heard], np.array(gains)[heard]
