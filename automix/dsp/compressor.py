"""The hard-knee compressor of Steinmetz 2020, section 4.3.2 (after Giannoulis et al. 2012).

Level x_G = 20·log10|x|; gain computer y_G with threshold T and ratio R; x_L = x_G − y_G; one-pole
smoothing of x_L with the attack constant where it rises and the release constant where it falls,
decided at every sample; gain −y_L + makeup. The loop works in nepers, so that the logarithm is
taken only above the threshold and the exponential only while gain is reduced.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.dsp.compiled import kernel
from automix.plan.settings import CompressorSettings
from automix.units import db_to_gain

NEPERS_PER_DB = math.log(10.0) / 20.0


@kernel
def _reduction_gain(
    key: NDArray[np.float64],
    threshold: float,
    slope: float,
    attack: float,
    release: float,
    state: NDArray[np.float64],
    gain: NDArray[np.float64],
) -> None:
    """Writes the linear gain of each sample; ``state[0]`` is y_L in nepers."""
    smoothed = state[0]
    log_threshold = math.log(threshold)
    for n in range(key.shape[0]):
        level = abs(key[n])
        target = slope * (math.log(level) - log_threshold) if level > threshold else 0.0
        pole = attack if target > smoothed else release
        smoothed = target + pole * (smoothed - target)
        if smoothed < 1e-9 and target == 0.0:  # −0.00000001 dB: unity, and no denormals
            smoothed = 0.0
            gain[n] = 1.0
        else:
            gain[n] = math.exp(-smoothed)
    state[0] = smoothed


def smoothing_pole(time_ms: float, sample_rate: int) -> float:
    """Pole of the one-pole smoother that covers 1 − 1/e of a step in ``time_ms``."""
    return math.exp(-1000.0 / (time_ms * sample_rate))


class Compressor:
    """Streaming compressor; all channels get the gain keyed on their mean.

    Args:
        settings: A threshold of 0 dB, or a ratio of 1, leaves only the makeup gain.
        sample_rate: Frames per second.
        channels: Any number, as they share one gain.
    """

    def __init__(self, settings: CompressorSettings, sample_rate: int, channels: int = 2) -> None:
        self._active = settings.compresses
        self._threshold = db_to_gain(settings.threshold_db)
        self._slope = 1.0 - 1.0 / settings.ratio
        self._attack = smoothing_pole(settings.attack_ms, sample_rate)
        self._release = smoothing_pole(settings.release_ms, sample_rate)
        self._makeup = db_to_gain(settings.makeup_db)
        self._state = np.zeros(1)

    def gain(self, block: NDArray[np.float64]) -> NDArray[np.float64] | float:
        """Linear gain for the next block ``(channels, n)``: ``(n,)``, or one number if constant."""
        if not self._active:
            return self._makeup
        gain = np.empty(block.shape[1])
        _reduction_gain(
            np.ascontiguousarray(block[0] if len(block) == 1 else block.mean(axis=0)),
            self._threshold,
            self._slope,
            self._attack,
            self._release,
            self._state,
            gain,
        )
        if self._makeup != 1.0:
            gain *= self._makeup
        return gain

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``, compressed."""
        gain = self.gain(block)
        return block if isinstance(gain, float) and gain == 1.0 else block * gain


def describe_stage(settings: CompressorSettings, sample_rate: int) -> dict[str, Any]:
    """What a player of its own needs to compress: linear gains, and the poles of the smoother.

    With a slope of 0 nothing but the makeup gain is left. All channels get one gain, keyed on their
    mean.
    """
    return {
        "kind": "compressor",
        "threshold": db_to_gain(settings.threshold_db),
        "slope": 1.0 - 1.0 / settings.ratio if settings.compresses else 0.0,
        "attack": smoothing_pole(settings.attack_ms, sample_rate),
        "release": smoothing_pole(settings.release_ms, sample_rate),
        "makeup": db_to_gain(settings.makeup_db),
    }
