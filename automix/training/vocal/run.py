"""A training run of the vocal networks from its options."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from automix.networks.checkpoints import load_into, read_tensors, weights_path
from automix.training.loop import Progress, Training
from automix.training.processes import Processes
from automix.training.run import TrainingRequest
from automix.training.songs import open_songs
from automix.training.vocal.settings import VocalTraining
from automix.training.vocal.songs import vocal_songs
from automix.training.vocal.task import VocalTask
from automix.training.vocal.trust import fit_trust

PREPARED = "manifest.json"
"""Marks a folder of `automix data vocal`."""


def train_vocal(
    settings: VocalTraining,
    request: TrainingRequest,
    stage: Callable[[str], None] = lambda stage: None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Progress | None:
    """Trains one vocal network.

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
    processes = Processes()
    device = processes.device(request.device)
    with processes.first_alone():
        request.check_folder(processes)
        songs = open_songs(
            [_songs_in(folder) for folder in request.data],
            request.held_out,
            request.folder,
            shares=request.shares,
            cache=request.cache,
            seed=settings.loop.seed,
            resume=request.resume or processes.rank > 0,
            report=stage,
        )
        training = vocal_songs(songs.training, songs.weights, request.cache, stage, sets=songs.sets)
        ones = [1.0] * len(songs.validation)
        validation = vocal_songs(songs.validation, ones, request.cache, stage)
    try:
        seed = settings.loop.seed + processes.rank
        own = replace(settings, loop=replace(settings.loop, seed=seed))
        task = VocalTask.of_songs(own, training, validation, device, stage)
        if request.start is not None:
            path = weights_path(request.start)
            load_into(task.network, read_tensors(path), path)
        if own.trial_steps:
            task.network.trust = fit_trust(
                task,
                own,
                training,
                request.folder,
                device,
                processes,
                stage,
                resume=request.resume,
            )
        loop = Training(task, settings.loop, request.folder, device, processes)
        if request.resume:
            loop.resume()
        return loop.run(report if processes.rank == 0 else lambda progress: None)
    finally:
        processes.close()


def _songs_in(folder: Path) -> Path:
    """Where the songs of a data set are; those of a prepared one lie in a folder of their own."""
    return folder / "songs" if (folder / PREPARED).is_file() else folder
