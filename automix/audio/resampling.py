"""Sample rate conversion."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soxr

from automix.audio.blocks import collect, fit_length, reblock
from automix.audio.samples import Audio, AudioSource, Samples


@dataclass(frozen=True, eq=False)
class Resampled:
    """A source at another sample rate, converted anew on each pass."""

    source: AudioSource
    sample_rate: int

    @property
    def channels(self) -> int:
        """As in the source."""
        return self.source.channels

    @property
    def frames(self) -> int:
        """The same duration, to the nearest frame."""
        numerator = 2 * self.source.frames * self.sample_rate + self.source.sample_rate
        return numerator // (2 * self.source.sample_rate)  # no float: exact at any length

    def blocks(self) -> Iterator[Samples]:
        """See `AudioSource.blocks`."""
        return reblock(fit_length(self._convert(), self.channels, self.frames))

    def _convert(self) -> Iterator[Samples]:
        converter = soxr.ResampleStream(
            self.source.sample_rate, self.sample_rate, self.channels, dtype="float32", quality="VHQ"
        )
        for block in self.source.blocks():
            yield converter.resample_chunk(np.ascontiguousarray(block.T)).T
        yield converter.resample_chunk(np.zeros((0, self.channels), np.float32), last=True).T


def resample(source: AudioSource, sample_rate: int) -> AudioSource:
    """Converts the sample rate, linear phase, with soxr at its very high quality.

    Args:
        source: What to convert. In memory (`Audio`) it stays in memory, else it streams; the
            samples are the same either way.
        sample_rate: New frames per second. The result has the same duration to the nearest frame.
    """
    if sample_rate == source.sample_rate:
        return source
    converted = Resampled(source, sample_rate)
    return collect(converted) if isinstance(source, Audio) else converted
