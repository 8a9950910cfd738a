"""Songs as the vocal networks learn from them: a vocal, its backing, and their measured levels."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from automix.analysis.loudness import LoudnessMeter, integrated_lufs, loudness_range_lu
from automix.audio.samples import Samples
from automix.errors import DeviceError, InputError
from automix.inputs import read_outputs
from automix.methods.vocal.settings import PAPER
from automix.networks.checkpoints import read_tensors, save_tensors
from automix.networks.vocal_cnn_description import LEVELS_LU, RANGES_LU
from automix.networks.vocal_mel import RATE_HZ, MelFrames, mark_singing, measure_mono_spectra
from automix.training.decoded_songs import DecodedSong, as_stereo
from automix.training.run import TrainingRun
from automix.training.songs import open_songs
from automix.training.vocal.settings import VocalTraining

RAW = "raw vocal"
"""Name of a stem that holds the vocal as it was recorded; it is no part of the mix."""

PREPARED = "manifest.json"
"""Marks a folder that `automix data vocal` has written."""

_PIECE = 1 << 20
_LEAST_FRAMES = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class VocalSong:
    """A finished vocal over its backing.

    Attributes:
        name: Name of the song.
        weight: How often it is taken.
        data_set: Number of the data set that it comes from.
        vocal: Spectra of the vocal.
        backing: Spectra of all other tracks together.
        raw: Spectra of the vocal as it was recorded, where that is known.
        dry: Samples of the driest vocal that is known, ``(frames,)`` float16 at 44.1 kHz.
        finished: Samples of the finished vocal, likewise.
        level_lu: Loudness of the vocal minus that of the backing.
        range_lu: Loudness range of the vocal, over windows of 0.1 s as in the rules.
        energies: Energies of the vocal block by block, see `automix.analysis.loudness`.
    """

    name: str
    weight: float
    data_set: int
    vocal: MelFrames
    backing: MelFrames
    raw: MelFrames | None
    dry: NDArray[np.float16]
    finished: NDArray[np.float16]
    level_lu: float
    range_lu: float
    energies: NDArray[np.float64]


def open_sources(
    settings: VocalTraining, run: TrainingRun
) -> tuple[list[VocalSong], list[VocalSong]]:
    """Finds, splits, decodes and measures the songs to learn from, and those to validate with.

    Raises:
        AutomixError: See `open_songs` and `measure_songs`.
    """
    request = run.request
    folders = [_find_song_folder(folder) for folder in request.data]
    songs = open_songs(settings, replace(run, request=replace(request, data=folders)))
    cache, report = request.cache_folder, run.report_stage
    training = measure_songs(songs.training, songs.weights, cache, report, sets=songs.sets)
    ones = [1.0] * len(songs.validation)
    return training, measure_songs(songs.validation, ones, cache, report)


def _find_song_folder(folder: Path) -> Path:
    """The folder that holds the songs of a data set: ``songs`` in one of `automix data vocal`."""
    return folder / "songs" if (folder / PREPARED).is_file() else folder


def measure_songs(
    songs: Sequence[DecodedSong],
    weights: Sequence[float],
    cache: Path,
    report: Callable[[str], None] = lambda song: None,
    *,
    sets: Sequence[int] = (),
) -> list[VocalSong]:
    """Measures the songs that have a lead vocal and a backing, and leaves out outliers.

    Args:
        songs: Decoded songs; stems with the role of a lead vocal are the vocal, all others the
            backing.
        weights: How often each song is taken.
        cache: Folder for spectra.
        report: Called with the name of each song as it begins.
        sets: Number of the data set that each song comes from; if empty, all come from one.

    Raises:
        InputError: No song is left.
    """
    measured = []
    for song, weight, number in zip(songs, weights, sets or [0] * len(songs), strict=True):
        report(song.name)
        vocal_song = _measure_song(song, weight, number, cache)
        if vocal_song is not None:
            measured.append(vocal_song)
    if not measured:
        raise InputError(
            f"none of {len(songs)} songs has a lead vocal within {LEVELS_LU} of its backing and a"
            f" loudness range of {RANGES_LU}"
        )
    return measured


def _measure_song(song: DecodedSong, weight: float, data_set: int, cache: Path) -> VocalSong | None:
    """A song with its spectra and levels; none if it has no vocal, no backing, or is an outlier."""
    leads = [i for i, (name, role) in enumerate(song.tracks) if _is_lead(name, role)]
    raws = [i for i, (name, _) in enumerate(song.tracks) if name == RAW]
    rest = [i for i in range(len(song.tracks)) if i not in {*leads, *raws}]
    if not leads or not rest:
        return None
    tensors = _analyze(song, {"vocal": leads, "backing": rest, "raw": raws}, cache)
    level_lu, range_lu = float(tensors["level_lu"]), float(tensors["range_lu"])
    vocal = _read_spectra(tensors, "vocal")
    if level_lu not in LEVELS_LU or range_lu not in RANGES_LU:
        return None
    if int(mark_singing(vocal).sum()) < _LEAST_FRAMES:
        return None
    finished = _fold(song, leads)
    return VocalSong(
        name=song.name,
        weight=weight,
        data_set=data_set,
        vocal=vocal,
        backing=_read_spectra(tensors, "backing"),
        raw=_read_spectra(tensors, "raw") if raws else None,
        dry=_fold(song, raws) if raws else finished,
        finished=finished,
        level_lu=level_lu,
        range_lu=range_lu,
        energies=tensors["energies"].numpy(),
    )


def _is_lead(name: str, role: str) -> bool:
    """Whether a stem is the finished lead vocal."""
    return role == "lead vocal" and name != RAW


def _read_spectra(tensors: dict[str, Any], name: str) -> MelFrames:
    """The spectra of a part of a song from its cache."""
    return MelFrames(
        mel=tensors[f"{name}.mel"],
        power=tensors[f"{name}.power"],
        peak=float(tensors[f"{name}.peak"]),
    )


def _analyze(song: DecodedSong, parts: dict[str, list[int]], cache: Path) -> dict[str, Any]:
    """Spectra and loudness of parts of a song, from the cache where the audio is the same."""
    digest = hashlib.sha256(repr((2, song.tracks, song.frames)).encode())
    for stem in song.stems:
        digest.update(np.ascontiguousarray(stem[:, ::4999]).tobytes())
    path = cache / "vocal" / f"{digest.hexdigest()[:24]}.safetensors"
    if path.is_file():
        try:
            with read_outputs():
                return dict(read_tensors(path))
        except DeviceError:  # left half-written, or damaged: it is made again
            pass
    found: dict[str, torch.Tensor] = {}
    energies = {}
    for part, stems in parts.items():
        if stems:
            frames = measure_mono_spectra(piece.mean(0) for piece in _sum_stems(song, stems))
            found[f"{part}.mel"], found[f"{part}.power"] = frames.mel, frames.power
            found[f"{part}.peak"] = torch.tensor(frames.peak)
            meter = LoudnessMeter(RATE_HZ, 2)
            for piece in _sum_stems(song, stems):
                meter.add(piece)
            energies[part] = meter.energies
    level_lu = integrated_lufs(energies["vocal"]) - integrated_lufs(energies["backing"])
    range_lu = loudness_range_lu(energies["vocal"], PAPER.loudness_range_window_s)
    found["energies"] = torch.from_numpy(energies["vocal"])
    found["level_lu"] = torch.tensor(level_lu)
    found["range_lu"] = torch.tensor(range_lu)
    save_tensors(path, found)
    return found


def _fold(song: DecodedSong, stems: Sequence[int]) -> NDArray[np.float16]:
    """The mono sum ``(frames,)`` of stems."""
    return np.concatenate([piece.mean(0).astype(np.float16) for piece in _sum_stems(song, stems)])


def _sum_stems(song: DecodedSong, stems: Sequence[int]) -> Iterator[Samples]:
    """Yields the sum of stems ``(2, samples)``, piece by piece."""
    for start in range(0, song.frames, _PIECE):
        stop = min(start + _PIECE, song.frames)
        total = np.zeros((2, stop - start), np.float32)
        for index in stems:
            total += as_stereo(song.stem(index, start, stop))
        yield total
