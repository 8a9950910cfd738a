"""What is looked at before any work: inputs, collisions, and what the journal says is done."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from automix.batch.item import Item, input_files, state
from automix.batch.journal import NAME, Entry
from automix.errors import InputError, OutputError, UsageError

Mode = Literal["new", "resume", "retry-failed"]

_NAMED = 5
_LONGEST_NAME = 255  # bytes, on all common file systems


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What is asked.

    Attributes:
        items: The items; can be iterated over again.
        folder: Where the outputs and the journal go.
        mode: Which items to leave out: none, those that are done, or all but those that failed.
        force: Whether to replace outputs, and to do again what is done.
        skip_existing: Whether to keep outputs made from the same inputs and settings.
        write_plan: Whether a plan goes beside each mix.
    """

    items: Iterable[Item]
    folder: Path
    mode: Mode = "new"
    force: bool = False
    skip_existing: bool = False
    write_plan: bool = True

    def output(self, item: Item) -> str:
        """File of an item's mix."""
        return os.path.join(self.folder, item.output)

    def outputs(self, item: Item) -> tuple[str, ...]:
        """Files that an item writes: the mix, and the plan beside it."""
        output = self.output(item)
        return (output, f"{os.path.splitext(output)[0]}.toml") if self.write_plan else (output,)

    def owns(self, item: Item, entry: Entry | None) -> bool:
        """Whether the files that an item writes may be replaced, or are not there."""
        return (
            self.force
            or (entry is not None and entry.owned)
            or not any(map(os.path.lexists, self.outputs(item)))
        )

    def is_due(self, item: Item, entry: Entry | None) -> bool:
        """Whether the item is to be worked on.

        Raises:
            InputError: An input of it is not there.
        """
        if self.mode == "retry-failed" and not _has_failed(entry):
            return False
        told = state(item, input_files(item))
        if self.mode == "retry-failed" or (self.mode == "new" and not self.skip_existing):
            return True
        return (
            entry is None
            or entry.status != "done"
            or entry.state != told
            or not os.path.isfile(self.output(item))
        )

    def due(self, entries: Mapping[str, Entry]) -> Iterator[Item]:
        """The items to be worked on, one by one; also those whose inputs have vanished."""
        for item in self.items:
            try:
                is_due = self.is_due(item, entries.get(item.output))
            except InputError:
                is_due = True
            if is_due:
                yield item


@dataclass
class Due:
    """How many items there are.

    Attributes:
        total: In the batch.
        due: To be worked on.
        done: Done already, not to be worked on.
    """

    total: int = 0
    due: int = 0
    done: int = 0


def _has_failed(entry: Entry | None) -> bool:
    return entry is not None and entry.status in ("failed", "crashed")


def check(batch: Batch, entries: Mapping[str, Entry], check_options: Callable[[Item], None]) -> Due:
    """Checks everything that can be checked without opening a file.

    Args:
        batch: What is asked.
        entries: What the journal says.
        check_options: Told every item that has new options; raises if they are wrong.

    Raises:
        InputError: Inputs are not there.
        OutputError: Outputs collide, exist, or have names that cannot be.
        UsageError: Options are wrong, or the journal has items that are done.
    """
    due = Due()
    missing, in_the_way, done = _Listed(), _Listed(), _Listed()
    taken: dict[str, str] = {os.path.abspath(batch.folder / NAME): "the journal"}
    checked: set[tuple[str, tuple[str, ...]]] = set()
    protects = not (batch.force or batch.skip_existing)
    for item in batch.items:
        due.total += 1
        _check_collision(batch, item, taken)
        entry = entries.get(item.output)
        try:
            is_due = batch.is_due(item, entry)
        except InputError as error:
            missing.add(str(error) if item.source in str(error) else f"{error} ({item.source})")
            continue
        if not is_due:
            due.done += entry is not None and entry.status == "done"
            continue
        due.due += 1
        if (item.kind, item.options) not in checked:
            check_options(item)
            checked.add((item.kind, item.options))
        if batch.mode == "new" and protects and entry is not None and entry.status == "done":
            done.add(item.output)
        elif protects and not batch.owns(item, entry):
            in_the_way.add(batch.output(item))
    if missing:
        raise InputError(f"{missing}; nothing was begun")
    if done:
        raise UsageError(
            f"{batch.folder / NAME}: {done} done already; go on with --resume, try failed ones"
            " again with --retry-failed, or start over with --force"
        )
    if in_the_way:
        raise OutputError(
            f"{in_the_way}: in the way, with its plan or without; overwrite with --force, keep what"
            " is made from the same inputs and settings with --skip-existing, or choose another -o"
        )
    if batch.force and due.due:
        _check_inputs_are_kept(batch)
    return due


class _Listed:
    """A few names and how many more there are."""

    def __init__(self) -> None:
        self._named: list[str] = []
        self._count = 0

    def add(self, name: str) -> None:
        self._count += 1
        if len(self._named) < _NAMED:
            self._named.append(name)

    def __bool__(self) -> bool:
        return self._count > 0

    def __str__(self) -> str:
        more = f" and {self._count - _NAMED} more" if self._count > _NAMED else ""
        return ", ".join(self._named) + more


def _check_collision(batch: Batch, item: Item, taken: dict[str, str]) -> None:
    names = [os.path.abspath(name) for name in batch.outputs(item)]
    for name in names:
        if len(os.fsencode(os.path.basename(name))) > _LONGEST_NAME:
            raise OutputError(f"{name}: the name is too long; choose another with --name")
        if name in taken:
            raise OutputError(
                f"{name}: would be written twice, for {taken[name]} and for {item.source}; tell"
                " them apart by --name or the columns `name` and `output` of a manifest"
            )
    taken.update(dict.fromkeys(names, item.source))


def _check_inputs_are_kept(batch: Batch) -> None:
    """Refuses to overwrite an input of any item."""
    outputs = {}
    for item in batch.items:
        for name in filter(os.path.exists, batch.outputs(item)):
            status = os.stat(name)
            outputs[status.st_dev, status.st_ino] = name
    for item in batch.items:
        for file in input_files(item):
            status = os.stat(file.file)
            output = outputs.get((status.st_dev, status.st_ino))
            if output is not None:
                raise OutputError(
                    f"{output}: is an input ({item.source}); choose another -o or --name"
                )
