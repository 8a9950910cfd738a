"""Makes examples by their numbers, in worker processes where the settings ask for them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset

from automix.errors import AutomixError
from automix.parallel.workers import use_workers

VALIDATION = 10**9
"""Numbers of validation examples begin here, so that no training example is among them."""


class ExampleMaker(Protocol):
    """Makes examples by number, as `automix.training.controller.examples.MixExamples` does."""

    def __getitem__(self, number: int) -> Any:
        """Returns the example of a number; the same number always gives the same example."""


class _ExampleDataset(Dataset[Any]):
    """Examples, or lists of them, in the form that torch's loader takes."""

    def __init__(self, examples: ExampleMaker, numbers: Sequence[Any], audio: bool) -> None:
        self._examples, self._numbers, self._audio = examples, numbers, audio

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: int) -> Any:
        wanted = self._numbers[place]
        try:
            if isinstance(wanted, int):
                return self._make(wanted)
            return [self._make(number) for number in wanted]
        except AutomixError as error:  # raised in a worker, it would come with its traceback
            return error

    def _make(self, number: int) -> Any:
        example = self._examples[number]
        return example if self._audio else example.without_audio()


def make_examples(
    examples: ExampleMaker,
    numbers: Sequence[Any],
    *,
    workers: int,
    audio: bool,
    report: Callable[[int], None] = lambda made: None,
) -> Iterator[Any]:
    """Yields examples in the order of their numbers.

    Args:
        examples: Makes an example of a number.
        numbers: Numbers of single examples, or sequences of numbers for lists of examples.
        workers: How many processes make them; 0 makes them in this one.
        audio: Whether they keep their audio.
        report: Called with how many there are so far.

    Raises:
        AutomixError: Whatever making an example raises.
    """
    loader: DataLoader[Any] = DataLoader(
        _ExampleDataset(examples, numbers, audio),
        batch_size=None,
        num_workers=workers,
        worker_init_fn=_start_worker,
    )
    for count, example in enumerate(loader, 1):
        if isinstance(example, AutomixError):
            raise example
        report(count)
        yield example


def _start_worker(worker: int) -> None:
    """Keeps a worker process to one thread: there are as many of them as was asked for."""
    torch.set_num_threads(1)
    use_workers(1)
