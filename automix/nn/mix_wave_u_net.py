"""The Mix-Wave-U-Net: tracks in, a stereo mix out, with no settings in between.

The deep-learning baseline of the mixing console (Steinmetz 2020, section 5.2; blocks of section
4.3.2): a Wave-U-Net with the encoder and decoder blocks of Demucs.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from automix.parameters import Range, Settings

MOST_TRACKS = 8
_KERNEL = 8
_STRIDE = 4
_RESCALE = 0.1


@dataclass(frozen=True, kw_only=True)
class MixWaveUNetDescription(Settings):
    """The shape of a Mix-Wave-U-Net; the default has about the published 83 million parameters."""

    levels: Annotated[int, Range(1, 8), "of down- and upsampling by four"] = 6
    channels: Annotated[int, Range(2, 256), "of the first level; each has twice as many"] = 62


class MixWaveUNet(nn.Module):
    """See the module.

    Shape:
        ``(batch, 8, samples)``, the missing tracks being zeros, to ``(batch, 2, samples)``.
    """

    def __init__(self, description: MixWaveUNetDescription) -> None:
        super().__init__()
        self.description = description
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        before, out = MOST_TRACKS, 2
        for level in range(description.levels):
            wide = description.channels * 2**level
            self.encoder.append(
                nn.Sequential(
                    nn.Conv1d(before, wide, _KERNEL, _STRIDE),
                    nn.PReLU(),
                    nn.Conv1d(wide, 2 * wide, 1),
                    nn.GLU(1),
                )
            )
            last = [nn.PReLU()] if level else []
            self.decoder.insert(
                0,
                nn.Sequential(
                    nn.Conv1d(wide, 2 * wide, 3, padding=1),
                    nn.GLU(1),
                    nn.ConvTranspose1d(wide, out, _KERNEL, _STRIDE),
                    *last,
                ),
            )
            before = out = wide
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
                _rescale(layer)

    def forward(self, tracks: Tensor) -> Tensor:
        """See the class."""
        samples = tracks.shape[-1]
        signal = nn.functional.pad(tracks, (0, padded_length(samples, self.description) - samples))
        skips = []
        for block in self.encoder:
            signal = block(signal)
            skips.append(signal)
        for block in self.decoder:
            signal = block(signal + skips.pop())
        return signal[..., :samples]


def padded_length(samples: int, description: MixWaveUNetDescription) -> int:
    """The least length, of ``samples`` or more, that all levels divide without a remainder."""
    length = samples
    for _ in range(description.levels):
        length = max(-(-(length - _KERNEL) // _STRIDE) + 1, 1)
    for _ in range(description.levels):
        length = (length - 1) * _STRIDE + _KERNEL
    return length


def _rescale(layer: nn.Conv1d | nn.ConvTranspose1d) -> None:
    """Brings the spread of the weights half-way, in dB, to 0.1 (Défossez et al. 2019)."""
    factor = torch.sqrt(layer.weight.detach().std() / _RESCALE)
    layer.weight.data /= factor
    if layer.bias is not None:
        layer.bias.data /= factor
