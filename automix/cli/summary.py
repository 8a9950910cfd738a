"""The table and the JSON document that a mix ends with."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from automix.errors import PlanError
from automix.files.names import printable
from automix.mixing.delivery import Delivered
from automix.mixing.mix import Mix
from automix.plan.address import look_up
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings
from automix.session.tracks import Session


def print_summary(
    plan: MixPlan, mix: Mix, delivered: Delivered, seconds: float, *, verbose: bool
) -> None:
    """Prints what was decided and why, then the levels."""
    console = Console(
        width=None if sys.stdout.isatty() else 110,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("setting", overflow="fold")
    table.add_column("value", justify="right")
    table.add_column("why")
    for decision in plan.decisions:
        if decision.figures or verbose:
            table.add_row(*(Text(printable(cell)) for cell in _row(plan, decision)))
    if table.row_count:
        console.print(table, "")
    _print_compared(console, mix)
    loudness = delivered.loudness
    for note in delivered.notes:
        console.print(f"note: {note}")
    levels = [
        f"{printable(name)} {_lufs(level)}"
        for name, level in mix.levels_at(loudness.integrated_lufs).items()
    ]
    console.print("loudness  " + " · ".join([*levels, f"mix {_lufs(loudness.integrated_lufs)}"]))
    console.print(
        f"mix       range {loudness.loudness_range_lu:.1f} LU · true peak"
        f" {loudness.true_peak_dbtp:.2f} dBTP · {seconds:.1f} s"
    )
    console.print(f"written   {printable(delivered.mix.path)}")


def _print_compared(console: Console, mix: Mix) -> None:
    """How near the mix has come to its references."""
    if not mix.compared:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("towards the reference")
    for heading in ("without", "mix", "reference", "distance"):
        table.add_column(heading, justify="right")
    for row in mix.compared:
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
    if issubclass(declared.kind, Settings):
        return decision.setting, "–", why  # about a processor as a whole
    if value != decision.value:
        why = f"edited; was {decision.value:.4g}, {why}"
    if not isinstance(value, float):
        return decision.setting, {True: "on", False: "off"}.get(value, str(value)), why
    unit = declared.range.unit if declared.range else ""
    return decision.setting, f"{value:.4g} {unit}".rstrip(), why


def document(
    output: Path,
    plan: MixPlan,
    mix: Mix,
    delivered: Delivered | None,
    session: Session,
    seconds: float,
) -> dict[str, Any]:
    """Everything about a mix, for programs."""
    content: dict[str, Any] = {
        "output": str(output),
        "written": delivered is not None,
        "seconds": seconds,
        "duration_s": mix.audio.frames / mix.audio.sample_rate,
        "sample_rate_hz": mix.audio.sample_rate,
        "levels_lufs": mix.levels_at(
            delivered.loudness.integrated_lufs
            if delivered is not None
            else mix.sum_lufs + plan.master.gain_db
        ),
        "reference": [asdict(row) for row in mix.compared],
        "warnings": list(mix.warnings),
        "notes": [*session.notes, *(delivered.notes if delivered else ())],
        "plan": asdict(plan),
    }
    for decision in content["plan"]["decisions"]:
        decision["figures"] = dict(decision["figures"])
    if delivered is not None:
        content["loudness"] = asdict(delivered.loudness)
        content["container"] = delivered.mix.container
        content["clipped_samples"] = delivered.mix.clipped
    return content
