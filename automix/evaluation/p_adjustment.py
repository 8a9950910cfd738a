"""P-values of several tests at once, adjusted so that their number does not make the discovery.

The names are those of statsmodels and scikit-posthocs.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def adjust_p_values(p: Values, adjustment: str) -> Values:
    """Adjusts the p-values of a family of tests.

    Args:
        p: P-values ``(tests,)``, not NaN.
        adjustment: A key of `ADJUSTMENTS`.
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
    """Šidák 1967."""
    return _one_of(p, np.full(p.size, p.size))


def _holm(p: Values) -> Values:
    """Holm 1979: Bonferroni, step down."""
    return np.maximum.accumulate(p * np.arange(p.size, 0, -1))


def _holm_sidak(p: Values) -> Values:
    return np.maximum.accumulate(_one_of(p, np.arange(p.size, 0, -1)))


def _simes_hochberg(p: Values) -> Values:
    """Hochberg 1988: step up."""
    return _least_from_above(p * np.arange(p.size, 0, -1))


def _hommel(p: Values) -> Values:
    """Hommel 1988, by the algorithm of Wright 1992."""
    result = p.copy()
    for size in range(p.size, 1, -1):
        least = np.min(size * p[-size:] / np.arange(1, size + 1))
        result[-size:] = np.maximum(result[-size:], least)
        others = result[:-size]
        result[:-size] = np.maximum(others, np.minimum(least, size * p[:-size]))
    return result


def _benjamini_hochberg(p: Values) -> Values:
    """Benjamini & Hochberg 1995: false discovery rate of independent tests."""
    return _least_from_above(p * p.size / np.arange(1, p.size + 1))


def _benjamini_yekutieli(p: Values) -> Values:
    """Benjamini & Yekutieli 2001: false discovery rate, whatever the dependence."""
    return _benjamini_hochberg(p) * np.sum(1 / np.arange(1, p.size + 1))


def _one_of(p: Values, tests: NDArray[np.int_]) -> Values:
    """Probability that one of so many independent tests comes out below p."""
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
"""How to adjust p-values that are in ascending order; results above 1 are cut afterwards."""
