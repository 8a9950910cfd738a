"""Gives a track sides that cancel in mono: its middle through a short, noise-like response.

With the middle ``M``, the mean of the sides, and what is added ``S``::

    left' = left + S,   right' = right − S
    S = 10 ** (side_db / 20) · high_pass(corner) · (M convolved with `base_response`)

so the mean of the sides stays what it was, whatever the response is. The middle has no delay.

The response is velvet noise, pulses of random sign and place (Karjalainen & Järveläinen 2007,
"Reverberation modeling using velvet noise"): it has no tone of its own, sounds smoother than
Gaussian noise, and decorrelates without an audible tail if it is short and decays (Alary, Politis
& Välimäki 2017, "Velvet-noise decorrelator"; Schlecht et al. 2018, "Optimized velvet-noise
decorrelator", who choose among random ones for the flattest, as is done here). 30 ms are shorter
than what is heard as an echo of music, and decay by 60 dB in 60 ms leaves the energy within the
first milliseconds.

Plain velvet noise colors: a side has the power ``|1 ± s·H|² = 1 + s²·|H|² ± 2·s·Re(H)``, and over a
third of an octave neither the average of ``|H|²`` is 1 nor that of ``Re(H)`` 0, which in thirds at
250 Hz, where 30 ms hardly resolve them, makes a comb of some 5 dB. So both are brought there, by
turns: the average of ``H`` around each frequency is taken away (as complex numbers, so that it
stays 0 whatever phase the high pass adds), ``|H|²`` is divided by its average, and the response is
cut to its 30 ms. The averages have triangular weights, half an amplitude at a third of an octave,
because those of rectangular ones are not positive at all modulations and the turns would not
converge. What remains, with sides 6 dB below the middle, is half a dB in any third.

A single steady tone still comes from one side or the other, as with all decorrelation: there is one
value of ``H`` for each of its partials. Over the notes of a scale that evens out.

The response is made once, at `GRID_RATE_HZ`, and converted: the same sides at every sample rate.
"""

import math
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray

from automix.dsp.biquad import BiquadCascade, coefficients
from automix.dsp.convolution import Convolver
from automix.dsp.rides import RideLine
from automix.plan.settings import WidenerSettings
from automix.units import db_to_gain

GRID_RATE_HZ = 48_000
"""Rate at which the response is made; there are no sides above half of it."""

RESPONSE_S = 0.03
"""Length of the response."""

Vector = NDArray[np.float64]

_SEED = 205  # of 0…511 one of the flattest, and the most even for scales of notes
_DENSITY_HZ = 2000.0  # pulses per second
_T60_S = 0.06
_FADE_IN_S = 0.0005
_FADE_OUT_S = 0.002
_BINS = 8192  # 2.9 Hz between them
_TURNS = 100
_COHERENT_OCTAVES = 1.0 / 3.0
_POWER_OCTAVES = 0.25
_LEAST_POWER = 1e-9  # of 0 Hz, where nothing is left
_BUTTERWORTH_Q = math.sqrt(0.5)


class Widener:
    """Streaming widener on stereo.

    Args:
        settings: With a side level of −60 dB nothing is done.
        sample_rate: Frames per second, 8–192 kHz.
        channels: The number of sides; two.
    """

    def __init__(self, settings: WidenerSettings, sample_rate: int, channels: int = 2) -> None:
        self._active = settings.is_active
        self._line: RideLine | None = None
        if not self._active:
            return
        response = db_to_gain(settings.side_db) * base_response(sample_rate)
        self._convolver = Convolver(response[None, None])
        row = coefficients("high_pass", settings.corner_hz, 0.0, _BUTTERWORTH_Q, sample_rate)
        self._high_pass = BiquadCascade(row, 1)

    def ride(self, setting: str, line: RideLine) -> None:
        """Lets the level of the sides follow a line from the next block on."""
        self._line = line

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(2, n)``."""
        if not self._active:
            return block
        middle = block.mean(axis=0, keepdims=True)
        sides = self._high_pass.process(self._convolver.process(middle))[0]
        if self._line is not None:
            sides = sides * self._line.next_gains(block.shape[1])
        return np.stack([block[0] + sides, block[1] - sides])


def tail_s(settings: WidenerSettings) -> float:
    """The response, and what the high pass rings on until it is 60 dB down."""
    return RESPONSE_S + math.log(1000.0) / (math.sqrt(2.0) * math.pi * settings.corner_hz)


@lru_cache(maxsize=8)
def base_response(sample_rate: int) -> Vector:
    """From the middle to the left side, at 0 dB and before the high pass.

    Args:
        sample_rate: Frames per second, 8–192 kHz.

    Returns:
        ``(taps,)``, read-only: the same frequency response at every rate that carries a frequency.
    """
    response: Vector = make_response(_SEED)
    if sample_rate != GRID_RATE_HZ:
        converted = soxr.resample(response, GRID_RATE_HZ, sample_rate, quality="VHQ")
        response = converted * (GRID_RATE_HZ / sample_rate)
    response.flags.writeable = False
    return response


def make_response(seed: int) -> Vector:
    """The response ``(taps,)`` at `GRID_RATE_HZ` that becomes of one velvet noise."""
    response = _make_velvet_noise(seed)
    window = np.ones(len(response))
    rise, fall = (round(time_s * GRID_RATE_HZ) for time_s in (_FADE_IN_S, _FADE_OUT_S))
    window[:rise] = np.sin(0.5 * math.pi * np.arange(rise) / rise) ** 2
    window[-fall:] = np.cos(0.5 * math.pi * (np.arange(fall) + 1.0) / fall) ** 2
    coherent, power = _Average(_COHERENT_OCTAVES), _Average(_POWER_OCTAVES)
    for _ in range(_TURNS):
        spectrum = np.fft.rfft(response * window, 2 * _BINS)
        spectrum -= coherent.smooth(spectrum)
        power_around = power.smooth(np.abs(spectrum) ** 2)
        spectrum /= np.sqrt(np.maximum(power_around, _LEAST_POWER))
        response = np.fft.irfft(spectrum)[: len(window)]
    return response * window


def _make_velvet_noise(seed: int) -> Vector:
    """One pulse in each of equal spans of time, decaying."""
    pulses = round(RESPONSE_S * _DENSITY_HZ)
    span = GRID_RATE_HZ / _DENSITY_HZ
    # Raw bits instead of random numbers: NumPy promises never to change this stream.
    bits = np.random.PCG64(seed).random_raw(2 * pulses)
    uniform = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    at = np.floor((np.arange(pulses) + uniform[:pulses]) * span).astype(np.int64)
    noise = np.zeros(round(RESPONSE_S * GRID_RATE_HZ))
    noise[at] = np.where(uniform[pulses:] < 0.5, -1.0, 1.0)
    return noise * 1000.0 ** (-np.arange(len(noise)) / GRID_RATE_HZ / _T60_S)


class _Average:
    """Averages a spectrum of `_BINS` + 1 numbers around each frequency, with triangular weights.

    Args:
        octaves: The width of a rectangle; a triangle is a rectangle of rectangles.
    """

    def __init__(self, octaves: float) -> None:
        bins = np.arange(_BINS + 1)
        half = bins * (2.0 ** (octaves / 2.0) - 2.0 ** (-octaves / 2.0)) / 2.0
        self._first = np.maximum(np.rint(bins - half).astype(np.int64), 0)
        self._end = np.minimum(np.rint(bins + half).astype(np.int64), _BINS) + 1

    def smooth(self, spectrum: NDArray[np.inexact]) -> NDArray[np.inexact]:
        """The average around each of the numbers."""
        for _ in range(2):
            sums = np.concatenate([np.zeros(1), np.cumsum(spectrum)])
            spectrum = (sums[self._end] - sums[self._first]) / (self._end - self._first)
        return spectrum
