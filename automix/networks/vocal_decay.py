"""Input of the reverb network: how far a vocal decays after it was loud.

A voice that stops falls as fast as the room lets it. So in each band, of all moments at which it is
loud, the change of level some time later is taken; of these changes, the quantiles. The lowest say
how fast the band can fall at all, which is its reverberation time; the others how much of the time
that is heard. Neither gain nor spectrum of a voice matters. Lags from a frame to 1.5 s tell an
early drop, that of the direct sound, from the decay after it.

The idea is that of blind estimation of reverberation time from the fastest falls of a signal, as in
Ratnam et al. 2003, "Blind estimation of reverberation time".
"""

import torch
from torch import Tensor

from automix.networks.vocal_cnn_description import DECAY_BANDS
from automix.networks.vocal_mel import BANDS
from automix.units import db_to_power

SHARES = (0.02, 0.05, 0.15, 0.35, 0.65)
"""Share of the changes that fall further than each quantile."""

LONGEST_LAG = 64
"""Longest lag in frames: 1.5 s."""

_LOUD_DB = -20.0
_LOUDEST = 0.98
_WIDTHS = (2.0, 6.0)  # mel bands, one standard deviation
_EDGE = 2.0


def lags(count: int) -> list[int]:
    """The lags in frames that a block of ``count`` columns holds, evenly over their logarithm."""
    steps = torch.logspace(0.0, torch.tensor(LONGEST_LAG).log10().item(), count // len(SHARES))
    return [int(step) for step in steps.round().tolist()]


def measure_decay(mel: Tensor, count: int, depth_db: float) -> Tensor:
    """Makes one block ``(1, 2, 16, count)``: the share of the power that is left after a lag.

    The columns hold all lags for the first of `SHARES`, then for the next. The bands of the first
    channel are about 4 mel bands wide, in which echoes of a large room beat; those of the second
    about 12.

    Args:
        mel: Mel powers of a vocal ``(128, frames)``, without gaps.
        count: Number of columns.
        depth_db: Floor in dB below the loudest band at its loudest; nothing below it counts.
    """
    return torch.stack(
        [_measure_falls(_smooth_bands(mel, width), count, depth_db) for width in _WIDTHS]
    )[None]


def scale_decay(block: Tensor, depth_db: float) -> Tensor:
    """Scales blocks of `measure_decay` to levels of about ±1, as the network receives them."""
    return block.clamp_min(db_to_power(-depth_db)).log10() / 2.0 + 1.0


def _smooth_bands(mel: Tensor, width: float) -> Tensor:
    """Mean powers ``(16, frames)`` around bands, Gaussian."""
    centers = torch.linspace(_EDGE, BANDS - 1 - _EDGE, DECAY_BANDS)
    weights = (-0.5 * ((centers[:, None] - torch.arange(BANDS)) / width).square()).exp()
    return (weights / weights.sum(1, keepdim=True)).to(mel.dtype) @ mel


def _measure_falls(power: Tensor, count: int, depth_db: float) -> Tensor:
    """Quantiles ``(rows, count)`` of the change after each lag, as powers; 1 where none is loud."""
    lowest = power.amax() * db_to_power(-depth_db)
    level = power.clamp_min(lowest.clamp_min(1e-20)).log()
    loud = level.sort(1).values[:, round(_LOUDEST * (level.shape[1] - 1))]
    is_loud = level > loud[:, None] + torch.tensor(db_to_power(_LOUD_DB)).log()
    is_loud &= power > lowest
    found = torch.zeros(len(power), len(SHARES), count // len(SHARES))
    for place, lag in enumerate(lags(count)):
        if lag >= level.shape[1]:
            continue
        change = torch.where(is_loud[:, :-lag], level[:, lag:] - level[:, :-lag], torch.inf)
        found[:, :, place] = _quantiles(change)
    padded = torch.zeros(len(power), count)
    padded[:, : found[0].numel()] = found.flatten(1)
    return padded.exp()


def _quantiles(change: Tensor) -> Tensor:
    """The quantiles ``(rows, shares)`` of what is finite; 0 where nothing is."""
    ordered = change.sort(1).values
    counts = change.isfinite().sum(1, keepdim=True)
    places = ((counts - 1).clamp_min(0) * torch.tensor(SHARES)).round().long()
    found = ordered.gather(1, places)
    return torch.where(found.isfinite(), found, 0.0)
