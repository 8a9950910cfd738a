"""What can be chosen for the training of a neural audio effect."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from automix.errors import UsageError
from automix.networks.effect_description import EffectDescription
from automix.plan.parameters import Range, Settings
from automix.training.settings import LoopSettings

EffectLoss = Literal["l1", "mr-stft", "l1+mr-stft"]


@dataclass(frozen=True, kw_only=True)
class EffectAugmentation(Settings):
    """How dry audio is disturbed before the strip hears it; shares are of the examples."""

    gain_db: Annotated[float, Range(0, 48, "dB"), "gain within ±"] = 12.0
    invert: Annotated[float, Range(0, 1), "with inverted polarity"] = 0.5
    blend: Annotated[float, Range(0, 1), "of two pieces of audio added"] = 0.2
    noise: Annotated[float, Range(0, 1), "with white noise at −80 … −40 dBFS"] = 0.1
    drop: Annotated[float, Range(0, 1), "with up to a tenth of single samples zeroed"] = 0.05
    block: Annotated[float, Range(0, 1), "with a block zeroed"] = 0.2
    colored: Annotated[
        float, Range(0, 1), "of swelling noise of a random slope, in place of audio"
    ] = 0.0
    low_pass: Annotated[
        float, Range(0, 1), "with nothing above 6 … 20 kHz, as lossy files and dull sounds have it"
    ] = 0.0


@dataclass(frozen=True, kw_only=True)
class EffectTraining(Settings):
    """How a neural audio effect is trained.

    Raises:
        UsageError: The settings do not go together.
    """

    model: EffectDescription = field(default_factory=EffectDescription)
    loop: LoopSettings = field(
        default_factory=lambda: LoopSettings(
            steps=100_000, batch=4, plateau=15, patience=40, validate_every=500
        )
    )
    augmentation: EffectAugmentation = field(default_factory=EffectAugmentation)
    patch_samples: Annotated[
        int, Range(1024, 2**20), "output of an example; published 16384, 32768 and 65536"
    ] = 32768
    loss: Annotated[EffectLoss, "error that is made small"] = "l1"
    relative: Annotated[
        bool, "divide the L1 error of each example by the mean magnitude of its target"
    ] = False
    spectral_weight: Annotated[float, Range(0, 100), "of MR-STFT beside L1"] = 1.0
    mel_weight: Annotated[
        float, Range(0, 100), "of the distance of log-mel spectra, in nepers, beside the rest"
    ] = 0.0
    first_slope: Annotated[
        float, Range(-1, 1), "of a new PReLU below 0; with 1 the network is linear at first"
    ] = 0.25
    tail_gain: Annotated[
        float,
        Range(0, 100),
        "at which blocks that a TCN has more than where it starts from begin, where the space is"
        " all wet, so that they reverberate; 0: they begin as in a new network",
    ] = 0.0
    statistics: Annotated[
        Literal["batch", "running", "frozen"],
        "what normalizes a TCN in training: each batch as published, a running mean, or nothing"
        " but the weights that it began with",
    ] = "batch"
    settle: Annotated[
        int, Range(1, 10**8), "batches after which the running statistics stay as they are"
    ] = 1000
    single: Annotated[
        float, Range(0, 1), "channel: share of examples with one processor at work"
    ] = 0.0
    space: Annotated[
        float, Range(0, 1), "share of these where that is the space; equalizer, compressor: halves"
    ] = 1 / 3
    mixup: Annotated[float, Range(0, 0.4), "la2a: α of mixup's Beta(α, α); 0 is none"] = 0.0
    held_examples: Annotated[int, Range(2, 10**5), "that are validated with"] = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tail_gain > 0.0 and self.model.effect not in ("channel", "reverb"):
            raise UsageError(f"tail_gain is for what reverberates, not for {self.model.effect}")


def effect_training(changes: Mapping[str, str]) -> EffectTraining:
    """The default settings, with changes to the description of the network.

    Args:
        changes: Values by name of the field of `EffectDescription`, such as ``network``.

    Raises:
        UsageError: The changes do not go together.
    """
    settings = EffectTraining()
    return replace(settings, model=replace(settings.model, **changes))  # type: ignore[arg-type]
