"""Tells the role that a track's sound suggests, for tracks whose name says nothing.

A few physical measures and thresholds instead of a classifier: what matters to a mix is to know the
low-frequency sources and the percussive ones, and to say "other" where it is not clear.
"""

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from automix.analysis.octave_bands import CENTERS_HZ, OctaveBandMeter
from automix.audio.samples import AudioSource, Samples
from automix.plan.roles import Role

_ACTIVE_POWER = 1e-3  # −30 dB below the loudest hop: bleed, noise and tails stay out
_SILENCE_POWER = 1e-9  # −90 dBFS
_FRAMES_PER_SECOND = 100
_PEAK_FRAMES = 5  # a level peak is the highest within ±50 ms
_BEFORE_FRAMES = 8  # a hit rises within this time
_TREBLE_HZ = 3000.0
_TREBLE_SHARE = 0.3
_PITCH_RATE_HZ = 8000
_PITCH_WINDOW = 512  # 64 ms: two periods of the lowest note of a voice and more
_PITCH_HOP = 400
_SHORTEST_LAG = 8  # 1 kHz
_LONGEST_LAG = 160  # 50 Hz
_LOBE = 0.3


@dataclass(frozen=True, kw_only=True)
class RoleFeatures:
    """Figures of how a track sounds, whatever its level.

    Attributes:
        band_shares: Share of the energy in each octave band (63 Hz … 16 kHz), mean of active hops,
            so that soft stretches count like loud ones; zeros for silence.
        activity: Share of the 100 ms hops within 30 dB of the loudest.
        treble_hops: Share of active hops with over 30 % of the energy above 3 kHz: hats all the
            time, a voice now and then (its sibilants).
        rise_db: Median rise of the 10 ms level within 80 ms before a level peak: hits rise steeply.
        clarity: Median over active 64 ms windows of the normalized autocorrelation's peak between
            50 Hz and 1 kHz: near 1 for one pitch, low for noise and for chords.
    """

    band_shares: tuple[float, ...]
    activity: float
    treble_hops: float
    rise_db: float
    clarity: float

    def share(self, low_hz: float, high_hz: float) -> float:
        """Sums the energy shares of the bands centered from ``low_hz`` to ``high_hz``."""
        return sum(
            share
            for center_hz, share in zip(CENTERS_HZ, self.band_shares, strict=False)
            if low_hz <= center_hz <= high_hz
        )


class RoleMeter:
    """Measures the features of audio that arrives in blocks of any size.

    Args:
        sample_rate: Frames per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._bands = OctaveBandMeter(sample_rate)
        self._levels = _LevelMeter(sample_rate)
        self._pitch = _ClarityMeter(sample_rate)

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``; channels are averaged."""
        mono = block.mean(axis=0)
        self._bands.add(mono)
        self._levels.add(mono)
        self._pitch.add(mono)

    def result(self) -> RoleFeatures:
        """Returns the features of all audio that was added so far."""
        totals = self._bands.total_energies
        active = totals > max(_ACTIVE_POWER * totals.max(initial=0.0), _SILENCE_POWER)
        if not active.any():
            bands = len(self._bands.centers_hz)
            return RoleFeatures(
                band_shares=(0.0,) * bands, activity=0.0, treble_hops=0.0, rise_db=0.0, clarity=0.0
            )
        energies = self._bands.energies[active]
        shares = energies / np.maximum(energies.sum(axis=1, keepdims=True), 1e-30)
        treble = shares[:, np.array(self._bands.centers_hz) > _TREBLE_HZ].sum(axis=1)
        return RoleFeatures(
            band_shares=tuple(float(share) for share in shares.mean(axis=0)),
            activity=float(active.mean()),
            treble_hops=float((treble > _TREBLE_SHARE).mean()),
            rise_db=self._levels.rise_db(),
            clarity=self._pitch.median(),
        )


def measure_role_features(source: AudioSource) -> RoleFeatures:
    """Measures a whole source in one pass.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    meter = RoleMeter(source.sample_rate)
    for block in source.blocks():
        meter.add(block)
    return meter.result()


def guess_role(features: RoleFeatures) -> tuple[Role, float]:
    """Guesses the role from the sound.

    In this order: nearly all energy below 180 Hz is a kick or a tom if it comes in hits, else bass;
    nearly all hops bright and nothing else is hats; low hits and bright hops together are drums;
    noisy hits are percussion; a clear pitch in the voice's range with sibilants and without hits is
    a lead vocal; everything else is "other".

    Several tracks may sound like a lead vocal: backing vocals do. The one that sings most is likely
    to be it.

    Returns:
        The role, and a confidence 0 … 1: how often the rule was right, (right + 1) / (all + 2), on
        the 62 CC0 stems and 24 synthesized tracks that its thresholds were set on, counting as
        right any role of the same family (but only lead vocals as lead vocals). "other" has 0.
    """
    low, treble = features.share(0, 130), features.treble_hops
    hits = features.rise_db
    if not features.activity:
        return "other", 0.0
    if low > 0.6 and features.share(900, 20_000) < 0.15:
        if hits < 18:
            return "bass", 0.7
        return ("kick" if features.share(0, 70) > features.share(120, 130) else "tom"), 0.9
    if treble > 0.6 and features.share(0, 2500) < 0.35:
        return "hats", 0.9
    if low > 0.2 and treble > 0.12:
        return "drums", 0.9
    if hits > 15 and features.clarity < 0.55:
        return "percussion", 0.6
    voiced = features.clarity > 0.75 and features.share(200, 1100) > 0.5
    if voiced and 0.05 < treble < 0.4 and low < 0.15 and hits < 18:
        return "lead vocal", 0.7
    return "other", 0.0


class _LevelMeter:
    """Measures how steeply the level of frames of 10 ms rises."""

    def __init__(self, sample_rate: int) -> None:
        self._length = sample_rate // _FRAMES_PER_SECOND
        self._pending = np.zeros(0)
        self._powers: list[NDArray[np.float64]] = []

    def add(self, mono: NDArray[np.float32]) -> None:
        squares = np.concatenate([self._pending, np.square(mono, dtype=np.float64)])
        frames = len(squares) // self._length
        self._pending = squares[frames * self._length :]
        self._powers.append(
            squares[: frames * self._length].reshape(frames, self._length).mean(axis=1)
        )

    def rise_db(self) -> float:
        """Computes the median over the level peaks of how far the level came up just before."""
        powers = np.concatenate([np.zeros(_BEFORE_FRAMES), *self._powers, np.zeros(_PEAK_FRAMES)])
        # A floor 60 dB below the loudest frame, or digital silence would make any start a hit.
        levels_db = 10.0 * np.log10(np.maximum(powers, max(powers.max() * 1e-6, _SILENCE_POWER)))
        now = levels_db[_BEFORE_FRAMES:-_PEAK_FRAMES]
        around = sliding_window_view(
            levels_db[_BEFORE_FRAMES - _PEAK_FRAMES :], 2 * _PEAK_FRAMES + 1
        )
        before = sliding_window_view(levels_db, _BEFORE_FRAMES - 1)[: len(now)].min(axis=1)
        peaks = (now >= around.max(axis=1)) & (now > now.max(initial=-np.inf) - 30.0)
        return float(np.median((now - before)[peaks])) if peaks.any() else 0.0


class _ClarityMeter:
    """Measures how clearly each stretch of audio has one pitch."""

    def __init__(self, sample_rate: int) -> None:
        self._resampler = soxr.ResampleStream(sample_rate, _PITCH_RATE_HZ, 1, dtype="float32")
        self._window = np.hanning(_PITCH_WINDOW + 2)[1:-1].astype(np.float32)
        of_window = self._autocorrelation(np.ones((1, _PITCH_WINDOW), np.float32))
        self._shape = of_window / of_window[:, :1]  # what the window alone takes from longer lags
        self._pending = np.zeros(0, np.float32)
        self._powers: list[NDArray[np.float32]] = []
        self._clarities: list[NDArray[np.float32]] = []

    def add(self, mono: NDArray[np.float32]) -> None:
        signal = np.concatenate([self._pending, self._resampler.resample_chunk(mono)])
        count = max(0, (len(signal) - _PITCH_WINDOW) // _PITCH_HOP + 1)
        self._pending = signal[count * _PITCH_HOP :].copy()
        if count:
            frames = sliding_window_view(signal, _PITCH_WINDOW)[::_PITCH_HOP][:count]
            self._powers.append(np.square(frames).mean(axis=1))
            self._clarities.append(self._clarity(frames))

    def median(self) -> float:
        """Computes the median clarity of the frames within 30 dB of the loudest; 0 without any."""
        powers = np.concatenate([np.zeros(1, np.float32), *self._powers])
        clarities = np.concatenate([np.zeros(1, np.float32), *self._clarities])
        active = powers > max(_ACTIVE_POWER * float(powers.max()), _SILENCE_POWER)
        return float(np.median(clarities[active])) if active.any() else 0.0

    def _clarity(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        correlation = self._autocorrelation(frames)
        correlation /= np.maximum(correlation[:, :1] * self._shape, 1e-20)
        # The main lobe around lag 0 is no period: it ends where the correlation first falls.
        correlation[np.logical_and.accumulate(correlation >= _LOBE, axis=1)] = 0.0
        best: NDArray[np.float32] = correlation[:, _SHORTEST_LAG:].max(axis=1)
        return np.clip(best, 0.0, 1.0)

    def _autocorrelation(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Correlates windowed frames with themselves ``(frames, lags)``, up to `_LONGEST_LAG`."""
        spectrum = np.fft.rfft(frames * self._window, 2 * _PITCH_WINDOW)
        power = spectrum.real**2 + spectrum.imag**2
        lags = np.fft.irfft(power)[:, : _LONGEST_LAG + 1]
        return lags.astype(np.float32)
