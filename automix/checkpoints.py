"""Weights of networks on disk: read without running anything that a file holds, and checked."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from automix.errors import DeviceError
from automix.files import shown


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a ``.safetensors`` file, or from a PyTorch one (``.pth``, ``.pt``).

    PyTorch's format is a pickle; it is read by the restricted unpickler of this release, which
    builds tensors and containers and refuses anything else. What automix itself ships and writes
    is safetensors.

    Raises:
        DeviceError: The file cannot be read or is not what its name says.
    """
    try:
        if not path.is_file():
            raise DeviceError(f"{shown(path)}: there is no such file of weights")
        if path.suffix.lower() in (".pth", ".pt"):
            found = torch.load(path, map_location="cpu", weights_only=True)
        else:
            found = load_file(path)
    except DeviceError:
        raise
    except (SafetensorError, OSError) as error:
        raise DeviceError(
            f"{shown(path)}: is not a whole safetensors file ({error}); get it again"
        ) from error
    except Exception as error:  # the unpickler raises whatever a broken file leads it to
        raise DeviceError(
            f"{shown(path)}: holds more than tensors, or is broken; get it again, or convert it to"
            " safetensors"
        ) from error
    if not isinstance(found, Mapping) or not all(isinstance(x, Tensor) for x in found.values()):
        raise DeviceError(f"{shown(path)}: is not a state dict of tensors; save `state_dict()`")
    return dict(found)


def load_into(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Gives a network its weights.

    Args:
        network: In whose names they are.
        tensors: By name; those that the network has not are left out.
        path: Where they come from, for messages.

    Raises:
        DeviceError: One is missing, of another shape, or not finite.
    """
    wanted = network.state_dict()
    for name, place in wanted.items():
        if name not in tensors:
            raise DeviceError(
                f"{shown(path)}: has no {name!r}; these are not weights of this model"
            )
        given = tensors[name]
        if given.shape != place.shape:
            shapes = f"{tuple(given.shape)} instead of {tuple(place.shape)}"
            raise DeviceError(f"{shown(path)}: {name!r} is {shapes}; choose another model")
        if given.is_floating_point() and not given.isfinite().all():
            raise DeviceError(f"{shown(path)}: {name!r} holds NaN or infinite values; get it again")
    network.load_state_dict({name: tensors[name] for name in wanted})
