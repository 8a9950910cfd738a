"""The ratings of a listening test: who rated which mix of which passage, and how."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automix.errors import InputError, UsageError
from automix.evaluation.csv_table import Line, Table, plain, read_table
from automix.files.names import printable

COLUMNS = ("participant", "passage", "method", "rating")
"""What every file has; further columns are aspects, such as ``reverb``."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratings:
    """What was rated how: one row per rated stimulus, in an order that the files do not decide.

    Attributes:
        participants: Who, by row.
        passages: Which piece of music, by row.
        methods: Which mix of it, by row.
        aspects: Ratings by row and by what was rated, ``rating`` first; NaN where left blank.
        notes: What the user should know.
    """

    participants: tuple[str, ...]
    passages: tuple[str, ...]
    methods: tuple[str, ...]
    aspects: Mapping[str, NDArray[np.float64]]
    notes: tuple[str, ...] = ()

    @property
    def method_names(self) -> tuple[str, ...]:
        """All methods, in natural order."""
        return in_natural_order(self.methods)

    @property
    def passage_names(self) -> tuple[str, ...]:
        """All passages, in natural order."""
        return in_natural_order(self.passages)

    def by_method(self, aspect: str, passage: str | None = None) -> list[NDArray[np.float64]]:
        """The ratings that each method was given, of one passage or of all, without blanks."""
        values = self.aspects[aspect]
        here = ~np.isnan(values)
        if passage is not None:
            here &= np.array(self.passages) == passage
        methods = np.array(self.methods)
        return [values[here & (methods == name)] for name in self.method_names]


def in_natural_order(names: Sequence[str]) -> tuple[str, ...]:
    """The different names, sorted without regard to case and with numbers as numbers."""
    return tuple(sorted(set(names), key=_natural))


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], name


def read_ratings(paths: Sequence[Path], aspects: Sequence[str] | None = None) -> Ratings:
    """Reads and checks the ratings of one listening test.

    A file may be UTF-8 or UTF-16, with a byte-order mark or without, or Windows-1252; separated by
    commas, semicolons, tabs or bars; where it is not by commas, ``0,5`` is a number.

    Args:
        paths: Files with the same columns; one per participant, or all in one.
        aspects: Which columns to use; by default ``rating`` and all further columns of numbers.

    Raises:
        InputError: A file cannot be read or is no table of ratings; names the line.
        UsageError: There is no such aspect.
    """
    tables = [read_table(path, COLUMNS) for path in paths]
    columns = _common_columns(tables)
    rows = [row for table in tables for row in _rows(table)]
    _check_once(rows)
    rows.sort(key=lambda row: tuple(map(_natural, row.stimulus)))
    names, notes = _chosen_aspects(columns, rows, aspects)
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
    """One line of a file: where it is, what was rated by whom, and the other cells."""

    where: str
    stimulus: tuple[str, str, str]
    cells: Mapping[str, str]
    decimal_comma: bool

    def number(self, column: str) -> float:
        """A cell as a number, NaN if blank.

        Raises:
            InputError: It is not a finite number, or a blank ``rating``.
        """
        text = self.cells[column]
        if not text and column != "rating":
            return math.nan
        if not text:
            raise InputError(f"{self.where}: the rating is blank; fill it in or delete the line")
        value = self.parsed(column)
        if value is None:
            raise InputError(
                f"{self.where}: {printable(column)} {printable(repr(text))} is not a number;"
                " correct it"
                + ("" if column == "rating" else ", or name the columns to use with --aspect")
            )
        return value

    def parsed(self, column: str) -> float | None:
        """A cell as a number, none if it is not a finite one."""
        text = self.cells[column]
        if self.decimal_comma:
            text = text.replace(",", ".")
        # Python also reads "1_000" and the digits of other scripts; a rating has no such thing.
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
            return None
        value = float(text)
        return value if math.isfinite(value) else None


def _rows(table: Table) -> list[_Row]:
    if not table.lines:
        raise InputError(f"{table.name}: holds no ratings, only the names of the columns")
    return [_row(line, table.decimal_comma) for line in table.lines]


def _row(line: Line, decimal_comma: bool) -> _Row:
    who, passage, method = (line.cells[column] for column in COLUMNS[:3])
    for column in COLUMNS[:3]:
        if not line.cells[column]:
            raise InputError(f"{line.where}: the {column} is blank; fill it in or delete the line")
    return _Row(line.where, (who, passage, method), line.cells, decimal_comma)


def _common_columns(tables: Sequence[Table]) -> tuple[str, ...]:
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


def _chosen_aspects(
    columns: Sequence[str], rows: Sequence[_Row], wanted: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Names of the columns to use, and notes about those that are not."""
    known = [name for name in ("rating", *columns) if name and name not in COLUMNS[:3]]
    known = list(dict.fromkeys(known))
    if wanted:
        folded = [plain(name).casefold() for name in wanted]
        for name in folded:
            if name not in known:
                raise UsageError(f"--aspect {printable(name)}: there are only {', '.join(known)}")
        return list(dict.fromkeys(folded)), []
    numeric = [
        name
        for name in known
        if name == "rating" or any(row.parsed(name) is not None for row in rows)
    ]
    left_out = [printable(name) for name in known if name not in numeric]
    return numeric, [f"no ratings in {', '.join(left_out)}: left out"] if left_out else []
