"""`automix diff`: what changed from one plan to another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from automix.plan.difference import Difference, PlanDifference, RideDifference
    from automix.plan.rides import Ride

_PRINTED_DIGITS = 6
_DIGEST_LETTERS = 12


@report_errors
def diff(
    first: Annotated[Path, typer.Argument(metavar="A.toml", help="A plan.")],
    second: Annotated[Path, typer.Argument(metavar="B.toml", help="Another plan.")],
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if anything differs, with 0 if not.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show what differs between two plans.

    Names every setting as --set does, with its value in A and in B; rides, with how far the lines
    are apart and when; tracks and buses that only one plan has; and whether method, version, rate
    or input files differ.

    For example: automix diff mix.toml louder.toml
    """
    from automix.plan.difference import plan_difference
    from automix.plan.model import read_plan

    found = plan_difference(read_plan(first), read_plan(second))
    if json:
        Printer(json=True).document(_document(first, second, found))
    elif not quiet:
        _print(found)
    if exit_code and found:
        raise typer.Exit(1)


def _document(first: Path, second: Path, found: "PlanDifference") -> dict[str, Any]:
    def row(difference: "Difference") -> dict[str, Any]:
        return {
            "setting": difference.setting,
            "old": difference.old,
            "new": difference.new,
            "unit": difference.unit,
            "change": difference.change,
        }

    def ride_row(difference: "RideDifference") -> dict[str, Any]:
        return {
            "setting": difference.setting,
            "kind": difference.kind,
            "old": _points(difference.old),
            "new": _points(difference.new),
            "unit": difference.unit,
            "largest_change": difference.change.largest,
            "largest_change_at_s": difference.change.at_s,
            "mean_change": difference.change.mean,
        }

    return {
        "first": str(first),
        "second": str(second),
        "differ": bool(found),
        "settings": [row(difference) for difference in found.settings],
        "rides": [ride_row(difference) for difference in found.rides],
        "provenance": [row(difference) for difference in found.provenance],
        "inputs": [row(difference) for difference in found.inputs],
        "only_in_first": list(found.only_in_first),
        "only_in_second": list(found.only_in_second),
    }


def _points(ride: "Ride | None") -> dict[str, Any] | None:
    return None if ride is None else {"times_s": ride.times_s, "values": ride.values}


def _print(found: "PlanDifference") -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from automix.files.names import printable

    if not found:
        print("the plans have the same settings")
        return
    console = Console(
        width=None if sys.stdout.isatty() else 200,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("setting", overflow="fold")
    for name in ("A", "B", "difference"):
        table.add_column(name, justify="right", overflow="fold")
    rows = [(d.setting, *_cells(d)) for d in found.settings]
    rows += [(d.setting, *_ride_cells(d)) for d in found.rides]
    rows += [(d.setting, *_cells(d)) for d in (*found.provenance, *found.inputs)]
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    if table.row_count:
        console.print(table)
    for plan, names in (("A", found.only_in_first), ("B", found.only_in_second)):
        for name in names:
            print(f"only in {plan}: {printable(name)}")


def _cells(difference: "Difference") -> tuple[str, str, str]:
    """Old, new and their difference; what prints alike and differs is printed in full."""
    old, new = difference.old, difference.new
    if difference.setting.endswith(".sha256"):
        return str(old)[:_DIGEST_LETTERS], str(new)[:_DIGEST_LETTERS], "other audio"
    texts = [_text(value, difference.unit) for value in (old, new)]
    if texts[0] == texts[1]:
        texts = [f"{value!r} {difference.unit}".rstrip() for value in (old, new)]
    change = difference.change
    return texts[0], texts[1], "" if change is None else f"{change:+.4g} {difference.unit}".rstrip()


def _ride_cells(difference: "RideDifference") -> tuple[str, str, str]:
    """The points of a ride in both plans, and how far the lines are apart."""
    from automix.plan.ride_figures import format_time

    old, new = (
        "no ride" if ride is None else f"{len(ride.values)} point{'s' * (len(ride.values) > 1)}"
        for ride in (difference.old, difference.new)
    )
    change = difference.change
    if change.largest == 0.0:
        return old, new, "the same line"
    scale, unit = (1.0, difference.unit) if difference.unit else (200.0, "%")
    apart = f"{scale * change.largest:+.2f} {unit} at {format_time(change.at_s)}"
    return old, new, f"{apart}, mean {scale * change.mean:+.2f} {unit}"


def _text(value: object, unit: str) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.{_PRINTED_DIGITS}g} {unit}".rstrip()
    return f"{value} {unit}".rstrip()
