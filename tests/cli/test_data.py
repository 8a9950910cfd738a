"""`automix data synthesize`: what it writes, keeps, refuses, and leaves behind when it is ended."""

import json
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from automix.errors import DeviceError, InputError, OutputError, UsageError
from automix.files.disk import check_disk_space

BUILT_IN = ("--engine", "built-in", "--duration", 8)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def synthesize(cli, count: int, folder: str, *args: object):
    return cli("data", "synthesize", count, folder, *BUILT_IN, *args)


def test_a_song_is_written_and_told_and_rendered_again(cli, tmp_path: Path) -> None:
    result = synthesize(cli, 1, "out", "--seed", 4)
    assert result.exit_code == 0
    assert result.stdout == "out: 1 songs (built-in)\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["song-0001"]
    mixed = (tmp_path / "out/song-0001/mix.wav").read_bytes()
    assert not list(tmp_path.rglob(".*"))
    assert cli("render", "out/song-0001/mix.toml", "-o", "again.wav").exit_code == 0
    assert (tmp_path / "again.wav").read_bytes() == mixed


@pytest.mark.slow
def test_processes_give_the_same_bytes_and_fewer_songs_are_the_first_ones(
    cli, tmp_path: Path
) -> None:
    assert synthesize(cli, 1, "one", "--seed", 4, "-j", 1).exit_code == 0
    assert synthesize(cli, 2, "two", "--seed", 4, "-j", 2).exit_code == 0
    shutil.rmtree(tmp_path / "two/song-0002")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_json_tells_all(cli) -> None:
    result = synthesize(cli, 1, "out", "--json", "--seed", 6)
    document = json.loads(result.stdout)
    assert document["engine"] == "built-in"
    assert document["seed"] == 6
    (song,) = document["songs"]
    assert song["folder"] == "out/song-0001"
    assert song["kept"] is False
    assert song["duration_s"] == 8.0
    assert 70 <= song["tempo_bpm"] <= 180
    assert 4 <= len(song["tracks"]) <= 16
    assert song["mix_true_peak_dbtp"] <= -1.0
    assert not result.stderr


@pytest.mark.slow
def test_existing_songs_are_kept_refused_or_replaced(cli, tmp_path: Path) -> None:
    first = tmp_path / "out/song-0001"
    assert synthesize(cli, 1, "out").exit_code == 0
    before = contents(first)
    refused = synthesize(cli, 1, "out")
    assert refused.exit_code == OutputError.exit_code
    assert "--skip-existing" in refused.stderr
    times = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    kept = synthesize(cli, 2, "out", "--skip-existing")
    assert kept.exit_code == 0
    assert kept.stdout == "out: 1 songs, 1 kept (built-in)\n"
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == times
    track = next(path for path in sorted(first.iterdir()) if path.suffix == ".wav")
    for damage in (b"", before[track.name][:-100]):
        track.write_bytes(damage)
        damaged = synthesize(cli, 1, "out", "--skip-existing")
        assert damaged.exit_code == OutputError.exit_code
        assert "changed or damaged" in damaged.stderr
    track.write_bytes(before[track.name])
    other = synthesize(cli, 1, "out", "--skip-existing", "--seed", 1)
    assert other.exit_code == OutputError.exit_code
    assert "other settings" in other.stderr
    assert contents(first) == before
    assert synthesize(cli, 1, "out", "--seed", 1, "-f").exit_code == 0
    assert contents(first) != before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("0", "out"), 2, "N"),
        (("1",), 2, "DIR"),
        (("1", "out", "--duration", "3"), 2, "duration"),
        (("1", "out", "--engine", "organ"), 2, "engine"),
        (("1", "out", "--seed", "-1"), 2, "seed"),
        (("1", "file"), OutputError.exit_code, "file: is not a folder"),
        (("1", "file/out"), OutputError.exit_code, "file/out"),
        (
            ("1", "out", "--engine", "built-in", "--soundfont", "file"),
            UsageError.exit_code,
            "--soundfont",
        ),
    ],
)
def test_refusals(cli, tmp_path: Path, arguments, code: int, words: str) -> None:
    (tmp_path / "file").write_text("x")
    result = cli("data", "synthesize", *arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_fluidsynth_that_is_not_there(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = cli("data", "synthesize", 1, "out", "--engine", "fluidsynth")
    assert result.exit_code == DeviceError.exit_code
    assert "built-in" in result.stderr
    result = cli("data", "synthesize", 1, "out", "--duration", 8)
    assert result.exit_code == 0
    assert result.stderr.startswith("note: FluidSynth is not installed")


def test_a_sound_font_that_is_none(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "fluidsynth"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = cli("data", "synthesize", 1, "out", "--soundfont", program)
    assert result.exit_code == InputError.exit_code
    assert "is not a sound font" in result.stderr


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_full_disk_leaves_the_songs_that_are_finished(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    def full(folder: object, bytes_needed: int) -> None:
        raise OutputError(f"{folder}: the disk is full: needs {bytes_needed / 1e6:.1f} MB")

    assert synthesize(cli, 1, "out").exit_code == 0
    monkeypatch.setattr("automix.synthesis.collection.check_disk_space", full)
    result = synthesize(cli, 3, "out", "--skip-existing", "-j", jobs)
    assert result.exit_code == OutputError.exit_code
    assert "MB" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["song-0001"]
    monkeypatch.setattr("automix.synthesis.collection.check_disk_space", check_disk_space)
    monkeypatch.setattr("automix.files.target.check_disk_space", full)
    result = synthesize(cli, 2, "out", "--skip-existing", "-j", 1)
    assert result.exit_code == OutputError.exit_code
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["song-0001"]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_ctrl_c_leaves_no_half_song(start, tmp_path: Path, jobs: int) -> None:
    process = start("data", "synthesize", 50, "new/out", "--engine", "built-in", "-j", jobs)
    while not list(tmp_path.rglob(".song-*.part")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert len(err.splitlines()) == 1
    assert b"--skip-existing" in err
    assert all(path.name.startswith("song-") for path in tmp_path.rglob("*song*"))
    for folder in tmp_path.rglob("song-*"):
        assert (folder / "mix.toml").is_file()


def test_help_has_an_example_and_loads_nothing_heavy(start) -> None:
    code = (
        "import atexit, sys; sys.argv[0] = 'automix'; from automix.cli.app import main;"
        "atexit.register(lambda: print(*({'numpy', 'numba', 'scipy', 'torch', 'soundfile'}"
        " & set(sys.modules)), file=sys.stderr)); main()"
    )
    for arguments in (("data", "synthesize", "-h"), ("data", "synthesize", "1")):
        process = start("-c", code, *arguments, command=(sys.executable,))
        out, err = process.communicate(timeout=60)
        assert err.decode().splitlines()[-1] == ""
        assert (b"For example" in out) == (arguments[-1] == "-h")
