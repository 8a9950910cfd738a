"""`automix bench`: the specified figures of speed and memory, side by side with other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from automix.benchmark.table import BenchmarkResult


@report_errors
def bench(
    only: Annotated[
        str | None, typer.Option(metavar="P1,P3,…", help="Measure these rows only.")
    ] = None,
    runs: Annotated[
        int, typer.Option(min=1, help="Rounds that count, after one that does not.")
    ] = 5,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep the reference files here; a temporary folder unless given."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Measure speed and memory.

    Beside ffmpeg, libebur128, pyloudnorm and librosa: whole processes and functions take turns on
    the same files, a synthesized song of 240 s; the table gives medians and their ratios. A tool
    that is missing leaves its row out. P9 mixes 60 minutes: it takes a minute or two and 2.1 GB of
    disk space.

    For example: automix bench --only P1,P3
    """
    from contextlib import ExitStack
    from tempfile import TemporaryDirectory

    from automix.benchmark.comparisons import choose_comparisons
    from automix.benchmark.machine import describe_conditions
    from automix.benchmark.table import measure_all
    from automix.benchmark.workbench import Workbench
    from automix.files.disk import report_write_failures as disk_reported

    printer = Printer(json=json)
    comparisons = choose_comparisons(only)
    described = describe_conditions()
    with ExitStack() as stack:
        with disk_reported(folder or Path("temporary folder")):
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            scratch = Path(
                stack.enter_context(TemporaryDirectory(prefix="automix-bench-", dir=folder))
            )
        report = stack.enter_context(printer.progress(len(comparisons)))
        rows = measure_all(comparisons, Workbench(folder or scratch, scratch, runs), report)
    if json:
        printer.document(
            {"runs": runs, "machine": described, "rows": [row.document() for row in rows]}
        )
    else:
        _print(rows, described, runs)
    if any(row.failed for row in rows):
        raise typer.Exit(1)


def _print(rows: "list[BenchmarkResult]", described: dict[str, str], runs: int) -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("#", "what"):
        table.add_column(heading)
    for heading in ("automix", "reference", "ratio", "pass", "stretch"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict")
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table, "")
    for row in rows:
        if row.measurement and row.measurement.note:
            console.print(f"{row.comparison.number}  {row.measurement.note}")
    console.print(f"\nmedian of {runs} · " + " · ".join(f"{k} {v}" for k, v in described.items()))


def _cells(row: "BenchmarkResult") -> list[str]:
    compared, measured = row.comparison, row.measurement
    figures = ["–", "–", "–"]
    if measured is not None and row.ratio is not None:
        decimals = 3 if compared.unit == "s" else 0
        figures = [f"{value:.{decimals}f}" for value in (measured.ours, measured.reference)]
        figures = [f"{figure} {compared.unit}" for figure in figures] + [f"{row.ratio:.2f}"]
    limits = [f"≤ {limit:g}" for limit in (compared.pass_ratio, compared.stretch_ratio)]
    return [compared.number, compared.what, *figures, *limits, row.verdict]
