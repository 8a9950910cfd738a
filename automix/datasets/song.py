"""A song of a data set: its stems, its human mix, its artist."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from automix.errors import InputError
from automix.files.names import printable
from automix.session.tracks import TrackFile

_SAME_LENGTH_S = 0.1


@dataclass(frozen=True, kw_only=True)
class SongFiles:
    """A song of a data set, as files on the disk.

    Attributes:
        name: Name of the song, mostly that of its folder; unique within the data set.
        artist: Name of the artist as far as it is known, else the name of the song.
        stems: Tracks to be mixed, in the order of file names.
        human: File of the human mix; none where that is the sum of the stems.
        notes: Sentences for the user.
        group: Side of the split that the data set itself prescribes: ``train``, ``validation``,
            ``test``, or empty.
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


def read_artist(name: str, separator: str = " - ") -> str:
    """Reads the artist from ``Artist - Title``; gives the whole name where it has another form."""
    artist, _, title = name.partition(separator)
    return artist.strip() if artist.strip() and title.strip() else name


def measure_common_part(
    target: Path, target_s: float, given_s: float, given: str = "the stems"
) -> tuple[float, tuple[str, ...]]:
    """Measures how much of a song a target and what it is made of both have: no more counts.

    Args:
        target: File of the human mix, or of another target, for the note.
        target_s: Its length in seconds.
        given_s: Length of the stems in seconds, or of whatever the target was made of.
        given: Name of these for people.

    Returns:
        The length of the common part in seconds, and a note where they differ by over 0.1 s.
    """
    longer_s = target_s - given_s
    if abs(longer_s) <= _SAME_LENGTH_S:
        return min(target_s, given_s), ()
    word = "longer" if longer_s > 0 else "shorter"
    note = (
        f"{printable(target)}: is {abs(longer_s):.1f} s {word} than {given}, and the common part"
        " counts; do both begin alike?"
    )
    return min(target_s, given_s), (note,)


def check_songs(songs: Iterable[SongFiles], where: Path, wanted: str) -> list[SongFiles]:
    """Sorts the songs of a data set by name, and checks that there are some.

    Args:
        songs: All songs of one data set.
        where: Folder of the data set, for the message.
        wanted: Words for what should lie there, for the message.

    Raises:
        InputError: There are no songs, or two have one name.
    """
    found = sorted(songs, key=lambda song: song.name)
    if not found:
        raise InputError(f"{printable(where)}: no songs; give a folder with {wanted}")
    check_names(found)
    return found


def check_names(songs: Iterable[SongFiles]) -> None:
    """Checks that no two songs have one name.

    Raises:
        InputError: Two songs have one name.
    """
    seen: set[str] = set()
    for song in songs:
        if song.name in seen:
            raise InputError(f"two songs are named {printable(song.name)}; rename or remove one")
        seen.add(song.name)
