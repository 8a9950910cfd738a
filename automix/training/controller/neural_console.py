"""The mix of a controller through a frozen neural strip, as DMC-full was published."""

import math

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from automix.errors import UsageError
from automix.networks.checkpoints import weights_path
from automix.networks.dmc import value_at
from automix.networks.dmc_description import DmcDescription, outputs
from automix.networks.effects import EffectNetwork, read_effect
from automix.plan.vector import SLOTS

_STRIP = len(SLOTS)


def open_strip(name: str, controller: DmcDescription, device: torch.device) -> EffectNetwork:
    """A trained effect that a controller can be trained through; its own weights stay.

    Args:
        name: Name of weights that ship, or a file.
        controller: Description of the controller, which says what its outputs mean.
        device: Device that the effect is put on.

    Raises:
        DeviceError: The weights cannot be used.
        UsageError: The effect is not the channel in its static order, or the controller does not
            set the 25 values of a strip.
    """
    if controller.base != "none" or controller.mode != "full":
        raise UsageError("neural_strip: needs the base 'none' and the mode 'full' of the model")
    strip = read_effect(weights_path(name), device)
    found = strip.description
    if found.effect != "channel" or found.order != "static":
        raise UsageError(
            f"neural_strip = {name!r}: imitates the {found.effect} in {found.order} order; the"
            " controller needs the channel in static order"
        )
    return strip


def neural_mix(
    strip: EffectNetwork, audio: Tensor, positions: Tensor, controller: DmcDescription
) -> Tensor:
    """The mix of tracks through a neural strip, with gradients to the positions.

    Input gain → polarity → network → fader → pan by constant power. The strip is mono, as
    published; stereo tracks are folded.

    Args:
        strip: A neural strip, see `open_strip`.
        audio: Tracks ``(tracks, channels, samples)``.
        positions: The controller's outputs ``(tracks, outputs)`` in −1…1.
        controller: Description of the controller, which says what its outputs mean.

    Returns:
        ``(2, samples)``.
    """
    slots = outputs(controller)
    decoded = {
        slot.name: value_at(column, slot)
        for slot, column in zip(slots, positions.unbind(-1), strict=True)
    }
    settings = positions[:, -_STRIP:].float()
    gain = 10.0 ** (decoded["input_gain_db"] / 20.0) * decoded["polarity"]
    fader = 10.0 ** (decoded["fader_db"] / 20.0)
    angle = 0.5 * math.pi * decoded["pan"]
    sides = torch.stack([torch.cos(angle), torch.sin(angle)], -1) * fader[:, None]
    mix = audio.new_zeros(2, audio.shape[-1])
    for track, level, values, left_right in zip(audio, gain, settings, sides, strict=True):
        mono = level * track.mean(0)
        padded = torch.nn.functional.pad(mono, (strip.before, strip.after))
        # One track's activations at a time: they are computed again on the way back.
        wet = checkpoint(strip, padded[None, None], values[None], use_reentrant=False)
        mix = mix + left_right[:, None] * wet[0]
    return mix
