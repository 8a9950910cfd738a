"""The lines of `automix.dsp.rides` in torch, with gradients to the values of their points."""

from collections.abc import Sequence

import torch
from torch import Tensor


def interpolate(points: Tensor, times_s: Sequence[float], frames: int, sample_rate: int) -> Tensor:
    """Draws straight lines between points: one value for each frame from the start.

    Args:
        points: Values ``(…, points)``.
        times_s: The times of the points, rising.
        frames: How many frames are wanted.
        sample_rate: Frames per second.

    Returns:
        ``(…, frames)`` in the dtype and on the device of the points; constant before the first
        point and after the last.
    """
    if len(times_s) == 1:
        return points.expand(*points.shape[:-1], frames)
    knots = torch.tensor(times_s, dtype=torch.float64, device=points.device) * sample_rate
    at = torch.arange(frames, dtype=torch.float64, device=points.device)
    left = (torch.searchsorted(knots, at, right=True) - 1).clamp(0, len(times_s) - 2)
    share = ((at - knots[left]) / (knots[left + 1] - knots[left])).clamp(0.0, 1.0).to(points)
    return torch.lerp(points[..., left], points[..., left + 1], share)
