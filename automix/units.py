"""Conversions between the units in which parameters are written and those of the arithmetic."""

import math


def db_to_gain(level_db: float) -> float:
    """Linear amplitude factor of a level in dB; −inf gives 0."""
    return float(10.0 ** (level_db / 20.0))


def gain_to_db(gain: float) -> float:
    """Level in dB of a linear amplitude factor (its magnitude); 0 gives −inf."""
    return 20.0 * math.log10(abs(gain)) if gain else -math.inf


def power_to_db(power: float) -> float:
    """Level in dB of a power (mean square); 0 gives −inf."""
    return 10.0 * math.log10(power) if power > 0 else -math.inf


def db_to_power(level_db: float) -> float:
    """Power (mean square) of a level in dB."""
    return float(10.0 ** (level_db / 10.0))


def seconds_to_samples(seconds: float, sample_rate: int) -> int:
    """Nearest whole number of samples."""
    return round(seconds * sample_rate)


def ms_to_samples(milliseconds: float, sample_rate: int) -> int:
    """Nearest whole number of samples."""
    return round(milliseconds * sample_rate / 1000.0)


def format_clock(seconds: float) -> str:
    """A time in whole minutes and seconds, rounded down, such as ``1:05``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
