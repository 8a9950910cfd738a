"""Sample rate conversion."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soxr

from automix.audio.blocks import collect, fit_length, reblock
from automix.audio.samples import Audio, AudioSource, Samples


@dataclass(frozen=True, eq=False)
class Resampled:
    """A source at another sample rate, converted anew on each pass.

    Attributes:
        source: Source that is converted.
        sample_rate: Frames per second that it is converted to.
    """

    source: AudioSource
    sample_rate: int

    @property
    def channels(self) -> int:
        """Number of channels, the same as in the source."""
        return self.source.channels

    @property
    def frames(self) -> int:
        """Length in frames: the duration of the source, to the nearest frame."""
        numerator = 2 * self.source.frames * self.sample_rate + self.source.sample_rate
        return numerator // (2 * self.source.sample_rate)  # no float: exact at any length

    def blocks(self) -> Iterator[Samples]:
        """Yields the audio from its start, in blocks as `AudioSource.blocks` describes them."""
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
        source: The audio to convert. What is in memory (`Audio`) stays in memory, other sources
            are converted anew on each pass; the samples are the same either way.
        sample_rate: New frames per second. The result has the same duration to the nearest frame.
    """
    if sample_rate == source.sample_rate:
        return source
    converted = Resampled(source, sample_rate)
    return collect(converted) if isinstance(source, Audio) else converted
