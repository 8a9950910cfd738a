"""Measures onset strength: how much the sound rises from one hundredth of a second to the next.

Spectral flux on log-compressed mel bands (Klapuri 1999; Böck & Widmer 2013), always computed at
one internal rate, so that it hardly depends on the sample rate of the input.
"""

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FRAME_RATE = 100
"""Onset strength values per second."""

_RATE_HZ = 16_000  # up to 8 kHz: hi-hats and consonants are in, and the transform stays small
_HOP = _RATE_HZ // FRAME_RATE
_N_FFT = 512  # 32 ms: a drum hit is one event, and bins of 31 Hz still separate kick from bass line
_BANDS = 24  # about as many as the ear's critical bands
_LOWEST_HZ = 40.0
_RANGE_DB = 40.0  # below the loudest band of the song: noise floor and reverb tails stay out
_RISE_FRAMES = 2  # 20 ms, so that the rise of a hit is seen whole despite overlapping windows
_BATCH_FRAMES = 40  # so small that the matrix library works on one thread: waking others costs more
_TREND_FRAMES = FRAME_RATE  # the mean over one second is removed: it holds no pulse
_TREBLE_WEIGHT = float(np.exp(-2.0))  # top band against bottom: kick and snare carry the beat


def _mel_bank() -> NDArray[np.float32]:
    """Designs triangular mel bands ``(bins, bands)`` that weigh power (O'Shaughnessy 1987)."""
    # Mel is linear in log(1 + f / 700 Hz), whatever the base and the scale.
    edges_hz = 700.0 * (
        np.geomspace(1.0 + _LOWEST_HZ / 700.0, 1.0 + _RATE_HZ / 2 / 700.0, _BANDS + 2) - 1.0
    )
    low, center, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    bins_hz = np.arange(_N_FFT // 2 + 1)[:, None] * (_RATE_HZ / _N_FFT)
    triangles = np.minimum((bins_hz - low) / (center - low), (high - bins_hz) / (high - center))
    bank: NDArray[np.float32] = np.maximum(triangles, 0.0).astype(np.float32)
    return bank


class OnsetStrength:
    """Measures onset strength of audio in blocks; keeps about 10 kB per second of audio.

    Args:
        sample_rate: Frames per second of the input.
    """

    def __init__(self, sample_rate: int) -> None:
        self._resampler = soxr.ResampleStream(sample_rate, _RATE_HZ, 1, dtype="float32")
        self._bank = _mel_bank()
        self._window = np.hanning(_N_FFT + 1)[:-1].astype(np.float32)
        self._pending = np.zeros(0, dtype=np.float32)
        self._powers: list[NDArray[np.float32]] = []

    def add(self, mono_block: NDArray[np.float32]) -> None:
        """Takes the next stretch of audio.

        Args:
            mono_block: Samples ``(frames,)`` float32, any number of them.
        """
        resampled = self._resampler.resample_chunk(np.ascontiguousarray(mono_block))
        signal = np.concatenate([self._pending, resampled])
        frames = max(0, (signal.size - _N_FFT) // _HOP + 1)
        self._pending = signal[frames * _HOP :].copy()
        for start in range(0, frames, _BATCH_FRAMES):
            stretch = signal[start * _HOP : (frames - 1) * _HOP + _N_FFT]
            windows = sliding_window_view(stretch, _N_FFT)[::_HOP][:_BATCH_FRAMES]
            spectrum = np.fft.rfft(windows * self._window)
            power = spectrum.real**2 + spectrum.imag**2
            self._powers.append(np.asarray(power @ self._bank, dtype=np.float32))

    def strength_db(self) -> NDArray[np.float32]:
        """Computes the mean rise of the band levels over 20 ms, in dB, `FRAME_RATE` per second.

        Levels are seen down to 40 dB below the loudest band of all that was added, so the result
        does not depend on the recording level. Shape ``(about seconds · FRAME_RATE,)``; empty for
        silence.
        """
        loudest = max((float(power.max()) for power in self._powers), default=0.0)
        if loudest == 0.0:
            return np.zeros(0, dtype=np.float32)
        levels_db = np.concatenate(self._powers)
        levels_db += np.float32(loudest * 10.0 ** (-_RANGE_DB / 10.0))
        np.log10(levels_db, out=levels_db)
        levels_db *= 10.0
        rises_db = np.maximum(levels_db[_RISE_FRAMES:] - levels_db[:-_RISE_FRAMES], 0.0)
        weights = _TREBLE_WEIGHT ** np.linspace(0.0, 1.0, _BANDS, dtype=np.float32)
        rises_db *= weights / weights.sum()
        strength: NDArray[np.float32] = rises_db.sum(axis=1)
        return strength


def remove_trend(strength_db: NDArray[np.float32]) -> NDArray[np.float64]:
    """Subtracts the local mean over one second, which is shorter at the ends; keeps the shape."""
    total = np.concatenate([[0.0], np.cumsum(strength_db, dtype=np.float64)])
    index = np.arange(strength_db.size)
    start = np.maximum(index - _TREND_FRAMES // 2, 0)
    stop = np.minimum(index + _TREND_FRAMES // 2 + 1, strength_db.size)
    trend: NDArray[np.float64] = (total[stop] - total[start]) / (stop - start)
    return strength_db - trend
