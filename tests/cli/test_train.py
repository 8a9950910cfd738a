"""`automix train` and `stems --method dmc`: a network is trained, used, refused where broken."""

import json
import os
import shutil
import struct
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from automix.cli.app import app
from automix.cli.train import TrainedNetwork
from automix.networks.checkpoints import save_weights
from automix.networks.dmc import Dmc
from automix.networks.dmc_description import DmcDescription
from automix.plan.layers import apply_layers
from automix.training.controller.settings import DmcTraining
from automix.training.families import FAMILIES
from automix.training.wave_u_net.settings import WaveUNetTraining

ROOT = Path(__file__).parents[2]
CONFIG = """examples = 6
shortest_s = 5.0
longest_s = 6.0
[model]
embedding = 16
width = 16
members = 2
[loop]
steps = 4
batch = 2
validate_every = 2
"""


@pytest.fixture(scope="session")
def songs(tmp_path_factory):
    """Two songs of three tracks."""
    root = tmp_path_factory.mktemp("training")
    time = np.arange(44100 * 7) / 44100
    for song in range(2):
        draw = np.random.default_rng(song)
        (root / f"song {song}").mkdir()
        for name, samples in (
            ("kick", np.sin(2 * np.pi * 60 * time) * np.exp(-(time % 0.5) / 0.03)),
            ("pad", np.sin(2 * np.pi * 220 * time)),
            ("noise", draw.normal(size=len(time)) * 0.3),
        ):
            soundfile.write(root / f"song {song}" / f"{name}.wav", 0.3 * samples, 44100)
    return root


@pytest.fixture(scope="session")
def trained(songs, tmp_path_factory):
    """A folder with a run and its configuration, not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "quick.toml").write_text(CONFIG)
    words = ("train", "dmc", "--data", songs, "-o", folder / "run", "--json", "--device", "cpu",
             "--config", folder / "quick.toml", "--hold-out", "song 0")  # fmt: skip
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert [row["step"] for row in document["validations"]] == [2, 4]
    assert {"level_error_db", "base_level_error_db"} <= set(document["validations"][0]["figures"])
    assert document["weights"] == str(folder / "run" / "best.safetensors")
    return folder


@pytest.fixture
def weights(trained, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path / "run" / "best.safetensors"


def test_a_trained_network_mixes_and_says_why(cli, songs, weights):
    song = songs / "song 0"
    assert cli("stems", song, "--method", "dmc", "--weights", weights, "-o", "a.wav").exit_code == 0
    plan = tomllib.loads(Path("a.toml").read_text())
    assert plan["method"] == "dmc"
    assert len(plan["weights"]) == 64
    reasons = [d["reason"] for d in plan["decisions"] if d["setting"].endswith("fader_db")]
    assert any("by the network" in reason for reason in reasons)
    files = [song / f"{name}.wav" for name in ("pad", "noise", "kick")]
    cli("stems", *files, "--method", "dmc", "--weights", weights, "-o", "b.wav")
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()  # in any order
    assert cli("render", "a.toml", "-o", "c.wav").exit_code == 0
    assert Path("a.wav").read_bytes() == Path("c.wav").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["basic", "full"])
def test_a_network_without_a_base_sets_whole_strips(cli, songs, tmp_path, mode):
    """As published; with weights that have learned nothing, but for its shape."""
    description = DmcDescription(base="none", mode=mode, embedding=16, width=16, members=1)
    save_weights(tmp_path / "x.safetensors", "dmc", description, Dmc(description).state_dict())
    done = cli("stems", songs / "song 0", "--method", "dmc", "--mode", mode, "--weights",
               "x.safetensors", "-o", "a.wav", "--report", "a.html")  # fmt: skip
    assert done.exit_code == 0, done.output
    plan = tomllib.loads(Path("a.toml").read_text())
    for strip in plan["tracks"]:
        assert mode == "basic" or len(strip["equalizer"]["bands"]) == 5
        assert ("space" in strip) == (mode == "full")
    assert cli("render", "a.toml", "-o", "b.wav").exit_code == 0
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()


@pytest.mark.slow
def test_a_run_is_resumed_and_begun_from_weights(cli, songs, weights, tmp_path):
    common = ("train", "dmc", "--data", songs, "--config", "quick.toml", "--hold-out", "song 0")
    done = cli(*common, "-o", "run", "--resume")
    assert done.exit_code == 0, done.output
    assert cli(*common, "-o", "again", "--from", weights).exit_code == 0
    before = weights.read_bytes()
    refused = cli(*common, "-o", "run")  # an earlier run is not written over
    assert refused.exit_code == 4
    assert "--resume" in refused.stderr
    assert weights.read_bytes() == before
    assert cli(*common, "-o", "nowhere", "--resume").exit_code == 5


def test_weights_that_cannot_be_used(cli, songs, weights, tmp_path):
    song = songs / "song 0"

    def refused(path, *more):
        done = cli("stems", song, "--method", "dmc", "--weights", path, "-o", "x.wav", *more)
        assert not (tmp_path / "x.wav").exists()
        return done

    whole = weights.read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole[: len(whole) // 2])
    other = tmp_path / "other.safetensors"
    header = json.dumps({"__metadata__": {"model": "tcn", "description": "{}"}}).encode()
    other.write_bytes(struct.pack("<Q", len(header)) + header)
    text = tmp_path / "text.safetensors"
    text.write_text("not weights")
    for path, word in (
        (tmp_path / "none.safetensors", "no such file"),
        (cut, "safetensors"),
        (text, "safetensors"),
        (other, "tcn"),
    ):
        done = refused(path)
        assert done.exit_code == 5, path
        assert path.name in done.stderr
        assert word in done.stderr
    assert refused(weights, "--mode", "full").exit_code == 2
    assert cli("stems", song, "--weights", weights, "--method", "rules").exit_code == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--hold-out", "song 7"), 2, "song 7"),
        (("--share", "1", "--share", "2"), 2, "--share"),
        (("--device", "cuda:99"), 5, "cuda:99"),
        (("--from", "nothing.safetensors"), 5, "nothing.safetensors"),
        (("--hold-out", "song 0", "--hold-out", "song 1"), 2, "song"),
    ],
)
def test_runs_that_cannot_begin(cli, songs, tmp_path, arguments, code, word):
    (tmp_path / "quick.toml").write_text(CONFIG)
    done = cli("train", "dmc", "--data", songs, "-o", "r", "--config", "quick.toml", *arguments)
    assert done.exit_code == code, done.output
    assert word in done.stderr


@pytest.mark.parametrize("network", ["dmc", "wave-u-net"])
def test_the_settings_that_are_printed_are_a_configuration(cli, songs, tmp_path, network):
    printed = cli("train", "settings", network)
    assert printed.exit_code == 0
    assert "[loop]" in printed.stdout
    assert "# 1e-07 … 1; of Adam" in printed.stdout
    kind = {"dmc": DmcTraining, "wave-u-net": WaveUNetTraining}[network]
    (tmp_path / "all.toml").write_text(printed.stdout)
    assert apply_layers(kind(), tmp_path / "all.toml", {}) == kind()


def test_every_family_can_be_asked_for_its_settings():
    assert [network.value for network in TrainedNetwork] == list(FAMILIES)


def test_wrong_settings_are_named(cli, songs, tmp_path):
    (tmp_path / "wrong.toml").write_text("[loop]\nstepps = 3\n")
    done = cli("train", "dmc", "--data", songs, "-o", "r", "--config", "wrong.toml")
    assert done.exit_code == 2
    assert "stepps" in done.stderr


@pytest.mark.slow
def test_a_wave_u_net_is_trained_and_mixes_without_a_plan(cli, songs, tmp_path):
    (tmp_path / "small.toml").write_text(
        "patch_s = 1.0\n[model]\nlevels = 2\nchannels = 4\n"
        "[loop]\nsteps = 2\nbatch = 1\nvalidate_every = 2\n"
    )
    done = cli("train", "wave-u-net", "--data", songs, "-o", "w", "--config", "small.toml",
               "--hold-out", "song 0", "--device", "cpu")  # fmt: skip
    assert done.exit_code == 0, done.output
    song, weights = songs / "song 0", tmp_path / "w" / "best.safetensors"
    common = ("stems", song, "--method", "wave-u-net", "-o", "m.wav")
    done = cli(*common, "--weights", weights)
    assert done.exit_code == 0, done.output
    assert "no plan" in done.stderr
    assert not (tmp_path / "m.toml").exists()
    assert soundfile.info(tmp_path / "m.wav").frames == 44100 * 7
    assert cli(*common, "-f").exit_code == 2  # no weights ship
    for option in (("--set", "kick.pan=0"), ("--dry-run",), ("--report", "r.html")):
        assert cli(*common, "-f", "--weights", weights, *option).exit_code == 2
    nine = [song / "kick.wav", song / "pad.wav", song / "noise.wav"]
    for n in range(6):
        soundfile.write(tmp_path / f"t{n}.wav", np.full(4410, 0.1), 44100)
        nine.append(tmp_path / f"t{n}.wav")
    done = cli("stems", *nine, "--method", "wave-u-net", "--weights", weights, "-o", "n.wav")
    assert done.exit_code == 3
    assert "8 tracks" in done.stderr


@pytest.mark.slow
def test_a_run_with_steps_left_goes_on(cli, songs, weights):
    Path("quick.toml").write_text(CONFIG.replace("steps = 4", "steps = 5"))
    done = cli("train", "dmc", "--data", songs, "-o", "run", "--config", "quick.toml", "--hold-out",
               "song 0", "--resume", "--device", "cpu")  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = (weights.parent / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "2", "4", "5"]


def test_weights_without_their_state_are_not_written_over(cli, songs, weights):
    (weights.parent / "last.pt").unlink()
    words = ("train", "dmc", "--data", songs, "-o", "run", "--config", "quick.toml", "--hold-out",
             "song 0", "--device", "cpu")  # fmt: skip
    before, log = weights.read_bytes(), weights.parent / "log.csv"
    done = cli(*words)
    assert done.exit_code == 4, done.output
    assert "best.safetensors: exists, and is of another run" in done.stderr
    assert weights.read_bytes() == before
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:2]))  # killed at once
    assert cli(*words, "--hold-out", "nobody").exit_code == 2  # it goes on to the songs


@pytest.mark.parametrize("cache", ["data", "run"])
def test_a_cache_among_other_files_leaves_them_as_they_are(cli, songs, tmp_path, cache):
    shutil.copytree(songs, tmp_path / "data")
    (tmp_path / "run" / "song 1").mkdir(parents=True)
    (tmp_path / "run" / "song 1" / "lyrics.txt").write_text("la")
    (tmp_path / "quick.toml").write_text(CONFIG)
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = cli("train", "dmc", "--data", "data", "-o", "run", "--hold-out", "song 0", "--cache",
               cache, "--config", "quick.toml", "--device", "cpu")  # fmt: skip
    assert done.exit_code == 4, done.output
    assert "choose another --cache" in done.stderr
    assert {path: path.read_bytes() for path in kept} == kept
    assert not list(tmp_path.rglob("*.npy"))


@pytest.mark.slow
def test_torchrun_starts_several_processes(songs, tmp_path):
    (tmp_path / "quick.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone",
               "-m", "automix", "train", "dmc", "--data", songs, "-o", "run", "--config",
               "quick.toml", "--hold-out", "song 0", "--device", "cpu", "--json"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [row["step"] for row in json.loads(done.stdout)["validations"]] == [2, 4]
