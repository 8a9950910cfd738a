"""In a worker: one song of a batch, mixed as a command would mix it."""

import os
import time
from dataclasses import replace

from automix.errors import AutomixError, DeviceError
from automix.mixing.song import Guard, run_song
from automix.parallel.engine import Job, Outcome
from automix.parallel.memory import OUT_OF_MEMORY, check_memory, is_out_of_memory
from automix.parallel.workers import use_workers
from automix.report.page import make_report


def run_item(job: Job, guard: Guard) -> Outcome:
    """Mixes a song; whatever goes wrong with it becomes a message.

    Args:
        job: Its work is a request, a delivery, and the number of threads.
        guard: Keeps unfinished files from staying where a signal ends the worker.
    """
    request, delivery, threads = job.work
    began = time.perf_counter()
    exit_code, error, result = 0, "", None
    try:
        check_memory()
        os.chdir(job.folder)
        use_workers(threads)
        outcome = run_song(request, delivery, guard=guard, make_page=make_report)
        result = replace(outcome, plan=None, compared=())  # the plan is on disk
    except Exception as problem:  # a defect of one mix must not end a worker of many
        if is_out_of_memory(problem):
            exit_code, error = DeviceError.exit_code, OUT_OF_MEMORY
        elif isinstance(problem, AutomixError):
            exit_code, error = problem.exit_code, str(problem)
        else:
            exit_code, error = 1, f"{type(problem).__name__}: {problem}"
    seconds = round(time.perf_counter() - began, 3)
    return Outcome(exit_code=exit_code, error=error, seconds=seconds, result=result)
