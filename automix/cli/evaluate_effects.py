"""`automix evaluate effects`: how well models imitate the processors of the strip."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from automix.evaluation.effects import EffectScore


class EffectOrder(StrEnum):
    """Whether the order of the processors is drawn."""

    static = "static"
    variable = "variable"


@report_errors
def effects(
    audio: Annotated[
        list[Path],
        typer.Argument(
            metavar="AUDIO",
            help="Files of dry audio, or folders of them; or the data set SignalTrain LA2A.",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="Measure these weights too: a file of automix train effect, or the name of some"
            " that ship, as tcn-20-channel. Repeatable.",
        ),
    ] = None,
    cases: Annotated[
        int, typer.Option(metavar="N", min=2, help="Test cases for each processor.")
    ] = 50,
    order: Annotated[
        EffectOrder,
        typer.Option(help="static: equalizer, compressor, reverb; variable: any order."),
    ] = EffectOrder.static,
    device: options.Device = "auto",
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the settings and the pieces of audio.")
    ] = 0,
    csv: Annotated[bool, typer.Option("--csv", help="Print the figures as CSV.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure how well models imitate the strip or an LA-2A, beside bypass: what they have to beat.

    Draws settings of the equalizer, the compressor, the reverb, and of all three; the exact strip
    gives the targets. With SignalTrain LA2A, they are its Test recordings. The published figures of
    models stand beside; but for the LA-2A, theirs is other audio.

    For example: automix evaluate effects stems/ --model tcn-20-channel --cases 100
    """
    from dataclasses import asdict

    from automix.errors import UsageError
    from automix.evaluation.effects import TASKS
    from automix.evaluation.effects_table import score_effects

    if json and csv:
        raise UsageError("--json and --csv both print to standard output; choose one")
    printer = Printer(json=json, quiet=quiet)
    with printer.progress(len(TASKS)) as report:
        scores = score_effects(
            audio,
            model or [],
            device=device,
            cases=cases,
            varied_order=order == EffectOrder.variable,
            seed=seed,
            report=report,
            note=printer.note,
        )
    if json:
        rows = [asdict(score) for score in scores]
        printer.document({"cases": cases, "order": order.value, "seed": seed, "scores": rows})
    elif csv:
        _print_csv(scores)
    elif not quiet:
        _print(scores)


def _print_csv(scores: "list[EffectScore]") -> None:
    import sys

    from automix.evaluation.effects import METRICS
    from automix.files.table import write_table

    spread = [f"{metric}_sd" for metric in METRICS]
    rows = [[s.model, s.task, *s.mean.values(), *s.deviation.values()] for s in scores]
    write_table(sys.stdout, [["model", "task", *METRICS, *spread], *rows])


def _print(scores: "list[EffectScore]") -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table

    from automix.evaluation.effects import METRICS
    from automix.evaluation.published import PUBLISHED_EFFECTS, PUBLISHED_LA2A

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("task")
    table.add_column("model", overflow="fold")
    for heading in ("MAE", "ESR", "MCD", "MR-STFT"):
        table.add_column(heading, justify="right")
    last = {score.task: score for score in scores}
    for score in scores:
        decimals = (5, 4, 1, 3) if score.task == "la2a" else (3, 3, 1, 3)
        cells = [
            f"{score.mean[m]:.{d}f} ± {score.deviation[m]:.{d}f}"
            for m, d in zip(METRICS, decimals, strict=True)
        ]
        table.add_row(score.task, score.model, *cells)
        for row in (*PUBLISHED_EFFECTS, *PUBLISHED_LA2A):
            if row.task == score.task and score is last[score.task]:
                cells = [f"{x:.{d}f}" for x, d in zip(row.figures, decimals, strict=True)]
                table.add_row("", f"{row.model} (published)", *cells)
    console.print(table)
