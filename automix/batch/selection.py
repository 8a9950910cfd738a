"""Which items are due, and what is checked of all of them before any work."""

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from automix.batch.item import Item
from automix.batch.journal import NAME, JournalEntry
from automix.errors import AutomixError, InputError, OutputError, PlanError
from automix.files.formats import choose_format
from automix.inputs import find_input, read_outputs
from automix.mixing.options import method_options
from automix.plan.model import read_plan

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

    def outputs(self, item: Item) -> dict[str, str]:
        """Files that an item writes: the ``mix``, its ``plan`` beside it, and its ``report``."""
        output = self.output(item)
        files = {"mix": output}
        if self.write_plan:
            files["plan"] = f"{os.path.splitext(output)[0]}.toml"
        if item.report:
            files["report"] = os.path.join(self.folder, item.report)
        return files

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
            and self._are_whole(item, entry)
        )

    def _are_whole(self, item: Item, entry: JournalEntry) -> bool:
        """Whether the files hold what was written to them.

        A plan may have been edited since, and the mix rendered from it: that is somebody's work.
        """
        outputs = self.outputs(item)
        if not outputs.keys() <= entry.files.keys():
            return False
        changed = {name for name, path in outputs.items() if not entry.files[name].is_that_of(path)}
        if "plan" in changed and _is_plan(outputs["plan"]):
            changed.remove("plan")
            changed -= {"mix"} if _is_audio(outputs["mix"]) else set()
        return not changed

    def _has_edited_plan(self, item: Item, entry: JournalEntry) -> bool:
        plan, written = self.outputs(item).get("plan"), entry.files.get("plan")
        if plan is None or written is None:
            return False
        return not written.is_that_of(plan) and _is_plan(plan)

    def output_was(
        self, item: Item, entry: JournalEntry | None
    ) -> Literal["free", "ours", "foreign"]:
        """What is under the names that the item writes to; a plan that was edited is not ours."""
        if not any(map(os.path.lexists, self.outputs(item).values())):
            return "free"
        if entry is None or not entry.is_ours or self._has_edited_plan(item, entry):
            return "foreign"
        return "ours"


def _is_audio(path: str) -> bool:
    from automix.files.info import ReadOptions
    from automix.files.probe import probe  # only now: it loads NumPy

    try:
        with read_outputs():
            probe(Path(path), ReadOptions(strict=True))
    except InputError:
        return False
    return True


def _is_plan(path: str) -> bool:
    try:
        with read_outputs():
            read_plan(Path(path))
    except PlanError:
        return False
    return True


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
    every: list[Item] = []
    due: list[Item] = []
    missing: list[str] = []
    in_the_way: list[str] = []
    taken = {os.path.normpath(os.path.join(request.folder, NAME)): "the journal"}
    checked: set[int] = set()
    for item in items:
        total += 1
        every.append(item)
        _check_names(request, item, taken)
        entry = entries.get(item.output)
        try:
            if not request.is_due(item, entry):
                done += entry is not None and entry.status == "done"
                continue
            item.files()
        except InputError as error:
            if not _is_unreadable(error):  # else it fails by itself, and the others go on
                told = str(error)
                missing.append(told if item.source in told else f"{told} ({item.source})")
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
    _check_inputs_are_kept(request, due, every)
    return Selection(items=due, total=total, done=done)


def _is_unreadable(error: InputError) -> bool:
    """Whether an input is there, but may not be read or its disk fails."""
    cause = error.__cause__
    absent = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
    return isinstance(cause, OSError) and cause.errno not in (None, *absent)


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
    for name in request.outputs(item).values():
        name = os.path.normpath(name)
        if max(map(len, os.fsencode(name).split(b"/"))) > _LONGEST_NAME_BYTES:
            raise OutputError(f"{name}: the name is too long; choose another with --name")
        if name in taken:
            raise OutputError(
                f"{name}: would be written twice, for {taken[name]} and for {item.source}; tell"
                " them apart by --name, or by the columns `name` and `output` of a manifest"
            )
        taken[name] = item.source


def _check_inputs_are_kept(
    request: BatchRequest, due: Sequence[Item], every: Sequence[Item]
) -> None:
    """Refuses to overwrite an input of any item, or a manifest; each guards only its own.

    Raises:
        OutputError: An output that is due, or the journal, is an input.
    """
    existing = {}
    names = (name for item in due for name in request.outputs(item).values())
    for name in (os.path.join(request.folder, NAME), *names):
        if os.path.exists(name):
            status = os.stat(name)
            existing[status.st_dev, status.st_ino] = name
            kept = find_input(name)
            if kept is not None:
                raise OutputError(f"{name}: is the input {kept}; choose another -o or --name")
    for item in every if due else ():
        for path, status in _find_readable(item):
            output = existing.get((status.st_dev, status.st_ino))
            if output is not None:
                raise OutputError(f"{output}: is the input {path}; choose another -o or --name")


def _find_readable(item: Item) -> list[tuple[str, os.stat_result]]:
    try:
        return item.files()
    except InputError:  # the item fails, or is done and has lost its inputs
        return []
