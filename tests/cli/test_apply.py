"""`automix apply` as a user runs it: settings by name, rates, errors, no half files."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.networks.checkpoints import save_weights
from automix.networks.effects import FAMILY
from tests.networks.effect_networks import identity, lively


@pytest.fixture
def models(tmp_path):
    """A network that changes nothing, and one that hears its settings."""
    for name, network in (
        ("identity", identity(network="tcn-8", causal=True)),
        ("lively", lively(network="tcn-8")),
        ("la2a", lively(network="tcn-8", effect="la2a")),
    ):
        path = tmp_path / f"{name}.safetensors"
        save_weights(path, FAMILY, network.description, network.state_dict())
    return tmp_path


@pytest.fixture
def audio(tmp_path):
    time = np.arange(30_000) / 48_000
    sides = 0.3 * np.stack([np.sin(2 * np.pi * f * time) for f in (220, 440)], axis=1)
    soundfile.write(tmp_path / "in.wav", sides, 48_000, "PCM_24")
    return tmp_path / "in.wav"


def test_what_goes_through_nothing_comes_out(cli, models, audio):
    done = cli("apply", "identity.safetensors", audio, "out.flac", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["path"] == "out.flac"
    assert document["settings"]["compressor.ratio"] == 2.0
    assert any("48000 Hz" in note and "44100" in note for note in document["notes"])
    given, _ = soundfile.read(audio)
    made, rate = soundfile.read(models / "out.flac")
    assert (made.shape, rate) == (given.shape, 48_000)
    assert soundfile.info(models / "out.flac").subtype == "PCM_24"
    np.testing.assert_allclose(made[500:-500], given[500:-500], atol=1e-3)


def test_settings_are_heard(cli, models, audio):
    outputs = []
    for number, settings in enumerate(
        ((), ("--set", "compressor.threshold_db=-24"), ("--set", "space=hall"), ("--half",))
    ):
        name = f"{number}.wav"
        done = cli("apply", "lively.safetensors", audio, name, "--bits", "32f", *settings)
        assert done.exit_code == 0, done.output
        assert done.stdout == f"{name}\n"
        outputs.append(soundfile.read(models / name)[0])
    for other in outputs[1:]:
        assert not np.allclose(outputs[0], other, atol=1e-7)
    done = cli("apply", "la2a.safetensors", audio, "limited.wav", "--set", "limit=1",
               "--set", "peak_reduction=60", "--quiet")  # fmt: skip
    assert (done.exit_code, done.output) == (0, "")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ["identity.safetensors", "in.wav", "out.wav", "--set", "ratio=2"],
            2,
            "no setting 'ratio'",
        ),
        (["identity.safetensors", "in.wav", "out.wav", "--set", "ratio"], 2, "SETTING=VALUE"),
        (["identity.safetensors", "in.wav", "out.xyz"], 2, "extension"),
        (["identity.safetensors", "in.wav", "in.wav", "-f"], 4, "same file"),
        (["identity.safetensors", "none.wav", "out.wav"], 3, "no such file"),
        (["none.safetensors", "in.wav", "out.wav"], 5, "no such file of weights"),
        (["dmc-basic", "in.wav", "out.wav"], 5, "weights of dmc, not of effect"),
        (["identity.safetensors", "in.wav", "out.wav", "--device", "cuda:99"], 5, "cuda"),
    ],
)
def test_errors_name_what_is_wrong_and_leave_nothing(cli, models, audio, words, code, message):
    before = sorted(path.name for path in models.iterdir())
    done = cli("apply", *words)
    assert done.exit_code == code
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in models.iterdir()) == before


def test_files_are_kept_unless_forced(cli, models, audio):
    (models / "out.wav").write_text("mine")
    words = ("apply", "identity.safetensors", audio, "out.wav")
    assert cli(*words).exit_code == 4
    assert (models / "out.wav").read_text() == "mine"
    assert cli(*words, "-f").exit_code == 0
    assert soundfile.info(models / "out.wav").frames == 30_000


@pytest.mark.parametrize(
    ("added", "words"), [(3e4, "the network makes noise"), (1e8, "no training")]
)
def test_weights_of_garbage_write_nothing(cli, audio, added, words):
    network = lively(network="tcn-8")
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.add_(added)
    save_weights(Path("garbage.safetensors"), FAMILY, network.description, network.state_dict())
    done = cli("apply", "garbage.safetensors", audio, "out.wav")
    assert done.exit_code == 5
    assert done.stderr.startswith("automix: garbage.safetensors: ")
    assert words in done.stderr
    assert not Path("out.wav").exists()


def test_a_flipped_bit_in_ones_own_weights_is_noticed(cli, models, audio):
    path = models / "lively.safetensors"
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    done = cli("apply", "lively.safetensors", audio, "out.wav")
    assert done.exit_code == 5
    assert "lively.safetensors: is damaged" in done.stderr
    assert not Path("out.wav").exists()
