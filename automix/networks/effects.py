"""Neural audio effects as networks: made from their description, read from their weights."""

from functools import partial
from pathlib import Path
from typing import get_args

import torch

from automix.networks.checkpoints import read_network
from automix.networks.effect_description import RATE_HZ, EffectDescription, NetworkName
from automix.networks.effect_wave_u_net import EffectWaveUNet
from automix.networks.tcn import Tcn

__all__ = ["FAMILY", "RATE_HZ", "EffectNetwork", "make_effect", "read_effect"]

FAMILY = "effect"
"""Name of this family in files of weights."""

EffectNetwork = Tcn | EffectWaveUNet


def make_effect(description: EffectDescription) -> EffectNetwork:
    """The network of a description, with random weights."""
    tcn = description.network.startswith("tcn")
    return Tcn(description) if tcn else EffectWaveUNet(description)


def read_effect(path: Path, device: torch.device) -> EffectNetwork:
    """Reads a trained effect, whose weights do not change any more.

    Raises:
        DeviceError: The file cannot be used.
    """
    network = read_network(path, FAMILY, EffectDescription, make_effect)
    return network.eval().requires_grad_(False).to(device)


def _channel(network: NetworkName) -> EffectNetwork:
    """A network that imitates the channel strip."""
    return make_effect(EffectDescription(network=network))


# For the catalog.
tcn_8, tcn_10, tcn_20, tcn_30, wave_u_net_6_8, wave_u_net_6_16 = (
    partial(_channel, network) for network in get_args(NetworkName)
)
