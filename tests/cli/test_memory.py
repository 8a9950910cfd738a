"""Where memory is short: one sentence, exit code 5, nothing half written, and an end."""

import errno
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from automix.audio.streams import prefetch
from automix.batch.worker import run_item
from automix.cli import app
from automix.cli.output import report_errors
from automix.errors import InputError
from automix.parallel import memory
from automix.parallel.engine import Job
from automix.parallel.workers import use_workers

SENTENCE = f"automix: {memory.OUT_OF_MEMORY}\n"


def chain(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


WORDS = {
    "python": MemoryError(),
    "numpy": MemoryError("Unable to allocate 3.00 GiB for an array"),
    "system": OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
    "file": OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), "a.wav"),
    "torch": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"),
    "cuda": RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "thread": RuntimeError("can't start new thread"),
    "library": ImportError("libx.so: failed to map segment from shared object"),
    "c++": RuntimeError("std::bad_alloc"),
    "disguised": chain(InputError("a.wav: cannot be read"), MemoryError()),
}


@pytest.mark.parametrize("kind", WORDS)
def test_every_librarys_words_for_short_memory_are_one_sentence(
    monkeypatch, capsys, kind: str
) -> None:
    @report_errors
    def command() -> None:
        raise WORDS[kind]

    monkeypatch.setattr(app, "app", lambda prog_name: command())
    monkeypatch.setattr(app, "handle_signals", lambda: None)
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 5
    assert capsys.readouterr().err == SENTENCE


def test_a_defect_is_not_called_short_memory(monkeypatch) -> None:
    def fails(prog_name: str) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(app, "app", fails)
    monkeypatch.setattr(app, "handle_signals", lambda: None)
    with pytest.raises(RuntimeError, match="a defect"):
        app.main()


def test_whatever_fails_at_the_limit_is_called_short_memory(monkeypatch) -> None:
    taken = int(Path("/proc/self/status").read_text().split("VmPeak:")[1].split()[0]) * 1024
    assert not memory.is_out_of_memory(SystemError("error return without exception set"))
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (taken + 1000, taken + 1000))
    assert memory.is_out_of_memory(SystemError("error return without exception set"))
    assert memory.is_out_of_memory(RuntimeError("could not create a primitive"))
    assert not memory.is_out_of_memory(InputError("a.wav: is empty"))


def test_a_worker_says_that_memory_is_short(monkeypatch) -> None:
    def mix(*args: object, **kwargs: object) -> None:
        raise MemoryError

    monkeypatch.setattr("automix.batch.worker.run_song", mix)
    use_workers(None)
    outcome = run_item(Job(key="x", work=(None, None, None), folder="."), lambda remove: None)
    assert (outcome.exit_code, outcome.error) == (5, memory.OUT_OF_MEMORY)


def test_a_thread_that_ends_without_a_word_is_not_waited_for(monkeypatch) -> None:
    """As where there is not even memory to hand an exception over."""
    monkeypatch.setattr("automix.audio.streams._LOOK_S", 0.05)
    monkeypatch.setattr(threading.Thread, "run", lambda self: None)

    def items() -> Iterator[int]:
        yield 1

    use_workers(2)
    try:
        with pytest.raises(MemoryError):
            list(prefetch(items()))
    finally:
        use_workers(None)


def run_within(start, megabytes: int, *arguments: object) -> tuple[int, str]:
    process = start(
        *arguments,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes * 10**6,) * 2),
    )
    _, error = process.communicate(timeout=120)
    return process.returncode, error.decode()


@pytest.mark.parametrize("megabytes", [100, 250])
def test_too_little_memory_to_begin_is_said(start, song, tmp_path, megabytes: int) -> None:
    code, error = run_within(start, megabytes, "vocal", song.vocal, song.beat, "-o", "m.wav")
    assert code == 5
    assert error == (
        f"automix: not enough memory: {megabytes} MB are allowed, too few to load NumPy and SciPy;"
        " raise the limit (ulimit -v)\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [300, 350, 420, 500, 600, 900])
def test_too_little_memory_for_a_mix_leaves_nothing(start, song, tmp_path, megabytes: int) -> None:
    code, error = run_within(start, megabytes, "vocal", song.vocal, song.beat, "-o", "m.wav", "-q")
    assert (code, error) == (0, "") or (code, error.startswith("automix: not enough")) == (5, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == (
        ["m.toml", "m.wav"] if code == 0 else []
    )
