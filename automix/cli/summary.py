"""The table and the JSON document that a mix ends with."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from automix.delivery import Delivered
from automix.files import shown
from automix.mixing import Mix
from automix.parameters import Parameter, Settings, parameters
from automix.plan import Decision, MixPlan
from automix.session import Session


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
            table.add_row(*(Text(shown(cell)) for cell in _row(plan, decision)))
    if table.row_count:
        console.print(table, "")
    loudness = delivered.loudness
    for note in delivered.notes:
        console.print(f"note: {note}")
    levels = [
        f"{shown(name)} {_lufs(level)}"
        for name, level in mix.levels_at(loudness.integrated_lufs).items()
    ]
    console.print("loudness  " + " · ".join([*levels, f"mix {_lufs(loudness.integrated_lufs)}"]))
    console.print(
        f"mix       range {loudness.loudness_range_lu:.1f} LU · true peak"
        f" {loudness.true_peak_dbtp:.2f} dBTP · {seconds:.1f} s"
    )
    console.print(f"written   {shown(delivered.mix.path)}")


def _lufs(level: float) -> str:
    return f"{level:.2f} LUFS" if level > -200 else "silent"


def _row(plan: MixPlan, decision: Decision) -> tuple[str, str, str]:
    """Setting, value and reason; the value is that of the plan, which may have been edited."""
    why = f"{decision.rule}: {decision.reason}"
    try:
        declared, value = _looked_up(plan, decision.setting)
    except (AttributeError, IndexError, KeyError, ValueError):
        return decision.setting, "–", f"removed; was {decision.value:.4g}, {why}"
    if issubclass(declared.kind, Settings):
        return decision.setting, "–", why  # about a processor as a whole
    if value != decision.value:
        why = f"edited; was {decision.value:.4g}, {why}"
    if not isinstance(value, float):
        return decision.setting, {True: "on", False: "off"}.get(value, str(value)), why
    unit = declared.range.unit if declared.range else ""
    return decision.setting, f"{value:.4g} {unit}".rstrip(), why


def _looked_up(plan: MixPlan, address: str) -> tuple[Parameter, Any]:
    """Declaration and value of a setting; fails in many ways if it is not there (any more)."""
    owners: dict[str, Settings] = {strip.name: strip for strip in plan.tracks}
    owners |= {bus.name: bus for bus in plan.buses}
    for name, owner in owners.items():
        if address.startswith(name + "."):
            return _looked_up_below(owner, address[len(name) + 1 :].split("."))
    return _looked_up_below(plan, address.split("."))


def _looked_up_below(value: Any, path: list[str]) -> tuple[Parameter, Any]:
    head, *rest = path
    if isinstance(value, tuple):
        return _looked_up_below(value[int(head) - 1], rest)
    if rest:
        return _looked_up_below(getattr(value, head), rest)
    return parameters(type(value))[head], getattr(value, head)


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
