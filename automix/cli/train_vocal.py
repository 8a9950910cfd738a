"""`automix train vocal`: trains the four vocal networks."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from automix.cli.training import TrainingOptions, run_training, training_command


class TrainedVocalTask(StrEnum):
    """What is predicted; a test holds it and the networks together."""

    level = "level"
    compression = "compression"
    equalization = "equalization"
    reverb = "reverb"
    all = "all"


class VocalNetworkName(StrEnum):
    """Which shape and which training."""

    wide = "wide"
    paper = "paper"


VocalData = Annotated[
    list[Path],
    typer.Option(
        metavar="FOLDER",
        help="What automix data vocal has prepared; or a data set of songs in stems, of which"
        " the lead vocal is the vocal. Repeatable.",
    ),
]


@training_command(data=VocalData)
def vocal(
    asked: TrainingOptions,
    task: Annotated[
        TrainedVocalTask, typer.Option(help="What the network predicts; all trains all four.")
    ],
    network: Annotated[
        VocalNetworkName,
        typer.Option(
            help="paper: as published (Li and Lerch); wide: logarithmic spectra, more of the song"
            " at a time, disturbed voices."
        ),
    ] = VocalNetworkName.wide,
) -> None:
    """Train the networks of `automix vocal --method cnn`.

    Writes best.safetensors, log.csv, split.toml and last.pt, from which --resume goes on; with
    --task all, to a folder for each task, and --weights of automix vocal takes the folder of all.

    For example: automix train vocal --task all --data prepared -o run && automix vocal vox.wav
    beat.wav --method cnn --weights run
    """
    from automix.training.vocal.settings import TASKS, vocal_training

    request = asked.request()
    for one in [known for known in TASKS if task in (known, TrainedVocalTask.all)]:
        folder = asked.output / one if task == TrainedVocalTask.all else asked.output
        own = replace(request, folder=folder, cache=request.cache_folder)
        settings = vocal_training(one, network.value)
        run_training("vocal", settings, asked.config, own, asked.printer())
