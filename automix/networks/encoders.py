"""Encoders of a controller: log-mel patches of a track become one embedding.

Both encoders share the front end of VGGish and pool over the active parts of the whole track, so
that silence does not dilute the embedding.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automix.audio.blocks import fold_to_mono
from automix.audio.resampling import resample
from automix.audio.samples import AudioSource, Samples
from automix.networks.dmc_description import EncoderName
from automix.networks.vggish import FRAME_SAMPLES, HOP_SAMPLES, RATE_HZ, Vggish, log_mel

FACTS = ("crest_db", "loudness_range_lu", "active_share", "side_share_db")
"""Measured figures that the compact encoder receives; none depends on the level of the track."""

_BANDS = 64
_BATCH = 64


NOTHING = -100.0
"""Value of patches that are filling; no log-mel value is below −4.7."""

Summary = Tensor
"""Input of an encoder for one track."""


def summarize_source(
    source: AudioSource,
    *,
    gain: float,
    active: NDArray[np.bool_],
    facts: Sequence[float],
    encoder: EncoderName,
) -> Summary:
    """Makes the input of an encoder for one track; see `log_mel_patches`.

    Args:
        source: The track.
        gain: Factor on the samples before they are analyzed.
        active: Marks the active tenths of a second ``(hops,)``.
        facts: Measured figures in the order of `FACTS`.
        encoder: Name of the encoder.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    patches = log_mel_patches(source, gain, active)
    if encoder == "vggish":
        return patches
    spread = patches.flatten(0, 1).std(0, unbiased=False)
    flux = patches.diff(dim=1).clamp_min(0.0).mean((0, 1))
    return torch.cat([patches.mean((0, 1)), spread, flux, torch.tensor(facts)])


def stack_summaries(summaries: Sequence[Tensor]) -> Tensor:
    """Summaries of several tracks or examples, one above the other.

    Where one is shorter than another, it is filled up with `NOTHING`.
    """
    longest = [max(sizes) for sizes in zip(*(s.shape for s in summaries), strict=True)]
    whole = summaries[0].new_full((len(summaries), *longest), NOTHING)
    for row, given in zip(whole, summaries, strict=True):
        row[tuple(slice(size) for size in given.shape)] = given
    return whole


def log_mel_patches(source: AudioSource, gain: float, active: NDArray[np.bool_]) -> Tensor:
    """Log-mel patches of the active parts of a track.

    Args:
        source: A track of any rate; two channels are folded.
        gain: Factor on the samples, which brings every track to one loudness.
        active: Marks the active tenths of a second ``(hops,)``. A patch counts if at least half of
            it is active; where none is, the most active one does.

    Returns:
        ``(patches, 96, 64)``, at least one.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    found: list[Tensor] = []
    waiting: list[Samples] = []
    fallback, most = np.zeros(FRAME_SAMPLES, np.float32), -1.0

    def analyze(frames: list[Samples]) -> None:
        found.append(log_mel(torch.from_numpy(np.stack(frames) * np.float32(gain))))

    for patch, frame in enumerate(_frames(source)):
        share = _active_share(active, patch)
        if share >= 0.5:
            waiting.append(frame)
        elif share > most:
            fallback, most = frame, share
        if len(waiting) == _BATCH:
            analyze(waiting)
            waiting = []
    if waiting or not found:
        analyze(waiting or [fallback])
    return torch.cat(found)


def _frames(source: AudioSource) -> Iterator[Samples]:
    """Stretches ``(FRAME_SAMPLES,)`` at 16 kHz; a source shorter than one is filled with zeros."""
    waiting, count = np.empty(0, np.float32), 0
    for block in resample(fold_to_mono(source), RATE_HZ).blocks():
        waiting = np.concatenate([waiting, block[0]])
        while len(waiting) >= FRAME_SAMPLES:
            yield waiting[:FRAME_SAMPLES]
            waiting, count = waiting[HOP_SAMPLES:], count + 1
    if count == 0:
        yield np.pad(waiting, (0, FRAME_SAMPLES - len(waiting)))


def _active_share(active: NDArray[np.bool_], patch: int) -> float:
    first, last = (round(edge * HOP_SAMPLES / RATE_HZ * 10.0) for edge in (patch, patch + 1))
    span = active[first:last]
    return float(span.mean()) if span.size else 0.0


class CompactEncoder(nn.Module):
    """Statistics of the log-mel bands over the whole track, and a small network.

    Its input is the mean, the spread and the positive flux of each band over all active frames
    (global pooling), and `FACTS`. With few songs to learn from, the spectrum tells which
    song it is rather than how loud a track should be; it is scaled down, so that it counts as far
    as the facts leave something to explain.

    Args:
        size: Number of values of the embedding.
        spectrum: Scale of the spectrum.
        dropout: Share of the hidden values that are left out in training.

    Shape:
        ``(..., 196)`` from `summarize_source` to ``(..., size)``.
    """

    center: Tensor
    scale: Tensor

    def __init__(self, size: int, spectrum: float, dropout: float) -> None:
        super().__init__()
        heard = 3 * _BANDS + len(FACTS)
        self._spectrum = spectrum
        self.register_buffer("center", torch.zeros(heard))
        self.register_buffer("scale", torch.ones(heard))
        self.network = nn.Sequential(
            nn.Linear(heard, size),
            nn.PReLU(),
            nn.Dropout(dropout),
            nn.Linear(size, size),
            nn.PReLU(),
        )

    def standardize(self, summaries: Tensor) -> None:
        """Remembers mean and spread of the summaries ``(n, 196)`` of a training set."""
        self.center.copy_(summaries.mean(0))
        self.scale.copy_(summaries.std(0).clamp_min(1e-3))
        self.scale[: 3 * _BANDS] /= self._spectrum

    def forward(self, summaries: Tensor) -> Tensor:
        """Computes the output in the shape that the class tells."""
        embedding: Tensor = self.network((summaries - self.center) / self.scale)
        return embedding


class VggishEncoder(nn.Module):
    """VGGish, and the mean over the frames (Steinmetz et al. 2021).

    Shape:
        ``(..., frames, 96, 64)`` to ``(..., 128)``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.vggish = Vggish()

    def forward(self, patches: Tensor) -> Tensor:
        """Computes the output in the shape that the class tells."""
        there = patches[..., 0, 0] > NOTHING
        heard = self.vggish(patches[there])
        frames = heard.new_zeros(*there.shape, heard.shape[-1])
        frames[there] = heard
        embedding: Tensor = frames.sum(-2) / there.sum(-1, keepdim=True).clamp_min(1)
        return embedding
