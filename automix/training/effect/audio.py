"""Dry audio to train effects with: any folder of it, decoded once to mono."""

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
from automix.errors import InputError, OutputError, UsageError
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.networks.effect_description import RATE_HZ
from automix.parallel.workers import in_parallel
from automix.session.song_folder import MIX_NAME

Recording = NDArray[np.float16]
"""Samples ``(frames,)``."""

_QUIETEST_RMS = 1e-3  # −60 dBFS
_TRIES = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class DryAudio:
    """Recordings to cut pieces from.

    Attributes:
        recordings: For each data set, mapped into memory.
    """

    recordings: tuple[tuple[Recording, ...], ...]

    def piece(self, samples: int, sound: slice, rng: np.random.Generator) -> Samples:
        """A piece ``(1, samples)`` from anywhere, with silence around what is too short.

        Args:
            samples: Length.
            sound: Part of it that is not to be silent.
            rng: Draws the data set, the recording and the place.
        """
        for _ in range(_TRIES):
            of_set = self.recordings[rng.integers(len(self.recordings))]
            recording = of_set[rng.integers(len(of_set))]
            start = int(rng.integers(-samples // 4, max(1, len(recording) - samples // 2)))
            found = cut_piece(recording, start, samples)
            if is_heard(found[:, sound]):
                break
        return found


def cut_piece(recording: Recording, start: int, samples: int) -> Samples:
    """A piece ``(1, samples)`` of a recording, with silence before it begins and after it ends."""
    found = np.zeros((1, samples), np.float32)
    first, last = max(start, 0), min(start + samples, len(recording))
    found[0, first - start : last - start] = recording[first:last]
    return found


def is_heard(audio: Samples) -> bool:
    """Whether there is any sound to hear an effect by."""
    return float(np.sqrt(np.square(audio).mean())) > _QUIETEST_RMS


def open_dry(
    data: Sequence[Path],
    held_out: Sequence[str],
    cache: Path,
    report: Callable[[str], None] = lambda name: None,
) -> tuple[DryAudio, DryAudio]:
    """Finds and decodes dry audio: what to learn from, and what is held out.

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
    sets = [_found(root) for root in data]
    for root, files in zip(data, sets, strict=True):
        if not files:
            raise InputError(f"{printable(root)}: no audio files; give a folder of dry recordings")
    is_held = _split([file for files in sets for file in files], data, held_out)
    opened = [
        in_parallel(lambda file: decode_recording(file, cache, report), files) for files in sets
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


def _found(folder: Path) -> list[Path]:
    files = [file for file in list_audio(folder) if file.stem.casefold() != MIX_NAME]
    return files + [file for below in list_folders(folder) for file in _found(below)]


def _split(
    files: Sequence[Path], data: Sequence[Path], held_out: Sequence[str]
) -> Callable[[Path], bool]:
    """Says of a file whether it is held out."""

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
    """A recording, mono at 44.1 kHz, decoded into a folder or found there from an earlier run.

    Raises:
        InputError: The file cannot be used.
        OutputError: The folder cannot be written.
    """
    status = file.stat()
    stamp = f"{file.resolve()} {status.st_size} {status.st_mtime_ns} {RATE_HZ}"
    place = cache / f"{hashlib.sha256(stamp.encode()).hexdigest()[:32]}.npy"
    if not place.is_file():
        report(file.parent.name)
        source = resample(fold_to_mono(open_audio(file, ReadOptions()).source), RATE_HZ)
        blocks = [block[0].astype(np.float16) for block in source.blocks()]
        temporary = place.with_name(f"{place.stem}.{os.getpid()}.part.npy")
        try:
            cache.mkdir(parents=True, exist_ok=True)
            np.save(temporary, np.concatenate(blocks) if blocks else np.zeros(1, np.float16))
            temporary.replace(place)
        except OSError as error:
            raise OutputError(f"{printable(cache)}: cannot be written: {error.strerror}") from error
    mapped: Recording = np.load(place, mmap_mode="r")
    return mapped
