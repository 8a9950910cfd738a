"""Impulse responses of the reverbs as tensors, those of spaces with gradients.

A mixture of spaces is convolved with the mixture of their responses; `automix.dsp.spaces` tells how
a decay shortens each of them.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from automix.consoles.differentiable.loops import (
    TILE_FRAMES,
    space_response,
    space_response_gradient,
)
from automix.consoles.differentiable.recursion import array_of, for_each
from automix.consoles.differentiable.values import SPACES, ConsolePart
from automix.dsp import fdn_reverb
from automix.dsp.spaces import T60_S, base_response, energy_profile, tails_s
from automix.plan.settings import FdnReverbSettings


def space_responses(
    settings: ConsolePart, sample_rate: int, longest: int, dtype: torch.dtype
) -> Tensor:
    """Responses of mixtures of spaces, each with its own decay.

    Args:
        settings: Holds ``space.mixture`` and ``space.decay``.
        sample_rate: Frames per second.
        longest: Taps after which no response is heard.
        dtype: The type of the result.

    Returns:
        ``(batch, parts, 2, taps)``: mono in, stereo out.
    """
    mixture = settings.get("space.mixture", len(SPACES))
    slowing = 1.0 / settings.get("space.decay") - 1.0
    used = torch.ones(len(SPACES), dtype=torch.bool)
    if not mixture.requires_grad:
        used = (mixture != 0.0).flatten(0, -2).any(0)
    spaces = [n for n in range(len(SPACES)) if used[n]]
    amplitudes, decays = [], []
    for n in spaces:
        rate = slowing * (math.log(1000.0) / T60_S[SPACES[n]])  # nepers per second
        times_s, energies = (torch.tensor(x).to(rate) for x in energy_profile(SPACES[n]))
        energy = torch.exp(-2.0 * rate[..., None] * times_s) @ energies.T
        amplitudes.append(mixture[..., n, None] * energy**-0.5)
        decays.append(rate / sample_rate)
    amplitude = torch.stack(amplitudes, -2).flatten(0, 1)
    decay = torch.stack(decays, -1).flatten(0, 1)
    bases, wholes = _bases(tuple(spaces), sample_rate, longest, dtype)
    lengths = _heard(tuple(spaces), array_of(settings.get("space.decay")), sample_rate)
    lengths = np.minimum(lengths, wholes)
    response: Tensor = _Shortened.apply(amplitude, decay, bases, lengths)
    return response.reshape(*mixture.shape[:2], *response.shape[1:])


def network_response(
    settings: FdnReverbSettings, sample_rate: int, like: Tensor, *, channels: int = 2
) -> Tensor:
    """The constant response ``(channels, 2, taps)`` of a feedback delay network.

    Args:
        settings: Settings of the network.
        sample_rate: Frames per second.
        like: Gives dtype and device.
        channels: 1 feeds one line, without the pass-through, as a bus does.
    """
    response = fdn_reverb.impulse_response(
        settings, sample_rate, channels=channels, direct=channels == 2
    )
    return torch.tensor(response).to(like)


@lru_cache(maxsize=4)
def _bases(
    spaces: tuple[int, ...], sample_rate: int, longest: int, dtype: torch.dtype
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Whole responses ``(spaces, 2, taps)``, padded to the longest, and the length of each."""
    responses = [base_response(SPACES[n], sample_rate)[:, :longest] for n in spaces]
    lengths = np.array([response.shape[1] for response in responses])
    kind = torch.empty(0, dtype=dtype).numpy().dtype
    bases = np.zeros((len(spaces), 2, lengths.max(initial=1)), kind)
    for base, response in zip(bases, responses, strict=True):
        base[:, : response.shape[1]] = response
    return bases, lengths


def _heard(
    spaces: tuple[int, ...], decays: NDArray[np.float64], sample_rate: int
) -> NDArray[np.int64]:
    """Taps ``(rows, spaces)`` that the exact console renders, in whole tiles.

    So the end, which has no gradient, hardly ever moves with the decay.
    """
    tails = np.stack([tails_s(SPACES[n], decays.ravel()) for n in spaces], 1)
    return np.ceil(tails * (sample_rate / TILE_FRAMES)).astype(np.int64) * TILE_FRAMES


class _Shortened(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        amplitude: Tensor,
        decay: Tensor,
        bases: NDArray[Any],
        lengths: NDArray[np.int64],
    ) -> Tensor:
        amplitudes, decays = array_of(amplitude), array_of(decay)
        result = np.empty((len(decays), 2, lengths.max(initial=1)), bases.dtype)

        def work(row: int) -> None:
            space_response(bases, amplitudes[row], decays[row], lengths[row], result[row])

        for_each(work, len(decays))
        ctx.save_for_backward(amplitude, decay)
        ctx.bases = bases, lengths
        return torch.from_numpy(result).to(amplitude.device)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        amplitudes, decays = (array_of(tensor) for tensor in ctx.saved_tensors)
        gradient = array_of(gradients[0])
        bases, lengths = ctx.bases
        grad_amplitudes, grad_decays = np.empty_like(amplitudes), np.empty_like(decays)

        def work(row: int) -> None:
            space_response_gradient(
                bases,
                amplitudes[row],
                decays[row],
                lengths[row],
                gradient[row],
                grad_amplitudes[row],
                grad_decays[row],
            )

        for_each(work, len(decays))
        device = gradients[0].device
        return (
            torch.from_numpy(grad_amplitudes).to(device),
            torch.from_numpy(grad_decays).to(device),
            None,
            None,
        )
