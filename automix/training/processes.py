"""The processes that train one network together, as ``torchrun`` starts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed, nn

from automix.networks.device import choose_device


class Processes:
    """One of the processes; alone where ``torchrun`` has not started it.

    Attributes:
        count: How many there are.
        rank: Which this is, from 0.
    """

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """What the first process does before the others: they find it done."""
        if self.rank > 0:
            distributed.barrier()
        yield
        if self.rank == 0 and self.count > 1:
            distributed.barrier()

    def device(self, name: str) -> torch.device:
        """The device of a ``--device`` option; of several processes, each takes its own GPU."""
        if name == "auto" and self.count > 1 and torch.cuda.is_available():
            name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        return choose_device(name)

    def averaged(self, network: nn.Module, loss: float) -> float:
        """Makes every gradient the mean over the processes, and returns that of the loss.

        So it does with running statistics, which each process takes of its own examples.
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
        """Leaves the group."""
        if self.count > 1 and distributed.is_initialized():
            distributed.destroy_process_group()
