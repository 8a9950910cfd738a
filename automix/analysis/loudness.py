"""Loudness by ITU-R BS.1770-4 and EBU Tech 3341/3342.

Meters reduce audio to the mean square of its K-weighted samples per hop of 100 ms; everything else
is arithmetic on these few numbers. "Energy" below means that mean square.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix.analysis.hops import HOPS_PER_SECOND, hop_start, hops_within
from automix.audio.samples import AudioSource, Samples
from automix.dsp.biquad import BiquadCascade
from automix.dsp.compiled import kernel
from automix.dsp.k_weighting import k_weighting
from automix.units import db_to_power

Energies = NDArray[np.float64]
"""Energies ``(hops,)``, one per 100 ms, weighted and summed over the channels; full scale is 1."""

OFFSET_LUFS = -0.691
"""Loudness of energy 1: makes a 1 kHz sine on one channel read its level (BS.1770-4, eq. 2)."""

ABSOLUTE_GATE_LUFS = -70.0
_INTEGRATED_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0
_MOMENTARY_HOPS = 4
_SHORT_TERM_HOPS = 30
_CHANNEL_WEIGHTS = {  # BS.1770-4, table 3
    5: (1.0, 1.0, 1.0, 1.41, 1.41),  # L R C Ls Rs
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),  # L R C LFE Ls Rs
}
_SILENCE = 1e-60


class LoudnessMeter:
    """Measures energies of audio that arrives in blocks of any size; no cut changes any bit.

    Args:
        sample_rate: Frames per second.
        channels: Channels of the blocks. Five are taken as L R C Ls Rs and six as L R C LFE Ls Rs;
            any other number counts all channels alike.
        hops_per_second: How fine the energies are; what reckons loudness from them wants the usual
            ten per second.
    """

    def __init__(
        self, sample_rate: int, channels: int, hops_per_second: int = HOPS_PER_SECOND
    ) -> None:
        self._sample_rate = sample_rate
        self._hops_per_second = hops_per_second
        self._weights = np.array(_CHANNEL_WEIGHTS.get(channels, (1.0,) * channels))
        self._filter = k_weighting(sample_rate)
        self._state = np.zeros((channels, 5))
        self._position = 0
        self._finished: list[Energies] = []

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``."""
        samples = np.require(block, np.float32, ["C", "W"])
        channels, frames = samples.shape
        rate, fine = self._sample_rate, self._hops_per_second
        first = hops_within(self._position, rate, fine)
        last = hops_within(self._position + frames, rate, fine)
        edges = np.array([hop_start(hop, rate, fine) for hop in range(first, last + 1)])
        stops = np.append(edges[1:] - self._position, frames)
        sums = np.empty((channels, last - first))
        _add_energies(samples, self._filter, self._state, stops, sums)
        self._position += frames
        self._finished.append((self._weights[:, np.newaxis] * sums).sum(axis=0) / np.diff(edges))

    @property
    def energies(self) -> Energies:
        """Energies ``(hops,)`` of all complete hops so far."""
        return np.concatenate([np.empty(0), *self._finished])


@kernel
def _add_energies(
    samples: NDArray[np.float32],
    sections: NDArray[np.float64],
    state: NDArray[np.float64],
    stops: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """K-weights and sums squares per hop, in one pass; the recursion is that of `biquad._filter`.

    ``stops`` holds the end of each hop that ends in this block, then the end of the block;
    ``state`` two filter states per section, then the sum of the hop that has not ended.
    """
    b0, b1, b2, a1, a2 = sections[0]
    d0, d1, d2, f1, f2 = sections[1]
    c1, c2 = b1 - a1 * b0, b2 - a2 * b0
    e1, e2 = d1 - f1 * d0, d2 - f2 * d0
    for channel in range(samples.shape[0]):
        s1, s2, t1, t2, total = state[channel]
        start = 0
        for index in range(len(stops)):
            for x in samples[channel, start : stops[index]]:
                y = b0 * x + s1
                s1, s2 = (c1 * x + s2) - a1 * s1, c2 * x - a2 * s1
                z = d0 * y + t1
                t1, t2 = (e1 * y + t2) - f1 * t1, e2 * y - f2 * t1
                total += z * z
            if index < sums.shape[1]:
                sums[channel, index] = total
                total = 0.0
                if abs(s1) + abs(s2) + abs(t1) + abs(t2) < _SILENCE:  # or denormals slow us down
                    s1 = s2 = t1 = t2 = 0.0
            start = stops[index]
        state[channel, 0], state[channel, 1], state[channel, 2] = s1, s2, t1
        state[channel, 3], state[channel, 4] = t2, total


class EnergyMatrixMeter:
    """Measures the energies of all products of stereo signals, hence of their mix at any gains.

    Loudness is quadratic in the gains: with M the matrix of a hop, the sum of the signals at gains
    g has the energy gᵀ·M·g. A mixer can so search for gains without summing audio again.

    Args:
        sample_rate: Frames per second.
        signals: Number of stereo signals.
    """

    def __init__(self, sample_rate: int, signals: int) -> None:
        self._sample_rate = sample_rate
        self._signals = signals
        self._filter = BiquadCascade(k_weighting(sample_rate), 2 * signals)
        self._pending = np.empty((signals, 2, 0))
        self._position = 0
        self._finished: list[NDArray[np.float64]] = []

    def add(self, blocks: Sequence[Samples] | Samples) -> None:
        """Takes the next block of each signal: ``signals`` arrays ``(2, frames)``."""
        weighted = self._filter.process(np.concatenate(blocks))
        weighted = weighted.reshape(self._signals, 2, -1)
        first = hops_within(self._position, self._sample_rate)
        self._position += weighted.shape[2]
        last = hops_within(self._position, self._sample_rate)
        pending = np.concatenate([self._pending, weighted], axis=2)
        offset = hop_start(first, self._sample_rate)
        for hop in range(first, last):
            start, stop = (hop_start(edge, self._sample_rate) for edge in (hop, hop + 1))
            piece = pending[:, :, start - offset : stop - offset].reshape(self._signals, -1)
            self._finished.append(piece @ piece.T / (stop - start))
        self._pending = pending[:, :, hop_start(last, self._sample_rate) - offset :].copy()

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Matrices ``(hops, signals, signals)`` of all complete hops so far."""
        return np.array(self._finished).reshape(-1, self._signals, self._signals)


def measure_energies(source: AudioSource) -> Energies:
    """Measures the energies ``(hops,)`` of a whole source in one pass.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    meter = LoudnessMeter(source.sample_rate, source.channels)
    for block in source.blocks():
        meter.add(block)
    return meter.energies


def combine_energies(matrix: NDArray[np.float64], gains: ArrayLike) -> Energies:
    """Computes the energies of the sum of signals at given gains.

    Args:
        matrix: Matrices ``(hops, signals, signals)`` of an `EnergyMatrixMeter`.
        gains: Linear gain of each signal ``(signals,)``; a negative one inverts the polarity.

    Returns:
        Energies ``(hops,)``.
    """
    factors = np.asarray(gains, dtype=np.float64)
    energies: Energies = np.einsum("hij,i,j->h", matrix, factors, factors)
    return np.maximum(energies, 0.0)  # signals that cancel leave rounding errors of either sign


def integrated_lufs(energies: Energies) -> float:
    """Computes integrated loudness (BS.1770-4, eq. 5–7): gated blocks of 400 ms, overlap 75 %.

    Returns:
        Loudness in LUFS; −inf when no block passes the gates or the audio is shorter than 400 ms.
    """
    blocks = _sliding_means(energies, _MOMENTARY_HOPS)
    return energy_to_lufs(_mean(_gate(blocks, _INTEGRATED_GATE_LU)))


def momentary_lufs(energies: Energies) -> NDArray[np.float64]:
    """Computes the loudness ``(hops,)`` of the 400 ms up to the end of each hop.

    Silence is assumed before the start; silent stretches read −inf.
    """
    return _sliding_lufs(energies, _MOMENTARY_HOPS)


def short_term_lufs(energies: Energies) -> NDArray[np.float64]:
    """Computes the loudness ``(hops,)`` of the 3 s up to the end of each hop.

    Silence is assumed before the start; silent stretches read −inf.
    """
    return _sliding_lufs(energies, _SHORT_TERM_HOPS)


def loudness_range_lu(energies: Energies, window_s: float = 3.0) -> float:
    """Computes loudness range (EBU Tech 3342): 10th to 95th percentile of the gated loudness.

    Args:
        energies: Energies ``(hops,)`` of a `LoudnessMeter`.
        window_s: Length of the sliding window, a multiple of 0.1 s. 3 s is the standard's; the
            vocal compression rule of Li & Lerch was tuned with 0.1 s.

    Returns:
        Loudness range in LU; 0 when nothing passes the gates or the audio is shorter than the
        window.
    """
    blocks = _sliding_means(energies, max(1, round(window_s * HOPS_PER_SECOND)))
    passed = np.sort(_gate(blocks, _RANGE_GATE_LU))
    if not len(passed):
        return 0.0
    # Nearest rank, as in the reference implementation that Tech 3342 prints.
    low, high = (passed[math.floor((len(passed) - 1) * share + 0.5)] for share in (0.10, 0.95))
    return energy_to_lufs(high) - energy_to_lufs(low)


def energy_to_lufs(energy: float) -> float:
    """Converts an energy to a loudness in LUFS; 0 gives −inf."""
    return OFFSET_LUFS + 10.0 * math.log10(energy) if energy > 0 else -math.inf


def _sliding_means(energies: Energies, hops: int) -> Energies:
    if len(energies) < hops:
        return np.empty(0)
    means: Energies = np.lib.stride_tricks.sliding_window_view(energies, hops).mean(axis=1)
    return means


def _sliding_lufs(energies: Energies, hops: int) -> NDArray[np.float64]:
    means = _sliding_means(np.concatenate([np.zeros(hops - 1), energies]), hops)
    levels = np.full(means.shape, -np.inf)
    np.log10(means, out=levels, where=means > 0)
    return OFFSET_LUFS + 10.0 * levels


def _gate(blocks: Energies, relative_gate_lu: float) -> Energies:
    """Selects the blocks above −70 LUFS and above the gate relative to the mean of those."""
    blocks = blocks[blocks > db_to_power(ABSOLUTE_GATE_LUFS - OFFSET_LUFS)]
    return blocks[blocks > _mean(blocks) * db_to_power(relative_gate_lu)]


def _mean(energies: Energies) -> float:
    return float(energies.mean()) if len(energies) else 0.0
