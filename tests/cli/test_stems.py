"""`automix stems` as a user runs it."""

import contextlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from automix.cli.app import app
from automix.networks.checkpoints import save_weights
from automix.networks.effects import FAMILY
from tests.networks.effect_networks import lively


def automix(*arguments, cwd):
    """Runs a command in this process, which loads torch once; whatever it raises is an error."""
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return SimpleNamespace(returncode=done.exit_code, stdout=done.stdout, stderr=done.stderr)


@pytest.fixture
def song(tmp_path):
    folder = tmp_path / "my song"
    folder.mkdir()
    time = np.arange(3 * 44100) / 44100
    rng = np.random.default_rng(1)
    hits = np.exp(-(time % 0.5) / 0.05)
    tracks = {
        "Kick": hits * np.sin(2 * np.pi * 60 * time),
        "Bass": 0.1 * np.sin(2 * np.pi * 110 * time),
        "LeadVox": 0.3 * np.sin(2 * np.pi * 440 * time) * (time % 1 < 0.7),
        "Gtr L": 0.2 * np.sin(2 * np.pi * 660 * time),
        "Gtr R": 0.2 * np.sin(2 * np.pi * 670 * time),
        "Shaker": 0.05 * rng.normal(size=len(time)) * (time % 0.25 < 0.05),
    }
    for name, samples in tracks.items():
        soundfile.write(folder / f"{name}.wav", samples, 44100)
    return folder


def test_a_network_renders_the_mix_as_it_renders_the_plan(song, tmp_path):
    network = lively(network="tcn-8", causal=True)
    weights = tmp_path / "effect.safetensors"
    save_weights(weights, FAMILY, network.description, network.state_dict())
    command = ("stems", song, "-q", "-o", "mix.wav", "--set", "bass.compressor.threshold_db=-40")
    neural = (*command, "--console", "effect.safetensors")
    assert automix(*neural, cwd=tmp_path).returncode == 0
    mix = (tmp_path / "mix.wav").read_bytes()
    plan = ("render", "mix.toml", "-q", "-o")
    for name, options in (("same.wav", neural[-2:]), ("exact.wav", ())):
        assert automix(*plan, name, *options, cwd=tmp_path).returncode == 0
    assert (tmp_path / "same.wav").read_bytes() == mix
    assert (tmp_path / "exact.wav").read_bytes() != mix
    assert automix(*neural, "--skip-existing", cwd=tmp_path).returncode == 0
    other = automix(*command, "--skip-existing", cwd=tmp_path)
    assert other.returncode == 4
    assert "mix.wav: exists" in other.stderr
    unknown = automix("stems", song, "--console", "nothing", cwd=tmp_path)
    assert unknown.returncode == 5
    assert "no such file of weights" in unknown.stderr


def test_a_network_that_makes_the_mix_has_no_console(song, tmp_path):
    options = ("--method", "wave-u-net", "--weights", "w.safetensors", "--console", "neural")
    (tmp_path / "w.safetensors").write_bytes(b"weights")
    refused = automix("stems", song, *options, cwd=tmp_path)
    assert refused.returncode == 2
    assert "--console needs a plan" in refused.stderr


@pytest.mark.parametrize("mode", ["basic", "full"])
def test_a_folder_becomes_a_mix_that_its_plan_renders_again(song, tmp_path, mode):
    done = automix("stems", song, "-o", "mix.wav", "--mode", mode, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["loudness"]["true_peak_dbtp"] <= -1.0
    assert {track["role"] for track in document["plan"]["tracks"]} >= {"kick", "bass", "lead vocal"}
    again = automix("render", "mix.toml", "-o", "again.wav", "-q", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()


def test_stems_sum_to_the_mix(song, tmp_path):
    done = automix(
        "stems", song, "-o", "mix.wav", "--mode", "full", "--loudness", "-12", "--bits", "32f",
        "--export-stems", "out", "-q", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    mix, _ = soundfile.read(tmp_path / "mix.wav")
    stems = [soundfile.read(path)[0] for path in (tmp_path / "out").iterdir()]
    assert len(stems) == 5  # the guitars are one stereo track
    np.testing.assert_allclose(np.sum(stems, axis=0), mix, atol=1e-6)


def test_skip_existing_knows_the_pair_and_the_settings(song, tmp_path):
    arguments = ("stems", song, "-o", "mix.wav", "--skip-existing", "-f")
    assert automix(*arguments, cwd=tmp_path).returncode == 0
    assert "kept" in automix(*arguments, cwd=tmp_path).stderr
    assert "kept" not in automix(*arguments, "--mode", "full", cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nowhere",), 3, "nowhere"),
        (("{song}", "--role", "x"), 2, "TRACK=ROLE"),
        (("{song}", "--role", "kick=drumz"), 3, "no role 'drumz'"),
        (("{song}", "--mode", "medium"), 2, "medium"),
        (("{song}", "-o", "{song}/Kick.wav", "-f"), 4, "input"),
    ],
)
def test_refusals(song, tmp_path, arguments, code, message):
    done = automix("stems", *(a.format(song=song) for a in arguments), cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("mode", ["basic", "full"])
def test_the_number_of_threads_changes_no_byte(song, tmp_path, mode):
    for threads in (1, 4):
        out = f"mix{threads}.wav"
        done = automix("stems", song, "-o", out, "--mode", mode, "-j", threads, "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    for name in ("mix{}.wav", "mix{}.toml"):
        one, four = ((tmp_path / name.format(n)).read_bytes() for n in (1, 4))
        assert one == four
