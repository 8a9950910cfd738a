"""Reads and writes weights; a file is checked, and nothing that it holds is run."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from automix.errors import DeviceError, UsageError
from automix.files.disk import sha256
from automix.files.names import printable
from automix.plan.parameters import Settings

WEIGHTS = Path(__file__).parents[1] / "weights"
"""Folder of the weights that ship: the manifest, the files that it names, and their cards."""

Described = TypeVar("Described", bound=Settings)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads tensors by name from a ``.safetensors`` file or a PyTorch one (``.pth``, ``.pt``).

    PyTorch's format is a pickle; it is read by the restricted unpickler of this release, which
    builds tensors and containers and refuses anything else. What automix itself ships and writes
    is safetensors.

    Raises:
        DeviceError: The file cannot be read or is not what its name says.
    """
    try:
        if not path.is_file():
            raise DeviceError(f"{printable(path)}: there is no such file of weights")
        if path.suffix.lower() in (".pth", ".pt"):
            found = torch.load(path, map_location="cpu", weights_only=True)
        else:
            found = load_file(path)
    except DeviceError:
        raise
    except (SafetensorError, OSError) as error:
        raise DeviceError(
            f"{printable(path)}: is not a whole safetensors file ({error}); get it again"
        ) from error
    except Exception as error:  # the unpickler raises whatever a broken file leads it to
        raise DeviceError(
            f"{printable(path)}: holds more than tensors, or is broken; get it again, or"
            " convert it to"
            " safetensors"
        ) from error
    if not isinstance(found, Mapping) or not all(isinstance(x, Tensor) for x in found.values()):
        raise DeviceError(f"{printable(path)}: is not a state dict of tensors; save `state_dict()`")
    return dict(found)


def load_into(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Gives a network its weights.

    Args:
        network: Network that receives them.
        tensors: Tensors by the names of the network; others are left out.
        path: File that they come from, for messages.

    Raises:
        DeviceError: A tensor is missing, has another shape, or is not finite.
    """
    wanted = network.state_dict()
    for name, place in wanted.items():
        if name not in tensors:
            raise DeviceError(
                f"{printable(path)}: has no {name!r}; these are not weights of this model"
            )
        given = tensors[name]
        if given.shape != place.shape:
            shapes = f"{tuple(given.shape)} instead of {tuple(place.shape)}"
            raise DeviceError(f"{printable(path)}: {name!r} is {shapes}; choose another model")
        if given.is_floating_point() and not given.isfinite().all():
            raise DeviceError(
                f"{printable(path)}: {name!r} holds NaN or infinite values; get it again"
            )
    network.load_state_dict({name: tensors[name] for name in wanted})


def save_weights(
    path: Path, model: str, description: Settings, tensors: Mapping[str, Tensor]
) -> None:
    """Writes weights with the description that their network is made from.

    Args:
        path: A ``.safetensors`` file, which is replaced as a whole.
        model: Family of the network, such as ``dmc``.
        description: Shape of the network.
        tensors: Weights by name.

    Raises:
        OSError: The file cannot be written.
    """
    metadata = {"model": model, "description": json.dumps(asdict(description))}
    temporary = path.with_name(path.name + ".part")
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    temporary.write_bytes(save(whole, metadata))
    temporary.replace(path)


def read_description(path: Path, model: str, kind: type[Described]) -> Described:
    """Reads the shape of the network whose weights a file of `save_weights` holds.

    Args:
        path: The file.
        model: Family that the network must belong to.
        kind: Class of the description.

    Raises:
        DeviceError: The file cannot be read, or belongs to another family.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except FileNotFoundError as error:
        raise DeviceError(f"{printable(path)}: there is no such file of weights") from error
    except (SafetensorError, OSError) as error:
        raise DeviceError(
            f"{printable(path)}: is not a whole safetensors file ({error})"
        ) from error
    if metadata.get("model") != model:
        found = metadata.get("model", "no model that automix knows")
        raise DeviceError(f"{printable(path)}: holds weights of {printable(found)}, not of {model}")
    try:
        return kind(**json.loads(metadata["description"]))
    except TypeError as error:  # settings that this version does not have
        raise DeviceError(
            f"{printable(path)}: was made by another version of automix; train it again with"
            " this one"
        ) from error
    except (KeyError, ValueError, UsageError) as error:
        raise DeviceError(f"{printable(path)}: its description cannot be used: {error}") from error


def weights_path(name: str) -> Path:
    """The file of weights that ship with automix, checked against the manifest; or any file.

    Args:
        name: A name in the manifest, such as ``dmc-basic``; or the path of a ``.safetensors`` file.

    Raises:
        DeviceError: The file that ships is missing, or is not what the manifest says.
    """
    shipped = tomllib.loads((WEIGHTS / "manifest.toml").read_text(encoding="utf-8"))
    if name not in shipped:
        return Path(name)
    path = WEIGHTS / str(shipped[name]["file"])
    if not path.is_file() or sha256(path) != shipped[name]["sha256"]:
        raise DeviceError(f"{printable(path)}: is missing or damaged; install automix again")
    return path
