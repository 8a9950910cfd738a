"""Files that hold the stems of one song, as Native Instruments' Stems does (``.stem.mp4``).

Their first stream of audio is the mix, for players that know no better; the others are the stems.
"""

import os
from pathlib import Path

from automix.errors import InputError
from automix.files.boxes import read_movie
from automix.files.extensions import is_stem_file
from automix.files.ffmpeg import list_streams
from automix.files.names import printable
from automix.files.opening import sniff
from automix.files.regular import open_regular_file


def list_stems(path: Path) -> dict[int, str]:
    """Lists the stems of a file, by the number of their stream of audio, from 1.

    Args:
        path: The file.

    Returns:
        The names that the file gives them, or else ``stem 1`` and so on; nothing if it is no file
        of stems.

    Raises:
        InputError: Its name says that it is one, but it cannot be read or holds no stems.
    """
    name, is_named_so = printable(path), is_stem_file(path.name)
    if not is_named_so and path.suffix.lower() not in (".mp4", ".m4a"):
        return {}
    with open_regular_file(path) as descriptor:
        container = sniff(descriptor, name, os.fstat(descriptor).st_size).container
        told = read_movie(descriptor).stems if container == "mp4" else ()
        if not told and not is_named_so:
            return {}
        streams = list_streams(descriptor, name, container)
    if len(streams) < 2:
        raise InputError(f"{name}: holds one stream of audio and no stems; export it again")
    first = 1 if len(told) == len(streams) else 2
    stems: dict[int, str] = {}
    for place, stream in enumerate(streams[first - 1 :]):
        title = told[place] if place < len(told) else ""
        title = title or (stream.title if stream else "")
        unique = base = " ".join(title.split()) or f"stem {place + 1}"
        while unique in stems.values():
            unique = f"{base} {place + 1}" if unique == base else f"{unique} {place + 1}"
        stems[first + place] = unique
    return stems
