"""What meters read, as plain numbers: importing this loads no package."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Loudness:
    """What a loudness meter reads at the end of a programme; silence reads −inf."""

    integrated_lufs: float
    loudness_range_lu: float
    max_momentary_lufs: float
    max_short_term_lufs: float
    true_peak_dbtp: float
    sample_peak_db: float
