"""What the report measures on a mix and its inputs, in one streaming pass over each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from automix.analysis.features import FeatureMeter, MixFeatures
from automix.analysis.loudness import LoudnessMeter, integrated_lufs, short_term_lufs
from automix.audio.blocks import pad
from automix.audio.samples import Audio, AudioSource, Samples
from automix.audio.streams import Stream
from automix.parallel.workers import Workers, run_in_parallel
from automix.session.tracks import Session

Vector = NDArray[np.float64]

_COLUMNS = 720
_CENTER = np.float32(np.sqrt(0.5))


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredTrack:
    """A mix or the sum of its inputs.

    Attributes:
        features: Loudness, spectrum and the like.
        short_term_lufs: Every 100 ms ``(hops,)``.
        low: Lowest sample of each column of the waveform.
        high: Highest sample.
    """

    features: MixFeatures
    short_term_lufs: Vector
    low: Vector
    high: Vector


class BlockListener(Protocol):
    """What takes audio block by block."""

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, n)``."""


def hear_mix(source: AudioSource) -> MeasuredTrack:
    """Measures a source."""
    features = FeatureMeter(source.sample_rate, source.channels)
    loudness = LoudnessMeter(source.sample_rate, source.channels)
    columns = min(_COLUMNS, source.frames)
    edges = np.linspace(0, source.frames, columns + 1).astype(np.int64)
    low, high = np.zeros(columns), np.zeros(columns)
    position = 0
    for block in source.blocks():
        features.add(block)
        loudness.add(block)
        first, last = np.searchsorted(edges, [position, position + block.shape[1] - 1], "right") - 1
        for column in range(first, last + 1):
            start, stop = (max(0, edge - position) for edge in edges[column : column + 2])
            piece = block[:, start:stop]
            low[column] = min(low[column], float(piece.min(initial=0.0)))
            high[column] = max(high[column], float(piece.max(initial=0.0)))
        position += block.shape[1]
    return MeasuredTrack(
        features=features.result(),
        short_term_lufs=short_term_lufs(loudness.energies),
        low=low,
        high=high,
    )


def sum_of_inputs(
    session: Session, listeners: Mapping[str, Sequence[BlockListener]] | None = None
) -> AudioSource:
    """The tracks as they are, mono ones in the center.

    Args:
        session: The tracks.
        listeners: Are given the blocks of the track of their name while the sum is read, once.
    """
    listening = listeners or {}

    def listen(track: str, block: Samples) -> None:
        for listener in listening.get(track, ()):
            listener.add(block)

    def blocks() -> Iterator[Samples]:
        names = [track.name for track in session.tracks]
        with Workers(len(names)) as workers:
            for pieces in zip(*(track.source.blocks() for track in session.tracks), strict=True):
                workers.map(lambda pair: listen(*pair), zip(names, pieces, strict=True))
                total = np.zeros((2, pieces[0].shape[1]), np.float32)
                for piece in pieces:
                    total += piece if len(piece) == 2 else _CENTER * piece
                yield total

    return Stream(
        sample_rate=session.sample_rate, channels=2, frames=session.frames, make_blocks=blocks
    )


def loudest_part(short_term: Vector, duration_s: float, excerpt_s: float) -> tuple[float, float]:
    """Beginning and end in seconds of the excerpt of a length with the most energy."""
    hops = round(10 * excerpt_s)
    if len(short_term) <= hops:
        return 0.0, min(duration_s, excerpt_s)
    energies = np.cumsum(np.concatenate([[0.0], 10 ** (short_term / 10)]))
    start = int(np.argmax(energies[hops:] - energies[:-hops]))
    return start / 10, start / 10 + excerpt_s


def excerpts(sources: dict[str, AudioSource], start_s: float, stop_s: float) -> dict[str, Audio]:
    """The same part of every source; what ends before is filled up with silence."""
    return dict(
        zip(
            sources,
            run_in_parallel(partial(_excerpt, start_s=start_s, stop_s=stop_s), sources.values()),
            strict=True,
        )
    )


def _excerpt(source: AudioSource, start_s: float, stop_s: float) -> Audio:
    start, stop = round(start_s * source.sample_rate), round(stop_s * source.sample_rate)
    pieces: list[Samples] = []
    position = 0
    for block in pad(source, max(stop, source.frames)).blocks():
        pieces.append(block[:, max(0, start - position) : max(0, stop - position)])
        position += block.shape[1]
        if position >= stop:
            break
    return Audio(np.concatenate(pieces, axis=1), source.sample_rate)


def loudness_of(audio: Audio) -> float:
    """Integrated loudness in LUFS."""
    meter = LoudnessMeter(audio.sample_rate, audio.channels)
    meter.add(audio.samples)
    return integrated_lufs(meter.energies)
