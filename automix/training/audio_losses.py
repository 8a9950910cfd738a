"""Errors of a stereo mix against the human one, by the names that settings choose them with."""

from collections.abc import Callable

from torch import Tensor

from automix.networks import losses
from automix.training.settings import AudioLoss

AUDIO_LOSSES: dict[AudioLoss, Callable[[Tensor, Tensor], Tensor]] = {
    "stereo": losses.stereo_mr_stft,
    "left-right": losses.left_right_mr_stft,
    "l1": lambda prediction, target: losses.l1(prediction, target).mean(-1),
    "stereo-l1": losses.stereo_l1,
}
"""Each takes mixes ``(batch, 2, samples)``, prediction first, and returns errors ``(batch,)``."""
