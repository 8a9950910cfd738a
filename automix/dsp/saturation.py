"""Saturation: a soft, odd curve without memory, oversampled four times.

The curve has slope 1 at 0 and reaches ±1, full scale, with three derivatives of 0; its derivative
is (1 − v²)³. It is odd: it makes odd harmonics only, moves no mean, and polarity does not matter.

    f(t) = v·(1 − v² + 3/5·v⁴ − 1/7·v⁶)·35/16,   v = 16/35·t held within ±1

With a drive g (a gain), y = f(s·x)/s with s = √(g² − 1). Small signals have a gain of 1 at any
drive, and a drive of 0 dB is the straight line to which the curve tends, so that the drive may move
through it; from 6 dB on, s is g within 1.3 dB.

It is a polynomial of degree 7: as long as the peaks stay below 35/16/s (−5 dBFS at 12 dB of drive),
there are no harmonics above the seventh, and four times the rate is enough that none of them folds
back, whatever the frequency. Above that, the corners of the curve add higher ones.

Only what the curve adds, f(s·x)/s − x, is filtered: the input itself passes sample for sample, to
the end of its band. What is added is whole up to 0.38 of the sample rate, 16.8 kHz at 44.1 kHz, and
nothing is left of it at half the rate.
"""

import numpy as np
from numpy.typing import NDArray

from automix.dsp.compiled import kernel
from automix.plan.settings import SaturationSettings
from automix.units import db_to_gain

Vector = NDArray[np.float64]

KNEE = 35.0 / 16.0
"""Where the curve has reached full scale."""

_TILE = 1024  # frames that are treated at once: all stages stay in the cache
_EDGE_PAIRS = 24
_HALF_BAND_PAIRS = 8
_EDGE_REACH = _EDGE_PAIRS  # in frames; it has 48 weights to either side, at twice the rate
_HALF_BAND_REACH = _HALF_BAND_PAIRS // 2  # in frames; 15 weights to either side, at four times
LATENCY_FRAMES = 2 * (_EDGE_REACH + _HALF_BAND_REACH)


def _low_pass(corner: float, reach: int) -> Vector:
    """The middle and one side of a low pass with a Kaiser window, of sum 1; −90 dB beyond its edge.

    Args:
        corner: Where it is down by 6 dB, in cycles per sample.
        reach: Weights beside the middle one.
    """
    distance = np.arange(reach + 1)
    window = np.i0(9.0 * np.sqrt(1.0 - (distance / (reach + 1)) ** 2))
    weights = np.sinc(2.0 * corner * distance) * window
    return np.asarray(weights / (2.0 * weights.sum() - weights[0]))


def _half_band(pairs: int) -> Vector:
    """A low pass at a quarter of the rate, of which every second weight is 0 but the middle one."""
    weights = _low_pass(0.25, 2 * pairs - 1)
    weights[0::2] = 0.0
    weights *= 0.25 / weights.sum()
    weights[0] = 0.5
    return weights


EDGE = _low_pass(0.22, 2 * _EDGE_PAIRS)
"""At twice the rate: it falls between 0.38 and 0.5 of the sample rate."""

HALF_BAND = _half_band(_HALF_BAND_PAIRS)
"""At four times the rate: it is flat to 0.5 and falls until 1.5 of the sample rate."""

_EDGE_MIDDLE = float(EDGE[0])
_EDGE_EVEN = EDGE[2::2].copy()
_EDGE_ODD = EDGE[1::2].copy()
_HALF_BAND_ODD = HALF_BAND[1::2].copy()


def latency_frames(settings: SaturationSettings, sample_rate: int) -> int:
    """How many frames the output comes late: the reach of the filters, at any rate."""
    return LATENCY_FRAMES


class Saturation:
    """Streaming saturation, `LATENCY_FRAMES` late, of each channel by itself.

    Args:
        settings: A drive or a mix of 0 delays only.
        sample_rate: Frames per second; it does the same at any rate, relative to it.
        channels: The number of channels of the blocks.
    """

    def __init__(self, settings: SaturationSettings, sample_rate: int, channels: int) -> None:
        self._scale = scale_of(db_to_gain(settings.drive_db))
        self._mix = settings.mix if settings.is_active else 0.0
        self._past = np.zeros((channels, 2 * LATENCY_FRAMES))

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``, saturated, and late."""
        joined = np.concatenate([self._past, block], axis=1)
        frames = block.shape[1]
        self._past = joined[:, frames:]
        result = joined[:, LATENCY_FRAMES : LATENCY_FRAMES + frames].copy()
        if self._mix > 0.0:
            for channel, samples in enumerate(joined):
                _add_bent(samples, self._scale, self._mix, result[channel])
        return result


def scale_of(drive: float) -> float:
    """How much louder than its input the curve is fed, by the drive as a gain."""
    return float(np.sqrt(drive * drive - 1.0))


@kernel
def _add_bent(samples: Vector, scale: float, mix: float, result: Vector) -> None:
    """Adds ``mix`` times what the curve adds to ``result``.

    Args:
        samples: Has `LATENCY_FRAMES` more at either end than ``result``.
        scale: How much louder the curve is fed.
        mix: How much of it is added.
        result: The input, in time; changed.
    """
    for first in range(0, result.size, _TILE):
        frames = min(_TILE, result.size - first)
        tile = samples[first : first + frames + 2 * LATENCY_FRAMES]

        # Up to twice the rate: at the frames, half way to the next, and both in turn.
        wide = frames + 2 * (LATENCY_FRAMES - _EDGE_REACH)
        at_frames = _EDGE_MIDDLE * tile[_EDGE_REACH : _EDGE_REACH + wide]
        half_way = np.zeros(wide)
        _add_pairs(tile, _EDGE_EVEN, 2, at_frames)
        _add_pairs(tile[1:], _EDGE_ODD, 1, half_way)
        doubled = np.empty(2 * wide)
        for n in range(wide):
            doubled[2 * n] = 2.0 * at_frames[n]
            doubled[2 * n + 1] = 2.0 * half_way[n]

        # Up to four times: those, and what is half way between them.
        between = np.zeros(2 * wide - 2 * _HALF_BAND_PAIRS + 1)
        _add_pairs(doubled, _HALF_BAND_ODD, 1, between)
        between *= 2.0

        _bend(doubled, scale)
        _bend(between, scale)

        # Down to twice the rate, and to the frames.
        narrow = 2 * (frames + 2 * _EDGE_REACH)
        start = 2 * _HALF_BAND_PAIRS
        bent = 0.5 * doubled[start : start + narrow]
        _add_pairs(between[1:], _HALF_BAND_ODD, 1, bent)
        even, odd = bent[0::2].copy(), bent[1::2].copy()
        added = _EDGE_MIDDLE * even[_EDGE_REACH : _EDGE_REACH + frames]
        _add_pairs(even, _EDGE_EVEN, 2, added)
        _add_pairs(odd, _EDGE_ODD, 1, added)
        for n in range(frames):
            result[first + n] += mix * added[n]


@kernel
def _bend(values: Vector, scale: float) -> None:
    """Replaces x by what the curve adds to it, f(s·x)/s − x."""
    highest = KNEE / scale
    for n in range(values.size):
        x = values[n]
        held = min(max(x, -highest), highest)
        v = held / highest
        w = v * v
        values[n] = held * w * (w * (0.6 - w * (1.0 / 7.0)) - 1.0) + (held - x)


@kernel
def _add_pairs(values: Vector, weights: Vector, gap: int, result: Vector) -> None:
    """Adds weighted sums of values that lie ``gap`` apart, and of ever wider pairs around them.

    ``result[n]`` gets that around ``values[n + weights.size - 1]`` and the one ``gap`` further. The
    number of weights is a multiple of four: this form is compiled to vector instructions.
    """
    count = weights.size
    frames = result.size
    for k in range(0, count, 4):
        w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        left = values[count - 4 - k : count - 1 - k + frames]
        right = values[count - 1 + gap + k : count + 2 + gap + k + frames]
        for n in range(frames):
            result[n] += (w0 * (left[n + 3] + right[n]) + w1 * (left[n + 2] + right[n + 1])) + (
                w2 * (left[n + 1] + right[n + 2]) + w3 * (left[n] + right[n + 3])
            )
