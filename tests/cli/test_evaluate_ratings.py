"""`automix evaluate ratings`: what it prints, writes and refuses."""

import csv
import io
import json
from pathlib import Path

import pytest
import soundfile

TABLE = """participant,passage,method,rating,reverb
P1,A,rules,5,4
P1,A,mono,2,2
P1,B,rules,4,4
P1,B,mono,1,
P2,A,rules,4,5
P2,A,mono,3,3
P2,B,rules,5,4
P2,B,mono,2,1
P3,A,rules,4,4
P3,A,mono,2,2
P3,B,rules,3,4
P3,B,mono,2,2
"""


@pytest.fixture
def evaluate(cli):
    """Runs the command on the table above."""
    Path("ratings.csv").write_text(TABLE)
    return lambda *options: cli("evaluate", "ratings", "ratings.csv", *options)


def files():
    return sorted(path.name for path in Path().iterdir())


def test_the_table_is_that_of_the_thesis(evaluate):
    result = evaluate()
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["group", "1", "group", "2", "mean", "diff.", "p", "adj.", "reject"] in lines
    row = next(line for line in lines if line[:2] == ["mono", "rules"])
    assert row[2] == "-2.167"
    assert float(row[3]) < 0.05
    assert row[4] == "yes"
    assert "Kruskal–Wallis: H(1) = " in result.stdout
    assert "3 participants · 2 passages · 2 methods · 12 rated stimuli" in result.stdout
    assert "reverb: 1 of 12 cells are blank" in result.stderr
    assert files() == ["ratings.csv"]


def test_every_passage_in_full_if_verbose(evaluate):
    assert "rating, B" not in evaluate().stdout
    assert "rating, B" in evaluate("-v").stdout


def test_one_json_document(evaluate):
    result = evaluate("--json", "--adjust", "bonferroni", "--alpha", "0.01")
    document = json.loads(result.stdout)
    assert (document["participants"], document["methods"]) == (3, ["mono", "rules"])
    assert (document["adjustment"], document["alpha"]) == ("bonferroni", 0.01)
    where = [(found["aspect"], found["passage"]) for found in document["analyses"]]
    assert where == [(a, p) for a in ("rating", "reverb") for p in (None, "A", "B")]
    first = document["analyses"][0]
    assert first["descriptions"][0]["mean"] == 2.0
    assert first["omnibus"]["test"] == "Kruskal–Wallis"
    assert first["comparisons"][0]["mean_difference"] == pytest.approx(2 - 25 / 6)
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("comparisons", {"group_1", "group_2", "mean_difference", "p_adjusted", "reject"}),
        ("methods", {"method", "n", "median", "mean", "first_quartile", "mean_low"}),
        ("tests", {"test", "statistic", "p", "epsilon_squared", "undefined"}),
    ],
)
def test_tables_as_csv(evaluate, table, columns):
    rows = list(csv.DictReader(io.StringIO(evaluate("--csv", table).stdout)))
    assert columns | {"aspect", "passage"} <= set(rows[0])
    assert {row["passage"] for row in rows} == {"", "A", "B"}
    assert len(rows) == 6 * (2 if table == "methods" else 1)


def test_friedman_counts_blocks(evaluate):
    result = evaluate("--test", "friedman")
    assert "Friedman: χ²(1) = 6.00" in result.stdout
    assert "(6 complete blocks)" in result.stdout
    assert "(5 complete blocks, 1 incomplete left out)" in result.stdout


def test_pictures_are_written_once(evaluate):
    options = ("--plot", "box.png", "--likert", "bars.svg", "-q")
    result = evaluate(*options)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert files() == ["bars.svg", "box.png", "ratings.csv"]
    assert Path("box.png").read_bytes().startswith(b"\x89PNG")
    assert b"very good" in Path("bars.svg").read_bytes()
    before = Path("box.png").read_bytes()
    again = evaluate(*options)
    assert again.exit_code == 4
    assert "--force" in again.stderr
    assert evaluate(*options, "-f").exit_code == 0
    assert Path("box.png").read_bytes() == before


def test_all_ratings_equal_is_said_without_an_error(cli):
    Path("ratings.csv").write_text(TABLE.split("\n")[0] + "\nP1,A,x,3,3\nP2,A,y,3,3\nP3,A,y,3,3\n")
    result = cli("evaluate", "ratings", "ratings.csv")
    assert result.exit_code == 0
    assert "no test: all ratings are equal" in result.stdout
    assert "nan" not in result.stdout
    document = json.loads(cli("evaluate", "ratings", "ratings.csv", "--json").stdout)
    assert document["analyses"][0]["omnibus"] is None


@pytest.mark.parametrize(
    ("options", "exit_code", "said"),
    [
        (["--alpha", "2"], 2, "--alpha"),
        (["--alpha", "nan"], 2, "--alpha"),
        (["--adjust", "fisher"], 2, "fisher"),
        (["--csv", "methods", "--json"], 2, "--csv"),
        (["--aspect", "loudness"], 2, "loudness"),
        (["--plot", "box.jpg"], 2, "box.jpg"),
        (["--plot", "box"], 2, "box"),
        (["--plot", "a.png", "--likert", "a.png"], 2, "same file"),
        (["--plot", "ratings.csv", "-f"], 2, "ratings.csv"),
        (["missing.csv"], 3, "missing.csv"),
        (["--plot", "ratings.csv/a.png"], 4, "ratings.csv/a.png"),
    ],
)
def test_refusals_leave_no_file(evaluate, options, exit_code, said):
    result = evaluate(*options)
    assert result.exit_code == exit_code
    assert said in result.stderr
    assert result.stdout == ""
    assert files() == ["ratings.csv"]
    assert Path("ratings.csv").read_text() == TABLE


def test_a_wrong_line_is_named_and_no_picture_is_left(cli):
    Path("ratings.csv").write_text(TABLE + "P4,A,mono,loud,1\n")
    result = cli("evaluate", "ratings", "ratings.csv", "--plot", "box.png")
    assert result.exit_code == 3
    assert "ratings.csv, line 14" in result.stderr
    assert files() == ["ratings.csv"]


def test_one_method_only_is_refused(cli):
    Path("ratings.csv").write_text("participant,passage,method,rating\nP1,A,x,3\nP2,A,x,4\n")
    result = cli("evaluate", "ratings", "ratings.csv")
    assert result.exit_code == 3
    assert "x" in result.stderr


def test_audio_given_by_mistake_is_refused(cli):
    soundfile.write("mix.wav", [0.0] * 100, 8000)
    assert cli("evaluate", "ratings", "mix.wav").exit_code == 3
