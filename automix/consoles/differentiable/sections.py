"""Second-order sections with gradients to frequency, gain and Q: `automix.dsp.biquad` in torch."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from automix.dsp.biquad import HIGHEST_FREQUENCY, BiquadKind


def design_sections(
    kinds: Sequence[Sequence[BiquadKind]],
    frequency_hz: Tensor,
    gain_db: Tensor,
    q: Tensor,
    sample_rate: int,
) -> Tensor:
    """Designs sections as `automix.dsp.biquad.coefficients` does.

    A corner at or above 0.49 of the rate is the identity or stays at 0.49, without a gradient to
    the frequency.

    Args:
        kinds: Shape of each band of each track; a track may have fewer bands than the tensors.
        frequency_hz: ``(batch, tracks, bands)``, float64 for full accuracy.
        gain_db: Boost or cut in the same shape; passes ignore it.
        q: Q in the same shape.
        sample_rate: Frames per second.

    Returns:
        ``(batch, tracks, bands, 5)``: b0, b1, b2, a1, a2 with a0 = 1; bands that a track does not
        have are the identity.
    """

    def of_kind(*wanted: BiquadKind) -> Tensor:
        bands = frequency_hz.shape[-1]
        rows = [[k < len(row) and row[k] in wanted for k in range(bands)] for row in kinds]
        return torch.tensor(rows, device=frequency_hz.device)

    highest_hz = HIGHEST_FREQUENCY * sample_rate
    angle = (2.0 * math.pi / sample_rate) * frequency_hz.clamp(max=highest_hz)
    alpha = torch.sin(angle) / (2.0 * q)
    cosine = torch.cos(angle)
    amplitude = torch.exp(gain_db * (math.log(10.0) / 40.0))

    present = {kind for row in kinds for kind in row}
    one = torch.ones_like(amplitude)
    result = torch.stack([one, 0 * one, 0 * one, one, 0 * one, 0 * one], -1)
    audible = frequency_hz < highest_hz
    if "peak" in present:
        peak = _peak(amplitude, cosine, alpha)
        result = torch.where((of_kind("peak") & audible)[..., None], peak, result)
    if present & {"low_shelf", "high_shelf"}:
        high = of_kind("high_shelf")
        sign = torch.where(high, -1.0, 1.0).to(amplitude)  # mirror images: z → −z
        shelf = _low_shelf(amplitude, sign * cosine, alpha)
        shelf = shelf * torch.stack([one, sign * one, one, one, sign * one, one], -1)
        chosen = of_kind("low_shelf") | (high & audible)
        result = torch.where(chosen[..., None], shelf, result)
    if present & {"high_pass", "low_pass"}:
        low = of_kind("low_pass")
        passing = _pass(torch.where(low, -1.0, 1.0).to(amplitude), cosine, alpha)
        chosen = of_kind("high_pass") | (low & audible)
        result = torch.where(chosen[..., None], passing, result)
    b, a = result[..., :3], result[..., 3:]
    return torch.cat([b, a[..., 1:]], -1) / a[..., :1]


def _peak(amplitude: Tensor, cosine: Tensor, alpha: Tensor) -> Tensor:
    more, less = alpha * amplitude, alpha / amplitude
    middle = -2 * cosine
    return torch.stack([1 + more, middle, 1 - more, 1 + less, middle, 1 - less], -1)


def _low_shelf(amplitude: Tensor, cosine: Tensor, alpha: Tensor) -> Tensor:
    more, less, slope = amplitude + 1, amplitude - 1, 2 * amplitude.sqrt() * alpha
    b = (
        amplitude * (more - less * cosine + slope),
        2 * amplitude * (less - more * cosine),
        amplitude * (more - less * cosine - slope),
    )
    a = (more + less * cosine + slope, -2 * (less + more * cosine), more + less * cosine - slope)
    return torch.stack([*b, *a], -1)


def _pass(side: Tensor, cosine: Tensor, alpha: Tensor) -> Tensor:
    """High pass where ``side`` is 1, low pass where it is −1."""
    outer = (1 + side * cosine) / 2
    a = (1 + alpha, -2 * cosine, 1 - alpha)
    return torch.stack([outer, -2 * side * outer, outer, *a], -1)
