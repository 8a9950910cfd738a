"""`automix train`: trains the networks."""

import os
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from automix.cli import options
from automix.cli.output import Printer, reported

if TYPE_CHECKING:
    from automix.parameters import Settings
    from automix.training.loop import Progress

app = typer.Typer(
    help="Train the networks on your own songs.", no_args_is_help=True, rich_markup_mode=None
)

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


@app.command("dmc")
@reported
def dmc(
    data: Data,
    output: Run,
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
    """Train the controller of the mixing console, the network of `automix stems --method dmc`.

    Writes best.safetensors for --weights, log.csv, split.toml and last.pt, from which --resume goes
    on. Starts in several processes under torchrun.

    For example: automix train dmc --data songs -o run && automix stems song --method dmc --weights
    run/best.safetensors
    """
    from automix.training.run import train_dmc
    from automix.training.settings import DmcTraining

    printer = _printer(json, quiet)
    request = _Request(data, output, hold_out or [], cache, device, resume, start, share or [])
    _train(train_dmc, DmcTraining(), config, request, printer)


@app.command("wave-u-net")
@reported
def wave_u_net(
    data: Data,
    output: Run,
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
    """Train the Mix-Wave-U-Net, the network of `automix stems --method wave-u-net`.

    It maps up to eight tracks to a mix without settings: the baseline that controllers are compared
    with. Writes the same files as automix train dmc.

    For example: automix train wave-u-net --data drums -o run --device cuda
    """
    from automix.training.run import train_wave_u_net
    from automix.training.settings import WaveUNetTraining

    printer = _printer(json, quiet)
    request = _Request(data, output, hold_out or [], cache, device, resume, start, share or [])
    _train(train_wave_u_net, WaveUNetTraining(), config, request, printer)


class Network(StrEnum):
    """What is trained."""

    dmc = "dmc"
    wave_u_net = "wave-u-net"


@app.command("settings")
@reported
def settings(network: Annotated[Network, typer.Argument(help="Of which training.")]) -> None:
    """Print all settings of a training, with ranges and meanings, as a file for --config.

    For example: automix train settings dmc > mine.toml
    """
    from automix.plan_file import settings_toml
    from automix.training.settings import DmcTraining, WaveUNetTraining

    kind = DmcTraining if network == Network.dmc else WaveUNetTraining
    print(settings_toml(kind()), end="")


class _Request(NamedTuple):
    data: list[Path]
    folder: Path
    held_out: list[str]
    cache: Path | None
    device: str
    resume: bool
    start: str | None
    shares: list[float]


def _printer(json: bool, quiet: bool) -> Printer:
    """Of several processes, as torchrun starts them, only the first prints."""
    first = os.environ.get("RANK", "0") == "0"
    return Printer(json=json and first, quiet=quiet or not first)


def _train(
    train: Callable[..., object],
    settings: "Settings",
    config: Path | None,
    request: _Request,
    printer: Printer,
) -> None:
    from automix.cli.layering import layered
    from automix.training.run import Request

    asked = Request(**{**request._asdict(), "cache": request.cache or request.folder / "cache"})
    chosen = layered(settings, config, {})
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
