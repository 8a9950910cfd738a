"""Manifests: one row per song, as CSV with a header or as TOML with ``[[song]]`` tables.

A row names ``vocal`` and ``beat``, or ``stems`` (a folder, or a session file); it may have a
``name`` or an ``output``. Any other column is an option of the command: ``loudness`` is
``--loudness``; ``true`` sets an option that takes no value. Empty cells say nothing. Paths are
relative to the manifest, outputs to the folder of the batch.
"""

import csv
import functools
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automix.errors import InputError, UsageError
from automix.inputs import remember_input
from automix.mixing.request import Delivery, StemsRequest, VocalRequest, flag_of, option_of
from automix.plan.parameters import Parameter, parameters
from automix.session.song_search import Kind

MANIFEST_EXTENSIONS = (".csv", ".toml")

PLACES = {"name", "vocal", "beat", "stems", "output"}
REQUESTS: dict[Kind, type[VocalRequest] | type[StemsRequest]] = {
    "vocal": VocalRequest,
    "stems": StemsRequest,
}
_OF_THE_FILE = ("bits", "report")
"""Options of `Delivery` that a row may set; the others are those of the run."""

_OF_THE_RUN = ("plugins",)
"""Options that no row may set: a plug-in is code, and a manifest may come from anywhere."""

Value = str | int | float | bool | list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of a manifest.

    Attributes:
        kind: What kind of song it is.
        song: Its name.
        inputs: Its files.
        source: The manifest and the line, for messages.
        options: Options of the song by field of its request, in their types.
        output: File of the mix; empty if the row says none.
    """

    kind: Kind
    song: str
    inputs: tuple[str, ...]
    source: str
    options: dict[str, Any]
    output: str


def read_manifest(path: str) -> Iterator[Row]:
    """Reads a manifest, a CSV file row by row.

    Yields:
        Its rows.

    Raises:
        InputError: It cannot be read.
        UsageError: It is not a manifest; names the line.
    """
    remember_input(path)
    try:
        tables = _toml_tables(path) if path.lower().endswith(".toml") else _csv_tables(path)
        for source, table in tables:
            yield _read_row(os.path.dirname(path), source, table)
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


def _read_row(folder: str, source: str, table: Mapping[str, Value]) -> Row:
    places = {key: _text(source, key, table[key]) for key in PLACES & table.keys()}
    if places.keys() & {"vocal", "beat", "stems"} not in ({"vocal", "beat"}, {"stems"}):
        raise UsageError(f"{source}: name `vocal` and `beat`, or `stems`")
    kind: Kind = "stems" if "stems" in places else "vocal"
    sides = ("stems",) if kind == "stems" else ("vocal", "beat")
    inputs = tuple(os.path.join(folder, places[side]) for side in sides)
    known = _options_of(kind)
    options = {}
    for key, value in table.items():
        if key in PLACES:
            continue
        parameter = known.get(key.replace("_", "-"))
        if key in _OF_THE_RUN:
            raise UsageError(
                f"{source}: {key} loads code, so that a manifest cannot ask for it; remove the"
                f" column, and give --{key} yourself"
            )
        if parameter is None:
            raise UsageError(
                f"{source}: {key!r} is not an option of one song; remove the column, or name one"
                f" of {', '.join(known)}"
            )
        read = _read_value(folder, f"{source}: {key}", parameter, value)
        if read is not None:
            options[parameter.name] = read
    return Row(
        kind=kind,
        song=places.get("name") or _stem(inputs[-1]),
        inputs=inputs,
        source=source,
        options=options,
        output=places.get("output", ""),
    )


@functools.cache
def _options_of(kind: Kind) -> dict[str, Parameter]:
    """The options that a row may set, by their names on the command line."""
    declared = ((p, option_of(p)) for p in parameters(REQUESTS[kind]).values())
    own = [
        p
        for p, option in declared
        if not option.argument and not option.hidden and p.name not in _OF_THE_RUN
    ]
    written = [parameters(Delivery)[name] for name in _OF_THE_FILE]
    return {flag_of(parameter).removeprefix("--"): parameter for parameter in (*own, *written)}


def _read_value(folder: str, source: str, parameter: Parameter, value: Value) -> Any:
    """A value in the type of its option; none where it says that the option is not given."""
    if parameter.many:
        if isinstance(value, bool):
            raise UsageError(f"{source} takes a value")
        parts = value.split(";") if isinstance(value, str) else value
        parts = parts if isinstance(parts, list) else [str(parts)]
        texts = [part.strip() for part in parts if part.strip()]
        return [_read_one(folder, source, parameter, text) for text in texts]
    if isinstance(value, list):
        raise UsageError(f"{source}: takes one value")
    return _read_one(folder, source, parameter, value)


def _read_one(
    folder: str, source: str, parameter: Parameter, value: str | int | float | bool
) -> Any:
    if parameter.kind is bool:
        if str(value).lower() not in ("true", "false"):
            raise UsageError(f"{source} must be true or false, not {value!r}")
        return True if str(value).lower() == "true" else None
    if isinstance(value, bool):
        raise UsageError(f"{source} takes a value")
    if parameter.kind is Path and parameter.name != "report":
        return Path(folder, str(value))
    if parameter.kind not in (int, float):
        return str(value)
    try:
        return parameter.kind(value)
    except ValueError:
        raise UsageError(f"{source} must be a number, not {value!r}") from None


def _text(source: str, key: str, value: Value) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{source}: {key} must be a text")
    return value


def _stem(path: str) -> str:
    name = os.path.basename(os.path.normpath(path))
    return name if os.path.isdir(path) else os.path.splitext(name)[0]
