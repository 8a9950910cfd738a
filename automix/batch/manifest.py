"""Manifests: one row per song, as CSV with a header or as TOML with ``[[song]]`` tables.

A row names ``vocal`` and ``beat``, or ``stems`` (a folder, or a session file); it may have a
``name`` or an ``output``. Any other column is an option of the command: ``loudness`` is
``--loudness``. Empty cells say nothing. Paths are relative to the manifest, outputs to the folder
of the batch.
"""

import csv
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from automix.batch.item import Kind
from automix.errors import InputError, UsageError

EXTENSIONS = (".csv", ".toml")

_PLACES = {"name", "vocal", "beat", "stems", "output"}
_FILES = {"config", "reference", "plugins"}
_FLAGS = {"strict", "repair", "allow-truncated", "recursive"}
_RESERVED = {
    "help",
    "force",
    "skip-existing",
    "dry-run",
    "json",
    "quiet",
    "verbose",
    "no-plan",
    "export-stems",
}
_REPEATED = {"set", "role"}
_TRUE, _FALSE = {"true", "yes", "1", "on"}, {"false", "no", "0", "off"}

Value = str | int | float | bool | list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What a manifest says about one song.

    Attributes:
        name: As given, or the name of the song folder or the beat.
        kind: Command that mixes it.
        inputs: Arguments of the command.
        options: Options of the command.
        extras: Files among the options.
        output: As given, or empty.
        source: Manifest and line or number, for messages.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    options: tuple[str, ...]
    extras: tuple[str, ...]
    output: str
    source: str


def read_manifest(path: Path) -> Iterator[Row]:
    """Reads a manifest, a CSV file row by row.

    Raises:
        InputError: It cannot be read.
        UsageError: It is not a manifest; names the line.
    """
    try:
        tables = _toml_tables(path) if path.suffix.lower() == ".toml" else _csv_tables(path)
        for source, table in tables:
            yield _row(path.parent, source, table)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _csv_tables(path: Path) -> Iterator[tuple[str, dict[str, Value]]]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        head = file.readline()
        file.seek(0)
        delimiter = max(",;\t", key=head.count)
        reader = csv.DictReader(file, delimiter=delimiter, strict=True)
        try:
            for row in reader:
                source = f"{path}, line {reader.line_num}"
                if None in row:
                    raise UsageError(f"{source}: more cells than the header has; quote the cells")
                yield source, {key.strip(): value for key, value in row.items() if value}
        except csv.Error as error:
            raise UsageError(f"{path}, line {reader.line_num}: {error}") from error


def _toml_tables(path: Path) -> Iterator[tuple[str, dict[str, Value]]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not a TOML file: {error}") from error
    songs = document.pop("song", None)
    if document or not isinstance(songs, list):
        raise UsageError(f"{path}: a manifest has [[song]] tables and nothing else")
    for number, song in enumerate(songs, 1):
        source = f"{path}, song {number}"
        if not isinstance(song, dict):
            raise UsageError(f"{source}: must be a table")
        for key, value in song.items():
            is_list = isinstance(value, list) and all(isinstance(part, str) for part in value)
            if not is_list and not isinstance(value, str | int | float | bool):
                raise UsageError(f"{source}: {key} must be a text, a number, or a list of texts")
        yield source, song


def _row(folder: Path, source: str, table: Mapping[str, Value]) -> Row:
    places = {key: _text(source, key, table[key]) for key in _PLACES & table.keys()}
    inputs = [os.path.join(folder, places[key]) for key in ("vocal", "beat") if key in places]
    if (len(inputs), "stems" in places) not in ((2, False), (0, True)):
        raise UsageError(f"{source}: name `vocal` and `beat`, or `stems`")
    kind: Kind = "stems" if "stems" in places else "vocal"
    if kind == "stems":
        inputs = [os.path.join(folder, places["stems"])]
    options, extras = _options(folder, source, table)
    name = places.get("name") or _stem(inputs[-1])
    if name.startswith("/") or ".." in name.split("/"):
        raise UsageError(f"{source}: name {name!r} leads out of the folder; use `output` for that")
    return Row(
        name=name,
        kind=kind,
        inputs=tuple(inputs),
        options=options,
        extras=extras,
        output=places.get("output", ""),
        source=source,
    )


def _stem(path: str) -> str:
    name = os.path.basename(os.path.normpath(path))
    return name if os.path.isdir(path) else os.path.splitext(name)[0]


def _text(source: str, key: str, value: Value) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{source}: {key} must be a text")
    return value


def _options(
    folder: Path, source: str, table: Mapping[str, Value]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Options of the command, and the files that they name."""
    options: list[str] = []
    extras = []
    for key, value in table.items():
        option = key.replace("_", "-")
        if key in _PLACES:
            continue
        if option in _RESERVED or not option.replace("-", "").isalnum() or len(option) < 2:
            raise UsageError(f"{source}: {key!r} is not an option of one song; remove the column")
        if option in _FLAGS:
            options += [f"--{option}"] if _truth(source, key, value) else []
        elif option in _FILES:
            path = os.path.join(folder, _text(source, key, value))
            options.append(f"--{option}={path}")
            extras += [path] if os.path.isfile(path) or option != "plugins" else []
        elif option in _REPEATED:
            parts = value if isinstance(value, list) else str(value).split(";")
            options += [f"--{option}={part.strip()}" for part in parts if part.strip()]
        else:
            options.append(f"--{option}={value}")
    return tuple(options), tuple(extras)


def _truth(source: str, key: str, value: Value) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise UsageError(f"{source}: {key} must be true or false, not {value!r}")
    return word in _TRUE
