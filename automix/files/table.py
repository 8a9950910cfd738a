"""Tables as spreadsheets read and write them: CSV files of any separator and several encodings."""

import csv
import io
import math
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from automix.errors import AutomixError, InputError
from automix.files.names import printable
from automix.files.text import decode_text, read_bytes

_LONGEST_LINE = 1 << 20
_MOST_COLUMNS = 1000
_MOST_CELLS = 2_000_000
_DELIMITERS = ",;\t|"
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # also those of full width
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Line:
    """One record of a table.

    Attributes:
        where: File and number of the record's first line, for messages.
        cells: Text of each cell by name of its column, as it stands in the file.
    """

    where: str
    cells: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The content of a CSV file.

    Attributes:
        name: Name of the file, for messages.
        columns: Names of the columns in small letters; those without a name are left out.
        lines: Records that are not blank, without the first, which names the columns.
        decimal_comma: Whether ``0,5`` may be a number, since commas do not separate the cells.
        notes: Sentences for the user.
    """

    name: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    decimal_comma: bool
    notes: tuple[str, ...]


def read_table(
    path: str | os.PathLike[str],
    known: Collection[str],
    required: Collection[str] = (),
    *,
    refuse: type[AutomixError] = InputError,
) -> Table:
    """Reads a CSV file in UTF-8, UTF-16 or Windows-1252, separated by ``,`` ``;`` ``|`` or tabs.

    It may begin with a line such as ``sep=;``. Blank lines, rows of separators alone, and blank
    columns without a name are left out, and so is an index in front. Rows may lack cells at their
    end, as spreadsheets leave them out.

    Args:
        path: The file.
        known: Names of columns that may be there; they tell the separator.
        required: Names of columns that have to be there.
        refuse: Kind of error for what is no such table.

    Raises:
        InputError: The file cannot be read.
        AutomixError: Of the kind ``refuse``: it is not such a table, or lacks a column; names the
            line.
    """
    name = printable(path)
    text, line_in_1252 = decode_text(read_bytes(path), name, refuse)
    for number, row in enumerate(io.StringIO(text, newline=None), 1):
        if len(row) > _LONGEST_LINE:
            raise refuse(f"{name}, line {number}: has over {_LONGEST_LINE} characters")
    delimiter, has_directive = _find_delimiter(text, known)
    records = _read_records(name, text, delimiter, refuse)
    if has_directive:
        next(records)
    _, header = next(records, (1, None))
    if header is None:
        raise refuse(f"{name}: is empty; its first line has to name the columns")
    columns = [normalize_text(restore_text(cell)).casefold() for cell in header]
    if len(columns) > _MOST_COLUMNS:
        raise refuse(f"{name}: has over {_MOST_COLUMNS} columns; is it the right file?")
    _check_columns(name, columns, required, refuse)
    notes = []
    if line_in_1252 is not None:
        notes.append(
            f"{name}, line {line_in_1252}: is not UTF-8; read as Windows-1252, so check names with"
            " accents"
        )
    lines: list[Line] = []
    for number, record in records:
        where = f"{name}, line {number}"
        if (len(lines) + 1) * len(columns) > _MOST_CELLS:
            raise refuse(f"{where}: over {_MOST_CELLS} cells; divide the file")
        if any(cell.strip() for cell in record[len(columns) :]):
            raise refuse(
                f"{where}: has {len(record)} cells where the first line has {len(columns)};"
                " put text that holds the separator in double quotes"
            )
        record += [""] * (len(columns) - len(record))
        pairs = list(zip(columns, record, strict=False))
        for place, (column, cell) in enumerate(pairs):
            is_index = place == 0 and cell.strip().isdecimal()
            if not column and cell.strip() and not is_index:
                raise refuse(
                    f"{where}: {printable(cell.strip())[:40]!r} stands in a column without a name;"
                    " name the column in the first line, or clear the cell"
                )
        lines.append(Line(where, {column: cell for column, cell in pairs if column}))
    return Table(
        name=name,
        columns=tuple(filter(None, columns)),
        lines=tuple(lines),
        decimal_comma=delimiter != ",",
        notes=tuple(notes),
    )


def write_table(file: TextIO, rows: Iterable[Iterable[object]]) -> None:
    """Writes rows as CSV in which no text is taken for a formula, whoever made it up.

    An apostrophe goes before such a text, as before one that begins with an apostrophe and such a
    text; `restore_text` takes it away.
    """
    writer = csv.writer(file, lineterminator="\n")
    for row in rows:
        writer.writerow([cell if _is_plain(cell) else _disarm(str(cell)) for cell in row])


def _is_plain(cell: object) -> bool:
    return cell is None or isinstance(cell, int | float)


def _disarm(text: str) -> str:
    # The writer quotes a line feed, but no carriage return, which readers take for one.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    is_formula = text.lstrip("'").startswith(_FORMULA_STARTS)
    return f"'{text}" if is_formula and parse_number(text) is None else text


def restore_text(text: str) -> str:
    """Gives a text of a cell as it was before `write_table` put an apostrophe before it."""
    is_formula = text.startswith("'") and text.lstrip("'").startswith(_FORMULA_STARTS)
    return text[1:] if is_formula else text


def normalize_text(text: str) -> str:
    """Puts text on one line, with "é" as one character, whichever system it was written on."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def parse_number(text: str, *, decimal_comma: bool = False) -> float | None:
    """Reads the number in a cell; none if it is not a finite one.

    Args:
        text: Text of the cell.
        decimal_comma: Whether ``0,5`` is a number.
    """
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    if decimal_comma:
        text = text.replace(",", ".")
    # Python also reads "1_000" and the digits of other scripts; a table has no such thing.
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None


def _find_delimiter(text: str, known: Collection[str]) -> tuple[str, bool]:
    """Finds the separator that splits the header into most names of known columns.

    Returns:
        The separator; and whether a line such as ``sep=;`` stands before the header, whose
        separator is taken first.
    """
    lines = (line.casefold().strip(' \ufeff"\r\n') for line in io.StringIO(text, newline=None))
    heads = filter(str.strip, lines)
    header = next(heads, "")
    said = ""
    if has_directive := header.startswith("sep="):
        said, header = header[4:5], next(heads, "")

    def count_known(delimiter: str) -> int:
        return sum(cell.strip(' "') in known for cell in header.split(delimiter))

    first = said if said in tuple(_DELIMITERS) else ""
    return max(first + _DELIMITERS, key=count_known), has_directive


def _read_records(
    name: str, text: str, delimiter: str, refuse: type[AutomixError]
) -> Iterator[tuple[int, list[str]]]:
    """Yields the records that are not blank, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise refuse(
            f"{name}, line {line}: is not CSV ({error}); look for a quotation mark too many"
        ) from error


def _check_columns(
    name: str, columns: Sequence[str], required: Collection[str], refuse: type[AutomixError]
) -> None:
    if missing := [column for column in required if column not in columns]:
        raise refuse(
            f"{name}: has no column {' and no column '.join(missing)}; its first line has to name"
            f" {', '.join(required)} (it names {', '.join(map(printable, columns)) or 'none'})"
        )
    for column in columns:
        if column and columns.count(column) > 1:
            raise refuse(f"{name}: has two columns {printable(column)!r}; rename or delete one")
