import math

import pytest

from automix.benchmark.comparisons import COMPARISONS, choose_comparisons
from automix.benchmark.table import BenchmarkResult, BenchmarkRow, Measurement, Missing, measure_all
from automix.errors import InputError, UsageError


def comparison(measure=None, number="P0", unit="s"):
    return BenchmarkRow(
        number=number,
        what="ours ÷ theirs",
        unit=unit,
        pass_ratio=1,
        stretch_ratio=0.5,
        measure=measure or (lambda bench: Measurement(ours=1, reference=4)),
    )


def row(ours, reference=4.0, **details):
    measured = Measurement(ours=ours, reference=reference, **details)
    return BenchmarkResult(comparison=comparison(), measurement=measured)


@pytest.mark.parametrize(
    ("ours", "ratio", "verdict"),
    [
        (1.0, 0.25, "stretch"),
        (2.0, 0.5, "stretch"),
        (2.1, 0.525, "pass"),
        (4.0, 1.0, "pass"),
        (4.1, 1.025, "miss"),
    ],
)
def test_ratio_and_verdict(ours, ratio, verdict):
    assert row(ours).ratio == pytest.approx(ratio)
    assert row(ours).verdict == verdict


def test_a_wrong_result_misses_however_fast():
    assert row(1.0, accurate=False).verdict == "miss"


@pytest.mark.parametrize("reference", [0.0, -0.1])
def test_a_reference_of_nothing_is_never_met(reference):
    assert row(1.0, reference).ratio == math.inf
    assert row(1.0, reference).verdict == "miss"


def test_what_cannot_be_measured_leaves_its_row_out_and_does_not_stop_the_others():
    def missing(bench):
        raise Missing("ffmpeg")

    def failing(bench):
        raise InputError("no such song")

    begun = []
    rows = measure_all(
        [comparison(missing, "P1"), comparison(failing, "P2"), comparison(number="P3")],
        None,
        begun.append,
    )
    assert begun == ["P1", "P2", "P3"]
    assert [r.verdict for r in rows] == [
        "not measured: needs ffmpeg",
        "failed: no such song",
        "stretch",
    ]
    assert [r.failed for r in rows] == [False, True, False]
    assert [r.ratio for r in rows] == [None, None, 0.25]


def test_a_defect_is_not_swallowed():
    def defective(bench):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        measure_all([comparison(defective)], None)


def test_the_workbench_reaches_the_measurement():
    rows = measure_all(
        [comparison(lambda bench: Measurement(ours=bench, reference=1))], workbench=0.25
    )
    assert rows[0].ratio == 0.25


def test_limits_are_those_of_the_specification():
    assert {c.number: (c.pass_ratio, c.stretch_ratio) for c in COMPARISONS} == {
        "P1": (12, 6),
        "P2": (1, 0.6),
        "P3": (1, 0.7),
        "P4": (0.6, 0.4),
        "P5": (1, 0.5),
        "P6": (2, 1.3),
        "P7": (0.6, 0.4),
        "P8": (6, 3),
        "P9": (3, 1.5),
        "P10": (5, 2.5),
        "P11": (4, 2),
        "P12": (1, 0.5),
        "P13": (3, 3),  # the specification names no stretch
        "P14": (0.5, 0.13),  # nor this row
        "P15": (1, 0.5),  # nor for this one
    }


def test_rows_are_chosen_in_the_order_of_the_table():
    assert [c.number for c in choose_comparisons("p6, P1")] == ["P1", "P6"]
    assert choose_comparisons(None) == COMPARISONS


@pytest.mark.parametrize("numbers", ["P16", "P1,", "P1 P3", ""])
def test_a_row_that_is_not_there_is_refused_with_those_that_are(numbers):
    with pytest.raises(UsageError, match=r"choose from P1, .*, P15"):
        choose_comparisons(numbers)
