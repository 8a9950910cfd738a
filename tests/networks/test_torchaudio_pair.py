"""A torch and a torchaudio that do not load together: one sentence, and all else works."""

import sys
import tomllib
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

from automix.cli.app import app
from automix.errors import DeviceError
from automix.networks import torchaudio_pair
from automix.networks.torchaudio_pair import load_torchaudio, read_pin
from tests.cli.short_song import RATE, drums, voice

ROOT = Path(__file__).parents[2]
COMMAND = "python -m pip install torch==2.14.1 torchaudio==2.11.1"
SENTENCE = f"torch 2.11.0 and torchaudio 2.11.1 do not load together: {COMMAND}"
SYMBOL = "libtorchaudio.so: undefined symbol: torch_library_impl"


@pytest.fixture
def broken_pair(request, monkeypatch):
    """As torch 2.11.0 with torchaudio 2.11.1: the dynamic linker misses a symbol."""

    class Linker:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "torchaudio":
                raise getattr(request, "param", OSError)(SYMBOL)

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Linker(), *sys.meta_path])
    installed = {"torch": "2.11.0", "torchaudio": "2.11.1"}
    monkeypatch.setattr(torchaudio_pair, "version", installed.__getitem__)


def test_the_pair_that_is_pinned_loads():
    assert load_torchaudio("functional").melscale_fbanks(5, 0.0, 100.0, 2, 200).shape == (5, 2)


def test_the_pins_are_those_of_the_package():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for name in torchaudio_pair.PAIR:
        assert f"{name}=={read_pin(name)}" in declared


@pytest.mark.parametrize("broken_pair", [OSError, ImportError], indirect=True)
def test_one_sentence_names_both_versions_and_the_command(broken_pair):
    with pytest.raises(DeviceError) as refused:
        load_torchaudio("functional")
    assert str(refused.value) == SENTENCE


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def song(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("vox.wav", voice(2.0), RATE)
    soundfile.write("beat.wav", drums(2.0), RATE)


@pytest.mark.parametrize(
    "arguments",
    [
        ("vocal", "vox.wav", "beat.wav", "--method", "cnn"),
        ("evaluate", "effects", "vox.wav", "--cases", "2"),
    ],
    ids=" ".join,
)
def test_what_needs_torchaudio_exits_5(broken_pair, song, arguments):
    done = run(*arguments)
    assert (done.exit_code, done.stderr) == (5, f"automix: {SENTENCE}\n")


def test_what_does_not_need_it_works(broken_pair, song):
    assert run("vocal", "vox.wav", "beat.wav", "-q").exit_code == 0
    assert run("render", "mix.toml", "-o", "again.wav", "-q").exit_code == 0
    done = run("info")
    assert (done.exit_code, done.stderr) == (0, f"warning: {SENTENCE}\n")
    assert " torchaudio " in done.stdout
