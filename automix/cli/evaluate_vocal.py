"""`automix evaluate vocal`: errors of the parameters of vocal mixes, by what predicts them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from automix.evaluation.vocal import VocalErrorRow


@report_errors
def vocal(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER",
            help="Folders of songs, each a finished vocal and its backing, named as for `automix"
            " batch`.",
        ),
    ],
    weights: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Networks: wide or paper, which ship, a folder of automix train vocal --task all,"
            " or none. Repeatable.  [default: wide, paper]",
        ),
    ] = None,
    device: options.Device = "auto",
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the parameters that are drawn.")
    ] = 0,
    csv: Annotated[bool, typer.Option("--csv", help="Print the figures as CSV.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print the results table of Li and Lerch for one's own songs.

    Mean absolute errors of predicting the mean, of the rules, and of networks. Level and loudness
    range are measured on the songs; gains and reverbs are drawn, evenly over their ranges, and so
    are the dynamics that a network hears. Use songs that the networks have not learned from.

    For example: automix evaluate vocal songs/
    """
    from dataclasses import asdict

    from automix.errors import UsageError
    from automix.evaluation.vocal import evaluate_vocal

    if json and csv:
        raise UsageError("--json and --csv both print to standard output; choose one")
    printer = Printer(json=json, quiet=quiet)
    with printer.progress(1) as report:
        rows, notes = evaluate_vocal(
            folders, weights=_networks(weights), device=device, seed=seed, report=report
        )
    for note in notes:
        printer.note(note)
    if json:
        printer.document({"seed": seed, "parameters": [asdict(row) for row in rows]})
    elif csv:
        _print_csv(rows)
    elif not quiet:
        _print(rows)


def _print_csv(rows: "list[VocalErrorRow]") -> None:
    import sys

    from automix.files.table import write_table

    names = ["mean", "rule", *_columns(rows)]
    table = [[r.name, r.unit, r.cases, *(r.errors.get(name, "") for name in names)] for r in rows]
    write_table(sys.stdout, [["parameter", "unit", "cases", *names], *table])


def _networks(given: list[str] | None) -> list[str]:
    if given is None:
        return ["wide", "paper"]
    return [name for name in given if name != "none"]


def _columns(rows: "list[VocalErrorRow]") -> list[str]:
    """The networks of a table."""
    return list(dict.fromkeys(n for row in rows for n in row.errors if n not in ("mean", "rule")))


def _print(rows: "list[VocalErrorRow]") -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table

    from automix.evaluation.published import PUBLISHED_VOCAL

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("mean absolute error of")
    names = ("mean", "rule", *_columns(rows))
    for heading in ("cases", *names, "published mean", "published CNN"):
        table.add_column(heading, justify="right")
    for row in rows:
        published = PUBLISHED_VOCAL[row.name]
        errors = [row.errors.get(name) for name in names]
        table.add_row(
            f"{row.name}{f', {row.unit}' if row.unit else ''}",
            str(row.cases),
            *("–" if error is None else f"{error:.4g}" for error in errors),
            f"{published.mean:g}",
            f"{published.cnn:g}",
        )
    console.print(table)
    console.print("The published figures are of other songs, and of other distributions of reverb.")
