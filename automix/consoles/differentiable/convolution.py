"""Convolution with long responses by one transform, as long as the audio."""

import torch
from torch import Tensor


def convolved(feeds: Tensor, responses: Tensor, gains: Tensor) -> Tensor:
    """Convolves feeds with responses and mixes the results, which costs few inverse transforms.

    Args:
        feeds: ``(batch, feeds, samples)``.
        responses: ``(batch or 1, feeds, sides, taps)``.
        gains: ``(batch, outputs, feeds, sides)``.

    Returns:
        ``(batch, outputs, samples)``: the tail that goes beyond the feeds is left out.
    """
    samples = feeds.shape[-1]
    responses = responses[..., :samples]
    size = fast_length(samples + responses.shape[-1] - 1)
    spectra = torch.fft.rfft(feeds, size).unsqueeze(2) * torch.fft.rfft(responses, size)
    # A mix of spectra with real gains is a product of real matrices.
    parts = torch.view_as_real(spectra).flatten(-2).flatten(1, 2)
    mixed = torch.matmul(gains.flatten(2).to(parts.dtype), parts)
    mixed = torch.view_as_complex(mixed.reshape(*mixed.shape[:-1], -1, 2))
    result: Tensor = torch.fft.irfft(mixed, size)
    return result[..., :samples]


def fast_length(least: int) -> int:
    """The smallest length of at least ``least`` with no prime factor but 2, 3 and 5; even."""
    best = 1 << max(1, (least - 1).bit_length())
    odd = 1
    while odd < best:
        length = odd
        while length < best:
            even = length << max(1, (-(-least // length) - 1).bit_length())
            best = min(best, even)
            length *= 3
        odd *= 5
    return best
