"""A training run of a neural audio effect from its options."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from automix.datasets.signaltrain_la2a import La2aRecording, read_recordings
from automix.errors import InputError, UsageError
from automix.files.names import printable
from automix.networks.checkpoints import weights_path
from automix.networks.effect_description import LA2A_SLOTS
from automix.networks.effects import EffectNetwork, make_effect
from automix.networks.tcn import Tcn
from automix.parallel.workers import use_workers, worker_count
from automix.training.effect.audio import Recording, decode_recording, open_dry
from automix.training.effect.examples import ChannelExamples, PairExamples
from automix.training.effect.growth import begin_with, let_reverberate
from automix.training.effect.settings import EffectTraining
from automix.training.effect.task import EffectTask
from automix.training.loop import Progress, Training
from automix.training.numbered import Numbered
from automix.training.processes import Processes
from automix.training.run import TrainingRequest


def describe_training(changes: Mapping[str, str]) -> EffectTraining:
    """The settings by default, with changes to what is trained.

    Raises:
        UsageError: They do not go together.
    """
    settings = EffectTraining()
    return replace(settings, model=replace(settings.model, **changes))  # type: ignore[arg-type]


def train_effect(
    settings: EffectTraining,
    request: TrainingRequest,
    stage: Callable[[str], None] = lambda stage: None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Progress | None:
    """Trains a neural audio effect; see `automix.training.run.train_dmc`.

    Raises:
        AutomixError: See `automix.training.effect.audio.open_dry`,
            `automix.datasets.signaltrain_la2a.find_recordings`, `automix.training.loop.Training`.
    """
    processes = Processes()
    device = processes.device(request.device)
    torch.manual_seed(settings.loop.seed)
    network = make_effect(settings.model)
    for name, module in network.named_modules():
        if isinstance(module, nn.PReLU) and not name.startswith("film."):
            nn.init.constant_(module.weight, settings.first_slope)
    with processes.first_alone():
        request.check_folder(processes)
        training, validation = _examples(settings, request, network, stage)
    threads = worker_count()
    if settings.loop.workers:
        use_workers(1)  # each of the processes that make examples has a processor to itself
    try:
        if request.start is not None:
            added = begin_with(network, weights_path(request.start))
            if settings.tail_gain > 0.0 and isinstance(network, Tcn):
                let_reverberate(network, added, settings.tail_gain)
        task = EffectTask(settings, network, training, validation, device)
        run = Training(task, settings.loop, request.folder, device, processes)
        if request.resume:
            run.resume()
        return run.run(report if processes.rank == 0 else lambda progress: None)
    finally:
        use_workers(threads)
        processes.close()


def _examples(
    settings: EffectTraining,
    request: TrainingRequest,
    network: EffectNetwork,
    stage: Callable[[str], None],
) -> tuple[Numbered, Numbered]:
    """Examples to learn from, and to validate with."""
    before, after = network.before, network.after
    if settings.model.effect == "la2a":
        sides = _pairs(request, stage)
        return (
            PairExamples(sides["train"], settings, before, after, disturbed=True),
            PairExamples(sides["validation"], settings, before, after, disturbed=False),
        )
    dry, held = open_dry(request.data, request.held_out, request.cache, stage)
    return (
        ChannelExamples(dry, settings, before, after, disturbed=True),
        ChannelExamples(held, settings, before, after, disturbed=False),
    )


Pair = tuple[Recording, Recording, NDArray[np.float32]]


def _pairs(request: TrainingRequest, stage: Callable[[str], None]) -> dict[str, list[Pair]]:
    """The recordings of data sets of the LA-2A to learn from and to validate with."""
    if request.held_out:
        raise UsageError("--hold-out: SignalTrain LA2A has a split of its own, Train, Val and Test")
    sides: dict[str, list[Pair]] = {"train": [], "validation": []}
    for recording in (found for root in request.data for found in read_recordings(root)):
        if recording.side in sides:
            positions = la2a_positions(recording)
            given, wanted = (
                decode_recording(file, request.cache, stage)
                for file in (recording.input, recording.target)
            )
            sides[recording.side].append((given, wanted, positions))
    for side, folder in (("train", "Train"), ("validation", "Val")):
        if not sides[side]:
            raise InputError(
                f"{printable(request.data[0])}: nothing in {folder}; training needs it"
            )
    return sides


def la2a_positions(recording: La2aRecording) -> NDArray[np.float32]:
    """The controls of a recording as a network takes them."""
    values = (float(recording.limit), recording.peak_reduction)
    positions = [slot.position(value) for slot, value in zip(LA2A_SLOTS, values, strict=True)]
    return np.array(positions, np.float32)
