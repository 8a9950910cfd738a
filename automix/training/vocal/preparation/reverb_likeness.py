"""Distances between a reverb and an impulse response: of envelope, spectrum and first echoes."""

import math

import numpy as np
from numpy.typing import NDArray

from automix.dsp.biquad import BiquadKind, coefficients, frequency_response
from automix.dsp.fdn_reverb import LONGEST_DECAY_S, line_delays_s, response_to_mono
from automix.plan.settings import FdnReverbSettings

Signal = NDArray[np.float64]

_DEPTH_DB = 80.0
_BANDS = 20
_BAND_EDGES_HZ = (60.0, 18_000.0)
_ECHOES_S = 0.2


class _Bands:
    """Levels in dB in bands, frame by frame, of a response at one rate."""

    def __init__(self, rate_hz: int, size: int) -> None:
        self.size = size
        f = np.fft.rfftfreq(size, 1.0 / rate_hz)
        low_hz, high_hz = _BAND_EDGES_HZ
        edges = np.geomspace(low_hz, min(high_hz, 0.46 * rate_hz), _BANDS + 1)
        bands = np.searchsorted(edges, f) - 1
        kept = [band for band in range(_BANDS) if (bands == band).any()]
        self.centers_hz = np.sqrt(edges[:-1] * edges[1:])[kept]
        self.bins = np.stack([bands == band for band in kept]).astype(float)
        self.window = np.hanning(size + 1)[:-1]

    def levels(self, response: Signal, hop: int) -> Signal:
        """``(bands, frames)``; frame n begins at sample n · hop."""
        view = np.lib.stride_tricks.sliding_window_view(response, self.size)[::hop]
        power = np.abs(np.fft.rfft(view * self.window)) ** 2
        levels: Signal = 10.0 * np.log10(self.bins @ power.T + 1e-14)
        return levels


def _difference_db(found: Signal, wanted: Signal) -> float:
    """Mean absolute difference of levels, all below a floor counted as the floor."""
    floor_db = float(wanted.max()) - _DEPTH_DB
    return float(np.abs(np.maximum(found, floor_db) - np.maximum(wanted, floor_db)).mean())


class Envelope:
    """Compares a response with the envelope that settings have in closed form: nothing is rendered.

    The network keeps the energy of what is fed to it and passes it on evenly in time, so its power
    is 1 / (sum of the delays) per second, times the decay of feedback and shelves. A fade-in
    subtracts the same echoes with another decay.
    """

    def __init__(self, response: Signal, sample_rate: int) -> None:
        self._rate_hz = sample_rate
        self._bands = _Bands(sample_rate, 2048)
        hop = 1024
        first = round(0.02 * sample_rate)
        late = np.pad(response[first : first + 4 * sample_rate], (0, 4 * self._bands.size))
        levels = self._bands.levels(late, hop)
        # Frames grow longer with time: what matters of a decay is its slope.
        edges = np.unique(np.geomspace(1, levels.shape[1], 25).astype(int) - 1)
        power = 10.0 ** (levels / 10.0)
        self._wanted = 10.0 * np.log10(np.add.reduceat(power, edges, axis=1))
        self._edges = edges
        times = first + np.arange(levels.shape[1]) * hop + self._bands.size / 2.0
        self._times_s = times / sample_rate
        self._gain = np.sum(self._bands.window**2) * self._bands.bins.sum(axis=1) / sample_rate
        self._direct_db = 20.0 * math.log10(abs(float(response[0])) + 1e-3)

    def distance_db(self, settings: FdnReverbSettings) -> float:
        """Mean difference of the late levels."""
        return _difference_db(self._predict_levels(settings), self._wanted)

    def direct_distance_db(self, settings: FdnReverbSettings) -> float:
        """Difference of the first sample: the dry part, and the first pass unless that fades in."""
        direct = 1.0 - settings.dry_wet if settings.fade_in_time_s > 0.0 else 1.0
        direct_db = 20.0 * math.log10(direct + 1e-3)
        return abs(direct_db - self._direct_db)

    def _predict_levels(self, settings: FdnReverbSettings) -> Signal:
        """Late levels in dB ``(bands, frames)`` that settings have in closed form."""
        delays_s = line_delays_s(settings)
        shelf_db_s = shelves_db_s(settings, self._bands.centers_hz, self._rate_hz)
        boost_db_s = max(0.0, float(shelf_db_s.max()))

        def decay(time_s: float) -> Signal:
            decay_db_s = max(60.0 / time_s, 60.0 / LONGEST_DECAY_S + boost_db_s)
            return np.asarray(10.0 ** (-decay_db_s * self._times_s / 20.0))

        amplitude = decay(settings.reverberation_time_s)
        if settings.fade_in_time_s > 0.0:
            amplitude = amplitude - decay(settings.fade_in_time_s)
        shelves = 10.0 ** (np.outer(shelf_db_s, self._times_s) / 10.0)
        density = settings.dry_wet**2 / delays_s.sum()
        power = density * self._gain[:, np.newaxis] * amplitude**2 * shelves + 1e-14
        return np.asarray(10.0 * np.log10(np.add.reduceat(power, self._edges, axis=1)))


def shelves_db_s(settings: FdnReverbSettings, frequencies_hz: Signal, rate_hz: int) -> Signal:
    """Gain of both shelves in dB per second ``(n,)``, on a line of the mean delay.

    The gain of a shelf goes with the delay of its line.
    """
    mean_s = float(line_delays_s(settings).mean())
    low: BiquadKind = "low_shelf"
    high: BiquadKind = "high_shelf"
    gain_db_s = np.zeros(len(frequencies_hz))
    for kind, cutoff_hz, shelf_db_s, q in (
        (low, settings.low_cutoff_hz, settings.low_gain_db_s, settings.low_q),
        (high, settings.high_cutoff_hz, settings.high_gain_db_s, settings.high_q),
    ):
        section = coefficients(kind, cutoff_hz, shelf_db_s * mean_s, q, rate_hz)
        response = frequency_response(section, frequencies_hz, rate_hz)
        gain_db_s += 20.0 * np.log10(np.abs(response)) / mean_s
    return gain_db_s


class Spectrogram:
    """Compares the beginnings of responses by their spectrograms (Li & Lerch III-A).

    Args:
        wanted: The response that others are compared with.
        rate_hz: Sample rate of all responses.
        length_s: Length of the beginning that is compared.
    """

    def __init__(self, wanted: Signal, rate_hz: int, length_s: float) -> None:
        self._rate_hz = rate_hz
        self._length_s = length_s
        self._bands = _Bands(rate_hz, 256 if rate_hz < 20_000 else 512)
        self._response = wanted
        self._wanted = self._levels(wanted)

    def likeness(self, settings: FdnReverbSettings) -> float:
        """Correlation of the first echoes: 1 where all of them come when those wanted do."""
        made = response_to_mono(settings, self._rate_hz, longest_s=_ECHOES_S).mean(axis=0)
        echoes = (
            _measure_echoes(made, self._rate_hz),
            _measure_echoes(self._response, self._rate_hz),
        )
        return float(np.corrcoef(*echoes)[0, 1])

    def _levels(self, response: Signal) -> Signal:
        frames = round(self._length_s * self._rate_hz)
        # Half a window in front, so that the direct sound is in the middle of a frame.
        padded = np.zeros(frames + self._bands.size)
        beginning = response[:frames]
        padded[self._bands.size // 2 :][: len(beginning)] = beginning
        return self._bands.levels(padded, self._bands.size // 2)

    def distance_db(self, settings: FdnReverbSettings) -> float:
        """Mean difference of the spectrograms."""
        made = response_to_mono(settings, self._rate_hz, longest_s=self._length_s)
        return _difference_db(self._levels(made.mean(axis=0)), self._wanted)


def _measure_echoes(response: Signal, rate_hz: int) -> Signal:
    """Strengths of the first echoes, to half a millisecond, whatever their decay."""
    size = rate_hz // 2000
    frames = round(_ECHOES_S * rate_hz)
    early = np.pad(response[:frames], (0, max(0, frames - len(response))))
    energy = (early[3 * size :] ** 2)[: (frames // size - 3) * size].reshape(-1, size).sum(axis=1)
    level = np.sqrt(energy)
    # Relative to the 20 ms around it, so that the first echoes do not outweigh all others.
    return np.asarray(level / (np.convolve(level, np.ones(41) / 41, mode="same") + 1e-9))
