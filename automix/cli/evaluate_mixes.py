"""`automix evaluate mixes`: the figures of mixes, and how far they are from a target."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from automix.evaluation.mixes import EvaluatedMix, Figure


@report_errors
def mixes(
    mixes: Annotated[
        list[Path], typer.Argument(metavar="MIX", help="Audio files, or folders of them.")
    ],
    target: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The mix to compare with, such as a human one; or a folder of files that are"
            " named as those in the folders of mixes.",
        ),
    ] = None,
    start: Annotated[
        float, typer.Option(metavar="S", min=0.0, help="Compare from this second on.")
    ] = 0.0,
    duration: Annotated[
        float | None,
        typer.Option(metavar="S", min=0.1, help="Compare as many seconds.  [default: all]"),
    ] = None,
    no_level_match: Annotated[
        bool,
        typer.Option(
            "--no-level-match",
            help="Take distances at the levels of the files, not with both at -20 LUFS.",
        ),
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the figures as CSV.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure mixes, and compare them with a target.

    Loudness, dynamics, spectrum and stereo image of each file; with --target also the distances of
    the published evaluations, taken at 44.1 kHz with both mixes at -20 LUFS.

    For example: automix evaluate mixes --target human.wav rules.wav equal-loudness.wav
    """
    from automix.errors import UsageError
    from automix.evaluation.mixes import DISTANCES, FEATURES, Excerpt, evaluate_mixes

    if json and csv:
        raise UsageError("--json and --csv both print to standard output; choose one")
    excerpt = Excerpt(start_s=start, duration_s=duration, match_levels=not no_level_match)
    figures = (*(DISTANCES if target is not None else ()), *FEATURES)
    printer = Printer(json=json, quiet=quiet)
    with printer.progress(1) as report:
        report("measuring")
        found = list(evaluate_mixes(mixes, target, excerpt))
    for note in dict.fromkeys(note for mix in found for note in mix.notes):
        printer.note(note)
    if json:
        document = {
            "target": str(target) if target else None,
            "level_matched": excerpt.match_levels and target is not None,
            "mixes": [
                {"song": m.song, "file": str(m.path), **m.figures, "notes": list(m.notes)}
                for m in found
            ],
        }
        printer.document(document)
    elif csv:
        _print_csv(found, figures)
    elif not quiet:
        _print(found, figures)


def _print_csv(found: "list[EvaluatedMix]", figures: "tuple[Figure, ...]") -> None:
    import sys

    from automix.files.table import write_table

    rows: list[list[object]] = [["song", "file", *(figure.name for figure in figures)]]
    for mix in found:
        values = (mix.figures.get(figure.name, math.nan) for figure in figures)
        row = [repr(value) if math.isfinite(value) else "" for value in values]
        rows.append([mix.song, mix.path, *row])
    write_table(sys.stdout, rows)


def _print(found: "list[EvaluatedMix]", figures: "tuple[Figure, ...]") -> None:
    import sys
    from itertools import groupby

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from automix.files.names import printable

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False, markup=False)
    for song, of_song in groupby(found, key=lambda mix: mix.song):
        columns = list(of_song)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        table.add_column(Text(printable(song)))
        for mix in columns:
            table.add_column(Text(printable(mix.path)), justify="right", overflow="fold")
        for figure in figures:
            values = [mix.figures.get(figure.name) for mix in columns]
            table.add_row(figure.label, *(_cell(value, figure.decimals) for value in values))
        console.print(table, "")


def _cell(value: float | None, decimals: int) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.{decimals}f}"
