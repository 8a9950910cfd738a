"""MUSDB18-HQ: 150 songs as vocals, drums, bass and other, with their mixtures, at 44.1 kHz.

The folders are ``train/Artist - Title/`` and ``test/Artist - Title/``, each with ``mixture.wav``,
``vocals.wav``, ``drums.wav``, ``bass.wav`` and ``other.wav``; one of the two will do. The mixture
is the sum of the four.

Citation: Z. Rafii, A. Liutkus, F.-R. Stöter, S. I. Mimilakis, R. Bittner, "MUSDB18-HQ - an
    uncompressed version of MUSDB18", 2019, Zenodo, doi:10.5281/zenodo.3338373.
Licence: academic use only; each song has terms of its own (many are CC BY-NC-SA 4.0).
Access: by hand from Zenodo, whose terms apply; nothing is downloaded.
"""

from collections.abc import Iterator
from pathlib import Path

from automix.datasets.listing import existing, folders
from automix.datasets.song import SongFiles, artist_of, check_songs
from automix.plan.roles import Role
from automix.session.tracks import TrackFile

_SIDES = ("train", "test")
_STEMS: tuple[tuple[str, Role], ...] = (
    ("bass", "bass"),
    ("drums", "drums"),
    ("other", "other"),
    ("vocals", "lead vocal"),
)


def is_layout(root: Path) -> bool:
    """Whether ``train/`` or ``test/`` holds a song with a mixture.

    Raises:
        InputError: A folder cannot be read.
    """
    return any((song / "mixture.wav").is_file() for _, song in _song_folders(root))


def songs(root: Path) -> list[SongFiles]:
    """The songs, with the side that the data set prescribes.

    Raises:
        InputError: There are none, or a file is missing.
    """
    found = (_song(side, folder) for side, folder in _song_folders(root))
    return check_songs(found, root, "train/ and test/ of MUSDB18-HQ")


def _song_folders(root: Path) -> Iterator[tuple[str, Path]]:
    is_part = root.absolute().name in _SIDES
    for part in [root.absolute()] if is_part else folders(root):
        if part.name in _SIDES:
            yield from ((part.name, song) for song in folders(part))


def _song(side: str, folder: Path) -> SongFiles:
    return SongFiles(
        name=folder.name,
        artist=artist_of(folder.name),
        stems=tuple(
            TrackFile(name=name, role=role, path=existing(folder / f"{name}.wav"))
            for name, role in _STEMS
        ),
        human=existing(folder / "mixture.wav"),
        group=side,
    )
