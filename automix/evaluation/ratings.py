"""Reads the ratings of a listening test: who rated which mix of which passage, and how."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automix.errors import InputError, UsageError
from automix.files.names import printable
from automix.files.table import Line, Table, normalize_text, parse_number, read_table, restore_text

COLUMNS = ("participant", "passage", "method", "rating")
"""Columns that every file has; further columns are aspects, such as ``reverb``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratings:
    """All ratings of a test: one row per rated stimulus, in an order that no file decides.

    Attributes:
        participants: Name of the participant, by row.
        passages: Name of the piece of music, by row.
        methods: Name of the method that mixed it, by row.
        aspects: Ratings by row for each aspect, ``rating`` first; NaN where left blank.
        notes: Sentences for the user.
    """

    participants: tuple[str, ...]
    passages: tuple[str, ...]
    methods: tuple[str, ...]
    aspects: Mapping[str, NDArray[np.float64]]
    notes: tuple[str, ...] = ()

    @property
    def method_names(self) -> tuple[str, ...]:
        """All methods, in natural order."""
        return sort_naturally(self.methods)

    @property
    def passage_names(self) -> tuple[str, ...]:
        """All passages, in natural order."""
        return sort_naturally(self.passages)

    def by_method(self, aspect: str, passage: str | None = None) -> list[NDArray[np.float64]]:
        """Lists the ratings of each method, of one passage or of all, without blanks."""
        values = self.aspects[aspect]
        here = ~np.isnan(values)
        if passage is not None:
            here &= np.array(self.passages) == passage
        methods = np.array(self.methods)
        return [values[here & (methods == name)] for name in self.method_names]


def sort_naturally(names: Sequence[str]) -> tuple[str, ...]:
    """Sorts the different names without regard to case and with numbers as numbers."""
    return tuple(sorted(set(names), key=_make_natural_key))


def _make_natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"([0-9]+)", name.casefold())
    # Digits are compared as text: there may be thousands of them.
    numbers = [part.lstrip("0") if part.isdecimal() else None for part in parts]
    keys = [
        (-1, part) if number is None else (len(number), number)
        for part, number in zip(parts, numbers, strict=True)
    ]
    return keys, name


def read_ratings(paths: Sequence[Path], aspects: Sequence[str] | None = None) -> Ratings:
    """Reads and checks the ratings of one listening test.

    A file may be UTF-8 or UTF-16, with a byte-order mark or without, or Windows-1252; separated by
    commas, semicolons, tabs or bars; where it is not by commas, ``0,5`` is a number.

    Args:
        paths: Files with the same columns; one per participant, or all in one.
        aspects: Columns to use; by default ``rating`` and all further columns of numbers.

    Raises:
        InputError: A file cannot be read or is no table of ratings; names the line.
        UsageError: No column has the name of an aspect.
    """
    tables = [read_table(path, COLUMNS, COLUMNS) for path in paths]
    columns = _check_columns(tables)
    rows = [row for table in tables for row in _read_rows(table)]
    _check_once(rows)
    rows.sort(key=lambda row: tuple(map(_make_natural_key, row.stimulus)))
    names, notes = _choose_aspects(columns, rows, aspects)
    notes = [*(note for table in tables for note in table.notes), *notes]
    values = {name: np.array([row.number(name) for row in rows]) for name in names}
    for name, column in values.items():
        if blanks := int(np.isnan(column).sum()):
            notes.append(
                f"{printable(name)}: {blanks} of {len(rows)} cells are blank, and left out"
            )
    participants, passages, methods = zip(*(row.stimulus for row in rows), strict=True)
    return Ratings(
        participants=participants,
        passages=passages,
        methods=methods,
        aspects=values,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Row:
    """One line of a file.

    Attributes:
        where: File and line, for messages.
        stimulus: Participant, passage and method.
        cells: Text of the cells by column.
        decimal_comma: Whether ``0,5`` is a number.
    """

    where: str
    stimulus: tuple[str, str, str]
    cells: Mapping[str, str]
    decimal_comma: bool

    def number(self, column: str) -> float:
        """Reads a cell as a number, NaN if it is blank.

        Raises:
            InputError: The cell is not a finite number, or it is a blank ``rating``.
        """
        text = self.cells[column]
        if not text and column != "rating":
            return math.nan
        if not text:
            raise InputError(f"{self.where}: the rating is blank; fill it in or delete the line")
        value = self.parse(column)
        if value is None:
            raise InputError(
                f"{self.where}: {printable(column)} {printable(repr(text))} is not a number;"
                " correct it"
                + ("" if column == "rating" else ", or name the columns to use with --aspect")
            )
        return value

    def parse(self, column: str) -> float | None:
        """Reads a cell as a number; none if it is not a finite one."""
        return parse_number(self.cells[column], decimal_comma=self.decimal_comma)


def _read_rows(table: Table) -> list[_Row]:
    if not table.lines:
        raise InputError(f"{table.name}: holds no ratings, only the names of the columns")
    return [_read_row(line, table.decimal_comma) for line in table.lines]


def _read_row(line: Line, decimal_comma: bool) -> _Row:
    cells = {name: normalize_text(restore_text(cell)) for name, cell in line.cells.items()}
    who, passage, method = (cells[column] for column in COLUMNS[:3])
    for column in COLUMNS[:3]:
        if not cells[column]:
            raise InputError(f"{line.where}: the {column} is blank; fill it in or delete the line")
    return _Row(line.where, (who, passage, method), cells, decimal_comma)


def _check_columns(tables: Sequence[Table]) -> tuple[str, ...]:
    first = tables[0]
    for table in tables[1:]:
        if different := set(table.columns) ^ set(first.columns):
            raise InputError(
                f"{table.name}: has not the same columns as {first.name} (they differ in"
                f" {', '.join(sorted(map(printable, different)))}); evaluate one test at a time"
            )
    return first.columns


def _check_once(rows: Sequence[_Row]) -> None:
    seen: dict[tuple[str, str, str], str] = {}
    for row in rows:
        if before := seen.get(row.stimulus):
            who, passage, method = map(printable, row.stimulus)
            raise InputError(
                f"{row.where}: {who} has rated {method} in {passage} before ({before}); delete one"
                " of the two"
            )
        seen[row.stimulus] = row.where


def _choose_aspects(
    columns: Sequence[str], rows: Sequence[_Row], wanted: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Chooses the columns to use, and writes notes about the others."""
    known = [name for name in ("rating", *columns) if name and name not in COLUMNS[:3]]
    known = list(dict.fromkeys(known))
    if wanted:
        folded = [normalize_text(name).casefold() for name in wanted]
        for name in folded:
            if name not in known:
                raise UsageError(f"--aspect {printable(name)}: there are only {', '.join(known)}")
        return list(dict.fromkeys(folded)), []
    numeric = [
        name
        for name in known
        if name == "rating" or any(row.parse(name) is not None for row in rows)
    ]
    left_out = [printable(name) for name in known if name not in numeric]
    return numeric, [f"no ratings in {', '.join(left_out)}: left out"] if left_out else []
