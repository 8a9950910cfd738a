"""From results to tables."""

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from automix.errors import InputError, OutputError
from automix.evaluation.ratings import read_ratings
from automix.listening.export import ExportedRatings, export_results
from automix.listening.key import Key, load_key
from automix.listening.results import read_submission
from automix.listening.store import ResultStore
from tests.listening.listening_tests import make, result, write_mixes


def save(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def export(folder: Path, *files: Path, **changes: Any) -> ExportedRatings:
    options = {"database": None, "screen": False, "overwrite": False, **changes}
    return export_results(folder, files, ratings=folder / "ratings.csv", **options)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def likert(tmp_path: Path) -> tuple[Path, Key]:
    mixes = write_mixes(tmp_path / "mixes", methods="abc")
    make(mixes, tmp_path / "test", kind="likert", duration_s=0.6)
    return tmp_path / "test", load_key(tmp_path / "test")


def test_ratings_are_read_back_with_their_methods(likert: tuple[Path, Key], tmp_path: Path) -> None:
    folder, key = likert
    store = ResultStore(tmp_path / "results.sqlite")
    for number in (0, 1):
        text = json.dumps(result(key, number))
        store.add(read_submission(json.loads(text), key), key.test, text)
    file = save(tmp_path / "sent by mail.json", result(key, 2))
    again = save(tmp_path / "served and saved.json", result(key, 1))
    file.write_bytes(file.read_text().replace("{", "{\r\n").encode("utf-16"))  # as editors save it
    exported = export(folder, file, again, database=store.path)
    assert (exported.participants, exported.rows, exported.notes) == (3, 3 * 2 * 3, ())
    table = rows(exported.ratings)
    aspects = ["level", "equalization", "compression", "reverb"]
    assert list(table[0]) == ["participant", "passage", "method", "rating", *aspects]
    read = {(row["participant"], row["passage"], row["method"]): row for row in table}
    for number in range(3):
        for passage in result(key, number)["passages"]:
            keyed = key.passages[passage["passage"]]
            for stimulus in passage["stimuli"]:
                row = read[f"p{number:03}", keyed.name, keyed.methods[stimulus["stimulus"]]]
                assert float(row["rating"]) == stimulus["rating"]
                assert {a: float(row[a]) for a in aspects} == stimulus["aspects"]


def test_answers_go_beside_and_cannot_run_in_a_spreadsheet(likert: tuple[Path, Key]) -> None:
    folder, key = likert
    document = result(key, 1)
    document["answers"]["remarks"] = '=cmd|" /C calc"!A0,\nmore'
    exported = export(folder, save(folder / "r.json", document))
    assert exported.answers == folder / "ratings.answers.csv"
    (row,) = rows(exported.answers)
    assert row["remarks"] == '\'=cmd|" /C calc"!A0,\nmore'
    assert (row["participant"], row["age"]) == ("p001", "under 25")


def test_of_two_results_of_one_participant_the_last_counts(likert: tuple[Path, Key]) -> None:
    folder, key = likert
    first = save(folder / "first.json", result(key, 1))
    last = save(folder / "last.json", result(key, 2, participant="p001"))
    exported = export(folder, last, first)
    assert exported.participants == 1
    assert "p001: took part 2 times" in exported.notes[0]
    passage = result(key, 2)["passages"][0]
    wanted = sum(stimulus["rating"] for stimulus in passage["stimuli"])
    name = key.passages[passage["passage"]].name
    read = [row for row in rows(exported.ratings) if row["passage"] == name]
    assert sum(float(row["rating"]) for row in read) == wanted


def test_screening_leaves_out_who_misses_the_hidden_reference(tmp_path: Path) -> None:
    """ITU-R BS.1534-3, section 4.1.2: below 90 for more than 15 % of the items."""
    mixes = write_mixes(tmp_path / "mixes", passages=7, methods="ab")
    make(mixes, tmp_path / "test", kind="mushra", reference="b", duration_s=0.6)
    folder, key = tmp_path / "test", load_key(tmp_path / "test")
    files = []
    for number, misses in enumerate((0, 1, 2)):  # 1 of 7 is 14.3 %
        document = result(key, number)
        for index, passage in enumerate(document["passages"]):
            methods = key.passages[passage["passage"]].methods
            for stimulus in passage["stimuli"]:
                if methods[stimulus["stimulus"]] == "b":
                    stimulus["rating"] = 89 if index < misses else 90
        files.append(save(folder / f"{number}.json", document))
    kept = export(folder, *files)
    assert kept.participants == 3
    assert [note.split(":")[0] for note in kept.notes] == ["participant p002"]
    screened = export(folder, *files, screen=True, overwrite=True)
    assert {row["participant"] for row in rows(screened.ratings)} == {"p000", "p001"}
    assert {row["method"] for row in rows(screened.ratings)} == {"a", "b", "anchor 3.5 kHz"}


def test_what_is_no_result_is_named(likert: tuple[Path, Key], tmp_path: Path) -> None:
    folder, key = likert
    with pytest.raises(InputError, match="there are no results yet"):
        export(folder)
    for content in (b"", b"{", b"\xff\xff", b"[]", b"{}", b"[" * 100_000, b'{"a": ' + b"9" * 5000):
        path = tmp_path / "bad.json"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"bad\.json"):
            export(folder, path)
    other = save(tmp_path / "other.json", result(key, 1, test="another"))
    with pytest.raises(InputError, match=r"other\.json: is a result of another test"):
        export(folder, other)
    with pytest.raises(InputError, match=r"gone\.json: no such file"):
        export(folder, tmp_path / "gone.json")
    with pytest.raises(InputError, match=r"gone\.sqlite"):
        export(folder, database=tmp_path / "gone.sqlite")
    assert not (folder / "ratings.csv").exists()


def add(path: Path, *documents: str) -> Path:
    """Puts results into the file of a server, whatever they are."""
    ResultStore(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        for number, text in enumerate(documents):
            row = (f"s{number}", "test", "p", "now", text)
            connection.execute("INSERT INTO submissions VALUES (?, ?, ?, ?, ?)", row)
    return path


def test_one_bad_result_never_blocks_the_others(likert: tuple[Path, Key], tmp_path: Path) -> None:
    folder, key = likert
    half = result(key, 1)
    half["answers"]["remarks"] = "half \ud83d of it"
    null = result(key, 2)
    null["answers"]["remarks"] = "a\0b"
    bad = ["", "{", "[" * 100_000, "{}", json.dumps(result(key, 3, test="another")), '{"a": 1e999']
    good = [json.dumps(document) for document in (half, null, result(key, 4))]
    database = add(tmp_path / "results.sqlite", *bad[:3], *good, *bad[3:])
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE submissions SET document = x'ff00' WHERE submission = 's0'")
    exported = export(folder, database=database)
    assert exported.participants == 3
    assert len([note for note in exported.notes if note.endswith("; left out")]) == len(bad)
    assert "result 2" in exported.notes[1]
    assert exported.answers is not None
    remarks = [row["remarks"] for row in rows(exported.answers)]
    assert remarks[:2] == ["half \\ud83d of it", "a\ufffdb"]


def test_only_bad_results_are_an_error_that_says_why(
    likert: tuple[Path, Key], tmp_path: Path
) -> None:
    folder, _ = likert
    with pytest.raises(InputError, match="no results yet; .*result 1: must have|exactly"):
        export(folder, database=add(tmp_path / "results.sqlite", "{}"))
    assert not (folder / "ratings.csv").exists()


def test_names_that_are_formulas_cannot_run_and_are_read_back(tmp_path: Path) -> None:
    for passage in ("=1+1", "@one"):
        for method in ("-2+3", "+cmd", "plain"):
            path = tmp_path / "mixes" / passage / f"{method}.wav"
            write_mixes(tmp_path / "made", passages=1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(next((tmp_path / "made").rglob("*.wav")).read_bytes())
    make(
        tmp_path / "mixes", tmp_path / "test", kind="likert", duration_s=0.6,
        aspects=("=level", "-room"), questions=(),
    )  # fmt: skip
    folder, key = tmp_path / "test", load_key(tmp_path / "test")
    exported = export(folder, *(save(folder / f"{n}.json", result(key, n)) for n in range(2)))
    with exported.ratings.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    read = read_ratings([exported.ratings])
    assert read.passage_names == ("=1+1", "@one")
    assert set(read.method_names) == {"-2+3", "+cmd", "plain"}
    assert list(read.aspects) == ["rating", "=level", "-room"]


def test_tables_are_not_overwritten_unasked(likert: tuple[Path, Key]) -> None:
    folder, key = likert
    file = save(folder / "r.json", result(key, 1))
    export(folder, file)
    before = (folder / "ratings.csv").read_bytes()
    with pytest.raises(OutputError, match="exists"):
        export(folder, file)
    assert (folder / "ratings.csv").read_bytes() == before
