"""Reads CSV files as spreadsheets write them: any separator, several encodings, numbered lines."""

import csv
import io
import stat
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automix.errors import InputError
from automix.files.names import printable
from automix.inputs import remember_input

_LARGEST_BYTES = 64 << 20
_DELIMITERS = ",;\t|"
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Line:
    """One record of a table.

    Attributes:
        where: File and number of the record's first line, for messages.
        cells: Text of each cell by name of its column, on one line.
    """

    where: str
    cells: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The content of a CSV file.

    Attributes:
        name: Name of the file, for messages.
        columns: Names of the columns, in small letters.
        lines: Records that are not blank, without the first, which names the columns.
        decimal_comma: Whether ``0,5`` may be a number, since commas do not separate the cells.
        notes: Sentences for the user.
    """

    name: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    decimal_comma: bool
    notes: tuple[str, ...]


def read_table(path: Path, required: Collection[str]) -> Table:
    """Reads a CSV file in UTF-8, UTF-16 or Windows-1252, separated by ``,`` ``;`` ``|`` or tabs.

    Args:
        path: The file.
        required: Names of columns that it must have.

    Raises:
        InputError: The file cannot be read, is not such a table, or lacks a column; names the line.
    """
    name = printable(path)
    text, notes = _decode(name, _read_content(name, path), required)
    delimiter = _find_delimiter(text, required)
    records = _read_records(name, text, delimiter)
    _, header = next(records, (1, []))
    columns = tuple(normalize_text(cell).casefold() for cell in header)
    _check_columns(name, columns, required)
    lines = []
    for number, record in records:
        where = f"{name}, line {number}"
        extra = record[len(columns) :]
        if len(record) < len(columns) or any(cell.strip() for cell in extra):
            raise InputError(
                f"{where}: has {len(record)} cells where the first line has {len(columns)};"
                " put text that holds the separator in double quotes"
            )
        lines.append(Line(where, dict(zip(columns, map(normalize_text, record), strict=False))))
    return Table(
        name=name,
        columns=columns,
        lines=tuple(lines),
        decimal_comma=delimiter != ",",
        notes=tuple(notes),
    )


def normalize_text(text: str) -> str:
    """Puts text on one line, with "é" as one character, whichever system it was written on."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _read_content(name: str, path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{name}: is not a regular file; name a CSV file")
        if status.st_size > _LARGEST_BYTES:
            raise InputError(f"{name}: has over {_LARGEST_BYTES >> 20} MiB; is it a CSV file?")
        remember_input(path, status)
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}; check the path") from error
    except ValueError as error:  # a null character
        raise InputError(f"{name}: is not a possible file name") from error


def _decode(name: str, data: bytes, required: Collection[str]) -> tuple[str, list[str]]:
    charset = next((_MARKS[mark] for mark in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text, notes = data.decode(charset), []
    except UnicodeDecodeError as error:
        if charset != "utf-8":
            raise InputError(f"{name}: is not text in {charset}; save it as UTF-8") from error
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            raise InputError(f"{name}: is not text that can be read; save it as UTF-8") from error
        notes = [f"{name}: is not UTF-8; read as Windows-1252, so check names with accents"]
    if "\0" in text:
        raise InputError(f"{name}: is not a CSV file; export it as CSV in UTF-8")
    if not text.strip():
        raise InputError(f"{name}: is empty; its first line has to be {','.join(required)}")
    return text, notes


def _find_delimiter(text: str, required: Collection[str]) -> str:
    """Finds the separator that splits the first line into most names of required columns."""
    first = text.lstrip().splitlines()[0].casefold()

    def count_known(delimiter: str) -> int:
        return sum(cell.strip(' "') in required for cell in first.split(delimiter))

    return max(_DELIMITERS, key=count_known)


def _read_records(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yields the records that are not blank, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{name}, line {line}: is not CSV ({error}); look for a quotation mark too many"
        ) from error


def _check_columns(name: str, columns: Sequence[str], required: Collection[str]) -> None:
    if missing := [column for column in required if column not in columns]:
        raise InputError(
            f"{name}: has no column {' and no column '.join(missing)}; its first line has to name"
            f" {', '.join(required)} (it names {', '.join(map(printable, columns)) or 'none'})"
        )
    for column in columns:
        if column and columns.count(column) > 1:
            raise InputError(f"{name}: has two columns {printable(column)!r}; rename or delete one")
