"""What can be chosen of a training run; the file given to ``--config`` sets any of it."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from automix.networks.dmc_description import DmcDescription
from automix.networks.mix_wave_u_net_description import MixWaveUNetDescription
from automix.plan.parameters import Range, Settings

AudioLoss = Literal["stereo", "left-right", "l1", "stereo-l1"]


@dataclass(frozen=True, kw_only=True)
class LoopSettings(Settings):
    """Of every training."""

    steps: Annotated[int, Range(1, 10**8), "updates of the weights at most"] = 2000
    batch: Annotated[int, Range(1, 4096), "examples at a time"] = 16
    accumulate: Annotated[int, Range(1, 4096), "batches for one update"] = 1
    learning_rate: Annotated[float, Range(1e-7, 1, "", "log"), "of Adam"] = 3e-4
    weight_decay: Annotated[float, Range(0, 1), "pull of the weights to 0"] = 0.0
    warm_up: Annotated[int, Range(0, 10**6), "steps in which the rate rises from 0"] = 0
    cosine: Annotated[bool, "let the rate fall to 0 at the last step; plateaus do nothing"] = False
    clip: Annotated[float, Range(1e-3, 1e6), "largest norm of the gradient"] = 1.0
    validate_every: Annotated[int, Range(1, 10**6), "steps from validation to validation"] = 100
    plateau: Annotated[int, Range(1, 10**6), "validations without gain that halve the rate"] = 5
    patience: Annotated[int, Range(1, 10**6), "validations without gain that end it"] = 15
    precision: Annotated[Literal["32", "bf16"], "of the network"] = "32"
    tensorboard: Annotated[bool, "also log for TensorBoard, beside log.csv"] = False
    workers: Annotated[int, Range(0, 256), "processes that make examples; 0 is none"] = 0
    seed: Annotated[int, Range(0, 2**32 - 1), "of everything that is drawn"] = 0


@dataclass(frozen=True, kw_only=True)
class Augmentation(Settings):
    """How a song is disturbed, so that few songs go far; its human mix stays what is wanted."""

    offset_db: Annotated[float, Range(0, 48, "dB"), "each track's gain is within ±"] = 12.0
    subset: Annotated[float, Range(0, 1), "share of examples that lack some tracks"] = 0.7
    regroup: Annotated[float, Range(0, 1), "share of examples with two tracks made one"] = 0.2
    mono: Annotated[float, Range(0, 1), "share of stereo tracks folded"] = 0.15
    equalize: Annotated[float, Range(0, 1), "share of tracks with a random equalizer"] = 0.4
    equalizer_db: Annotated[float, Range(0, 24, "dB"), "gain of its bands within ±"] = 6.0
    compress: Annotated[float, Range(0, 1), "share of tracks with a random compressor"] = 0.2


@dataclass(frozen=True, kw_only=True)
class DmcTraining(Settings):
    """Of a controller of the mixing console."""

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


@dataclass(frozen=True, kw_only=True)
class WaveUNetTraining(Settings):
    """Of a Mix-Wave-U-Net."""

    model: MixWaveUNetDescription = field(default_factory=MixWaveUNetDescription)
    loop: LoopSettings = field(default_factory=LoopSettings)
    augmentation: Augmentation = field(default_factory=Augmentation)
    patch_s: Annotated[float, Range(1, 60, "s"), "of what is mixed"] = 5.0
    audio_loss: Annotated[AudioLoss, "error of the mix"] = "stereo"

    def of_examples(self) -> DmcTraining:
        """The settings of its examples: eight tracks at most, and no controller."""
        return DmcTraining(
            model=DmcDescription(base="none"),
            loop=self.loop,
            augmentation=self.augmentation,
            longest_s=max(10.0, self.patch_s),
            patch_s=self.patch_s,
            tracks=8,
            audio_weight=1.0,
        )
