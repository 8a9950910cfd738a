"""`automix evaluate ratings`: the statistics and figures of a listening test."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from automix.evaluation.ratings import Ratings
    from automix.files.target import OutputTarget


class RankTest(StrEnum):
    """Which test of all methods, and which comparisons of pairs after it."""

    kruskal = "kruskal"
    friedman = "friedman"


class Adjustment(StrEnum):
    """Rows of the table of adjustments; a test holds them together."""

    none = "none"
    bonferroni = "bonferroni"
    sidak = "sidak"
    holm = "holm"
    holm_sidak = "holm-sidak"
    simes_hochberg = "simes-hochberg"
    hommel = "hommel"
    fdr_bh = "fdr_bh"
    fdr_by = "fdr_by"


class CsvTable(StrEnum):
    """What can be had as CSV."""

    comparisons = "comparisons"
    methods = "methods"
    tests = "tests"


@report_errors
def ratings(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="RATINGS.CSV",
            help="Files with the columns participant, passage, method, rating; further columns of"
            " numbers are aspects. One for all participants, or one for each.",
        ),
    ],
    test: Annotated[
        RankTest,
        typer.Option(
            help="kruskal: Kruskal-Wallis and Conover, which take all ratings as independent."
            " friedman: Friedman and Conover within each participant and passage, for tests in"
            " which everyone rates all methods."
        ),
    ] = RankTest.kruskal,
    adjust: Annotated[
        Adjustment, typer.Option(help="How to adjust p for the number of pairs.")
    ] = Adjustment.holm,
    alpha: Annotated[
        float, typer.Option(metavar="P", help="Level of significance, 0.0001 to 0.5.")
    ] = 0.05,
    aspect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Use this column. Repeatable.  [default: rating and all further columns of"
            " numbers]",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw box plots of the first aspect, over all passages and of each, to this .png,"
            " .svg or .pdf.",
        ),
    ] = None,
    likert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw bars of the shares of the answers 1 (very poor) to 5 (very good), by aspect"
            " and method.",
        ),
    ] = None,
    force: options.Force = False,
    csv: Annotated[CsvTable | None, typer.Option("--csv", help="Print this table as CSV.")] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print the tables of every passage too.")
    ] = False,
) -> None:
    """Analyze the ratings of a listening test.

    Describes the ratings of each method, tests whether the methods differ, and compares them in
    pairs, over all passages and for each.

    For example: automix evaluate ratings ratings.csv --plot ratings.png
    """
    from contextlib import ExitStack

    from automix.cli.ratings_report import document, print_csv, print_report
    from automix.evaluation.rating_analysis import analyze
    from automix.evaluation.ratings import read_ratings
    from automix.files.target import OutputTarget

    _check(alpha, json, csv, plot, likert)
    printer = Printer(json=json, quiet=quiet)
    with ExitStack() as reserved:
        targets = [
            reserved.enter_context(OutputTarget.reserve(path, overwrite=force, inputs=files))
            if path
            else None
            for path in (plot, likert)
        ]
        rated = read_ratings(files, aspect)
        found = analyze(
            rated,
            repeated_measures=test is RankTest.friedman,
            adjustment=adjust.value,
            alpha=alpha,
        )
        notes = [*rated.notes, *_draw(rated, *targets)]
    if json:
        printer.document(document(rated, found, notes, adjust.value, alpha))
    elif csv:
        print_csv(found, csv.value)
    elif not quiet:
        print_report(rated, found, adjust.value, alpha, verbose=verbose)
    for note in () if json else notes:
        printer.note(note)


def _check(
    alpha: float, json: bool, csv: CsvTable | None, plot: Path | None, likert: Path | None
) -> None:
    from automix.errors import UsageError
    from automix.evaluation.picture_format import choose_picture_format

    if not 0.0001 <= alpha <= 0.5:
        raise UsageError(f"--alpha {alpha:g} is outside 0.0001 to 0.5")
    if json and csv:
        raise UsageError("--json and --csv both print to standard output; choose one")
    if plot and plot == likert:
        raise UsageError("--plot and --likert name the same file; choose two")
    for path in (plot, likert):
        if path:
            choose_picture_format(path)


def _draw(
    ratings: "Ratings", plot: "OutputTarget | None", likert: "OutputTarget | None"
) -> list[str]:
    """Draws what is asked for; gives what the user should know about it."""
    if plot is None and likert is None:
        return []
    from automix.evaluation.picture_format import choose_picture_format
    from automix.evaluation.plots import draw_box_plots, draw_likert_bars

    notes: list[str] = []
    if plot is not None:
        aspect = next(iter(ratings.aspects))
        picture = draw_box_plots(ratings, aspect, choose_picture_format(plot.path))
        plot.write_bytes(picture.data)
        notes += picture.notes
    if likert is not None:
        picture = draw_likert_bars(ratings, choose_picture_format(likert.path))
        likert.write_bytes(picture.data)
        notes += picture.notes
    return list(dict.fromkeys(notes))
