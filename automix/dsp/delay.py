"""Echoes: a delay line with feedback and two filters.

With the delay ``D`` in whole samples, the feedback ``g``, and the filters ``F``, which are a high
pass at the low cut and a low pass at the high cut, Butterworth of second order each::

    echoes[n] = F(input[n − D] + g · echoes[n − D])

so repeat k comes k·D after the input, at g ** (k − 1) of its level, and has gone through ``F`` k
times: each repeat is duller and thinner than the one before, as with tape. A cut at the end of its
range, 20 Hz or 20 kHz, is none. Left and right have lines of their own. With ``ping_pong`` the mean
of the sides feeds the left line, and the lines feed each other: repeats alternate, the first left.
"""

import math

import numpy as np
from numpy.typing import NDArray

from automix.dsp.biquad import BiquadCascade, coefficients
from automix.plan.settings import DelaySettings
from automix.units import ms_to_samples

LONGEST_TAIL_S = 60.0
"""What still sounds after that is cut; only strong feedback of long delays does."""

_BUTTERWORTH_Q = math.sqrt(0.5)
_SILENT = 1e-15  # −300 dB


class Echoes:
    """The wet part alone, streaming.

    Args:
        settings: Its `wet` is ignored.
        sample_rate: Frames per second, 8–192 kHz.
    """

    def __init__(self, settings: DelaySettings, sample_rate: int) -> None:
        self._feedback = settings.feedback
        self._ping_pong = settings.ping_pong
        self._filters = BiquadCascade(sections(settings, sample_rate), 2)
        self._line = np.zeros((2, ms_to_samples(settings.time_ms, sample_rate)))
        self._position = 0

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The echoes ``(2, n)`` that fall on the next block ``(1, n)`` or ``(2, n)``."""
        result = np.empty((2, block.shape[1]))
        start = 0
        while start < block.shape[1]:
            frames = min(block.shape[1] - start, self._line.shape[1] - self._position)
            stop, end = start + frames, self._position + frames
            line = self._line[:, self._position : end]
            echoes = self._filters.process(line)
            echoes[np.abs(echoes) < _SILENT] = 0.0  # or they would go round forever
            result[:, start:stop] = echoes
            line[:] = self._feedback * (echoes[::-1] if self._ping_pong else echoes)
            if self._ping_pong:
                line[0] += block[:, start:stop].mean(axis=0)
            else:
                line += block[:, start:stop]
            start, self._position = stop, end % self._line.shape[1]
        return result


class Delay:
    """Streaming delay on stereo: (1 − w)·dry + w·echoes.

    Args:
        settings: With a wet of 0 nothing is done.
        sample_rate: Frames per second, 8–192 kHz.
        channels: The number of sides; two.
    """

    def __init__(self, settings: DelaySettings, sample_rate: int, channels: int = 2) -> None:
        self._wet = settings.wet
        self._echoes = Echoes(settings, sample_rate)

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(2, n)``."""
        if self._wet == 0.0:
            return block
        return (1.0 - self._wet) * block + self._wet * self._echoes.process(block)


def sections(settings: DelaySettings, sample_rate: int) -> NDArray[np.float64]:
    """The filters that each repeat goes through once more: biquad coefficients ``(n, 5)``."""
    rows = []
    if settings.cuts_lows:
        rows.append(
            coefficients("high_pass", settings.low_cut_hz, 0.0, _BUTTERWORTH_Q, sample_rate)
        )
    if settings.cuts_highs:
        rows.append(
            coefficients("low_pass", settings.high_cut_hz, 0.0, _BUTTERWORTH_Q, sample_rate)
        )
    return np.array(rows).reshape(-1, 5)


def tail_s(settings: DelaySettings) -> float:
    """Until the repeats are 60 dB below the first one, or `LONGEST_TAIL_S`."""
    repeats = 1
    if settings.feedback > 0.0:
        repeats += math.ceil(-3.0 / math.log10(settings.feedback))
    rings_s = 0.0
    if settings.cuts_lows:  # two time constants and more of the high pass, per decade
        rings_s = math.log(1000.0) / (math.sqrt(2.0) * math.pi * settings.low_cut_hz)
    return min(repeats * settings.time_ms / 1000.0 + rings_s, LONGEST_TAIL_S)
