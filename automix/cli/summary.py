"""The tables that mixes end with."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from automix.errors import PlanError
from automix.files.names import printable
from automix.mixing.outcome import SongOutcome
from automix.plan.address import look_up
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings
from automix.plan.ride_figures import describe_range, list_rides, measure_ride
from automix.plan.rides import Ride


def make_console(*, soft_wrap: bool = False) -> Console:
    """Makes what tables are printed with: as wide as the terminal, or as a page of text.

    Args:
        soft_wrap: Whether long lines are left to the terminal.
    """
    return Console(
        width=None if sys.stdout.isatty() else 110,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=soft_wrap,
    )


def print_summary(outcome: SongOutcome, *, verbose: bool) -> None:
    """Prints what was decided and why, then the levels."""
    plan, loudness = outcome.plan, outcome.loudness
    if plan is None or loudness is None:
        raise ValueError("only a mix that was written has a summary")
    console = make_console(soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("setting", overflow="fold")
    table.add_column("value", justify="right")
    table.add_column("why")
    for decision in plan.decisions:
        if decision.figures or verbose:
            table.add_row(*(Text(printable(cell)) for cell in _row(plan, decision)))
    if table.row_count:
        console.print(table, "")
    _print_comparison(console, outcome)
    for note in outcome.delivery_notes:
        console.print(f"note: {note}")
    levels = [f"{printable(name)} {_lufs(level)}" for name, level in outcome.levels_lufs.items()]
    console.print("loudness  " + " · ".join([*levels, f"mix {_lufs(loudness.integrated_lufs)}"]))
    console.print(
        f"mix       range {loudness.loudness_range_lu:.1f} LU · true peak"
        f" {loudness.true_peak_dbtp:.2f} dBTP · {outcome.seconds:.1f} s"
    )
    console.print(f"written   {printable(outcome.output)}")


def _print_comparison(console: Console, outcome: SongOutcome) -> None:
    """How near the mix has come to its references."""
    if not outcome.compared:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("towards the reference")
    for heading in ("without", "mix", "reference", "distance"):
        table.add_column(heading, justify="right")
    for row in outcome.compared:
        values = (
            "–" if value is None else f"{value:.1f}"
            for value in (row.before, row.after, row.reference)
        )
        distance = f"{row.distance_before:.2f} → {row.distance_after:.2f} {row.unit}"
        table.add_row(f"{row.name}, {row.unit}", *values, distance)
    console.print(table, "")


def _lufs(level: float) -> str:
    return f"{level:.2f} LUFS" if level > -200 else "silent"


def _row(plan: MixPlan, decision: Decision) -> tuple[str, str, str]:
    """Setting, value and reason; the value is that of the plan, which may have been edited."""
    why = f"{decision.rule}: {decision.reason}"
    try:
        declared, value = look_up(plan, decision.setting)
    except PlanError:
        return decision.setting, "–", f"removed; was {decision.value:.4g}, {why}"
    if isinstance(value, Ride):
        return _ride_row(plan, decision, value)
    if issubclass(declared.kind, Settings):
        return decision.setting, "–", why  # about a processor as a whole
    if value != decision.value:
        why = f"edited; was {decision.value:.4g}, {why}"
    if not isinstance(value, float):
        return decision.setting, {True: "on", False: "off"}.get(value, str(value)), why
    unit = declared.range.unit if declared.range else ""
    return decision.setting, f"{value:.4g} {unit}".rstrip(), why


def _ride_row(plan: MixPlan, decision: Decision, ride: Ride) -> tuple[str, str, str]:
    """A ride by the name of what it moves, from where to where, and why."""
    owner, part = next(
        (owner, part)
        for owner, part, number, _ in list_rides(plan)
        if decision.setting == f"{owner}.rides.{number}"
    )
    why = f"{decision.rule}: {decision.reason}"
    if not measure_ride(part, ride).goes_as_far_as(decision.value):
        why = f"edited; went as far as {abs(decision.value):.4g}, {why}"
    return f"{owner}.rides.{ride.setting}", describe_range(part, ride), why


def print_candidates(
    rows: Sequence[tuple[Path, str]], distances: Sequence[tuple[int, int, float]], page: Path
) -> None:
    """Prints candidates, how they differ, how far apart they sound, and where to compare them."""
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("candidate")
    table.add_column("what it is")
    for number in range(1, len(rows)):
        table.add_column(f"from {number}", justify="right")
    apart = {(b, a): f"{distance:.2f}" for a, b, distance in distances}
    for n, (path, difference) in enumerate(rows):
        cells = [apart.get((n, other), "") for other in range(len(rows) - 1)]
        table.add_row(Text(printable(path)), difference or "the mix as it is", *cells)
    console.print(table, "")
    told = "Distances: stereo spectral distance at one loudness."
    console.print(told, f"Compare: {printable(page)}")
