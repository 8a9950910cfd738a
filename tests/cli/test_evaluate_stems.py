"""`automix evaluate stems`: its tables, documents and refusals."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 44100


@pytest.fixture
def evaluate(cli):
    """Runs the command on two short songs; the first has a human mix."""
    for number in (1, 2):
        folder = Path(f"song {number}")
        folder.mkdir()
        draw = np.random.default_rng(number)
        stems = [0.05 * draw.standard_normal((2 * RATE, 2)) for _ in range(3)]
        for name, samples in zip(("bass", "drums", "vocal"), stems, strict=True):
            soundfile.write(folder / f"{name}.wav", samples, RATE, "FLOAT")
    soundfile.write("song 1/mix.wav", 0.5 * sum(stems), RATE, "FLOAT")
    return lambda *options: cli("evaluate", "stems", "song 1", "song 2", *options)


def test_tables_have_a_row_for_each_song_and_the_mean(evaluate):
    result = evaluate("--method", "mono", "--method", "equal-loudness")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows.count(["song", "mono", "equal-loudness"]) == 2
    first, second = ([float(row[2]) for row in rows if row[:2] == ["song", n]] for n in "12")
    mean = [float(row[3]) for row in rows if row[:3] == ["mean", "±", "SD"]]
    assert mean[0] == pytest.approx((first[0] + second[0]) / 2, abs=0.011)
    assert "DMC-basic 1.825" in result.stdout
    assert "song 2: no mix.wav; the sum of the stems is the human mix" in result.stderr
    assert "song 1: no mix" not in result.stderr


def test_json_and_csv_say_the_same(evaluate):
    options = ("--method", "sum", "--method", "rules", "--seed", "3")
    document = json.loads(evaluate(*options, "--json").stdout)
    assert document["protocol"] == {
        "start_s": 90.0, "duration_s": 30.0, "offset_db": 12.0, "seed": 3,
    }  # fmt: skip
    assert [song["human"] for song in document["songs"]] == ["mix.wav", "sum of the stems"]
    rows = list(csv.DictReader(io.StringIO(evaluate(*options, "--csv").stdout)))
    assert [(row["song"], row["method"]) for row in rows] == [
        (f"song {number}", method) for number in (1, 2) for method in ("sum", "rules")
    ]
    for row in rows:
        song = document["songs"][int(row["song"][-1]) - 1]
        assert float(row["stereo_mr_stft"]) == song["distances"][row["method"]]["stereo_mr_stft"]
    values = [song["distances"]["sum"]["level_error_db"] for song in document["songs"]]
    assert document["mean"]["sum"]["level_error_db"] == pytest.approx(np.mean(values))
    assert document["mean"]["sum"]["level_error_db_sd"] == pytest.approx(np.std(values, ddof=1))


@pytest.mark.parametrize(
    ("options", "exit_code", "said"),
    [
        (["--method", "magic"], 2, "magic"),
        (["--json", "--csv"], 2, "--csv"),
        (["--duration", "0"], 2, "--duration"),
        (["--start", "-1"], 2, "--start"),
        (["missing"], 3, "missing"),
        (["song 1/mix.wav"], 3, "mix.wav"),
    ],
)
def test_refusals(evaluate, options, exit_code, said):
    result = evaluate(*options)
    assert result.exit_code == exit_code
    assert said in result.stderr
    assert result.stdout == ""


def test_a_broken_stem_is_named(evaluate):
    Path("song 2/synth.wav").write_bytes(b"no audio")
    result = evaluate("--method", "sum")
    assert result.exit_code == 3
    assert "song 2/synth.wav" in result.stderr
