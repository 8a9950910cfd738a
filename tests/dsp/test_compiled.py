"""The cache of compiled loops: whatever is broken there, the loops run and give the same."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOOP = """
import sys
import numpy as np
from automix.dsp.compiled import kernel

@kernel
def add(samples):
    total = 0.0
    for sample in samples:
        total += sample
    return total

print(add(np.arange(5.0)), sum(add.stats.cache_hits.values()))
"""
COMPILED, LOADED = "10.0 0\n", "10.0 1\n"


def run(folder: Path, **options: object) -> str:
    """What the loop gives, and how many compiled functions were found in the cache."""
    (folder / "loop.py").write_text(LOOP)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "loop.py"], cwd=folder, env=env, capture_output=True, text=True, **options
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def cached(folder: Path, pattern: str) -> Path:
    (path,) = (folder / "cache").rglob(pattern)
    return path


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def replace_by(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:20]),
    "cut-at-the-end": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "one-bit": flip,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "text": lambda path: path.write_text("not a pickle"),
    "a-folder": replace_by(Path.mkdir),
    "a-pipe": replace_by(os.mkfifo),
    "gone": Path.unlink,
}


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["*.nbc", "*.nbi"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_file_in_the_cache_is_compiled_anew(tmp_path, damage: str, pattern: str) -> None:
    assert run(tmp_path) == COMPILED
    DAMAGES[damage](cached(tmp_path, pattern))
    assert run(tmp_path) == COMPILED
    assert run(tmp_path) == (COMPILED if damage == "a-folder" else LOADED)  # which nothing replaces


@pytest.mark.slow
def test_a_bit_that_flipped_in_machine_code_is_not_run(tmp_path) -> None:
    assert run(tmp_path) == COMPILED
    assert run(tmp_path) == LOADED
    flip(cached(tmp_path, "*.nbc"))
    assert run(tmp_path) == COMPILED


@pytest.mark.slow
def test_a_cache_of_another_numba_is_compiled_anew(tmp_path) -> None:
    assert run(tmp_path) == COMPILED
    index = cached(tmp_path, "*.nbi")
    data = index.read_bytes()
    index.write_bytes(data.replace(b"0.", b"9.", 1))
    assert run(tmp_path) == COMPILED


def test_a_cache_folder_that_is_a_file_is_done_without(tmp_path) -> None:
    (tmp_path / "cache").write_text("")
    assert run(tmp_path) == COMPILED
    assert (tmp_path / "cache").read_text() == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_folder_without_permission_is_done_without(tmp_path) -> None:
    (tmp_path / "cache").mkdir(mode=0o500)
    assert run(tmp_path) == COMPILED


@pytest.mark.slow
def test_a_disk_without_room_for_the_cache_is_done_without(tmp_path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    assert run(tmp_path, preexec_fn=limit) == COMPILED
    assert not [*tmp_path.rglob("*.nbc"), *tmp_path.rglob("*.tmp.*")]
    assert run(tmp_path) == COMPILED


def test_a_full_disk_of_the_cache_is_done_without(tmp_path) -> None:
    (tmp_path / "cache").mkdir()
    mount = shutil.which("mount")
    small = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(tmp_path / "cache")]
    if mount is None or subprocess.run(small, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        assert run(tmp_path) == COMPILED
    finally:
        subprocess.run(["umount", str(tmp_path / "cache")], check=True)
