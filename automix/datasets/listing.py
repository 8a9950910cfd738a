"""Lists what lies in a folder of a data set, without what operating systems leave there."""

import os
from pathlib import Path

from automix.errors import InputError
from automix.files.extensions import AUDIO_EXTENSIONS
from automix.files.names import printable

_JUNK = frozenset({"thumbs.db", "desktop.ini"})


def list_folders(path: Path) -> list[Path]:
    """Lists the folders in a folder, by name; hidden ones and ``__MACOSX`` are left out.

    Raises:
        InputError: The path is no folder, or it cannot be read.
    """
    return [entry for entry in list_entries(path) if entry.is_dir()]


def list_audio(path: Path) -> list[Path]:
    """Lists the audio files in a folder, by name; hidden ones (``._kick.wav``) are left out.

    Raises:
        InputError: The path is no folder, or it cannot be read.
    """
    return [
        entry
        for entry in list_entries(path)
        if entry.suffix.lower() in AUDIO_EXTENSIONS and not entry.is_dir()
    ]


def list_entries(path: Path) -> list[Path]:
    """Lists what is in a folder, by name; hidden entries and junk are left out.

    Raises:
        InputError: The path is no folder, or it cannot be read.
    """
    try:
        found = sorted(path.iterdir())
    except NotADirectoryError as error:
        raise InputError(f"{printable(path)}: is not a folder") from error
    except FileNotFoundError as error:
        raise InputError(f"{printable(path)}: there is no such folder") from error
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror}") from error
    return [
        entry
        for entry in found
        if not entry.name.startswith((".", "__")) and entry.name.casefold() not in _JUNK
    ]


def require_file(path: Path) -> Path:
    """Checks that a file is there that a data set cannot do without, and returns its path.

    Raises:
        InputError: The file is missing.
    """
    if not os.path.isfile(path):
        raise InputError(
            f"{printable(path)}: is missing; copy the song again, or remove its folder"
        )
    return path
