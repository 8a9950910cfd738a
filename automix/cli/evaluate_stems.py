"""`automix evaluate stems`: how near the mixes of methods come to human ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from rich.table import Table

    from automix.evaluation.real_songs import EvaluatedSong, Protocol


@report_errors
def stems(
    songs: Annotated[
        list[Path],
        typer.Argument(
            metavar="SONG",
            help="Folders of stems, each with a human mix named mix, if there is one.",
        ),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD",
            help="A method of `automix stems`, with :full for --mode full; or sum, the offset stems"
            " as they are. Repeatable.  [default: sum, mono, random, equal-loudness, rules,"
            " rules:full, dmc, dmc:full]",
        ),
    ] = None,
    start: Annotated[
        float, typer.Option(metavar="S", min=0.0, help="Compare from this second on.")
    ] = 90.0,
    duration: Annotated[
        float,
        typer.Option(
            metavar="S", min=1.0, help="Compare as many seconds; shorter songs as a whole."
        ),
    ] = 30.0,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the random offsets of the stems.")
    ] = 7,
    jobs: options.Jobs = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the figures as CSV.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare the mixes of methods with human ones.

    Offsets each stem by up to ±12 dB, lets every method mix them, and compares its mix with the
    human one, or with the sum of the stems where there is none, both at 44.1 kHz and -20 LUFS: by
    stereo MR-STFT distance, and by the error of the levels of the tracks. 0 is the human mix.

    For example: automix evaluate stems songs/* --method rules --method equal-loudness
    """
    from automix.datasets.plain import read_song
    from automix.errors import UsageError
    from automix.evaluation.mixers import DEFAULT_METHODS, find_mixers
    from automix.evaluation.real_songs import Protocol, evaluate_songs
    from automix.parallel.workers import use_workers

    if json and csv:
        raise UsageError("--json and --csv both print to standard output; choose one")
    methods = find_mixers(method or DEFAULT_METHODS)
    protocol = Protocol(start_s=start, duration_s=duration, seed=seed)
    printer = Printer(json=json, quiet=quiet)
    found = [read_song(folder) for folder in songs]
    use_workers(jobs)
    with printer.progress(len(found)) as report:
        evaluated = list(evaluate_songs(found, methods, protocol, report))
    for note in () if json else (note for song in evaluated for note in song.notes):
        printer.note(note)
    if json:
        printer.document(_document(evaluated, list(methods), protocol))
    elif csv:
        _print_csv(evaluated)
    elif not quiet:
        _print(evaluated, list(methods))


def _print_csv(songs: "list[EvaluatedSong]") -> None:
    import math
    import sys

    from automix.files.table import write_table

    rows: list[list[object]] = [["song", "human", "start_s", "duration_s", "tracks", "method",
                                 "stereo_mr_stft", "level_error_db"]]  # fmt: skip
    for song in songs:
        about = (song.name, song.human, song.start_s, song.duration_s, song.tracks)
        for method, distance in song.distances.items():
            figures = (distance.stereo_mr_stft, distance.level_error_db)
            cells = (figure if math.isfinite(figure) else "" for figure in figures)
            rows.append([*about, method, *cells])
    write_table(sys.stdout, rows)


def _document(
    songs: "list[EvaluatedSong]", methods: list[str], protocol: "Protocol"
) -> dict[str, object]:
    from dataclasses import asdict

    from automix.evaluation.published import PUBLISHED_MIXES
    from automix.evaluation.real_songs import mean_and_deviation

    figures = ("stereo_mr_stft", "level_error_db")
    means: dict[str, dict[str, float]] = {}
    for method in methods:
        row = means[method] = {}
        for name in figures:
            values = [getattr(song.distances[method], name) for song in songs]
            row[name], row[f"{name}_sd"] = mean_and_deviation(values)
    return {
        "protocol": asdict(protocol),
        "songs": [asdict(song) for song in songs],
        "mean": means,
        "published": [asdict(row) for row in PUBLISHED_MIXES],
    }


def _print(songs: "list[EvaluatedSong]", methods: list[str]) -> None:
    import sys

    from rich.console import Console

    from automix.evaluation.published import PUBLISHED_MIXES

    console = Console(
        width=None if sys.stdout.isatty() else 110, highlight=False, markup=False, emoji=False
    )
    console.print("stereo MR-STFT distance from the human mix; less is nearer")
    console.print(_figures(songs, methods, "stereo_mr_stft", 2))
    console.print("\nerror of the levels of the tracks, dB")
    console.print(_figures(songs, methods, "level_error_db", 1))
    console.print("\npublished: stereo MR-STFT of other songs (Steinmetz 2020, tables 12 and 13);"
                  " their order compares, the numbers do not")  # fmt: skip
    for data in dict.fromkeys(row.data for row in PUBLISHED_MIXES):
        rows = [row for row in PUBLISHED_MIXES if row.data == data]
        console.print(
            f"  {data}: " + " · ".join(f"{r.method} {r.stereo_mr_stft:.3f}" for r in rows)
        )


def _figures(songs: "list[EvaluatedSong]", methods: list[str], figure: str, digits: int) -> "Table":
    """A row for each song, a column for each method, and the means below."""
    import math

    from rich import box
    from rich.table import Table
    from rich.text import Text

    from automix.evaluation.real_songs import mean_and_deviation
    from automix.files.names import printable

    def cell(value: float) -> str:
        return f"{value:.{digits}f}" if math.isfinite(value) else "–"

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("song", overflow="fold")
    for method in methods:
        table.add_column(method, justify="right")
    columns = [[getattr(song.distances[name], figure) for song in songs] for name in methods]
    for index, song in enumerate(songs):
        table.add_row(Text(printable(song.name)), *(cell(column[index]) for column in columns))
    if len(songs) > 1:
        table.add_section()
        means = [mean_and_deviation(column) for column in columns]
        table.add_row("mean ± SD", *(f"{cell(mean)} ± {cell(sd)}" for mean, sd in means))
    return table
