"""What lies around each hop of a series, and the runs of hops that are marked."""

import numpy as np
from numpy.typing import NDArray

from automix.methods.rides.hearing import FINE_HOPS_PER_SECOND

Series = NDArray[np.float64]


def count_hops(seconds: float) -> int:
    """How many hops of 20 ms make a time."""
    return round(seconds * FINE_HOPS_PER_SECOND)


def mean_around(values: Series, width: int) -> Series:
    """Means of ``width`` values around each; the ends count on beyond themselves."""
    means: Series = _windows(values, width).mean(axis=1)
    return means


def max_around(values: Series, width: int) -> Series:
    """The largest of ``width`` values around each."""
    largest: Series = _windows(values, width).max(axis=1)
    return largest


def _windows(values: Series, width: int) -> Series:
    before = (width - 1) // 2
    padded = np.pad(values, (before, width - 1 - before), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, width)


def find_runs(marks: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and stop of each run of marked hops."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
