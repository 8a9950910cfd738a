"""Pan laws with gradients: `automix.dsp.pan` in torch."""

import math

import torch
from torch import Tensor

from automix.networks.bounds import clamp_to_learn
from automix.plan.model import PanLaw


def pan_gains(pan: Tensor, law: PanLaw) -> Tensor:
    """Gains of a mono track to the left and the right side, along a new last axis."""
    sides = torch.stack([1.0 - pan, pan], -1)
    if law == "linear":
        return sides
    # sin(πp/2) = p · (π/2) · sinc(p/2): the root of the compromise stays smooth at the ends
    steepness = (math.pi / 2) * torch.sinc(sides / 2)
    return sides * (steepness if law == "constant-power" else steepness.sqrt())


def balance_gains(pan: Tensor, law: PanLaw) -> Tensor:
    """Gains of the two channels of a stereo track, along a new last axis: unity in the center."""
    center = pan_gains(torch.full_like(pan, 0.5), law)
    return clamp_to_learn(pan_gains(pan, law) / center, 0.0, 1.0)
