"""Moves a track in time by milliseconds, to a fraction of a sample.

Whole samples are a pure shift, which changes no bit. The rest is a windowed sinc (Laakso et al.
1996, "Splitting the unit delay", section on windowing) with a Kaiser window, whose magnitude
deviates by less than 0.01 dB up to 0.9 of the Nyquist frequency.
"""

import math

import numpy as np
from numpy.typing import NDArray

TAPS_BEFORE = 31
"""Taps of the sinc before its middle: so many samples late is what a causal filter gives."""

TAPS_AFTER = 32
KAISER_BETA = 9.0
_FINEST = 1e-6  # samples: nearer to a whole one than that is a whole one, whatever the rounding


def split_delay(delay_ms: float, sample_rate: int) -> tuple[int, float]:
    """Splits a delay into whole samples, rounded down, and the fraction 0…1 of one that is left."""
    samples = delay_ms * sample_rate / 1000.0
    whole = math.floor(samples + _FINEST)
    fraction = samples - whole
    return whole, fraction if fraction > _FINEST else 0.0


def latency_frames(delay_ms: float, sample_rate: int) -> int:
    """How many frames `TimeShift` is later than its delay, which may be negative."""
    whole, fraction = split_delay(delay_ms, sample_rate)
    return max(-whole, 0) + (TAPS_BEFORE if fraction else 0)


def tail_frames(delay_ms: float, sample_rate: int) -> int:
    """How many frames a track sounds on after its own end when it is delayed."""
    whole, fraction = split_delay(delay_ms, sample_rate)
    return max(whole + (TAPS_AFTER if fraction else 0), 0)


def design_taps(fraction: float) -> NDArray[np.float64]:
    """Taps ``(64,)`` that delay by `TAPS_BEFORE` samples and a fraction 0…1 of one."""
    times = np.arange(-TAPS_BEFORE, TAPS_AFTER + 1) - fraction
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(1.0 - (times / TAPS_AFTER) ** 2, 0.0)))
    taps: NDArray[np.float64] = np.sinc(times) * (window / np.i0(KAISER_BETA))
    return taps


class TimeShift:
    """Streaming delay; frame by frame the same however the audio is cut into blocks.

    What comes out is late by `latency_frames` besides; whoever plays it drops as many frames. They
    are silent, so that what comes before the start of the song makes no reverberation in it.

    Args:
        delay_ms: Positive is later.
        sample_rate: Frames per second.
        channels: How many the track has.
    """

    def __init__(self, delay_ms: float, sample_rate: int, channels: int) -> None:
        whole, fraction = split_delay(delay_ms, sample_rate)
        self._taps = design_taps(fraction) if fraction else None
        kept = max(whole, 0) + (TAPS_BEFORE + TAPS_AFTER if fraction else 0)
        self._past = np.zeros((channels, kept))
        self._silent = latency_frames(delay_ms, sample_rate)

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``."""
        frames = block.shape[1]
        joined = np.concatenate([self._past, block], axis=1)
        self._past = joined[:, frames:]
        if self._taps is None:
            result = joined[:, :frames].copy()
        else:
            # Tap by tap, so that every frame is summed in one order wherever its block begins.
            last = len(self._taps) - 1
            result = np.zeros(block.shape)
            for number, tap in enumerate(self._taps):
                result += tap * joined[:, last - number : last - number + frames]
        result[:, : self._silent] = 0.0
        self._silent = max(self._silent - frames, 0)
        return result
