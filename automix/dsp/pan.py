"""Pan laws (Steinmetz 2020, eqs. 4.3–4.4, corrected so that a larger value is further right)."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from automix.plan.model import PanLaw

Pan = TypeVar("Pan", float, NDArray[np.float64])
"""One position, or that of each frame ``(n,)``."""


def pan_gains(pan: Pan, law: PanLaw) -> tuple[Pan, Pan]:
    """Gains of a mono track to the left and the right side.

    Args:
        pan: 0 left, 0.5 center, 1 right.
        law: ``linear`` (−6 dB in the center), ``constant-power`` (−3 dB), or ``compromise``
            (−4.5 dB, their geometric mean).
    """
    linear = (1.0 - pan, pan)
    if law == "linear":
        return linear
    # sin of the other side's angle instead of cos: exactly 0 at the ends, equal in the center
    power = (_sine((1.0 - pan) * math.pi / 2), _sine(pan * math.pi / 2))
    if law == "constant-power":
        return power
    return _root(linear[0] * power[0]), _root(linear[1] * power[1])


def _sine(angle: Pan) -> Pan:
    return math.sin(angle) if isinstance(angle, float) else np.sin(angle)


def _root(square: Pan) -> Pan:
    return math.sqrt(square) if isinstance(square, float) else np.sqrt(square)


def balance_gains(pan: Pan, law: PanLaw) -> tuple[Pan, Pan]:
    """Gains of the two channels of a stereo track: unity in the center.

    The side that is turned away from follows the pan law, the other one stays.
    """
    center = pan_gains(0.5, law)[0]
    left, right = pan_gains(pan, law)
    if isinstance(pan, float):
        return min(left / center, 1.0), min(right / center, 1.0)
    return np.minimum(left / center, 1.0), np.minimum(right / center, 1.0)
