"""Estimates the tempo of music from the autocorrelation of its onset strength."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.onsets import FRAME_RATE, OnsetStrength, remove_trend

SLOWEST_BPM = 40.0
FASTEST_BPM = 240.0
SHORTEST_S = 4.0
"""Less audio than this holds too few beats to tell a tempo."""

_STEP = 0.001  # of the tempo grid, relative
_LAGS = 16 * FRAME_RATE  # eight beats at 40 BPM are 12 s; the rest sharpens the spectrum
_MULTIPLES = (1, 2, 4, 8)  # beat, half bar, bar, two bars: where music in four repeats itself
_FINE_MULTIPLES = tuple(range(1, 17))  # for the exact figure: long lags divide the frame
_PREFERRED_BPM = 120.0  # most common tempo and that of spontaneous tapping (Moelants 2002) …
_PREFERENCE_OCTAVES = 0.7  # … and its spread
_UNSUPPORTED = 0.4  # factor on a tempo that fails a check of its metrical level
_AUDIBLE_RISE_DB = 1.5  # onsets below it are beating partials or ripple, not notes
_LEAST_COMB = 0.05
_NOISE_DEVIATIONS = 6.0


@dataclass(frozen=True)
class Tempo:
    """A tempo, and how regular the beat is.

    Attributes:
        bpm: Beats per minute, 40–240.
        confidence: Mean normalized autocorrelation of the onsets after 1, 2, 4 and 8 beats:
            0 = unrelated, 1 = a metronome; drum machines reach 0.5–0.9, loose playing 0.1–0.4.
    """

    bpm: float
    confidence: float


class TempoEstimator:
    """Estimates one tempo for everything it hears.

    Every tempo on a grid is rated by how well the onsets recur after its multiples, times a
    log-normal preference around 120 BPM. The idea of autocorrelation with such a preference is
    Ellis, "Beat Tracking by Dynamic Programming" (2007); that of holding the autocorrelation
    against the spectrum, so that multiples and fractions of the beat drop out, is Peeters,
    "Template-Based Estimation of Time-Varying Tempo" (2007).

    Args:
        sample_rate: Frames per second of the input.
    """

    def __init__(self, sample_rate: int) -> None:
        self._onsets = OnsetStrength(sample_rate)

    def add(self, mono_block: NDArray[np.float32]) -> None:
        """Takes the next stretch of audio.

        Args:
            mono_block: Samples ``(frames,)`` float32, any number of them.
        """
        self._onsets.add(mono_block)

    def estimate(self) -> Tempo | None:
        """Estimates the tempo of all audio so far; more may be added afterwards.

        Returns:
            The tempo; none where there is no beat: silence, sustained noise and tones, and audio
            of less than 4 s.
        """
        strength_db = self._onsets.strength_db()
        # The first 32 ms window and the 20 ms rise shorten the series a little.
        if strength_db.size < (SHORTEST_S - 0.1) * FRAME_RATE:
            return None
        if np.percentile(strength_db, 99.0) < _AUDIBLE_RISE_DB:
            return None
        correlation = _autocorrelation(remove_trend(strength_db))
        tempos_bpm = np.exp(np.arange(np.log(SLOWEST_BPM), np.log(FASTEST_BPM), _STEP))
        periods = 60.0 * FRAME_RATE / tempos_bpm
        comb = _comb(correlation, periods, _MULTIPLES)
        best = int(np.argmax(comb * _plausibility(tempos_bpm, correlation, comb)))
        if comb[best] < _least_comb(correlation, strength_db.size):
            return None
        bpm = _refine(float(tempos_bpm[best]), correlation)
        return Tempo(bpm=bpm, confidence=float(min(comb[best], 1.0)))


def _autocorrelation(onsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Computes the unbiased autocorrelation, 1 at lag 0, up to 16 s or two thirds of the length."""
    lags = min(2 * onsets.size // 3, _LAGS)
    n_fft = 1 << (onsets.size + lags).bit_length()
    product = np.fft.irfft(np.abs(np.fft.rfft(onsets, n_fft)) ** 2)[: lags + 1]
    unbiased = product / (onsets.size - np.arange(lags + 1))
    normalized: NDArray[np.float64] = unbiased / unbiased[0]
    return normalized


def _comb(
    correlation: NDArray[np.float64], periods: NDArray[np.float64], multiples: tuple[int, ...]
) -> NDArray[np.float64]:
    """Averages the autocorrelation over those multiples of each period that it reaches."""
    lags = np.multiply.outer(periods, multiples)
    reached = lags <= correlation.size - 1
    values = np.interp(lags, np.arange(correlation.size), correlation)
    sums = np.where(reached, values, 0.0).sum(axis=1)
    means: NDArray[np.float64] = sums / np.maximum(reached.sum(axis=1), 1)
    return means


def _plausibility(
    tempos_bpm: NDArray[np.float64],
    correlation: NDArray[np.float64],
    comb: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weighs each tempo by a general preference and two checks of the metrical level.

    A beat recurs after one period: twice the true tempo has no correlation there, only at its
    even multiples. And a beat is a line in the spectrum of the onsets: at half or a third of the
    true tempo, where onsets in between are as strong as on the beat, that line cancels out.
    """
    octaves = np.log2(tempos_bpm / _PREFERRED_BPM)
    preference = np.exp(-0.5 * (octaves / _PREFERENCE_OCTAVES) ** 2)
    recurrence = _comb(correlation, 60.0 * FRAME_RATE / tempos_bpm, (1,))
    line = _pulse_spectrum(correlation, tempos_bpm)
    # A tenth of the comb and a twentieth of the strongest line: present, however weak.
    recurs = np.clip(recurrence / np.maximum(0.1 * comb, 1e-9), 0.0, 1.0)
    pulses = np.clip(line / 0.05, 0.0, 1.0)
    weights: NDArray[np.float64] = preference
    for support in (recurs, pulses):
        weights = weights * (_UNSUPPORTED + (1.0 - _UNSUPPORTED) * support)
    return weights


def _pulse_spectrum(
    correlation: NDArray[np.float64], tempos_bpm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Computes the power of the onsets at each tempo; the strongest line under 10 Hz has 1."""
    taper = np.cos(np.linspace(0.0, np.pi / 2, correlation.size)) ** 2
    n_fft = 32 * FRAME_RATE * 10  # padded to 1/320 Hz: fine enough for linear interpolation
    power = 2.0 * np.fft.rfft(correlation * taper, n_fft).real - 1.0
    frequencies_hz = np.arange(power.size) * (FRAME_RATE / n_fft)
    strongest = np.max(power[frequencies_hz < 10.0])
    line: NDArray[np.float64] = np.interp(tempos_bpm / 60.0, frequencies_hz, power) / strongest
    return line


def _least_comb(correlation: NDArray[np.float64], frames: int) -> float:
    """Computes what a comb must reach to be more than chance: six deviations of random onsets.

    Bartlett's formula for the variance of an autocorrelation, with the short-term correlation
    that overlapping windows cause, divided by the number of averaged values.
    """
    overlap = 1.0 + 2.0 * float(np.sum(correlation[1 : FRAME_RATE // 5] ** 2))
    deviation = float(np.sqrt(overlap / frames / len(_MULTIPLES)))
    return max(_LEAST_COMB, _NOISE_DEVIATIONS * deviation)


def _refine(bpm: float, correlation: NDArray[np.float64]) -> float:
    """Finds the interpolated peak of a comb of many multiples within ±1 % of ``bpm``."""
    tempos_bpm = bpm * np.exp(np.arange(-20, 21) * (_STEP / 2))
    comb = _comb(correlation, 60.0 * FRAME_RATE / tempos_bpm, _FINE_MULTIPLES)
    peak = int(np.argmax(comb[1:-1])) + 1
    before, at, after = comb[peak - 1 : peak + 2]
    curvature = before - 2.0 * at + after
    shift = 0.5 * (before - after) / curvature if curvature < 0.0 else 0.0
    return float(tempos_bpm[peak] * np.exp(np.clip(shift, -1.0, 1.0) * _STEP / 2))
