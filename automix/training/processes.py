"""The processes that train one network together, as ``torchrun`` starts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed, nn

from automix.networks.device import choose_device


class Processes:
    """This process among those that train together; alone where ``torchrun`` did not start it.

    Attributes:
        count: Number of processes.
        rank: Number of this one, from 0.
    """

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Lets the first process work before all others, which then find what it has written."""
        if self.rank > 0:
            distributed.barrier()
        yield
        if self.rank == 0 and self.count > 1:
            distributed.barrier()

    def device(self, name: str) -> torch.device:
        """The device that a ``--device`` option names; each process takes a GPU of its own.

        Raises:
            DeviceError: There is no such device.
        """
        if name == "auto" and self.count > 1 and torch.cuda.is_available():
            name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        return choose_device(name)

    def average(self, network: nn.Module, loss: float) -> float:
        """Replaces every gradient by its mean over the processes, and returns the mean loss.

        Running statistics, which each process takes of its own examples, are averaged as well.
        """
        if self.count == 1:
            return loss
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        statistics = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
        for tensor in (*gradients, *statistics):
            distributed.all_reduce(tensor)
            tensor /= self.count
        mean = torch.tensor(loss, dtype=torch.float64, device=gradients[0].device)
        distributed.all_reduce(mean)
        return float(mean) / self.count

    def close(self) -> None:
        """Leaves the group of processes."""
        if self.count > 1 and distributed.is_initialized():
            distributed.destroy_process_group()
