"""A folder of song folders: ``song/*.wav``, with the human mix as ``song/mix.wav`` if there is one.

Songs may lie in folders of their artists: ``artist/song/*.wav``. A folder that holds audio is a
song and is searched no deeper. Without a mix, the sum of the stems is the human mix.

Citation: none; the songs are your own.
Licence: that of the songs.
Access: local files; nothing is downloaded.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from automix.datasets.listing import list_audio, list_entries, list_folders
from automix.datasets.song import SongFiles, check_songs, read_artist
from automix.errors import InputError
from automix.files.names import printable
from automix.session.song_folder import MIX_NAME, find_song_files, is_own_mix

_WANTED = "a folder of stems for each song"


def is_layout(root: Path) -> bool:
    """Tells whether a folder holds song folders, or is one.

    Raises:
        InputError: A folder cannot be read.
    """
    return any(map(list_audio, _song_folders(root)))


def read_songs(root: Path) -> list[SongFiles]:
    """Reads the songs below ``root``, or the one song that it is.

    The artist is the folder below ``root`` that the song lies in; without one, what a name such as
    ``Artist - Title`` says.

    Raises:
        InputError: There are no songs, a folder is empty or has no stems, or ``root`` holds both
            audio and songs.
    """
    found = list(_song_folders(root))
    if root in found and any(map(is_layout, list_folders(root))):
        raise InputError(
            f"{printable(root)}: holds both audio files and folders of stems; move the files into a"
            " folder of their own"
        )
    return check_songs((_read_song(root, folder) for folder in found), root, _WANTED)


def _read_song(root: Path, folder: Path) -> SongFiles:
    song = read_song(folder)
    below = folder.relative_to(root).parts
    return replace(song, name="/".join(below), artist=below[0]) if len(below) > 1 else song


def read_song(folder: Path) -> SongFiles:
    """Reads a song's folder: its stems, and the human mix, which is named ``mix``.

    Raises:
        InputError: The path is no folder, or the folder holds no stems.
    """
    if not os.path.isdir(folder):
        raise InputError(f"{printable(folder)}: is not a folder; give folders of stems")
    files = list_audio(folder)
    named = [file for file in files if file.stem.casefold() == MIX_NAME]
    mixes = [file for file in named if not is_own_mix(file)]
    if len(mixes) > 1:
        raise InputError(f"{printable(folder)}: holds {len(mixes)} files named mix; leave one")
    if mixes and len(files) == len(named):
        raise InputError(f"{printable(folder)}: holds a mix but no stems")
    tracks, notes = find_song_files([folder], known_mix=mixes[0] if mixes else None)
    stems = [track for track in tracks if not track.is_guide]
    stems = sorted(stems, key=lambda track: track.path.name) or tracks
    if not mixes:
        notes.append(f"{printable(folder)}: no mix.wav; the sum of the stems is the human mix")
    name = folder.resolve().name
    return SongFiles(
        name=name,
        artist=read_artist(name),
        stems=tuple(stems),
        human=mixes[0] if mixes else None,
        notes=tuple(notes),
    )


def _song_folders(root: Path) -> Iterator[Path]:
    """Yields folders that hold audio, and empty ones, which should; follows links to folders."""
    seen = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        here = folder.resolve()
        if here in seen:  # a link in a circle, or to a song that is there already
            continue
        seen.add(here)
        if list_audio(folder) or (folder != root and not list_entries(folder)):
            yield folder
        else:
            waiting += reversed(list_folders(folder))
