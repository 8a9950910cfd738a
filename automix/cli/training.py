"""What the commands of `automix train` share: their options, and how a run is started."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from automix.cli.output import Printer

if TYPE_CHECKING:
    from automix.plan.parameters import Settings
    from automix.training.loop import Progress

Data = Annotated[
    list[Path],
    typer.Option(
        metavar="FOLDER",
        help="Data set: a folder of song folders with stems, and mix.wav if the mix is not their"
        " sum; MedleyDB, MUSDB18-HQ, ENST-Drums. Repeatable.",
    ),
]
Share = Annotated[
    list[float] | None,
    typer.Option(
        min=0.0,
        help="How often each --data is taken, in their order.  [default: all alike]",
    ),
]
Run = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FOLDER", help="Folder of the run."),
]
Config = Annotated[
    Path | None,
    typer.Option(
        metavar="TOML", help="Settings of the training; automix train settings prints all of them."
    ),
]
HoldOut = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SONG",
        help="Validate with this song, and do not learn from it. Repeatable.  [default: a tenth of"
        " the artists]",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run of the folder, to the same curve.")
]
Cache = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="For the decoded audio.  [default: cache in the run's folder]"
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="WEIGHTS",
        help="Begin with these weights: a file, or the name of some that ship, as dmc-basic.",
    ),
]


class Asked(NamedTuple):
    """The options of a run."""

    data: list[Path]
    folder: Path
    held_out: list[str]
    cache: Path | None
    device: str
    resume: bool
    start: str | None
    shares: list[float]


def training_printer(json: bool, quiet: bool) -> Printer:
    """Of several processes, as torchrun starts them, only the first prints."""
    first = os.environ.get("RANK", "0") == "0"
    return Printer(json=json and first, quiet=quiet or not first)


def run_training(
    train: Callable[..., object],
    settings: "Settings",
    config: Path | None,
    request: Asked,
    printer: Printer,
) -> None:
    """Trains, and prints how it goes.

    Args:
        train: One of the functions of `automix.training`.
        settings: Its settings by default.
        config: File that changes some of them.
        request: What is asked.
        printer: Where it is printed.
    """
    from automix.plan.layers import apply_layers
    from automix.training.run import TrainingRequest

    asked = TrainingRequest(
        **{**request._asdict(), "cache": request.cache or request.folder / "cache"}
    )
    chosen = apply_layers(settings, config, {})
    rows: list[Progress] = []

    def report(progress: "Progress") -> None:
        rows.append(progress)
        figures = "  ".join(f"{name} {value:.4g}" for name, value in progress.figures.items())
        printer.note(f"step {progress.step}: loss {progress.loss:.4g}  {figures}")

    with printer.progress(1) as stage:
        train(chosen, asked, stage, report)
    best = request.folder / "best.safetensors"
    if printer.json:
        printer.document({"weights": str(best), "validations": [asdict(row) for row in rows]})
    elif not printer.quiet:
        print(best)
