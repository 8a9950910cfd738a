"""The temporal convolutional network of neural audio effects (Steinmetz 2020, section 4.3.1)."""

from typing import Literal

import torch
from torch import Tensor, nn

from automix.networks.bounds import clamp_to_learn
from automix.networks.effect_description import EffectDescription
from automix.networks.film import FilmAdaptor, FilmGenerator

KERNEL = 15
CHANNELS = 32
_LEAST_SHARE = 0.02  # of a batch in the running mean; the first ones count alike
_FIRST_GAIN = 0.02  # what goes past the blocks is at first nearly all that comes out
_STACKS: dict[str, tuple[int, int]] = {
    "tcn-8": (1, 8),
    "tcn-10": (1, 10),
    "tcn-20": (2, 10),
    "tcn-30": (3, 10),
}
"""Stacks, and blocks in each."""

Statistics = Literal["batch", "running", "frozen"]


class Tcn(nn.Module):
    """Stacks of dilated convolutions without padding, steered by FiLM.

    Signals lie as ``(batch, samples, channels)`` within. A convolution of dilation d is one without
    dilation over every d-th sample; in this layout that is a view, whose gradients a processor
    computes several times faster than those of a dilated one.

    Two things are not in the thesis. What the blocks make of silence, a constant, is taken from
    what they make of the signal: silence in is silence out. And the input itself is added, by a
    gain that follows from the settings, for the dry part of a reverb.

    Args:
        description: Description of a TCN.

    Shape:
        Audio ``(batch, 1, samples)`` and conditioning ``(batch, settings)``, or ``(1, settings)``
        for all alike, to ``(batch, 1, samples − receptive_field + 1)``.

    Attributes:
        before: Samples of the input before the first of the output.
        after: Samples of the input after the last of the output; 0 if causal.
        statistics: Statistics that training normalizes by. ``batch``: those of each batch, as
            published; ``running``: their running mean, which leaves the level of a patch audible,
            as a compressor needs it, and takes batches of one; ``frozen``: that mean as it is.
        settle: Batches after which the running mean of a block stays as it is.
    """

    def __init__(self, description: EffectDescription) -> None:
        super().__init__()
        self.description = description
        stacks, depth = _STACKS[description.network]
        self.statistics: Statistics = "batch"
        self.settle = 1000
        self.stacks = nn.ModuleList(
            nn.ModuleList(
                TcnBlock(1 if stack == level == 0 else CHANNELS, 2**level, description.film_width)
                for level in range(depth)
            )
            for stack in range(stacks)
        )
        self.film = FilmGenerator(len(description.slots), description.film_width)
        self.dry = nn.Linear(description.film_width, 1)
        nn.init.zeros_(self.dry.weight)
        nn.init.zeros_(self.dry.bias)
        self.output = nn.Linear(CHANNELS, 1, bias=False)
        nn.init.constant_(self.output.weight, 1.0 / CHANNELS)
        self._of_stack = (KERNEL - 1) * (2**depth - 1)
        self._grid = 2 ** (depth - 1)
        context = stacks * self._of_stack
        self.before = context if description.causal else context // 2
        self.after = context - self.before

    @property
    def receptive_field(self) -> int:
        """Number of input samples that one output sample depends on."""
        return int(self.before) + 1 + int(self.after)

    def forward(self, audio: Tensor, conditioning: Tensor) -> Tensor:
        """Computes the output in the shape that the class tells.

        Raises:
            ValueError: The audio is shorter than the receptive field.
        """
        samples = audio.shape[-1] - self.receptive_field + 1
        if samples < 1:
            raise ValueError(f"{audio.shape[-1]} samples are less than {self.receptive_field}")
        with torch.autocast(audio.device.type, enabled=False):
            shared = self.film(conditioning)
            dry = self.dry(shared[0])
        lengths = self._lengths(samples)
        signal = audio.transpose(1, 2)
        signal = nn.functional.pad(signal, (0, 0, 0, lengths[0] - signal.shape[1]))
        silence = torch.zeros(1, 1, dtype=dry.dtype, device=dry.device)
        silent_total = torch.zeros_like(silence)
        skips: list[Tensor] = []
        for stack, length in zip(self.stacks, lengths, strict=True):
            signal = signal[:, :length]
            for block in stack:  # type: ignore[attr-defined]
                behind, statistics = self._delay(block), self._statistics_of(block)
                signal, skip, silence, silent = block(signal, silence, shared, statistics, behind)
                skips.append(skip)
                silent_total = silent_total + silent
        total = signal[:, :samples]
        start = 0
        for block, skip in zip(reversed(list(self.blocks())), reversed(skips), strict=True):
            total = total + skip[:, start : start + samples]
            start += self._delay(block)
        with torch.autocast(audio.device.type, enabled=False):
            total = total.to(silence.dtype) - (silence + silent_total)[:, None]
            made: Tensor = self.output(total).transpose(1, 2)
            return torch.addcmul(made, audio[..., self.before :][..., :samples], dry[..., None])

    def blocks(self) -> "list[TcnBlock]":
        """All blocks in order."""
        return [block for stack in self.stacks for block in stack]  # type: ignore[attr-defined]

    def _statistics_of(self, block: "TcnBlock") -> Statistics:
        """The statistics that a block normalizes by: frozen ones once it has settled."""
        seen = block.normalization.num_batches_tracked
        settled = self.statistics == "running" and int(seen or 0) >= self.settle
        return "frozen" if settled else self.statistics

    def _delay(self, block: "TcnBlock") -> int:
        """Number of samples by which a block's output begins after its input."""
        return block.context if self.description.causal else block.context // 2

    def _lengths(self, samples: int) -> list[int]:
        """Length of the input of each stack, so that every dilation divides what comes to it.

        After the blocks of dilation 1 … d/2, 14·(d − 1) samples are gone: what is left of n is a
        multiple of d if n + 14 is. What is surplus lies at the end.
        """
        lengths: list[int] = []
        for _ in self.stacks:
            samples += self._of_stack + KERNEL - 1
            samples = -(-samples // self._grid) * self._grid - (KERNEL - 1)
            lengths.insert(0, samples)
        return lengths


class TcnBlock(nn.Module):
    """Convolution → normalization → FiLM → PReLU, and past them the input, by a learned gain.

    Args:
        channels: Number of channels of the input.
        dilation: Samples from tap to tap.
        film_width: Number of values of the vectors that all blocks share.

    Attributes:
        context: Number of samples by which the output is shorter than the input.
    """

    def __init__(self, channels: int, dilation: int, film_width: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.context = (KERNEL - 1) * dilation
        self.convolution = nn.Conv1d(channels, CHANNELS, KERNEL, dilation=dilation)
        self.normalization = nn.BatchNorm1d(CHANNELS, affine=False)
        self.film = FilmAdaptor(film_width, CHANNELS, first_gain=_FIRST_GAIN)
        self.activation = nn.PReLU(CHANNELS)
        self.gain = nn.Parameter(torch.ones(()))

    def forward(
        self,
        signal: Tensor,
        silence: Tensor,
        shared: tuple[Tensor, Tensor],
        statistics: Statistics,
        behind: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Processes a signal, and beside it the constant that silence has become.

        Args:
            signal: Signal ``(batch, samples, channels)``.
            silence: The constant that the blocks before made of silence ``(1 or batch, channels)``.
            shared: The two vectors of `automix.networks.film.FilmGenerator`.
            statistics: Statistics to normalize by, see `Tcn`.
            behind: Number of samples by which the output begins after the input.

        Returns:
            The signal for the next block, the part that is added to the output of the network, and
            the same two of silence.
        """
        norm, weight, bias = self.normalization, self.convolution.weight, self.convolution.bias
        variance, mean = norm.running_var, norm.running_mean
        frozen = not self.training or statistics == "frozen"
        if not frozen:
            convolved = self._convolve(signal, weight, bias)
            found = torch.var_mean(convolved.float().reshape(-1, CHANNELS), dim=0)
            _observe(norm, *(value.detach() for value in found))
            if statistics == "batch":
                variance, mean = found
        with torch.autocast(signal.device.type, enabled=False):
            scale, shift = self.film(*shared)
            scale = scale * torch.rsqrt(variance + norm.eps)  # type: ignore[operator,arg-type]
            shift = shift - scale * mean
            constant = nn.functional.linear(silence, weight.sum(-1), bias)
            silent = self.activation(torch.addcmul(shift, constant, scale))
            gain = clamp_to_learn(self.gain, 0.0, 1.0)
            silence = torch.addcmul(silent, silence, gain)
        if frozen and len(scale) == 1:  # nothing is left of normalization and FiLM but weights
            bias = shift[0] if bias is None else shift[0] + scale[0] * bias
            made = self._convolve(signal, weight * scale[0, :, None, None], bias)
        else:
            if frozen:
                convolved = self._convolve(signal, weight, bias)
            made = torch.addcmul(shift[:, None], convolved, scale[:, None])
        active = self.activation(made.reshape(-1, CHANNELS)).reshape(made.shape)
        past = signal[:, behind : behind + active.shape[1]]
        return torch.addcmul(active, past, gain), active, silence, silent

    def _convolve(self, signal: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The dilated convolution of a signal ``(batch, samples, channels)``."""
        batch, length, channels = signal.shape
        d = self.dilation
        if d > 1 and torch.is_grad_enabled():  # backwards, dilation is slow
            image = signal.reshape(batch, length // d, d, channels).permute(0, 3, 1, 2)
            made = nn.functional.conv2d(image, weight[..., None], bias)
        else:  # the form that rounds alike whatever the length, so that pieces fit together
            image = signal.reshape(batch, 1, length, channels).permute(0, 3, 1, 2)
            made = nn.functional.conv2d(image, weight[:, :, None, :], bias, dilation=(1, d))
        return made.permute(0, 2, 3, 1).reshape(batch, length - self.context, CHANNELS)


def _observe(norm: nn.BatchNorm1d, variance: Tensor, mean: Tensor) -> None:
    """Moves the running statistics towards those of a batch; the first batch sets them."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        raise ValueError("the normalization keeps no running statistics")
    share = (1.0 / (norm.num_batches_tracked + 1.0)).clamp_min(_LEAST_SHARE)
    norm.running_mean.lerp_(mean, share)
    norm.running_var.lerp_(variance, share)
    norm.num_batches_tracked += 1
