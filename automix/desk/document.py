"""The plan of a desk: what was edited, in steps that can be undone, and how it is saved."""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from automix.desk.edits import Part, SettingEdit, apply_edits, parts_of
from automix.desk.labels import label_edits
from automix.errors import OutputError, UsageError
from automix.files.names import printable
from automix.inputs import read_outputs
from automix.plan import toml
from automix.plan.model import MixPlan, read_plan

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
    return {name: part for name, part in parts_of(after).items() if known.get(name) != part}


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
    """

    plan: MixPlan
    revision: int
    is_saved: bool
    undo: str | None
    redo: str | None
    snapshots: Mapping[str, MixPlan]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """Something that can be undone."""

    label: str
    gesture: str
    before: MixPlan
    after: MixPlan
    edits: tuple[SettingEdit, ...] = ()


class Document:
    """The plan of a desk. Any thread may use it at any time.

    Attributes:
        path: The plan's file, as it was named.
    """

    def __init__(self, path: Path, plan: MixPlan) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._plan = self._saved = plan
        self._revision = 0
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []
        self._snapshots = {AS_OPENED: plan}

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Document":
        """Opens the plan in a file; its tracks name their files as the plan does.

        Raises:
            PlanError: The file cannot be read or holds no plan; names the line.
        """
        path = Path(path)
        with read_outputs():
            return cls(path, read_plan(path))

    @property
    def plan(self) -> MixPlan:
        """The plan as it is now."""
        return self._plan

    @property
    def state(self) -> DocumentState:
        """All that belongs together at this moment."""
        with self._lock:
            return DocumentState(
                plan=self._plan,
                revision=self._revision,
                is_saved=self._plan == self._saved,
                undo=self._undo[-1].label if self._undo else None,
                redo=self._redo[-1].label if self._redo else None,
                snapshots=dict(self._snapshots),
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
                return self._unchanged()
            last = self._undo[-1] if self._undo else None
            if last and gesture and last.gesture == gesture and not self._redo:
                edits = _latest((*last.edits, *edits))
                before = last.before
                self._undo.pop()
            label = label or label_edits(before, after, edits)
            step = _Step(label=label, gesture=gesture, before=before, after=after, edits=edits)
            return self._take_step(step)

    def replace_plan(self, plan: MixPlan, label: str) -> PlanChange:
        """Takes another plan in place of this one; it can be undone.

        Args:
            plan: The other plan.
            label: What was done, in a few words.
        """
        with self._lock:
            if plan == self._plan:
                return self._unchanged()
            return self._take_step(_Step(label=label, gesture="", before=self._plan, after=plan))

    def undo(self) -> PlanChange:
        """Takes the last step back.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            if not self._undo:
                raise UsageError("there is nothing to undo")
            step = self._undo.pop()
            self._redo.append(step)
            return self._change_to(step.before, step.label)

    def redo(self) -> PlanChange:
        """Takes the step again that was taken back last.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            if not self._redo:
                raise UsageError("there is nothing to redo")
            step = self._redo.pop()
            self._undo.append(step)
            return self._change_to(step.after, step.label)

    def take_snapshot(self, name: str) -> None:
        """Keeps the plan as it is now under a name; an earlier one of that name is dropped.

        Raises:
            UsageError: The name is empty, or that of the plan as it was opened.
        """
        with self._lock:
            if not name.strip() or name == AS_OPENED:
                raise UsageError(f"a snapshot cannot be named {printable(name)!r}; choose another")
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
            del self._snapshots[name]

    def save(
        self,
        *,
        force: Literal["merge", "overwrite"] | None = None,
        choices: Mapping[str, Literal["mine", "theirs"]] | None = None,
    ) -> PlanChange:
        """Writes the plan to its file, which is there whole or as it was.

        Args:
            force: What to do if the file is not what was read or saved last.
            choices: Where both changed a setting, which of the two to take; mine by default.

        Raises:
            ChangedUnderneath: The file is not what was read or saved last, and nothing is said
                about that.
            OutputError: The file cannot be written.
        """
        with self._lock:
            toml.write_text(self.path, toml.dumps(self._plan), overwrite=True)
            self._saved = self._plan
            return self._unchanged()

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


def _latest(edits: Sequence[SettingEdit]) -> tuple[SettingEdit, ...]:
    """The edits without those that a later one of the same setting makes void."""
    latest = {edit.address: edit for edit in reversed(edits)}
    return tuple(reversed(latest.values()))


class ChangedUnderneath(OutputError):
    """The plan's file is not what was read or saved last."""
