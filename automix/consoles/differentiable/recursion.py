"""Recursive filters with gradients: compiled loops behind `torch.autograd.Function`.

The loops run on the processor, one strip per thread. Tensors on another device are copied there
and back, which costs little beside the recursion itself; everything else stays on the device.
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from automix.consoles.differentiable.loops import (
    TILE_FRAMES,
    filter_cascade,
    filter_cascade_gradient,
    smooth,
    smooth_gradient,
)


def filter_sections(signal: Tensor, sections: Tensor, counts: Sequence[int]) -> Tensor:
    """Second-order sections in series, starting from rest.

    Args:
        signal: ``(rows, channels, samples)``.
        sections: ``(rows, sections, 5)`` float64: b0, b1, b2, a1, a2 with a0 = 1.
        counts: How many of the sections each row uses; the rest is ignored.

    Returns:
        In the shape of ``signal``, with gradients to ``signal`` and ``sections``.
    """
    return cast(Tensor, _Filtered.apply(signal, sections, tuple(counts)))


def smooth_branching(target: Tensor, attack: Tensor, release: Tensor) -> Tensor:
    """One-pole smoothing with the branch decided at every sample, starting from 0.

    Args:
        target: ``(rows, samples)``, not negative.
        attack: ``(rows,)`` float64, pole where the target is above the last result.
        release: ``(rows,)`` float64, pole elsewhere.

    Returns:
        In the shape of ``target``, with gradients to all three.
    """
    return cast(Tensor, _Smoothed.apply(target, attack, release))


class _Filtered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, signal: Tensor, sections: Tensor, counts: tuple[int, ...]) -> Tensor:
        x, coefficients = array_of(signal), array_of(sections)
        y = np.empty_like(x)
        rows, channels, frames = x.shape
        tiles = math.ceil(frames / TILE_FRAMES)
        states = [np.empty((channels, tiles, count, 2)) for count in counts]

        def work(row: int) -> None:
            filter_cascade(x[row], coefficients[row, : counts[row]], y[row], states[row])

        for_each(work, rows)
        ctx.save_for_backward(signal, sections)
        ctx.states = states
        return torch.from_numpy(y).to(signal.device)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        signal, sections = ctx.saved_tensors
        x, coefficients, grad_y = array_of(signal), array_of(sections), array_of(gradients[0])
        grad_x, grad_sections = np.empty_like(x), np.zeros_like(coefficients)

        def work(row: int) -> None:
            states = ctx.states[row]
            count = states.shape[2]
            filter_cascade_gradient(
                x[row],
                coefficients[row, :count],
                states,
                grad_y[row],
                grad_x[row],
                grad_sections[row, :count],
            )

        for_each(work, len(x))
        device = signal.device
        return torch.from_numpy(grad_x).to(device), torch.from_numpy(grad_sections).to(device), None


class _Smoothed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, target: Tensor, attack: Tensor, release: Tensor) -> Tensor:
        values, rising, falling = array_of(target), array_of(attack), array_of(release)
        result = np.empty_like(values)

        def work(row: int) -> None:
            smooth(values[row], rising[row], falling[row], result[row])

        for_each(work, len(values))
        output = torch.from_numpy(result).to(target.device)
        ctx.save_for_backward(target, attack, release, output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        values, rising, falling, result = (array_of(tensor) for tensor in ctx.saved_tensors)
        gradient = array_of(gradients[0])
        grad_target, grad_poles = np.empty_like(values), np.empty((2, len(values)))

        def work(row: int) -> None:
            grad_poles[:, row] = smooth_gradient(
                values[row],
                result[row],
                rising[row],
                falling[row],
                gradient[row],
                grad_target[row],
            )

        for_each(work, len(values))
        poles = torch.from_numpy(grad_poles).to(gradients[0].device)
        return torch.from_numpy(grad_target).to(gradients[0].device), poles[0], poles[1]


def array_of(tensor: Tensor) -> NDArray[Any]:
    """The values on the processor, contiguous."""
    return tensor.detach().cpu().contiguous().numpy()


def for_each(work: Callable[[int], None], rows: int) -> None:
    """Does the work of all rows, on as many threads as torch itself uses."""
    threads = min(torch.get_num_threads(), rows)
    if threads < 2:
        for row in range(rows):
            work(row)
    else:
        list(_pool(os.getpid(), threads).map(work, range(rows)))


@lru_cache(maxsize=4)
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads that are kept; those of a parent process do not live on in a forked child."""
    return ThreadPoolExecutor(threads)
