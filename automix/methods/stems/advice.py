"""How far a controller departs from the rules, and what that does to a setting.

The rules apply the functions here to numbers while they write a plan; training applies the same
functions to tensors, so that the gradient of a mix reaches the network through what the plan will
say. ``Values`` is a number or a tensor.
"""

import math
from dataclasses import dataclass
from typing import Any

from automix.methods.stems.dynamics import HIGHEST_RATIO
from automix.methods.stems.filters import LARGEST_CUT_DB

Values = Any

WIDEST = 0.45
"""Largest distance from the center that advice can lead to: no track is panned hard."""

MOST_PROCESSING = 2.0
"""Largest factor that advice on processing can be."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """Advice for one track; the default changes nothing.

    Attributes:
        level_lu: Loudness in LU that is added to that of the rules.
        width: Factor on the distance of the pan position from the center.
        processing: Factor on how much is processed: depth of cuts, compression, reverb.
        source: Who gives the advice, for the reasons in the plan.
    """

    level_lu: float = 0.0
    width: float = 1.0
    processing: float = 1.0
    source: str = ""


def scale_pan(pan: Values, width: Values) -> Values:
    """Pan positions 0…1 with their distance from the center multiplied, at most to `WIDEST`."""
    return 0.5 + _clip((pan - 0.5) * width, -WIDEST, WIDEST)


def limit_processing(processing: Values) -> Values:
    """Factors on the processing, none above `MOST_PROCESSING`."""
    return _clip(processing, None, MOST_PROCESSING)


def scale_cut_db(gain_db: Values, amount: Values) -> Values:
    """Gains of equalizer cuts in dB, multiplied, at most `LARGEST_CUT_DB` deep."""
    return _clip(gain_db * amount, -LARGEST_CUT_DB, None)


def scale_ratio(ratio: Values, amount: Values) -> Values:
    """Compressor ratios whose part above 1 is multiplied, none above `HIGHEST_RATIO`."""
    return _clip(1.0 + (ratio - 1.0) * amount, None, HIGHEST_RATIO)


def scale_send_db(send_db: Values, amount: Values) -> Values:
    """Levels of sends in dB with their gain multiplied by an amount above 0."""
    logarithm = math.log10(amount) if isinstance(amount, float) else amount.log10()
    return send_db + 20.0 * logarithm


def _clip(values: Values, low: float | None, high: float | None) -> Values:
    """Values within limits, of which one may be missing."""
    if not isinstance(values, float):
        return values.clip(low, high)
    if low is not None:
        values = max(values, low)
    return values if high is None else min(values, high)
