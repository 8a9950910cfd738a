"""Measures mixes, and compares them with a target after bringing both to one level."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automix.analysis.features import MixFeatures, measure_features
from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.blocks import collect
from automix.audio.resampling import resample
from automix.audio.samples import Audio, AudioSource, Samples
from automix.errors import InputError, UsageError
from automix.evaluation.metrics import (
    is_silent,
    mae,
    mr_stft,
    stereo_mr_stft,
    third_octave_distance_db,
)
from automix.files.extensions import AUDIO_EXTENSIONS
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.units import db_to_gain

RATE_HZ = 44100
"""Sample rate at which distances are measured: the sizes of their transforms are in samples."""

LEVEL_LUFS = -20.0
"""Loudness that both signals are brought to before distances are measured."""

ALIKE = "are alike, as in mono, or opposite"
"""Why there is no `stereo_mr_stft`, which is relative to the sum and difference of a target."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measure of a mix, as a column of tables.

    Attributes:
        name: Name in JSON and CSV.
        label: Name for people, with the unit.
        decimals: Number of decimals that are printed.
    """

    name: str
    label: str
    decimals: int = 2


DISTANCES = (
    Figure(name="stereo_mr_stft", label="stereo MR-STFT", decimals=3),
    Figure(name="mr_stft", label="MR-STFT", decimals=3),
    Figure(name="l1", label="L1", decimals=4),
    Figure(name="third_octave_distance_db", label="1/3-octave distance dB"),
)
FEATURES = (
    Figure(name="integrated_lufs", label="loudness LUFS"),
    Figure(name="loudness_range_lu", label="loudness range LU", decimals=1),
    Figure(name="true_peak_dbtp", label="true peak dBTP"),
    Figure(name="crest_db", label="crest factor dB", decimals=1),
    Figure(name="centroid_hz", label="spectral centroid Hz", decimals=0),
    Figure(name="width_db", label="stereo width dB", decimals=1),
    Figure(name="imbalance_db", label="imbalance dB (+ right)"),
)


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """The part of each file that is compared, and how.

    Attributes:
        start_s: Time at which it begins.
        duration_s: Length of the part; none for all that follows.
        match_levels: Whether distances are measured at one loudness.
    """

    start_s: float = 0.0
    duration_s: float | None = None
    match_levels: bool = True


@dataclass(frozen=True, kw_only=True)
class EvaluatedMix:
    """The figures of one mix.

    Attributes:
        song: Name of the song where folders are compared, else empty.
        path: File of the mix.
        figures: Value of each of the `FEATURES` by name, and with a target of the `DISTANCES`. NaN
            where there is no value, as for the centroid of silence or the distance from it.
        notes: Sentences for the user.
    """

    song: str
    path: Path
    figures: dict[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _MeasuredMix:
    """An excerpt of a mix in memory, and its features."""

    path: Path
    audio: Audio
    features: MixFeatures
    notes: tuple[str, ...]

    def read(self, *, match: bool) -> Samples:
        """Returns stereo at `RATE_HZ`, brought to `LEVEL_LUFS` where ``match`` says so."""
        samples = collect(resample(self.audio, RATE_HZ)).samples
        samples = np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples
        return match_level(samples) if match else samples


def match_level(samples: Samples) -> Samples:
    """Brings stereo at `RATE_HZ` to `LEVEL_LUFS`; what has no loudness stays as it is."""
    lufs = measure_lufs(samples)
    return samples * np.float32(db_to_gain(LEVEL_LUFS - lufs)) if math.isfinite(lufs) else samples


def measure_lufs(samples: Samples) -> float:
    """Measures the integrated loudness of stereo at `RATE_HZ`; −inf for silence."""
    meter = LoudnessMeter(RATE_HZ, 2)
    meter.add(samples)
    return integrated_lufs(meter.energies)


def evaluate_mixes(
    mixes: Sequence[Path], target: Path | None, excerpt: Excerpt
) -> Iterator[EvaluatedMix]:
    """Measures mixes; where a target is given, it comes first, song by song.

    Args:
        mixes: Files, or folders of files.
        target: A file; or a folder, whose files are compared with those of the same name in the
            folders of mixes; or none.
        excerpt: The part of each file that is compared.

    Raises:
        InputError: A file cannot be used, or a folder holds none.
        UsageError: Files and folders are mixed up.
    """
    for song, wanted, found in _match_songs(mixes, target):
        reference = _measure_mix(wanted, excerpt) if wanted is not None else None
        if reference is not None:
            yield _evaluate(song, reference, None, excerpt)
        for path in found:
            yield _evaluate(song, _measure_mix(path, excerpt), reference, excerpt)


def _match_songs(
    mixes: Sequence[Path], target: Path | None
) -> Iterator[tuple[str, Path | None, list[Path]]]:
    """Yields songs by name, each with its target and its mixes."""
    if target is None or not os.path.isdir(target):
        if target is not None and any(os.path.isdir(path) for path in mixes):
            raise UsageError(
                f"--target {printable(target)} is a file: give files to compare with it"
            )
        yield "", target, [file for path in mixes for file in (find_audio_files(path) or [path])]
        return
    if not all(os.path.isdir(path) for path in mixes):
        raise UsageError(
            f"--target {printable(target)} is a folder: give folders to compare with it"
        )
    found = {path: {file.stem: file for file in find_audio_files(path)} for path in mixes}
    for file in find_audio_files(target):
        of_song = [files[file.stem] for files in found.values() if file.stem in files]
        if of_song:
            yield file.stem, file, of_song
    names = {file.stem for file in find_audio_files(target)}
    if not any(names & set(files) for files in found.values()):
        raise InputError(f"{printable(target)}: no file has the name of one in the other folders")


def find_audio_files(folder: Path) -> list[Path]:
    """Lists the audio files of a folder; nothing where the path is no folder.

    Raises:
        InputError: The folder holds none.
    """
    if not os.path.isdir(folder):
        return []
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in AUDIO_EXTENSIONS and not path.name.startswith(".")
    )
    if not files:
        raise InputError(f"{printable(folder)}: no audio files")
    return files


def _measure_mix(path: Path, excerpt: Excerpt) -> _MeasuredMix:
    opened = open_audio(path, ReadOptions())
    audio = _cut(opened.source, excerpt, path)
    notes = [f"{printable(path)}: {note}" for note in opened.notes]
    if audio.channels == 1:
        notes.append(f"{printable(path)}: mono, taken as two equal sides")
    return _MeasuredMix(
        path=path, audio=audio, features=measure_features(audio), notes=tuple(notes)
    )


def _cut(source: AudioSource, excerpt: Excerpt, path: Path) -> Audio:
    rate = source.sample_rate
    start = round(excerpt.start_s * rate)
    stop = None if excerpt.duration_s is None else start + round(excerpt.duration_s * rate)
    samples = collect(source).samples[:, start:stop]
    if samples.shape[1] == 0:
        length_s = source.frames / rate
        raise InputError(f"{printable(path)}: is {length_s:.2f} s long; choose an earlier --start")
    return Audio(samples, rate)


def _evaluate(
    song: str, mix: _MeasuredMix, target: _MeasuredMix | None, excerpt: Excerpt
) -> EvaluatedMix:
    features = mix.features
    figures = {
        "integrated_lufs": features.loudness.integrated_lufs,
        "loudness_range_lu": features.loudness.loudness_range_lu,
        "true_peak_dbtp": features.loudness.true_peak_dbtp,
        "crest_db": features.crest_db,
        "centroid_hz": features.centroid_hz,
        "width_db": features.width_db,
        "imbalance_db": features.imbalance_db,
    }
    notes = list(mix.notes)
    if target is not None:
        distances, about = _measure_distances(mix, target, excerpt.match_levels)
        figures |= distances
        notes += [f"{printable(mix.path)}: {note}" for note in about]
    return EvaluatedMix(song=song, path=mix.path, figures=figures, notes=tuple(notes))


def _measure_distances(
    mix: _MeasuredMix, target: _MeasuredMix, match: bool
) -> tuple[dict[str, float], list[str]]:
    notes = []
    if mix.audio.sample_rate != target.audio.sample_rate:
        rates = f"{mix.audio.sample_rate} against {target.audio.sample_rate} Hz"
        notes.append(f"{rates}, compared at {RATE_HZ} Hz")
    found, wanted = mix.read(match=match), target.read(match=match)
    for of, samples in (("", found), ("the target ", wanted)):
        if match and not is_silent(samples) and not math.isfinite(measure_lufs(samples)):
            notes.append(
                f"{of}has no loudness, being too quiet or too short, and keeps its own level"
            )
    frames = min(found.shape[1], wanted.shape[1])
    if (difference := abs(found.shape[1] - wanted.shape[1]) / RATE_HZ) > 0.001:
        longer = "longer" if found.shape[1] > frames else "shorter"
        notes.append(f"{difference:.2f} s {longer} than the target; the common part is compared")
    found, wanted = found[:, :frames], wanted[:, :frames]
    if is_silent(wanted):
        notes.append("the target is silent: there is no distance from it")
        return {figure.name: math.nan for figure in DISTANCES}, notes
    if is_silent(found):
        notes.append("is silent")
    bands = [measure_features(Audio(side, RATE_HZ)).third_octaves_db for side in (found, wanted)]
    distances = {
        "stereo_mr_stft": stereo_mr_stft(found, wanted),
        "mr_stft": mr_stft(found, wanted),
        "l1": mae(found, wanted),
        "third_octave_distance_db": third_octave_distance_db(*bands),
    }
    if math.isnan(distances["stereo_mr_stft"]):
        notes.append(f"the sides of the target {ALIKE}: no stereo MR-STFT")
    if math.isnan(distances["mr_stft"]):
        notes.append("a side of the target is silent: no MR-STFT")
    return distances, notes
