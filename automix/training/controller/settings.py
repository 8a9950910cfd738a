"""What can be chosen for the training of a controller; the file given to ``--config`` sets it."""

from dataclasses import dataclass, field
from typing import Annotated

from automix.networks.dmc_description import DmcDescription
from automix.plan.parameters import Range, Settings
from automix.training.settings import AudioLoss, LoopSettings


@dataclass(frozen=True, kw_only=True)
class Augmentation(Settings):
    """How a song is disturbed, so that few songs go far; its human mix stays the target."""

    offset_db: Annotated[float, Range(0, 48, "dB"), "each track's gain is within ±"] = 12.0
    subset: Annotated[float, Range(0, 1), "share of examples that lack some tracks"] = 0.7
    regroup: Annotated[float, Range(0, 1), "share of examples with two tracks made one"] = 0.2
    mono: Annotated[float, Range(0, 1), "share of stereo tracks folded"] = 0.15
    equalize: Annotated[float, Range(0, 1), "share of tracks with a random equalizer"] = 0.4
    equalizer_db: Annotated[float, Range(0, 24, "dB"), "gain of its bands within ±"] = 6.0
    compress: Annotated[float, Range(0, 1), "share of tracks with a random compressor"] = 0.2


@dataclass(frozen=True, kw_only=True)
class DmcTraining(Settings):
    """How a controller of the mixing console is trained."""

    model: DmcDescription = field(default_factory=DmcDescription)
    loop: LoopSettings = field(default_factory=LoopSettings)
    augmentation: Augmentation = field(default_factory=Augmentation)
    examples: Annotated[
        int, Range(0, 10**7), "examples made once and used again; 0 makes new ones for each step"
    ] = 4000
    shortest_s: Annotated[float, Range(5, 600, "s"), "of what is heard of a song"] = 10.0
    longest_s: Annotated[float, Range(5, 600, "s"), "of what is heard of a song"] = 30.0
    patch_s: Annotated[float, Range(1, 60, "s"), "of what is mixed for the audio loss"] = 5.0
    tracks: Annotated[int, Range(1, 200), "most of an example"] = 16
    parameter_weight: Annotated[float, Range(0, 1000), "of the error of levels and pan"] = 1.0
    audio_weight: Annotated[float, Range(0, 1000), "of the error of the mix; 0 mixes none"] = 0.0
    audio_loss: Annotated[AudioLoss, "error of the mix"] = "stereo"
    shrink: Annotated[float, Range(0, 10), "pull of the advice to the rules"] = 0.01
    kept_outputs: Annotated[
        int,
        Range(0, 64),
        "of the first outputs that stay what the weights given to --from say; 0 learns all",
    ] = 0
    neural_strip: Annotated[
        str,
        "base none, mode full: weights of an effect in the strip's place, as published; empty is"
        " the differentiable console",
    ] = ""
