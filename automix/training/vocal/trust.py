"""Trials of how far a vocal network can be trusted on voices unlike those it learned from.

Its errors on new songs of a kind that it knows say little of a song of another kind. So a kind of
songs is left out, and a network that learned from the others is tried on it. Each output is trusted
as far as makes the absolute error least: the preshrunk predictor of Copas 1983, "Regression,
Prediction and Shrinkage", fitted on predictions for songs that were left out, as in Breiman 1996,
"Stacked Regressions".
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def group_songs(sets: Sequence[int]) -> list[list[int]]:
    """Numbers of the songs that each trial leaves out, by the numbers of their data sets.

    A data set at a time, but none that holds more than half of the songs: without it, a network
    would know much less than the one that is trained on all. Where there is one data set, every
    other song.
    """
    kinds = sorted(set(sets))
    if len(kinds) == 1:
        return [list(range(start, len(sets), 2)) for start in (0, 1)]
    groups = [[n for n, own in enumerate(sets) if own == kind] for kind in kinds]
    return [group for group in groups if 2 * len(group) <= len(sets)]


def least_error_shares(departures: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """The shares t in 0…1 ``(outputs,)`` with the least Σ weight · |t · departure − wanted|.

    Without the limits, t is a median of the ratios wanted / departure, weighted by weight ·
    |departure|; since the sum is convex in t, the best within the limits is nearest to it.

    Args:
        departures: Predictions minus the constant ``(examples, outputs)``.
        wanted: Right values minus the constant, in the same shape.
        weights: Weights of the examples, in the same shape.
    """
    size = departures.abs().clamp_min(1e-9)
    ratios = torch.where(departures < 0, -wanted, wanted) / size
    order = ratios.argsort(0)
    total = (weights * size).gather(0, order).cumsum(0)
    median = (total >= 0.5 * total[-1:]).int().argmax(0, keepdim=True)
    return ratios.gather(0, order).gather(0, median)[0].clamp(0.0, 1.0)
