"""Networks of effects that begin with the weights of another: a deeper one, or of another order."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from automix.evaluation.effects import TASKS, draw_vector
from automix.networks.checkpoints import load_into, read_description, read_tensors
from automix.networks.effect_description import EffectDescription
from automix.networks.effects import FAMILY, EffectNetwork
from automix.networks.tcn import Tcn, TcnBlock
from automix.plan.settings import ChannelStrip
from automix.plan.vector import ORDERS, SLOTS

_DRAWS = 4000
_RIDGE = 0.1  # of values around 1, added up over the draws
_CURVE = 0.25  # gains of blocks in a row multiply


def load_first_weights(network: EffectNetwork, path: Path) -> list[TcnBlock]:
    """Gives a network the weights of another one to begin with.

    A TCN with more blocks or stacks goes on from one with fewer: the added ones begin as those of
    a new network, which change next to nothing. One with fewer takes the first ones. Of a network
    of any order, one of the static order takes what that order means; the other way round, the
    order has no influence at first.

    Returns:
        The blocks that were added.

    Raises:
        DeviceError: The file cannot be used, or is of another kind of network.
    """
    tensors, own = read_tensors(path), network.state_dict()
    given = read_description(path, FAMILY, EffectDescription)
    first, bias = "film.layers.0.weight", "film.layers.0.bias"
    if (given.order, network.description.order) == ("variable", "static"):
        weight, count = tensors[first], len(SLOTS)
        static = weight.new_tensor([1.0 if o == ChannelStrip().order else -1.0 for o in ORDERS])
        tensors[bias] = tensors[bias] + weight[:, count:] @ static
        tensors[first] = weight[:, :count]
    elif (given.order, network.description.order) == ("static", "variable"):
        tensors[first] = nn.functional.pad(tensors[first], (0, len(ORDERS)))
    added: list[TcnBlock] = []
    if given.network.startswith("tcn") and isinstance(network, Tcn):
        added = network.blocks()[sum(".gain" in name for name in tensors) :]
        tensors = own | {
            name: tensor
            for name, tensor in tensors.items()
            if name in own or not name.startswith("stacks.")
        }
    load_into(network, tensors, path)
    return added


@torch.no_grad()
def let_reverberate(network: Tcn, blocks: Sequence[TcnBlock], gain: float) -> None:
    """Makes the first gains of blocks follow how wet the space is.

    Random convolutions in a row answer with dense noise, as a space does. With the small gains of
    new blocks nothing of that is heard, and training takes long to find it. So their gains begin
    as gain · wet^¼, by least squares from the FiLM vector that the settings give all blocks.

    Args:
        network: Network of the effect ``channel`` or ``reverb``.
        blocks: The last blocks of the network.
        gain: Gain of the blocks where the space is all wet.
    """
    description, rng = network.description, np.random.default_rng(0)
    varied = description.order == "variable"
    vectors = torch.tensor(
        np.stack([draw_vector(TASKS[n % 4], rng, varied_order=varied) for n in range(_DRAWS)]),
        dtype=torch.float32,
    )
    slot = [slot.name for slot in description.slots].index("space.wet")
    wanted = gain * (0.5 + 0.5 * vectors[:, slot]).clamp_min(0.0) ** _CURVE
    shared = network.film(vectors)[0]
    rows = torch.cat([shared, torch.ones(_DRAWS, 1)], 1).double()
    ridge = _RIDGE * torch.eye(rows.shape[1], dtype=rows.dtype)
    solution = torch.linalg.solve(rows.T @ rows + ridge, rows.T @ wanted.double()).float()
    for block in blocks:
        block.film.gamma.weight.copy_(solution[:-1].expand_as(block.film.gamma.weight))
        block.film.gamma.bias.fill_(float(solution[-1]))
