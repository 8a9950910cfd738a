"""Songs decoded once, so that any stretch of any stem is at hand while a network trains."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.audio.resampling import resample
from automix.audio.samples import Audio, AudioSource, Samples
from automix.datasets.song import SongFiles
from automix.errors import OutputError
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.plan.roles import Role
from automix.session.song_folder import open_song

RATE_HZ = 44100
_CARD = "song.json"


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
        """Number of samples per channel at `RATE_HZ`."""
        return int(self.stems[0].shape[1])

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
    songs: Sequence[SongFiles], folder: Path, report: Callable[[str], None] = lambda song: None
) -> list[DecodedSong]:
    """Decodes songs into a folder; what lies there from an earlier run is used again.

    Args:
        songs: Files of the songs.
        folder: For the decoded audio, about 170 kB for each second and stereo stem.
        report: Called with the name of each song as it begins.

    Raises:
        InputError: A file cannot be used.
        OutputError: The folder cannot be written.
    """
    decoded = []
    for song in songs:
        report(song.name)
        place = folder / song.name
        card: dict[str, object] = {"files": [_identify(path) for path in _list_files(song)]}
        try:
            if not (place / _CARD).is_file() or _read_card(place)["files"] != card["files"]:
                _decode(song, place, card)
        except OSError as error:
            raise OutputError(f"{printable(place)}: cannot be written: {error.strerror}") from error
        decoded.append(_open(song, place))
    return decoded


def _list_files(song: SongFiles) -> list[Path]:
    """All files that a song is decoded from."""
    stems = [path for stem in song.stems for path in stem.paths]
    return [*stems, *([song.human] if song.human else [])]


def _identify(path: Path) -> list[str | int]:
    """Path, size in bytes and time of change in ns, by which a changed file is noticed."""
    status = path.stat()
    return [str(path.resolve()), status.st_size, status.st_mtime_ns]


def _read_card(place: Path) -> dict[str, Any]:
    """What the cache says of a song: the files it was decoded from, and its tracks."""
    card: dict[str, Any] = json.loads((place / _CARD).read_text(encoding="utf-8"))
    return card


def _decode(song: SongFiles, place: Path, card: dict[str, object]) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    session = open_song(song.stems, ReadOptions())
    for index, track in enumerate(session.tracks):
        _write(track.source, place / f"{index}.npy")
    if song.human is not None:
        _write(open_audio(song.human).source, place / "human.npy")
    tracks = [[track.name, track.role] for track in session.tracks]
    (place / _CARD).write_text(json.dumps({**card, "tracks": tracks}), encoding="utf-8")


def _write(source: AudioSource, path: Path) -> None:
    at_rate = resample(source, RATE_HZ)
    blocks = [np.asarray(block, np.float16) for block in at_rate.blocks()]
    np.save(path, np.concatenate(blocks, axis=1))


def _open(song: SongFiles, place: Path) -> DecodedSong:
    tracks = [(str(name), role) for name, role in _read_card(place)["tracks"]]
    stems = tuple(np.load(place / f"{index}.npy", mmap_mode="r") for index in range(len(tracks)))
    human = np.load(place / "human.npy", mmap_mode="r") if song.human is not None else None
    return DecodedSong(name=song.name, tracks=tuple(tracks), stems=stems, human=human)


def as_source(samples: Samples) -> Audio:
    """A source of samples ``(channels, frames)`` at `RATE_HZ`."""
    return Audio(np.ascontiguousarray(samples), RATE_HZ)
