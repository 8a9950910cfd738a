"""`automix train`: trains the networks."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, reported

if TYPE_CHECKING:
    from automix.training.loop import Progress

app = typer.Typer(
    help="Train the networks on your own songs.", no_args_is_help=True, rich_markup_mode=None
)

Data = Annotated[
    list[Path],
    typer.Option(
        metavar="FOLDER",
        help="Data set: a folder of song folders with stems, and mix.wav if the mix is not their"
        " sum; MedleyDB, MUSDB18-HQ, ENST-Drums. Repeatable; each counts as much as the others.",
    ),
]
Run = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FOLDER", help="Folder of the run."),
]
Config = Annotated[
    Path | None,
    typer.Option(metavar="TOML", help="Settings of the training; see automix train settings."),
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
        help="Begin with these weights: a file, or dmc-basic or dmc-full, which ship with automix.",
    ),
]


@app.command("dmc")
@reported
def dmc(
    data: Data,
    output: Run,
    config: Config = None,
    hold_out: HoldOut = None,
    start: Start = None,
    resume: Resume = False,
    cache: Cache = None,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train the controller of the mixing console, the network of `automix stems --method dmc`.

    Writes best.safetensors for --weights, log.csv, split.toml and last.pt, from which --resume goes
    on. Starts in several processes under torchrun.

    For example: automix train dmc --data songs -o run && automix stems song --method dmc --weights
    run/best.safetensors
    """
    from automix.cli.layering import layered
    from automix.training.run import Request, train_dmc
    from automix.training.settings import DmcTraining

    printer = Printer(json=json, quiet=quiet)
    request = Request(
        data=data,
        folder=output,
        held_out=hold_out or [],
        cache=cache or output / "cache",
        device=device,
        resume=resume,
        start=start,
    )
    settings = layered(DmcTraining(), config, {})
    rows: list[Progress] = []

    def report(progress: "Progress") -> None:
        rows.append(progress)
        figures = "  ".join(f"{name} {value:.4g}" for name, value in progress.figures.items())
        printer.note(f"step {progress.step}: loss {progress.loss:.4g}  {figures}")

    with printer.progress(1) as stage:
        train_dmc(settings, request, stage, report)
    best = output / "best.safetensors"
    if json:
        printer.document({"weights": str(best), "validations": [asdict(row) for row in rows]})
    elif not quiet:
        print(best)
