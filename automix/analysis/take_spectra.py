"""Hears a take through its spectra: noise floor, tuning, and where coding cut the treble off."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.units import power_to_db

_FRAME_S = 0.17
_SILENT_DB = -105.0

_FLOOR_WIDTH_DB = 3
_FLOOR_FRAMES = 6
_FLOOR_SHARE = 0.04
_BELOW_PROGRAM_DB = 12.0
_ACTIVE_DB = 20.0
_SMOOTH_HZ = (200.0, 10_000.0)
_SMOOTH_BINS = 12
_PEAKS_DB = 5.0  # what the noisiest 5 % of the bins may stand above their neighbors
_PEAK_DB, _PEAKS_SHARE = 9.0, 0.5  # tones have most of the power in a few bins
_BROAD_DB = 50.0
_BROAD_SHARE = 0.25  # of the bins: the end of a bass note has no treble at all
_HISS_HZ = 4000.0

_PARTIALS_HZ = (200.0, 4000.0)
_PARTIAL_RANGE = 1e-4
_PARTIAL_NEIGHBOR = 10.0  # times the power of the bins three beside it
_CENTS = 100
_NOTES = 54  # of the range, and half a note at each end

_CUTOFFS_HZ = (14_500.0, 20_400.0)
_STEP_HZ = 100.0
_CUT_DB = 14.0


@dataclass(frozen=True, kw_only=True)
class NoiseFloor:
    """The noise that is heard while nobody plays.

    Attributes:
        level_db: Its RMS level above 200 Hz; 0 dB is a mean square of 1.
        below_program_db: How far it is below the level of the parts that are played.
        is_hiss: Whether more than half of it lies above 4 kHz.
    """

    level_db: float
    below_program_db: float
    is_hiss: bool


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The reference pitch of what is played, modulo a semitone.

    Attributes:
        cents: How far it is above the nearest note of equal temperament at 440 Hz, −50 … 50.
        agreement: Length of the mean vector of all partials, 0 … 1: 1 if all agree.
        partials: How many partials were heard.
        notes: On how many different notes they are: a drum has few.
    """

    cents: float
    agreement: float
    partials: int
    notes: float


class TakeSpectra:
    """Measures the spectra of mono audio that arrives in blocks of any size.

    Frames of 0.17 s are summed by their level in whole dB, so that what is quiet can be told from
    what is loud at the end, in a memory that does not grow with the length.

    Args:
        sample_rate: Frames per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._frame = 1 << round(math.log2(_FRAME_S * sample_rate))
        self._window = np.hanning(self._frame + 1)[:-1].astype(np.float32)
        self._scale = 2.0 / (self._frame * float((self._window.astype(np.float64) ** 2).sum()))
        self._pending = np.zeros(0, np.float32)
        self._sums: dict[int, NDArray[np.float64]] = {}
        self._counts: dict[int, int] = {}
        self._histogram = np.zeros(_NOTES * _CENTS)

    def add(self, mono_block: NDArray[np.float32]) -> None:
        """Takes the next samples ``(frames,)``."""
        signal = np.concatenate([self._pending, mono_block])
        count = len(signal) // self._frame
        self._pending = signal[count * self._frame :].copy()
        if not count:
            return
        frames = signal[: count * self._frame].reshape(count, self._frame)
        spectra = np.abs(np.fft.rfft(frames * self._window)) ** 2
        power = spectra.astype(np.float32) * np.float32(self._scale)
        low = max(1, round(20.0 * self._frame / self._rate))
        totals = power[:, low:].sum(axis=1, dtype=np.float64)
        for level in np.unique(np.floor(10.0 * np.log10(totals + 1e-20))):
            if level < _SILENT_DB:
                continue
            which = np.floor(10.0 * np.log10(totals + 1e-20)) == level
            key = int(level)
            total = power[which].sum(axis=0, dtype=np.float64)
            self._sums[key] = self._sums.get(key, 0.0) + total
            self._counts[key] = self._counts.get(key, 0) + int(which.sum())
        self._hear_partials(power)

    def _hear_partials(self, power: NDArray[np.float32]) -> None:
        """Adds the deviations of the partials of some frames ``(frames, bins)``."""
        per_hz = self._frame / self._rate
        first, last = (round(hz * per_hz) for hz in _PARTIALS_HZ)
        last = min(last, power.shape[1] - 5)
        if last <= first:
            return
        center = power[:, first:last]
        left, right = power[:, first - 1 : last - 1], power[:, first + 1 : last + 1]
        around = np.maximum(power[:, first - 3 : last - 3], power[:, first + 3 : last + 3])
        loudest = power.max(axis=1, keepdims=True)
        is_peak = (center > left) & (center >= right) & (center > _PARTIAL_NEIGHBOR * around)
        is_peak &= center > np.maximum(_PARTIAL_RANGE * loudest, 1e-12)
        rows, bins = np.nonzero(is_peak)
        if not len(rows):
            return
        a, b, c = (np.log(side[rows, bins] + 1e-30) for side in (left, center, right))
        shift = 0.5 * (a - c) / np.minimum(a - 2.0 * b + c, -1e-6)
        hertz = (first + bins + np.clip(shift, -0.5, 0.5)) / per_hz
        lowest = 1200.0 * np.log2(_PARTIALS_HZ[0] / 440.0) // _CENTS * _CENTS
        cents = np.rint(1200.0 * np.log2(hertz / 440.0) - lowest).astype(np.int64)
        counts = np.bincount(cents.clip(0, _NOTES * _CENTS - 1), minlength=_NOTES * _CENTS)
        self._histogram += counts

    def _mean_spectrum(self, low: float, high: float) -> tuple[NDArray[np.float64], int]:
        """The mean power spectrum of the frames of some levels, and how many they are."""
        keys = [key for key in self._sums if low <= key <= high]
        count = sum(self._counts[key] for key in keys)
        total = sum((self._sums[key] for key in keys), np.zeros(self._frame // 2 + 1))
        return total / max(count, 1), count

    @property
    def program_db(self) -> float:
        """RMS level of the parts that are played: all within 20 dB of the loudest; −inf if none."""
        loudest = max(self._sums, default=0)
        mean, _ = self._mean_spectrum(loudest - _ACTIVE_DB, loudest)
        return power_to_db(float(mean.sum()))

    def noise_floor(self) -> NoiseFloor | None:
        """Finds the noise floor: steady noise at the lowest level that is not digital silence.

        Returns:
            None where nothing rests, where the quietest parts are tones, or where they do not
            stay at one level, as the end of a sound does not.
        """
        if not self._sums:
            return None
        lowest, total = min(self._sums), sum(self._counts.values())
        few = 0
        while few + self._counts.get(lowest, 0) < max(2, 0.01 * total):  # a fade's last frames
            few += self._counts.get(lowest, 0)
            lowest += 1
            if lowest > 20:
                return None
        mean, count = self._mean_spectrum(lowest, lowest + _FLOOR_WIDTH_DB - 1)
        heard = mean[round(_SMOOTH_HZ[0] * self._frame / self._rate) :]
        level_db = power_to_db(float(heard.sum()))
        below_db = self.program_db - level_db
        is_long = count >= max(_FLOOR_FRAMES, _FLOOR_SHARE * total)
        if not is_long or below_db < _BELOW_PROGRAM_DB or not self._is_smooth(mean):
            return None
        high = mean[round(_HISS_HZ * self._frame / self._rate) :].sum()
        return NoiseFloor(
            level_db=level_db, below_program_db=below_db, is_hiss=bool(2 * high > heard.sum())
        )

    def _is_smooth(self, mean: NDArray[np.float64]) -> bool:
        """Whether a spectrum is that of noise: broad, with no bins above their neighbors."""
        first, last = (round(hz * self._frame / self._rate) for hz in _SMOOTH_HZ)
        level_db = 10.0 * np.log10(mean[first : min(last, len(mean) - 1)] + 1e-20)
        width = 2 * _SMOOTH_BINS + 1
        if len(level_db) <= 2 * width:
            return False
        if (level_db > level_db.max() - _BROAD_DB).mean() < _BROAD_SHARE:
            return False
        windows = np.lib.stride_tricks.sliding_window_view(level_db, width)
        above = level_db[_SMOOTH_BINS:-_SMOOTH_BINS] - np.median(windows, axis=1)
        power = 10.0 ** (level_db[_SMOOTH_BINS:-_SMOOTH_BINS] / 10.0)
        in_peaks = power[above > _PEAK_DB].sum() / power.sum()
        return bool(np.percentile(above, 95) < _PEAKS_DB and in_peaks < _PEAKS_SHARE)

    def tuning(self) -> Tuning:
        """Measures the reference pitch by the partials of 200 … 4000 Hz."""
        angles = np.exp(2j * np.pi * np.arange(_NOTES * _CENTS) / _CENTS)
        count = float(self._histogram.sum())
        vector = complex((self._histogram * angles).sum()) / max(count, 1.0)
        cents = math.degrees(math.atan2(vector.imag, vector.real)) / 360.0 * _CENTS
        # A note counts by the root of its partials, so that one string does not speak for all.
        rolled = np.roll(self._histogram, _CENTS // 2 - round(cents))
        weights = np.sqrt(rolled.reshape(_NOTES, _CENTS).sum(axis=1))
        notes = float(weights.sum() ** 2 / max(np.square(weights).sum(), 1e-9))
        return Tuning(cents=cents, agreement=abs(vector), partials=int(count), notes=notes)

    def cutoff_hz(self) -> float | None:
        """Finds the frequency above which a coder cut everything off.

        Returns:
            The frequency from 14.5 to 20.4 kHz at which the spectrum falls most within 400 Hz and
            does not come back; none if it falls by no more than 14 dB.
        """
        mean, count = self._mean_spectrum(_SILENT_DB, math.inf)
        if not count:
            return None
        per_hz = self._frame / self._rate
        last_hz = 0.98 * self._rate / 2
        best, cut_db = None, 0.0
        hertz = _CUTOFFS_HZ[0]
        while hertz <= min(_CUTOFFS_HZ[1], last_hz - 700.0):
            below = np.median(mean[round((hertz - 500) * per_hz) : round((hertz - 100) * per_hz)])
            above = mean[round((hertz + 300) * per_hz) : round(last_hz * per_hz)].max()
            fall_db = power_to_db(float(below + 1e-20)) - power_to_db(float(above + 1e-20))
            if fall_db > cut_db:
                best, cut_db = hertz, fall_db
            hertz += _STEP_HZ
        return best if cut_db > _CUT_DB else None
