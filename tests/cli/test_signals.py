"""Signals: nothing unfinished is left, whatever the moment; see also `test_kills`."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.short_song import RATE, drums, voice


@pytest.fixture(scope="module")
def long_song(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Long enough for a signal to arrive in the middle."""
    folder = tmp_path_factory.mktemp("long")
    soundfile.write(folder / "vox.flac", np.tile(voice(), 60), RATE)
    soundfile.write(folder / "beat.flac", np.tile(drums(), (60, 1)), RATE)
    return folder / "vox.flac", folder / "beat.flac"


def wait_for(found, process: "subprocess.Popen[bytes]") -> None:
    while not found():
        assert process.poll() is None
        time.sleep(0.002)


@pytest.mark.parametrize(
    ("number", "exit_code", "delay_s"),
    [
        (signal.SIGINT, 130, 0.0),
        (signal.SIGINT, 130, 0.3),
        (signal.SIGTERM, 143, 0.0),
        (signal.SIGHUP, 129, 0.3),
    ],
)
def test_a_signal_ends_the_run_and_leaves_nothing(
    start, long_song, tmp_path, number: signal.Signals, exit_code: int, delay_s: float
) -> None:
    stems = ("-o", "new/mix.wav", "--export-stems", "new/stems")
    process = start("vocal", *long_song, *stems)
    wait_for(lambda: list(tmp_path.rglob(".automix-*")), process)
    time.sleep(delay_s)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == exit_code
    assert out == b""
    assert err.startswith(b"automix: ")
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_old_output_survives_a_signal(start, long_song, tmp_path) -> None:
    (tmp_path / "mix.wav").write_text("old")
    process = start("vocal", *long_song, "-f")
    wait_for(lambda: list(tmp_path.glob(".automix-*")), process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["mix.wav"]
    assert (tmp_path / "mix.wav").read_text() == "old"


def test_nohup_is_respected(start, song, tmp_path) -> None:
    shell = 'trap "" HUP; exec "$0" -m automix vocal "$1" "$2"'
    process = start(song.vocal, song.beat, command=("sh", "-c", shell, sys.executable))
    wait_for(lambda: list(tmp_path.glob(".automix-*")), process)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert soundfile.info(tmp_path / "mix.wav").frames > 0


BUSY = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from automix.cli.signals import handle_signals, remove_when_ended

handle_signals()
part = Path(sys.argv[1])
with remove_when_ended(part.unlink), ThreadPoolExecutor() as pool:
    waiting = pool.submit(time.sleep, 300)
    part.touch()
    waiting.result()  # leaving the pool waits for the thread
"""


@pytest.mark.parametrize("signals", [1, 2])
def test_threads_at_work_do_not_hold_the_end_up(start, tmp_path, signals: int) -> None:
    part = tmp_path / "part"
    process = start(part, command=(sys.executable, "-c", BUSY))
    wait_for(part.exists, process)
    for _ in range(signals):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"interrupted" in err
    assert not part.exists()
