"""The example script that mixes an album with `automix batch`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests.cli.short_song import RATE, drums, voice

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With a program `automix` on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, options in (("automix", "-m automix"), ("python3", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {options} "$@"\n')
        (programs / name).chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
def test_an_album_is_mixed_once_and_what_differs_again(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for name in ("01 First", "02 Zweitens ü"):
        folder = tmp_path / "-album" / name
        folder.mkdir(parents=True)
        soundfile.write(folder / "vocal.wav", voice(1.0), RATE)
        soundfile.write(folder / "beat.wav", drums(1.0), RATE)

    def mixed(*options: str) -> tuple[int, list[list[str]], set[int]]:
        done = subprocess.run(
            ["sh", ROOT / "examples" / "album-batch.sh", "-album", "-mixes", *options],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        files = {path.stat().st_ino for path in (tmp_path / "-mixes").glob("*.wav")}
        return done.returncode, rows, files

    first = mixed("-j", "2")
    assert [row[:3] for row in first[1]] == [
        ["01 First.wav", "done", "-14.0"],
        ["02 Zweitens \\xfc.wav", "done", "-14.0"],
    ]
    assert all(float(row[3]) <= -1 for row in first[1])
    assert first[0] == 0
    assert mixed("-j", "2") == first
    (tmp_path / "-album" / "01 First" / "beat.wav").write_text("broken")
    status, rows, files = mixed()
    assert (status, rows[0], rows[1]) == (1, ["01 First.wav", "failed", "-", "-"], first[1][1])
    assert files == first[2]
