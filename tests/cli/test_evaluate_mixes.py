"""`automix evaluate mixes` as a user runs it."""

import csv
import io
import json

import pytest


def test_the_table_stands_side_by_side(cli, song):
    done = cli("evaluate", "mixes", "--target", song.beat, song.beat, song.vocal)
    assert done.exit_code == 0, done.output
    rows = {line.split("  ")[0].strip(): line for line in done.stdout.splitlines()}
    assert rows["stereo MR-STFT"].split()[-3:-1] == ["–", "0.000"]
    assert rows["stereo width dB"].split()[-1] == "-inf"
    assert "mono, taken as two equal sides" in done.stderr


def test_json_and_csv_hold_the_same_figures(cli, song):
    arguments = ("evaluate", "mixes", "--target", song.beat, song.vocal, "--duration", "2")
    document = json.loads(cli(*arguments, "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(cli(*arguments, "--csv").stdout)))
    assert document["level_matched"] is True
    assert len(document["mixes"]) == len(rows) == 2
    mix, row = document["mixes"][1], rows[1]
    assert float(row["stereo_mr_stft"]) == mix["stereo_mr_stft"] > 0
    assert mix["width_db"] is None
    assert row["width_db"] == ""
    assert rows[0]["stereo_mr_stft"] == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("missing.wav",), 3, "missing.wav"),
        (("--json", "--csv", "a.wav"), 2, "choose one"),
        (("--start", "-1", "a.wav"), 2, "--start"),
        ((), 2, "MIX"),
    ],
)
def test_bad_input_is_one_clear_message(cli, arguments, code, message):
    done = cli("evaluate", "mixes", *arguments)
    assert done.exit_code == code
    assert message in done.output
