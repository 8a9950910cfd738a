"""A short song, and two ways to run the program: in this process, and as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner, Result

from automix.cli.app import app
from tests.cli.short_song import RATE, drums, voice

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Song:
    """The files of a short song, not to be changed."""

    vocal: Path
    beat: Path


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> Song:
    folder = tmp_path_factory.mktemp("song")
    soundfile.write(folder / "vox.wav", voice(), RATE, "PCM_24")
    soundfile.write(folder / "beat.wav", drums(), RATE, "PCM_24")
    return Song(folder / "vox.wav", folder / "beat.wav")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in this process, in an empty folder; whatever it raises is an error."""
    monkeypatch.chdir(tmp_path)

    def run(*args: object) -> Result:
        result = CliRunner().invoke(app, [str(arg) for arg in args])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Starts the program in an empty folder."""

    def begin(*args: object, **options: object) -> "subprocess.Popen[bytes]":
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": tmp_path}
        command = [sys.executable, "-m", "automix", *map(str, args)]
        return subprocess.Popen(command, **{"env": environment, **settings, **options})  # type: ignore[call-overload]

    return begin
