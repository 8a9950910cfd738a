"""An item of a batch: one mix to make, and what it is made from."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from automix.errors import InputError
from automix.version import __version__

Kind = Literal["vocal", "stems"]

AUDIO_EXTENSIONS = frozenset(
    (
        *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc"),
        *(".flac", ".ogg", ".oga", ".opus", ".mp3", ".caf"),
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One mix to make.

    Attributes:
        kind: Command that makes it: ``"vocal"`` or ``"stems"``.
        song: Its name for people; folders are separated by ``/``.
        inputs: Arguments of the command: vocal and beat, or a song folder.
        extras: Other files that the options name.
        options: Options of the command.
        output: File of the mix, relative to the folder of the batch. Identifies the item.
        source: Where the item was found, for messages.
    """

    kind: Kind
    song: str
    inputs: tuple[str, ...]
    extras: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    output: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InputFile:
    """A file as it was before the work; what a change of it would change.

    Attributes:
        file: Its path, as the command gets it.
        bytes: Size.
        modified_ns: Time of the last change, nanoseconds since 1970.
    """

    file: str
    bytes: int
    modified_ns: int


def input_files(item: Item) -> list[InputFile]:
    """What the item is made from: its files, and the audio files in its folder.

    Raises:
        InputError: One is not there, is not a file, or a folder holds no audio.
    """
    found = []
    for path in (*item.inputs, *item.extras):
        try:
            status = os.stat(path)
            if os.path.isdir(path):
                found += _audio_in(path, recursive="--recursive" in item.options)
                continue
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a possible file name"
            raise InputError(f"{path}: {reason}") from error
        if not os.path.isfile(path):
            raise InputError(f"{path}: is a pipe or device, not a file")
        found.append(InputFile(file=path, bytes=status.st_size, modified_ns=status.st_mtime_ns))
    return found


def _audio_in(folder: str, *, recursive: bool) -> list[InputFile]:
    folders = [here for here, _, _ in os.walk(folder)] if recursive else [folder]
    found = []
    for entry in chain.from_iterable(map(audio_entries, folders)):
        status = entry.stat()
        found.append(
            InputFile(file=entry.path, bytes=status.st_size, modified_ns=status.st_mtime_ns)
        )
    if not found:
        raise InputError(f"{folder}: no audio files; give the folder of a song")
    return sorted(found, key=lambda file: file.file)


def audio_entries(folder: str) -> Iterator["os.DirEntry[str]"]:
    """The audio files directly in a folder, without hidden ones and mixes that automix wrote.

    Raises:
        OSError: The folder cannot be read.
    """
    with os.scandir(folder) as entries:
        visible = {entry.name: entry for entry in entries if not entry.name.startswith(".")}
    for name, entry in visible.items():
        stem, extension = os.path.splitext(name)
        if extension.lower() not in AUDIO_EXTENSIONS or not entry.is_file():
            continue
        if f"{stem}.toml" not in visible or not _is_plan(os.path.join(folder, f"{stem}.toml")):
            yield entry


def _is_plan(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(14) == b"# automix plan"


def state(item: Item, files: list[InputFile]) -> str:
    """Fingerprint of inputs, settings and version: where it is the same, so is the mix.

    It holds for inputs by name, size and time of change, so a batch may be moved with its inputs.
    """
    told: list[object] = [item.kind, item.options, __version__]
    told += [[os.path.basename(file.file), file.bytes, file.modified_ns] for file in files]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]
