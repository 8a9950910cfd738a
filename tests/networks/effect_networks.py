"""Networks of effects for tests: with settings that matter, and one that changes nothing."""

import torch
from torch import nn

from automix.networks.effect_description import EffectDescription
from automix.networks.effects import make_effect
from automix.networks.tcn import Tcn


def lively(seed: int = 0, **description: object) -> nn.Module:
    """A random network whose settings and normalization do something."""
    torch.manual_seed(seed)
    network = make_effect(EffectDescription(**description))
    for name, weight in network.named_parameters():
        if "film.gamma.weight" in name or "film.beta.weight" in name:
            nn.init.normal_(weight, std=0.3)
        elif "film.gamma.bias" in name:
            nn.init.constant_(weight, 0.5)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_var.uniform_(0.5, 2.0)
            layer.running_mean.normal_(0.0, 0.1)
    return network.eval()


def identity(**description: object) -> Tcn:
    """A TCN of which nothing but the way past its blocks is left."""
    network = make_effect(EffectDescription(**description))
    for block in network.blocks():
        nn.init.zeros_(block.film.gamma.bias)
    return network.eval()
