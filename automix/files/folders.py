"""Tells which files of a folder are tracks, and why other files that hold audio are none."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from automix.errors import InputError
from automix.files.extensions import (
    AUDIO_EXTENSIONS,
    EXTENSIONS,
    UNREAD_EXTENSIONS,
    VIDEO_EXTENSIONS,
    is_stem_file,
)
from automix.files.foreign import list_media
from automix.files.names import printable
from automix.files.regular import open_regular_file
from automix.inputs import read_outputs

_NAMED = frozenset(sum(EXTENSIONS.values(), ()))
_PLACEHOLDER = re.compile(r"\.?([^_].*)\.(?:icloud|lnk|url|webloc)", re.IGNORECASE | re.DOTALL)
_MAY_HOLD_VIDEO = ("mp4", "matroska", "asf", "avi")


@dataclass(frozen=True)
class FoundFile:
    """A file of a folder that holds audio.

    Attributes:
        name: Its name in the folder.
        reason: Why it is no track, as the end of a sentence; empty if it is one.
    """

    name: str
    reason: str = ""


def find_audio(folder: str | os.PathLike[str], names: Iterable[str]) -> list[FoundFile]:
    """Tells which files of a folder hold audio, by their names or else by their content.

    Hidden files, except those that iCloud leaves in place of others, and files without audio, such
    as pictures, texts and projects, are not listed. A file that bears the name of audio is a track,
    whatever it holds.

    Args:
        folder: The folder.
        names: Names of files in it, without folders.
    """
    judged = ((name, _judge(Path(folder, name))) for name in sorted(names))
    return [FoundFile(name, reason) for name, reason in judged if reason is not None]


def _judge(path: Path) -> str | None:
    """Tells why a file is no track, nothing if it is one; none for a file without audio."""
    name, extension = path.name, path.suffix.lower()
    placeholder = _PLACEHOLDER.fullmatch(name)
    if placeholder and Path(placeholder[1]).suffix.lower() in AUDIO_EXTENSIONS | UNREAD_EXTENSIONS:
        return "stands for a file that is elsewhere (iCloud, a shortcut); put that file here"
    if name.startswith("."):
        return None
    if is_stem_file(name):
        return "holds the stems of a song of its own; mix it by itself"
    if extension in AUDIO_EXTENSIONS:
        return ""
    if extension in UNREAD_EXTENSIONS:
        return f"audio that automix does not read ({extension}); convert it to WAV or FLAC"
    return _judge_content(path, extension)


def _judge_content(path: Path, extension: str) -> str | None:
    """Does what `_judge` does, for a file whose name does not say it."""
    # Imported here, since a batch that has nothing left to do needs no NumPy.
    from automix.files.opening import LABELS, sniff

    try:
        # A file that is only looked at, such as an earlier plan or report, may be replaced.
        with read_outputs(), open_regular_file(path) as descriptor:
            sniffed = sniff(descriptor, printable(path), os.fstat(descriptor).st_size)
            if sniffed.foreign_bytes:
                return None  # something else, in which there is audio
            container = sniffed.container
            media = {"audio"}
            if container in _MAY_HOLD_VIDEO:
                media = list_media(descriptor, container)
    except InputError:
        return None
    if extension in VIDEO_EXTENSIONS and media == {"audio"}:
        return ""
    if "audio" not in media:
        return None
    if "video" in media:
        if extension not in VIDEO_EXTENSIONS:
            return None
        return "a video with sound; save its sound as WAV if it is a track"
    label, proper = LABELS[container], EXTENSIONS[container][0]
    if extension in _NAMED:
        return f"{label} audio named {extension}; name it {proper} if it is a track"
    return f"holds {label} audio, but is not named so; name it {proper} if it is a track"
