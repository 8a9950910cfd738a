"""What meters read, as plain numbers: importing this loads no package."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Loudness:
    """What a loudness meter reads at the end of a program; silence reads −inf.

    Attributes:
        integrated_lufs: Gated loudness of the whole program (ITU-R BS.1770-4).
        loudness_range_lu: Loudness range (EBU Tech 3342).
        max_momentary_lufs: Highest loudness of any 400 ms.
        max_short_term_lufs: Highest loudness of any 3 s.
        true_peak_dbtp: Highest true peak of all channels.
        sample_peak_db: Highest sample of all channels, in dBFS.
    """

    integrated_lufs: float
    loudness_range_lu: float
    max_momentary_lufs: float
    max_short_term_lufs: float
    true_peak_dbtp: float
    sample_peak_db: float
