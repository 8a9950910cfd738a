"""`automix evaluate mixes` as a user runs it."""

import csv
import io
import json

import numpy as np
import pytest
import soundfile


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


def write(name, samples):
    soundfile.write(name, np.asarray(samples), 44100, "PCM_24")


@pytest.fixture
def stereo():
    return 0.1 * np.random.default_rng(0).standard_normal((44100, 2))


@pytest.mark.parametrize(
    ("sides", "missing", "note"),
    [
        ([0, 0], ("stereo_mr_stft", "mr_stft", "l1"), "the target is silent"),
        ([1, 0], ("mr_stft",), "a side of the target is silent"),
        (None, ("stereo_mr_stft",), "the sides of the target are alike"),
    ],
    ids=["silent", "one-sided", "mono"],
)
def test_there_is_no_distance_from_silence(cli, tmp_path, stereo, sides, missing, note):
    target = stereo[:, [0, 0]] if sides is None else stereo * sides
    arguments = ("evaluate", "mixes", "--target", "target.wav", "mix.wav")
    write(tmp_path / "target.wav", target)
    write(tmp_path / "mix.wav", stereo)
    done = cli(*arguments)
    assert done.exit_code == 0
    assert done.stderr.startswith(f"note: mix.wav: {note}")
    rows = list(csv.DictReader(io.StringIO(cli(*arguments, "--csv").stdout)))
    (_, mix) = json.loads(cli(*arguments, "--json").stdout)["mixes"]
    for name in ("stereo_mr_stft", "mr_stft", "l1"):
        assert (mix[name] is None) == (rows[1][name] == "") == (name in missing), name
        assert mix[name] is None or mix[name] < 100.0
    labels = {"stereo_mr_stft": "stereo MR-STFT", "mr_stft": "MR-STFT", "l1": "L1"}
    for name in missing:
        (line,) = (x for x in done.stdout.splitlines() if x.startswith(f"{labels[name]} "))
        assert line.split()[-1] == "–"


def test_a_silent_mix_has_a_distance_and_a_note(cli, tmp_path, stereo):
    write(tmp_path / "target.wav", stereo)
    write(tmp_path / "mix.wav", 0 * stereo)
    done = cli("evaluate", "mixes", "--target", "target.wav", "mix.wav", "--json")
    assert done.exit_code == 0
    (_, mix) = json.loads(done.stdout)["mixes"]
    assert 1.0 < mix["stereo_mr_stft"] < 100.0
    assert mix["integrated_lufs"] is None
    assert "mix.wav: is silent" in done.stderr


def test_what_is_too_quiet_for_a_loudness_is_said(cli, tmp_path, stereo):
    write(tmp_path / "target.wav", 1e-3 * stereo)
    write(tmp_path / "mix.wav", stereo)
    done = cli("evaluate", "mixes", "--target", "target.wav", "mix.wav")
    assert "the target has no loudness" in done.stderr
