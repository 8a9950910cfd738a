"""Saturation in torch: the curve and filters of `automix.dsp.saturation`, by Fourier transforms."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from automix.consoles.differentiable.convolution import fast_length
from automix.consoles.differentiable.processors import gain_of
from automix.consoles.differentiable.values import ConsolePart
from automix.dsp.saturation import EDGE, HALF_BAND, KNEE, Vector

_OVERSAMPLING = 4


def saturate(signal: Tensor, settings: ConsolePart, sample_rate: int) -> Tensor:
    """What `automix.dsp.saturation` does, in time.

    Args:
        signal: ``(batch, tracks, channels, samples)``.
        settings: Holds ``saturation.drive_db`` and ``.mix``.
        sample_rate: Makes no difference.
    """
    drive = gain_of(settings.get("saturation.drive_db"))[..., None, None]
    mix = settings.get("saturation.mix")[..., None, None].to(signal.dtype)
    samples = signal.shape[-1]
    taps = _join_filters()
    size = fast_length(_OVERSAMPLING * samples + 2 * len(taps))
    size += -size % _OVERSAMPLING
    centered = signal.new_zeros(size)
    centered[: len(taps)] = torch.from_numpy(taps).to(signal)
    # Real, because the filter is symmetrical around its middle.
    response = torch.fft.rfft(centered.roll(-(len(taps) // 2))).real
    stuffed = torch.zeros((*signal.shape[:-1], size), dtype=signal.dtype, device=signal.device)
    stuffed[..., : _OVERSAMPLING * samples : _OVERSAMPLING] = _OVERSAMPLING * signal
    raised = torch.fft.irfft(torch.fft.rfft(stuffed) * response, size)
    added = torch.fft.irfft(torch.fft.rfft(_bend(raised, drive)) * response, size)
    result: Tensor = signal + mix * added[..., : _OVERSAMPLING * samples : _OVERSAMPLING]
    return result


def _bend(x: Tensor, drive: Tensor) -> Tensor:
    """What the curve adds to x, f(s·x)/s − x, with a gradient to the drive at 0 dB too.

    Below the knee it depends on s² = g² − 1 alone, which has a gradient where s has none.
    """
    squared_scale = (drive * drive - 1.0).to(x.dtype)
    w = (squared_scale / KNEE**2) * x * x
    is_below = w < 1.0
    w = torch.where(is_below, w, 1.0)
    below = x * w * (w * (0.6 - w * (1.0 / 7.0)) - 1.0)
    above = x.sign() * squared_scale.clamp_min(1e-6).rsqrt() - x
    return torch.where(is_below, below, above)


@cache
def _join_filters() -> Vector:
    """Both filters as one at four times the rate."""
    edge, half_band = (np.concatenate([side[:0:-1], side]) for side in (EDGE, HALF_BAND))
    stuffed = np.zeros(2 * len(edge) - 1)
    stuffed[::2] = edge
    return np.convolve(stuffed, half_band)
