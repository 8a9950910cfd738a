"""Adjusts the p-values of several tests, so that their number does not make the discovery.

The names are those of statsmodels and scikit-posthocs, with which the tests compare. Of these
adjustments SciPy has the two of false discovery rates alone, and statsmodels, which has all, would
bring pandas; each is a line or two.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def adjust_p_values(p: Values, adjustment: str) -> Values:
    """Adjusts the p-values of a family of tests.

    Args:
        p: P-values ``(tests,)``, not NaN.
        adjustment: Name of the adjustment, a key of `ADJUSTMENTS`.

    Returns:
        Adjusted p-values ``(tests,)``, 0 … 1, in the order of ``p``.
    """
    order = np.argsort(p, kind="stable")
    result = np.empty_like(p)
    result[order] = np.minimum(ADJUSTMENTS[adjustment](p[order]), 1.0)
    return result


def _none(p: Values) -> Values:
    return p


def _bonferroni(p: Values) -> Values:
    return p * p.size


def _sidak(p: Values) -> Values:
    """Adjusts by Šidák 1967."""
    return _one_of(p, np.full(p.size, p.size))


def _holm(p: Values) -> Values:
    """Adjusts by Holm 1979: Bonferroni, step down."""
    return np.maximum.accumulate(p * np.arange(p.size, 0, -1))


def _holm_sidak(p: Values) -> Values:
    return np.maximum.accumulate(_one_of(p, np.arange(p.size, 0, -1)))


def _simes_hochberg(p: Values) -> Values:
    """Adjusts by Hochberg 1988: step up."""
    return _least_from_above(p * np.arange(p.size, 0, -1))


def _hommel(p: Values) -> Values:
    """Adjusts by Hommel 1988, with the algorithm of Wright 1992."""
    result = p.copy()
    for size in range(p.size, 1, -1):
        least = np.min(size * p[-size:] / np.arange(1, size + 1))
        result[-size:] = np.maximum(result[-size:], least)
        others = result[:-size]
        result[:-size] = np.maximum(others, np.minimum(least, size * p[:-size]))
    return result


def _benjamini_hochberg(p: Values) -> Values:
    """Adjusts by Benjamini & Hochberg 1995: false discovery rate of independent tests."""
    return _least_from_above(p * p.size / np.arange(1, p.size + 1))


def _benjamini_yekutieli(p: Values) -> Values:
    """Adjusts by Benjamini & Yekutieli 2001: false discovery rate, whatever the dependence."""
    return _benjamini_hochberg(p) * np.sum(1 / np.arange(1, p.size + 1))


def _one_of(p: Values, tests: NDArray[np.int_]) -> Values:
    """Computes the probability that one of so many independent tests comes out below p."""
    with np.errstate(divide="ignore"):  # log(1 - 1) is −inf, and the result 1
        return -np.expm1(tests * np.log1p(-p))


def _least_from_above(p: Values) -> Values:
    return np.minimum.accumulate(p[::-1])[::-1]


ADJUSTMENTS: dict[str, Callable[[Values], Values]] = {
    "none": _none,
    "bonferroni": _bonferroni,
    "sidak": _sidak,
    "holm": _holm,
    "holm-sidak": _holm_sidak,
    "simes-hochberg": _simes_hochberg,
    "hommel": _hommel,
    "fdr_bh": _benjamini_hochberg,
    "fdr_by": _benjamini_yekutieli,
}
"""Functions that adjust p-values in ascending order, by name; results above 1 are cut
afterwards."""
