"""An item of a batch: one mix to make, and the files that it is made from."""

import hashlib
import json
import os
import tomllib
from dataclasses import dataclass

from automix.errors import InputError
from automix.session.song_search import Kind, find_audio_entries

_FILE_OPTIONS = ("--config", "--reference")


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One mix to make.

    Attributes:
        kind: Command that makes it.
        song: Its name; folders are separated by ``/``.
        inputs: Arguments of the command: vocal and beat, or a song folder or session file.
        source: Where the item was found, for messages.
        options: Options of the command.
        output: File of the mix, relative to the folder of the batch. Identifies the item.
    """

    kind: Kind
    song: str
    inputs: tuple[str, ...]
    source: str
    options: tuple[str, ...] = ()
    output: str = ""

    def files(self) -> list[tuple[str, os.stat_result]]:
        """What it is made from, with the state of each file; none is opened but session files.

        Raises:
            InputError: One is not there or is not a file, or a folder holds no audio.
        """
        found = []
        told = (option.partition("=") for option in self.options)
        for path in (*self.inputs, *(value for name, _, value in told if name in _FILE_OPTIONS)):
            try:
                found += self._found(path)
            except (OSError, ValueError) as error:
                where = getattr(error, "filename", None) or path
                reason = getattr(error, "strerror", None) or f"cannot be used: {error}"
                raise InputError(f"{where}: {reason}") from error
        return found

    def _found(self, path: str) -> list[tuple[str, os.stat_result]]:
        status = os.stat(path)
        if os.path.isdir(path):
            audio = _audio_in(path, recursive="--recursive" in self.options)
            if not audio:
                raise InputError(f"{path}: no audio files; give the folder of a song")
            return audio
        if not os.path.isfile(path):
            raise InputError(f"{path}: is a pipe or device, not a file")
        found = [(path, status)]
        if self.kind == "stems" and path in self.inputs and path.lower().endswith(".toml"):
            found += [(file, os.stat(file)) for file in _session_files(path)]
        return found

    def fingerprint(self) -> str:
        """Of the settings and of each input's name, size and time of change.

        It does not hold the folders, so that a batch may be moved together with its inputs.

        Raises:
            InputError: See `files`.
        """
        told: list[object] = [self.kind, self.options]
        told += [[os.path.basename(p), s.st_size, s.st_mtime_ns] for p, s in self.files()]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def _audio_in(folder: str, *, recursive: bool) -> list[tuple[str, os.stat_result]]:
    folders = sorted(here for here, _, _ in os.walk(folder)) if recursive else [folder]
    return [(entry.path, entry.stat()) for here in folders for entry in find_audio_entries(here)]


def _session_files(path: str) -> list[str]:
    """The audio files that a session file names; the command judges the rest of it."""
    with open(path, "rb") as file:
        rows = tomllib.load(file).get("tracks")
    tables = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    named = [row[key] for row in tables for key in ("file", "right") if key in row]
    return [os.path.join(os.path.dirname(path), name) for name in named if isinstance(name, str)]
