"""Songs decoded once, so that any stretch of any stem is at hand while a network trains."""

import contextlib
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.audio.resampling import resample
from automix.audio.samples import Audio, AudioSource, Samples
from automix.datasets.song import SongFiles, measure_common_part
from automix.errors import AutomixError, OutputError
from automix.files.disk import report_write_failures
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.files.regular import open_regular_file
from automix.files.target import OutputTarget
from automix.plan.roles import Role
from automix.session.song_folder import open_song

RATE_HZ = 44100
_CARD = "song.json"
_OWN_FILE = re.compile(r"song\.json|(\d+|human)\.npy|\.automix-[0-9a-f]{16}\.part")


@dataclass(frozen=True, kw_only=True, eq=False)
class DecodedSong:
    """A song whose stems lie decoded on the disk.

    Attributes:
        name: Name of its folder.
        tracks: Name and role of each stem.
        stems: Samples of each stem, ``(channels, frames)`` float16, mapped into memory.
        human: Samples of the human mix; none where it is the sum of the stems.
    """

    name: str
    tracks: tuple[tuple[str, Role], ...]
    stems: tuple[NDArray[np.float16], ...]
    human: NDArray[np.float16] | None

    @property
    def frames(self) -> int:
        """Number of samples per channel at `RATE_HZ` that stems and human mix have in common."""
        parts = (self.stems[0], *(() if self.human is None else (self.human,)))
        return min(int(part.shape[1]) for part in parts)

    def stem(self, index: int, start: int, stop: int) -> Samples:
        """A stretch of a stem ``(channels, stop - start)``."""
        return np.asarray(self.stems[index][:, start:stop], np.float32)

    def mix(self, start: int, stop: int) -> Samples:
        """A stretch of the human mix ``(2, stop - start)``."""
        if self.human is not None:
            return as_stereo(np.asarray(self.human[:, start:stop], np.float32))
        total = np.zeros((2, stop - start), np.float32)
        for index in range(len(self.stems)):
            total += as_stereo(self.stem(index, start, stop))
        return total


def as_stereo(samples: Samples) -> Samples:
    """``(2, samples)``: mono on both sides alike."""
    return np.broadcast_to(samples, (2, samples.shape[1]))


def decode_songs(
    songs: Sequence[SongFiles],
    folder: Path,
    report: Callable[[str], None] = lambda song: None,
    note: Callable[[str], None] = lambda sentence: None,
) -> list[DecodedSong]:
    """Decodes songs into a folder; what lies there from an earlier run is used again.

    Args:
        songs: Files of the songs.
        folder: For the decoded audio, about 170 kB for each second and stereo stem.
        report: Called with the name of each song as it begins.
        note: Called with sentences for the user, such as where stems and human mix differ in
            length.

    Raises:
        InputError: A file cannot be used.
        OutputError: The folder cannot be written; no song is left there in part.
    """
    decoded = []
    for song in songs:
        report(song.name)
        place = folder / song.name
        files = [identify_file(path) for path in _list_files(song)]
        found = _open(song, place, files)
        if found is None:
            _decode(song, place, files)
            found = _open(song, place, files)
        if found is None:
            raise OutputError(
                f"{printable(place)}: does not hold what was just written to it; is another run"
                " using it? Choose another --cache"
            )
        if song.human is not None and found.human is not None:
            lengths = (part.shape[1] / RATE_HZ for part in (found.human, found.stems[0]))
            for sentence in measure_common_part(song.human, *lengths)[1]:
                note(sentence)
        decoded.append(found)
    return decoded


def _list_files(song: SongFiles) -> list[Path]:
    """All files that a song is decoded from."""
    stems = [path for stem in song.stems for path in stem.paths]
    return [*stems, *([song.human] if song.human else [])]


def identify_file(path: Path) -> list[str | int]:
    """Path, size in bytes and time of change in ns, by which a changed file is noticed.

    Raises:
        InputError: The file cannot be read.
    """
    with open_regular_file(path) as descriptor:
        status = os.fstat(descriptor)
    return [str(path.resolve()), status.st_size, status.st_mtime_ns]


def _decode(song: SongFiles, place: Path, files: list[list[str | int]]) -> None:
    """Decodes a song into its folder of the cache, or leaves nothing there."""
    _empty(place)
    try:
        session = open_song(song.stems, ReadOptions())
        for index, track in enumerate(session.tracks):
            _write(track.source, place / f"{index}.npy")
        if song.human is not None:
            _write(open_audio(song.human).source, place / "human.npy")
        tracks = [[track.name, track.role] for track in session.tracks]
        with OutputTarget.reserve(place / _CARD, overwrite=True) as target:
            target.write_text(json.dumps({"files": files, "tracks": tracks}))
    except BaseException:
        with contextlib.suppress(AutomixError):
            _empty(place)
        raise


def _empty(place: Path) -> None:
    """Removes a song from the cache. Whatever else is there, such as the song itself, stays.

    Raises:
        OutputError: The folder holds files of others, or may not be written.
    """
    with report_write_failures(place):
        try:
            files = [entry for entry in os.scandir(place) if not entry.is_dir()]
        except FileNotFoundError:
            return
        for entry in files:
            if not _OWN_FILE.fullmatch(entry.name):
                raise OutputError(
                    f"{printable(place)}: holds files that are not of a cache, such as"
                    f" {printable(entry.name)}; choose another --cache"
                )
        for entry in files:
            os.unlink(entry.path)
        with contextlib.suppress(OSError):  # other songs are in it
            os.rmdir(place)


def _write(source: AudioSource, path: Path) -> None:
    at_rate = resample(source, RATE_HZ)
    blocks = [np.asarray(block, np.float16) for block in at_rate.blocks()]
    write_array(path, np.concatenate(blocks, axis=1))


def write_array(path: Path, values: NDArray[Any]) -> None:
    """Writes an array for `numpy.load`, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    content = BytesIO()
    np.save(content, values)
    with OutputTarget.reserve(path, overwrite=True) as target:
        target.write_bytes(content.getvalue())


def read_array(path: Path) -> NDArray[Any] | None:
    """Maps an array of `write_array` into memory; none where there is none, or not a whole one."""
    try:
        mapped: NDArray[Any] = np.load(path, mmap_mode="r")
    except (OSError, EOFError, ValueError):  # of a full disk, or of a power cut
        return None
    return mapped


def _open(song: SongFiles, place: Path, files: list[list[str | int]]) -> DecodedSong | None:
    """A song in the cache; none where it is not there, of other files, or not whole."""
    try:
        card = json.loads((place / _CARD).read_text(encoding="utf-8"))
        if card["files"] != files:
            return None
        tracks = [(str(name), role) for name, role in card["tracks"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    names = [*(str(index) for index in range(len(tracks))), *(["human"] if song.human else [])]
    arrays = [read_array(place / f"{name}.npy") for name in names]
    whole = [array for array in arrays if array is not None and array.ndim == 2]
    if len(whole) < len(arrays) or not tracks:
        return None
    return DecodedSong(
        name=song.name,
        tracks=tuple(tracks),
        stems=tuple(whole[: len(tracks)]),
        human=whole[-1] if song.human else None,
    )


def as_source(samples: Samples) -> Audio:
    """A source of samples ``(channels, frames)`` at `RATE_HZ`."""
    return Audio(np.ascontiguousarray(samples), RATE_HZ)
