"""Rows of the benchmark: what is compared, what came out, and how it is judged."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from automix.benchmark.workbench import Workbench
from automix.errors import AutomixError

Unit = Literal["s", "MB"]


class Missing(AutomixError):
    """A tool to compare with, or room on the disk, is not there. The message names it alone."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What a comparison measured.

    Attributes:
        ours: Cost of automix, in the unit of the comparison.
        reference: Cost of what it is compared with, in the same unit.
        note: Further figures, in a sentence.
        accurate: Whether the result was right; speed alone does not pass.
    """

    ours: float
    reference: float
    note: str = ""
    accurate: bool = True


@dataclass(frozen=True, kw_only=True)
class BenchmarkRow:
    """One comparison that the benchmark makes.

    Attributes:
        number: Number of the comparison, such as ``P1``.
        what: Words for what is compared: dividend ÷ divisor.
        unit: Unit of both costs, seconds or megabytes.
        pass_ratio: Largest ratio that passes.
        stretch_ratio: Largest ratio that more than passes.
        measure: Makes the comparison. Raises `Missing` or another `AutomixError` where it cannot.
    """

    number: str
    what: str
    unit: Unit
    pass_ratio: float
    stretch_ratio: float
    measure: Callable[[Workbench], Measurement]


@dataclass(frozen=True, kw_only=True)
class BenchmarkResult:
    """A comparison with its measurement, or with what kept it from being made.

    Attributes:
        comparison: The comparison.
        measurement: What was measured, or none.
        problem: What kept it from being measured, or empty.
        failed: Whether that was an error, not something that is missing.
    """

    comparison: BenchmarkRow
    measurement: Measurement | None = None
    problem: str = ""
    failed: bool = False

    @property
    def ratio(self) -> float | None:
        """Cost of automix over that of the reference; none where it was not measured."""
        if self.measurement is None:
            return None
        # A difference of two times may come out at nothing, on a loaded machine even below.
        reference = self.measurement.reference
        return self.measurement.ours / reference if reference > 0 else math.inf

    @property
    def verdict(self) -> str:
        """``stretch``, ``pass``, ``miss``, or what kept it from being measured."""
        if self.measurement is None or self.ratio is None:
            return self.problem
        if not self.measurement.accurate or self.ratio > self.comparison.pass_ratio:
            return "miss"
        return "stretch" if self.ratio <= self.comparison.stretch_ratio else "pass"

    def document(self) -> dict[str, Any]:
        """Makes a dictionary for JSON."""
        measured = self.measurement
        return {
            "number": self.comparison.number,
            "what": self.comparison.what,
            "unit": self.comparison.unit,
            "automix": measured and measured.ours,
            "reference": measured and measured.reference,
            "ratio": self.ratio,
            "pass": self.comparison.pass_ratio,
            "stretch": self.comparison.stretch_ratio,
            "verdict": self.verdict,
            "note": measured.note if measured else "",
        }


def measure_all(
    comparisons: Iterable[BenchmarkRow],
    workbench: Workbench,
    report: Callable[[str], None] = lambda number: None,
) -> list[BenchmarkResult]:
    """Measures row by row; one that cannot be measured does not stop the others.

    Args:
        comparisons: Comparisons to make.
        workbench: Workbench that gives the files and the number of runs.
        report: Called with the number of each row as it begins.
    """
    rows = []
    for comparison in comparisons:
        report(comparison.number)
        try:
            row = BenchmarkResult(comparison=comparison, measurement=comparison.measure(workbench))
        except Missing as missing:
            row = BenchmarkResult(comparison=comparison, problem=f"not measured: needs {missing}")
        except AutomixError as error:
            row = BenchmarkResult(comparison=comparison, problem=f"failed: {error}", failed=True)
        rows.append(row)
    return rows
