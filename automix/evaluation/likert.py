"""Counts answers on a five-point scale, as shares."""

import numpy as np
from numpy.typing import NDArray

from automix.errors import UsageError
from automix.evaluation.ratings import Ratings
from automix.files.names import printable

Values = NDArray[np.float64]

ANSWERS = ("very poor", "poor", "fair", "good", "very good")
"""Words for the ratings 1 to 5 (Li & Lerch 2022, section IV-C)."""


def check_likert(ratings: Ratings) -> None:
    """Makes sure that all ratings are whole numbers 1 to 5.

    Raises:
        UsageError: A rating is another number.
    """
    for aspect, values in ratings.aspects.items():
        given = values[~np.isnan(values)]
        if (wrong := given[~np.isin(given, (1, 2, 3, 4, 5))]).size:
            raise UsageError(
                f"--likert needs ratings of 1, 2, 3, 4 or 5, but {printable(aspect)} has"
                f" {wrong[0]:g};"
                " choose columns with --aspect"
            )


def count_shares(ratings: Values) -> Values:
    """Counts each answer 1 to 5 among the ratings ``(n,)``, in percent; 0 if there are none."""
    counts = np.array([np.count_nonzero(ratings == answer) for answer in range(1, 6)])
    return 100.0 * counts / max(ratings.size, 1)


def measure_reach(shares: Values) -> float:
    """Measures in percent how far a bar reaches on its longer side, "fair" around the middle."""
    return float(shares[2] / 2 + max(shares[0] + shares[1], shares[3] + shares[4]))
