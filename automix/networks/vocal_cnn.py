"""The regressors of Li & Lerch, "Automatic Vocal Mixing Using Convolutional Neural Networks".

One class for level, compression, equalization and reverb, in the paper's shape and in wider ones.
"""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from automix.networks import vocal_decay, vocal_mel
from automix.networks.soundness import require_finite
from automix.networks.vocal_cnn_description import (
    CHANGED_BANDS,
    KERNEL,
    POOL,
    VocalCnnDescription,
    VocalTask,
    output_ranges,
)
from automix.networks.vocal_mel import HOP_LENGTH, N_FFT, Pair
from automix.networks.vocal_mel import RATE_HZ as RATE_HZ  # for the catalog

FAMILY = "vocal-cnn"
"""Name of this family in files of weights."""

RECEPTIVE_FIELD = 63 * HOP_LENGTH + N_FFT
"""Samples of a block of 64 frames."""

_BLOCKS_AT_A_TIME = 64


class VocalCnn(nn.Module):
    """Four convolutions and a linear layer (section III-C).

    A description may ask for other convolutions, or none, and for more linear layers.

    Voices that are unlike those of the training mislead a network, so its outputs are drawn to a
    constant as far as trials on such voices ask for, output by output: the preshrunk predictor of
    Copas 1983, "Regression, Prediction and Shrinkage". See `automix.training.vocal.trust`.

    Args:
        description: Shape and task of the network; if none, those of the paper.

    Attributes:
        flattened: Number of values that the linear layer receives; 768 for a block of 64 frames.
        constant: Positions ``(outputs,)`` that the prediction takes without any trust.
        trust: Shares 0…1 ``(outputs,)`` of the departure from the constant that count.

    Shape:
        ``(blocks, 2, 128, frames)`` from `make_blocks` to ``(blocks, outputs)``, each 0…1 over its
        `output_ranges`; nothing holds it within them. Where decay is heard, 16 rows, not 128.
    """

    def __init__(self, description: VocalCnnDescription | None = None) -> None:
        super().__init__()
        self.description = description or VocalCnnDescription()
        rows, columns = self.description.left
        self.flattened = (2, *self.description.channels)[-1] * rows * columns
        self.members = nn.ModuleList(self._regressor() for _ in range(self.description.members))
        outputs = len(output_ranges(self.description.task))
        self.constant: Tensor
        self.register_buffer("constant", torch.full((outputs,), 0.5))
        self.trust: Tensor
        self.register_buffer("trust", torch.ones(outputs))

    def _regressor(self) -> nn.Sequential:
        layers: list[nn.Module] = []
        before = 2
        for channels in self.description.channels:
            layers += [
                nn.Conv2d(before, channels, KERNEL),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.MaxPool2d(POOL),
            ]
            before = channels
        outputs = len(output_ranges(self.description.task))
        layers.append(nn.Flatten())
        if not self.description.channels:  # which would have normalized what they are given
            layers.append(nn.BatchNorm1d(self.flattened, affine=False))
        layers.append(nn.Dropout(self.description.dropout))
        before = self.flattened
        for values in self.description.hidden:
            layers += [nn.Linear(before, values), nn.ReLU(), nn.Dropout(self.description.dropout)]
            before = values
        last = nn.Linear(before, outputs)
        nn.init.constant_(last.bias, 0.5)  # the middle of every range
        return nn.Sequential(*layers, last)

    def forward(self, blocks: Tensor) -> Tensor:
        """The mean of the members; see the class."""
        return torch.stack([member(blocks) for member in self.members]).mean(0)

    def apply_trust(self, positions: Tensor) -> Tensor:
        """Outputs ``(..., outputs)`` drawn to the constant as far as they are not trusted."""
        return self.constant + self.trust * (positions - self.constant)

    @torch.inference_mode()
    def predict(self, pair: Pair) -> list[float]:
        """Predicts the values for a song, in the units of `output_ranges` and within them.

        Raises:
            ValueError: Nothing is sung.
            DeviceError: The network gives no numbers.
        """
        device = next(self.parameters()).device
        blocks = make_blocks(pair, self.description)
        outputs = [self(some.to(device)) for some in torch.split(blocks, _BLOCKS_AT_A_TIME)]
        positions = require_finite(self.apply_trust(torch.cat(outputs).mean(0)), self).tolist()
        ranges = output_ranges(self.description.task)
        return [
            legal.from_unit(position) for legal, position in zip(ranges, positions, strict=True)
        ]


def keep_largest(gains_db: Tensor) -> Tensor:
    """Keeps the four gains ``(..., 9)`` of largest magnitude, and sets the others to 0."""
    kept = gains_db.abs().argsort(dim=-1, descending=True, stable=True)[..., :CHANGED_BANDS]
    return torch.zeros_like(gains_db).scatter(-1, kept, gains_db.gather(-1, kept))


def make_blocks(pair: Pair, description: VocalCnnDescription) -> Tensor:
    """Makes the blocks ``(blocks, 2, rows, frames)`` that a network of a description receives.

    Raises:
        ValueError: Nothing is sung.
    """
    return scale_blocks(cut_blocks(pair, description), description)


def cut_blocks(pair: Pair, description: VocalCnnDescription) -> Tensor:
    """Cuts blocks ``(blocks, 2, rows, frames)`` of mel powers, or of shares of them after a lag."""
    mel = pair.sung(description.gate_db)
    if description.hearing == "blocks":
        return vocal_mel.cut_consecutive(mel, description.frames)
    if description.hearing == "song":
        return vocal_mel.average_song(mel, description.frames)
    if description.hearing == "loudness":
        return vocal_mel.wide_quantiles(mel, description.frames)
    if description.hearing == "decay":  # of all frames, since time counts
        return vocal_decay.measure_decay(pair.mel[0], description.frames, description.depth_db)
    return vocal_mel.quantiles(mel, description.frames)


def scale_blocks(blocks: Tensor, description: VocalCnnDescription) -> Tensor:
    """Scales blocks of mel powers as the network receives them."""
    if description.depth_db == 0.0:
        return vocal_mel.normalize_blocks(blocks)
    if description.hearing == "loudness":
        return vocal_mel.scale_dynamics(blocks, description.depth_db)
    if description.hearing == "decay":
        return vocal_decay.scale_decay(blocks, description.depth_db)
    return vocal_mel.scale_levels(blocks, description.depth_db)


def _wide(task: VocalTask) -> VocalCnn:
    """The shape of the `wide` networks, to be counted and listed."""
    shape = VocalCnnDescription(
        task=task, hearing="quantiles", frames=48, depth_db=90.0, channels=(16, 32, 48, 64)
    )
    if task == "compression":
        shape = replace(shape, hearing="loudness", channels=(8, 16, 16, 16))
    if task == "reverb":
        shape = replace(
            shape, hearing="decay", frames=50, depth_db=80.0, channels=(), hidden=(128, 128)
        )
    return VocalCnn(shape)


wide_equalization = partial(_wide, "equalization")
wide_compression = partial(_wide, "compression")
wide_reverb = partial(_wide, "reverb")
wide_level = partial(_wide, "level")
