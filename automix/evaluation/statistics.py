"""Tests by ranks whether the ratings of several methods differ.

Kruskal–Wallis with Conover's comparisons is what Steinmetz 2020 (section 5.6.2, tables 14–16) used;
it takes all ratings as independent. Friedman's test compares within each listener and passage.

SciPy gives the ranks and the distributions; the tests compare the rest with it, with
scikit-posthocs and with published numbers. The sums are written out here for three reasons. SciPy
has neither of Conover's comparisons, and scikit-posthocs, which has, would bring pandas,
statsmodels and seaborn. SciPy's `friedmanchisquare` refuses two methods. Its `kruskal` takes H as
the difference of two large numbers, which for ratings that leave no doubt may exceed n − 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from automix.evaluation.p_adjustment import adjust_p_values

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Omnibus:
    """A test of the hypothesis that all methods are rated alike.

    Attributes:
        test: Name of the test, ``"Kruskal–Wallis"`` or ``"Friedman"``.
        statistic: H or χ², corrected for ties; distributed as χ².
        degrees_of_freedom: Degrees of freedom of that χ² distribution.
        p: Probability of such a statistic or a larger one if all methods are alike.
        n: Number of ratings; of Friedman's test, of complete blocks.
        effect_sizes: Effect sizes by name. Kruskal–Wallis: ``epsilon_squared`` H / (n − 1), 0 to 1,
            and
            ``eta_squared_h`` (H − k + 1) / (n − k) (Tomczak & Tomczak 2014). Friedman:
            ``kendalls_w`` χ² / (n (k − 1)), 0 to 1.
    """

    test: str
    statistic: float
    degrees_of_freedom: int
    p: float
    n: int
    effect_sizes: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class PairComparison:
    """Two methods against each other, one row of the thesis' tables.

    Attributes:
        group_1: Name of a method.
        group_2: Name of another method.
        mean_difference: Mean rating of the first minus that of the second.
        t: Conover's statistic; infinite where the ranks leave no doubt.
        p: Two-sided p-value, not adjusted.
        p_adjusted: The p-value adjusted for the number of pairs.
        reject: Whether the adjusted p is below α.
    """

    group_1: str
    group_2: str
    mean_difference: float
    t: float
    p: float
    p_adjusted: float
    reject: bool


class Undefined(Exception):
    """A test has no result for these ratings; the message says why."""


def kruskal_wallis(groups: Sequence[Values]) -> Omnibus:
    """Tests independent ratings by Kruskal and Wallis' H, corrected for ties (1952).

    Args:
        groups: Ratings ``(n,)`` of each method.

    Raises:
        Undefined: There are fewer than two methods, all ratings are equal, or there are no more
            ratings than methods.
    """
    from scipy.special import chdtrc

    _check_groups(groups)
    ranks, variance = _rank(groups)
    n, count = sum(map(len, ranks)), len(groups)
    middle = (n + 1) / 2
    spread = math.fsum(rank.size * (float(np.mean(rank)) - middle) ** 2 for rank in ranks)
    h = min(spread / variance, n - 1.0)  # rounding must not lift it over what it can reach
    return Omnibus(
        test="Kruskal–Wallis",
        statistic=h,
        degrees_of_freedom=count - 1,
        p=float(chdtrc(count - 1, h)),
        n=n,
        effect_sizes={
            "epsilon_squared": h / (n - 1),
            "eta_squared_h": (h - count + 1) / (n - count),
        },
    )


def conover(
    names: Sequence[str], groups: Sequence[Values], *, adjustment: str = "holm", alpha: float = 0.05
) -> tuple[PairComparison, ...]:
    """Compares all pairs of methods by Conover's test (Conover & Iman 1979), after Kruskal–Wallis.

    Args:
        names: Names of the methods.
        groups: Ratings ``(n,)`` of each method.
        adjustment: Adjustment of the p-values, one of `p_adjustment.ADJUSTMENTS`.
        alpha: Level of significance.

    Raises:
        Undefined: There are fewer than two methods, all ratings are equal, or there are no more
            ratings than methods.
    """
    _check_groups(groups)
    ranks, _ = _rank(groups)
    sizes = [rank.size for rank in ranks]
    freedom = sum(sizes) - len(groups)
    # S² (n - 1 - H) / (n - k) in the notation of the source; written so, nought is exactly nought.
    scale = sum(float(np.sum((rank - np.mean(rank)) ** 2)) for rank in ranks) / freedom
    pairs = list(combinations(range(len(groups)), 2))
    sums = [float(np.sum(rank)) for rank in ranks]
    t = [
        _divide(
            (sums[i] * sizes[j] - sums[j] * sizes[i]) / (sizes[i] * sizes[j]),
            math.sqrt(scale * (1 / sizes[i] + 1 / sizes[j])),
        )
        for i, j in pairs
    ]
    means = [float(np.mean(group)) for group in groups]
    return _compare_pairs(names, means, pairs, t, freedom, adjustment, alpha)


def friedman(blocks: Values) -> Omnibus:
    """Tests ratings in blocks by Friedman's χ², corrected for ties (Conover 1999, section 5.8).

    Args:
        blocks: Ratings ``(blocks, methods)``; a block is one listener at one passage.

    Raises:
        Undefined: There are fewer than two methods or blocks, or all ratings within each block are
            equal.
    """
    from scipy.special import chdtrc

    sums, squares = _rank_within(blocks)
    n, count = blocks.shape
    middle = n * (count + 1) / 2
    chi_squared = (
        (count - 1)
        * float(np.sum((sums - middle) ** 2))
        / (squares - middle * (count + 1) / 2 * count)
    )
    chi_squared = min(chi_squared, n * (count - 1.0))
    return Omnibus(
        test="Friedman",
        statistic=chi_squared,
        degrees_of_freedom=count - 1,
        p=float(chdtrc(count - 1, chi_squared)),
        n=n,
        effect_sizes={"kendalls_w": chi_squared / (n * (count - 1))},
    )


def conover_friedman(
    names: Sequence[str], blocks: Values, *, adjustment: str = "holm", alpha: float = 0.05
) -> tuple[PairComparison, ...]:
    """Compares all pairs of methods by Conover's test for blocks (Conover 1999, section 5.8).

    Args:
        names: Names of the methods.
        blocks: Ratings ``(blocks, methods)``.
        adjustment: Adjustment of the p-values, one of `p_adjustment.ADJUSTMENTS`.
        alpha: Level of significance.

    Raises:
        Undefined: There are fewer than two methods or blocks, or all ratings within each block are
            equal.
    """
    sums, squares = _rank_within(blocks)
    n, count = blocks.shape
    freedom = (n - 1) * (count - 1)
    scale = 2 * max(n * squares - float(np.sum(sums**2)), 0.0) / freedom
    pairs = list(combinations(range(count), 2))
    t = [_divide(float(sums[i] - sums[j]), math.sqrt(scale)) for i, j in pairs]
    means = [float(mean) for mean in np.mean(blocks, axis=0)]
    return _compare_pairs(names, means, pairs, t, freedom, adjustment, alpha)


def _check_groups(groups: Sequence[Values]) -> None:
    everything = np.concatenate(groups) if groups else np.zeros(0)
    if len(groups) < 2:
        raise Undefined("fewer than two methods were rated")
    if np.all(everything == everything[0]):
        raise Undefined("all ratings are equal")
    if everything.size <= len(groups):
        raise Undefined("there are no more ratings than methods")


def _rank(groups: Sequence[Values]) -> tuple[list[Values], float]:
    """Ranks all ratings among each other; returns the ranks by group, and their variance."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate(groups))
    variance = float(np.sum((ranks - (ranks.size + 1) / 2) ** 2)) / (ranks.size - 1)
    return np.split(ranks, np.cumsum([group.size for group in groups])[:-1]), variance


def _rank_within(blocks: Values) -> tuple[Values, float]:
    """Ranks within each block; returns the sums by method, and the sum of all squared ranks."""
    from scipy.stats import rankdata

    n, count = blocks.shape
    if count < 2:
        raise Undefined("fewer than two methods were rated")
    if n < 2:
        raise Undefined("fewer than two listeners rated all methods")
    if np.all(blocks == blocks[:, :1]):
        raise Undefined("every listener rated all methods alike")
    ranks = rankdata(blocks, axis=1)
    return ranks.sum(axis=0), float(np.sum(ranks**2))


def _divide(difference: float, deviation: float) -> float:
    if deviation == 0.0:
        return math.copysign(math.inf, difference) if difference else 0.0
    return difference / deviation


def _compare_pairs(
    names: Sequence[str],
    means: Sequence[float],
    pairs: Sequence[tuple[int, int]],
    t: Sequence[float],
    freedom: int,
    adjustment: str,
    alpha: float,
) -> tuple[PairComparison, ...]:
    from scipy.special import stdtr

    p = 2 * stdtr(freedom, -np.abs(np.array(t)))
    p_adjusted = adjust_p_values(p, adjustment)
    return tuple(
        PairComparison(
            group_1=names[i],
            group_2=names[j],
            mean_difference=means[i] - means[j],
            t=t[index],
            p=float(p[index]),
            p_adjusted=float(p_adjusted[index]),
            reject=bool(p_adjusted[index] < alpha),
        )
        for index, (i, j) in enumerate(pairs)
    )
