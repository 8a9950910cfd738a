"""Damaged inputs of every kind: each is refused in order, or read whole."""

from typing import Any

import pytest

from tests.fuzz.amount import read_amount
from tests.fuzz.running import run_many


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["audio", "texts"])
def test_damaged_inputs_are_refused_in_order_or_read_whole(kind: str) -> None:
    amount, faults = read_amount(), list[dict[str, Any]]()
    summary = run_many(
        kind,
        seed=amount.seed,
        first=0,
        count=getattr(amount, kind),
        jobs=amount.jobs,
        seconds=amount.seconds,
        report=faults.append,
    )
    print(summary)
    lines = [f"{fault['again']}: {fault['input']}: {fault['faults']}" for fault in faults]
    assert not faults, "\n".join(lines)
    # Were all refused at the door, nothing behind it would have been tried.
    assert summary["accepted"] > summary["inputs"] / 20
