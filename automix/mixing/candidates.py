"""Candidates: mixes that differ in what listeners differ about, and how far apart they are."""

import random
from collections.abc import Sequence
from dataclasses import replace

from automix.plan.macro_changes import apply_macros
from automix.plan.macros import Macros
from automix.plan.model import MixPlan
from automix.plan.writer import PlanWriter

SPREADS = {
    "vocals_db": (-3.0, 3.0),
    "reverb_percent": (-60.0, 90.0),
    "width_percent": (-50.0, 50.0),
    "brightness_db": (-3.0, 3.0),
}
"""How far candidates go: heard at once, and still a mix (De Man et al., AES 136, 2014, find
engineers some 3 dB apart in the level of a vocal)."""

_TRIALS = 500
_COMPARED_S = 30.0


def draw_candidates(plan: MixPlan, count: int, seed: int) -> list[Macros]:
    """What candidates change of a plan: nothing at first, then each far from all before.

    Args:
        plan: What the method wrote; macros that find nothing in it to change are left alone.
        count: How many.
        seed: Another seed draws others.
    """
    rng = random.Random(seed)
    fields = [name for name in SPREADS if _changes(plan, name)]
    trials = [tuple(rng.uniform(-1.0, 1.0) for _ in fields) for _ in range(_TRIALS)]
    chosen: list[tuple[float, ...]] = [(0.0,) * len(fields)]
    while len(chosen) < count:
        chosen.append(max(trials, key=lambda trial: min(_apart(trial, c) for c in chosen)))
    return [
        Macros(
            **{
                name: round(high * part if part > 0.0 else -low * part, 1 if high < 10.0 else 0)
                for name, part in zip(fields, parts, strict=True)
                for low, high in [SPREADS[name]]
            }
        )
        for parts in chosen
    ]


def _changes(plan: MixPlan, name: str) -> bool:
    writer = PlanWriter(replace(plan, decisions=()))
    apply_macros(writer, Macros(**{name: SPREADS[name][1]}))
    return not writer.warnings


def _apart(first: Sequence[float], second: Sequence[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))
