"""Tables as spreadsheets save them, and tables that spreadsheets may open."""

import csv
import io

import pytest

from automix.errors import InputError, UsageError
from automix.files.table import parse_number, read_table, restore_text, write_table

COLUMNS = ("vocal", "beat", "name")
PLAIN = "vocal,beat,name\nvóx.wav,b.wav,one\nw.wav,c.wav,Größe\n"
ROWS = [
    {"vocal": "vóx.wav", "beat": "b.wav", "name": "one"},
    {"vocal": "w.wav", "beat": "c.wav", "name": "Größe"},
]
SPREADSHEETS = {
    "UTF-8 with a mark": PLAIN.encode("utf-8-sig"),
    "Unicode text": PLAIN.replace(",", "\t").replace("\n", "\r\n").encode("utf-16"),
    "UTF-16 with the large byte first": ("\ufeff" + PLAIN).encode("utf-16-be"),
    "UTF-16 without a mark": PLAIN.encode("utf-16-le"),
    "semicolons": PLAIN.replace(",", ";").encode(),
    "bars": PLAIN.replace(",", "|").encode(),
    "line ends of Windows": PLAIN.replace("\n", "\r\n").encode(),
    "line ends of old Macs": PLAIN.replace("\n", "\r").encode(),
    "mixed line ends": PLAIN.replace("\n", "\r\n", 1).replace("one\n", "one\r").encode(),
    "two line ends each": PLAIN.replace("\n", "\r\r\n").encode(),
    "no line end at the end": PLAIN.rstrip().encode(),
    "capitals and spaces": PLAIN.replace("vocal,beat", " Vocal ,BEAT\u00a0").encode(),
    "blank lines": PLAIN.replace("\n", "\n\n").encode() + b"\n  \n",
    "lines of separators": PLAIN.replace("\n", "\n,,\n,,,,,\n").encode(),
    "blank lines first": b"\n,,\n \n" + PLAIN.encode(),
    "blank columns behind": PLAIN.replace("\n", ",,,\n").encode(),
    "cells in quotes": "".join(
        '"' + row.replace(",", '","') + '"\n' for row in PLAIN.splitlines()
    ).encode(),
    "the separator named": ("sep=;\n" + PLAIN.replace(",", ";")).encode(),
    "the separator named in quotes": ('"sep=;"\r\n' + PLAIN.replace(",", ";")).encode("utf-8-sig"),
    "the tab named": ("SEP=\t\n" + PLAIN.replace(",", "\t")).encode(),
    "another separator named than there is": ("sep=;\n" + PLAIN).encode(),
    "the separator named in cells": ("sep=;;\n" + PLAIN.replace(",", ";")).encode(),
    "an index in front": b"," + PLAIN.replace("\nv", "\n0,v").replace("\nw", "\n1,w").encode(),
}


@pytest.fixture
def read(tmp_path):
    def read(content, **options):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, COLUMNS, **options)

    return read


@pytest.mark.parametrize("kind", SPREADSHEETS)
def test_a_table_means_the_same_however_it_was_saved(read, kind):
    table = read(SPREADSHEETS[kind])
    assert [dict(line.cells) for line in table.lines] == ROWS
    assert table.notes == ()


def test_windows_1252_is_read_and_said_also_where_single_lines_are(read):
    table = read(PLAIN.encode("cp1252"))
    assert [dict(line.cells) for line in table.lines] == ROWS
    assert "line 2: is not UTF-8; read as Windows-1252" in table.notes[0]
    table = read(PLAIN.encode().replace("Größe".encode(), "Größe".encode("cp1252")))
    assert [dict(line.cells) for line in table.lines] == ROWS
    assert "line 3" in table.notes[0]


def test_cells_may_hold_line_ends_and_rows_may_lack_cells_at_their_end(read):
    table = read('vocal;beat;name\r\n"a\r\nb";"c ""d"" ;e"\r\nf')
    assert [dict(line.cells) for line in table.lines] == [
        {"vocal": "a\r\nb", "beat": 'c "d" ;e', "name": ""},
        {"vocal": "f", "beat": "", "name": ""},
    ]
    assert [line.where.rpartition(" ")[2] for line in table.lines] == ["2", "4"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"sep=;\r\n", "is empty"),
        (b",,\n , \n", "is empty"),
        ("vocal,beat,Vocal \na,b,c", "two columns 'vocal'"),
        ("vocal,beat\na,b,c", "line 2: has 3 cells where the first line has 2"),
        ("vocal,beat,\na,b,\na,b,-14", "line 3: '-14' stands in a column without a name"),
        (",vocal\n1,b\nx,b", "line 3: 'x' stands in a column without a name"),
        ('vocal,beat\na,b\n\n"a,b', "line 4: is not CSV"),
        ("vocal,beat\n" + 200_000 * "a", "line 2: is not CSV"),
        (b"vocal,beat\na,b\n\x81\xff,b", "line 3: is neither UTF-8 nor Windows-1252"),
        ("vocal" + ",a" * 200_000, "over 1000 columns"),
        ("vocal\na" + ",a" * 1_000_000, "line 2: has over 1048576 characters"),
        (b"PK\3\4\0\0\0\0", "line 1: holds a null character"),
    ],
)
def test_what_is_no_table_is_named_with_its_line(read, content, said):
    with pytest.raises(UsageError, match=said):
        read(content, refuse=UsageError)
    with pytest.raises(InputError, match="no column vocal"):
        read("a,b\n1,2\n", required=["vocal"])


def test_the_cells_of_a_table_are_counted_before_they_fill_the_memory(read, monkeypatch):
    monkeypatch.setattr("automix.files.table._MOST_CELLS", 100)
    assert len(read("vocal,beat\n" + "a\n" * 50).lines) == 50
    with pytest.raises(InputError, match="line 52: over 100 cells"):
        read("vocal,beat\n" + "a\n" * 51)


@pytest.mark.parametrize(
    ("text", "comma", "number"),
    [
        ("-14.5", False, -14.5),
        (" \u221214,5 ", True, -14.5),
        ("+.5e-1", False, 0.05),
        ("5.", True, 5.0),
        ("0,5", False, None),
        ("1_000", False, None),
        ("٣", False, None),
        ("1e999", False, None),
        ("nan", False, None),
        ("9" * 5000, False, None),
        ("9" * 100_000 + "x", False, None),
        ("", False, None),
    ],
)
def test_numbers_are_those_of_spreadsheets(text, comma, number):
    assert parse_number(text, decimal_comma=comma) == number


TEXTS = [
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＠x", "'=1",
    "''=1", "-dash", "'quoted'", "=", "plain", "-14.5", "", "a=b", "don't",
]  # fmt: skip


def test_no_text_that_is_written_is_a_formula_and_all_is_read_back():
    file = io.StringIO(newline="")
    write_table(file, [["vocal", "beat", "name"], *([text, -1.5, None] for text in TEXTS)])
    written = [row[0] for row in csv.reader(io.StringIO(file.getvalue(), newline=""))][1:]
    formulas = [cell for cell in written if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]
    assert formulas == ["-14.5"]
    assert [restore_text(cell) for cell in written] == [t.replace("\r", "\n") for t in TEXTS]


def test_a_null_character_is_not_written():
    file = io.StringIO()
    write_table(file, [["a\0b"]])
    assert file.getvalue() == "a\ufffdb\n"
