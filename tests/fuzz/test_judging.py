"""The judge sees each kind of fault, and nothing wrong with what is in order."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from automix.errors import InputError
from tests.fuzz.containers import make_originals, mutate
from tests.fuzz.judging import Case, Verdict, judge


def judge_act(
    act: Callable[[], str | None], folder: Path, outputs: tuple[str, ...] = ()
) -> Verdict:
    def prepare(place: Path) -> Case:
        (place / "input").write_bytes(b"x" * 100)
        return Case("a case", act, outputs)

    return judge(prepare, folder, limit_s=2.0)


def refuse() -> None:
    raise InputError("input: no good")


def test_what_is_taken_or_refused_has_no_fault(tmp_path: Path) -> None:
    taken = judge_act(lambda: None, tmp_path)
    assert (taken.accepted, taken.faults) == (True, ())
    refused = judge_act(refuse, tmp_path)
    assert (refused.accepted, refused.faults, refused.detail) == (False, (), "input: no good")
    written = judge_act(lambda: write("out.wav"), tmp_path, outputs=("out.",))
    assert written.faults == ()


def write(name: str) -> None:
    Path(name).write_bytes(b"new")


def write_and_refuse() -> None:
    write("out.wav")
    refuse()


def take_memory() -> None:
    np.ones(80_000_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "word"),
    [
        (lambda: int("a") and None, "ValueError in "),
        (lambda: "not right", "not right"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "ended by SIGSEGV"),
        (lambda: os._exit(7), "left by itself with 7"),
        (lambda: time.sleep(30), "hung for over 2 s"),
        (take_memory, "MB for 100 bytes"),
        (lambda: write("input"), "changed or removed 'input'"),
        (lambda: os.unlink("input"), "changed or removed 'input'"),
        (lambda: write("x.tmp"), "left 'x.tmp' behind"),
        (write_and_refuse, "left 'out.wav' behind"),
        (lambda: write(os.environ["TMPDIR"] + "/x"), "temporary files"),
    ],
)
def test_each_kind_of_fault_is_seen(
    tmp_path: Path, act: Callable[[], str | None], word: str
) -> None:
    verdict = judge_act(act, tmp_path, outputs=("out.",))
    assert [fault for fault in verdict.faults if word in fault], verdict.faults


def test_a_number_always_gives_the_same_file(tmp_path: Path) -> None:
    made = [mutate(3, number).data for number in range(50)]
    make_originals.cache_clear()
    assert [mutate(3, number).data for number in range(50)] == made
    assert len(set(made)) > 45
