"""Manifests: one row per song, as CSV with a header or as TOML with ``[[song]]`` tables.

A row names ``vocal`` and ``beat``, or ``stems`` (a folder, or a session file); it may have a
``name`` or an ``output``. Any other column is an option of the command: ``loudness`` is
``--loudness``; ``true`` sets an option that takes no value. Empty cells say nothing. Paths are
relative to the manifest, outputs to the folder of the batch.
"""

import csv
import os
import tomllib
from collections.abc import Iterator, Mapping

from automix.batch.item import Item
from automix.errors import InputError, UsageError

EXTENSIONS = (".csv", ".toml")

PLACES = {"name", "vocal", "beat", "stems", "output"}
FILES = {"config", "reference", "plugins"}
REPEATED = {"set", "role", "reference", "reference-weight"}
OF_THE_RUN = {
    *("help", "force", "skip-existing", "no-plan", "dry-run", "json", "quiet", "verbose", "jobs"),
    "export-stems",
}
"""Options of the commands that a row cannot set."""

Value = str | int | float | bool | list[str]


def read_manifest(path: str) -> Iterator[Item]:
    """Reads a manifest, a CSV file row by row.

    Yields:
        Items, with an output where the manifest says one.

    Raises:
        InputError: It cannot be read.
        UsageError: It is not a manifest; names the line.
    """
    try:
        tables = _toml_tables(path) if path.lower().endswith(".toml") else _csv_tables(path)
        for source, table in tables:
            yield _item(os.path.dirname(path), source, table)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _csv_tables(path: str) -> Iterator[tuple[str, dict[str, Value]]]:
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        head = file.readline()
        file.seek(0)
        reader = csv.DictReader(file, delimiter=max(",;\t", key=head.count), strict=True)
        try:
            for row in reader:
                source = f"{path}, line {reader.line_num}"
                if None in row:
                    raise UsageError(f"{source}: more cells than the header has; quote the cells")
                yield source, {key.strip(): cell for key, cell in row.items() if cell}
        except csv.Error as error:
            raise UsageError(f"{path}, line {reader.line_num}: {error}") from error


def _toml_tables(path: str) -> Iterator[tuple[str, dict[str, Value]]]:
    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
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


def _item(folder: str, source: str, table: Mapping[str, Value]) -> Item:
    places = {key: _text(source, key, table[key]) for key in PLACES & table.keys()}
    if places.keys() & {"vocal", "beat", "stems"} not in ({"vocal", "beat"}, {"stems"}):
        raise UsageError(f"{source}: name `vocal` and `beat`, or `stems`")
    sides = ("stems",) if "stems" in places else ("vocal", "beat")
    inputs = tuple(os.path.join(folder, places[side]) for side in sides)
    options: list[str] = []
    for key, value in table.items():
        if key not in PLACES:
            options += _options(folder, source, key, value)
    return Item(
        kind="stems" if "stems" in places else "vocal",
        song=places.get("name") or _stem(inputs[-1]),
        inputs=inputs,
        source=source,
        options=tuple(options),
        output=places.get("output", ""),
    )


def _options(folder: str, source: str, key: str, value: Value) -> Iterator[str]:
    option = key.replace("_", "-")
    if option in OF_THE_RUN:
        raise UsageError(f"{source}: {key!r} is not an option of one song; remove the column")
    if isinstance(value, str) and option in REPEATED:
        value = [part.strip() for part in value.split(";") if part.strip()]
    for part in value if isinstance(value, list) else [value]:
        if str(part).lower() in ("true", "false"):
            yield from [f"--{option}"] if str(part).lower() == "true" else []
        elif option in FILES:
            yield f"--{option}={os.path.join(folder, str(part))}"
        else:
            yield f"--{option}={part}"


def _text(source: str, key: str, value: Value) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{source}: {key} must be a text")
    return value


def _stem(path: str) -> str:
    name = os.path.basename(os.path.normpath(path))
    return name if os.path.isdir(path) else os.path.splitext(name)[0]
