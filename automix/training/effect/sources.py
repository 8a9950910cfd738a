"""Audio to train effects with, decoded once to mono: dry recordings, or pairs from an LA-2A."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import fold_to_mono
from automix.audio.resampling import resample
from automix.audio.samples import Samples
from automix.datasets.listing import list_audio, list_folders
from automix.datasets.signaltrain_la2a import La2aRecording, read_recordings
from automix.datasets.song import measure_common_part
from automix.errors import InputError, UsageError
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.networks.effect_description import LA2A_SLOTS, RATE_HZ
from automix.parallel.workers import run_in_parallel
from automix.session.song_folder import MIX_NAME
from automix.training.decoded_songs import identify_file, read_array, write_array
from automix.training.effect.settings import EffectTraining
from automix.training.run import TrainingRun

Recording = NDArray[np.float16]
"""Samples ``(frames,)`` at 44.1 kHz."""

RecordedPair = tuple[Recording, Recording, NDArray[np.float32]]
"""Input of a device, its output, and the positions of its controls in −1…1."""

_QUIETEST_RMS = 1e-3  # −60 dBFS
_TRIES = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class DryAudio:
    """Recordings to cut pieces from.

    Attributes:
        recordings: The recordings of each data set, mapped into memory.
    """

    recordings: tuple[tuple[Recording, ...], ...]

    def draw_piece(self, samples: int, sound: slice, rng: np.random.Generator) -> Samples:
        """Draws a piece ``(1, samples)`` from anywhere, with silence around what is too short.

        Args:
            samples: Length of the piece.
            sound: Part of the piece that is not to be silent.
            rng: Draws the data set, the recording and the place.
        """
        for _ in range(_TRIES):
            of_set = self.recordings[rng.integers(len(self.recordings))]
            recording = of_set[rng.integers(len(of_set))]
            start = int(rng.integers(-samples // 4, max(1, len(recording) - samples // 2)))
            found = cut_piece(recording, start, samples)
            if is_audible(found[:, sound]):
                break
        return found


def cut_piece(recording: Recording, start: int, samples: int) -> Samples:
    """A piece ``(1, samples)`` of a recording, with silence before it begins and after it ends."""
    found = np.zeros((1, samples), np.float32)
    first, last = max(start, 0), min(start + samples, len(recording))
    found[0, first - start : last - start] = recording[first:last]
    return found


def is_audible(audio: Samples) -> bool:
    """Whether there is any sound to hear an effect by."""
    return float(np.sqrt(np.square(audio).mean())) > _QUIETEST_RMS


EffectSource = DryAudio | list[RecordedPair]


def open_sources(settings: EffectTraining, run: TrainingRun) -> tuple[EffectSource, EffectSource]:
    """Finds and decodes what an effect is learned from, and what is held out.

    Raises:
        AutomixError: See `open_dry`, and `open_pairs` for the LA-2A.
    """
    request = run.request
    if settings.model.effect == "la2a":
        return open_pairs(run)
    return open_dry(request.data, request.held_out, request.cache_folder, run.report_stage)


def open_dry(
    data: Sequence[Path],
    held_out: Sequence[str],
    cache: Path,
    report: Callable[[str], None] = lambda name: None,
) -> tuple[DryAudio, DryAudio]:
    """Finds and decodes dry audio to learn from, and dry audio that is held out.

    Args:
        data: Folders, searched to the bottom. Files named ``mix`` are left out.
        held_out: Names of folders or files, without extension. If none, every tenth folder is, or
            every tenth file where all lie in one folder.
        cache: Folder for the decoded audio.
        report: Called with the name of each folder.

    Raises:
        InputError: There is no audio, or a file cannot be used.
        UsageError: What is to be held out is not there, or nothing is left to learn from.
        OutputError: The cache cannot be written.
    """
    sets = [_find_files(root) for root in data]
    for root, files in zip(data, sets, strict=True):
        if not files:
            raise InputError(f"{printable(root)}: no audio files; give a folder of dry recordings")
    is_held = _split([file for files in sets for file in files], data, held_out)
    opened = [
        run_in_parallel(lambda file: decode_recording(file, cache, report), files) for files in sets
    ]
    parts = []
    for held in (False, True):
        chosen = tuple(
            tuple(
                recording
                for recording, file in zip(recordings, files, strict=True)
                if is_held(file) == held
            )
            for recordings, files in zip(opened, sets, strict=True)
        )
        parts.append(tuple(recordings for recordings in chosen if recordings))
    if not all(parts):
        raise UsageError(
            "all of the audio is held out, or none of it; give more files, or other --hold-out"
        )
    return DryAudio(recordings=parts[0]), DryAudio(recordings=parts[1])


def _find_files(folder: Path) -> list[Path]:
    """All audio files of a folder and those below it, but for mixes."""
    files = [file for file in list_audio(folder) if file.stem.casefold() != MIX_NAME]
    return files + [file for below in list_folders(folder) for file in _find_files(below)]


def _split(
    files: Sequence[Path], data: Sequence[Path], held_out: Sequence[str]
) -> Callable[[Path], bool]:
    """Makes the function that tells of a file whether it is held out."""

    def names(file: Path) -> set[str]:
        root = next(root for root in data if file.is_relative_to(root))
        return {root.resolve().name, *file.relative_to(root).parts[:-1], file.stem}

    if held_out:
        for name in held_out:
            if not any(name in names(file) for file in files):
                raise UsageError(f"--hold-out {name}: there is no such folder or file of audio")
        return lambda file: not names(file).isdisjoint(held_out)
    units = sorted({file.parent for file in files})
    if len(units) == 1:
        held_files = set(sorted(files)[::10])
        return lambda file: file in held_files
    held_folders = set(units[::10])
    return lambda file: file.parent in held_folders


def decode_recording(file: Path, cache: Path, report: Callable[[str], None]) -> Recording:
    """Decodes a recording to mono at 44.1 kHz, or finds it as an earlier run decoded it.

    Args:
        file: The audio file.
        cache: Folder for the decoded audio.
        report: Called with the name of the file's folder if it has to be decoded.

    Raises:
        InputError: The file cannot be used.
        OutputError: The folder cannot be written.
    """
    stamp = " ".join(map(str, [*identify_file(file), RATE_HZ]))
    place = cache / f"{hashlib.sha256(os.fsencode(stamp)).hexdigest()[:32]}.npy"
    if (found := read_array(place)) is not None:
        return found
    report(file.parent.name)
    source = resample(fold_to_mono(open_audio(file, ReadOptions()).source), RATE_HZ)
    blocks = [block[0].astype(np.float16) for block in source.blocks()]
    decoded = np.concatenate(blocks) if blocks else np.zeros(1, np.float16)
    write_array(place, decoded)
    mapped = read_array(place)
    return decoded if mapped is None else mapped


def open_pairs(run: TrainingRun) -> tuple[list[RecordedPair], list[RecordedPair]]:
    """Finds and decodes recordings of an LA-2A to learn from, and those to validate with.

    Raises:
        UsageError: Something else is to be held out than the data set says.
        InputError: The folders hold no such data set, or a part of it is missing.
        OutputError: The cache cannot be written.
    """
    request = run.request
    if request.held_out:
        raise UsageError("--hold-out: SignalTrain LA2A has a split of its own, Train, Val and Test")
    sides: dict[str, list[RecordedPair]] = {"train": [], "validation": []}
    for recording in (found for root in request.data for found in read_recordings(root)):
        if recording.side in sides:
            positions = la2a_positions(recording)
            given, wanted = (
                decode_recording(file, request.cache_folder, run.report_stage)
                for file in (recording.input, recording.target)
            )
            target_s, given_s = (len(samples) / RATE_HZ for samples in (wanted, given))
            about = measure_common_part(recording.target, target_s, given_s, "its input")[1]
            for sentence in about:
                run.note(sentence)
            sides[recording.side].append((given, wanted, positions))
    for side, folder in (("train", "Train"), ("validation", "Val")):
        if not sides[side]:
            raise InputError(
                f"{printable(request.data[0])}: nothing in {folder}; training needs it"
            )
    return sides["train"], sides["validation"]


def la2a_positions(recording: La2aRecording) -> NDArray[np.float32]:
    """Positions −1…1 of the two controls of a recording, as a network takes them."""
    values = (float(recording.limit), recording.peak_reduction)
    positions = [slot.position(value) for slot, value in zip(LA2A_SLOTS, values, strict=True)]
    return np.array(positions, np.float32)
