"""Examples made by their numbers, in worker processes where there are to be some."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset

from automix.errors import AutomixError
from automix.parallel.workers import use_workers

VALIDATION = 10**9
"""Numbers of validation examples begin here, so that no training example is among them."""


class Numbered(Protocol):
    """Makes examples by their numbers; see `automix.training.controller.examples.Examples`."""

    def __getitem__(self, number: int) -> Any:
        """The same number is the same example."""


class _Numbered(Dataset[Any]):
    def __init__(self, examples: Numbered, numbers: Sequence[Any], audio: bool) -> None:
        self._examples, self._numbers, self._audio = examples, numbers, audio

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: int) -> Any:
        wanted = self._numbers[place]
        try:
            if isinstance(wanted, int):
                return self._example(wanted)
            return [self._example(number) for number in wanted]
        except AutomixError as error:  # raised in a worker, it would come with its traceback
            return error

    def _example(self, number: int) -> Any:
        example = self._examples[number]
        return example if self._audio else example.without_audio()


def make_examples(
    examples: Numbered,
    numbers: Sequence[Any],
    *,
    workers: int,
    audio: bool,
    report: Callable[[int], None] = lambda made: None,
) -> Iterator[Any]:
    """Examples in the order of their numbers.

    Args:
        examples: By number.
        numbers: Of single examples, or sequences of numbers for lists of examples.
        workers: Processes that make them; 0 makes them here.
        audio: Whether they keep their audio.
        report: Called with how many there are so far.

    Raises:
        AutomixError: What making an example raises.
    """
    loader: DataLoader[Any] = DataLoader(
        _Numbered(examples, numbers, audio),
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
    torch.set_num_threads(1)
    use_workers(1)
