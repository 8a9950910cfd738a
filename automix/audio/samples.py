"""Audio in memory, and the streaming interface that it shares with files."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from automix.errors import InputError

BLOCK_FRAMES = 65536
"""Frames per block of every streaming pass. One constant, so that a mix does not depend on it."""

Samples = NDArray[np.float32]
"""An array ``(channels, frames)`` of float32; full scale is ±1."""


class AudioSource(Protocol):
    """Audio that can be read from the start any number of times, block by block."""

    @property
    def sample_rate(self) -> int:
        """Frames per second."""

    @property
    def channels(self) -> int:
        """1 (mono) or 2 (stereo)."""

    @property
    def frames(self) -> int:
        """Length in frames."""

    def blocks(self) -> Iterator[Samples]:
        """Yields blocks ``(channels, BLOCK_FRAMES)`` of float32; only the last may be shorter.

        Raises:
            InputError: The file behind the source changed or cannot be read.
        """


@dataclass(frozen=True, eq=False)
class Audio:
    """Audio in memory: finite samples that cannot be changed.

    Args:
        samples: ``(channels, frames)`` float32; a one-dimensional array is taken as mono.
        sample_rate: Frames per second.

    Raises:
        InputError: A sample is NaN or infinite.
    """

    samples: Samples
    sample_rate: int

    def __post_init__(self) -> None:
        samples = np.atleast_2d(np.asarray(self.samples, dtype=np.float32))
        if not np.isfinite(samples).all():
            raise InputError("audio holds NaN or infinite samples")
        samples = samples.view()
        samples.flags.writeable = False
        object.__setattr__(self, "samples", samples)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """Length in frames."""
        return int(self.samples.shape[1])

    def blocks(self) -> Iterator[Samples]:
        """Yields the audio from its start, in blocks as `AudioSource.blocks` describes them."""
        for start in range(0, self.frames, BLOCK_FRAMES):
            yield self.samples[:, start : start + BLOCK_FRAMES]
