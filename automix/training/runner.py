"""The one way in which every family is trained: check, open the data, make the task, loop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from automix.parallel.workers import count_workers, use_workers
from automix.training.families import Family
from automix.training.loop import Progress, Training
from automix.training.processes import Processes
from automix.training.request import TrainingRequest
from automix.training.run import TrainingRun


def train(
    family: Family,
    settings: Any,
    request: TrainingRequest,
    report_stage: Callable[[str], None] = lambda stage: None,
    report: Callable[[Progress], None] = lambda progress: None,
    note: Callable[[str], None] = lambda sentence: None,
) -> Progress | None:
    """Trains a network, or goes on with a run that was ended at any moment.

    Args:
        family: Row of the table.
        settings: Instance of the settings class of that row.
        request: The run that is asked for.
        report_stage: Called with the name of whatever preparation begins.
        report: Called after each validation.
        note: Called with sentences for the user.

    Returns:
        The state at the last validation; none where there was nothing left to do.

    Raises:
        UsageError: Settings, songs to hold out, or shares do not go together.
        InputError: The data cannot be used.
        OutputError: The folder holds another run or cannot be written.
        DeviceError: The device, the weights to begin with, or the run to resume cannot be used; or
            the loss is not finite.
    """
    processes = Processes()
    run = TrainingRun(
        request=request,
        device=processes.device(request.device),
        processes=processes,
        report_stage=report_stage,
        note=note,
    )
    with processes.first_alone():
        run.check_folder()
        sources = family.open_sources(settings, run)
    try:
        with _share_processors(settings.loop.workers):
            task = family.make_task(settings, sources, run)
            training = Training(task, settings.loop, request.folder, run.device, processes)
            if request.resume:
                training.resume()
            return training.run(report if processes.rank == 0 else lambda progress: None)
    finally:
        processes.close()


@contextmanager
def _share_processors(workers: int) -> Iterator[None]:
    """Keeps this process to one thread where worker processes make the examples."""
    threads = count_workers()
    if workers:
        use_workers(1)  # each of the processes that make examples has a processor to itself
    try:
        yield
    finally:
        use_workers(threads)
