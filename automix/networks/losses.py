"""Distances between audio signals: losses for training, and the same numbers as metrics.

Signals are tensors ``(..., samples)`` of audio in ±1, prediction first. A distance has one value
for each leading index; take its mean over a batch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from automix.networks.torchaudio_pair import load_torchaudio


@dataclass(frozen=True)
class Resolution:
    """Sizes in samples of a short-time Fourier transform."""

    n_fft: int
    hop_length: int
    window_length: int


RESOLUTIONS = (Resolution(512, 50, 240), Resolution(1024, 120, 600), Resolution(2048, 240, 1200))
"""The resolutions of Yamamoto et al. 2020, at every sample rate (Steinmetz 2020, table 5)."""

LEAST_MAGNITUDE = 1e-5
"""Magnitudes below this count as this: digital silence has a logarithm, and no norm is zero."""

_FRAMES_AT_A_TIME = 2048
_MEL_BANDS, _MEL_FFT, _MEL_HOP = 128, 2048, 512
_MEL_RANGE = 1e-8  # of the power: 80 dB
_MEL_LEAST = 1e-10


def magnitudes(signal: Tensor, resolution: Resolution) -> Tensor:
    """Magnitudes ``(..., bins, frames)`` of centered, reflected frames with a Hann window."""
    found = _magnitudes(_reflect(signal, resolution), resolution)
    return found.reshape(*signal.shape[:-1], *found.shape[1:])


def _reflect(signal: Tensor, resolution: Resolution) -> Tensor:
    """Rows with half a frame more on both sides; short ones are filled up with silence first."""
    signal = pad(signal, (0, max(0, resolution.n_fft - signal.shape[-1])))
    rows = signal.reshape(-1, signal.shape[-1])
    return pad(rows, (resolution.n_fft // 2, resolution.n_fft // 2), mode="reflect")


def _magnitudes(rows: Tensor, resolution: Resolution) -> Tensor:
    """Magnitudes ``(rows, bins, frames)`` of the frames that lie wholly within rows of samples."""
    window = torch.hann_window(resolution.window_length, dtype=rows.dtype, device=rows.device)
    spectra = torch.stft(
        rows,
        resolution.n_fft,
        resolution.hop_length,
        resolution.window_length,
        window,
        center=False,
        return_complex=True,
    )
    power = spectra.real.square() + spectra.imag.square()
    return power.clamp_min(LEAST_MAGNITUDE**2).sqrt()


def mr_stft(
    prediction: Tensor, target: Tensor, resolutions: Sequence[Resolution] = RESOLUTIONS
) -> Tensor:
    """Multi-resolution STFT distance (Steinmetz 2020, eqs. 4.22–4.24).

    The mean over the resolutions of spectral convergence, ‖Y − Ŷ‖ / ‖Y‖ (Frobenius), and mean
    absolute difference of the natural logarithms of the magnitudes.

    Args:
        prediction: Signals ``(..., samples)``. Those shorter than a frame are filled up with
            silence.
        target: Signals in the same shape.
        resolutions: Sizes of the transforms.

    Returns:
        One distance for each signal, ``(...)``.

    Raises:
        ValueError: The shapes differ, or there are no samples.
    """
    _check(prediction, target)
    total = prediction.new_zeros(())
    for resolution in resolutions:
        found = magnitudes(prediction, resolution)
        wanted = magnitudes(target, resolution)
        convergence = _norm(wanted - found) / _norm(wanted)
        logarithmic = (wanted.log() - found.log()).abs().mean((-2, -1))
        total = total + convergence + logarithmic
    return total / len(resolutions)


def long_mr_stft(prediction: NDArray[Any], target: NDArray[Any]) -> float:
    """`mr_stft` of two signals ``(samples,)`` of any length, in bounded memory.

    Raises:
        ValueError: See `mr_stft`.
    """
    found, wanted = (torch.from_numpy(np.array(x, np.float32)) for x in (prediction, target))
    _check(found, wanted)
    total = 0.0
    for resolution in RESOLUTIONS:
        rows = torch.cat([_reflect(x[None], resolution) for x in (found, wanted)])
        frames = 1 + (rows.shape[-1] - resolution.n_fft) // resolution.hop_length
        error = energy = logarithmic = 0.0
        for first in range(0, frames, _FRAMES_AT_A_TIME):
            last = min(first + _FRAMES_AT_A_TIME, frames) - 1
            start, stop = first * resolution.hop_length, last * resolution.hop_length
            piece = rows[:, start : stop + resolution.n_fft]
            ours, theirs = _magnitudes(piece, resolution)
            error += (theirs - ours).square().sum(dtype=torch.float64).item()
            energy += theirs.square().sum(dtype=torch.float64).item()
            logarithmic += (theirs.log() - ours.log()).abs().sum(dtype=torch.float64).item()
        bins = resolution.n_fft // 2 + 1
        total += math.sqrt(error / energy) + logarithmic / (bins * frames)
    return total / len(RESOLUTIONS)


def log_mel(prediction: Tensor, target: Tensor, sample_rate: int) -> Tensor:
    """Mean absolute difference of mel spectra in nepers, as in mel cepstral distortion.

    128 Slaney mel bands of 2048-point Hann transforms every 512 samples. What is more than 80 dB
    below the highest band of the target counts as that. Bands are wider than the fine structure of
    a reverb's tail: right in level, it is right. To `mr_stft` all bins are alike, most of which
    are high.

    Args:
        prediction: Signals ``(..., samples)``. Those shorter than a frame are filled up with
            silence.
        target: Signals in the same shape.
        sample_rate: Frames per second.

    Returns:
        One distance for each signal, ``(...)``.

    Raises:
        ValueError: The shapes differ, or there are no samples.
    """
    _check(prediction, target)
    missing = max(0, _MEL_FFT - target.shape[-1])
    window = torch.hann_window(_MEL_FFT, dtype=target.dtype, device=target.device)
    bank = _mel_bank(sample_rate).to(target)

    def mel(signal: Tensor) -> Tensor:
        rows = pad(signal, (0, missing)).reshape(-1, signal.shape[-1] + missing)
        spectra = torch.stft(
            rows, _MEL_FFT, _MEL_HOP, window=window, center=False, return_complex=True
        )
        power = spectra.real.square() + spectra.imag.square()
        return power.transpose(-2, -1) @ bank

    found, wanted = mel(prediction), mel(target)
    floor = (_MEL_RANGE * wanted.amax((-2, -1), keepdim=True)).clamp_min(_MEL_LEAST)
    difference = 0.5 * (found + floor).log() - 0.5 * (wanted + floor).log()
    return difference.abs().mean((-2, -1)).reshape(target.shape[:-1])


@lru_cache(maxsize=4)
def _mel_bank(sample_rate: int) -> Tensor:
    melscale_fbanks = load_torchaudio("functional").melscale_fbanks
    bins, top = _MEL_FFT // 2 + 1, sample_rate / 2
    bank: Tensor = melscale_fbanks(bins, 0.0, top, _MEL_BANDS, sample_rate, "slaney", "slaney")
    return bank


def stereo_mr_stft(prediction: Tensor, target: Tensor) -> Tensor:
    """The stereo loss: `mr_stft` of left + right, plus that of left − right (eqs. 5.1–5.3).

    Swapping the channels of either signal changes nothing. Sum and difference are not halved.

    Args:
        prediction: Stereo signals ``(..., 2, samples)``.
        target: Signals in the same shape.

    Returns:
        One distance for each signal, ``(...)``.

    Raises:
        ValueError: The shapes differ, or are not stereo.
    """
    return mr_stft(sum_and_difference(prediction), sum_and_difference(target)).sum(-1)


def left_right_mr_stft(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean of `mr_stft` of left and right, ``(...)``."""
    return mr_stft(prediction, target).mean(-1)


def l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of the samples (eq. 4.17), ``(...)``."""
    _check(prediction, target)
    return (prediction - target).abs().mean(-1)


def stereo_l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of left + right, plus that of left − right, ``(...)``."""
    return l1(sum_and_difference(prediction), sum_and_difference(target)).sum(-1)


def sum_and_difference(signal: Tensor) -> Tensor:
    """Left + right and left − right ``(..., 2, samples)`` (eqs. 5.1 and 5.2).

    Raises:
        ValueError: The signal is not stereo.
    """
    if signal.ndim < 2 or signal.shape[-2] != 2:
        raise ValueError(f"a stereo signal is (..., 2, samples), not {tuple(signal.shape)}")
    left, right = signal.unbind(-2)
    return torch.stack([left + right, left - right], -2)


def _norm(values: Tensor) -> Tensor:
    """Root of the sum of squares; 0 where both are equal has the gradient 0, not NaN."""
    norm: Tensor = torch.linalg.vector_norm(values, dim=(-2, -1))
    return norm


def _check(prediction: Tensor, target: Tensor) -> None:
    """Refuses signals of different shapes, and empty ones."""
    if prediction.shape != target.shape:
        raise ValueError(f"{tuple(prediction.shape)} against {tuple(target.shape)} samples")
    if prediction.shape[-1] == 0:
        raise ValueError("there are no samples to compare")
