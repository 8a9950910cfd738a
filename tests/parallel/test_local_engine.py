"""Workers: they are used again, replaced when they die, and end with the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automix.parallel.engine import Job, Outcome
from automix.parallel.local_engine import ONE_THREAD, LocalEngine
from tests.parallel import toy

ROOT = Path(__file__).parents[2]


def task(key: str, *arguments: str) -> Job:
    return Job(key=key, work=arguments, folder="/")


def is_alive(pid: int) -> bool:
    """Whether there is such a process, other than one that only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ran(engine: LocalEngine, *arguments: str) -> Outcome:
    engine.submit(task("only", *arguments))
    key, outcome = engine.next_outcome()
    assert key == "only"
    return outcome


@pytest.mark.parametrize("word", ["SIGKILL", "SIGSEGV"])
def test_a_worker_that_dies_is_replaced(word: str) -> None:
    with LocalEngine(toy.mix, toy.prepare, 1) as engine:
        first = ran(engine, "nothing").result
        assert ran(engine, "nothing").result["pid"] == first["pid"]  # used again
        died = ran(engine, "die", word)
        assert died.died
        assert died.exit_code == -getattr(signal, word)
        assert ("memory" if word == "SIGKILL" else word) in died.error
        after = ran(engine, "nothing").result
        assert after["pid"] != first["pid"]
    assert not is_alive(first["pid"])
    assert not is_alive(after["pid"])


def test_a_worker_collects_garbage_once_its_imports_are_done() -> None:
    with LocalEngine(toy.mix, toy.prepare, 1) as engine:
        assert [ran(engine, "nothing").result["collects"] for _ in range(3)] == [False, True, True]


def test_an_idle_worker_that_was_killed_costs_no_more_than_an_item() -> None:
    with LocalEngine(toy.mix, toy.prepare, 1) as engine:
        pid = ran(engine, "nothing").result["pid"]
        os.kill(pid, signal.SIGKILL)
        while is_alive(pid):
            time.sleep(0.001)
        assert ran(engine, "nothing").died
        assert not ran(engine, "nothing").died


def test_workers_work_side_by_side_and_silently(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ONE_THREAD:  # what the user has set stays
        monkeypatch.delenv(name, raising=False)
    with LocalEngine(toy.mix, toy.prepare, 2) as engine:
        engine.submit(task("long", "sleep", "300"))
        for arguments in (("print",), ("exit", "7")):
            engine.submit(task("short", *arguments))
            key, outcome = engine.next_outcome()
            assert key == "short"
            if arguments[0] == "print":
                assert outcome.result["blocked"]  # Ctrl-C is for the run
                assert outcome.result["threads"] == "1"
            else:
                assert (outcome.exit_code, outcome.died) == (7, True)
        with pytest.raises(KeyError), engine:
            raise KeyError  # ends the sleeper
    assert capfd.readouterr() == ("", "")


RUN = """
import sys
from automix.parallel.local_engine import ONE_THREAD, LocalEngine
from tests.parallel import toy
from tests.parallel.test_local_engine import task
with LocalEngine(toy.mix, toy.prepare, 1) as engine:
    engine.submit(task("pid", "nothing"))
    print(engine.next_outcome()[1].result["pid"], flush=True)
    engine.submit(task("long", "sleep", "300"))
    sys.stdin.read()
"""


def test_workers_end_when_the_run_is_killed() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        worker = int(process.stdout.readline())
        assert is_alive(worker)
        process.kill()
        process.wait()
    for _ in range(2000):
        if not is_alive(worker):
            return
        time.sleep(0.01)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("a worker outlived its run")
