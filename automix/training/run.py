"""A training run from its options: songs, examples, network, loop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from automix.errors import OutputError
from automix.files.names import printable
from automix.networks.checkpoints import load_into, read_tensors, weights_path
from automix.parallel.workers import use_workers, worker_count
from automix.training.controller.examples import Examples
from automix.training.controller.task import DmcTask
from automix.training.loop import STATE, Progress, Training, TrainingTask
from automix.training.processes import Processes
from automix.training.settings import DmcTraining, LoopSettings, WaveUNetTraining
from automix.training.songs import open_songs
from automix.training.wave_u_net import WaveUNetTask


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What is asked of a run.

    Attributes:
        data: Folders of data sets.
        shares: How often each is taken; if none, all alike.
        folder: Of the run.
        held_out: Songs to validate with; if none, some are drawn.
        cache: Folder for decoded audio.
        device: See `automix.networks.device`.
        start: Weights to begin with: a file, or the name of some that ship.
        resume: Whether to go on.
    """

    data: Sequence[Path]
    folder: Path
    held_out: Sequence[str]
    cache: Path
    device: str
    resume: bool
    start: str | None = None
    shares: Sequence[float] = ()

    def check_folder(self, processes: Processes) -> None:
        """Refuses to write over an earlier run; one of several processes looks.

        Raises:
            OutputError: The folder holds a run that is not to be resumed.
        """
        if processes.rank == 0 and not self.resume and (self.folder / STATE).exists():
            raise OutputError(
                f"{printable(self.folder)}: holds a run; --resume goes on with it, or choose"
                " another"
                " folder"
            )


def train_dmc(
    settings: DmcTraining,
    request: TrainingRequest,
    stage: Callable[[str], None] = lambda stage: None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Progress | None:
    """Trains a controller of the mixing console.

    Args:
        settings: Of the training.
        request: What is asked.
        stage: Called with the name of what begins.
        report: Called after each validation.

    Returns:
        Where it ended; none where there was nothing left to do.

    Raises:
        AutomixError: See `automix.training.songs.open_songs`, `automix.training.loop.Training`.
    """

    def task(examples: Examples, held: Examples, device: torch.device) -> TrainingTask:
        return DmcTask(settings, examples, held, device, lambda made: stage(f"example {made}"))

    return _train(settings.loop, settings, task, request, stage, report)


def train_wave_u_net(
    settings: WaveUNetTraining,
    request: TrainingRequest,
    stage: Callable[[str], None] = lambda stage: None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Progress | None:
    """Trains a Mix-Wave-U-Net; see `train_dmc`."""

    def task(examples: Examples, held: Examples, device: torch.device) -> TrainingTask:
        return WaveUNetTask(settings, examples, held, device, lambda made: stage(f"example {made}"))

    return _train(settings.loop, settings.of_examples(), task, request, stage, report)


def _train(
    loop: LoopSettings,
    examples: DmcTraining,
    make_task: Callable[[Examples, Examples, torch.device], TrainingTask],
    request: TrainingRequest,
    stage: Callable[[str], None],
    report: Callable[[Progress], None],
) -> Progress | None:
    processes = Processes()
    device = processes.device(request.device)
    with processes.first_alone():
        request.check_folder(processes)
        songs = open_songs(
            request.data,
            request.held_out,
            request.folder,
            shares=request.shares,
            cache=request.cache,
            seed=loop.seed,
            resume=request.resume or processes.rank > 0,
            report=stage,
        )
    threads = worker_count()
    if loop.workers:
        use_workers(1)  # each of the processes that make examples has a processor to itself
    try:
        task = make_task(
            Examples(songs.training, songs.weights, examples),
            Examples(songs.validation, [1.0] * len(songs.validation), examples),
            device,
        )
        if request.start is not None:
            path = weights_path(request.start)
            load_into(task.network, _grown(read_tensors(path), task.network), path)
        training = Training(task, loop, request.folder, device, processes)
        if request.resume:
            training.resume()
        return training.run(report if processes.rank == 0 else lambda progress: None)
    finally:
        use_workers(threads)
        processes.close()


def _grown(tensors: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Weights of a network with fewer outputs, with those of the network for the others.

    So a full controller begins with what a basic one has learned: its outputs are the first ones.
    """
    grown = dict(tensors)
    for name, own in network.state_dict().items():
        given = tensors.get(name)
        if given is not None and given.shape[1:] == own.shape[1:] and len(given) < len(own):
            grown[name] = torch.cat([given, own[len(given) :].to(given)])
    return grown
