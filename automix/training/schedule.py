"""The learning rate of each step: a linear warm-up, then a cosine or halvings on plateaus.

Warm-up and cosine are one `torch.optim.lr_scheduler.LambdaLR`, whose closed form makes the rate of
a step independent of the steps before it, so that a resumed run has the same curve to the last bit;
torch's LinearLR and CosineAnnealingLR multiply the rate from step to step, and rounding adds up.
torch's ReduceLROnPlateau writes the same field as LambdaLR, which would undo it in the next step;
so a halving lowers the rate that LambdaLR starts from.
"""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from automix.training.settings import LoopSettings


def rate_factor(settings: LoopSettings, step: int) -> float:
    """The factor 0…1 on the learning rate at a step, which counts from 0.

    It rises linearly over ``warm_up`` steps to 1; with ``cosine``, half a cosine that reaches 0 at
    the last step multiplies it.
    """
    factor = min(1.0, (step + 1) / (settings.warm_up + 1))
    if settings.cosine:
        factor *= 0.5 + 0.5 * math.cos(math.pi * step / settings.steps)
    return factor


def make_schedule(optimizer: Optimizer, settings: LoopSettings, step: int) -> LambdaLR:
    """A scheduler that stands at a step and has set the optimizer's rate for it.

    Args:
        optimizer: Its groups hold the undisturbed rate as ``initial_lr``; where that is missing,
            as in a new optimizer and in states that older versions wrote, it is ``lr``.
        settings: Settings of the loop.
        step: The next step to be made.
    """
    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    return LambdaLR(optimizer, lambda number: rate_factor(settings, number), last_epoch=step - 1)


def halve_rate(optimizer: Optimizer, settings: LoopSettings, step: int) -> LambdaLR:
    """The scheduler that goes on from a step at half the rate."""
    for group in optimizer.param_groups:
        group["initial_lr"] /= 2.0
    return make_schedule(optimizer, settings, step)
