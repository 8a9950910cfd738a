"""Measures levels of critical bands, frame by frame, by which references and mixes are compared.

Nothing in them depends on where in a song something happens, so that a reference may be another
song, or of another length. How the levels of a band are distributed over time tells apart what the
long-term spectrum cannot: a kick drum and a bass of the same mean level.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from automix.analysis.features import BARK_EDGES_HZ, Vector, weigh_bands
from automix.audio.samples import AudioSource
from automix.dsp.k_weighting import k_weighting

Feature = Literal[
    "spectrum",
    "dynamics",
    "loudness range",
    "crest factor",
    "width",
    "width by band",
    "imbalance",
    "imbalance by band",
]
FEATURES: tuple[Feature, ...] = get_args(Feature)
"""The features of `automix.reference.comparison` that no level changes, and the dynamics."""

Features = dict[Feature, Tensor]
"""Values in dB of each feature, see `BandAnalysis.features`."""

_FRAME_S = 0.046
_SHORT_TERM_S = 3.0
_RANGE_QUANTILES = (0.10, 0.95)
"""Quantiles between which loudness range extends (EBU Tech 3342)."""
_QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90, 0.97)
_LEAST_DB = -70.0
_ACTIVE_SHARE = 0.01
_SILENT_POWER = 1e-7
_SILENT = 1e-15
_PEAKS_SHARE = 0.01
_NARROWEST = 1e-4
"""Share of the power: a side signal below it (−40 dB) counts as mono."""


@dataclass(frozen=True, eq=False)
class Frames:
    """Powers of the frames of one or more excerpts.

    Attributes:
        left: Powers of the left side ``(excerpts, frames, bands)``; the last band is the whole
            spectrum, K-weighted.
        right: Powers of the right side, of the same shape.
        cross: Real parts of the cross powers, of the same shape.
        peak: Highest sample of each hop ``(excerpts, frames)``.
    """

    left: Tensor
    right: Tensor
    cross: Tensor
    peak: Tensor

    def join(self, others: "Iterable[Frames]") -> "Frames":
        """Appends the frames of what follows."""
        every = [self, *others]
        return Frames(
            *(
                torch.cat([getattr(frames, part) for frames in every], 1)
                for part in ("left", "right", "cross", "peak")
            )
        )


class BandAnalysis:
    """Analyzes audio of one sample rate in critical bands.

    Args:
        sample_rate: Frames per second.
        device: Device on which audio is analyzed.

    Attributes:
        heard: Whether each band lies below half the sample rate ``(bands,)``.
    """

    def __init__(self, sample_rate: int, device: torch.device) -> None:
        self.sample_rate = sample_rate
        self.n_fft = 1 << round(math.log2(_FRAME_S * sample_rate))
        self.hop_length = self.n_fft // 2
        self._window = torch.hann_window(self.n_fft, device=device)
        frequencies_hz = np.arange(self.n_fft // 2 + 1) * np.float64(sample_rate / self.n_fft)
        edges = [*zip(BARK_EDGES_HZ, BARK_EDGES_HZ[1:], strict=False)]
        rows = [*weigh_bands(edges, frequencies_hz), _k_weights(sample_rate, frequencies_hz)]
        weights = 2.0 / float(self._window.square().sum()) / self.n_fft * np.array(rows)
        self._weights = torch.from_numpy(weights.T).float().to(device)
        highest_hz = np.array(BARK_EDGES_HZ[1:])
        self.heard = torch.from_numpy(highest_hz <= sample_rate / 2).to(device)

    def frames(self, audio: Tensor) -> Frames:
        """Computes the powers of ``(excerpts, 2, samples)``, with gradients; one frame at least."""
        missing = max(0, self.n_fft - audio.shape[-1])
        audio = torch.nn.functional.pad(audio, (missing // 2, missing - missing // 2))
        spectra = torch.stft(
            audio.flatten(0, 1),
            self.n_fft,
            self.hop_length,
            window=self._window,
            center=False,
            return_complex=True,
        )
        shape = (*audio.shape[:2], *spectra.shape[1:])
        real, imaginary = (
            part.reshape(shape).transpose(2, 3) for part in (spectra.real, spectra.imag)
        )
        powers = [
            real[:, 0].square() + imaginary[:, 0].square(),
            real[:, 1].square() + imaginary[:, 1].square(),
            real[:, 0] * real[:, 1] + imaginary[:, 0] * imaginary[:, 1],
        ]
        left, right, cross = (power @ self._weights for power in powers)
        hops = audio[..., : left.shape[1] * self.hop_length].abs().amax(1)
        peaks = hops.reshape(*hops.shape[:-1], -1, self.hop_length).amax(-1)
        return Frames(left, right, cross, peaks)

    def whole(self, source: AudioSource) -> Frames:
        """Computes the powers of a whole source at this sample rate, in bounded memory.

        Raises:
            InputError: The file behind the source changed or cannot be read.
        """
        device = self._window.device
        found: list[Frames] = []
        pending = torch.zeros(2, 0, device=device)
        for block in source.blocks():
            sides = torch.tensor(block, device=device).expand(2, -1)
            pending = torch.cat([pending, sides], 1)
            count = (pending.shape[1] - self.n_fft) // self.hop_length + 1
            if count > 0:
                used = (count - 1) * self.hop_length + self.n_fft
                found.append(self.frames(pending[None, :, :used]))
                pending = pending[:, count * self.hop_length :]
        if not found:
            found.append(self.frames(pending[None]))
        return found[0].join(found[1:])

    def features(self, frames: Frames) -> Features:
        """Computes features in dB, none of which depends on the level; with gradients.

        Each is a row of numbers: ``spectrum`` and those of bands have one for each critical band,
        ``dynamics`` one for each quantile and band.
        """
        left, right, cross = (part[..., :-1] for part in (frames.left, frames.right, frames.cross))
        both = left + right
        total = both.sum(-1)
        active = _find_active(total)
        mean_left, mean_right, mean_cross = (part[active].mean(0) for part in (left, right, cross))
        mean = mean_left + mean_right
        level = mean.sum().clamp_min(_SILENT)
        quantiles = torch.quantile(
            _db(both[active] / level).clamp_min(_LEAST_DB), mean.new_tensor(_QUANTILES), dim=0
        )
        return {
            "spectrum": _db(mean / level),
            "dynamics": (quantiles - _db(mean / level)).flatten(),
            "loudness range": self._range(frames)[None],
            "crest factor": (2.0 * _db(_average_highest(frames.peak)) - _db(level / 2.0))[None],
            "width": _width(level, mean_cross.sum())[None],
            "width by band": _width(mean, mean_cross),
            "imbalance": (_db(mean_right.sum()) - _db(mean_left.sum()))[None],
            "imbalance by band": _db(mean_right + 1e-6 * level) - _db(mean_left + 1e-6 * level),
        }

    def levels_over_time(self, frames: Frames, *, stereo: bool) -> tuple[Tensor, Tensor]:
        """Computes the level of every frame and band over the mean level in dB; with gradients.

        Args:
            frames: Frames of the excerpts.
            stereo: Whether both sides are told apart; else their sum counts.

        Returns:
            Levels ``(excerpts, frames, 1 or 2, bands)``, and whether each frame is active
            ``(excerpts, frames)``.
        """
        left, right = frames.left[..., :-1], frames.right[..., :-1]
        powers = torch.stack([left, right] if stereo else [left + right], 2)
        total = powers.sum((2, 3))
        active = _find_active(total)
        level = total[active].mean().clamp_min(_SILENT)
        return _db(powers / level).clamp_min(_LEAST_DB), active

    def _range(self, frames: Frames) -> Tensor:
        """Computes the loudness range over all excerpts, in LU."""
        loud = (frames.left + frames.right)[..., -1].unsqueeze(1)
        length = round(_SHORT_TERM_S * self.sample_rate / self.hop_length)
        short_term = torch.nn.functional.avg_pool1d(loud, min(length, loud.shape[-1]), 1).flatten()
        levels = _db(short_term[_find_active(short_term)])
        low, high = torch.quantile(levels, levels.new_tensor(_RANGE_QUANTILES))
        spread: Tensor = high - low
        return spread


def _average_highest(peaks: Tensor) -> Tensor:
    """Averages the highest hundredth: the one highest sample would lead a gradient astray."""
    flat = peaks.flatten()
    return flat.topk(max(1, round(_PEAKS_SHARE * len(flat)))).values.mean()


def _find_active(power: Tensor) -> Tensor:
    """Finds the frames that are not below a hundredth of the mean of those with sound."""
    heard = power.detach() > _SILENT_POWER
    if not bool(heard.any()):
        return torch.ones_like(heard)
    least = _ACTIVE_SHARE * float(power.detach()[heard].mean())
    return power.detach() > max(least, _SILENT_POWER)


def _width(both: Tensor, cross: Tensor) -> Tensor:
    least = _NARROWEST * both
    side, middle = (both - 2.0 * cross).clamp_min(0.0), (both + 2.0 * cross).clamp_min(0.0)
    return _db(side + least) - _db(middle + least)


def _db(power: Tensor) -> Tensor:
    level: Tensor = (10.0 / math.log(10.0)) * power.clamp_min(_SILENT).log()
    return level


def _k_weights(sample_rate: int, frequencies_hz: Vector) -> Vector:
    z = np.exp(-2j * np.pi * frequencies_hz / sample_rate)
    response = np.ones_like(z)
    for b0, b1, b2, a1, a2 in k_weighting(sample_rate):
        response *= (b0 + b1 * z + b2 * z**2) / (1 + a1 * z + a2 * z**2)
    return np.asarray(np.abs(response) ** 2)
