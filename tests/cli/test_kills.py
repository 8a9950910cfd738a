"""Kills at any moment, by -9, TERM and INT: what is there is absent, old or whole.

The next run puts everything right, and removes what the killed one left.
"""

import contextlib
import csv
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors import safe_open

from automix.listening.key import load_key
from tests.cli.short_song import RATE, drums, voice
from tests.fuzz.amount import read_amount
from tests.listening.listening_tests import post, result, write_mixes

ROOT = Path(__file__).parents[2]
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
CODES = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}
LONGEST_S = 120

Contents = dict[str, str]


@dataclass(frozen=True)
class Victim:
    """A command that is killed.

    Attributes:
        make: Makes its inputs in a folder.
        command: Its arguments; everything goes to the folder ``out``.
        again: What makes all right after a kill: arguments that are added, for one run or several.
        older: Arguments that give other outputs with the same names, or none if there never are
            older ones.
        alike: Makes of outputs what has to be the same after a kill as without one.
    """

    make: Callable[[Path], None]
    command: tuple[str, ...]
    again: tuple[tuple[str, ...], ...]
    older: tuple[str, ...] | None = None
    alike: Callable[[Path], Contents] | None = None


def make_pair(folder: Path) -> None:
    soundfile.write(folder / "vox.wav", voice(2.0), RATE, "PCM_24")
    soundfile.write(folder / "beat.wav", drums(2.0), RATE, "PCM_24")


def make_tracks(folder: Path) -> None:
    (folder / "song").mkdir()
    for number, name in enumerate(("lead vocal", "kick", "bass")):
        soundfile.write(folder / "song" / f"{name}.wav", (0.5 + number) * voice(1.5), RATE)


def make_songs(folder: Path) -> None:
    for number, name in enumerate("abc"):
        (folder / "songs" / name).mkdir(parents=True)
        soundfile.write(folder / "songs" / name / "vocal.wav", voice(1.0 + number / 4), RATE)
        soundfile.write(folder / "songs" / name / "beat.wav", drums(1.0), RATE)


def make_plan(folder: Path) -> None:
    make_tracks(folder)
    run(folder, "stems", "song", "--mode", "full", "-o", "mix.wav", "-q")


def make_dry(folder: Path) -> None:
    for number, name in enumerate(("one", "two")):
        (folder / "dry" / name).mkdir(parents=True)
        noise = np.random.default_rng(number).standard_normal(44100)
        soundfile.write(folder / "dry" / name / "a.wav", 0.1 * noise, 44100, "FLOAT")
    (folder / "tiny.toml").write_text(
        'patch_samples = 2048\nheld_examples = 2\nstatistics = "running"\nsettle = 2\n'
        "[loop]\nsteps = 6\nbatch = 1\nvalidate_every = 1\n"
    )


def make_mixes(folder: Path) -> None:
    write_mixes(folder / "mixes")


def make_results(folder: Path) -> None:
    make_mixes(folder)
    run(folder, "listen", "make", "mixes", "-o", "test", "--duration", "0.6", "-q")
    key = load_key(folder / "test")
    for number in range(40):
        (folder / f"{number}.json").write_text(json.dumps(result(key, number)))


def read_curve(out: Path) -> Contents:
    """The figures of a training and its weights: their file has no order, and the state a date."""
    with (out / "log.csv").open(newline="") as file:
        contents = {"log.csv": json.dumps(list(csv.DictReader(file)))}
    with safe_open(out / "best.safetensors", framework="np") as weights:
        contents["metadata"] = json.dumps(weights.metadata(), sort_keys=True)
        for name in weights.keys():  # noqa: SIM118
            tensor = weights.get_tensor(name)
            contents[name] = hashlib.sha256(tensor.tobytes()).hexdigest()
    return contents


VICTIMS = {
    "vocal": Victim(
        make_pair,
        ("vocal", "vox.wav", "beat.wav", "-o", "out/mix.wav", "--report", "out/mix.html"),
        (("-f",),),
        ("--level", "-5"),
    ),
    "vocal, skipping": Victim(
        make_pair,
        ("vocal", "vox.wav", "beat.wav", "-o", "out/mix.wav"),
        (("--skip-existing", "-f"),),
        ("--level", "-5"),
    ),
    "stems": Victim(
        make_tracks,
        ("stems", "song", "--mode", "full", "-o", "out/mix.flac", "--export-stems", "out/stems"),
        (("-f",),),
        ("--seed", "1", "--preset", "modern"),
    ),
    "batch": Victim(
        make_songs,
        ("batch", "songs", "-o", "out", "-j", "2"),
        (("--resume",),),
        alike=lambda out: take_stock(out, {"automix-batch.jsonl"}),
    ),
    "batch, skipping": Victim(
        make_songs,
        ("batch", "songs", "-o", "out", "-j", "1"),
        (("--skip-existing", "-f"),),
        alike=lambda out: take_stock(out, {"automix-batch.jsonl"}),
    ),
    "train": Victim(
        make_dry,
        ("train", "effect", "--model", "tcn-8", "--task", "compressor", "--data", "dry")
        + ("--hold-out", "two", "-o", "out", "--config", "tiny.toml", "--device", "cpu")
        + ("--cache", "out/cache"),
        (("--resume",), ()),
        alike=read_curve,
    ),
    "dawproject": Victim(
        make_plan,
        ("export", "mix.toml", "-o", "out/song.dawproject"),
        (("-f",),),
        ("--dry",),
    ),
    "exported stems": Victim(
        make_plan,
        ("export", "mix.toml", "--to", "stems", "-o", "out/stems"),
        (("-f",),),
        ("--bits", "16"),
    ),
    "listen make": Victim(
        make_mixes,
        ("listen", "make", "mixes", "-o", "out/test", "--duration", "0.6"),
        (("-f",),),
    ),
    "listen export": Victim(
        make_results,
        ("listen", "export", "test", *(f"{n}.json" for n in range(40)), "-o", "out/ratings.csv"),
        (("-f",),),
    ),
}


def start(folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """Starts a command with a group of processes of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "automix", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(folder: Path, *arguments: str) -> None:
    """Runs a command that has to go well."""
    process = start(folder, *arguments)
    _, err = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, err.decode()


def wait_for_group(group: int) -> None:
    """Waits until the last worker of a killed run has gone."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    raise AssertionError("workers outlived their run")


def take_stock(folder: Path, without: set[str] = frozenset()) -> Contents:  # type: ignore[assignment]
    """The digest of every file below a folder by its name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in without
    }


def wait_for_change(process: "subprocess.Popen[bytes]", out: Path, *, only_final: bool) -> None:
    """Waits until a file appears under a name, or becomes another one; or the run has ended."""

    def look() -> dict[str, int]:
        found = {}
        for folder, _, names in os.walk(out):
            for name in names:
                with contextlib.suppress(OSError):
                    if not (only_final and is_temporary(name)):
                        found[name] = os.stat(os.path.join(folder, name)).st_ino
        return found

    before = look()
    while process.poll() is None and look() == before:
        time.sleep(0.0005)


def is_temporary(name: str) -> bool:
    return Path(name).name.startswith(".") or name.endswith(".part")


def check_pair(names: Contents, whole: Contents, older: Contents) -> None:
    """A plan that is new is that of the mix beside it."""
    for name, content in names.items():
        if not name.endswith(".toml") or content != whole.get(name) or content == older.get(name):
            continue
        mixes = [other for other in names if Path(other).stem == Path(name).stem and other != name]
        audio = [other for other in mixes if other.endswith((".wav", ".flac"))]
        assert not [other for other in whole if other.endswith("mix.wav")] or audio
        for other in audio:
            assert names[other] == whole[other], f"{name} is new, but {other} is not"


@pytest.mark.slow
@pytest.mark.parametrize("name", list(VICTIMS))
def test_outputs_are_absent_old_or_whole_whenever_a_run_is_killed(
    name: str, tmp_path: Path
) -> None:
    victim, amount = VICTIMS[name], read_amount()
    chance = random.Random(f"{amount.seed} {name}")
    victim.make(tmp_path)
    inputs = take_stock(tmp_path)
    out, alike = tmp_path / "out", victim.alike or take_stock
    older: Contents = {}
    if victim.older is not None:
        run(tmp_path, *victim.command, *victim.older)
        older = take_stock(out)
        out.rename(tmp_path.with_name(f"{tmp_path.name}-older"))
    began = time.monotonic()
    run(tmp_path, *victim.command)
    usual_s = time.monotonic() - began
    whole, expected = take_stock(out), alike(out)
    for number in range(-(-amount.kills // len(VICTIMS))):
        shutil.rmtree(out)
        flags: tuple[str, ...] = ()
        is_there = bool(older) and number % 2 == 1
        if is_there:
            shutil.copytree(tmp_path.with_name(f"{tmp_path.name}-older"), out)
            flags = ("-f",)
        process = start(tmp_path, *victim.command, *flags)
        moment_s = chance.uniform(0.2, 1.05) * usual_s
        sent = chance.choice(SIGNALS)
        if number % 4 in (0, 1):
            # For sure once it is at work on its outputs, or between one of them and the next.
            sent = signal.SIGKILL if number < 2 else sent
            wait_for_change(process, out, only_final=number % 4 == 1)
        else:
            time.sleep(moment_s)
        process.send_signal(sent)
        _, err = process.communicate(timeout=20)
        wait_for_group(process.pid)
        said = f"kill {number}: {sent.name} after {moment_s:.2f} s: {err.decode()}"
        assert process.returncode in (0, CODES[sent], -sent), said
        # A worker that is being born when its parent is shot ends before any code of ours.
        is_unborn = sent == signal.SIGKILL and not re.search(rb'File "[^"]*automix/', err)
        assert b"Traceback" not in err or moment_s < 0.5 or is_unborn, said
        check_killed(take_stock(tmp_path), inputs, out, sent, said)
        left = take_stock(out) if out.is_dir() else {}
        known = {n: content for n, content in left.items() if not is_temporary(n)}
        if victim.alike is None:
            for file, content in known.items():
                wanted = {whole.get(file), older.get(file) if is_there else None}
                assert content in wanted, f"{said}: {file} is neither old nor whole"
            if is_there:
                assert set(older) <= set(known), f"{said}: an old output is gone"
            check_pair(known, whole, older)
        put_right(victim, tmp_path, said)
        assert alike(out) == expected, said
        assert not [file for file in take_stock(tmp_path) if is_temporary(file)], said


def check_killed(
    found: Contents, inputs: Contents, out: Path, sent: signal.Signals, said: str
) -> None:
    """Inputs are as they were; a signal that can be caught leaves nothing unfinished."""
    assert {n: c for n, c in found.items() if n in inputs} == inputs, said
    others = [n for n in found if n not in inputs and not n.startswith("out/")]
    assert not others, said
    if sent != signal.SIGKILL:
        assert not [n for n in found if is_temporary(n)], said
    for file in out.rglob("*"):
        if file.suffix in (".wav", ".flac") and not file.name.startswith("."):
            samples, _ = soundfile.read(file)
            assert len(samples) == soundfile.info(file).frames > 0, f"{said}: {file.name}"


def put_right(victim: Victim, folder: Path, said: str) -> None:
    """Runs the command again, in the first way that finds something to go on with."""
    for flags in victim.again:
        process = start(folder, *victim.command, *flags)
        _, err = process.communicate(timeout=LONGEST_S)
        if process.returncode == 0:
            return
        assert b"Traceback" not in err, said
        assert flags != victim.again[-1], f"{said}: then {err.decode()}"


@pytest.mark.slow
def test_a_result_that_was_thanked_for_outlasts_any_kill(tmp_path: Path) -> None:
    amount = read_amount()
    chance = random.Random(f"{amount.seed} serve")
    make_mixes(tmp_path)
    run(tmp_path, "listen", "make", "mixes", "-o", "test", "--duration", "0.6", "-q")
    key = load_key(tmp_path / "test")
    inputs = take_stock(tmp_path)
    thanked = 0
    for number in range(-(-amount.kills // len(VICTIMS))):
        process = start(tmp_path, "listen", "serve", "test", "--port", "0")
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        until = time.monotonic() + chance.uniform(0.0, 0.4)
        while time.monotonic() < until:
            status, _ = post(url, json.dumps(result(key, thanked)).encode())
            assert status == 200
            thanked += 1
        sender = subprocess.Popen(  # one more, which the kill may meet
            [sys.executable, "-c", SEND, url, json.dumps(result(key, 100_000 + number))],
            stdout=subprocess.PIPE,
        )
        time.sleep(chance.uniform(0.0, 0.1))
        sent = chance.choice(SIGNALS)
        process.send_signal(sent)
        process.communicate(timeout=20)
        sender.communicate(timeout=40)
        assert process.returncode in (CODES[sent], -sent)
        run(tmp_path, "listen", "export", "test", "-o", "ratings.csv", "-f", "-q")
        with (tmp_path / "ratings.csv").open(newline="") as file:
            known = {row["participant"] for row in csv.DictReader(file)}
        assert {result(key, n)["participant"] for n in range(thanked)} <= known
        found = take_stock(tmp_path)
        assert {n: c for n, c in found.items() if n in inputs} == inputs


SEND = """
import sys, urllib.request
try:
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(sys.argv[1] + "results", sys.argv[2].encode(), kind)
    urllib.request.urlopen(request, timeout=20)
except OSError:
    pass
"""
