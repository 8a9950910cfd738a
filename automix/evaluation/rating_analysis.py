"""Analyzes a listening test: figures and tests for all passages together and for each."""

import math
from dataclasses import dataclass

import numpy as np

from automix.errors import InputError
from automix.evaluation.ratings import Ratings
from automix.evaluation.statistics import (
    Omnibus,
    PairComparison,
    Undefined,
    Values,
    conover,
    conover_friedman,
    friedman,
    kruskal_wallis,
)
from automix.files.names import printable


@dataclass(frozen=True, kw_only=True)
class Description:
    """The ratings of one method in figures; quartiles interpolate linearly (Hyndman & Fan, type 7).

    Attributes:
        method: Name of the method.
        n: Number of ratings.
        median: Second quartile.
        mean: Arithmetic mean.
        standard_deviation: Standard deviation of the sample (n − 1); none for a single rating.
        first_quartile: Rating that 25 % lie below.
        third_quartile: Rating that 75 % lie below.
        mean_low: Lower end of the 95 % confidence interval of the mean (Student's t); none for a
            single rating.
        mean_high: Upper end of that interval; none for a single rating.
    """

    method: str
    n: int
    median: float
    mean: float
    standard_deviation: float | None
    first_quartile: float
    third_quartile: float
    mean_low: float | None
    mean_high: float | None


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """The analysis of one aspect, of one passage or of all.

    Attributes:
        aspect: Name of the aspect that was rated.
        passage: Name of the passage; none for all passages together.
        descriptions: Figures of each method that was rated, in natural order.
        omnibus: Result of the test of all methods; none if it is undefined.
        undefined: Reason why the test is undefined, or empty.
        comparisons: Results for pairs of methods; empty without the test.
        blocks_left_out: Number of pairs of listener and passage without a rating of each method,
            which Friedman's test leaves out.
    """

    aspect: str
    passage: str | None
    descriptions: tuple[Description, ...]
    omnibus: Omnibus | None
    undefined: str = ""
    comparisons: tuple[PairComparison, ...] = ()
    blocks_left_out: int = 0


def analyze(
    ratings: Ratings,
    *,
    repeated_measures: bool = False,
    adjustment: str = "holm",
    alpha: float = 0.05,
) -> list[Analysis]:
    """Analyzes each aspect over all passages and then by passage.

    Args:
        ratings: Ratings of at least two methods.
        repeated_measures: Whether listeners rated all methods, so that Friedman's test takes the
            place of Kruskal and Wallis'.
        adjustment: Adjustment of the p-values of the pairs, one of `p_adjustment.ADJUSTMENTS`.
        alpha: Level of significance.

    Raises:
        InputError: There is only one method.
    """
    if len(ratings.method_names) < 2:
        raise InputError(
            f"all ratings are of {printable(ratings.method_names[0])}: there is no other method to"
            " compare it with"
        )
    found = []
    for aspect in ratings.aspects:
        for passage in (None, *ratings.passage_names):
            groups = dict(
                zip(ratings.method_names, ratings.by_method(aspect, passage), strict=True)
            )
            groups = {name: group for name, group in groups.items() if group.size}
            if groups:
                blocks = _collect_blocks(ratings, aspect, passage) if repeated_measures else None
                found.append(_analyze(aspect, passage, groups, blocks, adjustment, alpha))
    return found


def describe(method: str, ratings: Values) -> Description:
    """Describes the ratings ``(n,)``, n at least 1, of a method."""
    from scipy.special import stdtrit

    n = ratings.size
    mean = float(np.mean(ratings))
    first, median, third = (float(value) for value in np.quantile(ratings, (0.25, 0.5, 0.75)))
    deviation = half = None
    if n > 1:
        deviation = float(np.std(ratings, ddof=1))
        half = float(stdtrit(n - 1, 0.975)) * deviation / math.sqrt(n)
    return Description(
        method=method,
        n=n,
        median=median,
        mean=mean,
        standard_deviation=deviation,
        first_quartile=first,
        third_quartile=third,
        mean_low=None if half is None else mean - half,
        mean_high=None if half is None else mean + half,
    )


def _collect_blocks(ratings: Ratings, aspect: str, passage: str | None) -> list[dict[str, float]]:
    """Collects the ratings by method of each participant at each passage."""
    blocks: dict[tuple[str, str], dict[str, float]] = {}
    rows = zip(ratings.participants, ratings.passages, ratings.methods, strict=True)
    for (who, where, method), value in zip(rows, ratings.aspects[aspect], strict=True):
        if where == (passage or where) and not math.isnan(value):
            blocks.setdefault((who, where), {})[method] = float(value)
    return list(blocks.values())


def _analyze(
    aspect: str,
    passage: str | None,
    groups: dict[str, Values],
    blocks: list[dict[str, float]] | None,
    adjustment: str,
    alpha: float,
) -> Analysis:
    names = list(groups)
    omnibus, undefined, left_out = None, "", 0
    comparisons: tuple[PairComparison, ...] = ()
    try:
        if blocks is None:
            values = list(groups.values())
            omnibus = kruskal_wallis(values)
            comparisons = conover(names, values, adjustment=adjustment, alpha=alpha)
        else:
            complete = [
                [block[name] for name in names] for block in blocks if len(block) == len(names)
            ]
            left_out = len(blocks) - len(complete)
            table = np.array(complete).reshape(len(complete), len(names))
            omnibus = friedman(table)
            comparisons = conover_friedman(names, table, adjustment=adjustment, alpha=alpha)
    except Undefined as reason:
        undefined = str(reason)
    return Analysis(
        aspect=aspect,
        passage=passage,
        descriptions=tuple(describe(name, group) for name, group in groups.items()),
        omnibus=omnibus,
        undefined=undefined,
        comparisons=comparisons,
        blocks_left_out=left_out,
    )
