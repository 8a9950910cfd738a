"""A short song, and two ways to run the program: in this process, and as a process of its own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner, Result

from automix.cli.app import app
from tests.cli.short_song import RATE, drums, voice

ROOT = Path(__file__).parents[2]
AUTOMIX = (sys.executable, "-m", "automix")


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
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def start(
    tmp_path: Path, environment: dict[str, str]
) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts the program, or another command, in an empty folder; ends it with the test."""
    with contextlib.ExitStack() as started:

        def begin(
            *args: object,
            command: tuple[str, ...] = (sys.executable, "-m", "automix"),
            **changed: Any,
        ) -> "subprocess.Popen[bytes]":
            options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment}
            process = subprocess.Popen(
                [*command, *map(str, args)], cwd=tmp_path, **{**options, **changed}
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield begin
