"""Chooses the device that a network runs on, and the number of threads that torch takes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from automix.errors import DeviceError
from automix.parallel.memory import require_room

_ROOM_MB = 400


def choose_device(name: str) -> torch.device:
    """The device of a ``--device`` option.

    Args:
        name: ``cpu``, ``cuda``, ``cuda:N``, or ``auto``: the first CUDA device if there is one.

    Raises:
        DeviceError: There is no such device, or hardly any memory.
    """
    require_room(_ROOM_MB, "to run a network")  # with less, PyTorch's kernels crash
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if name == "cpu":
        return torch.device("cpu")
    if kind != "cuda" or (index and not (index.isdecimal() and len(index) < 6)):
        raise DeviceError(f"--device {name}: choose auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(index or 0) >= count:
        there = "no CUDA device" if count == 0 else f"only cuda:0 to cuda:{count - 1}"
        raise DeviceError(f"--device {name}: there is {there}; --device auto takes what there is")
    return torch.device(f"cuda:{int(index or 0)}")


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Limits torch to a number of threads within the context.

    Many short operations wait for their slowest thread each: a shared processor stalls all.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def leave_one_processor() -> AbstractContextManager[None]:
    """Lets torch use all processors but one within the context."""
    return use_threads(max(1, torch.get_num_threads() - 1))
