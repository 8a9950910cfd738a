"""Reads and writes weights; a file is checked, and nothing that it holds is run."""

import hashlib
import json
import math
import pickletools
import stat
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from automix.errors import DeviceError, UsageError
from automix.files.disk import sha256
from automix.files.names import printable
from automix.files.target import OutputTarget
from automix.inputs import remember_input
from automix.networks.soundness import remember_origin
from automix.parallel.memory import is_out_of_memory
from automix.plan.parameters import Settings

WEIGHTS = Path(__file__).parents[1] / "weights"
"""Folder of the weights that ship: the manifest, the files that it names, and their cards."""

LARGEST_WEIGHT = 1e6
"""Magnitude that no weight has; those that ship reach 1400, where they scale spectra."""

_CHECKSUM = "sha256"

_PICKLED = {
    "collections": ("OrderedDict",),
    "torch": ("Size",),
    "torch._utils": ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"),
}
"""What a pickle of tensors calls by name, beside the classes of storages."""

Described = TypeVar("Described", bound=Settings)
Network = TypeVar("Network", bound=nn.Module)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads tensors by name from a ``.safetensors`` file or a PyTorch one (``.pth``, ``.pt``).

    Memory is bounded by the size of the file. What automix itself ships and writes is safetensors.

    Raises:
        DeviceError: The file cannot be read, is not what its name says, or is not as it was
            written.
    """
    if path.suffix.lower() not in (".pth", ".pt"):
        return _read_safetensors(path)[1]
    found = read_pickle(path)
    if not isinstance(found, Mapping) or not all(isinstance(x, Tensor) for x in found.values()):
        raise DeviceError(f"{printable(path)}: is not a state dict of tensors; save `state_dict()`")
    size = path.stat().st_size
    for name, tensor in found.items():
        whole = tensor.layout is torch.strided and tensor.device.type == "cpu"
        if not whole or tensor.numel() * tensor.element_size() > size:
            raise DeviceError(
                f"{printable(path)}: {printable(str(name))!r} is no plain tensor; convert the file"
                " to safetensors"
            )
    return {str(name): tensor for name, tensor in found.items()}


def read_pickle(path: Path, device: torch.device | str = "cpu") -> Any:
    """Reads what `torch.save` wrote, by the restricted unpickler of this release of PyTorch.

    It builds tensors and containers and refuses anything else. Archives are read where they are
    uncompressed, as PyTorch writes them, and as they were written.

    Args:
        path: The file.
        device: Device that tensors are put on.

    Raises:
        DeviceError: The file cannot be read, holds anything else, or is damaged.
    """
    _check_file(path)
    try:
        if zipfile.is_zipfile(path):
            _check_archive(path)
        else:
            with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
                _check_pickles(content, path, 4)  # of PyTorch before 1.6; the values follow
        return torch.load(path, map_location=device, weights_only=True)
    except DeviceError:
        raise
    except Exception as error:  # the unpickler raises whatever a broken file leads it to
        if is_out_of_memory(error):
            raise
        raise DeviceError(
            f"{printable(path)}: holds more than tensors, or is broken; get it again, or"
            " convert it to safetensors"
        ) from error


def _check_file(path: Path) -> None:
    """Refuses what is not a regular file.

    Raises:
        DeviceError: It is missing, a folder, a pipe or a device.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise DeviceError(f"{printable(path)}: there is no such file of weights") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DeviceError(f"{printable(path)}: cannot be read: {reason}") from error
    if not stat.S_ISREG(status.st_mode):
        raise DeviceError(f"{printable(path)}: is not a file of weights; name a file")
    remember_input(path, status)


def _check_archive(path: Path) -> None:
    """Refuses an archive that is damaged, or that holds more than it is long.

    Raises:
        DeviceError: A checksum does not fit, or the archive is compressed.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
        if packed or sum(member.file_size for member in members) > path.stat().st_size:
            raise DeviceError(
                f"{printable(path)}: is compressed, as PyTorch does not write it; save it again"
            )
        if archive.testzip() is not None:
            raise DeviceError(f"{printable(path)}: is damaged; get it again")
        for member in members:
            if member.filename.endswith(".pkl"):
                _check_pickles(BytesIO(archive.read(member)), path, 1)


def _check_pickles(content: BytesIO | mmap, path: Path, count: int) -> None:
    """Refuses pickles that name more than tensors need, such as a ``bytearray`` of any size.

    Args:
        content: The pickles, in memory, where no length that they claim is read beyond the end.
        path: File that they come from, for messages.
        count: Number of pickles.

    Raises:
        DeviceError: They do.
        ValueError: They are broken.
    """
    for _ in range(count):
        for opcode, argument, _ in pickletools.genops(cast(IO[bytes], content)):
            module, _, name = str(argument).partition(" ")
            if opcode.name == "STACK_GLOBAL" or (
                opcode.name == "GLOBAL"
                and name not in _PICKLED.get(module, ())
                and not (module in ("torch", "torch.storage") and name.endswith("Storage"))
            ):
                raise DeviceError(
                    f"{printable(path)}: holds more than tensors ({printable(name or module)});"
                    " get it again, or convert it to safetensors"
                )


def _read_safetensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Reads the metadata and the tensors of a file, and checks what `save_tensors` wrote of them.

    Raises:
        DeviceError: The file cannot be read, is not whole, or is not as it was written.
    """
    _check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        if is_out_of_memory(error):
            raise
        raise DeviceError(
            f"{printable(path)}: is not a whole safetensors file ({printable(str(error))}); get it"
            " again"
        ) from error
    if _CHECKSUM in metadata and metadata[_CHECKSUM] != _compute_checksum(tensors, metadata):
        raise DeviceError(f"{printable(path)}: is damaged: its checksum does not fit; get it again")
    return metadata, tensors


def _compute_checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """SHA-256 of tensors and metadata, whatever the order in which a file holds them."""
    digest = hashlib.sha256()
    told = sorted(item for item in metadata.items() if item[0] != _CHECKSUM)
    digest.update(json.dumps(told).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(json.dumps([name, str(tensor.dtype), *tensor.shape]).encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def load_into(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Gives a network its weights.

    Args:
        network: Network that receives them.
        tensors: Tensors by the names of the network; others are left out.
        path: File that they come from, for messages.

    Raises:
        DeviceError: A tensor is missing, has another shape, is not finite, or is larger than
            weights can be.
    """
    wanted = network.state_dict()
    _check_fit(wanted, tensors, path)
    for name in wanted:
        given = tensors[name]
        if not given.is_floating_point() or not given.numel():
            continue
        largest = float(given.detach().abs().amax())
        if not math.isfinite(largest):
            raise DeviceError(
                f"{printable(path)}: {name!r} holds NaN or infinite values; get it again"
            )
        if largest > LARGEST_WEIGHT:
            raise DeviceError(
                f"{printable(path)}: {name!r} holds values up to {largest:.1e}, as no training"
                " leaves them; get it again"
            )
    network.load_state_dict({name: tensors[name] for name in wanted})
    remember_origin(network, path)


def _check_fit(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Compares tensors with the state of a network, which may be an outline without memory.

    Raises:
        DeviceError: A tensor is missing, or has another shape or kind of values.
    """
    for name, place in wanted.items():
        if name not in tensors:
            raise DeviceError(
                f"{printable(path)}: has no {name!r}; these are not weights of this model"
            )
        given = tensors[name]
        if given.shape != place.shape:
            shapes = f"{tuple(given.shape)} instead of {tuple(place.shape)}"
            raise DeviceError(f"{printable(path)}: {name!r} is {shapes}; choose another model")
        if given.is_floating_point() != place.is_floating_point():
            raise DeviceError(
                f"{printable(path)}: {name!r} holds {given.dtype}, not {place.dtype}; choose"
                " another model"
            )


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
        OutputError: The file cannot be written.
    """
    save_tensors(path, tensors, {"model": model, "description": json.dumps(asdict(description))})


def save_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes tensors with a checksum, which `read_tensors` compares.

    Args:
        path: A ``.safetensors`` file, which is replaced as a whole.
        tensors: Tensors by name.
        metadata: Texts by name that are kept with them.

    Raises:
        OutputError: The file cannot be written.
    """
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    told = dict(metadata or {})
    told[_CHECKSUM] = _compute_checksum(whole, told)
    with OutputTarget.reserve(path, overwrite=True) as target:
        target.write_bytes(save(whole, told))


def read_description(path: Path, model: str, kind: type[Described]) -> Described:
    """Reads the shape of the network whose weights a file of `save_weights` holds.

    Args:
        path: The file.
        model: Family that the network must belong to.
        kind: Class of the description.

    Raises:
        DeviceError: The file cannot be read, or belongs to another family.
    """
    return _describe(path, _read_safetensors(path)[0], model, kind)


def _describe(
    path: Path, metadata: Mapping[str, str], model: str, kind: type[Described]
) -> Described:
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
    except (KeyError, ValueError, RecursionError, UsageError) as error:
        reason = printable(str(error))
        raise DeviceError(f"{printable(path)}: its description cannot be used: {reason}") from error


def read_network(
    path: Path, model: str, kind: type[Described], make: Callable[[Described], Network]
) -> Network:
    """Makes the network that a file of `save_weights` describes, with its weights.

    The description is compared with the weights before anything of its size is made.

    Args:
        path: The file.
        model: Family that the network must belong to.
        kind: Class of the description.
        make: Makes the network of a description.

    Raises:
        DeviceError: The file cannot be read, belongs to another family, or holds weights of another
            shape than it says.
    """
    metadata, tensors = _read_safetensors(path)
    description = _describe(path, metadata, model, kind)
    try:
        with torch.device("meta"):  # which has shapes and no memory
            outline = make(description)
    except UsageError as error:
        reason = printable(str(error))
        raise DeviceError(f"{printable(path)}: its description cannot be used: {reason}") from error
    _check_fit(outline.state_dict(), tensors, path)
    network = make(description)
    load_into(network, tensors, path)
    return network


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
