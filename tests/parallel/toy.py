"""Work for an engine that takes no time, in a module so that workers find it."""

import gc
import os
import signal
import time

from automix.parallel.engine import Job, Outcome


def prepare() -> None:
    """Nothing: SIGTERM ends the worker."""


def mix(task: Job) -> Outcome:
    """Does what the first argument says; the outcome tells the worker's id."""
    action, *words = task.work
    if action == "die":
        os.kill(os.getpid(), getattr(signal, words[0]))
    elif action == "exit":
        os._exit(int(words[0]))
    elif action == "print":
        os.write(1, b"noise")
        os.write(2, b"noise")
    elif action == "sleep":
        time.sleep(float(words[0]))
    figures = {
        "pid": os.getpid(),
        "blocked": signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "threads": os.environ["OMP_NUM_THREADS"],
        "collects": gc.isenabled(),
    }
    return Outcome(exit_code=0, result=figures)
