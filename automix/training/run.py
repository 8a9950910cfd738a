"""A training run under way: what was asked, and where it happens."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from automix.errors import InputError, OutputError
from automix.files.names import printable
from automix.files.text import read_text
from automix.inputs import find_input, read_outputs, remember_input
from automix.networks.checkpoints import weights_path
from automix.training.processes import Processes
from automix.training.request import LOG, STATE, WEIGHTS, TrainingRequest


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """A request that is being carried out.

    Attributes:
        request: The run that is asked for.
        device: Device that the network is trained on.
        processes: The processes that train together.
        report_stage: Called with the name of whatever preparation begins.
        note: Called with sentences for the user.
    """

    request: TrainingRequest
    device: torch.device
    processes: Processes
    report_stage: Callable[[str], None] = lambda stage: None
    note: Callable[[str], None] = lambda sentence: None

    @property
    def keeps_split(self) -> bool:
        """Whether the split that lies in the folder counts, rather than a new one."""
        return self.request.resume or self.processes.rank > 0

    @property
    def start_path(self) -> Path | None:
        """The file of weights to begin with, if there is one.

        Raises:
            DeviceError: Weights that ship are missing or damaged.
        """
        return None if self.request.start is None else weights_path(self.request.start)

    def report_example(self, count: int) -> None:
        """Reports how many examples have been made."""
        self.report_stage(f"example {count}")

    def check_folder(self) -> None:
        """Refuses to write over an earlier run or an input; the first of several processes looks.

        Raises:
            OutputError: The folder holds a run that is not to be resumed, or what the run reads.
        """
        folder = self.request.folder
        if self.start_path is not None:
            remember_input(self.start_path)
        for path in (folder / STATE, folder / WEIGHTS, folder / LOG):
            kept = find_input(path)
            if kept is not None:
                raise OutputError(
                    f"{printable(path)}: is the same file as the input {printable(kept)}; choose"
                    " another folder"
                )
        if self.processes.rank != 0 or self.request.resume:
            return
        if (folder / STATE).exists():
            raise OutputError(
                f"{printable(folder)}: holds a run; --resume goes on with it, or choose another"
                " folder"
            )
        there = [name for name in (WEIGHTS, LOG) if os.path.lexists(folder / name)]
        if there and not _was_killed_at_once(folder / LOG):
            raise OutputError(
                f"{printable(folder / there[0])}: exists, and is of another run; move it away, or"
                " choose another folder"
            )


def _was_killed_at_once(log: Path) -> bool:
    """Whether a run was killed before its first state: then its log has a single row."""
    try:
        with read_outputs():
            lines = read_text(log).splitlines()
    except InputError:
        return False
    return len(lines) == 2 and lines[0].startswith("step,")
