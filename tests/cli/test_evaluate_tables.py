"""`automix evaluate effects` and `vocal` as a user runs them."""

import csv
import io
import json
import shutil

import pytest


def test_effects_print_bypass_beside_the_published_models(cli, song):
    words = ("evaluate", "effects", song.beat, "--cases", "2")
    printed = cli(*words).stdout
    assert printed.count("bypass") == 4
    assert printed.count("TCN-20 (published)") == 4
    scores = json.loads(cli(*words, "--json").stdout)["scores"]
    rows = list(csv.DictReader(io.StringIO(cli(*words, "--csv").stdout)))
    assert [float(row["esr"]) for row in rows] == [score["mean"]["esr"] for score in scores]


@pytest.fixture
def pairs(song, tmp_path):
    folder = tmp_path / "pairs"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        shutil.copy(song.vocal, folder / name / "vocal.wav")
        shutil.copy(song.beat, folder / name / "beat.wav")
    return folder


@pytest.mark.slow
def test_vocal_prints_the_table_of_the_paper(cli, pairs):
    printed = cli("evaluate", "vocal", pairs)
    assert printed.exit_code == 0, printed.output
    rows = [line.split() for line in printed.stdout.splitlines()]
    assert ["relative", "loudness,", "LU", "2", "0"] in [row[:5] for row in rows]
    without = ("evaluate", "vocal", pairs, "--weights", "none")
    document = json.loads(cli(*without, "--json").stdout)
    assert len(document["parameters"]) == 13
    assert len(cli(*without, "--csv").stdout.splitlines()) == 14


@pytest.mark.parametrize("command", ["effects", "vocal"])
def test_bad_input_is_one_clear_message(cli, tmp_path, command):
    (tmp_path / "empty").mkdir()
    done = cli("evaluate", command, "empty")
    assert done.exit_code == 3
    assert "empty" in done.stderr
    assert cli("evaluate", command, "empty", "--json", "--csv").exit_code == 2
