"""From pairs to prepared data, networks, a mix and a table, as a user would go."""

import json
import tomllib

import numpy as np
import pytest
import soundfile

from automix.cli.train_vocal import TrainedVocalTask, VocalNetworkName
from automix.training.vocal.settings import TASKS, VARIANTS

RATE = 44_100


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    time = np.arange(8 * RATE) / RATE
    for number, name in enumerate(("one", "two", "three")):
        rng = np.random.default_rng(number)
        voice = sum(np.sin(2 * np.pi * (150 + 30 * number) * n * time) / n for n in range(1, 15))
        loud = np.where(time % 1.2 < 0.7, 1.0, 0.35)
        soundfile.write(folder / f"{name}_vox.wav", 0.08 * voice * loud, RATE)
        soundfile.write(folder / f"{name}_beat.wav", 0.05 * rng.normal(size=len(time)), RATE)
    return folder


QUICK = (
    "views = 8\nreverbs = 4\nshortest_s = 2.0\n[loop]\nsteps = 2\nbatch = 4\nvalidate_every = 2\n"
)


@pytest.mark.slow
def test_prepare_train_mix_and_evaluate(cli, pairs, tmp_path):
    made = cli("data", "vocal", pairs, "-o", "data", "--raw", 1)
    assert made.exit_code == 0
    assert made.stdout == "data: 3 songs\n"
    assert cli("data", "vocal", pairs, "-o", "data", "--raw", 1).stdout == "data: 3 songs, 3 kept\n"

    (tmp_path / "quick.toml").write_text(QUICK)
    trained = cli(
        "train", "vocal", "--task", "all", "--data", "data", "-o", "run", "--config", "quick.toml",
        "--hold-out", "two", "--device", "cpu", "--json",
    )  # fmt: skip
    assert trained.exit_code == 0, trained.stderr
    for task in TASKS:
        assert (tmp_path / "run" / task / "best.safetensors").is_file()
    again = cli("train", "vocal", "--task", "level", "--data", "data", "-o", "run/level",
                "--config", "quick.toml", "--device", "cpu")  # fmt: skip
    assert again.exit_code == 4
    assert "--resume" in again.stderr

    vocal, beat = pairs / "two_vox.wav", pairs / "two_beat.wav"
    mixed = cli("vocal", vocal, beat, "--method", "cnn", "--weights", "run", "--device", "cpu")
    assert mixed.exit_code == 0, mixed.stderr
    plan = tomllib.loads((tmp_path / "mix.toml").read_text())
    assert plan["method"] == "cnn"
    assert len(plan["weights"]) == 64
    before = (tmp_path / "mix.wav").read_bytes()
    assert cli("render", "mix.toml", "-o", "again.wav").exit_code == 0
    assert (tmp_path / "again.wav").read_bytes() == before

    (tmp_path / "stages.toml").write_text('level_by = "rules"\n')
    chosen = cli("vocal", vocal, beat, "--method", "cnn", "--weights", "run", "--config",
                 "stages.toml", "-o", "b.wav", "--device", "cpu")  # fmt: skip
    assert "level: decided by the rules, as chosen" in chosen.stderr

    table = cli("evaluate", "vocal", pairs, "--weights", "run", "--device", "cpu", "--json")
    assert table.exit_code == 0, table.stderr
    rows = {row["name"]: row for row in json.loads(table.stdout)["parameters"]}
    assert rows["equalizer gains"]["cases"] == 3 * 8
    assert all("run" in row["errors"] for row in rows.values())
    shown = cli("evaluate", "vocal", pairs, "--weights", "run", "--device", "cpu").stdout
    assert "run" in shown.splitlines()[0]
    assert "published CNN" in shown.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("vocal", "a.wav", "b.wav", "--method", "rules", "--weights", "w"), 2, "--method cnn"),
        (("train", "vocal", "--data", "nowhere", "-o", "run", "--task", "level"), 3, "nowhere"),
        (("train", "vocal", "--data", "x", "-o", "run", "--task", "drums"), 2, "drums"),
        (("data", "vocal", "nowhere", "-o", "data"), 3, "nowhere"),
        (("evaluate", "vocal", "nowhere"), 3, "nowhere"),
    ],
)
def test_refusals(cli, arguments, code, words):
    result = cli(*arguments)
    assert result.exit_code == code
    assert words in result.stderr


def test_weights_that_are_none(cli, pairs):
    result = cli("vocal", pairs / "one_vox.wav", pairs / "one_beat.wav", "--method", "cnn",
                 "--weights", "nowhere")  # fmt: skip
    assert result.exit_code == 5
    assert "nowhere: holds no weights of vocal networks" in result.stderr


def test_the_words_of_the_options_are_those_of_the_code():
    assert {task.value for task in TrainedVocalTask} == {*TASKS, "all"}
    assert {network.value for network in VocalNetworkName} == set(VARIANTS)
