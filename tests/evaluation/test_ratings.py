"""Ratings from CSV: whatever spreadsheets and test pages write, and what is refused."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from automix.errors import InputError, UsageError
from automix.evaluation.ratings import read_ratings, sort_naturally

HEADER = "participant,passage,method,rating"
ROWS = ("P1,A,rules,0.5", "P1,A,mono,0.25", "P2,A,rules,0.75", "P2,A,mono,0")


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Writes text or bytes to a file, or several, and reads them."""
    monkeypatch.chdir(tmp_path)

    def run(*contents, aspects=None):
        paths = []
        for index, content in enumerate(contents):
            path = Path(f"ratings{index or ''}.csv")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths.append(path)
        return read_ratings(paths, aspects)

    return run


def table(*rows, header=HEADER):
    return "\n".join((header, *rows)) + "\n"


def cells(ratings, aspect="rating"):
    keys = zip(ratings.participants, ratings.passages, ratings.methods, strict=True)
    return dict(zip(keys, ratings.aspects[aspect].tolist(), strict=True))


EXPECTED = {
    ("P1", "A", "mono"): 0.25,
    ("P1", "A", "rules"): 0.5,
    ("P2", "A", "mono"): 0.0,
    ("P2", "A", "rules"): 0.75,
}


@pytest.mark.parametrize(
    "content",
    [
        table(*ROWS),
        table(*ROWS).replace("\n", "\r\n"),
        table(*ROWS).replace("\n", "\r"),
        table(*ROWS).rstrip(),
        "\n" + table(*ROWS, "", ",,,"),
        table(*ROWS).encode("utf-8-sig"),
        table(*ROWS).encode("utf-16"),
        "\ufeff".encode("utf-16-be") + table(*ROWS).encode("utf-16-be"),
        table(*ROWS).replace(",", ";"),
        ("sep=;\r\n" + table(*ROWS).replace(",", ";").replace("\n", "\r\n")).encode("utf-8-sig"),
        "sep=\t\r" + table(*ROWS).replace(",", "\t").replace("\n", "\r"),
        table(*ROWS).replace("\n", "\n,,,\n\n"),
        table(*ROWS).replace(",", ";").replace(".", ","),
        table(*ROWS).replace(",", "\t").encode("utf-16"),
        table(*ROWS).encode("utf-16-le"),
        table(*ROWS).replace(",", "|"),
        table(*ROWS).replace(",", " , "),
        table(*ROWS, header='"Participant","PASSAGE","Method","Rating"'),
        table(*(row + "," for row in ROWS), header=HEADER + ","),
        table(*(row + ",," for row in ROWS)),
        table(*(f"{index},{row}" for index, row in enumerate(ROWS)), header="," + HEADER),
    ],
)
def test_spellings_of_one_table_are_read_alike(read, content):
    ratings = read(content)
    assert cells(ratings) == EXPECTED
    assert ratings.notes == ()
    assert list(ratings.aspects) == ["rating"]


def test_columns_may_stand_in_any_order(read):
    rows = [",".join(reversed(row.split(","))) for row in ROWS]
    assert cells(read(table(*rows, header="rating,method,passage,participant"))) == EXPECTED


def test_the_order_of_the_lines_does_not_matter(read):
    rows = [f"P{p},S{s},{m},{p * s * n % 7}" for p in range(12) for s in range(4)
            for n, m in enumerate(("a", "b", "c"))]  # fmt: skip
    first = read(table(*rows))
    random.Random(1).shuffle(rows)
    second = read(table(*rows))
    assert first.participants == second.participants
    assert np.array_equal(first.aspects["rating"], second.aspects["rating"])


def test_one_file_for_each_participant(read):
    assert cells(read(table(*ROWS[:2]), table(*ROWS[2:]))) == EXPECTED


def test_windows_1252_is_read_and_said(read):
    ratings = read(table("Zoë,Früh,naïve,1", "Zoë,Früh,rules,2").encode("cp1252"))
    assert set(ratings.participants) == {"Zoë"}
    assert ratings.passage_names == ("Früh",)
    assert "Windows-1252" in ratings.notes[0]


def test_names_may_be_of_any_script_and_of_two_spellings_of_one_letter(read):
    ratings = read(table("P1,曲 1,re\u0301el,1", "P2,曲 1,r\u00e9el,2", "P1,曲 1,метод,3"))
    assert ratings.method_names == ("r\u00e9el", "метод")
    assert ratings.passage_names == ("曲 1",)


def test_quoted_cells_hold_separators_quotes_and_line_ends(read):
    ratings = read(table('P1,"Song, ""live""\nat night",rules,1', "P1,B,rules,x"[:-1] + "2"))
    assert ratings.passage_names == ("B", 'Song, "live" at night')


def test_line_numbers_count_the_lines_within_quotes(read):
    with pytest.raises(InputError, match=r"^ratings\.csv, line 4: rating 'good'"):
        read(table('P1,"a\nb",rules,1', "P1,A,rules,good"))


def test_aspects_are_the_further_columns_of_numbers(read):
    header = HEADER + ",reverb,comment,level"
    ratings = read(table("P1,A,x,4,,nice,3", "P1,A,y,2,5,,1", header=header))
    assert list(ratings.aspects) == ["rating", "reverb", "level"]
    values = cells(ratings, "reverb")
    assert np.isnan(values["P1", "A", "x"])
    assert values["P1", "A", "y"] == 5.0
    assert any("comment" in note for note in ratings.notes)
    assert any("reverb: 1 of 2" in note for note in ratings.notes)
    assert [group.tolist() for group in ratings.by_method("reverb")] == [[], [5.0]]


def test_aspects_can_be_chosen(read):
    header = HEADER + ",reverb,level,age"
    content = table("P1,A,x,4,1,3,old", "P1,A,y,2,5,1,30", header=header)
    assert list(read(content, aspects=["Level", "rating"]).aspects) == ["level", "rating"]
    with pytest.raises(UsageError, match=r"loudness.*rating, reverb, level, age"):
        read(content, aspects=["loudness"])
    with pytest.raises(InputError, match=r"line 2: age 'old' is not a number.*--aspect"):
        read(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (" \n\n", "empty"),
        (",,,\n,,\n", "empty"),
        (table(), "no ratings"),
        (table(header="participant,passage,method,score"), "no column rating"),
        (table(header="who,what"), "(?=.*passage)(?=.*who, what)"),
        (table(*ROWS, header=HEADER + ",rating"), "two columns 'rating'"),
        (table("P1,A,rules,0.5", "P1,A,mono,loud"), "line 3: rating 'loud' is not a number"),
        (table("P1,A,rules,nan"), "line 2: .*not a number"),
        (table("P1,A,rules,inf"), "line 2: .*not a number"),
        (table("P1,A,rules,1e999"), "line 2: .*not a number"),
        (table("P1,A,rules,1_0"), "line 2: .*not a number"),
        (table("P1,A,rules,"), "line 2: the rating is blank"),
        (table("P1,A,,1"), "line 2: the method is blank"),
        (table(",A,rules,1"), "line 2: the participant is blank"),
        (table("P1,A,rules"), "line 2: the rating is blank"),
        (table("P1,A,rules,0,5"), "line 2: has 5 cells"),
        (table(ROWS[0], ROWS[1], ROWS[0]), "line 4: P1 has rated rules in A before .*line 2"),
        (table('P1,"A,rules,1', "P1,A,mono,1"), "line 2: is not CSV"),
        (table('P1,"A"B,rules,1'), "line 2: is not CSV"),
        (table("P1," + 200_000 * "A" + ",rules,1"), "line 2: is not CSV"),
        (b"\xff\xfea\x00\x00", "UTF-16"),
        (bytes(range(256)), "line 3: is neither UTF-8 nor Windows-1252"),
        (b"PK\x03\x04\x00\x00", "line 1: holds a null character"),
    ],
)
def test_what_is_no_table_of_ratings_is_refused(read, content, said):
    with pytest.raises(InputError, match=rf"(?s)^ratings\.csv.*{said}"):
        read(content)


def test_a_second_rating_in_another_file_is_refused(read):
    with pytest.raises(InputError, match=r"^ratings1\.csv, line 2: .*ratings\.csv, line 2"):
        read(table(*ROWS), table(ROWS[0]))


def test_files_of_different_tests_are_refused(read):
    with pytest.raises(InputError, match=r"ratings1\.csv.*ratings\.csv.*reverb"):
        read(table(*ROWS), table("P3,A,x,1,2", header=HEADER + ",reverb"))


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("", "missing.csv", "pipe.csv", "a\0b", "x" * 300):
        with pytest.raises(InputError):
            read_ratings([tmp_path / name])


def test_names_are_in_natural_order():
    names = ["song 10", "Song 2", "song 1", "alpha", "Beta", "song 10"]
    assert sort_naturally(names) == ("alpha", "Beta", "song 1", "Song 2", "song 10")
