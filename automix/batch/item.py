"""An item of a batch: one mix to make, and the files that it is made from."""

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automix.errors import InputError
from automix.files.text import read_toml
from automix.mixing.request import StemsRequest, VocalRequest
from automix.plan.model import Depth
from automix.session.song_search import Kind, find_audio_entries


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One mix to make.

    Attributes:
        kind: Command that makes it.
        song: Its name; folders are separated by ``/``.
        inputs: Files of the vocal and its beat, or a song's folder or session file.
        source: Where the item was found, for messages.
        asked: What is asked of the mix, without its files; songs that are asked the same share it.
        bits: Depth of the mix, if one is asked for.
        report: File of a report, relative to the folder of the batch, if one is asked for.
        output: File of the mix, relative to the folder of the batch. Identifies the item.
    """

    kind: Kind
    song: str
    inputs: tuple[str, ...]
    source: str
    asked: VocalRequest | StemsRequest
    bits: Depth | None = None
    report: str = ""
    output: str = ""

    def request(self) -> VocalRequest | StemsRequest:
        """What is asked of the mix, with its files."""
        if isinstance(self.asked, VocalRequest):
            vocal, backing = map(Path, self.inputs)
            return replace(self.asked, vocal=vocal, backing=backing)
        return replace(self.asked, song=tuple(map(Path, self.inputs)))

    def given(self) -> dict[str, Any]:
        """What was asked for beyond the defaults, by name."""
        written = {"bits": self.bits, "report": self.report}
        return self.asked.given() | {name: value for name, value in written.items() if value}

    def files(self) -> list[tuple[str, os.stat_result]]:
        """What it is made from, with the state of each file; none is opened but session files.

        Raises:
            InputError: One is not there or is not a file, or a folder holds no audio.
        """
        found = []
        asked = self.asked
        others = (*asked.reference, *([asked.config] if asked.config else []))
        for path in (*self.inputs, *map(str, others), *_files_of_weights(asked.weights)):
            try:
                found += self._find_files(path)
            except (OSError, ValueError) as error:
                where = getattr(error, "filename", None) or path
                reason = getattr(error, "strerror", None) or f"cannot be used: {error}"
                if isinstance(error, PermissionError):
                    reason = "may not be read; change its permissions (chmod +r)"
                raise InputError(f"{where}: {reason}") from error
        return found

    def _find_files(self, path: str) -> list[tuple[str, os.stat_result]]:
        status = os.stat(path)
        if os.path.isdir(path):
            audio = _audio_in(path, recursive=getattr(self.asked, "recursive", False))
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
        """A digest of the settings and of each input's name, size and time of change.

        It does not hold the folders, so that a batch may be moved together with its inputs.

        Raises:
            InputError: A file is not there or is not a file, or a folder holds no audio.
        """
        told: list[object] = [self.kind, self.given()]
        told += [[os.path.basename(p), s.st_size, s.st_mtime_ns] for p, s in self.files()]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _files_of_weights(weights: str | None) -> list[str]:
    """The files of weights that are no name of some that ship."""
    if weights is None or not os.path.isdir(weights):
        return [weights] if weights is not None and os.path.isfile(weights) else []
    return sorted(
        os.path.join(here, name)
        for here, _, names in os.walk(weights)
        for name in names
        if name.endswith(".safetensors")
    )


def _audio_in(folder: str, *, recursive: bool) -> list[tuple[str, os.stat_result]]:
    folders = sorted(here for here, _, _ in os.walk(folder)) if recursive else [folder]
    return [(entry.path, entry.stat()) for here in folders for entry in find_audio_entries(here)]


def _session_files(path: str) -> list[str]:
    """The audio files that a session file names; the command judges the rest of it."""
    rows = read_toml(path).get("tracks")
    tables = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    named = [row[key] for row in tables for key in ("file", "right") if key in row]
    return [os.path.join(os.path.dirname(path), name) for name in named if isinstance(name, str)]
