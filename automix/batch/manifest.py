"""Manifests: one row per song, as a table with a header or as TOML with ``[[song]]`` tables.

A row names ``vocal`` and ``beat``, or ``stems`` (a folder, or a session file); it may have a
``name`` or an ``output``. Any other column is an option of the command: ``loudness`` is
``--loudness``; ``true`` sets an option that takes no value. Empty cells say nothing. Paths are
relative to the manifest, outputs to the folder of the batch.
"""

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automix.errors import UsageError
from automix.files.names import find_file, printable
from automix.files.table import parse_number, read_table
from automix.files.text import read_toml
from automix.mixing.request import Delivery, StemsRequest, VocalRequest, flag_of, option_of
from automix.plan.parameters import Parameter, parameters
from automix.session.song_search import Kind

MANIFEST_EXTENSIONS = (".csv", ".tsv", ".txt", ".toml")  # spreadsheets save Unicode text as .txt

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


def read_manifest(path: str, note: Callable[[str], None] = lambda note: None) -> Iterator[Row]:
    """Reads a manifest.

    Args:
        path: The file.
        note: Told what is unusual about the file.

    Yields:
        Its rows.

    Raises:
        InputError: It cannot be read.
        UsageError: It is not a manifest; names the line.
    """
    tables = _toml_tables(path) if path.lower().endswith(".toml") else _csv_tables(path, note)
    for source, table in tables:
        yield _read_row(os.path.dirname(path), source, table)


def _csv_tables(path: str, note: Callable[[str], None]) -> Iterator[tuple[str, dict[str, Value]]]:
    options = _options_of("vocal") | _options_of("stems")
    numbers = {key for key, parameter in options.items() if _is_number(parameter)}
    table = read_table(path, {*PLACES, *options}, refuse=UsageError)
    for sentence in table.notes:
        note(sentence)
    columns = [_name_option(column) for column in table.columns]
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise UsageError(f"{table.name}: two columns are {twice}; leave one")
    for line in table.lines:
        cells = {_name_option(key): cell.strip() for key, cell in line.cells.items()}
        if table.decimal_comma:
            for key in numbers & cells.keys():
                cells[key] = cells[key].replace(",", ".")
        yield line.where, {key: cell for key, cell in cells.items() if cell}


def _toml_tables(path: str) -> Iterator[tuple[str, dict[str, Value]]]:
    document = read_toml(path, refuse=UsageError)
    name = printable(path)
    songs = document.pop("song", None)
    if document or not isinstance(songs, list):
        raise UsageError(f"{name}: a manifest has [[song]] tables and nothing else")
    for number, song in enumerate(songs, 1):
        source = f"{name}, song {number}"
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
    inputs = tuple(find_file(folder, places[side]) for side in sides)
    known = _options_of(kind)
    options = {}
    for key, value in table.items():
        if key in PLACES:
            continue
        parameter = known.get(_name_option(key))
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
        if parameter.name in options:
            raise UsageError(f"{source}: {key} is there twice; leave one")
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
        return Path(find_file(folder, str(value)))
    if parameter.kind not in (int, float):
        return str(value)
    number = parse_number(value) if isinstance(value, str) else value
    if number is None or parameter.kind(number) != number:
        what = "number" if parameter.kind is float else "whole number"
        raise UsageError(f"{source} must be a {what}, not {value!r}")
    return parameter.kind(number)


def _name_option(key: str) -> str:
    """An option's name on the command line by its name in a manifest: "true peak", "true_peak"."""
    return key.replace("_", "-").replace(" ", "-")


def _is_number(parameter: Parameter) -> bool:
    return parameter.kind in (int, float) or option_of(parameter).sets is not None


def _text(source: str, key: str, value: Value) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{source}: {key} must be a text")
    return value


def _stem(path: str) -> str:
    name = os.path.basename(os.path.normpath(path))
    return name if os.path.isdir(path) else os.path.splitext(name)[0]
