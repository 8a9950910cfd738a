"""The training loop of every network in automix.

Whatever a step draws follows from its number: examples are numbered, and dropout is seeded by the
step. So a run that was killed goes on from its last checkpoint to the same curve.
"""

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from automix.errors import DeviceError, UsageError
from automix.files.disk import report_write_failures
from automix.files.names import printable
from automix.files.target import OutputTarget
from automix.inputs import read_outputs
from automix.networks.checkpoints import read_pickle
from automix.parallel.memory import is_out_of_memory
from automix.training.processes import Processes
from automix.training.request import LOG, STATE, WEIGHTS
from automix.training.schedule import halve_rate, make_schedule
from automix.training.settings import LoopSettings

BOARD = "tensorboard"


class TrainingTask(Protocol):
    """A network that can be trained, with its examples, its loss and its validation."""

    @property
    def network(self) -> nn.Module:
        """The network."""

    def batches(self, numbers: Iterator[Sequence[int]]) -> Iterator[Any]:
        """Yields a batch for each sequence of numbers; a number always gives the same example."""

    def loss(self, batch: Any) -> Tensor:
        """The error that is made small, a mean over the examples of a batch."""

    def validate(self) -> dict[str, float]:
        """Figures of the network as it is, of which the first tells which weights are best."""

    def save(self, path: Path) -> None:
        """Writes the weights in the form in which they ship."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The state of a training at a validation.

    Attributes:
        step: Number of updates so far.
        loss: Mean loss since the last validation.
        rate: Learning rate of the next update.
        figures: Figures of the validation by name.
        best: The least that the first figure has ever been.
    """

    step: int
    loss: float
    rate: float
    figures: dict[str, float]
    best: float


class Training:
    """A training in a folder, which can be left at any moment and taken up again.

    Args:
        task: The network, its examples and its loss.
        settings: Settings of the loop.
        folder: Receives ``last.pt`` (the whole state), ``best.safetensors`` and ``log.csv``.
        device: Device that the network is on.
        processes: Processes that train together; if none, this one alone.
    """

    def __init__(
        self,
        task: TrainingTask,
        settings: LoopSettings,
        folder: Path,
        device: torch.device,
        processes: Processes | None = None,
    ) -> None:
        self._task = task
        self._settings = settings
        self._folder = folder
        self._device = device
        self._processes = processes or Processes()
        self._step = 0
        self._rows: list[dict[str, float]] = []
        self._best, self._without_gain = math.inf, 0
        self._board: Any = None
        self._optimizer = torch.optim.Adam(
            task.network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self._schedule = make_schedule(self._optimizer, settings, 0)

    def resume(self) -> None:
        """Takes up the run that the folder holds.

        Raises:
            DeviceError: There is no run, or it is one of another network.
        """
        path = self._folder / STATE
        if not path.exists():
            raise DeviceError(f"{printable(path)}: there is no run to resume here")
        with read_outputs():
            state = read_pickle(path, self._device)
        try:
            self._task.network.load_state_dict(state["network"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._check_optimizer()
            self._step, self._rows = _read_count(state["step"]), _read_rows(state["rows"])
            self._best = float(state["best"])
            self._without_gain = _read_count(state["without_gain"])
        except Exception as error:  # another network, or other fields, fail in many ways
            if is_out_of_memory(error):
                raise
            raise DeviceError(
                f"{printable(path)}: is not the state of a run of this network; give the same"
                " configuration, or start anew in another folder"
            ) from error
        self._schedule = make_schedule(self._optimizer, self._settings, self._step)

    def _check_optimizer(self) -> None:
        """Compares the state of the optimizer with the network, which torch does not.

        Raises:
            ValueError: They do not fit.
        """
        for group in self._optimizer.param_groups:
            for name in ("lr", "initial_lr"):
                if not 0.0 <= float(group.get(name, 0.0)) <= 1.0:
                    raise ValueError(f"{name} is no learning rate")
            for parameter in group["params"]:
                known = self._optimizer.state.get(parameter, {})
                for name, value in known.items():
                    if name != "step" and value.shape != parameter.shape:
                        raise ValueError(f"{name} has another shape")

    def run(self, report: Callable[[Progress], None] = lambda progress: None) -> Progress | None:
        """Trains to the end.

        Args:
            report: Called after each validation.

        Returns:
            The state at the last validation, or none if there was nothing left to do.

        Raises:
            DeviceError: The loss is not finite.
            UsageError: TensorBoard is asked for and not installed.
            OutputError: The folder cannot be written.
        """
        if self._settings.tensorboard and self._processes.rank == 0:
            self._board = _open_board(self._folder / BOARD, self._step)
        progress, losses = None, []
        for batches in self._batches():
            losses.append(self._update(batches))
            self._step += 1
            if self._step % self._settings.validate_every and self._step < self._settings.steps:
                continue
            progress = self._validate(losses)
            losses = []
            report(progress)
            if self._without_gain >= self._settings.patience:
                break
        return progress

    def _batches(self) -> Iterator[list[Any]]:
        """Yields what each step learns from: the batches of this process."""
        settings, processes = self._settings, self._processes

        def numbers() -> Iterator[Sequence[int]]:
            whole = settings.batch * processes.count
            for batch in range(
                self._step * settings.accumulate, settings.steps * settings.accumulate
            ):
                first = batch * whole + processes.rank * settings.batch
                yield range(first, first + settings.batch)

        pending: list[Any] = []
        if self._without_gain >= settings.patience:
            return
        for batch in self._task.batches(numbers()):
            pending.append(batch)
            if len(pending) == settings.accumulate:
                yield pending
                pending = []

    def _update(self, batches: list[Any]) -> float:
        """Makes one step of the optimizer and returns the loss."""
        network = self._task.network.train()
        torch.manual_seed(hash((self._settings.seed, self._step, self._processes.rank)) % 2**63)
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for batch in batches:
            with self._precision():
                loss = self._task.loss(batch) / len(batches)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        total = self._processes.average(network, total)
        if not math.isfinite(total):
            raise DeviceError(
                f"the loss became {total} at step {self._step}; try a smaller learning_rate"
            )
        nn.utils.clip_grad_norm_(network.parameters(), self._settings.clip)
        self._optimizer.step()
        self._schedule.step()
        return total

    def _precision(self) -> AbstractContextManager[Any]:
        """The arithmetic of the network that the settings choose."""
        if self._settings.precision == "bf16":
            return torch.autocast(self._device.type, torch.bfloat16)
        return nullcontext()

    def _validate(self, losses: Sequence[float]) -> Progress:
        """Validates, saves, and lowers the learning rate where nothing was gained for a while."""
        self._task.network.eval()
        figures = self._task.validate()
        first = next(iter(figures.values()))
        gained = first < self._best
        self._best, self._without_gain = min(first, self._best), self._without_gain + 1
        if gained:
            self._without_gain = 0
        elif self._without_gain % self._settings.plateau == 0 and not self._settings.cosine:
            self._schedule = halve_rate(self._optimizer, self._settings, self._step)
        rate = float(self._optimizer.param_groups[0]["lr"])
        loss = sum(losses) / len(losses)
        self._rows.append({"step": self._step, "loss": loss, "learning_rate": rate, **figures})
        if self._processes.rank == 0:
            self._save(gained)
            self._log(self._rows[-1])
        return Progress(step=self._step, loss=loss, rate=rate, figures=figures, best=self._best)

    def _log(self, row: dict[str, float]) -> None:
        """Writes the figures of a validation for TensorBoard, where that is asked for."""
        if self._board is None:
            return
        with report_write_failures(self._folder / BOARD):
            for name, value in row.items():
                if name != "step":
                    self._board.add_scalar(name, value, self._step)
            self._board.flush()

    def _save(self, gained: bool) -> None:
        """Writes the log, the weights where they are the best so far, and the state.

        Raises:
            OutputError: The folder cannot be written; the files in it are whole.
        """
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, list(self._rows[0]))
        writer.writeheader()
        writer.writerows(self._rows)
        state = io.BytesIO()
        torch.save(
            {
                "network": self._task.network.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "step": self._step,
                "rows": self._rows,
                "best": self._best,
                "without_gain": self._without_gain,
            },
            state,
        )
        # The state last: a run that is killed before it makes the same weights and rows again.
        # The log first: one of a single row tells weights of such a run from others.
        self._write(LOG, table.getvalue().encode())
        if gained:
            self._task.save(self._folder / WEIGHTS)
        self._write(STATE, state.getvalue())

    def _write(self, name: str, content: bytes) -> None:
        with OutputTarget.reserve(self._folder / name, overwrite=True) as target:
            target.write_bytes(content)


def _open_board(folder: Path, step: int) -> Any:
    """A log for TensorBoard, in which the steps that a resumed run repeats appear once."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError(
            "tensorboard = true: TensorBoard is not installed; pip install 'automix[train]'"
        ) from error
    with report_write_failures(folder):
        return SummaryWriter(folder, purge_step=step + 1)


def _read_count(value: object) -> int:
    """A number of steps or validations.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError(f"{value!r} is no count")
    return value


def _read_rows(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    """The figures of the validations so far, which are the rows of the log.

    Raises:
        ValueError: They are no rows of one table.
    """
    names = list(rows[0])
    for row in rows:
        _read_count(row["step"])
        if list(row) != names or not all(type(value) in (int, float) for value in row.values()):
            raise ValueError("they are no rows of figures")
    return rows
