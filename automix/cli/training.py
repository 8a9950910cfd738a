"""What the commands of `automix train` share: their options, and how a run is started."""

import inspect
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from automix.plan.parameters import Settings
    from automix.training.loop import Progress
    from automix.training.request import TrainingRequest

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


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """The options that every training has, in the order in which help pages list them.

    A command that has no such option leaves it at its default.
    """

    data: Data
    output: Run
    share: Share = None
    config: Config = None
    hold_out: HoldOut = None
    start: Start = None
    resume: Resume = False
    cache: Cache = None
    device: options.Device = "auto"
    json: options.Json = False
    quiet: options.Quiet = False

    def request(self) -> "TrainingRequest":
        """The run that the options ask for."""
        from automix.training.request import TrainingRequest

        return TrainingRequest(
            data=self.data,
            folder=self.output,
            held_out=self.hold_out or [],
            cache=self.cache,
            device=self.device,
            resume=self.resume,
            start=self.start,
            shares=self.share or [],
        )

    def printer(self) -> Printer:
        """Where messages go; of several processes, as torchrun starts them, the first prints."""
        first = os.environ.get("RANK", "0") == "0"
        return Printer(json=self.json and first, quiet=self.quiet or not first)


def training_command(
    *, without: tuple[str, ...] = (), **changed: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of every training, and hands them over as `TrainingOptions`.

    The command takes these as its first argument; its own options follow ``--output``.

    Args:
        without: Names of the options that the command does not have.
        changed: Types of options, by name, that differ from those of `TrainingOptions`.
    """

    def expand(command: Callable[..., None]) -> Callable[..., None]:
        shared = [
            parameter.replace(annotation=changed.get(name, parameter.annotation))
            for name, parameter in inspect.signature(TrainingOptions).parameters.items()
            if name not in without
        ]
        _, *own = inspect.signature(command).parameters.values()
        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        names = {parameter.name for parameter in own}

        @report_errors
        @wraps(command)
        def expanded(**values: Any) -> None:
            chosen = {name: values.pop(name) for name in list(values) if name not in names}
            command(TrainingOptions(**chosen), **values)

        parameters = [*shared[:2], *own, *shared[2:]]
        expanded.__dict__["__signature__"] = inspect.Signature(parameters)
        expanded.__annotations__ = {p.name: p.annotation for p in parameters}
        return expanded

    return expand


def run_training(
    family: str,
    settings: "Settings",
    config: Path | None,
    request: "TrainingRequest",
    printer: Printer,
) -> None:
    """Trains, and prints the figures of each validation.

    Args:
        family: Name of the row in `automix.training.families`.
        settings: Settings by default.
        config: File that changes some of them.
        request: The run that is asked for.
        printer: Where the figures are printed.
    """
    from automix.plan.layers import apply_layers
    from automix.training.families import FAMILIES
    from automix.training.runner import train

    chosen = apply_layers(settings, config, {})
    rows: list[Progress] = []

    def report(progress: "Progress") -> None:
        rows.append(progress)
        figures = "  ".join(f"{name} {value:.4g}" for name, value in progress.figures.items())
        printer.note(f"step {progress.step}: loss {progress.loss:.4g}  {figures}")

    with printer.progress(1) as stage:
        train(FAMILIES[family], chosen, request, stage, report, printer.note)
    if printer.json:
        validations = [asdict(row) for row in rows]
        printer.document({"weights": str(request.weights), "validations": validations})
    elif not printer.quiet:
        print(request.weights)
