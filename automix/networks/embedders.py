"""Embedders of audio for the Fréchet distance, with their front ends and weights."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automix.audio.blocks import fold_to_mono
from automix.audio.resampling import resample
from automix.audio.samples import AudioSource
from automix.errors import UsageError
from automix.networks import music_tagging_vgg, vggish
from automix.networks.checkpoints import load_into, read_tensors
from automix.networks.soundness import require_finite

EmbedderName = Literal["mel-statistics", "vggish", "music-tagging-vgg"]

_BATCH = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedder:
    """Turns frames of audio into vectors.

    Attributes:
        name: Name in reports.
        size: Number of values of a vector.
        frame_samples: Length of a frame in samples, mono at 16 kHz.
        hop_samples: Samples from the start of one frame to that of the next.
        embed: Function from frames ``(frames, frame_samples)`` to vectors ``(frames, size)``.
        device: Device that it runs on.
    """

    name: EmbedderName
    size: int
    frame_samples: int
    hop_samples: int
    embed: Callable[[Tensor], Tensor]
    device: torch.device

    def embeddings(self, source: AudioSource) -> NDArray[np.float64]:
        """Vectors ``(frames, size)`` of all whole frames; a shorter source is one, with silence.

        Raises:
            InputError: The file behind the source changed or cannot be read.
        """
        found = [np.empty((0, self.size))]
        with torch.inference_mode():
            for batch in self._batches(source):
                frames = torch.from_numpy(batch).to(self.device)
                found.append(self.embed(frames).double().cpu().numpy())
        return np.concatenate(found)

    def _batches(self, source: AudioSource) -> Iterator[NDArray[np.float32]]:
        mono = resample(fold_to_mono(source), vggish.RATE_HZ)
        waiting = np.empty(0, np.float32)
        seen = False
        for block in mono.blocks():
            waiting = np.concatenate([waiting, block[0]])
            whole = 1 + (len(waiting) - self.frame_samples) // self.hop_samples
            while whole > 0:
                count = min(whole, _BATCH)
                starts = np.arange(count) * self.hop_samples
                yield np.stack([waiting[s : s + self.frame_samples] for s in starts])
                waiting = waiting[count * self.hop_samples :]
                whole -= count
                seen = True
        if not seen:
            yield np.pad(waiting, (0, self.frame_samples - len(waiting)))[np.newaxis]


def make_embedder(name: EmbedderName, weights: Path | None, device: torch.device) -> Embedder:
    """Makes an embedder and reads its weights.

    Args:
        name: Name of the embedder. ``mel-statistics``, the mean and spread of 64 log-mel bands,
            needs no weights.
        weights: File with the weights of one of the two networks.
        device: Device that it runs on.

    Raises:
        UsageError: Weights are missing, or given where there are none.
        DeviceError: The weights cannot be used.
    """
    if (weights is None) != (name == "mel-statistics"):
        raise UsageError(
            f"--embedder {name} needs --weights FILE"
            if weights is None
            else "--weights goes with --embedder vggish or music-tagging-vgg"
        )
    if name == "music-tagging-vgg":
        network = _load_network(music_tagging_vgg.MusicTaggingVgg(), weights, device)
        return Embedder(
            name=name,
            size=music_tagging_vgg.EMBEDDING_SIZE,
            frame_samples=music_tagging_vgg.FRAME_SAMPLES,
            hop_samples=music_tagging_vgg.HOP_SAMPLES,
            embed=lambda frames: require_finite(
                network(music_tagging_vgg.log_mel(frames)), network
            ),
            device=device,
        )
    head = vggish.mel_statistics
    if name == "vggish":
        heard = _load_network(vggish.Vggish(), weights, device)

        def head(patches: Tensor) -> Tensor:
            return require_finite(heard(patches), heard)

    return Embedder(
        name=name,
        size=vggish.EMBEDDING_SIZE,
        frame_samples=vggish.FRAME_SAMPLES,
        hop_samples=vggish.HOP_SAMPLES,
        embed=lambda frames: head(vggish.log_mel(frames)),
        device=device,
    )


def _load_network(network: nn.Module, weights: Path | None, device: torch.device) -> nn.Module:
    """A network with the weights of a file, ready to be used on a device."""
    if weights is not None:
        load_into(network, read_tensors(weights), weights)
    return network.eval().requires_grad_(False).to(device)
