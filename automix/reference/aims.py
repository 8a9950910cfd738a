"""References: the mixdowns that a mix is to be like."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from automix.analysis.features import BARK_EDGES_HZ, FeatureMeter, MixFeatures, Vector
from automix.audio import AudioSource, Samples
from automix.errors import InputError
from automix.files import open_audio, resampled, shown
from automix.reference.bands import FEATURES, STEREO, BandAnalysis, Feature, Features
from automix.reference.comparison import figures, weighted_mean
from automix.streams import Stream

SHORTEST_S = 1.0
_SHORTEST_FOR_RANGE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a mix is to be like.

    Attributes:
        files: Of the references.
        weights: How much each counts.
        amount: How far the mix goes there, 0 … 100 %.
        device: See `automix.nn.device`.
    """

    files: tuple[Path, ...]
    weights: tuple[float, ...] = ()
    amount: float = 100.0
    device: str = "auto"

    @property
    def names(self) -> str:
        """Of the files, for people."""
        return ", ".join(shown(path.name) for path in self.files)


@dataclass(frozen=True, kw_only=True, eq=False)
class Aim:
    """What the references of a goal are like, together.

    Attributes:
        features: By name, see `BandAnalysis.features`.
        known: Which of these numbers they have.
        figures: See `automix.reference.comparison.figures`.
        true_peak_dbtp: Weighted mean.
        notes: For the user.
    """

    features: Features
    known: dict[Feature, Tensor]
    figures: dict[str, Vector]
    true_peak_dbtp: float
    notes: tuple[str, ...]


def aim_of(goal: Goal, analysis: BandAnalysis) -> Aim:
    """Listens to the references of a goal.

    Raises:
        InputError: One cannot be read, is silent, or is too short.
    """
    weights = goal.weights or (1.0,) * len(goal.files)
    heard = [_hear(path, analysis) for path in goal.files]
    features: Features = {}
    known: dict[Feature, Tensor] = {}
    for name in FEATURES:
        values = torch.stack([found.features[name] for found in heard])
        parts = (
            torch.stack([found.known[name] for found in heard])
            * values.new_tensor(weights)[:, None]
        )
        total = parts.sum(0)
        features[name] = (parts * values).sum(0) / total.clamp_min(1e-12)
        known[name] = total > 0.0
    peaks = zip(weights, (found.meter.loudness.true_peak_dbtp for found in heard), strict=True)
    return Aim(
        features=features,
        known=known,
        figures=weighted_mean([found.figures for found in heard], weights),
        true_peak_dbtp=sum(weight * peak for weight, peak in peaks) / sum(weights),
        notes=tuple(note for found in heard for note in found.notes),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Heard:
    features: Features
    known: dict[Feature, Tensor]
    meter: MixFeatures
    figures: dict[str, Vector]
    notes: tuple[str, ...]


def _hear(path: Path, analysis: BandAnalysis) -> _Heard:
    opened = open_audio(path, in_memory=False)
    source = opened.source
    duration_s = source.frames / source.sample_rate
    if duration_s < SHORTEST_S:
        raise InputError(
            f"{shown(path)}: is {duration_s:.2f} s long; a reference needs {SHORTEST_S:g} s"
        )
    meter = FeatureMeter(analysis.sample_rate, source.channels)
    whole = analysis.whole(_through(resampled(source, analysis.sample_rate), meter.add))
    found = meter.result()
    if not bool((whole.left + whole.right > 0.0).any()) or found.power.sum() <= 0.0:
        raise InputError(f"{shown(path)}: is silent; a reference is a finished mix")
    notes = [f"{shown(path)}: {note}" for note in opened.notes]
    features = analysis.features(whole)
    wide = source.channels > 1 and bool(features["width"] > features["width"].new_tensor(-39.0))
    missing: set[Feature] = set() if wide else set(STEREO)
    if not wide:
        notes.append(f"{shown(path)}: is mono, and says nothing of the stereo image")
    if duration_s < _SHORTEST_FOR_RANGE_S:
        missing.add("range")
        notes.append(f"{shown(path)}: is too short for its loudness range to be compared")
    heard = analysis.heard & torch.tensor(BARK_EDGES_HZ[1:], device=analysis.heard.device).le(
        source.sample_rate / 2
    )
    stated = figures(found, stereo=wide)
    if "range" in missing:
        stated["loudness range"][:] = float("nan")
    return _Heard(
        features=features,
        known={name: _known(name, values, heard, missing) for name, values in features.items()},
        meter=found,
        figures=stated,
        notes=tuple(notes),
    )


def _known(name: Feature, values: Tensor, heard: Tensor, missing: "set[Feature]") -> Tensor:
    if name in missing:
        return torch.zeros_like(values, dtype=torch.bool)
    bands = len(heard)
    if len(values) % bands == 0:
        return heard.repeat(len(values) // bands)
    return torch.ones_like(values, dtype=torch.bool)


def _through(source: AudioSource, look: Callable[[Samples], None]) -> AudioSource:
    """The same source; every block is looked at on its way."""

    def blocks():  # type: ignore[no-untyped-def]
        for block in source.blocks():
            look(block)
            yield block

    return Stream(
        sample_rate=source.sample_rate,
        channels=source.channels,
        frames=source.frames,
        make_blocks=blocks,
    )
