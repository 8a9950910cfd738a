"""The plan of a desk: what was edited, in steps that can be undone, and how it is saved."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from automix.desk.edits import (
    Part,
    SettingEdit,
    apply_edits,
    parts_of,
    read_edits,
    read_parts,
    replace_parts,
)
from automix.desk.journal import MOST_JOURNAL_BYTES, EditJournal, Record
from automix.desk.labels import label_edits
from automix.desk.merging import Choices, Conflict, merge_plans
from automix.desk.plan_file import PlanFile, read_plan_file, write_plan_file
from automix.errors import AutomixError, OutputError, PlanError, UsageError
from automix.files.names import printable
from automix.plan.model import MixPlan
from automix.plan.plain import to_plain
from automix.plan.toml import dumps

AS_OPENED = "as opened"
"""The snapshot that is there from the start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanChange:
    """What became of the plan.

    Attributes:
        revision: Number of the plan after the change; it only ever grows.
        label: What was done, in a few words; empty if nothing changed.
        before: The plan before it.
        after: The plan after it.
    """

    revision: int
    label: str
    before: MixPlan
    after: MixPlan

    @property
    def owners(self) -> dict[str, Part]:
        """The strips, buses and the master that are others than before, by name."""
        return changed_parts(self.before, self.after)

    @property
    def is_structural(self) -> bool:
        """Whether tracks or buses came, went or changed places."""
        return not has_same_parts(self.before, self.after)

    @property
    def changes_decisions(self) -> bool:
        """Whether what is known about why settings have their values is other than before."""
        return self.before.decisions != self.after.decisions


def changed_parts(before: MixPlan, after: MixPlan) -> dict[str, Part]:
    """The strips, buses and the master of the plan ``after`` that ``before`` does not have so."""
    known = parts_of(before)
    return {
        name: part
        for name, part in parts_of(after).items()
        if part is not known.get(name) and part != known.get(name)
    }


def has_same_parts(before: MixPlan, after: MixPlan) -> bool:
    """Whether two plans have tracks and buses of the same names in the same order."""
    return [strip.name for strip in before.tracks] == [strip.name for strip in after.tracks] and [
        bus.name for bus in before.buses
    ] == [bus.name for bus in after.buses]


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentState:
    """A document at one moment.

    Attributes:
        plan: The plan.
        revision: Its number.
        is_saved: Whether the plan's file holds it.
        undo: What would be undone, in a few words; none if there is nothing.
        redo: What would be done again, likewise.
        snapshots: Plans by the names that were given them, the oldest first.
        recovery: What an earlier desk did not save, while nothing is decided about it.
        warnings: Sentences about what went wrong without stopping anything.
    """

    plan: MixPlan
    revision: int
    is_saved: bool
    undo: str | None
    redo: str | None
    snapshots: Mapping[str, MixPlan]
    recovery: "Recovery | None"
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery:
    """Edits that an earlier desk did not save.

    Attributes:
        edits: How many steps they were.
        time: When the last one was made.
        fits: Whether the plan's file is the one that they were made on; else they are merged.
    """

    edits: int
    time: datetime
    fits: bool


class ChangedUnderneath(OutputError):
    """The plan's file is not what was read or saved last.

    Attributes:
        conflicts: What both the file and this desk changed; none of them if they can be merged as
            they are, or if the file holds no plan any more.
        is_plan: Whether the file holds a plan, which can be merged or taken.
    """

    def __init__(
        self, message: str, conflicts: tuple[Conflict, ...] = (), *, is_plan: bool = True
    ) -> None:
        super().__init__(message)
        self.conflicts = conflicts
        self.is_plan = is_plan


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """Something that can be undone.

    Attributes:
        era: Which journal it is in, see `Document._begin_journal`.
    """

    label: str
    gesture: str = ""
    before: MixPlan
    after: MixPlan
    edits: tuple[SettingEdit, ...] = ()
    era: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Left:
    """What an earlier desk left.

    Attributes:
        recovery: What is told of it.
        base: The plan that it began with.
        plan: What became of that.
        history: The document that did all that again; none if there were several desks.
        snapshots: The plans that it kept under names.
        good: How many of the records of its journal could be read.
    """

    recovery: Recovery
    base: MixPlan
    plan: MixPlan
    history: "Document | None"
    snapshots: Mapping[str, MixPlan] = field(default_factory=dict)
    good: int = 0


class Document:
    """The plan of a desk. Any thread may use it at any time.

    When a method that changes the plan returns, the change is in the journal beside the plan: a
    desk that is killed loses nothing.

    Attributes:
        path: The plan's file, as it was named.
        check: Called with a plan that is to take the place of this one, such as that of the file;
            what it raises refuses it, and nothing is changed.
    """

    def __init__(self, plan: MixPlan, path: Path = Path("mix.toml")) -> None:
        """Makes a document that has no file; see `open`."""
        self.path = path
        self.check: Callable[[MixPlan], None] = lambda plan: None
        self._lock = threading.RLock()
        self._plan = self._saved = plan
        self._file: PlanFile | None = None
        self._journal: EditJournal | None = None
        self._left: _Left | None = None
        self._warnings: list[str] = []
        self._is_history = False
        self._revision = self._era = self._saved_steps = 0
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []
        self._snapshots = {AS_OPENED: plan}

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Document":
        """Opens the plan in a file; its tracks name their files as the plan does.

        Raises:
            PlanError: The file cannot be read or holds no plan; names the line.
            OutputError: Another desk has it open.
        """
        path = Path(path)
        file = read_plan_file(path)
        journal = EditJournal(file.real_path)
        try:
            if not file.state.is_that_of(path):  # another desk saved it just before it was quit
                file = read_plan_file(path)
            document = cls(file.plan, path)
            document._file = file
            document._journal = journal
            document._find_left(journal)
        except BaseException:
            journal.close(remove=False)
            raise
        if document._left is None:
            document._begin_journal()
        return document

    @property
    def plan(self) -> MixPlan:
        """The plan as it is now."""
        return self._plan

    @property
    def saved(self) -> MixPlan:
        """The plan that the file holds, as far as this desk knows."""
        return self._saved

    @property
    def is_saved(self) -> bool:
        """Whether the plan's file holds the plan, as far as this desk knows."""
        with self._lock:
            return self._plan == self._saved

    @property
    def unsaved_edits(self) -> int:
        """How many edits the plan's file does not hold, those of an earlier desk too."""
        with self._lock:
            earlier = self._left.recovery.edits if self._left else 0
            if self._plan == self._saved:
                return earlier
            return earlier + max(1, abs(len(self._undo) - self._saved_steps))

    def keep_edits(self) -> bool:
        """Tells whether all that is not saved is in the journal; tries once more if it is not."""
        with self._lock:
            return self._journal is not None and self._journal.complete()

    @property
    def state(self) -> DocumentState:
        """All that belongs together at this moment."""
        with self._lock:
            journal = self._journal
            return DocumentState(
                plan=self._plan,
                revision=self._revision,
                is_saved=self._plan == self._saved,
                undo=self._undo[-1].label if self._undo else None,
                redo=self._redo[-1].label if self._redo else None,
                snapshots=dict(self._snapshots),
                recovery=self._left.recovery if self._left else None,
                warnings=(*self._warnings, *(journal.warnings if journal else ())),
            )

    def edit(
        self, edits: Sequence[SettingEdit], *, gesture: str = "", label: str = ""
    ) -> PlanChange:
        """Makes edits, all of them or none.

        Args:
            edits: The edits.
            gesture: Name of a movement, such as one drag of a fader: its edits are one step.
            label: What it is called where it can be undone; made from the edits if empty.

        Raises:
            PlanError: An edit is not legal; see `apply_edits`.
        """
        with self._lock:
            before, edits = self._plan, tuple(edits)
            after = apply_edits(before, edits)
            if after == before:
                if self._is_history:  # a drag that was given back, of which the end is known
                    self._redo.clear()
                return self._unchanged()
            record: Record = {
                "edits": [{"owner": e.owner, "setting": e.setting, "value": e.value} for e in edits]
            }
            record |= {"gesture": gesture} if gesture else {}
            record |= {"label": label} if label else {}
            self._record(record, _key(edits, gesture, label))
            last = self._undo[-1] if self._undo else None
            era = self._era
            if last and gesture and last.gesture == gesture and not self._redo:
                edits = _latest((*last.edits, *edits))
                before, era = last.before, last.era
                self._undo.pop()
                if after == before:  # a drag that was given back is no step
                    return self._change_to(after, last.label)
            return self._take_step(
                _Step(
                    label=label or label_edits(before, after, edits),
                    gesture=gesture,
                    before=before,
                    after=after,
                    edits=edits,
                    era=era,
                )
            )

    def replace_plan(self, plan: MixPlan, label: str) -> PlanChange:
        """Takes another plan in place of this one; it can be undone.

        Args:
            plan: The other plan.
            label: What was done, in a few words.
        """
        with self._lock:
            if plan == self._plan:
                return self._unchanged()
            self.check(plan)
            self._record({"replace": _describe_move(self._plan, plan), "label": label})
            return self._take_step(_Step(label=label, before=self._plan, after=plan, era=self._era))

    def undo(self) -> PlanChange:
        """Takes the last step back.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            if not self._undo:
                raise UsageError("there is nothing to undo")
            step = self._undo[-1]
            self.check(step.before)
            self._record_move("undo", step, step.before)
            self._redo.append(self._undo.pop())
            return self._change_to(step.before, step.label)

    def redo(self) -> PlanChange:
        """Takes the step again that was taken back last.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            if not self._redo:
                raise UsageError("there is nothing to redo")
            step = self._redo[-1]
            self.check(step.after)
            self._record_move("redo", step, step.after)
            self._undo.append(self._redo.pop())
            return self._change_to(step.after, step.label)

    def take_snapshot(self, name: str) -> None:
        """Keeps the plan as it is now under a name; an earlier one of that name is dropped.

        Raises:
            UsageError: The name is empty, or that of the plan as it was opened.
        """
        with self._lock:
            if not name.strip() or name == AS_OPENED:
                raise UsageError(f"a snapshot cannot be named {printable(name)!r}; choose another")
            self._record({"snapshot": name})
            self._snapshots.pop(name, None)
            self._snapshots[name] = self._plan

    def snapshot(self, name: str) -> MixPlan:
        """The plan that was kept under a name.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            if name not in self._snapshots:
                raise UsageError(f"there is no snapshot named {printable(name)!r}")
            return self._snapshots[name]

    def use_snapshot(self, name: str) -> PlanChange:
        """Takes the plan that was kept under a name in place of this one; it can be undone.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            return self.replace_plan(self.snapshot(name), f"snapshot {printable(name)}")

    def drop_snapshot(self, name: str) -> None:
        """Forgets a snapshot.

        Raises:
            UsageError: There is none, or it is the plan as it was opened.
        """
        with self._lock:
            self.snapshot(name)
            if name == AS_OPENED:
                raise UsageError("the plan as it was opened is always kept")
            self._record({"drop": name})
            del self._snapshots[name]

    def changed_underneath(self) -> bool:
        """Whether the plan's file is not what was read or saved last; it is read only in doubt."""
        with self._lock:
            return self._file is not None and not self._file.state.is_that_of(self.path)

    def save(
        self, *, force: Literal["merge", "overwrite"] | None = None, choices: Choices | None = None
    ) -> PlanChange:
        """Writes the plan to its file, which is there whole or as it was.

        A file that holds more than automix wrote, such as comments, is kept as
        ``NAME.before-desk`` beside it, and a warning says so.

        Args:
            force: What to do if the file is not what was read or saved last: merge with what it is
                now, which can be undone, or write over it.
            choices: Whose value to take where both changed one; mine where nothing is said.

        Returns:
            What the merge changed here.

        Raises:
            ChangedUnderneath: The file is not what was read or saved last, and nothing is said
                about that.
            PlanError: It is to be merged with, but holds no plan.
            OutputError: The file cannot be written.
            UsageError: The document has no file.
        """
        with self._lock:
            if self._file is None:
                raise UsageError("this plan was not read from a file")
            for _ in range(_ATTEMPTS):
                now, plan = self._file, self._plan
                if force != "overwrite" and not now.is_unchanged(self.path):
                    now, plan = self._merge_with_file(force, choices)
                expected = now.state.sha256 if force != "overwrite" else None
                written = write_plan_file(self.path, plan, now, expected)
                if written is not None:
                    break
            else:
                raise ChangedUnderneath(_CHANGED.format(name=printable(self.path)))
            change = self._unchanged()
            if plan != self._plan:
                label = "merge with the file"
                change = self._take_step(
                    _Step(label=label, before=self._plan, after=plan, era=self._era)
                )
            self._take_file(written)
            return change

    def save_finished(self, finished: MixPlan) -> PlanChange:
        """Writes the plan that is saved with its master finished again, as it is rendered.

        What was changed here since it was saved stays, and is not saved.

        Args:
            finished: The plan that is saved, but for its master and the decisions about that.

        Raises:
            ChangedUnderneath: The file is not what was read or saved last.
            OutputError: The file cannot be written.
            UsageError: The document has no file.
        """
        with self._lock:
            if self._file is None:
                raise UsageError("this plan was not read from a file")
            written = write_plan_file(self.path, finished, self._file, self._file.state.sha256)
            if written is None:
                raise ChangedUnderneath(_CHANGED.format(name=printable(self.path)))
            plan = merge_plans(self._saved, self._plan, finished).plan
            step = _Step(label="finish the master", before=self._plan, after=plan, era=self._era)
            change = self._take_step(step)
            self._take_file(written)
            return change

    def _take_file(self, file: PlanFile) -> None:
        """Takes note of what the file holds."""
        is_plan = file.plan == self._plan
        self._file, self._saved = file, self._plan if is_plan else file.plan
        self._saved_steps = len(self._undo) if is_plan else self._saved_steps + 1
        if file.kept is not None:
            name, kept = printable(self.path), printable(file.kept.name)
            self._warnings.append(f"{name}: held text of yours, and is kept as {kept}")
        self._begin_journal()

    def _merge_with_file(
        self, force: str | None, choices: Choices | None
    ) -> tuple[PlanFile, MixPlan]:
        """What the file holds now, and what it makes of the plan.

        Raises:
            ChangedUnderneath: Nobody said to merge.
            PlanError: The file holds no plan.
        """
        name = printable(self.path)
        try:
            now = read_plan_file(self.path)
        except PlanError as error:
            if force == "merge":
                raise
            message = f"{name}: was changed by another program, and cannot be read: {error}"
            raise ChangedUnderneath(message, is_plan=False) from error
        merge = merge_plans(self._saved, self._plan, now.plan, choices)
        if force is None:
            raise ChangedUnderneath(_CHANGED.format(name=name), merge.conflicts)
        self.check(merge.plan)
        return now, merge.plan

    def reload(self) -> PlanChange:
        """Takes what the plan's file holds in place of this plan; it can be undone.

        Raises:
            PlanError: The file cannot be read or holds no plan; names the line.
        """
        with self._lock:
            file = read_plan_file(self.path)
            change = self.replace_plan(file.plan, "reload of the file")
            self._take_file(file)
            return change

    def recover(self, accept: bool) -> PlanChange:
        """Takes over what an earlier desk did not save, or drops it for good.

        Args:
            accept: Whether to take it over. Where this desk or another program has changed the plan
                since, the two are merged.

        Raises:
            UsageError: There is nothing of that kind.
        """
        with self._lock:
            left = self._left
            if left is None:
                raise UsageError("there is nothing to recover")
            change, history, journal = self._unchanged(), left.history, self._journal
            if accept and history and left.recovery.fits and journal and journal.left is not None:
                self.check(history.plan)
                self._left = None
                journal.keep(left.good)  # it goes on from here
                self._undo, self._redo = history._undo, history._redo
                return self._change_to(history.plan, _RECOVERED)
            if accept:
                merge = merge_plans(left.base, left.plan, self._plan)
                change = self.replace_plan(merge.plan, _RECOVERED)
            self._left = None
            self._begin_journal()
            return change

    def close(self) -> None:
        """Closes the document.

        Edits that are not saved are offered to the next desk, and snapshots are there again;
        without any, no journal is left.
        """
        with self._lock:
            if self._journal is not None:
                is_needed = self._plan != self._saved or self._left or len(self._snapshots) > 1
                self._journal.close(remove=not is_needed)
                self._journal = None

    def _move_to(self, plan: MixPlan) -> None:
        """Takes another plan in place of this one; all that was done before becomes one step."""
        self._undo.clear()
        self._redo.clear()
        if plan != self._saved:
            self._undo.append(_Step(label=_RECOVERED, before=self._saved, after=plan))
        self._change_to(plan, "")

    def _unchanged(self) -> PlanChange:
        return PlanChange(revision=self._revision, label="", before=self._plan, after=self._plan)

    def _take_step(self, step: _Step) -> PlanChange:
        self._undo.append(step)
        self._redo.clear()
        return self._change_to(step.after, step.label)

    def _change_to(self, plan: MixPlan, label: str) -> PlanChange:
        before, self._plan = self._plan, plan
        self._revision += 1
        return PlanChange(revision=self._revision, label=label, before=before, after=plan)

    def _record(self, record: Record, key: object = None) -> None:
        """Writes to the journal what is about to be done."""
        if self._journal is not None:
            self._make_room()
            self._journal.append(record, key)

    def _record_move(self, name: str, step: _Step, plan: MixPlan) -> None:
        """Writes an undo or a redo to the journal: as such, if the journal knows the step."""
        if self._journal is None:
            return
        self._make_room()
        if step.era == self._era:
            self._journal.append({name: True})
            return
        self._journal.append({"move": _describe_move(self._plan, plan)})
        self._era += 1  # to who reads the journal, what was done before cannot be undone

    def _make_room(self) -> None:
        """Begins the journal anew where it is an earlier desk's, or too long to be read again."""
        journal = self._journal
        if journal and (journal.left is not None or journal.live_bytes > _LONG_JOURNAL_BYTES):
            self._begin_journal()

    def _begin_journal(self) -> None:
        """Begins the journal anew, with the plan as it was saved and as it is now.

        It does not know the steps that were taken before: an era begins.
        """
        if self._journal is None or self._file is None:
            return
        header = {"sha256": self._file.state.sha256, "plan": self._file.text}
        snapshots: list[Record] = [
            {"snapshot": name, "of": _describe_move(self._saved, plan)}
            for name, plan in self._snapshots.items()
            if name != AS_OPENED
        ]
        records: list[Record] = []
        if self._left is not None:
            recovery = self._left.recovery
            records.append(
                {
                    "earlier": dumps(self._left.plan),
                    "base": dumps(self._left.base),
                    "edits": recovery.edits,
                    "time": recovery.time.timestamp(),
                }
            )
        if self._plan != self._saved:
            records.append({"move": _describe_move(self._saved, self._plan)})
        self._journal.restart(header, [*snapshots, *records])
        if self._journal.live_bytes > _LONG_JOURNAL_BYTES:
            self._journal.restart(header, records)  # of which edits are worth more
        self._era += 1

    def _find_left(self, journal: EditJournal) -> None:
        """Finds out what an earlier desk did not save, and whether it is any different."""
        if journal.left is None or journal.left_at is None or self._file is None:
            return
        header, records = journal.left
        try:
            left = _read_left(header, records, journal.left_at, self._file)
        except PlanError as error:
            self._warnings.append(
                f"{printable(journal.path)}: edits of an earlier desk cannot be recovered: {error}"
            )
            journal.put_aside()
            return
        if left.good < len(records):
            self._warnings.append(
                f"{printable(journal.path)}: of {len(records)} records of what an earlier desk did"
                f" not save, the last {len(records) - left.good} cannot be recovered"
            )
        if merge_plans(left.base, left.plan, self._plan).plan != self._plan:
            self._left = left
        self._snapshots |= {
            name: plan
            for name, plan in left.snapshots.items()
            if name != AS_OPENED and has_same_parts(plan, self._plan)
        }


_RECOVERED = "recovered edits"
_ATTEMPTS = 3
_LONG_JOURNAL_BYTES = MOST_JOURNAL_BYTES // 2
_CHANGED = (
    "{name}: was changed by another program since it was read or saved here; merge with it, or"
    " write over it"
)


def _latest(edits: Sequence[SettingEdit]) -> tuple[SettingEdit, ...]:
    """The edits without those that a later one of the same setting makes void."""
    latest = {edit.address: edit for edit in reversed(edits)}
    return tuple(reversed(latest.values()))


def _key(edits: Sequence[SettingEdit], gesture: str, label: str) -> object:
    """What two records of edits share if the second makes the first void."""
    if not gesture or any(edit.setting == "sends" for edit in edits):
        return None  # rides of sends that went do not come again with them
    return gesture, label, *((edit.address, _measure_lists(edit.value)) for edit in edits)


def _measure_lists(value: object) -> object:
    """How long the lists in a plain value are: where that changes, decisions move or go."""
    if isinstance(value, Mapping):
        return tuple((name, _measure_lists(entry)) for name, entry in value.items())
    return len(value) if isinstance(value, list) else None


def _describe_move(before: MixPlan, after: MixPlan) -> Record:
    """How to come from one plan to another: what parts changed, or else all of it."""
    parts = changed_parts(before, after)
    if has_same_parts(before, after) and replace_parts(before, parts) == after:
        return {"parts": {name: to_plain(part) for name, part in parts.items()}}
    return {"plan": dumps(after)}


def _follow_move(plan: MixPlan, move: object) -> MixPlan:
    """The plan that `_describe_move` described.

    Raises:
        PlanError: That is no such description.
    """
    match move:
        case {"plan": str(text)}:
            return MixPlan.from_toml(text)
        case {"parts": dict(parts)}:
            return read_parts(plan, parts)
    raise PlanError("it does not say what became of the plan")


def _read_left(header: Record, records: Sequence[Record], time: datetime, file: PlanFile) -> _Left:
    """What an earlier desk did not save.

    Args:
        header: The first record of its journal.
        records: The others.
        time: When the last of them was written.
        file: The plan's file as it is now.

    Raises:
        PlanError: Not even the plan that it began with can be read.
    """
    fits = header.get("sha256") == file.state.sha256
    base = file.plan if fits else _read_text(header.get("plan"))
    history, earlier, good = Document(base), None, 0
    history._is_history = True
    for record in records:
        try:
            if "earlier" in record:
                earlier = _read_earlier(record)
            else:
                _repeat(history, record)
        except AutomixError:
            break
        good += 1
    steps = len(history._undo)
    recovery = Recovery(edits=steps, time=time, fits=fits and earlier is None)
    left = _Left(
        recovery=recovery,
        base=base,
        plan=history.plan,
        history=history,
        snapshots=history._snapshots,
        good=good,
    )
    if earlier is not None:
        merge = merge_plans(earlier.base, history.plan, earlier.plan)
        recovery = replace(recovery, edits=steps + earlier.recovery.edits)
        left = replace(left, recovery=recovery, base=earlier.base, plan=merge.plan, history=None)
    return left


def _read_earlier(record: Record) -> _Left:
    """What a desk before the earlier one had not saved, and nothing had been decided about.

    Raises:
        PlanError: The record is not whole.
    """
    match record:
        case {"edits": int(edits), "time": float(seconds)}:
            pass
        case _:
            raise PlanError("the record of earlier edits is not whole")
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise PlanError("the time of earlier edits is none") from error
    recovery = Recovery(edits=edits, time=time, fits=False)
    base, plan = _read_text(record.get("base")), _read_text(record["earlier"])
    return _Left(recovery=recovery, base=base, plan=plan, history=None)


def _read_text(text: object) -> MixPlan:
    """Reads a plan in a journal.

    Raises:
        PlanError: It is none.
    """
    if not isinstance(text, str):
        raise PlanError("the plan that they were made on is not in it")
    return MixPlan.from_toml(text)


def _repeat(document: Document, record: Record) -> None:
    """Does what a record says.

    Raises:
        AutomixError: It says nothing that can be done.
    """
    match record:
        case {"edits": edits}:
            gesture, label = str(record.get("gesture", "")), str(record.get("label", ""))
            document.edit(read_edits(edits), gesture=gesture, label=label)
        case {"replace": move, "label": str(label)}:
            document.replace_plan(_follow_move(document.plan, move), label)
        case {"move": move}:
            document._move_to(_follow_move(document.plan, move))
        case {"undo": True}:
            document.undo()
        case {"redo": True}:
            document.redo()
        case {"snapshot": str(name), "of": move}:
            document._snapshots[name] = _follow_move(document.plan, move)
        case {"snapshot": str(name)}:
            document.take_snapshot(name)
        case {"drop": str(name)}:
            document.drop_snapshot(name)
        case _:
            raise PlanError("it says nothing that can be done")
