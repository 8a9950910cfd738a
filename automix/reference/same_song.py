"""Finds out whether a reference is a mix of this very song, and where the song begins in it.

If it is, both can be compared moment by moment, which says far more of the levels than what all of
a song has in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from automix.analysis.hops import hop_start
from automix.analysis.loudness import measure_energies
from automix.audio.resampling import resample
from automix.audio.samples import AudioSource
from automix.files.reading import open_audio
from automix.reference.excerpts import cut_excerpts

_DEPTH_DB = 40.0
_TREND_HOPS = 31
_LEAST_CORRELATION = 0.8
"""Least correlation of loudness over time: mixes of one real song had 0.93 and more, those of two
at most 0.33."""
_LEAST_OVERLAP = 0.5
_SHORTEST_HOPS = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class SameSong:
    """A mix and a reference that is a mix of the same song.

    Attributes:
        mix: Audio of any mix of the song.
        reference: Audio of the reference at the same sample rate.
        hops: Number of hops of 0.1 s by which the mix begins later in the reference.
    """

    mix: AudioSource
    reference: AudioSource
    hops: int

    def cut_moments(self, starts: NDArray[np.int64], length: int) -> Tensor:
        """Cuts the excerpts of the reference that belong to those of the mix.

        Args:
            starts: Frames at which the excerpts of the mix start.
            length: Length of each excerpt in frames.

        Returns:
            Excerpts ``(excerpts, 2, length)``.

        Raises:
            InputError: The file behind a source changed or cannot be read.
        """
        margin = hop_start(1, self.mix.sample_rate)
        later = hop_start(self.hops, self.mix.sample_rate)
        wanted = cut_excerpts(self.mix, starts, length).mean(1)
        around = cut_excerpts(self.reference, starts + later - margin, length + 2 * margin)
        size = 1 << (length + 2 * margin).bit_length()
        products = np.fft.rfft(around.mean(1), size) * np.fft.rfft(wanted, size).conj()
        first = int(np.abs(np.fft.irfft(products.sum(0), size)[: 2 * margin + 1]).argmax())
        return from_numpy(np.ascontiguousarray(around[..., first : first + length]))


def find_same_song(files: Sequence[Path], mix: AudioSource) -> SameSong | None:
    """Finds a mix in its reference.

    Returns:
        Where it was found; none if the reference is of another song, or there are several.

    Raises:
        InputError: A file cannot be read.
    """
    if len(files) != 1:
        return None
    reference = resample(open_audio(files[0], in_memory=False).source, mix.sample_rate)
    hops = _find_lag(_loudness_over_time(mix), _loudness_over_time(reference))
    return None if hops is None else SameSong(mix=mix, reference=reference, hops=hops)


def _loudness_over_time(source: AudioSource) -> NDArray[np.float64]:
    """Measures loudness over time against the seconds around, in dB."""
    level_db = 10.0 * np.log10(np.maximum(measure_energies(source), 1e-12))
    if len(level_db) < _SHORTEST_HOPS:
        return np.empty(0)
    level_db = np.maximum(level_db, level_db.max() - _DEPTH_DB)
    window = np.ones(_TREND_HOPS)
    counts = np.convolve(np.ones_like(level_db), window, "same")
    return np.asarray(level_db - np.convolve(level_db, window, "same") / counts)


def _find_lag(mix: NDArray[np.float64], reference: NDArray[np.float64]) -> int | None:
    """Finds by how many hops the mix begins later in the reference; none if they are not alike."""
    if not len(mix) or not len(reference):
        return None
    size = 1 << (len(mix) + len(reference)).bit_length()
    products = np.fft.rfft(reference, size) * np.fft.rfft(mix, size).conj()
    lag = int(np.fft.irfft(products, size).argmax())
    lag -= size if lag >= len(reference) else 0
    first, last = max(lag, 0), min(lag + len(mix), len(reference))
    ours, theirs = mix[first - lag : last - lag], reference[first:last]
    power = np.sqrt(np.square(ours).sum() * np.square(theirs).sum())
    if last - first < _LEAST_OVERLAP * len(mix) or not power:
        return None
    return lag if ours @ theirs >= _LEAST_CORRELATION * power else None
