"""Look-ahead true-peak limiter, linked over the channels, streaming and time-aligned.

The peak between samples comes from interpolation to four times the rate (ITU-R BS.1770-4, annex 2)
and a parabola through the highest points. The reduction that it demands is held from `LOOK_AHEAD_S`
before it to `HOLD_S` after it, so that the half-waves of a bass note do not modulate the gain; then
it recovers exponentially; then a triangle as long as the look-ahead averages it. Values that all
satisfy a peak have an average that satisfies it too, and the gain has no corner.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import Samples
from automix.dsp.compiled import kernel
from automix.plan.settings import LimiterSettings
from automix.units import db_to_gain, seconds_to_samples

LOOK_AHEAD_S = 0.002
HOLD_S = 0.008
MARGIN_DB = 0.05
"""How far below the ceiling an over is brought, for the error of the estimate. Above 0.47 of the
sample rate no two meters agree: white noise and hard cuts may read some tenths of a dB higher."""

_TILE = 1024
_UNIT = 2.0**32  # running sums of whole numbers do not drift

Vector = NDArray[np.float64]


def _halving_filter(taps: int, beta: float) -> Samples:
    """One side of a half-band interpolator: weights of the neighbors at 1/2, 3/2 … samples."""
    distance = np.arange(taps) + 0.5
    window = np.i0(beta * np.sqrt(1.0 - (distance / taps) ** 2)) / np.i0(beta)
    weights = np.sinc(distance) * window
    return np.asarray(0.5 * weights / weights.sum(), dtype=np.float32)


_TO_DOUBLE = _halving_filter(48, 8.0)  # flat to 0.47 of the sample rate
_TO_QUADRUPLE = _halving_filter(8, 8.0)
_REACH = len(_TO_DOUBLE) + len(_TO_QUADRUPLE)  # frames around an interval that its peak depends on


class Limiter:
    """Keeps the true peak of a stream at or below a ceiling.

    Where nothing exceeds the ceiling the gain is exactly 1 and the samples pass unchanged. The
    result does not depend on how the stream is cut into blocks.

    Args:
        settings: Ceiling and release; neutral settings pass everything.
        sample_rate: Frames per second.
    """

    def __init__(self, settings: LimiterSettings, sample_rate: int) -> None:
        self._settings = settings
        self._sample_rate = sample_rate

    def limited(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """The limited stream ``(channels, n)`` float32, block for block and aligned in time."""
        for block, gain in self.gains(blocks):
            yield (block * gain).astype(np.float32)

    def gains(self, blocks: Iterable[Samples]) -> Iterator[tuple[Samples, Vector]]:
        """Every block as it came, and the gain that limits it.

        The look-ahead is taken from later blocks, so that a block leaves when the next has come.

        Args:
            blocks: ``(channels, n)``; the number of channels is that of the first block.

        Yields:
            The block, and ``(n,)`` float64 linear gain in 0…1 for all of its channels.
        """
        if self._settings.is_neutral:
            yield from ((block, np.ones(block.shape[1])) for block in blocks)
            return
        curve: _GainCurve | None = None
        waiting: deque[Samples] = deque()
        known = np.empty(0)
        block: Samples | None
        for block in chain(blocks, (None,)):
            if block is not None:
                curve = curve or _GainCurve(self._settings, self._sample_rate, len(block))
                waiting.append(block)
                known = np.append(known, curve.process(block))
            elif curve is not None:
                known = np.append(known, curve.finish())
            while waiting and waiting[0].shape[1] <= known.size:
                frames = waiting[0].shape[1]
                yield waiting.popleft(), known[:frames]
                known = known[frames:]


class _GainCurve:
    """The gain of one stream; every value comes `delay` frames after its sample."""

    def __init__(self, settings: LimiterSettings, sample_rate: int, channels: int) -> None:
        look_ahead = seconds_to_samples(LOOK_AHEAD_S, sample_rate)
        hold = seconds_to_samples(HOLD_S, sample_rate)
        self._ceiling = db_to_gain(settings.ceiling_dbtp)
        self._target = db_to_gain(settings.ceiling_dbtp - MARGIN_DB)
        self._kept = math.exp(-1000.0 / (settings.release_ms * sample_rate))
        self._window = hold + look_ahead + 1
        self._boxes = (look_ahead // 2 + 1, look_ahead - look_ahead // 2 + 1)
        self._delay = _REACH + look_ahead
        self._channels = channels
        # What every step still needs of the past; the stream is preceded by silence.
        self._samples = np.zeros((channels, 2 * _REACH), dtype=np.float32)
        self._demands = np.zeros(self._window - 1)
        self._depth = np.zeros(1)
        self._averaged = np.zeros(look_ahead, dtype=np.int64)
        self._surplus = self._delay

    def process(self, block: Samples) -> Vector:
        """The gains that become known with ``block``: as many as its frames, after the delay."""
        samples = np.concatenate((self._samples, block), axis=1)
        self._samples = samples[:, samples.shape[1] - 2 * _REACH :]
        peaks = np.zeros(block.shape[1] + 1, dtype=np.float32)
        _true_peaks(samples, peaks, self._ceiling, _TO_DOUBLE, _TO_QUADRUPLE)
        peak = np.maximum(peaks[:-1], peaks[1:])
        over = peak > self._ceiling
        demand = np.where(over, 1.0 - self._target / np.where(over, peak, np.float64(1.0)), 0.0)

        demands = np.concatenate((self._demands, demand))
        self._demands = demands[demands.size - self._window + 1 :]
        depth = _trailing_maximum(demands, self._window)
        _recover(depth, self._kept, self._depth)

        averaged = np.concatenate((self._averaged, (depth * _UNIT).astype(np.int64)))
        self._averaged = averaged[averaged.size - self._averaged.size :]
        for box in self._boxes:
            total = np.cumsum(np.append(0, averaged))
            averaged = total[box:] - total[:-box]
        gain = 1.0 - averaged / (_UNIT * math.prod(self._boxes))

        dropped = min(self._surplus, gain.size)
        self._surplus -= dropped
        return np.asarray(gain[dropped:])

    def finish(self) -> Vector:
        """The gains still outstanding; the stream is followed by silence."""
        return self.process(np.zeros((self._channels, self._delay), dtype=np.float32))


def _trailing_maximum(values: Vector, window: int) -> Vector:
    """Largest of each value and the ``window - 1`` before it, by doubling; shorter by as many."""
    covered = 1
    while 2 * covered <= window:
        values = np.maximum(values[covered:], values[:-covered])
        covered *= 2
    rest = window - covered
    return np.maximum(values[rest:], values[: values.size - rest])


@kernel
def _recover(depth: Vector, kept: float, state: Vector) -> None:
    """Lets the depth fall exponentially, in place; it rises at once. ``state`` is the last one."""
    last = state[0]
    for n in range(depth.size):
        last = max(depth[n], depth[n] + kept * (last - depth[n]))
        if last * _UNIT < 1.0:
            last = 0.0
        depth[n] = last
    state[0] = last


@kernel
def _true_peaks(
    samples: Samples, peaks: Samples, ceiling: float, to_double: Samples, to_quadruple: Samples
) -> None:
    """Largest magnitude of any channel between each frame and the next.

    ``peaks[n]`` is that between ``samples[:, reach + n - 1]`` and the frame after it. Only those
    above ``ceiling`` are exact; tiles that cannot reach it, by the sum of the weights, are skipped.
    """
    reach = to_double.size + to_quadruple.size
    least = np.float32(0.9 * ceiling)  # the highest of the points is within 0.7 dB of the peak
    gain = 2.0 * np.abs(to_double).sum()  # of the point half way; those beside it have less
    for first in range(0, peaks.size, _TILE):
        count = min(_TILE, peaks.size - first)
        for channel in range(samples.shape[0]):
            tile = samples[channel, first : first + count + 2 * reach - 1]
            if np.abs(tile).max() * gain < least:
                continue
            fine = _interpolate(_interpolate(tile, to_double), to_quadruple)
            for n in range(count):
                at = 4 * (reach + n - 1)
                for point in range(at, at + 5):
                    if abs(fine[point]) > least:
                        height = _vertex(fine[point - 1 : point + 2])
                        peaks[first + n] = max(peaks[first + n], height)


@kernel
def _vertex(points: Samples) -> np.float32:
    """Magnitude of the middle one of three points, or of the parabola if it is the highest."""
    sign = np.float32(math.copysign(1.0, points[1]))
    left, height, right = sign * points[0], sign * points[1], sign * points[2]
    bend = 2 * height - left - right
    if height < left or height < right or bend <= 0:
        return np.float32(height)
    return np.float32(height + (right - left) ** 2 / (8 * bend))


@kernel
def _interpolate(values: Samples, weights: Samples) -> Samples:
    """``values`` with a point between any two; without meaning near the ends.

    Slices, four weights at a time: this form is compiled to vector instructions.
    """
    reach = weights.size
    count = values.size - 2 * reach + 1
    between = np.zeros(count, dtype=np.float32)
    for k in range(0, reach, 4):
        w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        left = values[reach - k - 4 : reach - k - 1 + count]
        right = values[reach + k : reach + k + 3 + count]
        for n in range(count):
            between[n] += (w0 * (left[n + 3] + right[n]) + w1 * (left[n + 2] + right[n + 1])) + (
                w2 * (left[n + 1] + right[n + 2]) + w3 * (left[n] + right[n + 3])
            )
    result = np.zeros(2 * values.size, dtype=np.float32)
    for n in range(values.size):
        result[2 * n] = values[n]
    for n in range(count):
        result[2 * (reach - 1 + n) + 1] = between[n]
    return result
