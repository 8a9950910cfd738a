"""Hears takes: everything that the checks judge is measured in one pass through the audio."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from automix.analysis.conditions import Conditions, ConditionScan
from automix.analysis.discontinuities import Click, DiscontinuityScan, Dropout
from automix.analysis.fine_powers import FinePowers
from automix.analysis.flat_tops import FlatTops, FlatTopScan
from automix.analysis.hum import Hum, HumMeter
from automix.analysis.take_edges import Edges, EdgeScan
from automix.analysis.take_spectra import NoiseFloor, TakeSpectra, Tuning
from automix.audio.blocks import fold_block
from automix.audio.samples import AudioSource, Samples
from automix.plan.roles import Role


@dataclass(frozen=True, kw_only=True, eq=False)
class HeardTake:
    """What was measured of a take; what was not measured is none, and its checks find nothing.

    Attributes:
        name: Name of the track.
        role: Role of the track.
        conditions: Peaks, offset, clipping, silence and the like.
        program_db: RMS level of what is played, in dBFS.
        sample_rate: Frames per second as the file says; 0 where the take has no file.
        duration_s: Length; 0 where it is not the take's own.
        start_s: When it begins on the time line of the song.
        bits: Sample depth of the file.
        coding: Name of the lossy code of the file, such as ``Vorbis``; empty if there is none.
        is_placed: Whether the one side that alone sounds is where the take is meant to be.
        flat_tops: Peaks that were cut off.
        clicks: Steps within the sound.
        dropouts: Holes within the sound.
        hum: Hum of the mains.
        noise: The noise that is heard in pauses.
        tuning: The reference pitch.
        cutoff_hz: Where a coder cut the treble off.
        edges: Levels at the first and at the last sample.
        fine_powers: Its power every hundredth of a second, see `FinePowers`.
        source: The audio, to hear it once more.
    """

    name: str
    role: Role
    conditions: Conditions
    program_db: float = 0.0
    sample_rate: int = 0
    duration_s: float = 0.0
    start_s: float = 0.0
    bits: str = "32f"
    coding: str = ""
    is_placed: bool = False
    flat_tops: FlatTops | None = None
    clicks: Sequence[Click] = ()
    dropouts: Sequence[Dropout] = ()
    hum: Hum | None = None
    noise: NoiseFloor | None = None
    tuning: Tuning | None = None
    cutoff_hz: float | None = None
    edges: Edges | None = None
    fine_powers: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    source: AudioSource | None = None


class TakeScan:
    """Measures everything of a take whose audio arrives in blocks of any size.

    Args:
        sample_rate: Frames per second.
        channels: 1 or 2.
        bits: Sample depth of the file: ``"16"``, ``"24"`` or ``"32f"``.
    """

    def __init__(self, sample_rate: int, channels: int, bits: str) -> None:
        self._sample_rate = sample_rate
        self._bits = bits
        self._frames = 0
        self._conditions = ConditionScan(sample_rate, channels)
        self._flat_tops = FlatTopScan(sample_rate, channels, bits)
        self._discontinuities = DiscontinuityScan(sample_rate, channels)
        self._hum = HumMeter(sample_rate)
        self._spectra = TakeSpectra(sample_rate)
        self._fine_powers = FinePowers(sample_rate)
        self._edges = EdgeScan(sample_rate, channels)

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``."""
        self._frames += block.shape[1]
        self._conditions.add(block)
        self._flat_tops.add(block)
        self._discontinuities.add(block)
        fold = fold_block(block)
        self._hum.add(fold)
        self._spectra.add(fold)
        self._fine_powers.add(block)
        self._edges.add(block)

    def result(self, name: str, role: Role, source: AudioSource, coding: str = "") -> HeardTake:
        """Returns what was measured of all audio; nothing may be added after that.

        Args:
            name: Name of the track.
            role: Role of the track.
            source: The audio.
            coding: Name of the lossy code of its file, or empty.
        """
        clicks, dropouts = self._discontinuities.result()
        return HeardTake(
            name=name,
            role=role,
            conditions=self._conditions.result(),
            program_db=self._spectra.program_db,
            sample_rate=self._sample_rate,
            duration_s=self._frames / self._sample_rate,
            bits=self._bits,
            coding=coding,
            flat_tops=self._flat_tops.result(),
            clicks=clicks,
            dropouts=dropouts,
            hum=self._hum.result(),
            noise=self._spectra.noise_floor(),
            tuning=self._spectra.tuning(),
            cutoff_hz=self._spectra.cutoff_hz(),
            edges=self._edges.result(),
            fine_powers=self._fine_powers.finish(),
            source=source,
        )
