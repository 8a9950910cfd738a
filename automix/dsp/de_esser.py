"""A de-esser: a high shelf that goes down while the treble dominates the voice.

Detection is relative (treble against the whole signal), so it does not depend on level: a sibilant
carries nearly all of its energy above the corner, a vowel hardly any.

The shelf is made of the low, middle and high part of one second-order filter, L + √g·M + g·H with
|·|² = (1 + g²w⁴) / (1 + w⁴): it is Butterworth at every gain g, raises nothing, and has no
recursion that the changing gain could upset. At the deepest cut it is the equalizer's high shelf.
"""

import math

import numpy as np
from numpy.typing import NDArray

from automix.dsp.biquad import BiquadCascade, BiquadKind, coefficients
from automix.dsp.compiled import kernel
from automix.dsp.compressor import smoothing_pole
from automix.plan.settings import DeEsserSettings
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
        channels: The number of channels of the blocks.
    """

    def __init__(self, settings: DeEsserSettings, sample_rate: int, channels: int) -> None:
        self._active = (
            settings.max_reduction_db > 0.0 and settings.frequency_hz < 0.45 * sample_rate
        )
        self._lowest_gain = db_to_gain(-settings.max_reduction_db)
        corner_hz = settings.frequency_hz
        self._detected = self._filter("high_pass", corner_hz, sample_rate, 1)
        # The poles of a shelf lie below its midpoint, on the frequency scale of digital filters.
        width = math.tan(math.pi * corner_hz / sample_rate) * self._lowest_gain**0.25
        pole_hz = math.atan(width) * sample_rate / math.pi
        self._low = self._filter("low_pass", pole_hz, sample_rate, channels)
        self._high = self._filter("high_pass", pole_hz, sample_rate, channels)
        self._detector = smoothing_pole(_DETECTOR_MS, sample_rate)
        self._release = smoothing_pole(_RELEASE_MS, sample_rate)
        self._threshold_power = db_to_power(settings.threshold_db)
        self._state = np.array([0.0, 0.0, 1.0])

    @staticmethod
    def _filter(kind: BiquadKind, corner_hz: float, rate: int, channels: int) -> BiquadCascade:
        return BiquadCascade(coefficients(kind, corner_hz, 0.0, math.sqrt(0.5), rate), channels)

    def gain(self, block: NDArray[np.float64]) -> NDArray[np.float64] | float:
        """Linear gain of the treble for the next block ``(channels, n)``: ``(n,)``, or 1."""
        if not self._active:
            return 1.0
        whole = block.mean(axis=0, keepdims=True)
        gain = np.empty(block.shape[1])
        _treble_gain(
            whole[0],
            self._detected.process(whole)[0],
            self._detector,
            self._release,
            self._threshold_power,
            self._lowest_gain,
            self._state,
            gain,
        )
        return gain

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``, de-essed."""
        gain = self.gain(block)
        if isinstance(gain, float):
            return block
        high = self._high.process(block)
        middle = block - self._low.process(block) - high
        return block + (np.sqrt(gain) - 1.0) * middle + (gain - 1.0) * high
