"""Disturbances of a voice and its backing before a network hears them, on mel spectrograms.

Equalizers, microphones and singers multiply the power of each band, so thousands of them cost no
more than a sum of levels. The network is to find the gains of the equalizer, and to ignore all the
other disturbances.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from automix.dsp.biquad import coefficients, frequency_response
from automix.networks.torchaudio_pair import load_torchaudio
from automix.networks.vocal_cnn_description import BAND_Q, BANDS_HZ, CHANGED_BANDS, GAINS_DB
from automix.networks.vocal_mel import BANDS, N_FFT, RATE_HZ
from automix.training.vocal.settings import VocalTraining

_STEP_DB = 0.25


@lru_cache(maxsize=1)
def band_weights() -> Tensor:
    """How much each bin of the spectrum counts in each mel band ``(1025, 128)``."""
    melscale_fbanks = load_torchaudio("functional").melscale_fbanks
    weights: Tensor = melscale_fbanks(N_FFT // 2 + 1, 0.0, RATE_HZ / 2.0, BANDS, RATE_HZ)
    return weights


@lru_cache(maxsize=1)
def mel_band_centers_hz() -> Tensor:
    """Mean frequency of each mel band ``(128,)``."""
    f = torch.linspace(0.0, RATE_HZ / 2.0, N_FFT // 2 + 1)
    return (band_weights() * f[:, None]).sum(0) / band_weights().sum(0)


def _center_octaves() -> Tensor:
    """Logarithm to base 2 of the center frequency in Hz of each mel band ``(128,)``."""
    return mel_band_centers_hz().log2()


@lru_cache(maxsize=1)
def _responses_db() -> Tensor:
    """Gain in dB that a peak filter gives each mel band of a flat spectrum ``(9, gains, 128)``."""
    f = np.linspace(0.0, RATE_HZ / 2.0, N_FFT // 2 + 1)
    weights = (band_weights() / band_weights().sum(0)).double().numpy()
    gains_db = np.arange(GAINS_DB.low, GAINS_DB.high + _STEP_DB / 2, _STEP_DB)
    rows = [
        [
            np.abs(
                frequency_response(
                    coefficients("peak", center_hz, float(gain_db), BAND_Q, RATE_HZ), f, RATE_HZ
                )
            )
            ** 2
            @ weights
            for gain_db in gains_db
        ]
        for center_hz in BANDS_HZ
    ]
    return torch.from_numpy(10.0 * np.log10(np.array(rows))).float()


def equalizer_db(gains_db: Tensor) -> Tensor:
    """Levels in dB ``(n, 128)`` that nine peak filters of Q 1 add, given their gains ``(n, 9)``."""
    table = _responses_db()
    place = (gains_db.clamp(GAINS_DB.low, GAINS_DB.high) - GAINS_DB.low) / _STEP_DB
    low = place.floor().long().clamp_max(table.shape[1] - 2)
    share = (place - low)[..., None]
    band = torch.arange(len(BANDS_HZ))
    return (table[band, low] * (1.0 - share) + table[band, low + 1] * share).sum(1)


def draw_gain_rows_db(count: int, draw: torch.Generator) -> Tensor:
    """Draws gains ``(count, 9)``: 4 of 9 bands evenly within ±15 dB, the others 0 (III-A)."""
    shape = (count, len(BANDS_HZ))
    gains = GAINS_DB.low + (GAINS_DB.high - GAINS_DB.low) * torch.rand(shape, generator=draw)
    return gains * (torch.rand(shape, generator=draw).argsort(1) < CHANGED_BANDS)


def draw_singers_db(count: int, settings: VocalTraining, draw: torch.Generator) -> Tensor:
    """Draws levels in dB ``(count, 128)`` by which singers, rooms and microphones differ.

    Gaussian curves over the logarithm of frequency, smooth over 2.5 octaves, 0.9 and 0.35, wider at
    both ends; high passes and low passes, and dull or bright trebles.
    """
    if settings.spectrum_db == 0.0 and settings.color_db == 0.0:
        return torch.zeros(count, BANDS)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, generator=draw)

    def spread() -> Tensor:
        return (0.5 * torch.randn(count, 1, generator=draw)).exp().clamp(0.3, 2.5)

    octaves, centers = _center_octaves(), mel_band_centers_hz()
    ends = 1.0 + 0.6 * ((7.5 - octaves).clamp(0, 1) + (octaves - 12.5).clamp(0, 1))
    curve = spread() * settings.spectrum_db * _draw_curves(count, 2.5, draw)
    curve = (curve + spread() * settings.color_db * _draw_curves(count, 0.9, draw)) * ends
    # Formants too, lest the network knows few voices by theirs and takes another's for damage.
    curve = curve + spread() * 0.7 * settings.color_db * _draw_curves(count, 0.35, draw)
    order = torch.randint(1, 5, (count, 1), generator=draw)
    high_pass = -10.0 * torch.log10(1.0 + (40.0 * 2.0 ** uniform(0, 2.3) / centers) ** (2 * order))
    treble = uniform(-18.0, 8.0) / (1.0 + (3000.0 * 2.0 ** uniform(0, 1.7) / centers) ** 2)
    low_pass = -60.0 * torch.log2(centers / (8000.0 * 2.0 ** uniform(0, 1.3))).clamp(0.0, 1.2)
    for added, chance in ((high_pass.clamp_min(-50.0), 0.6), (treble, 0.4), (low_pass, 0.3)):
        curve = curve + added * (uniform(0, 1) < chance)
    return curve


@lru_cache(maxsize=4)
def _curve_factor(octaves_wide: float) -> Tensor:
    """Cholesky factor ``(128, 128)`` of the covariance of curves smooth over some octaves."""
    distance = _center_octaves()[:, None] - _center_octaves()
    kernel = torch.exp(-(distance**2) / (2.0 * octaves_wide**2)) + 1e-4 * torch.eye(BANDS)
    factor: Tensor = torch.linalg.cholesky(kernel)
    return factor


def _draw_curves(count: int, octaves_wide: float, draw: torch.Generator) -> Tensor:
    """Draws Gaussian curves ``(count, 128)`` of unit variance, smooth over some octaves."""
    return torch.randn(count, BANDS, generator=draw) @ _curve_factor(octaves_wide).T


def transpose_spectra(blocks: Tensor, octaves: Tensor) -> Tensor:
    """Spectra ``(n, 128, frames)`` moved up by octaves ``(n,)``, as of smaller singers."""
    centers = mel_band_centers_hz()
    wanted = (centers * 2.0 ** -octaves[:, None]).clamp(centers[0], centers[-1]).contiguous()
    upper = torch.searchsorted(centers, wanted).clamp(1, BANDS - 1)
    share = ((wanted - centers[upper - 1]) / (centers[upper] - centers[upper - 1]))[..., None]
    rows = upper[..., None].expand(-1, -1, blocks.shape[-1])
    return blocks.gather(1, rows - 1) * (1.0 - share) + blocks.gather(1, rows) * share


def dynamics_gain(power: Tensor, factor: float) -> Tensor:
    """Gains in power ``(frames,)`` that multiply the dynamics of a vocal.

    Levels are averaged over about 0.1 s, as a compressor would.

    Args:
        power: Power of the vocal in each frame ``(frames,)``.
        factor: Factor on the distance in dB of each frame from the loudest one.
    """
    smooth = nn.functional.avg_pool1d(power[None], 5, stride=1, padding=2, count_include_pad=False)[
        0
    ]
    level = smooth.clamp_min(1e-12).log()
    return ((factor - 1.0) * (level - level.amax())).exp()


def disturb_blocks(
    blocks: Tensor, settings: VocalTraining, draw: torch.Generator, gains_db: Tensor | None
) -> Tensor:
    """Makes blocks sound like other singers, microphones and backings.

    Args:
        blocks: Mel powers ``(n, 2, 128, frames)``.
        settings: Settings of the training, which say how much is disturbed.
        draw: Source of everything that is drawn.
        gains_db: Gains of the equalizer on the vocal ``(n, 9)``, if there is one.

    Returns:
        Mel powers in the shape of ``blocks``.
    """
    count = len(blocks)
    vocal, backing = blocks.unbind(1)
    if settings.other_backing > 0.0:
        order = torch.randperm(count, generator=draw)
        swap = torch.rand(count, generator=draw) < settings.other_backing
        backing = torch.where(swap[:, None, None], backing[order], backing)
    if settings.transposition_octaves > 0.0:
        spread = torch.randn(count, generator=draw).clamp(-2.0, 2.0)
        vocal = transpose_spectra(vocal, spread * settings.transposition_octaves)
    if gains_db is None and settings.spectrum_db == settings.color_db == 0.0:
        return torch.stack([vocal, backing], 1)
    curve = draw_singers_db(count, settings, draw)
    if gains_db is not None:
        curve = curve + equalizer_db(gains_db)
    if settings.spectrum_db > 0.0:
        around = 3.0 * _draw_curves(count, 2.5, draw)
        backing = backing * 10.0 ** (around[..., None] / 10.0)
    return torch.stack([vocal * 10.0 ** (curve[..., None] / 10.0), backing], 1)
