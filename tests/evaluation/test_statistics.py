"""Our rank tests against SciPy and scikit-posthocs, and against tables of textbooks."""

import numpy as np
import pandas
import pytest
import scikit_posthocs
import scipy.stats
from statsmodels.stats.multitest import multipletests

from automix.cli.evaluate_ratings import Adjustment
from automix.evaluation.p_adjustment import ADJUSTMENTS, adjust_p_values
from automix.evaluation.statistics import (
    Undefined,
    conover,
    conover_friedman,
    friedman,
    kruskal_wallis,
)

SETS = range(8)


def groups(seed):
    """Two to eight groups of unequal size, with ties in every second set."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 9))
    drawn = [rng.normal(rng.normal(0, 0.7), 1, int(rng.integers(2, 40))) for _ in range(count)]
    return [np.round(group) if seed % 2 else group for group in drawn]


def blocks(seed):
    rng = np.random.default_rng(seed)
    n, count = int(rng.integers(3, 30)), int(rng.integers(3, 8))
    drawn = rng.normal(rng.normal(0, 0.7, count), 1, (n, count))
    return np.round(drawn) if seed % 2 else drawn


@pytest.mark.parametrize("seed", SETS)
def test_h_and_p_are_those_of_scipy(seed):
    ours, theirs = kruskal_wallis(groups(seed)), scipy.stats.kruskal(*groups(seed))
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-9)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("adjustment", ADJUSTMENTS)
def test_conover_is_that_of_scikit_posthocs(adjustment):
    for seed in SETS:
        drawn = groups(seed)
        # Labels that scikit-posthocs' sorting leaves in order.
        names = [f"m{index}" for index in range(len(drawn))]
        frame = pandas.DataFrame(
            [(name, value) for name, group in zip(names, drawn, strict=True) for value in group],
            columns=["method", "rating"],
        )
        theirs = scikit_posthocs.posthoc_conover(
            frame,
            val_col="rating",
            group_col="method",
            p_adjust=None if adjustment == "none" else adjustment,
        )
        for row in conover(names, drawn, adjustment=adjustment):
            expected = theirs.loc[row.group_1, row.group_2]
            assert row.p_adjusted == pytest.approx(expected, rel=1e-8, abs=1e-300)
            assert row.reject == (expected < 0.05)


@pytest.mark.parametrize("seed", SETS)
def test_friedman_is_that_of_scipy(seed):
    table = blocks(seed)
    ours, theirs = friedman(table), scipy.stats.friedmanchisquare(*table.T)
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-9)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("adjustment", ["none", "holm", "fdr_bh"])
def test_conover_for_blocks_is_that_of_scikit_posthocs(adjustment):
    for seed in SETS:
        table = blocks(seed)
        with np.errstate(divide="ignore"):  # ranks that leave no doubt
            theirs = scikit_posthocs.posthoc_conover_friedman(
                table, p_adjust=None if adjustment == "none" else adjustment
            )
        names = [str(index) for index in range(table.shape[1])]
        for row in conover_friedman(names, table, adjustment=adjustment):
            expected = theirs.loc[int(row.group_1), int(row.group_2)]
            assert row.p_adjusted == pytest.approx(expected, rel=1e-7, abs=1e-300)


def test_kruskal_and_wallis_own_example():
    """Kruskal & Wallis 1952, section 1.2: bottle caps of three machines, H = 5.656."""
    machines = [[340, 345, 330, 342, 338], [339, 333, 344], [347, 343, 349, 355]]
    result = kruskal_wallis([np.array(machine, float) for machine in machines])
    assert result.statistic == pytest.approx(5.656, abs=0.001)
    assert result.degrees_of_freedom == 2


def test_effect_sizes_reach_from_nothing_to_everything():
    """Of groups that do not overlap in the least, all variance is between groups."""
    apart = kruskal_wallis([np.full(10, 1.0), np.full(12, 2.0)])
    assert apart.effect_sizes == pytest.approx({"epsilon_squared": 1.0, "eta_squared_h": 1.0})
    alike = kruskal_wallis([np.arange(9.0), np.arange(9.0)])
    assert alike.effect_sizes["epsilon_squared"] == pytest.approx(0.0, abs=1e-12)
    assert alike.p == pytest.approx(1.0)
    agreed = friedman(np.tile([1.0, 2.0, 3.0], (7, 1)))
    assert agreed.effect_sizes == pytest.approx({"kendalls_w": 1.0})


def test_ranks_that_leave_no_doubt_give_p_of_nought_and_one_but_no_nan():
    values = [np.full(7, 1.0), np.full(9, 2.0), np.full(11, 2.0)]
    first, second, third = conover(("a", "b", "c"), values)
    assert (first.p, second.p, third.p) == (0.0, 0.0, 1.0)
    assert (first.reject, second.reject, third.reject) == (True, True, False)
    assert first.mean_difference == -1.0
    assert first.t == -np.inf
    first, second, third = conover_friedman(("a", "b", "c"), np.tile([1.0, 2.0, 2.0], (9, 1)))
    assert (first.p, second.p, third.p) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([[1.0, 1.0], [1.0, 1.0]], "equal"),
        ([[1.0, 2.0]], "two methods"),
        ([], "two methods"),
        ([[1.0], [2.0], [3.0]], "no more ratings"),
    ],
)
def test_what_has_no_result_says_why(values, reason):
    drawn = [np.array(group) for group in values]
    with pytest.raises(Undefined, match=reason):
        kruskal_wallis(drawn)
    with pytest.raises(Undefined, match=reason):
        conover([str(index) for index in range(len(drawn))], drawn)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (np.array([[3.0, 3.0], [4.0, 4.0]]), "alike"),
        (np.array([[3.0, 4.0]]), "fewer than two listeners"),
        (np.array([[3.0], [4.0]]), "two methods"),
        (np.zeros((0, 3)), "fewer than two listeners"),
    ],
)
def test_blocks_that_have_no_result_say_why(table, reason):
    with pytest.raises(Undefined, match=reason):
        friedman(table)
    with pytest.raises(Undefined, match=reason):
        conover_friedman(["a", "b", "c"], table)


@pytest.mark.slow
@pytest.mark.parametrize("adjustment", [name for name in ADJUSTMENTS if name != "none"])
def test_adjustments_are_those_of_statsmodels(adjustment):
    rng = np.random.default_rng(3)
    for count in (1, 2, 3, 10, 45):
        for p in (
            rng.uniform(size=count),
            rng.uniform(size=count) ** 6,
            np.round(rng.random(count), 1),
        ):
            with np.errstate(divide="ignore"):  # the logarithm of 1 - 1
                theirs = multipletests(p, method=adjustment)[1]
            assert adjust_p_values(p, adjustment) == pytest.approx(theirs, rel=1e-9, abs=1e-300)


def test_the_command_offers_the_adjustments_that_there_are():
    assert [adjustment.value for adjustment in Adjustment] == list(ADJUSTMENTS)
