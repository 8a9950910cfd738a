"""Measures what a mix sounds like: loudness, dynamics, spectrum and stereo image.

Spectra are long-term averages over the active parts, so that neither silence nor the length of a
song weighs in; a figure that silence or mono has not is −inf or NaN.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from automix.analysis.program import ProgramMeter
from automix.analysis.readings import Loudness
from automix.audio.samples import AudioSource, Samples
from automix.units import gain_to_db, power_to_db

Vector = NDArray[np.float64]

THIRD_OCTAVE_CENTERS_HZ = tuple(1000.0 * 10 ** (n / 10) for n in range(-16, 14))
"""Exact centers of the bands of a third of an octave, 25 Hz … 20 kHz (IEC 61260, base ten)."""

BARK_EDGES_HZ = (
    20.0, 100.0, 200.0, 300.0, 400.0, 510.0, 630.0, 770.0, 920.0, 1080.0, 1270.0, 1480.0, 1720.0,
    2000.0, 2320.0, 2700.0, 3150.0, 3700.0, 4400.0, 5300.0, 6400.0, 7700.0, 9500.0, 12000.0,
    15500.0,
)  # fmt: skip
"""Edges of the 24 critical bands (Zwicker 1961); the lowest begins at 20 Hz instead of 0."""

_FRAME_S = 0.37
_ACTIVE_DBFS = -70.0
_ACTIVE_BELOW_MEAN_DB = -20.0


@dataclass(frozen=True, kw_only=True, eq=False)
class MixFeatures:
    """Measured features of one stereo signal.

    Attributes:
        loudness: Loudness, loudness range and peaks.
        crest_db: Crest factor: highest sample over the RMS of the active parts, in dB; NaN for
            silence.
        left: Power spectrum of the left side ``(bins,)``, mean of the active parts; its sum is the
            mean square.
        right: Power spectrum of the right side ``(bins,)``.
        cross: Real part of the cross spectrum of both sides ``(bins,)``.
        frequencies_hz: Center of each bin ``(bins,)``.
    """

    loudness: Loudness
    crest_db: float
    left: Vector
    right: Vector
    cross: Vector
    frequencies_hz: Vector

    @cached_property
    def power(self) -> Vector:
        """Power spectrum of both sides together ``(bins,)``."""
        return 0.5 * (self.left + self.right)

    @property
    def centroid_hz(self) -> float:
        """Center of gravity of the power spectrum; NaN for silence."""
        total = float(self.power.sum())
        return float(self.power @ self.frequencies_hz) / total if total > 0.0 else math.nan

    @property
    def width_db(self) -> float:
        """Power of left − right over that of left + right; −inf is mono, 0 dB unrelated sides."""
        return float(self._width_db(np.ones((1, len(self.left))))[0])

    @property
    def imbalance_db(self) -> float:
        """Power of the right side over that of the left; above 0 leans to the right."""
        return float(self._imbalance_db(np.ones((1, len(self.left))))[0])

    @cached_property
    def third_octaves_db(self) -> Vector:
        """Levels ``(30,)`` in bands of a third of an octave; NaN above half the sample rate."""
        edges = [(c * 10**-0.05, c * 10**0.05) for c in THIRD_OCTAVE_CENTERS_HZ]
        return self._levels_db(edges)

    @cached_property
    def bark_db(self) -> Vector:
        """Levels ``(24,)`` in critical bands; NaN above half the sample rate."""
        return self._levels_db(_BARK)

    @property
    def bark_width_db(self) -> Vector:
        """`width_db` of each critical band."""
        return self._width_db(weigh_bands(_BARK, self.frequencies_hz))

    @property
    def bark_imbalance_db(self) -> Vector:
        """`imbalance_db` of each critical band."""
        return self._imbalance_db(weigh_bands(_BARK, self.frequencies_hz))

    def side_over_mid_db(self, bands: Sequence[tuple[float, float]]) -> Vector:
        """Measures how wide the signal is in each of some bands.

        Args:
            bands: Lower and upper edge of each band in Hz.

        Returns:
            Power of (left − right) / 2 over that of (left + right) / 2 in dB, one per band: −inf is
            mono, 0 dB unrelated sides. NaN in a band without power, and where a band reaches beyond
            half the sample rate.
        """
        widths = self._width_db(weigh_bands(bands, self.frequencies_hz))
        return self._blank_beyond(widths, bands)

    def _levels_db(self, edges: Sequence[tuple[float, float]]) -> Vector:
        levels = _db(weigh_bands(edges, self.frequencies_hz) @ self.power)
        return self._blank_beyond(levels, edges)

    def _blank_beyond(self, values: Vector, edges: Sequence[tuple[float, float]]) -> Vector:
        """Makes the values of bands that reach beyond half the sample rate NaN, in place."""
        values[np.array([high for _, high in edges]) > 1.0001 * self.frequencies_hz[-1]] = np.nan
        return values

    def _width_db(self, weights: Vector) -> Vector:
        both, cross = weights @ (self.left + self.right), 2.0 * (weights @ self.cross)
        side = np.maximum(both - cross, 0.0)
        side[side < 1e-12 * both] = 0.0  # what rounding leaves of equal sides
        return _ratio_db(side, np.maximum(both + cross, 0.0))

    def _imbalance_db(self, weights: Vector) -> Vector:
        return _ratio_db(weights @ self.right, weights @ self.left)


_BARK = tuple(zip(BARK_EDGES_HZ, BARK_EDGES_HZ[1:], strict=False))


class FeatureMeter:
    """Measures the features of audio that arrives in blocks of any size; mono is two equal sides.

    Args:
        sample_rate: Frames per second.
        channels: 1 or 2.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._program = ProgramMeter(sample_rate, channels)
        self._frame = 1 << round(math.log2(_FRAME_S * sample_rate))
        self._window = np.hanning(self._frame + 1)[:-1]
        self._frequencies_hz = np.arange(self._frame // 2 + 1) * np.float64(
            sample_rate / self._frame
        )
        self._pending = np.zeros((2, 0), np.float32)
        self._position = 0
        # Sums of the frames of a level, by whole dB: what is active is known only at the end.
        self._sums: dict[int, Vector] = {}
        self._counts: dict[int, int] = {}
        self._peak = 0.0

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``."""
        self._program.add(block)
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        self._position += block.shape[1]
        sides = block if len(block) == 2 else np.repeat(block, 2, axis=0)
        self._pending = np.concatenate([self._pending, sides], axis=1)
        hop = self._frame // 2
        while self._pending.shape[1] >= self._frame:
            self._add_frame(self._pending[:, : self._frame])
            self._pending = self._pending[:, hop:]

    def result(self) -> MixFeatures:
        """Returns the features of all audio that was added so far."""
        if self._position < self._frame:  # so short that no frame was filled
            missing = self._frame - self._pending.shape[1]
            around = (missing // 2, missing - missing // 2)  # the window is 0 at its ends
            self._add_frame(np.pad(self._pending, ((0, 0), around)))
        mean = self._mean_above(_ACTIVE_DBFS)
        mean_db = power_to_db(float(mean[:2].sum()) / 2)
        if math.isfinite(mean_db):
            mean = self._mean_above(max(_ACTIVE_DBFS, mean_db + _ACTIVE_BELOW_MEAN_DB))
        active_db = power_to_db(float(mean[:2].sum()) / 2)
        return MixFeatures(
            loudness=self._program.result(),
            crest_db=gain_to_db(self._peak) - active_db if math.isfinite(active_db) else math.nan,
            left=mean[0],
            right=mean[1],
            cross=mean[2],
            frequencies_hz=self._frequencies_hz,
        )

    def _mean_above(self, level_db: float) -> Vector:
        """Averages the spectra ``(3, bins)`` of the frames above a level, rounded to whole dB."""
        chosen = [level for level in self._sums if level >= math.floor(level_db)]
        total = np.zeros((3, self._frame // 2 + 1))
        for level in sorted(chosen):
            total += self._sums[level]
        return total / max(1, sum(self._counts[level] for level in chosen))

    def _add_frame(self, sides: Samples) -> None:
        """Adds the powers of left and right, and their cross power, to those of its level."""
        spectra = np.fft.rfft(sides * self._window)
        scale = np.full(spectra.shape[1], 2.0)  # the negative frequencies
        scale[0] = scale[-1] = 1.0
        scale /= self._frame * float((self._window**2).sum())
        left, right = spectra
        powers = [np.abs(left) ** 2, np.abs(right) ** 2, (left * right.conj()).real]
        spectrum = np.array(powers) * scale
        level_db = power_to_db(float(spectrum[:2].sum()) / 2)
        if level_db > _ACTIVE_DBFS:
            level = math.floor(level_db)
            self._sums[level] = self._sums.get(level, 0.0) + spectrum
            self._counts[level] = self._counts.get(level, 0) + 1


def measure_features(source: AudioSource) -> MixFeatures:
    """Measures a whole source in one pass.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    meter = FeatureMeter(source.sample_rate, source.channels)
    for block in source.blocks():
        meter.add(block)
    return meter.result()


def weigh_bands(edges: Sequence[tuple[float, float]], frequencies_hz: Vector) -> Vector:
    """Computes which share of each bin lies within each band.

    Args:
        edges: Lower and upper edge of each band in Hz.
        frequencies_hz: Centers of the bins ``(bins,)``, evenly spaced from 0.

    Returns:
        Shares ``(bands, bins)``, 0 … 1.
    """
    width = frequencies_hz[1]
    low, high = (np.array(side)[:, np.newaxis] for side in zip(*edges, strict=True))
    overlap = np.minimum(high, frequencies_hz + width / 2) - np.maximum(
        low, frequencies_hz - width / 2
    )
    return np.asarray(np.clip(overlap / width, 0.0, 1.0))


def _db(powers: Vector) -> Vector:
    levels = np.full(powers.shape, -np.inf)
    np.log10(powers, out=levels, where=powers > 0)
    return 10.0 * levels


def _ratio_db(above: Vector, below: Vector) -> Vector:
    """Computes the level of one power over another: NaN where both are 0, ±inf where one is."""
    with np.errstate(invalid="ignore"):
        return _db(above) - _db(below)
