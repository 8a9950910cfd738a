"""The K-weighting filter of loudness meters (ITU-R BS.1770-4), at any sample rate."""

import math

import numpy as np
from numpy.typing import NDArray

from automix.units import db_to_gain


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """The K-weighting filter at any rate: a shelf for the head, then the RLB high pass.

    BS.1770-4 gives coefficients at 48 kHz only. These come from the analog prototypes behind them,
    by the bilinear transform (De Man, "Evaluation of implementations of the EBU R128 loudness
    measurement", AES 145, 2018), and equal the published ones at 48 kHz. As published there, and
    in libebur128, the high pass has the numerator 1, −2, 1 at every rate: its pass band lies
    0.04 dB above 0 dB at 44.1 and 48 kHz, and 0.26 dB at 8 kHz.

    Args:
        sample_rate: Frames per second, 8000 … 192000.

    Returns:
        ``(2, 5)``: b0, b1, b2, a1, a2 of both sections.
    """
    width = math.tan(math.pi * 1681.974450955533 / sample_rate)
    q = 0.7071752369554196
    high = db_to_gain(3.999843853973347)
    middle = high**0.4996667741545416
    a = 1 + width / q + width**2
    shelf = np.array(
        [
            high + middle * width / q + width**2,
            2 * (width**2 - high),
            high - middle * width / q + width**2,
            2 * (width**2 - 1),
            1 - width / q + width**2,
        ]
    )
    width = math.tan(math.pi * 38.13547087602444 / sample_rate)
    q = 0.5003270373238773
    c = 1 + width / q + width**2
    high_pass = [1.0, -2.0, 1.0, 2 * (width**2 - 1) / c, (1 - width / q + width**2) / c]
    return np.array([shelf / a, high_pass])
