"""`automix batch` as a user runs it, and what it withstands."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.cli.short_song import RATE, drums, voice

JOURNAL = "automix-batch.jsonl"
Completed = subprocess.CompletedProcess[bytes]


@pytest.fixture
def run(start: Callable[..., "subprocess.Popen[bytes]"]) -> Callable[..., Completed]:
    """Runs the command to its end, as a process of its own in an empty folder."""

    def completed(*arguments: object) -> Completed:
        process = start("batch", *arguments)
        out, err = process.communicate(timeout=120)
        assert b"Traceback" not in err
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return completed


def add_song(folder: Path, seconds: float = 1.0) -> Path:
    folder.mkdir(parents=True)
    soundfile.write(folder / "vocal.wav", voice(seconds), RATE, "PCM_24")
    soundfile.write(folder / "beat.wav", drums(seconds), RATE, "PCM_16")
    return folder


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """Two songs with a vocal and a beat, and one of tracks."""
    for name in ("a", "b"):
        add_song(tmp_path / "songs" / name)
    (tmp_path / "songs" / "c").mkdir()
    soundfile.write(tmp_path / "songs" / "c" / "bass.wav", voice(1.0), RATE)
    soundfile.write(tmp_path / "songs" / "c" / "kick.wav", drums(1.0), RATE)
    return tmp_path / "songs"


@pytest.fixture
def long_songs(tmp_path: Path) -> Path:
    """Two songs that take a moment."""
    folder = tmp_path / "long"
    for name in ("e", "f"):
        (folder / name).mkdir(parents=True)
        soundfile.write(folder / name / "vocal.flac", np.tile(voice(), 8), RATE)
        soundfile.write(folder / name / "beat.flac", np.tile(drums(), (8, 1)), RATE)
    return folder


def records(folder: Path) -> list[dict[str, Any]]:
    with contextlib.suppress(FileNotFoundError):
        lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n")]
    return []


def ends(folder: Path) -> list[tuple[str, str, int]]:
    found = [record for record in records(folder) if record["status"] != "started"]
    return [(record["song"], record["status"], record["attempt"]) for record in found]


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.glob("*.wav")}


def test_every_song_becomes_what_its_own_command_makes_of_it(run, cli, songs, tmp_path) -> None:
    done = run("songs", "-o", "new/mixes", "-j", "2", "--loudness", "-20")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"3 songs: 3 mixed, 0 done before, 0 failed" in done.stdout
    table = done.stdout.decode().splitlines()[2:5]
    assert sorted(line.split()[0] for line in table) == ["a", "b", "c"]
    assert all(float(line.split()[3]) == pytest.approx(-20, abs=0.1) for line in table)
    inputs = {"a": ["songs/a/vocal.wav", "songs/a/beat.wav"], "c": ["songs/c"]}
    for name, words in inputs.items():
        command = "vocal" if len(words) == 2 else "stems"
        alone = cli(command, *words, "-o", f"new/alone/{name}.wav", "--loudness", "-20")
        assert alone.exit_code == 0
        for extension in ("wav", "toml"):
            made, expected = (
                (tmp_path / "new" / folder / f"{name}.{extension}").read_bytes()
                for folder in ("mixes", "alone")
            )
            assert made == expected


def test_a_song_that_fails_does_not_stop_the_others_and_is_tried_again(
    run, songs, tmp_path
) -> None:
    whole = (songs / "a" / "beat.wav").read_bytes()
    (songs / "a" / "beat.wav").write_text("no audio at all")
    done = run("songs", "-o", "mixes", "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert (document["done"], document["failed"], document["songs"]) == (2, 1, 3)
    (failed,) = (item for item in document["items"] if item["status"] == "failed")
    assert (failed["song"], failed["exit_code"]) == ("a", 3)
    assert "songs/a/beat.wav" in failed["error"]
    assert b"1 failed:\n  a: songs/a/beat.wav" in done.stderr
    assert b"--retry-failed" in done.stderr
    mixes = tmp_path / "mixes"
    before = stamps(mixes)
    assert sorted(before) == ["b.wav", "c.wav"]
    (songs / "a" / "beat.wav").write_bytes(whole)
    done = run("songs", "-o", "mixes", "--retry-failed")
    assert done.returncode == 0
    assert b"3 songs: 1 mixed, 2 done before" in done.stdout
    assert (mixes / "a.wav").is_file()
    assert before.items() <= stamps(mixes).items()


LOADED = """
import atexit, json, sys
from automix.cli.app import main
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
main()
"""


def test_resuming_does_what_is_not_done_and_nothing_else(run, start, cli, songs, tmp_path) -> None:
    mixes = tmp_path / "mixes"
    assert run("songs", "-o", "mixes", "-q").returncode == 0
    refused = cli("batch", "songs", "-o", "mixes")
    assert refused.exit_code == 4
    assert "--resume" in refused.stderr

    def resumed(*options: object) -> list[str]:
        before = stamps(mixes)
        done = run("songs", "-o", "mixes", "--resume", "-q", "-j", "1", *options)
        assert done.returncode == 0
        return [name for name, stamp in sorted(stamps(mixes).items()) if before.get(name) != stamp]

    words = ("batch", "songs", "-o", "mixes", "--resume", "--json")
    process = start(*words, command=(sys.executable, "-c", LOADED))
    out, err = process.communicate(timeout=60)
    assert (json.loads(out)["done_before"], json.loads(out)["items"]) == (3, [])
    assert not {"numpy", "numba", "soundfile", "rich", "multiprocessing"} & set(json.loads(err))
    (mixes / "b.wav").unlink()
    add_song(songs / "d")
    soundfile.write(songs / "c" / "kick.wav", 0.1 * drums(1.0), RATE)
    assert resumed() == ["b.wav", "c.wav", "d.wav"]
    assert resumed("--level", "-3") == ["a.wav", "b.wav", "d.wav"]
    with (mixes / JOURNAL).open("rb+") as journal:
        journal.truncate((mixes / JOURNAL).stat().st_size - 100)
    assert resumed("--level", "-3") == ["d.wav"]


@pytest.mark.slow
def test_skipping_what_exists_looks_at_plans_where_there_is_no_journal(
    run, songs, tmp_path
) -> None:
    mixes = tmp_path / "mixes"
    assert run("songs", "-o", "mixes", "-q").returncode == 0
    (mixes / JOURNAL).unlink()
    soundfile.write(songs / "a" / "beat.wav", 0.3 * drums(1.0), RATE, "PCM_16")
    before = stamps(mixes)
    done = run("songs", "-o", "mixes", "--skip-existing", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["kept"] == 2
    assert b"a: mixes/a.wav: exists" in done.stderr
    assert stamps(mixes) == before
    done = run("songs", "-o", "mixes", "--skip-existing", "--force", "--json")
    assert (done.returncode, json.loads(done.stdout)["done"]) == (0, 1)
    assert [name for name in before if stamps(mixes)[name] != before[name]] == ["a.wav"]


def test_a_manifest_overrides_for_each_song(run, songs, tmp_path) -> None:
    (tmp_path / "songs.csv").write_text(
        "vocal,beat,stems,name,loudness,preset,mode\n"
        "songs/a/vocal.wav,songs/a/beat.wav,,loud,-18,poster,\n"
        "songs/b/vocal.wav,songs/b/beat.wav,,default,,,\n"
        ",,songs/c,full,-25,,full\n"
    )
    name = ("--name", "{song}.{preset}.{mode}.flac")
    done = run("songs.csv", "-o", "mixes", "--loudness", "-22", "--json", *name)
    assert done.returncode == 0, done.stderr
    found = {item["item"]: item["loudness_lufs"] for item in json.loads(done.stdout)["items"]}
    assert found == {
        "loud.poster.basic.flac": pytest.approx(-18, abs=0.1),
        "default.studio.basic.flac": pytest.approx(-22, abs=0.1),
        "full.balanced.full.flac": pytest.approx(-25, abs=0.1),
    }
    assert soundfile.info(tmp_path / "mixes" / "loud.poster.basic.flac").format == "FLAC"


@pytest.mark.slow
def test_names_of_any_kind(run, tmp_path) -> None:
    names = ["-rf", "new\nline", "עברית ü", os.fsdecode(b"caf\xe9"), "[bold]:smile: $(x)"]
    for name in names:
        add_song(tmp_path / "-songs" / "plain").rename(tmp_path / "-songs" / name)
    done = run("-o", "-mixes", "--", "-songs")
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in (tmp_path / "-mixes").glob("*.wav")} == set(names)
    for shown in ("-rf ", "new\\nline ", "עברית ü ", "caf\\xe9 ", "[bold]:smile: $(x) "):
        assert shown in done.stdout.decode()
    assert run("-o", "-mixes", "--resume", "-q", "--", "-songs").returncode == 0
    assert len(ends(tmp_path / "-mixes")) == len(names)


@pytest.mark.parametrize(
    ("preset", "pair", "stems"), [("poster", "poster", None), ("modern", None, "modern")]
)
def test_a_preset_goes_to_the_kind_of_song_that_knows_it(cli, songs, preset, pair, stems) -> None:
    lines = cli("batch", "songs", "--dry-run", "--preset", preset).stdout.splitlines()
    for line in lines:
        wanted = pair if line.startswith("vocal") else stems
        assert (f"preset={wanted} " in line) if wanted else ("preset" not in line)


def test_a_dry_run_lists_and_writes_nothing(cli, songs, tmp_path) -> None:
    result = cli("batch", "songs", "--dry-run", "--method", "random", "--seed", "3")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[::2] == [
        "vocal songs/a/vocal.wav songs/a/beat.wav method=random seed=3 -> mixes/a.wav",
        "stems songs/c method=random seed=3 -> mixes/c.wav",
    ]
    document = json.loads(cli("batch", "songs", "--dry-run", "--json").stdout)
    assert [item["command"] for item in document["items"]] == ["vocal", "vocal", "stems"]
    assert [path.name for path in tmp_path.iterdir()] == ["songs"]


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (["gone"], 3, "gone: is not there"),
        (["songs", "gone.csv"], 3, "gone.csv: no such file"),
        (["songs", "--resume", "--retry-failed"], 2, "--retry-failed"),
        (["songs", "--skip-existing", "--no-plan"], 2, "--no-plan"),
        (["songs", "--ray-address", "auto"], 2, "--engine ray"),
        (["songs", "--name", "{title}.wav"], 2, "{song}"),
        (["songs", "--name", "{song}.xyz"], 2, "extension"),
        (["songs", "--name", "{song}.flac", "--bits", "32f"], 2, "FLAC has no float"),
        (["songs", "--loudness", "3"], 2, "--loudness: loudness_lufs = 3.0 is outside"),
        (["songs", "--level", "99"], 2, "--level"),
        (["songs", "--set", "vocal.pan"], 2, "--set 'vocal.pan'"),
        (["songs", "--method", "magic"], 2, "Invalid value for '--method'"),
        (["songs", "--method", "cnn"], 2, "songs/c: --method cnn: choose dmc"),
        (["songs", "--config", "songs/bad.toml"], 2, "unknown setting 'magic'"),
        (["songs", "--config", "gone.toml"], 3, "gone.toml: No such file"),
        (["songs", "songs/a"], 4, "mixes/a.wav: would be written twice"),
        (["songs", "-o", "songs/a/vocal.wav"], 4, "vocal.wav"),
        (["bad.csv"], 2, "bad.csv, line 2: 'artist' is not an option of one song"),
        (["bad.toml"], 2, "bad.toml, song 1: --bits: bits must be one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_refused_before_any_work(
    cli, songs, tmp_path, words: list[str], exit_code: int, message: str
) -> None:
    (songs / "bad.toml").write_text("magic = 1")
    (tmp_path / "bad.csv").write_text("stems,artist\nsongs/c,x\n")
    (tmp_path / "bad.toml").write_text('[[song]]\nstems = "songs/c"\nbits = 8\n')
    before = sorted(tmp_path.rglob("*"))
    result = cli("batch", *words)
    assert result.exit_code == exit_code
    assert message in result.stderr
    assert result.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before


# What follows kills processes. They are found in /proc.

needs_proc = pytest.mark.skipif(
    not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="needs Linux's /proc"
)


def children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for tasks in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (tasks / "children").read_text().split())
    return found


def command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def workers(pid: int) -> list[int]:
    return [child for child in children(pid) if b"spawn_main" in command_line(child)]


def wait_for(found: Callable[[], Any], process: "subprocess.Popen[bytes]") -> Any:
    while not (result := found()):
        assert process.poll() is None
        time.sleep(0.002)
    return result


def at_work(folder: Path) -> Callable[[], list[Path]]:
    return lambda: list(folder.glob(".automix-*"))


@pytest.mark.slow
@needs_proc
def test_a_worker_that_is_killed_costs_one_song_a_second_attempt(
    start, long_songs, tmp_path
) -> None:
    process = start("batch", "long", "-o", "mixes", "-j", "2")
    wait_for(at_work(tmp_path / "mixes"), process)
    victim = workers(process.pid)[0]
    os.kill(victim, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"1 lost their workers and were tried again alone" in err
    assert b"2nd attempt: a worker died" in out
    mixed = ends(tmp_path / "mixes")
    assert sorted(status for _, status, _ in mixed) == ["died", "done", "done"]
    assert mixed[-1][1:] == ("done", 2)  # alone, after the others
    assert sorted(path.name for path in (tmp_path / "mixes").iterdir()) == sorted(
        ["e.toml", "e.wav", "f.toml", "f.wav", JOURNAL]
    )


@contextlib.contextmanager
def killed_whenever_at_work(song: str, pid: int, folder: Path) -> Iterator[None]:
    """Kills the only worker each time that it works on a song."""
    ended = threading.Event()

    def kill() -> None:
        killed = 0
        while not ended.is_set():
            begun = [r for r in records(folder) if r["song"] == song and r["status"] == "started"]
            if len(begun) > killed and at_work(folder)():
                for worker in workers(pid):
                    os.kill(worker, signal.SIGKILL)
                killed = len(begun)
            time.sleep(0.002)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.slow
@needs_proc
def test_a_song_that_kills_its_worker_twice_has_failed(start, long_songs, tmp_path) -> None:
    process = start("batch", "long", "-o", "mixes", "-j", "1")
    mixes = tmp_path / "mixes"
    with killed_whenever_at_work("e", process.pid, mixes):
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert ends(mixes) == [("e", "died", 1), ("f", "done", 1), ("e", "failed", 2)]
    assert b"e: its worker was killed; it may have run out of memory" in err
    assert (mixes / "f.wav").is_file()
    assert not (mixes / "e.wav").exists()
    again = start("batch", "long", "-o", "mixes", "--retry-failed", "-q")
    assert again.wait(timeout=60) == 0
    assert (mixes / "e.wav").is_file()
    assert not at_work(mixes)()  # the leftovers of what was killed


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize(
    ("number", "exit_code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_all_and_says_how_to_go_on(
    start, long_songs, tmp_path, number: signal.Signals, exit_code: int
) -> None:
    mixes = tmp_path / "mixes"
    process = start("batch", "long", "-o", "mixes", "-j", "2", start_new_session=True)
    wait_for(at_work(mixes), process)
    at_risk = workers(process.pid)
    assert len(at_risk) == 2
    os.killpg(process.pid, number)  # as a terminal does
    out, err = process.communicate(timeout=20)
    assert process.returncode == exit_code
    assert out == b""
    assert err.endswith(b": go on with the same command and --resume\n")
    assert len(err.splitlines()) == 1
    assert not any(command_line(worker) for worker in at_risk)
    assert not at_work(mixes)()
    if number == signal.SIGINT:
        assert start("batch", "long", "-o", "mixes", "--resume", "-q").wait(timeout=60) == 0
        assert sorted(stamps(mixes)) == ["e.wav", "f.wav"]


@pytest.mark.slow
@needs_proc
def test_kill_9_a_second_run_and_resuming(start, run, cli, long_songs, tmp_path) -> None:
    mixes = tmp_path / "mixes"
    process = start("batch", "long", "-o", "mixes", "-j", "1")
    wait_for(lambda: "e.wav" in stamps(mixes) and at_work(mixes)(), process)
    (worker,) = workers(process.pid)
    os.kill(worker, signal.SIGSTOP)  # so that the second run finds the first at work
    second = run("long", "-o", "mixes", "--resume")
    assert second.returncode == 4
    assert b"another run is at work" in second.stderr
    assert process.poll() is None
    process.kill()
    process.wait()
    os.kill(worker, signal.SIGCONT)
    while command_line(worker):  # it notices by itself
        time.sleep(0.01)
    before = stamps(mixes)
    third = run("long", "-o", "mixes", "--resume", "--json")
    assert third.returncode == 0
    assert json.loads(third.stdout)["done_before"] == len(before)
    assert before.items() <= stamps(mixes).items()
    assert sorted(stamps(mixes)) == ["e.wav", "f.wav"]
    assert not at_work(mixes)()
    cli("vocal", "long/f/vocal.flac", "long/f/beat.flac", "-q")
    assert (tmp_path / "mix.wav").read_bytes() == (mixes / "f.wav").read_bytes()


@pytest.mark.slow
@needs_proc
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_ray_gives_the_same_files_and_survives_the_death_of_a_worker(
    start, run, songs, long_songs, tmp_path
) -> None:
    """One real cluster of this machine."""
    process = start("batch", "songs", "long", "-o", "mixes", "--engine", "ray", "-j", "2")
    mixes = tmp_path / "mixes"

    def tasks() -> list[int]:
        grandchildren = [child for parent in children(process.pid) for child in children(parent)]
        return [pid for pid in grandchildren if command_line(pid).startswith(b"ray::mix_item")]

    def working_on_a_long_song() -> bool:
        return any(record["inputs"][0].startswith("long") for record in records(mixes))

    def victims() -> list[int]:
        return tasks() if working_on_a_long_song() else []

    os.kill(wait_for(victims, process)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 1, err
    assert b"5 songs: 5 mixed" in out
    assert sorted(status for _, status, _ in ends(mixes)) == ["died", *5 * ["done"]]
    assert run("songs", "long", "-o", "local/mixes", "-q").returncode == 0
    for path in mixes.iterdir():
        if path.suffix == ".wav":
            assert path.read_bytes() == (tmp_path / "local" / "mixes" / path.name).read_bytes()


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_a_cluster_that_cannot_be_reached_is_an_error_of_the_device(start, tmp_path) -> None:
    (tmp_path / "song").mkdir()
    (tmp_path / "song" / "kick.wav").touch()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        words = ("batch", "song", "--engine", "ray", "--ray-address", address)
        process = start(*words)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (5, b"")
    assert err.startswith(f"automix: --engine ray: no cluster at {address}: ".encode())
    assert not (tmp_path / "mixes").exists()
