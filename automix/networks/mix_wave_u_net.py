"""The Mix-Wave-U-Net: tracks in, a stereo mix out, with no settings in between.

The deep-learning baseline of the mixing console (Steinmetz 2020, section 5.2; blocks of section
4.3.2): a Wave-U-Net with the encoder and decoder blocks of Demucs.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automix.networks.mix_wave_u_net_description import MixWaveUNetDescription
from automix.networks.soundness import require_sound

MOST_TRACKS = 8
RATE_HZ = 44100
_KERNEL = 8
_STRIDE = 4
RECEPTIVE_FIELD = 1 + 7 * (4**6 - 1) // 3
"""Samples that one value of the deepest level depends on, as published (216.6 ms, 44.1 kHz)."""
PIECE_SAMPLES = 20 * RATE_HZ
_RESCALE = 0.1


class MixWaveUNet(nn.Module):
    """The network that mixes eight tracks without settings; see the module.

    Shape:
        Tracks ``(batch, 8, samples)``, the missing ones being zeros, to mixes ``(batch, 2,
        samples)``.
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
                rescale(layer)

    def forward(self, tracks: Tensor) -> Tensor:
        """Computes the output in the shape that the class tells."""
        samples = tracks.shape[-1]
        signal = nn.functional.pad(tracks, (0, pad_length(samples, self.description) - samples))
        skips = []
        for block in self.encoder:
            signal = block(signal)
            skips.append(signal)
        for block in self.decoder:
            signal = block(signal + skips.pop())
        return signal[..., :samples]


@torch.inference_mode()
def mix_in_pieces(network: MixWaveUNet, tracks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Makes the mix ``(2, samples)`` of tracks ``(8, samples)`` of any length in bounded memory.

    Pieces overlap by more than what one output depends on, and begin where the strides of a single
    pass do, so that they fit together without a seam.

    Raises:
        DeviceError: The network gives no audio, see `automix.networks.soundness`.
    """
    grid = _STRIDE**network.description.levels
    margin = -(-4 * RECEPTIVE_FIELD // grid) * grid
    step = -(-PIECE_SAMPLES // grid) * grid
    samples = tracks.shape[1]
    mix = np.empty((2, samples), np.float32)
    device = next(network.parameters()).device
    for start in range(0, samples, step):
        first, last = max(start - margin, 0), min(start + step + margin, samples)
        piece = torch.from_numpy(np.ascontiguousarray(tracks[None, :, first:last])).to(device)
        stop = min(start + step, samples)
        mix[:, start:stop] = network(piece)[0, :, start - first : stop - first].cpu().numpy()
        require_sound(mix[:, start:stop], tracks[:, first:last], network)
    return mix


def pad_length(samples: int, description: MixWaveUNetDescription) -> int:
    """The least length, of ``samples`` or more, that all levels divide without a remainder."""
    length = samples
    for _ in range(description.levels):
        length = max(-(-(length - _KERNEL) // _STRIDE) + 1, 1)
    for _ in range(description.levels):
        length = (length - 1) * _STRIDE + _KERNEL
    return length


def rescale(layer: nn.Conv1d | nn.ConvTranspose1d) -> None:
    """Brings the spread of the weights half-way, in dB, to 0.1 (Défossez et al. 2019)."""
    factor = torch.sqrt(layer.weight.detach().std() / _RESCALE)
    layer.weight.data /= factor
    if layer.bias is not None:
        layer.bias.data /= factor


def published_mix_wave_u_net() -> MixWaveUNet:
    """The network in about its published size."""
    return MixWaveUNet(MixWaveUNetDescription())
