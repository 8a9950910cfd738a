"""Which items are due, and what is checked of all of them before any work."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal

from automix.batch.item import Item
from automix.batch.journal import NAME, JournalEntry
from automix.errors import AutomixError, InputError, OutputError
from automix.files.formats import choose_format
from automix.mixing.options import method_options

_NAMED = 5
_LONGEST_NAME_BYTES = 255  # on all common file systems


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """What is asked of a batch.

    Attributes:
        folder: Where the outputs and the journal go.
        only: ``"unfinished"`` items, those that ``"failed"`` before, or ``"all"``.
        force: Whether to replace files that are in the way.
        skip_existing: Whether to keep outputs made from the same inputs and settings.
        write_plan: Whether a plan goes beside each mix.
    """

    folder: str
    only: Literal["all", "unfinished", "failed"] = "all"
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

    def is_due(self, item: Item, entry: JournalEntry | None) -> bool:
        """Whether the item is to be worked on.

        Raises:
            InputError: That depends on an input that is not there.
        """
        if self.only == "failed":
            return entry is not None and entry.status in ("failed", "died")
        may_be_done = self.only == "unfinished" or self.skip_existing
        return not (
            may_be_done
            and entry is not None
            and entry.status == "done"
            and entry.fingerprint == item.fingerprint()
            and os.path.isfile(self.output(item))
        )

    def output_was(
        self, item: Item, entry: JournalEntry | None
    ) -> Literal["free", "ours", "foreign"]:
        """What is under the names that the item writes to."""
        if not any(map(os.path.lexists, self.outputs(item))):
            return "free"
        return "ours" if entry is not None and entry.is_ours else "foreign"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The items that are due.

    Attributes:
        items: To be worked on.
        total: Items in the batch.
        done: Those that are left out because they are done.
    """

    items: list[Item] = field(default_factory=list)
    total: int = 0
    done: int = 0


def select(
    items: Iterable[Item],
    request: BatchRequest,
    entries: Mapping[str, JournalEntry],
) -> Selection:
    """Checks all that can be checked without opening audio, and leaves out what is not due.

    Args:
        items: Of the batch.
        request: What is asked of the batch.
        entries: The last word of the journal on each item.

    Raises:
        InputError: Inputs are not there.
        OutputError: Outputs collide, are in the way, are inputs, or have names that cannot be.
        UsageError: Options are wrong.
    """
    total = done = 0
    due: list[Item] = []
    missing: list[str] = []
    in_the_way: list[str] = []
    taken = {os.path.normpath(os.path.join(request.folder, NAME)): "the journal"}
    checked: set[int] = set()
    for item in items:
        total += 1
        _check_names(request, item, taken)
        entry = entries.get(item.output)
        try:
            if not request.is_due(item, entry):
                done += entry is not None and entry.status == "done"
                continue
            item.files()
        except InputError as error:
            missing.append(str(error) if item.source in str(error) else f"{error} ({item.source})")
            continue
        due.append(item)
        if id(item.asked) not in checked:  # songs that are asked the same share the object
            _check_options(item)
            checked.add(id(item.asked))
        if request.force or request.skip_existing:
            continue
        was = request.output_was(item, entry)
        if was == "foreign" or (was == "ours" and request.only == "all"):
            in_the_way.append(request.output(item))
    if missing:
        raise InputError(f"{_first_of(missing)}; nothing was begun")
    if in_the_way:
        raise OutputError(
            f"{_first_of(in_the_way)}: there already, the mix or its plan; go on with --resume,"
            " keep what is made from the same inputs and settings with --skip-existing, or"
            " overwrite with --force"
        )
    _check_inputs_are_kept(request, due)
    return Selection(items=due, total=total, done=done)


def _check_options(item: Item) -> None:
    try:
        choose_format(Path(item.output), item.bits or "24")
        method_options(item.asked)
    except AutomixError as error:
        raise type(error)(f"{item.source}: {error}") from error


def _first_of(messages: list[str]) -> str:
    more = f" and {len(messages) - _NAMED} more" if len(messages) > _NAMED else ""
    return ", ".join(messages[:_NAMED]) + more


def _check_names(request: BatchRequest, item: Item, taken: dict[str, str]) -> None:
    for name in request.outputs(item):
        name = os.path.normpath(name)
        if max(map(len, os.fsencode(name).split(b"/"))) > _LONGEST_NAME_BYTES:
            raise OutputError(f"{name}: the name is too long; choose another with --name")
        if name in taken:
            raise OutputError(
                f"{name}: would be written twice, for {taken[name]} and for {item.source}; tell"
                " them apart by --name, or by the columns `name` and `output` of a manifest"
            )
        taken[name] = item.source


def _check_inputs_are_kept(request: BatchRequest, due: Iterable[Item]) -> None:
    """Refuses to overwrite an input of any item; each by itself guards only its own."""
    existing = {}
    for name in chain.from_iterable(map(request.outputs, due)):
        if os.path.exists(name):
            status = os.stat(name)
            existing[status.st_dev, status.st_ino] = name
    if not existing:
        return
    for item in due:
        for path, status in item.files():
            output = existing.get((status.st_dev, status.st_ino))
            if output is not None:
                raise OutputError(f"{output}: is the input {path}; choose another -o or --name")
