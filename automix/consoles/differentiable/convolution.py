"""Convolution with long responses by one transform, as long as the audio."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def convolve_and_mix(feeds: Tensor, responses: Tensor, gains: Tensor) -> Tensor:
    """Convolves feeds with responses and mixes the results, which costs few inverse transforms.

    Args:
        feeds: ``(batch, feeds, samples)``.
        responses: ``(batch or 1, feeds, sides, taps)``.
        gains: ``(batch, outputs, feeds, sides)``.

    Returns:
        ``(batch, outputs, samples)``: the tail that goes beyond the feeds is left out.
    """
    responses = responses[..., : feeds.shape[-1]]
    result: Tensor = _Convolved.apply(feeds, responses, gains.to(feeds.dtype))
    return result


class _Convolved(torch.autograd.Function):
    """With gradients by transforms of real signals: torch's own go through complex ones."""

    @staticmethod
    def forward(ctx: Any, feeds: Tensor, responses: Tensor, gains: Tensor) -> Tensor:
        samples = feeds.shape[-1]
        size = fast_length(samples + responses.shape[-1] - 1)
        of_feeds = torch.fft.rfft(feeds, size)
        of_responses = torch.fft.rfft(responses, size)
        parts = of_feeds.unsqueeze(2) * of_responses
        ctx.save_for_backward(of_feeds, of_responses, parts, gains)
        ctx.extent = samples, responses.shape[-1], size
        of_mix = _mixed(gains.flatten(2), parts.flatten(1, 2))
        mix: Tensor = torch.fft.irfft(of_mix, size)[..., :samples]
        return mix

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        of_feeds, of_responses, parts, gains = ctx.saved_tensors
        samples, taps, size = ctx.extent
        of_mix = torch.fft.rfft(gradients[0], size)
        of_parts = _mixed(gains.flatten(2).mT, of_mix).view_as(parts)
        grad_feeds = grad_responses = grad_gains = None
        if ctx.needs_input_grad[0]:
            spectra = (of_parts * of_responses.conj()).sum(2)
            grad_feeds = torch.fft.irfft(spectra, size)[..., :samples]
        if ctx.needs_input_grad[1]:
            spectra = (of_parts * of_feeds.conj().unsqueeze(2)).sum_to_size(
                len(of_responses), *of_parts.shape[1:]
            )
            grad_responses = torch.fft.irfft(spectra, size)[..., :taps]
        if ctx.needs_input_grad[2]:
            # Parseval: all frequencies but the first and the last stand for two.
            of_mix *= 2.0 / size
            of_mix[..., 0] *= 0.5
            of_mix[..., -1] *= 0.5
            products = torch.matmul(_real(of_mix), _real(parts.flatten(1, 2)).mT)
            grad_gains = products.view_as(gains)
        return grad_feeds, grad_responses, grad_gains


def _mixed(gains: Tensor, spectra: Tensor) -> Tensor:
    """A mix of spectra with real gains is a product of real matrices."""
    mixed = torch.matmul(gains, _real(spectra))
    return torch.view_as_complex(mixed.reshape(*mixed.shape[:-1], -1, 2))


def _real(spectra: Tensor) -> Tensor:
    return torch.view_as_real(spectra).flatten(-2)


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
