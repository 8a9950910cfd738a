"""`automix train vocal`: trains the four vocal networks."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.output import report_errors
from automix.cli.training import (
    Asked,
    Cache,
    Config,
    HoldOut,
    Resume,
    Run,
    Share,
    Start,
    run_training,
    training_printer,
)


class VocalTask(StrEnum):
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


@report_errors
def vocal(
    data: Annotated[
        list[Path],
        typer.Option(
            metavar="FOLDER",
            help="What automix data vocal has prepared; or a data set of songs in stems, of which"
            " the lead vocal is the vocal. Repeatable.",
        ),
    ],
    output: Run,
    task: Annotated[
        VocalTask, typer.Option(help="What the network predicts; all trains all four.")
    ],
    network: Annotated[
        VocalNetworkName,
        typer.Option(
            help="paper: as published (Li and Lerch); wide: logarithmic spectra, more of the song"
            " at a time, disturbed voices."
        ),
    ] = VocalNetworkName.wide,
    share: Share = None,
    config: Config = None,
    hold_out: HoldOut = None,
    start: Start = None,
    resume: Resume = False,
    cache: Cache = None,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train the networks of `automix vocal --method cnn`.

    Writes best.safetensors, log.csv, split.toml and last.pt, from which --resume goes on; with
    --task all, to a folder for each task, and --weights of automix vocal takes the folder of all.

    For example: automix train vocal --task all --data prepared -o run && automix vocal vox.wav
    beat.wav --method cnn --weights run
    """
    from automix.training.vocal.run import train_vocal
    from automix.training.vocal.settings import TASKS, vocal_training

    printer = training_printer(json, quiet)
    for one in [known for known in TASKS if task in (known, VocalTask.all)]:
        folder = output / one if task == VocalTask.all else output
        asked = Asked(
            data,
            folder,
            hold_out or [],
            cache or output / "cache",
            device,
            resume,
            start,
            share or [],
        )
        run_training(train_vocal, vocal_training(one, network.value), config, asked, printer)
