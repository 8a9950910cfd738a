"""Measures in one pass all that a loudness meter shows at the end of a program."""

import numpy as np

from automix.analysis.loudness import (
    LoudnessMeter,
    integrated_lufs,
    loudness_range_lu,
    momentary_lufs,
    short_term_lufs,
)
from automix.analysis.readings import Loudness
from automix.analysis.true_peak import TruePeakMeter
from automix.audio.samples import AudioSource, Samples
from automix.units import gain_to_db


class ProgramMeter:
    """Measures loudness, loudness range and peaks of audio that arrives in blocks of any size.

    Args:
        sample_rate: Frames per second.
        channels: Number of channels.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._loudness = LoudnessMeter(sample_rate, channels)
        self._peaks = TruePeakMeter(sample_rate, channels)

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, n)``."""
        self._loudness.add(block)
        self._peaks.add(block)

    def result(self) -> Loudness:
        """Returns the readings of all audio that was added so far."""
        energies = self._loudness.energies
        return Loudness(
            integrated_lufs=integrated_lufs(energies),
            loudness_range_lu=loudness_range_lu(energies),
            max_momentary_lufs=float(momentary_lufs(energies).max(initial=-np.inf)),
            max_short_term_lufs=float(short_term_lufs(energies).max(initial=-np.inf)),
            true_peak_dbtp=self._peaks.peak_dbtp,
            sample_peak_db=gain_to_db(self._peaks.sample_peak),
        )


def measure(source: AudioSource) -> Loudness:
    """Measures a whole source in one pass.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    meter = ProgramMeter(source.sample_rate, source.channels)
    for block in source.blocks():
        meter.add(block)
    return meter.result()
