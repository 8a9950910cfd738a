"""What `automix evaluate ratings` prints: tables for people, CSV tables, the JSON document."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from automix.evaluation.rating_analysis import Analysis, Description
from automix.evaluation.ratings import Ratings
from automix.evaluation.statistics import PairComparison
from automix.files.names import printable
from automix.files.table import write_table

_SYMBOLS = {"Kruskal–Wallis": "H", "Friedman": "χ²"}
_EFFECTS = {"epsilon_squared": "ε²", "eta_squared_h": "η²H", "kendalls_w": "W"}


def print_report(
    ratings: Ratings,
    analyses: Sequence[Analysis],
    adjustment: str,
    alpha: float,
    *,
    verbose: bool,
) -> None:
    """Prints each aspect: all passages in full, single ones in a line, or in full if verbose."""
    console = Console(
        width=None if sys.stdout.isatty() else 110, highlight=False, markup=False, emoji=False
    )
    console.print(
        f"{_count_ratings(len(set(ratings.participants)), 'participant')} ·"
        f" {_count_ratings(len(ratings.passage_names), 'passage')} ·"
        f" {_count_ratings(len(ratings.method_names), 'method')} ·"
        f" {_count_ratings(len(ratings.methods), 'rated stimulus', 'rated stimuli')}"
    )
    for aspect in ratings.aspects:
        overall, *passages = [found for found in analyses if found.aspect == aspect]
        if len(passages) == 1:
            overall = passages[0]
        _print_analysis(console, overall, adjustment, alpha)
        if verbose and len(passages) > 1:
            for found in passages:
                _print_analysis(console, found, adjustment, alpha)
        elif len(passages) > 1:
            console.print("", _passages(passages), sep="\n")


def _print_analysis(console: Console, found: Analysis, adjustment: str, alpha: float) -> None:
    where = "all passages" if found.passage is None else printable(found.passage)
    console.print("", Text(f"{printable(found.aspect)}, {where}", style="bold"), sep="\n")
    console.print(_descriptions(found.descriptions))
    omnibus = found.omnibus
    if omnibus is None:
        console.print(f"no test: {found.undefined}")
        return
    effects = " · ".join(
        f"{_EFFECTS[name]} = {value:.3f}" for name, value in omnibus.effect_sizes.items()
    )
    unit = "complete blocks" if omnibus.test == "Friedman" else "ratings"
    left_out = f", {found.blocks_left_out} incomplete left out" if found.blocks_left_out else ""
    console.print(
        f"{omnibus.test}: {_SYMBOLS[omnibus.test]}({omnibus.degrees_of_freedom}) ="
        f" {omnibus.statistic:.2f}, p = {_p(omnibus.p)} · {effects}"
        f" ({omnibus.n} {unit}{left_out})"
    )
    console.print(f"Conover's test, p adjusted: {adjustment}, α = {alpha:g}")
    console.print(_comparisons(found.comparisons))
    if omnibus.p >= alpha:
        console.print("the methods do not differ significantly: read no pair as different")


def _descriptions(descriptions: Sequence[Description]) -> Table:
    headings = ("n", "median", "quartiles", "mean", "95 % CI of the mean")
    # Three significant digits of the scale that was used.
    widest = max(max(abs(row.first_quartile), abs(row.third_quartile)) for row in descriptions)
    digits = 3 if widest <= 1 else 2 if widest <= 10 else 1
    table = _table(("method",), headings)
    for row in descriptions:
        interval = "–"
        if row.mean_low is not None and row.mean_high is not None:
            interval = f"{row.mean_low:.{digits}f} … {row.mean_high:.{digits}f}"
        table.add_row(
            Text(printable(row.method)),
            str(row.n),
            f"{row.median:.{digits}f}",
            f"{row.first_quartile:.{digits}f} … {row.third_quartile:.{digits}f}",
            f"{row.mean:.{digits}f}",
            interval,
        )
    return table


def _comparisons(comparisons: Sequence[PairComparison]) -> Table:
    table = _table(("group 1", "group 2"), ("mean diff.", "p adj.", "reject"))
    for row in comparisons:
        table.add_row(
            Text(printable(row.group_1)),
            Text(printable(row.group_2)),
            f"{row.mean_difference:+.3f}",
            _p(row.p_adjusted),
            "yes" if row.reject else "no",
        )
    return table


def _passages(analyses: Sequence[Analysis]) -> Table:
    table = _table(("passage",), ("n", "H or χ²", "p", "ε² or W", "pairs that differ"))
    symbols = {found.omnibus.test for found in analyses if found.omnibus}
    for column, words in ((2, _SYMBOLS), (4, {"Kruskal–Wallis": "ε²", "Friedman": "W"})):
        table.columns[column].header = "/".join(words[test] for test in sorted(symbols)) or "–"
    for found in analyses:
        name = Text(printable(found.passage or ""))
        n = str(sum(row.n for row in found.descriptions))
        if found.omnibus is None:
            table.add_row(name, n, "–", "–", "–", found.undefined)
            continue
        effect = next(iter(found.omnibus.effect_sizes.values()))
        rejected = sum(row.reject for row in found.comparisons)
        table.add_row(
            name,
            n,
            f"{found.omnibus.statistic:.2f}",
            _p(found.omnibus.p),
            f"{effect:.3f}",
            f"{rejected} of {len(found.comparisons)}",
        )
    return table


def _table(names: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in names:
        table.add_column(heading, overflow="fold")
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=heading != "pairs that differ")
    return table


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.2e}" if p > 0 else "0"


def _count_ratings(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def print_csv(analyses: Sequence[Analysis], table: str) -> None:
    """Prints ``comparisons``, ``methods`` or ``tests``; a blank passage is all of them."""
    rows = {"comparisons": _comparison_rows, "methods": _method_rows, "tests": _test_rows}[table]
    records = [
        {"aspect": found.aspect, "passage": found.passage or "", **row}
        for found in analyses
        for row in rows(found)
    ]
    columns = dict.fromkeys(name for record in records for name in record)
    cells = [[record.get(name, "") for name in columns] for record in records]
    write_table(sys.stdout, [list(columns), *cells])


def _comparison_rows(found: Analysis) -> list[dict[str, Any]]:
    return [asdict(row) for row in found.comparisons]


def _method_rows(found: Analysis) -> list[dict[str, Any]]:
    return [asdict(row) for row in found.descriptions]


def _test_rows(found: Analysis) -> list[dict[str, Any]]:
    if found.omnibus is None:
        return [{"undefined": found.undefined}]
    figures = asdict(found.omnibus)
    effects = figures.pop("effect_sizes")
    return [{**figures, **effects, "undefined": ""}]


def document(
    ratings: Ratings,
    analyses: Sequence[Analysis],
    notes: Sequence[str],
    adjustment: str,
    alpha: float,
) -> dict[str, Any]:
    """Everything, for programs; ``passage`` is null where it is all of them."""
    return {
        "participants": len(set(ratings.participants)),
        "passages": list(ratings.passage_names),
        "methods": list(ratings.method_names),
        "adjustment": adjustment,
        "alpha": alpha,
        "notes": list(notes),
        "analyses": [asdict(found) for found in analyses],
    }
