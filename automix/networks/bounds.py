"""Clamping that learns at its bounds."""

import torch
from torch import Tensor


def clamp_to_learn(values: Tensor, low: float, high: float) -> Tensor:
    """Clamps values, with the gradient of one from bound to bound, the bounds included.

    `torch.clamp` has a gradient of zero at the bounds since torch 2.14, and had one before. What
    begins at a bound, as a gain of one or a stereo track in the center, would never leave it.
    """
    is_within = (values >= low) & (values <= high)
    return torch.where(is_within, values, values.detach().clamp(low, high))
