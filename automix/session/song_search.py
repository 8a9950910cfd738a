"""Songs in folders: which are a vocal and its beat, which are tracks to be mixed together."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from automix.errors import InputError, UsageError
from automix.files.extensions import is_stem_file
from automix.files.folders import FoundFile, find_audio
from automix.plan.toml import begins_as_plan
from automix.session.roles.purpose import find_purposes
from automix.session.roles.recognition import read_role

Kind = Literal["vocal", "stems"]

_SIDES = re.compile(
    r"(?:(?P<song>.+?)[\s_.-]+)??"
    r"(?:(?P<vocal>(?:lead[\s_-]?)?(?:vocals?|vox|voice)|a[\s_-]?capp?ella)"
    r"|(?P<beat>beat|inst(?:rumental)?|backing(?:[\s_-]?track)?|karaoke|playback))",
    re.IGNORECASE | re.DOTALL,
)
_FEWEST_SONGS = 2
"""Folders of audio beside files whose names tell no track, from which these are songs of their
own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundSong:
    """A song that was found in a folder.

    Attributes:
        kind: ``vocal`` for a vocal with its beat, ``stems`` for a folder of tracks.
        song: Name of the song; folders in it are separated by ``/``.
        inputs: The file of the vocal and that of the beat, or the folder of the tracks.
        source: The folder where it was found, for messages.
    """

    kind: Kind
    song: str
    inputs: tuple[str, ...]
    source: str


def search_songs(
    root: str,
    *,
    kind: Kind | None = None,
    leave_out: str = "",
    note: Callable[[str], None] = lambda message: None,
) -> Iterator[FoundSong]:
    """Searches a folder and the folders in it; one that holds a song is searched no deeper.

    A folder holds vocals and their beats (``vocal.wav`` with ``beat.wav``, ``NAME_vox.wav`` with
    ``NAME_beat.wav``; acapella, instrumental, backing and so on are understood too), or the tracks
    of one song.

    Args:
        root: The folder.
        kind: Kind of all songs, where names may mislead; none to go by the names.
        leave_out: A folder that is not searched.
        note: Told what is left out: files that lie beside folders of songs, and folders with audio
            in the folder of a song.

    Yields:
        Songs, named by their path below ``root``. A folder that cannot be read is one, of tracks.

    Raises:
        InputError: ``root`` cannot be read.
        UsageError: A folder holds a vocal, a beat and other tracks, and ``kind`` is not given.
    """
    seen = {_identify(leave_out)} if os.path.isdir(leave_out) else set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            if folder != root and _identify(folder) in seen:
                continue
            seen.add(_identify(folder))
            found = _list_audio(folder)
            audio = [file.name for file in found if not file.reason]
            inner = _list_folders(folder)
            mixes = os.path.realpath(leave_out) if leave_out else ""
            own = {path for path in inner if os.path.realpath(path) == mixes}
            deeper = [p for p in inner if audio and p not in own and _holds_audio(p)]
        except OSError as error:
            if folder == root:
                raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
            # A song that cannot be read: whoever opens it is told so, and the others go on.
            song = os.path.relpath(folder, root)
            yield FoundSong(kind="stems", song=song, inputs=(folder,), source=folder)
            continue
        pairs = {} if kind == "stems" else _find_pairs(audio)
        loose = _find_loose(folder, audio, deeper) if deeper and not pairs else ()
        for name in loose:
            note(f"{os.path.join(folder, name)}: lies beside folders of songs, left out")
        is_collection = bool(pairs) and "" not in pairs  # NAME_vox.wav, and so on
        if not audio or loose or (deeper and is_collection):
            waiting += reversed(inner)
        else:
            for path in deeper:
                note(f"{path}: lies in the folder of a song, left out; name it to mix it as one")
        unread = [file.name for file in found if file.reason]
        yield from _find_in_folder(root, folder, [] if loose else audio, unread, kind)


def _holds_audio(folder: str) -> bool:
    try:
        return any(True for _ in find_audio_entries(folder))
    except OSError:  # it matters only if the folder is searched, which says so
        return False


def _find_loose(folder: str, audio: list[str], deeper: list[str]) -> list[str]:
    """The files of a folder if they are no song, but lie beside folders of songs."""
    tracks = [name for name in audio if name not in _find_no_tracks(folder, audio)]
    if len(tracks) <= 1:
        return audio
    if len(deeper) >= _FEWEST_SONGS and not any(read_role(name, tracks) for name in tracks):
        return audio
    return []


def _find_no_tracks(folder: str, audio: list[str]) -> set[str]:
    """Which files of a folder are mixes of the song, clicks and the like."""
    stems = [os.path.splitext(name)[0] for name in audio]
    purposes = find_purposes(stems, os.path.basename(os.path.abspath(folder)))
    return {name for name, purpose in zip(audio, purposes, strict=True) if purpose is not None}


def _identify(folder: str) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _list_folders(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(
            entry.path
            for entry in entries
            if not entry.name.startswith((".", "__")) and entry.is_dir()
        )


def _find_in_folder(
    root: str, folder: str, audio: list[str], unread: list[str], kind: Kind | None
) -> Iterator[FoundSong]:
    """Yields the songs of a folder; a side of a pair that is not read fails when it is opened."""
    pairs = {} if kind == "stems" else {**_find_pairs(audio + unread), **_find_pairs(audio)}
    paired = {name for pair in pairs.values() for name in pair}
    others = _find_no_tracks(folder, audio)
    rest = [name for name in audio if name not in paired and name not in others]
    if pairs and rest and kind is None:
        raise UsageError(
            f"{folder}: holds a vocal, a beat and {rest[0]}; say --kind vocal to leave other files"
            " out, or --kind stems to mix them all"
        )
    if not pairs and kind == "vocal" and audio:
        raise InputError(
            f"{folder}: no vocal with its beat; name them vocal.wav and beat.wav, or use a manifest"
        )
    own = os.path.basename(os.path.abspath(folder))
    below = own if folder == root else os.path.relpath(folder, root)
    for song, sides in sorted(pairs.items()):
        name = song if folder == root else os.path.join(below, song)
        inputs = tuple(os.path.join(folder, side) for side in sides)
        yield FoundSong(kind="vocal", song=name if song else below, inputs=inputs, source=folder)
    for name in filter(is_stem_file, unread):
        song = name[: -len(".stem.mp4")]
        named = song if folder == root else os.path.join(below, song)
        yield FoundSong(
            kind="stems", song=named, inputs=(os.path.join(folder, name),), source=folder
        )
    if not pairs and audio:
        yield FoundSong(kind="stems", song=below, inputs=(folder,), source=folder)


def _find_pairs(audio: list[str]) -> dict[str, tuple[str, str]]:
    """Finds vocal and beat by song, where there is exactly one of each."""
    sides: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for name in audio:
        match = _SIDES.fullmatch(os.path.splitext(name)[0])
        if match:
            sides[match["song"] or ""][match["vocal"] is None].append(name)
    return {
        song: (vocals[0], beats[0])
        for song, (vocals, beats) in sides.items()
        if len(vocals) == len(beats) == 1
    }


def find_audio_entries(folder: str) -> Iterator["os.DirEntry[str]"]:
    """Yields the audio files directly in a folder, but hidden ones and mixes that automix wrote.

    Raises:
        OSError: The folder cannot be read.
    """
    names = {file.name for file in _list_audio(folder) if not file.reason}
    with os.scandir(folder) as entries:
        yield from sorted(
            (entry for entry in entries if entry.name in names), key=lambda entry: entry.name
        )


def _list_audio(folder: str) -> list[FoundFile]:
    """Lists the files in a folder that hold audio, without mixes that automix wrote."""
    with os.scandir(folder) as entries:
        every = {entry.name: entry for entry in entries}
    files = [name for name, entry in every.items() if entry.is_file()]
    return [
        file
        for file in find_audio(folder, files)
        if (plan := f"{os.path.splitext(file.name)[0]}.toml") not in every
        or not begins_as_plan(os.path.join(folder, plan))
    ]
