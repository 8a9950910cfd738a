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

from automix.datasets.listing import list_folders, require_file
from automix.datasets.song import SongFiles, check_songs, read_artist
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
    """Tells whether ``train/`` or ``test/`` of a folder holds a song with a mixture.

    Raises:
        InputError: A folder cannot be read.
    """
    return any((song / "mixture.wav").is_file() for _, song in _song_folders(root))


def read_songs(root: Path) -> list[SongFiles]:
    """Reads the songs, with the side of the split that the data set prescribes.

    Args:
        root: Folder of ``train/`` and ``test/``, or one of the two.

    Raises:
        InputError: There are no songs, or a file is missing.
    """
    found = (_song(side, folder) for side, folder in _song_folders(root))
    return check_songs(found, root, "train/ and test/ of MUSDB18-HQ")


def _song_folders(root: Path) -> Iterator[tuple[str, Path]]:
    is_part = root.absolute().name in _SIDES
    for part in [root.absolute()] if is_part else list_folders(root):
        if part.name in _SIDES:
            yield from ((part.name, song) for song in list_folders(part))


def _song(side: str, folder: Path) -> SongFiles:
    return SongFiles(
        name=folder.name,
        artist=read_artist(folder.name),
        stems=tuple(
            TrackFile(name=name, role=role, path=require_file(folder / f"{name}.wav"))
            for name, role in _STEMS
        ),
        human=require_file(folder / "mixture.wav"),
        group=side,
    )
