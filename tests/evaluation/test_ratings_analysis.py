"""From a table of ratings to figures: what is compared with what, and what is left out."""

import numpy as np
import pytest
import scipy.stats

from automix.errors import InputError
from automix.evaluation.likert import count_shares, measure_reach
from automix.evaluation.rating_analysis import analyze, describe
from automix.evaluation.ratings import Ratings


def ratings(table, aspects=("rating",)):
    """From rows of participant, passage, method and one rating for each aspect."""
    return Ratings(
        participants=tuple(row[0] for row in table),
        passages=tuple(row[1] for row in table),
        methods=tuple(row[2] for row in table),
        aspects={
            name: np.array([row[3 + index] for row in table], float)
            for index, name in enumerate(aspects)
        },
    )


def listening_test(seed=1):
    """Twelve listeners, three passages, three methods; "good" is better everywhere but in B."""
    rng = np.random.default_rng(seed)
    better = {("A", "good"): 1.5, ("C", "good"): 1.5}
    return [
        (f"P{who}", where, method, round(rng.normal(3 + better.get((where, method), 0)), 1))
        for who in range(12)
        for where in "ABC"
        for method in ("good", "mono", "random")
    ]


def test_all_passages_come_first_and_then_each_of_them():
    table = listening_test()
    overall, *passages = analyze(ratings(table))
    assert [found.passage for found in (overall, *passages)] == [None, "A", "B", "C"]
    for found in (overall, *passages):
        groups = [
            [row[3] for row in table if row[2] == name and row[1] == (found.passage or row[1])]
            for name in ("good", "mono", "random")
        ]
        assert found.omnibus.statistic == pytest.approx(scipy.stats.kruskal(*groups).statistic)
        assert [row.mean for row in found.descriptions] == pytest.approx(
            [np.mean(group) for group in groups]
        )
    assert overall.omnibus.p < 0.001
    assert passages[1].omnibus.p > 0.05
    rejected = {(row.group_1, row.group_2) for row in overall.comparisons if row.reject}
    assert rejected == {("good", "mono"), ("good", "random")}


def test_the_family_of_an_adjustment_is_the_pairs_of_one_test():
    strict = analyze(ratings(listening_test()), adjustment="bonferroni")[0].comparisons
    for plain, row in zip(
        analyze(ratings(listening_test()), adjustment="none")[0].comparisons, strict, strict=True
    ):
        assert row.p_adjusted == pytest.approx(min(3 * plain.p_adjusted, 1))


def test_alpha_is_the_level_of_rejection():
    p = analyze(ratings(listening_test()))[0].comparisons[0].p_adjusted
    assert analyze(ratings(listening_test()), alpha=1.01 * p)[0].comparisons[0].reject
    assert not analyze(ratings(listening_test()), alpha=0.99 * p)[0].comparisons[0].reject


def test_listeners_on_scales_of_their_own_differ_within_but_not_between():
    """Each puts one method above the other, all on another height: only blocks show it."""
    table = [
        (f"P{who}", "A", method, 10 * who + (method == "good"))
        for who in range(8)
        for method in ("good", "mono")
    ]
    assert analyze(ratings(table))[0].omnibus.p > 0.5
    within = analyze(ratings(table), repeated_measures=True)[0].omnibus
    assert (within.test, within.n, within.effect_sizes["kendalls_w"]) == ("Friedman", 8, 1.0)
    assert within.p == pytest.approx(scipy.stats.chi2.sf(8, 1))


def test_incomplete_blocks_are_left_out_and_counted():
    table = [row for row in listening_test() if row[:3] != ("P3", "B", "mono")]
    overall = analyze(ratings(table), repeated_measures=True)[0]
    assert (overall.omnibus.n, overall.blocks_left_out) == (35, 1)
    complete = [row for row in table if row[:2] != ("P3", "B")]
    expected = analyze(ratings(complete), repeated_measures=True)[0]
    assert overall.omnibus == expected.omnibus
    assert overall.comparisons == expected.comparisons


def test_blanks_are_not_counted():
    table = [(*row, np.nan if row[0] == "P0" else row[3]) for row in listening_test()]
    both = analyze(ratings(table, ("rating", "reverb")))
    reverb = [found for found in both if found.aspect == "reverb"]
    rest = [row for row in listening_test() if row[0] != "P0"]
    assert reverb[0].omnibus == analyze(ratings(rest))[0].omnibus
    assert [row.n for row in reverb[0].descriptions] == [33, 33, 33]


def test_a_passage_that_decides_nothing_says_why_and_the_others_stay():
    table = [
        *listening_test(),
        *((f"P{who}", "D", method, 3) for who in range(4) for method in ("good", "mono")),
        *((f"P{who}", "E", "good", who) for who in range(4)),
    ]
    found = {row.passage: row for row in analyze(ratings(table))}
    assert found["D"].omnibus is None
    assert found["D"].undefined == "all ratings are equal"
    assert found["E"].undefined == "fewer than two methods were rated"
    assert found["E"].comparisons == ()
    assert found["A"].omnibus is not None


def test_one_method_is_nothing_to_compare():
    with pytest.raises(InputError, match="only|no other method"):
        analyze(ratings([("P1", "A", "mono", 1), ("P2", "A", "mono", 2)]))


def test_a_description_is_that_of_scipy():
    values = np.array([3.0, 5, 4, 4, 1, 2, 5, 5])
    row = describe("x", values)
    interval = scipy.stats.t.interval(0.95, 7, values.mean(), scipy.stats.sem(values))
    assert (row.mean_low, row.mean_high) == pytest.approx(interval)
    assert (row.n, row.median, row.mean) == (8, 4.0, 3.625)
    assert row.third_quartile - row.first_quartile == pytest.approx(scipy.stats.iqr(values))
    assert row.standard_deviation == pytest.approx(scipy.stats.tstd(values))


def test_one_rating_has_no_spread():
    row = describe("x", np.array([3.0]))
    assert (row.standard_deviation, row.mean_low, row.mean_high) == (None, None, None)
    assert (row.first_quartile, row.median, row.third_quartile) == (3.0, 3.0, 3.0)


def test_shares_of_answers():
    shares = count_shares(np.array([1.0, 1, 2, 3, 3, 3, 5, 5, 5, 5]))
    assert shares.tolist() == [20.0, 10.0, 30.0, 0.0, 40.0]
    assert measure_reach(shares) == 55.0  # half of "fair" and all above
    assert count_shares(np.zeros(0)).tolist() == [0.0] * 5
