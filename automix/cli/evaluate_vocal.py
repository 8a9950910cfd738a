"""`automix evaluate vocal`: errors of the parameters of vocal mixes, by what predicts them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, reported

if TYPE_CHECKING:
    from automix.evaluation.vocal import Parameter


@reported
def vocal(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER",
            help="Folders of songs, each a finished vocal and its backing, named as for `automix"
            " batch`.",
        ),
    ],
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the parameters that are drawn.")
    ] = 0,
    csv: Annotated[bool, typer.Option("--csv", help="Print the figures as CSV.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print the results table of Li and Lerch for one's own songs.

    Mean absolute errors of predicting the mean, and of the rules. Level and loudness range are
    measured on the songs; gains and reverbs are drawn, evenly over their ranges.

    For example: automix evaluate vocal songs/
    """
    from dataclasses import asdict

    from automix.errors import UsageError
    from automix.evaluation.vocal import evaluate_vocal

    if json and csv:
        raise UsageError("--json and --csv both print to standard output; choose one")
    printer = Printer(json=json, quiet=quiet)
    with printer.progress(1) as report:
        rows, notes = evaluate_vocal(folders, seed=seed, report=report)
    for note in notes:
        printer.note(note)
    if json:
        printer.document({"seed": seed, "parameters": [asdict(row) for row in rows]})
    elif csv:
        _print_csv(rows)
    elif not quiet:
        _print(rows)


def _print_csv(rows: "list[Parameter]") -> None:
    import csv
    import sys

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["parameter", "unit", "cases", "mean", "rule"])
    for row in rows:
        errors = row.errors
        writer.writerow([row.name, row.unit, row.cases, errors["mean"], errors.get("rule", "")])


def _print(rows: "list[Parameter]") -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table

    from automix.evaluation.published import PUBLISHED_VOCAL

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("mean absolute error of")
    for heading in ("cases", "mean", "rule", "published mean", "published CNN"):
        table.add_column(heading, justify="right")
    for row in rows:
        published = PUBLISHED_VOCAL[row.name]
        rule = row.errors.get("rule")
        table.add_row(
            f"{row.name}{f', {row.unit}' if row.unit else ''}",
            str(row.cases),
            f"{row.errors['mean']:.4g}",
            "–" if rule is None else f"{rule:.4g}",
            f"{published.mean:g}",
            f"{published.cnn:g}",
        )
    console.print(table)
    console.print("The published figures are of other songs, and of other distributions of reverb.")
