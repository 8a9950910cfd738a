"""Energies that a signal would have after each of several compressors, in one pass.

For finding a setting: the gain is computed at the full rate, but applied to the K-weighted energy
of short groups of samples (at most 2 ms, against an attack of 30 ms) instead of to the signal. The
mean of the reduction at the ends of a group stands for all of it. The chosen setting is then
measured on real audio.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automix.analysis.hops import hop_start, hops_within
from automix.dsp.biquad import BiquadCascade
from automix.dsp.compiled import kernel
from automix.dsp.compressor import smoothing_pole
from automix.dsp.k_weighting import k_weighting
from automix.plan.settings import CompressorSettings
from automix.units import db_to_gain


@kernel
def _add_energies(
    key: NDArray[np.float64],
    power: NDArray[np.float64],
    curves: NDArray[np.float64],
    poles: tuple[float, float],
    start: int,
    sample_rate: int,
    smoothed: NDArray[np.float64],
    energies: NDArray[np.float64],
) -> None:
    log_thresholds, slopes = curves[0], curves[1]
    attack, release = poles
    lowest = math.exp(log_thresholds.min())
    settings = log_thresholds.shape[0]
    before = smoothed.copy()  # the group that is being gathered
    gathered = 0.0
    for n in range(key.shape[0]):
        level = abs(key[n])
        log_level = math.log(level) if level > lowest else -1e3
        for k in range(settings):
            target = max(0.0, slopes[k] * (log_level - log_thresholds[k]))
            pole = attack if target > smoothed[k] else release
            smoothed[k] = target + pole * (smoothed[k] - target)
        gathered += power[n]
        position = start + n + 1
        hop = (position * 10 - 6) // sample_rate  # as in hops.py: edges at the nearest frame
        if position % 16 == 0 or (position * 10 + 4) // sample_rate != hop or n == len(key) - 1:
            for k in range(settings):
                if gathered > 0.0:
                    energies[k, hop] += gathered * math.exp(-before[k] - smoothed[k])
                if smoothed[k] < 1e-12:  # no denormals
                    smoothed[k] = 0.0
                before[k] = smoothed[k]
            gathered = 0.0


class CompressorLadder:
    """Streaming; all settings share attack and release.

    Args:
        settings: The compressors, thresholds below 0 dB.
        sample_rate: Frames per second.
        channels: Of the signal.
        frames: Length of the signal.
    """

    def __init__(
        self, settings: Sequence[CompressorSettings], sample_rate: int, channels: int, frames: int
    ) -> None:
        self._rate = sample_rate
        log_thresholds = [math.log(db_to_gain(s.threshold_db)) for s in settings]
        self._curves = np.array([log_thresholds, [1.0 - 1.0 / s.ratio for s in settings]])
        self._poles = (
            smoothing_pole(settings[0].attack_ms, sample_rate),
            smoothing_pole(settings[0].release_ms, sample_rate),
        )
        self._smoothed = np.zeros(len(settings))
        self._weighting = BiquadCascade(k_weighting(sample_rate), channels)
        self._position = 0
        self._sums = np.zeros((len(settings), hops_within(frames, sample_rate) + 1))

    def add(self, block: NDArray[np.float64]) -> None:
        """The next block ``(channels, n)``, its level as the compressors are to see it."""
        weighted = self._weighting.process(block)
        _add_energies(
            np.ascontiguousarray(block.mean(axis=0)),
            np.einsum("cn,cn->n", weighted, weighted),
            self._curves,
            self._poles,
            self._position,
            self._rate,
            self._smoothed,
            self._sums,
        )
        self._position += block.shape[1]

    @property
    def energies(self) -> NDArray[np.float64]:
        """Mean squares ``(settings, hops)`` of the whole 100 ms hops so far."""
        edges = [
            hop_start(hop, self._rate) for hop in range(hops_within(self._position, self._rate) + 1)
        ]
        return self._sums[:, : len(edges) - 1] / np.diff(edges)
