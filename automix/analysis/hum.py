"""Finds the hum of the mains: 50 or 60 Hz and their multiples, steady and always there."""

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from automix.units import db_to_power, power_to_db

MAINS_HZ = (50, 60)

_RATE_HZ = 1000
_WINDOWS_S = (0.5, 2.0, 8.0)  # short ones fit between hits, long ones tell hum from what is played
_HARMONICS = 8
_TOLERANCE = 0.004  # of a frequency: grids stay within 0.4 %
_PRECISION_BINS = 0.1
_LOBE_BINS = 2  # half of the main lobe of a Hann window
_BESIDE_HZ = 11.0  # sixteenths at 160 beats per minute make lines that are as far apart
_PROMINENCE = db_to_power(9.0)
_CLEAR = db_to_power(12.0)
_CLEAR_HARMONICS = 3  # there is no hum without one of these, and one alone is hum if it is clear
_FEWEST_WINDOWS = 4
_LEAST_SHARE = 0.1  # of the windows in which a line stands out
_STEADY_DB = 2.0
_MISSING_DB = 6.0
_SILENT_POWER = 1e-11  # −110 dBFS
_ZEROS = 0.02  # of a window that may be digital silence
_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Hum:
    """Hum of the mains.

    Attributes:
        mains_hz: 50 or 60.
        level_db: Level of all its lines together, as RMS; 0 dB is a mean square of 1.
        lines_hz: The multiples that stand out.
        prominence_db: How far the clearest of them stands above what is beside it.
    """

    mains_hz: int
    level_db: float
    lines_hz: tuple[int, ...]
    prominence_db: float


class HumMeter:
    """Finds hum in mono audio that arrives in blocks; keeps 4 kB per second of audio.

    Hum is narrow: in windows of 0.5, 2 or 8 s its line stands 9 dB above everything beside it,
    up to 11 Hz away, but for what the window makes of the line. It is steady: where it stands out
    its level stays within 2 dB, and nowhere but in digital silence is the line weaker. The note of
    a bass is neither, nor is a row of kicks, whose lines are as far apart as the kicks are
    frequent. Hum that is covered by what is played, all the time, is not found.

    Args:
        sample_rate: Frames per second of the input.
    """

    def __init__(self, sample_rate: int) -> None:
        self._resampler = soxr.ResampleStream(
            sample_rate, _RATE_HZ, 1, dtype="float32", quality="LQ"
        )
        self._pieces: list[NDArray[np.float32]] = []

    def add(self, mono_block: NDArray[np.float32]) -> None:
        """Takes the next samples ``(frames,)``."""
        self._pieces.append(self._resampler.resample_chunk(np.ascontiguousarray(mono_block)))

    def result(self) -> Hum | None:
        """Returns the hum in all audio that was added so far; none if there is none."""
        signal = np.concatenate([np.zeros(0, np.float32), *self._pieces])
        found = [
            hum
            for window_s in _WINDOWS_S
            if (hum := _find_hum(signal, round(window_s * _RATE_HZ))) is not None
        ]
        return max(found, key=lambda hum: hum.prominence_db, default=None)


def _find_hum(signal: NDArray[np.float32], window: int) -> Hum | None:
    """Finds hum in windows of one length, half of which overlaps."""
    if len(signal) < window + (_FEWEST_WINDOWS - 1) * window // 2:
        return None
    lines, beside = _measure_lines(signal, window)
    found = [_judge(mains, lines[n], beside[n]) for n, mains in enumerate(MAINS_HZ)]
    return max(filter(None, found), key=lambda hum: hum.level_db, default=None)


def _measure_lines(
    signal: NDArray[np.float32], length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measures each multiple of the mains in each window that sounds.

    Returns:
        The mean square of the line, and that of the strongest beside it, ``(2, harmonics,
        windows)``; a line that is no peak of the spectrum counts as the lower of both.
    """
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    scale = 4.0 / float(window.sum()) ** 2 / 2.0  # a sine's mean square, at its peak
    windows = sliding_window_view(signal, length)[:: length // 2]
    rows = []
    for start in range(0, len(windows), _BATCH):
        batch = windows[start : start + _BATCH]
        zeros = np.abs(batch) < 1e-7
        sounds = (zeros[:, 1:] & zeros[:, :-1]).mean(axis=1) < _ZEROS  # a sine has single ones
        sounds &= np.square(batch).mean(axis=1) > _SILENT_POWER
        spectrum = np.abs(np.fft.rfft(batch[sounds] * window)) ** 2 * scale
        rows.append(_read_lines(spectrum))
    lines, beside = np.concatenate(rows, axis=-1)
    return lines, beside


def _read_lines(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lines and what is beside them in spectra ``(windows, bins)``: ``(2, 2, 8, windows)``."""
    found = np.zeros((2, len(MAINS_HZ), _HARMONICS, len(power)))
    bins_per_hz = 2 * (power.shape[1] - 1) / _RATE_HZ
    peaks = np.zeros(power.shape, bool)
    peaks[:, 1:-1] = (power[:, 1:-1] > power[:, :-2]) & (power[:, 1:-1] >= power[:, 2:])
    for number, mains in enumerate(MAINS_HZ):
        for harmonic in range(_HARMONICS):
            center = mains * (harmonic + 1) * bins_per_hz
            reach = max(1, round(center * _TOLERANCE))
            low, high = round(center) - reach, round(center) + reach + 1
            lobe, width = _LOBE_BINS, round(_BESIDE_HZ * bins_per_hz)
            region = power[:, low:high]
            line = np.where(peaks[:, low:high], region, 0.0)
            place = low + line.argmax(axis=1)
            off = np.abs(_find_tops(power, place) - center)
            line = np.where(off <= center * _TOLERANCE + _PRECISION_BINS, line.max(axis=1), 0.0)
            beside = np.maximum(
                power[:, low - lobe - width : low - lobe].max(axis=1),
                power[:, high + lobe : high + lobe + width].max(axis=1),
            )
            floor = np.minimum(region.max(axis=1), beside)
            found[0, number, harmonic] = np.where(line > 0.0, line, floor)
            found[1, number, harmonic] = beside
    return found


def _find_tops(power: NDArray[np.float64], bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """The places of the peaks at some bins ``(windows,)``, in bins, by a parabola through three."""
    rows = np.arange(len(power))
    a, b, c = (np.log(power[rows, bins + step] + 1e-20) for step in (-1, 0, 1))
    shift = 0.5 * (a - c) / np.minimum(a - 2.0 * b + c, -1e-9)
    return np.asarray(bins + np.clip(shift, -0.5, 0.5))


def _judge(mains: int, lines: NDArray[np.float64], beside: NDArray[np.float64]) -> Hum | None:
    """Tells hum from notes by the lines ``(harmonics, windows)``; none if there is no hum."""
    if lines.shape[1] < _FEWEST_WINDOWS:
        return None
    found: dict[int, tuple[float, float]] = {}
    for number, (line, other) in enumerate(zip(lines, beside, strict=True), 1):
        ratios = line / (other + 1e-20)
        out = ratios > _PROMINENCE
        if out.sum() < max(_FEWEST_WINDOWS, _LEAST_SHARE * len(line)):
            continue
        level = float(np.median(line[out]))
        apart_db = np.abs(10.0 * np.log10(line[out] / level))
        missing = line < level * db_to_power(-_MISSING_DB)
        if np.percentile(apart_db, 80) < _STEADY_DB and missing.mean() < 0.02:
            found[number] = (level, float(np.median(ratios[out])))
    clear = any(n <= _CLEAR_HARMONICS and ratio > _CLEAR for n, (_, ratio) in found.items())
    if not clear and (len(found) < 2 or min(found) > _CLEAR_HARMONICS):
        return None
    return Hum(
        mains_hz=mains,
        level_db=power_to_db(sum(level for level, _ in found.values())),
        lines_hz=tuple(mains * number for number in found),
        prominence_db=power_to_db(max(ratio for _, ratio in found.values())),
    )
