"""What the vocal rules measure on the inputs before they decide anything."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from automix.analysis.conditions import Conditions, ConditionScan
from automix.analysis.loudness import LoudnessMeter
from automix.analysis.octave_bands import OctaveBandMeter
from automix.analysis.tempo import Tempo, TempoEstimator
from automix.audio.blocks import fold_block
from automix.audio.samples import AudioSource
from automix.methods.vocal.settings import VocalRules
from automix.parallel.workers import Workers
from automix.session.tracks import Session
from automix.units import db_to_power

GATE_DB = -30.0
"""The vocal counts as singing in 100 ms blocks whose RMS is above this …"""
GATE_PEAK_DB = -1.0
"""… of a vocal whose peak is brought to this, so that the gate does not follow recording level."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeardVocal:
    """Measurements of one input, per 100 ms hop.

    Attributes:
        conditions: Peak, offset, clipping and the like.
        energies: K-weighted mean squares ``(hops,)``.
        bands: Mean squares per octave band ``(hops, bands)`` of the mono fold.
        weighted_bands: The same after K-weighting; `bands` itself where no rule asks for it.
        power: Mean squares of the mono fold ``(hops,)``.
        centers_hz: Of the bands.
        tempo: Of the backing; none for a vocal, or where no beat was found.
    """

    conditions: Conditions
    energies: NDArray[np.float64]
    bands: NDArray[np.float64]
    weighted_bands: NDArray[np.float64]
    power: NDArray[np.float64]
    centers_hz: tuple[float, ...]
    tempo: Tempo | None


def hear(session: Session, rules: VocalRules) -> tuple[HeardVocal, HeardVocal]:
    """Measures the vocal and the backing, in parallel."""
    vocal = session.with_role("lead vocal").source
    backing = session.with_role("backing track").source
    with Workers(3) as workers:
        tempo = workers.start(_hear_tempo, backing) if rules.tempo_bpm is None else None
        heard_vocal, heard_backing = workers.map(
            lambda source: _hear_levels(source, rules), (vocal, backing)
        )
        if tempo is not None:
            heard_backing = replace(heard_backing, tempo=tempo())
        return heard_vocal, heard_backing


def _hear_tempo(source: AudioSource) -> Tempo | None:
    estimator = TempoEstimator(source.sample_rate)
    for block in source.blocks():
        estimator.add(fold_block(block))
    return estimator.estimate()


def _hear_levels(source: AudioSource, rules: VocalRules) -> HeardVocal:
    rate = source.sample_rate
    scan = ConditionScan(rate, source.channels)
    loudness = LoudnessMeter(rate, source.channels)
    bands = OctaveBandMeter(rate)
    weighted = OctaveBandMeter(rate, k_weighted=True) if rules.rank_k_weighted else bands
    for block in source.blocks():
        mono = fold_block(block)
        scan.add(block)
        loudness.add(block)
        bands.add(mono)
        if weighted is not bands:
            weighted.add(mono)
    return HeardVocal(
        conditions=scan.result(),
        energies=loudness.energies,
        bands=bands.energies,
        weighted_bands=weighted.energies,
        power=bands.total_energies,
        centers_hz=tuple(bands.centers_hz),
        tempo=None,
    )


def singing(vocal: HeardVocal) -> NDArray[np.bool_]:
    """Marks the 100 ms hops in which the vocal sings."""
    peak = vocal.conditions.sample_peak
    if peak == 0.0:
        return np.zeros(len(vocal.power), dtype=bool)
    return vocal.power > db_to_power(GATE_DB - GATE_PEAK_DB) * peak**2
