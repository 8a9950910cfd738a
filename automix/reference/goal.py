"""The goal of a mix: the finished mixes that it is to be like, and what they are like together."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automix.analysis.features import BARK_EDGES_HZ
from automix.audio.resampling import resample
from automix.errors import InputError
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.reference.bands import BandAnalysis
from automix.reference.comparison import STEREO_FEATURES, average_references
from automix.reference.hearing import Figures, hear_source

SHORTEST_S = 1.0
_SHORTEST_FOR_RANGE_S = 10.0
_MONO_DB = -39.0


@dataclass(frozen=True, kw_only=True)
class Goal:
    """The references that a mix is to be like, as the user asks for them.

    Attributes:
        files: Files of the references.
        weights: Weight of each reference; empty to count all alike.
        amount: Share of the way to them that the mix goes, 0 … 100 %.
        device: Device for the gradients, as in `automix.networks.device`.
    """

    files: tuple[Path, ...]
    weights: tuple[float, ...] = ()
    amount: float = 100.0
    device: str = "auto"

    @property
    def names(self) -> str:
        """Names of the files, for people."""
        return ", ".join(printable(path.name) for path in self.files)


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """What the references of a goal are like, together.

    Attributes:
        figures: Features as from `automix.reference.hearing.hear_source`; NaN where the references
            say nothing.
        notes: Sentences for the user.
    """

    figures: Figures
    notes: tuple[str, ...]


def measure_target(goal: Goal, analysis: BandAnalysis) -> Target:
    """Listens to the references of a goal, and averages what they are like.

    Args:
        goal: The references.
        analysis: Analysis at the sample rate of the session.

    Raises:
        InputError: A reference cannot be read, is silent, or is too short.
    """
    weights = goal.weights or (1.0,) * len(goal.files)
    targets = [_measure_file(path, analysis) for path in goal.files]
    return Target(
        figures=average_references([target.figures for target in targets], weights),
        notes=tuple(note for target in targets for note in target.notes),
    )


def _measure_file(path: Path, analysis: BandAnalysis) -> Target:
    opened = open_audio(path, in_memory=False)
    source = opened.source
    duration_s = source.frames / source.sample_rate
    if duration_s < SHORTEST_S:
        raise InputError(
            f"{printable(path)}: is {duration_s:.2f} s long; a reference needs {SHORTEST_S:g} s"
        )
    found, figures = hear_source(resample(source, analysis.sample_rate), analysis)
    if found.power.sum() <= 0.0:
        raise InputError(f"{printable(path)}: is silent; a reference is a finished mix")
    notes = [f"{printable(path)}: {note}" for note in opened.notes]
    unknown: list[str] = []
    if source.channels == 1 or not found.width_db > _MONO_DB:
        unknown += STEREO_FEATURES
        notes.append(f"{printable(path)}: is mono, and says nothing of the stereo image")
    if duration_s < _SHORTEST_FOR_RANGE_S:
        unknown.append("loudness range")
        notes.append(f"{printable(path)}: is too short for its loudness range to be compared")
    for name in unknown:
        figures[name][:] = math.nan
    beyond = np.array(BARK_EDGES_HZ[1:]) > min(source.sample_rate, analysis.sample_rate) / 2
    for of_bands in figures.values():
        if len(of_bands) % len(beyond) == 0:
            of_bands[np.tile(beyond, len(of_bands) // len(beyond))] = math.nan
    return Target(figures=figures, notes=tuple(notes))
