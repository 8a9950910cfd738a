"""Pan laws (Steinmetz 2020, eqs. 4.3–4.4, corrected so that a larger value is further right)."""

import math

from automix.plan.model import PanLaw


def pan_gains(pan: float, law: PanLaw) -> tuple[float, float]:
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
    power = (math.sin((1.0 - pan) * math.pi / 2), math.sin(pan * math.pi / 2))
    if law == "constant-power":
        return power
    return math.sqrt(linear[0] * power[0]), math.sqrt(linear[1] * power[1])


def balance_gains(pan: float, law: PanLaw) -> tuple[float, float]:
    """Gains of the two channels of a stereo track: unity in the center.

    The side that is turned away from follows the pan law, the other one stays.
    """
    center = pan_gains(0.5, law)[0]
    left, right = pan_gains(pan, law)
    return min(left / center, 1.0), min(right / center, 1.0)
