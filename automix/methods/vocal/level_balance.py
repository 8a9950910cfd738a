"""Levels from measured loudness: solved on energies, so that nothing is rendered twice."""

import math

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import combine_energies, integrated_lufs
from automix.units import db_to_gain, db_to_power

_ROUNDS = 50
_ACCURACY_LU = 1e-4


def vocal_gains(
    matrix: NDArray[np.float64], relative_lu: float, return_below_mix_lu: float | None
) -> tuple[float, float]:
    """Gains that bring a vocal to its level against the backing, and its reverb under the mix.

    Args:
        matrix: Cross energies ``(hops, 3, 3)`` of dry vocal, reverb return and backing.
        relative_lu: Wanted loudness of vocal and return together, minus that of the backing.
        return_below_mix_lu: Wanted loudness of the mix minus that of the return; without it the
            return is left out.

    Returns:
        Linear gain of vocal and return together, and of the return relative to the vocal.

    Raises:
        ValueError: Vocal or backing have no integrated loudness (silence, or under 0.4 s).
    """
    backing_lufs = lufs(matrix, (0.0, 0.0, 1.0))
    if not (math.isfinite(backing_lufs) and math.isfinite(lufs(matrix, (1.0, 0.0, 0.0)))):
        raise ValueError("no loudness to balance")
    vocal = db_to_gain(backing_lufs + relative_lu - lufs(matrix, (1.0, 0.0, 0.0)))
    wet = 0.0
    if return_below_mix_lu is not None and math.isfinite(lufs(matrix, (0.0, vocal, 0.0))):
        wet = 1.0
    # By iteration, because the meter's absolute gate makes loudness follow gain not quite exactly,
    # and because the return counts towards the vocal and the mix.
    for _ in range(_ROUNDS):
        vocal_db = backing_lufs + relative_lu - lufs(matrix, (vocal, vocal * wet, 0.0))
        vocal *= db_to_gain(vocal_db)
        wet_db = 0.0
        if return_below_mix_lu is not None and wet > 0.0:
            mix_lufs = lufs(matrix, (vocal, vocal * wet, 1.0))
            wet_db = mix_lufs - return_below_mix_lu - lufs(matrix, (0.0, vocal * wet, 0.0))
            wet *= db_to_gain(wet_db)
        if max(abs(vocal_db), abs(wet_db)) < _ACCURACY_LU:
            break
    return vocal, wet


def gain_db_to_reach(energies: NDArray[np.float64], target_lufs: float) -> float:
    """Gain in dB that brings a track to a loudness.

    By iteration, because the meter's absolute gate makes loudness follow gain not quite exactly.

    Args:
        energies: K-weighted mean squares per 100 ms, see `LoudnessMeter`.
        target_lufs: Integrated loudness to reach.

    Raises:
        ValueError: The track has no integrated loudness.
    """
    gain_db = 0.0
    for _ in range(_ROUNDS):
        measured = integrated_lufs(energies * db_to_power(gain_db))
        if not math.isfinite(measured):
            raise ValueError("no loudness to set")
        gain_db += target_lufs - measured
        if abs(target_lufs - measured) < _ACCURACY_LU:
            break
    return gain_db


def lufs(matrix: NDArray[np.float64], gains: tuple[float, ...]) -> float:
    """Integrated loudness of a weighted sum of the signals behind cross energies."""
    return integrated_lufs(combine_energies(matrix, np.array(gains)))
