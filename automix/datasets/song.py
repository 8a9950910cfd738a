"""A song of a data set: its stems, its human mix, its artist."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from automix.errors import InputError
from automix.files.names import printable
from automix.session.tracks import TrackFile


@dataclass(frozen=True, kw_only=True)
class SongFiles:
    """A song on the disk.

    Attributes:
        name: Unique within the data set; of its folder.
        artist: As far as known; else the song's name.
        stems: In the order of file names.
        human: The file of the human mix; none where that is the sum of the stems.
        notes: For the user.
        group: The side that the data set itself prescribes: ``train``, ``validation``, ``test``, or
            empty.
        split_within_artist: Whether the songs of this artist are split among themselves, because
            the data set has too few artists to keep them apart.
    """

    name: str
    artist: str
    stems: tuple[TrackFile, ...]
    human: Path | None
    notes: tuple[str, ...] = ()
    group: str = ""
    split_within_artist: bool = False


def artist_of(name: str, separator: str = " - ") -> str:
    """The artist of ``Artist - Title``; the name itself where it is not of that form."""
    artist, _, title = name.partition(separator)
    return artist.strip() if artist.strip() and title.strip() else name


def check_songs(songs: Iterable[SongFiles], where: Path, wanted: str) -> list[SongFiles]:
    """The songs in the order of their names.

    Args:
        songs: Of one data set.
        where: Its folder.
        wanted: What should lie there, for the message.

    Raises:
        InputError: There are none, or two have one name.
    """
    found = sorted(songs, key=lambda song: song.name)
    if not found:
        raise InputError(f"{printable(where)}: no songs; give a folder with {wanted}")
    check_names(found)
    return found


def check_names(songs: Iterable[SongFiles]) -> None:
    """Checks that no two songs have one name.

    Raises:
        InputError: Two have.
    """
    seen: set[str] = set()
    for song in songs:
        if song.name in seen:
            raise InputError(f"two songs are named {printable(song.name)}; rename or remove one")
        seen.add(song.name)
