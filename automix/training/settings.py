"""Settings that every training has; those of a family are in the ``settings`` of its folder."""

from dataclasses import dataclass
from typing import Annotated, Literal

from automix.plan.parameters import Range, Settings

AudioLoss = Literal["stereo", "left-right", "l1", "stereo-l1"]
"""Names of the mix errors in `automix.training.audio_losses`."""


@dataclass(frozen=True, kw_only=True)
class LoopSettings(Settings):
    """How a network is trained, whatever it learns: steps, batches, learning rate, validation."""

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
