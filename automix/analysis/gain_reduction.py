"""How far a compressor, gate or limiter turns a signal down while the signal sounds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.units import power_to_db

Vector = NDArray[np.float64]

_HOP_S = 0.01
_SILENT_DBFS = -70.0
_QUIET_BELOW_MEAN_DB = -10.0

_LOWEST_DB, _HIGHEST_DB = -100, 30  # levels are counted by whole dB, what is beyond by the ends
_STEPS_PER_DB = 10
_DEEPEST_DB = 60
_FLOOR_GAIN = 1e-5  # −100 dB, what a gain of 0 counts as


@dataclass(frozen=True, kw_only=True, eq=False)
class GainReduction:
    """How far a signal was turned down, in dB, 0 and above.

    Attributes:
        median_db: Half of the time that the signal sounds the reduction is at most this; NaN for a
            signal that never sounds.
        high_db: The same for 95 % of that time.
        deepest_db: The largest reduction of any frame, whether the signal sounds or not.
        curve_db: Largest reduction in each of equal parts of the signal, in order.
    """

    median_db: float
    high_db: float
    deepest_db: float
    curve_db: Vector


class GainReductionMeter:
    """Measures the gain of a processor on a signal that arrives in blocks of any size.

    Reductions are averaged over hops of 10 ms, in dB. A signal sounds in the hops that are louder
    than −70 dBFS and not more than 10 dB below the mean power of such hops, the gates of ITU-R
    BS.1770. Memory does not grow with the length of the signal.

    Args:
        sample_rate: Frames per second.
        frames: Length of the signal, over which the parts of the curve are spread.
        columns: Number of these parts.
        resting_gain_db: Gain that the processor has while it reduces nothing.
    """

    def __init__(
        self, sample_rate: int, frames: int, columns: int, resting_gain_db: float = 0.0
    ) -> None:
        self._hop = max(1, round(_HOP_S * sample_rate))
        self._hops = max(1, -(-frames // self._hop))
        self._resting_db = resting_gain_db
        levels, steps = _HIGHEST_DB - _LOWEST_DB + 1, _STEPS_PER_DB * _DEEPEST_DB + 1
        self._counts = np.zeros((levels, steps), np.int32)
        self._curve = np.zeros(min(columns, self._hops))
        self._deepest = 0.0
        self._position = 0  # in hops
        self._pending = np.zeros((2, 0))

    def add(self, block: NDArray[np.floating], gain: Vector | float) -> None:
        """Takes the next block.

        Args:
            block: What enters the processor, ``(channels, n)``.
            gain: Its linear gain of each frame ``(n,)``, or one number if it is constant.
        """
        powers = np.mean(np.square(block, dtype=np.float64), axis=0)
        gains_db = 20.0 * np.log10(np.maximum(gain, _FLOOR_GAIN))
        reductions = np.broadcast_to(np.maximum(self._resting_db - gains_db, 0.0), powers.shape)
        self._deepest = max(self._deepest, float(reductions.max(initial=0.0)))
        joined = np.concatenate([self._pending, [powers, reductions]], axis=1)
        whole = joined.shape[1] // self._hop * self._hop
        self._pending = joined[:, whole:]
        if whole:
            self._add_hops(joined[:, :whole].reshape(2, -1, self._hop).mean(axis=2))

    def result(self) -> GainReduction:
        """Returns what was measured so far; the rest of a hop at the end counts as a hop."""
        if self._pending.shape[1]:
            self._add_hops(self._pending.mean(axis=1, keepdims=True))
            self._pending = self._pending[:, :0]
        levels_db = np.arange(_LOWEST_DB, _HIGHEST_DB + 1)
        heard = levels_db > _SILENT_DBFS
        counts = self._counts.sum(axis=1) * heard
        if counts.any():
            mean = float(10.0 ** (levels_db / 10.0) @ counts) / float(counts.sum())
            heard &= levels_db >= power_to_db(mean) + _QUIET_BELOW_MEAN_DB
        shares = np.cumsum(self._counts[heard].sum(axis=0))
        return GainReduction(
            median_db=_find_quantile(shares, 0.5),
            high_db=_find_quantile(shares, 0.95),
            deepest_db=self._deepest,
            curve_db=self._curve.copy(),
        )

    def _add_hops(self, hops: Vector) -> None:
        """Counts hops ``(2, n)``, their powers and reductions."""
        powers, reductions = hops
        lowest = 10.0 ** (_LOWEST_DB / 10.0)
        levels = np.rint(10.0 * np.log10(np.maximum(powers, lowest))).astype(np.int64)
        rows = np.minimum(levels, _HIGHEST_DB) - _LOWEST_DB
        steps = np.rint(reductions * _STEPS_PER_DB).astype(np.int64)
        np.add.at(self._counts, (rows, np.minimum(steps, self._counts.shape[1] - 1)), 1)
        numbers = self._position + np.arange(len(powers))
        columns = np.minimum(numbers * len(self._curve) // self._hops, len(self._curve) - 1)
        np.maximum.at(self._curve, columns, reductions)
        self._position += len(powers)


def _find_quantile(shares: NDArray[np.int64], share: float) -> float:
    """Finds the reduction that a share of the hops does not exceed; NaN where there are none."""
    if shares[-1] == 0:
        return float("nan")
    return float(np.searchsorted(shares, share * shares[-1])) / _STEPS_PER_DB
