"""`--candidates N`: several mixes of a song, how far apart they are, and a page to compare them."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

from automix.cli.destination import Delivery
from automix.cli.output import Printer
from automix.cli.wishes import Wishes
from automix.errors import UsageError
from automix.files.names import printable
from automix.listening.candidates import make_comparison_page, measure_distances
from automix.mixing.candidates import draw_candidates
from automix.plan.macros import Macros
from automix.plan.model import MixPlan


class Run(Protocol):
    """Makes one mix; gives its file and its plan, or nothing where there is no plan."""

    def __call__(
        self, *, wishes: Wishes, delivery: Delivery, printer: Printer
    ) -> tuple[Path, MixPlan] | None:
        """See `automix.cli.jobs`."""


def run_candidates(
    count: int, seed: int, run: Run, wishes: Wishes, delivery: Delivery, printer: Printer
) -> None:
    """Makes the mix as it is, then others that differ from it and from each other.

    Raises:
        UsageError: With options of a single mix, or for a method without a plan.
    """
    for option, given in (
        ("--dry-run", delivery.dry_run),
        ("--export-stems", delivery.stems),
        ("--report", delivery.report),
        ("--skip-existing", delivery.skip_existing),
        ("--no-plan", not delivery.write_plan),
    ):
        if given:
            raise UsageError(f"{option} goes with one mix: render the candidate that you choose")
    silent = replace(printer, quiet=True, json=False)
    first = run(wishes=wishes, delivery=replace(delivery, candidate=1), printer=silent)
    if first is None:
        raise UsageError("--candidates needs a plan, and --method wave-u-net makes none")
    path, plan = first
    paths, drawn = [path], draw_candidates(plan, count, seed)
    for number, macros in enumerate(drawn[1:], 2):
        printer.note(f"candidate {number} of {count}: {macros.described()}")
        numbered = replace(delivery, candidate=number)
        made = run(wishes=wishes.with_more(macros), delivery=numbered, printer=silent)
        if made is not None:
            paths.append(made[0])
    distances = list(measure_distances(paths))
    folder = path.with_name(path.stem.removesuffix(".1") + "-candidates")
    page = make_comparison_page(paths, folder, overwrite=delivery.force).page
    if printer.json:
        printer.document(_document(paths, drawn, distances, page))
    elif not printer.quiet:
        _print(paths, drawn, distances, page)


def _document(
    paths: list[Path], drawn: list[Macros], distances: list[tuple[int, int, float]], page: Path
) -> dict[str, object]:
    return {
        "candidates": [
            {"output": str(path), "options": macros.described(), **asdict(macros)}
            for path, macros in zip(paths, drawn, strict=True)
        ],
        "distances": [
            {"first": str(paths[a]), "second": str(paths[b]), "stereo_mr_stft": distance}
            for a, b, distance in distances
        ],
        "page": str(page),
    }


def _print(
    paths: list[Path], drawn: list[Macros], distances: list[tuple[int, int, float]], page: Path
) -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("candidate")
    table.add_column("what it is")
    for number in range(1, len(paths)):
        table.add_column(f"from {number}", justify="right")
    apart = {(b, a): f"{distance:.2f}" for a, b, distance in distances}
    for n, (path, macros) in enumerate(zip(paths, drawn, strict=True)):
        cells = [apart.get((n, other), "") for other in range(len(paths) - 1)]
        table.add_row(Text(printable(path)), macros.described() or "the mix as it is", *cells)
    console.print(table, "")
    console.print(
        "Distances: stereo spectral distance at one loudness.", f"Compare: {printable(page)}"
    )
