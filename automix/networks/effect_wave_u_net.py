"""The Wave-U-Net of neural audio effects (Steinmetz 2020, section 4.3.2; Défossez et al. 2019)."""

import torch
from torch import Tensor, nn

from automix.networks.effect_description import EffectDescription
from automix.networks.film import FilmAdaptor, FilmGenerator
from automix.networks.mix_wave_u_net import rescale

LEVELS = 6
STRIDE = 4
_CHANNELS = 16
_CONTEXT_KERNEL = 3
_KERNELS = {"wave-u-net-6-8": 8, "wave-u-net-6-16": 16}


class EffectWaveUNet(nn.Module):
    """An encoder and a decoder of six levels with the blocks of Demucs, steered by FiLM.

    Args:
        description: Description of a Wave-U-Net.

    Shape:
        Audio ``(batch, 1, samples)`` and conditioning ``(batch, settings)``, or ``(1, settings)``
        for all alike, to ``(batch, 1, samples − before − after)``.

    Attributes:
        receptive_field: Samples that one value of the deepest level depends on, as published.
        before: Samples of input before the first sample of the output that it may depend on.
        after: Samples of input after the last sample of the output.
        grid: Product of all strides; input shifted by so many samples gives the same output,
            shifted.
    """

    def __init__(self, description: EffectDescription) -> None:
        super().__init__()
        self.description = description
        kernel = _KERNELS[description.network]
        self.film = FilmGenerator(len(description.slots), description.film_width)
        widths = [_CHANNELS * 2**level for level in range(LEVELS)]
        self.encoder = nn.ModuleList(
            EncoderBlock(before, wide, kernel, description.film_width)
            for before, wide in zip([1, *widths], widths, strict=False)
        )
        self.decoder = nn.ModuleList(
            DecoderBlock(wide, out, kernel, description)
            for wide, out in zip(reversed(widths), [*reversed(widths[:-1]), 1], strict=True)
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
                rescale(layer)
        self.grid = STRIDE**LEVELS
        strides = (self.grid - 1) // (STRIDE - 1)
        self.receptive_field = 1 + (kernel - 1) * strides
        # The decoder's convolutions of three reach by one of each level's samples, and upsampling
        # by holding falls between samples.
        reach = self.receptive_field - 1 + strides * (STRIDE + (2 if description.resize else 0))
        self.before = self.after = -(-reach // self.grid) * self.grid
        self._kernel = kernel

    def forward(self, audio: Tensor, conditioning: Tensor) -> Tensor:
        """Computes the output in the shape that the class tells.

        Raises:
            ValueError: The audio is not longer than what is before and after.
        """
        samples = audio.shape[-1] - self.before - self.after
        if samples < 1:
            raise ValueError(f"{audio.shape[-1]} samples; more than {2 * self.before} are needed")
        with torch.autocast(audio.device.type, enabled=False):
            shared = self.film(conditioning)
        length = audio.shape[-1]
        signal = nn.functional.pad(audio, (0, self._pad_length(length) - length))
        skips = []
        for block in self.encoder:
            signal = block(signal, shared)
            skips.append(signal)
        for block in self.decoder:
            signal = block(signal + skips.pop(), shared)
        return signal[..., self.before : self.before + samples]

    def _pad_length(self, samples: int) -> int:
        """The least length, of ``samples`` or more, that all levels divide without a remainder."""
        for _ in range(LEVELS):
            samples = max(-(-(samples - self._kernel) // STRIDE) + 1, 1)
        for _ in range(LEVELS):
            samples = (samples - 1) * STRIDE + self._kernel
        return samples


class EncoderBlock(nn.Module):
    """Convolution with a stride → FiLM → PReLU → 1×1 convolution → GLU."""

    def __init__(self, before: int, channels: int, kernel: int, film_width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(before, channels, kernel, STRIDE)
        self.film = FilmAdaptor(film_width, channels, first_gain=1.0)
        self.activation = nn.PReLU(channels)
        self.gates = nn.Conv1d(channels, 2 * channels, 1)

    def forward(self, signal: Tensor, shared: tuple[Tensor, Tensor]) -> Tensor:
        """The signal that the next block receives."""
        signal = self.activation(_modulate(self.convolution(signal), self.film, shared))
        return nn.functional.glu(self.gates(signal), 1)


class DecoderBlock(nn.Module):
    """Convolution → GLU → upsampling by the stride → FiLM → PReLU, which the last lacks.

    Upsampling is a transposed convolution; or, with `EffectDescription.resize`, every value held
    for the stride and a plain convolution, which weighs all output samples alike (Odena et al.
    2016) and so does not ring at the rates of the levels.
    """

    def __init__(
        self, channels: int, out: int, kernel: int, description: EffectDescription
    ) -> None:
        super().__init__()
        self.gates = nn.Conv1d(channels, 2 * channels, _CONTEXT_KERNEL, padding=1)
        self.resize = description.resize
        if self.resize:
            self.upsampling: nn.Module = nn.Conv1d(channels, out, kernel)
        else:
            self.upsampling = nn.ConvTranspose1d(channels, out, kernel, STRIDE)
        self.film = FilmAdaptor(description.film_width, out, first_gain=1.0)
        self.activation = nn.PReLU(out) if out > 1 else nn.Identity()
        self._padding = (kernel - 2, kernel - 3)  # so that both have one length

    def forward(self, signal: Tensor, shared: tuple[Tensor, Tensor]) -> Tensor:
        """The signal that the next block receives."""
        signal = nn.functional.glu(self.gates(signal), 1)
        if self.resize:
            signal = signal.repeat_interleave(STRIDE, dim=-1)
            signal = nn.functional.pad(signal, self._padding)
        signal = _modulate(self.upsampling(signal), self.film, shared)
        output: Tensor = self.activation(signal)
        return output


def _modulate(signal: Tensor, film: FilmAdaptor, shared: tuple[Tensor, Tensor]) -> Tensor:
    """A signal ``(batch, channels, samples)`` with the gains and shifts of its block applied."""
    with torch.autocast(signal.device.type, enabled=False):
        scale, shift = film(*shared)
    return torch.addcmul(shift[..., None], signal, scale[..., None])
