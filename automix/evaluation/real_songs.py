"""Measures how near the mixes of methods come to those of people, on songs with stems.

The stems of a human mix sum to it. Each is offset at random, the method mixes what it is given, and
its mix is compared with the human one at equal loudness.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import collect
from automix.audio.resampling import resample
from automix.audio.samples import Audio, AudioSource, Samples
from automix.datasets.song import SongFiles, measure_common_part
from automix.evaluation.metrics import is_silent, level_errors_db, stereo_mr_stft
from automix.evaluation.mixers import Mixer, read_stereo
from automix.evaluation.mixes import ALIKE, RATE_HZ, match_level
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.session.song_folder import open_song
from automix.session.tracks import Session, Track
from automix.units import db_to_gain


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The part of songs that is compared, and how the inputs are disturbed.

    Attributes:
        start_s: Time at which the part begins.
        duration_s: Length of the part; songs that end before its end are compared as a whole, as
            far as stems and human mix both go.
        offset_db: Largest random offset of the level of each stem, ±, drawn evenly in the order of
            file names.
        seed: Seed of these draws. Methods that draw themselves take the next one.
    """

    start_s: float = 90.0
    duration_s: float = 30.0
    offset_db: float = 12.0
    seed: int = 7


@dataclass(frozen=True, kw_only=True)
class Distance:
    """The distance of a mix from the human one.

    Attributes:
        stereo_mr_stft: Spectral distance of sum and difference of the sides; NaN where the human
            mix is silent, or mono.
        level_error_db: Mean error of the levels of the tracks in dB; NaN for fewer than two, and
            where a mix is silent.
    """

    stereo_mr_stft: float
    level_error_db: float


@dataclass(frozen=True, kw_only=True)
class EvaluatedSong:
    """The distances of methods on one song.

    Attributes:
        name: Name of the song.
        human: Name of the file of the human mix, or ``sum of the stems``.
        start_s: Time at which the part that was compared begins.
        duration_s: Length of the part that was compared.
        tracks: Number of stems.
        distances: Distance of each method, in the order asked for.
        notes: Sentences for the user.
    """

    name: str
    human: str
    start_s: float
    duration_s: float
    tracks: int
    distances: dict[str, Distance]
    notes: tuple[str, ...]


def evaluate_songs(
    songs: Sequence[SongFiles],
    methods: dict[str, Mixer],
    protocol: Protocol,
    report: Callable[[str], None] = lambda stage: None,
) -> Iterator[EvaluatedSong]:
    """Mixes each song with each method.

    Args:
        songs: Songs of any data set.
        methods: Mixers by name, from `automix.evaluation.mixers`.
        protocol: The part of songs that is compared, and how the inputs are disturbed.
        report: Called with the name of each song as it begins.

    Raises:
        InputError: A file cannot be used.
    """
    for song in songs:
        report(song.name)
        yield _evaluate(song, methods, protocol)


def _evaluate(song: SongFiles, methods: dict[str, Mixer], protocol: Protocol) -> EvaluatedSong:
    session = open_song(song.stems, ReadOptions())
    length_s = session.frames / session.sample_rate
    start_s, stop_s = protocol.start_s, protocol.start_s + protocol.duration_s
    notes = list(song.notes)
    source = None if song.human is None else open_audio(song.human).source
    if song.human is not None and source is not None:
        human_s = source.frames / source.sample_rate
        length_s, about = measure_common_part(song.human, human_s, length_s)
        notes += about
    if stop_s > length_s:
        start_s, stop_s = 0.0, length_s
        notes.append(f"{printable(song.name)}: is {length_s:.1f} s long, and compared as a whole")
    excerpt = _cut_session(session, start_s, stop_s)
    stems = np.stack([read_stereo(track.source) for track in excerpt.tracks])
    human = stems.sum(axis=0)
    if source is not None:
        human = _fit(read_stereo(_cut(source, start_s, stop_s)), human)
    if is_silent(human):
        notes.append(
            f"{printable(song.name)}: the human mix is silent from {start_s:g} to {stop_s:g} s, and"
            " there is no distance from it; choose another --start"
        )
    disturbed = _offset_levels(excerpt, protocol)
    distances = {}
    for name, mix in methods.items():
        made = _fit(mix(disturbed, protocol.seed + 1), human)
        if is_silent(made):
            notes.append(f"{printable(song.name)}: the mix of {printable(name)} is silent")
        distances[name] = _measure_distance(made, human, stems)
        if math.isnan(distances[name].stereo_mr_stft) and not is_silent(human):
            notes.append(
                f"{printable(song.name)}: the sides of the human mix {ALIKE}: no stereo MR-STFT of"
                f" {printable(name)}"
            )
    return EvaluatedSong(
        name=song.name,
        human=song.human.name if song.human else "sum of the stems",
        start_s=start_s,
        duration_s=stop_s - start_s,
        tracks=len(stems),
        distances=distances,
        notes=tuple(notes),
    )


def _cut_session(session: Session, start_s: float, stop_s: float) -> Session:
    tracks = tuple(
        Track(name=track.name, role=track.role, source=_cut(track.source, start_s, stop_s))
        for track in session.tracks
    )
    return Session(tracks=tracks)


def _cut(source: AudioSource, start_s: float, stop_s: float) -> Audio:
    """Cuts a part of a source into memory, at `RATE_HZ`; nothing after the part is read."""
    start, stop = (round(time_s * source.sample_rate) for time_s in (start_s, stop_s))
    pieces: list[Samples] = [np.zeros((source.channels, 0), np.float32)]
    position = 0
    for block in source.blocks():
        pieces.append(block[:, max(start - position, 0) : max(stop - position, 0)])
        position += block.shape[1]
        if position >= stop:
            break
    samples = np.concatenate(pieces, axis=1)
    return collect(resample(Audio(samples, source.sample_rate), RATE_HZ))


def _offset_levels(session: Session, protocol: Protocol) -> Session:
    """Gives the stems random gains, which the method is to undo."""
    draw = np.random.default_rng(protocol.seed)
    tracks = []
    for track in session.tracks:
        gain = db_to_gain(draw.uniform(-protocol.offset_db, protocol.offset_db))
        samples = collect(track.source).samples * np.float32(gain)
        tracks.append(replace(track, source=Audio(samples, RATE_HZ)))
    return Session(tracks=tuple(tracks))


def _measure_distance(mix: Samples, human: Samples, stems: NDArray[np.float32]) -> Distance:
    errors = level_errors_db(mix, human, stems)
    errors = errors[~np.isnan(errors)]
    known = not is_silent(human)
    return Distance(
        stereo_mr_stft=stereo_mr_stft(match_level(mix), match_level(human)) if known else math.nan,
        level_error_db=float(np.abs(errors).mean()) if errors.size > 1 else math.nan,
    )


def _fit(samples: Samples, like: Samples) -> Samples:
    """Makes a signal as long as another: cuts a tail off, or adds silence."""
    frames = like.shape[1]
    missing = max(frames - samples.shape[1], 0)
    return np.ascontiguousarray(np.pad(samples[:, :frames], ((0, 0), (0, missing))))


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Computes mean and standard deviation (n − 1) of the finite values; NaN for too few."""
    finite = [value for value in values if math.isfinite(value)]
    mean = fmean(finite) if finite else math.nan
    return mean, stdev(finite) if len(finite) > 1 else math.nan
