"""From float to integer samples.

Triangular dither of ±1 least significant bit makes the error of rounding independent of the
signal in mean and power. Source: Lipshitz, Wannamaker & Vanderkooy, "Quantization and dither: a
theoretical survey", J. Audio Eng. Soc. 40 (5), 1992.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import Samples


class Quantizer:
    """Rounds blocks to integers.

    The dither of a sample depends on the seed, its channel and its position, not on the blocks.
    Digital silence stays silent: exact zeros get none.

    Args:
        bits: 16 or 24.
        channels: Number of channels; each has its own dither.
        dither: Whether to add dither. Without it, samples that are integers already come out
            exactly.
        seed: Seed of the generator that draws the dither.

    Attributes:
        clipped: Number of samples above full scale so far; they are held at full scale.
    """

    def __init__(
        self, bits: Literal[16, 24], channels: int, *, dither: bool = True, seed: int = 0
    ) -> None:
        self._bits = bits
        self._generators: list[np.random.Generator] = []
        if dither:
            streams = np.random.SeedSequence(seed).spawn(channels)
            self._generators = [np.random.Generator(np.random.PCG64(s)) for s in streams]
        self.clipped = 0

    def process(self, block: Samples) -> NDArray[np.int32]:
        """Rounds one block.

        Args:
            block: Samples ``(channels, frames)`` that follow those of the last call.

        Returns:
            Integers ``(channels, frames)`` in the high bits of 32, as libsndfile takes them.
        """
        full_scale = float(1 << (self._bits - 1))
        self.clipped += int(np.count_nonzero(np.abs(block) > 1.0))
        scaled = block.astype(np.float64)
        scaled *= full_scale
        for channel, generator in zip(scaled, self._generators, strict=False):
            pairs = generator.random((channel.size, 2), dtype=np.float32)
            noise = pairs[:, 0] - pairs[:, 1]
            noise[channel == 0.0] = 0.0
            channel += noise
        np.rint(scaled, out=scaled)
        np.clip(scaled, -full_scale, full_scale - 1, out=scaled)
        return scaled.astype(np.int32) << (32 - self._bits)
