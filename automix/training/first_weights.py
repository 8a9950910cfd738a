"""Networks that begin with the weights of a network with fewer outputs."""

from pathlib import Path

import torch
from torch import nn

from automix.networks.checkpoints import load_into, read_tensors


def load_first_weights(network: nn.Module, path: Path) -> None:
    """Gives a network the weights of a file, in which the last of its outputs may be missing.

    What is missing keeps its random values. So a full controller begins with what a basic one has
    learned, whose outputs are the first ones.

    Raises:
        DeviceError: The file cannot be read, or is of another network.
    """
    tensors = read_tensors(path)
    for name, own in network.state_dict().items():
        given = tensors.get(name)
        if given is not None and given.shape[1:] == own.shape[1:] and len(given) < len(own):
            tensors[name] = torch.cat([given, own[len(given) :].to(given)])
    load_into(network, tensors, path)
