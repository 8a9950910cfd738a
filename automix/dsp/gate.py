"""A gate, or downward expander, with hysteresis and hold.

A peak detector follows the mean of the channels: it rises at once and falls with 10 ms, which
bridges the zero crossings of a bass note. The gate opens when the detector reaches the threshold.
It closes when the detector has been below the threshold less the hysteresis for as long as the
hold; all of this is decided at every sample. While it is closed the attenuation grows by 8 dB for
each dB below the threshold, until it has the range: at the threshold it is 0, so that a sound which
swells up to it opens the gate without a step, and 10 dB below it even the largest range is reached.
The attenuation, in dB, is smoothed with one pole: the attack where it falls, the release where it
rises.

A track begins with the gate closed but without any attenuation yet, and attenuation begins with the
first sample that is not digital silence. A song that starts at once, or after the silence that its
export put in front, thus keeps its first attack whole; noise in front of the music fades away with
the release.
"""

import math

import numpy as np
from numpy.typing import NDArray

from automix.dsp.compiled import kernel
from automix.dsp.compressor import NEPERS_PER_DB, smoothing_pole
from automix.plan.settings import GateSettings
from automix.units import ms_to_samples

DETECTOR_MS = 10.0
SLOPE = 8.0
"""By how many dB the attenuation grows for each dB of level below the threshold."""

SILENT_LEVEL = 1e-15
"""A detector that fell below this is at 0."""

_SILENT_DEPTH = 1e4  # nepers: more than any range


@kernel
def measure_depth(
    key: NDArray[np.float64],
    threshold: float,
    closing: float,
    hold: int,
    detector: float,
    state: NDArray[np.float64],
    depth: NDArray[np.float64],
) -> None:
    """Decides at every sample whether the gate is open, and if not how far the level is below.

    Args:
        key: The mean of the channels, ``(frames,)``.
        threshold: Level at which the gate opens, in nepers of full scale.
        closing: Level below which it begins to close, in nepers.
        hold: How many frames it stays open below that level.
        detector: Pole of the falling detector.
        state: The detector, 1 where the gate is open, the frames of hold that are left, and 1 once
            there was any sound; zeros at the start.
        depth: Result ``(frames,)``: attenuation in nepers, whatever the range; 0 where it is open.
    """
    level, is_open, held, is_heard = state
    opening_level, closing_level = math.exp(threshold), math.exp(closing)
    for n in range(key.shape[0]):
        peak = abs(key[n])
        level = max(peak, detector * level)
        if level < SILENT_LEVEL:
            level = 0.0
        if peak > 0.0:
            is_heard = 1.0
        if level >= opening_level:
            is_open = 1.0
        if is_open > 0.0:
            if level >= closing_level:
                held = hold
            elif held > 0.0:
                held -= 1.0
            else:
                is_open = 0.0
        if is_open > 0.0 or is_heard == 0.0:
            depth[n] = 0.0
        elif level > 0.0:
            depth[n] = SLOPE * (threshold - math.log(level))
        else:
            depth[n] = _SILENT_DEPTH
    state[0], state[1], state[2], state[3] = level, is_open, held, is_heard


@kernel
def _smooth_gain(
    depth: NDArray[np.float64],
    deepest: float,
    attack: float,
    release: float,
    state: NDArray[np.float64],
    gain: NDArray[np.float64],
) -> None:
    """Writes the linear gain of each sample; ``state[0]`` is the attenuation in nepers."""
    smoothed = state[0]
    for n in range(depth.shape[0]):
        target = min(depth[n], deepest)
        pole = release if target > smoothed else attack
        smoothed = target + pole * (smoothed - target)
        if smoothed < 1e-9 and target == 0.0:  # −0.00000001 dB: unity, and no denormals
            smoothed = 0.0
            gain[n] = 1.0
        else:
            gain[n] = math.exp(-smoothed)
    state[0] = smoothed


class Gate:
    """Streaming gate; all channels get the gain keyed on their mean.

    Args:
        settings: A range of 0 dB leaves the audio unchanged.
        sample_rate: Frames per second.
        channels: Any number, as they share one gain.
    """

    def __init__(self, settings: GateSettings, sample_rate: int, channels: int = 2) -> None:
        self._deepest = settings.range_db * NEPERS_PER_DB
        self._threshold = settings.threshold_db * NEPERS_PER_DB
        self._closing = self._threshold - settings.hysteresis_db * NEPERS_PER_DB
        self._hold = ms_to_samples(settings.hold_ms, sample_rate)
        self._attack = smoothing_pole(settings.attack_ms, sample_rate)
        self._release = smoothing_pole(settings.release_ms, sample_rate)
        self._detector = smoothing_pole(DETECTOR_MS, sample_rate)
        self._decision = np.zeros(4)
        self._smoothed = np.zeros(1)

    def gain(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """Linear gain ``(n,)`` for the next block ``(channels, n)``."""
        depth, gain = np.empty(block.shape[1]), np.empty(block.shape[1])
        measure_depth(
            np.ascontiguousarray(block[0] if len(block) == 1 else block.mean(axis=0)),
            self._threshold,
            self._closing,
            self._hold,
            self._detector,
            self._decision,
            depth,
        )
        _smooth_gain(depth, self._deepest, self._attack, self._release, self._smoothed, gain)
        return gain

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``, gated."""
        return block if self._deepest == 0.0 else block * self.gain(block)
