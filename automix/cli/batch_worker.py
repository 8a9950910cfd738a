"""What a worker of a batch runs: a function of a module, so that other processes find it."""

from automix.batch.worker import run_item
from automix.cli.signals import remove_when_ended
from automix.parallel.engine import Job, Outcome


def mix_item(job: Job) -> Outcome:
    """Mixes one item; if a signal ends the worker, what it has not finished goes with it."""
    return run_item(job, remove_when_ended)
