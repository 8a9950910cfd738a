"""Second-order filter sections: design, frequency response, and a stateful cascade."""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automix.dsp.compiled import kernel
from automix.plan.settings import BandKind
from automix.units import db_to_gain

BiquadKind = BandKind | Literal["low_pass"]

HIGHEST_FREQUENCY = 0.49
"""Highest corner frequency as a fraction of the sample rate."""

_TILE_FRAMES = 2048  # 16 KiB of float64: every section after the first reads from the L1 cache
_SILENCE = 1e-60  # far below any sample and far above the denormal numbers, which are slow


def coefficients(
    kind: BiquadKind, frequency_hz: float, gain_db: float, q: float, sample_rate: int
) -> NDArray[np.float64]:
    """Designs one section (Bristow-Johnson, Audio EQ Cookbook; shelves by Q).

    A corner at or above 0.49 of the rate lies beyond what the rate can carry: a peak, a high shelf
    or a low pass there is the identity, a high pass or a low shelf is moved to 0.49 of the rate.

    Args:
        kind: Shape.
        frequency_hz: Center (peak), corner (passes) or midpoint (shelves).
        gain_db: Gain at the center or on the shelf; passes ignore it.
        q: Center frequency over bandwidth; 0.7071 gives a Butterworth pass.
        sample_rate: Frames per second.

    Returns:
        ``(5,)``: b0, b1, b2, a1, a2 with a0 = 1.
    """
    highest_hz = HIGHEST_FREQUENCY * sample_rate
    if frequency_hz >= highest_hz and kind in ("peak", "high_shelf", "low_pass"):
        return np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    angle = 2.0 * math.pi * min(frequency_hz, highest_hz) / sample_rate
    cosine, alpha = math.cos(angle), math.sin(angle) / (2.0 * q)
    if kind == "high_pass":
        b = ((1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2)
        a = (1 + alpha, -2 * cosine, 1 - alpha)
    elif kind == "low_pass":
        b = ((1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2)
        a = (1 + alpha, -2 * cosine, 1 - alpha)
    elif kind == "peak":
        amplitude = db_to_gain(gain_db / 2)
        b = (1 + alpha * amplitude, -2 * cosine, 1 - alpha * amplitude)
        a = (1 + alpha / amplitude, -2 * cosine, 1 - alpha / amplitude)
    else:
        b, a = _shelf(db_to_gain(gain_db / 2), cosine if kind == "low_shelf" else -cosine, alpha)
        if kind == "high_shelf":  # the low shelf's mirror image: z → −z
            b, a = (b[0], -b[1], b[2]), (a[0], -a[1], a[2])
    return np.array([*b, *a[1:]]) / a[0]


def _shelf(
    amplitude: float, cosine: float, alpha: float
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Numerator and denominator of a low shelf whose gain is ``amplitude`` squared."""
    more, less, slope = amplitude + 1, amplitude - 1, 2 * math.sqrt(amplitude) * alpha
    b = (
        amplitude * (more - less * cosine + slope),
        2 * amplitude * (less - more * cosine),
        amplitude * (more - less * cosine - slope),
    )
    a = (more + less * cosine + slope, -2 * (less + more * cosine), more + less * cosine - slope)
    return b, a


def frequency_response(
    coefficients: NDArray[np.float64], frequencies_hz: ArrayLike, sample_rate: int
) -> NDArray[np.complex128]:
    """Response of sections in series.

    Args:
        coefficients: ``(sections, 5)``, or ``(5,)`` for one section.
        frequencies_hz: Any shape.
        sample_rate: Frames per second.

    Returns:
        Complex gain, in the shape of ``frequencies_hz``.
    """
    frequencies = np.asarray(frequencies_hz, dtype=np.float64)
    delay = np.exp(-2j * np.pi * frequencies / sample_rate)
    response = np.ones(frequencies.shape, dtype=np.complex128)
    for b0, b1, b2, a1, a2 in coefficients.reshape(-1, 5):
        response *= (b0 + (b1 + b2 * delay) * delay) / (1.0 + (a1 + a2 * delay) * delay)
    return response


class BiquadCascade:
    """Sections in series with their state, for audio that arrives in blocks of any size.

    The output does not depend on how the audio is cut into blocks, to the bit. The state of a
    filter that has faded out becomes exact zero, so that long silence costs no more than music.

    Args:
        coefficients: ``(sections, 5)``; no section at all is the identity.
        channels: Number of channels, all filtered alike.
    """

    def __init__(self, coefficients: NDArray[np.float64], channels: int) -> None:
        sections = np.asarray(coefficients, dtype=np.float64).reshape(-1, 5)
        if len(sections) % 2:
            sections = np.vstack([sections, [1.0, 0.0, 0.0, 0.0, 0.0]])
        b0, b1, b2, a1, a2 = sections.T
        self._sections = np.column_stack([b0, b1 - a1 * b0, b2 - a2 * b0, a1, a2])
        self._state = np.zeros((channels, len(sections), 2))
        self._position = 0

    def process(self, block: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Filters the next block ``(channels, frames)``; returns a new array of that shape."""
        samples = np.array(block, dtype=np.float64, order="C")
        _filter(samples, self._sections, self._state, self._position)
        self._position += samples.shape[1]
        return samples


@kernel
def _filter(
    samples: NDArray[np.float64],
    sections: NDArray[np.float64],
    state: NDArray[np.float64],
    position: int,
) -> None:
    """Filters in place, tile by tile; tiles start at multiples of their length in the stream.

    Transposed direct form II with the output eliminated from the state's recursion: with
    c = b − a·b0, y = b0·x + s1, s1' = c1·x + s2 − a1·s1, s2' = c2·x − a2·s1. The loop then waits
    for one product and one sum per sample instead of one product and two sums. Two sections run
    side by side because one alone leaves the processor idle while it waits.
    """
    channels, frames = samples.shape
    for channel in range(channels):
        start = 0
        while start < frames:
            stop = min(frames, start + _TILE_FRAMES - (position + start) % _TILE_FRAMES)
            for section in range(0, sections.shape[0], 2):
                b0, c1, c2, a1, a2 = sections[section]
                d0, e1, e2, f1, f2 = sections[section + 1]
                s1, s2 = state[channel, section]
                t1, t2 = state[channel, section + 1]
                for index in range(start, stop):
                    x = samples[channel, index]
                    y = b0 * x + s1
                    s1, s2 = (c1 * x + s2) - a1 * s1, c2 * x - a2 * s1
                    samples[channel, index] = d0 * y + t1
                    t1, t2 = (e1 * y + t2) - f1 * t1, e2 * y - f2 * t1
                state[channel, section, 0] = s1
                state[channel, section, 1] = s2
                state[channel, section + 1, 0] = t1
                state[channel, section + 1, 1] = t2
            if (position + stop) % _TILE_FRAMES == 0:
                for section in range(sections.shape[0]):
                    for index in range(2):
                        if abs(state[channel, section, index]) < _SILENCE:
                            state[channel, section, index] = 0.0
            start = stop
