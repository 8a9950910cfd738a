"""A split-band de-esser: turns the treble down while it dominates the voice.

Detection is relative (treble against the whole signal), so it does not depend on level: a sibilant
carries nearly all of its energy above the corner, a vowel hardly any.
"""

import math

import numpy as np
from numpy.typing import NDArray

from automix.compiled import kernel
from automix.dsp.biquad import BiquadCascade, coefficients
from automix.dsp.compressor import smoothing_pole
from automix.settings import DeEsserSettings
from automix.units import db_to_gain, db_to_power

_DETECTOR_MS = 2.0
_RELEASE_MS = 40.0


@kernel
def _treble_gain(
    whole: NDArray[np.float64],
    treble: NDArray[np.float64],
    detector: float,
    release: float,
    threshold_power: float,
    lowest_gain: float,
    state: NDArray[np.float64],
    gain: NDArray[np.float64],
) -> None:
    """Writes the linear gain of the treble band; the state holds two powers and the gain."""
    whole_power, treble_power, current = state
    for n in range(whole.shape[0]):
        whole_power += (1.0 - detector) * (whole[n] * whole[n] - whole_power)
        treble_power += (1.0 - detector) * (treble[n] * treble[n] - treble_power)
        limit = threshold_power * whole_power
        target = 1.0
        if whole_power > 1e-8 and treble_power > limit:  # −80 dBFS: below it there is no voice
            target = max(math.sqrt(limit / treble_power), lowest_gain)
        pole = detector if target < current else release
        current = target + pole * (current - target)
        gain[n] = current
    state[0] = whole_power if whole_power > 1e-20 else 0.0
    state[1] = treble_power if treble_power > 1e-20 else 0.0
    state[2] = current


class DeEsser:
    """Streaming de-esser, keyed on the mean of the channels.

    Args:
        settings: A deepest cut of 0 dB leaves the audio unchanged.
        sample_rate: Frames per second. Where the corner is not below 0.45 of it, nothing is done.
        channels: Of the blocks.
    """

    def __init__(self, settings: DeEsserSettings, sample_rate: int, channels: int) -> None:
        self._active = (
            settings.max_reduction_db > 0.0 and settings.frequency_hz < 0.45 * sample_rate
        )
        section = coefficients("high_pass", settings.frequency_hz, 0.0, math.sqrt(0.5), sample_rate)
        self._high_pass = BiquadCascade(section[np.newaxis], channels)
        self._detector = smoothing_pole(_DETECTOR_MS, sample_rate)
        self._release = smoothing_pole(_RELEASE_MS, sample_rate)
        self._threshold_power = db_to_power(settings.threshold_db)
        self._lowest_gain = db_to_gain(-settings.max_reduction_db)
        self._state = np.array([0.0, 0.0, 1.0])

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``, de-essed."""
        if not self._active:
            return block
        treble = self._high_pass.process(block)
        gain = np.empty(block.shape[1])
        _treble_gain(
            np.ascontiguousarray(block.mean(axis=0)),
            np.ascontiguousarray(treble.mean(axis=0)),
            self._detector,
            self._release,
            self._threshold_power,
            self._lowest_gain,
            self._state,
            gain,
        )
        return block + treble * (gain - 1.0)
