"""What lies in a folder of a data set, without what operating systems leave there."""

from pathlib import Path

from automix.errors import InputError
from automix.files.extensions import AUDIO_EXTENSIONS
from automix.files.names import printable

_JUNK = frozenset({"thumbs.db", "desktop.ini"})


def folders(path: Path) -> list[Path]:
    """The folders in a folder, by name; hidden ones and ``__MACOSX`` are left out.

    Raises:
        InputError: It is not a folder, or cannot be read.
    """
    return [entry for entry in entries(path) if entry.is_dir()]


def audio_files(path: Path) -> list[Path]:
    """The audio files in a folder, by name; hidden ones (``._kick.wav``) are left out.

    Raises:
        InputError: It is not a folder, or cannot be read.
    """
    return [
        entry
        for entry in entries(path)
        if entry.suffix.lower() in AUDIO_EXTENSIONS and not entry.is_dir()
    ]


def entries(path: Path) -> list[Path]:
    """What is in a folder, by name, but for junk.

    Raises:
        InputError: It is not a folder, or cannot be read.
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


def existing(path: Path) -> Path:
    """A file that a data set cannot do without.

    Raises:
        InputError: It is not there.
    """
    if not path.is_file():
        raise InputError(
            f"{printable(path)}: is missing; copy the song again, or remove its folder"
        )
    return path
