"""Runs cases by number, in this process or in several."""

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.fuzz.audio_cases import prepare_audio
from tests.fuzz.judging import Case, judge
from tests.fuzz.text_cases import TEXTS, load, prepare_text

ROOT = Path(__file__).parents[2]
KINDS = ("audio", "texts", *TEXTS)

Report = Callable[[dict[str, Any]], None]


def prepare(kind: str, seed: int, number: int, folder: Path) -> Case:
    """Writes the input of a number to a folder."""
    if kind == "audio":
        return prepare_audio(seed, number, folder)
    return prepare_text(None if kind == "texts" else kind, seed, number, folder)


def run_alone(
    kind: str, *, seed: int, numbers: Iterable[int], seconds: float, scratch: Path, report: Report
) -> dict[str, Any]:
    """Judges the inputs of some numbers, one after another.

    Args:
        kind: One of `KINDS`.
        seed: Another seed is other inputs.
        numbers: Numbers of the inputs.
        seconds: After so many, no other is begun.
        scratch: A folder for the inputs.
        report: Told each fault.

    Returns:
        How many there were, were accepted and had a fault, and the most that one took.
    """
    warm_up(kind)
    began = time.monotonic()
    summary: dict[str, Any] = {"kind": kind, "seed": seed, "inputs": 0, "accepted": 0, "faults": 0}
    longest_s, most_mb = 0.0, 0.0
    for number in numbers:
        if time.monotonic() - began > seconds:
            break
        verdict = judge(partial(prepare, kind, seed, number), scratch)
        summary["inputs"] += 1
        summary["accepted"] += verdict.accepted
        longest_s = max(longest_s, verdict.seconds)
        most_mb = max(most_mb, verdict.megabytes)
        if verdict.faults:
            summary["faults"] += 1
            report(
                {
                    "again": f"python -m tests.fuzz {kind} --seed {seed} --first {number}",
                    "input": verdict.name,
                    "faults": verdict.faults,
                    "detail": verdict.detail,
                }
            )
    return {**summary, "longest_s": round(longest_s, 2), "most_mb": round(most_mb)}


def warm_up(kind: str) -> None:
    """Loads what every child needs, so that none has to: they are forks of this process."""
    load("session" if kind == "audio" else kind)
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("threads run, which forks would wait for")
    gc.collect()
    gc.freeze()


def run_many(
    kind: str, *, seed: int, first: int, count: int, jobs: int, seconds: float, report: Report
) -> dict[str, Any]:
    """Does what `run_alone` does in several processes, of which each takes every nth number."""
    command = (sys.executable, "-m", "tests.fuzz", kind, "--seed", str(seed))

    def run(job: int) -> dict[str, Any]:
        numbers = ("--first", str(first + job), "--count", str(count - job), "--step", str(jobs))
        with subprocess.Popen(
            [*command, *numbers, "--seconds", str(seconds)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT, text=True,
        ) as process:  # fmt: skip
            summary: dict[str, Any] = {}
            for line in process.stdout or ():
                document = json.loads(line)
                if "faults" in document and "again" in document:
                    report(document)
                else:
                    summary = document
        if process.returncode not in (0, 1) or not summary:
            raise RuntimeError(f"{command} ended with {process.returncode}")
        return summary

    with ThreadPoolExecutor(jobs) as pool:
        summaries = list(pool.map(run, range(min(jobs, count))))
    added = {name: sum(s[name] for s in summaries) for name in ("inputs", "accepted", "faults")}
    most = {name: max(s[name] for s in summaries) for name in ("longest_s", "most_mb")}
    return {"kind": kind, "seed": seed, **added, **most}
