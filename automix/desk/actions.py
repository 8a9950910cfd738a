"""What the page of a desk may ask for: reading, editing, saving and rendering the plan.

Each action is an ordinary function that may take its time; `automix.desk.server` calls them in
threads. Every change is told to all pages, in the order in which it was made.
"""

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from automix.desk.declarations import declare_parts
from automix.desk.document import ChangedUnderneath, Document, PlanChange
from automix.desk.edits import read_edits
from automix.desk.events import Events
from automix.desk.full_mix import FinishedMix, FullMix, make_full_mix, measure_plan
from automix.desk.render_files import CHUNK_FRAMES
from automix.desk.renders import Renders
from automix.desk.snapshot_loudness import SnapshotLoudness
from automix.desk.sound import describe_sound, find_response, find_unheard
from automix.dsp.equalizer import response_db
from automix.errors import AutomixError, UsageError
from automix.files.names import printable
from automix.inputs import read_outputs
from automix.mixing.inputs import inputs_of_plan
from automix.mixing.loudness_target import find_target
from automix.mixing.request import Delivery, PlanRequest
from automix.mixing.song import Guard, run_song, unguarded
from automix.plan.model import MixPlan
from automix.plan.plain import read_plain, to_plain
from automix.plan.roles import ROLE_FAMILIES
from automix.plan.settings import STRIP_IDENTITY, EqualizerSettings, Master
from automix.session.tracks import Session
from automix.version import __version__

_MOST_KEYS = 256  # in one request of sound
_CURVE_POINTS = 256
_SAME_DB = 0.01  # of the master's gain
_SET_BY_HAND = (
    "the master's gain or limiter was set by hand: the mix is rendered with it as it stands"
)

Body = dict[str, Any]
Force = Literal["merge", "overwrite"] | None


class RequestRefused(UsageError):
    """An answer to the page that says no.

    Attributes:
        status: Status of HTTP.
        more: What the page is told beside the message.
    """

    def __init__(self, message: str, *, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more


class NotRenderedYet(RequestRefused):
    """What is asked for may be there in a moment."""

    def __init__(self) -> None:
        super().__init__("that is not rendered yet; try again", status=503)


def open_tracks(request: PlanRequest, plan: MixPlan, folder: Path) -> Session:
    """Opens the tracks of a plan, those that are muted too: they may be unmuted at any time.

    Raises:
        AutomixError: A file cannot be used.
    """
    heard = replace(plan, tracks=tuple(replace(strip, mute=False) for strip in plan.tracks))
    return inputs_of_plan(request, heard, folder).open()


class Actions:
    """The desk of one plan, as its page sees it.

    Args:
        request: How the plan's files are read.
        document: The plan.
        cache: Folder of kept renders; that which all desks share if none.
        guard: Keeps an unfinished mix from staying where a signal ends the program.

    Attributes:
        events: What the pages are told.
        has_quit: Set when a page asks for the end.

    Raises:
        AutomixError: A file of the plan cannot be used.
    """

    def __init__(
        self,
        request: PlanRequest,
        document: Document,
        *,
        cache: Path | None = None,
        guard: Guard = unguarded,
    ) -> None:
        self.events = Events()
        self.has_quit = threading.Event()
        self._request, self._document = request, document
        self._cache, self._guard = cache, guard
        self._lock = threading.RLock()  # changes are followed and told in their order
        self._told_warnings: set[str] = set()
        self._failures: list[str] = []
        self._was_changed_underneath = False
        self._job: threading.Thread | None = None
        self._job_stop = threading.Event()
        self._is_closing = threading.Event()
        self._measuring = threading.Lock()
        self._measured: tuple[MixPlan, float | None] | None = None
        self._session = open_tracks(request, document.plan, document.path.parent)
        self._identity = _identify(document.plan)
        self._opened = self._session  # for a plan that is of other tracks
        document.check = self._open_other_tracks
        self._renders = self._make_renders()
        self._mix = self._make_full_mix()
        self._loudness = SnapshotLoudness(self._tell_snapshots)
        self._follow(document.plan)
        self._keep_snapshots()

    @property
    def posts(self) -> dict[str, Callable[[Body], dict[str, Any]]]:
        """The actions that change something, by the path of their address."""
        return {
            "edit": self.edit,
            "undo": self.undo,
            "redo": self.redo,
            "snapshot": self.take_snapshot,
            "snapshot/use": self.use_snapshot,
            "snapshot/drop": self.drop_snapshot,
            "save": self.save,
            "reload": self.reload,
            "recover": self.recover,
            "render": self.render,
            "master": self.make_master,
            "quit": self.quit,
            "curve": self.describe_curve,
        }

    # What is read.

    def state(self) -> dict[str, Any]:
        """All that the page needs to begin."""
        with self._lock:
            state = self._document.state
            plan, session = state.plan, self._session
            recovery = state.recovery
            return {
                "name": printable(self._document.path.stem),
                "file": printable(self._document.path),
                "version": __version__,
                "rate": session.sample_rate,
                "frames": session.frames,
                "chunk_frames": CHUNK_FRAMES,
                "plan": _describe_plan(plan),
                "provenance": {name: getattr(plan, name) for name in _PROVENANCE},
                "sound": describe_sound(plan, session, self._renders),
                "declared": _DECLARED,
                "families": {s.name: _FAMILIES.get(s.role, "other") for s in plan.tracks},
                "warnings": [
                    *session.notes,
                    *self.list_warnings(),
                    *self._failures,
                    *find_unheard(plan, session.sample_rate),
                ],
                "recovery": None
                if recovery is None
                else {"edits": recovery.edits, "time": recovery.time.isoformat()},
                "mix": {
                    "file": printable(self._mix_path),
                    "exists": os.path.lexists(self._mix_path),
                },
                **self._describe_common(),
            }

    def read_snapshot(self, name: str) -> dict[str, Any]:
        """What the page needs to hear a snapshot without using it.

        Raises:
            RequestRefused: There is none.
        """
        with self._lock:
            try:
                plan = self._document.snapshot(name)
            except UsageError as error:
                raise RequestRefused(str(error), status=404) from error
            if _identify(plan) != self._identity:
                raise RequestRefused(
                    f"{printable(name)}: is of other tracks than the plan now; use it to hear it",
                    status=409,
                )
            sound = describe_sound(plan, self._session, self._renders)
        return {"plan": _describe_plan(plan), "sound": sound}

    def sound(self, chunk: int, keys: Sequence[str]) -> bytes:
        """A chunk of each of some renders.

        Raises:
            NotRenderedYet: Some are not there so far.
            RequestRefused: There is no such render.
        """
        if not keys or len(keys) > _MOST_KEYS:
            raise RequestRefused(f"ask for 1 to {_MOST_KEYS} renders at a time")
        try:
            return self._renders.read(chunk, keys, timeout_s=0.0)
        except (KeyError, TimeoutError) as error:
            raise _refuse_render(error) from error

    def response(self, key: str) -> bytes:
        """The response of a bus: left, then right.

        Raises:
            RequestRefused: There is none of that name.
        """
        state = self._document.state
        plans = [state.plan, *state.snapshots.values()]
        try:
            found = find_response(plans, key, self._session.sample_rate)
        except KeyError as error:
            raise _refuse_render(error) from error
        return found.astype("<f4").tobytes()

    def heard(self, key: str) -> dict[str, Any]:
        """What there is to see of a track's render.

        Raises:
            NotRenderedYet: It is not whole so far.
            RequestRefused: There is no such render.
        """
        try:
            return self._renders.hear(key, timeout_s=0.0)
        except (KeyError, TimeoutError) as error:
            raise _refuse_render(error) from error

    def measure(self) -> dict[str, Any]:
        """How loud the plan is as it is now, without its limiter, and which revision that is.

        Raises:
            AutomixError: A track cannot be rendered.
        """
        with self._measuring:  # who asks meanwhile gets the same answer, or the next one
            with self._lock:
                state, renders = self._document.state, self._renders
            if self._measured is None or self._measured[0] is not state.plan:
                self._measured = state.plan, measure_plan(renders, state.plan, self._is_closing)
            return {"revision": state.revision, "lufs": self._measured[1]}

    def describe_curve(self, body: Body) -> dict[str, Any]:
        """The curve of an equalizer.

        Raises:
            PlanError: There is no such equalizer.
        """
        settings = read_plain(EqualizerSettings, {"bands": body.get("bands")}, "equalizer")
        rate = self._session.sample_rate
        frequencies_hz = np.geomspace(20.0, min(20000.0, 0.49 * rate), _CURVE_POINTS)
        curve_db = response_db(settings, frequencies_hz, rate)
        return {"frequencies_hz": frequencies_hz.tolist(), "db": curve_db.tolist()}

    # What is changed.

    def edit(self, body: Body) -> dict[str, Any]:
        """Makes edits, all of them or none.

        Raises:
            PlanError: One is not legal.
        """
        gesture, label = _read_text(body, "gesture"), _read_text(body, "label")
        edits = read_edits(body.get("edits"))
        with self._lock:
            change = self._document.edit(edits, gesture=gesture, label=label)
            return self._take(change, body)

    def undo(self, body: Body) -> dict[str, Any]:
        """Takes the last step back.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            return self._take(self._document.undo(), body)

    def redo(self, body: Body) -> dict[str, Any]:
        """Takes the step again that was taken back last.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            return self._take(self._document.redo(), body)

    def take_snapshot(self, body: Body) -> dict[str, Any]:
        """Keeps the plan as it is under a name.

        Raises:
            UsageError: The name is not possible.
        """
        with self._lock:
            self._document.take_snapshot(_read_text(body, "name"))
            return self._take_snapshots()

    def drop_snapshot(self, body: Body) -> dict[str, Any]:
        """Forgets a snapshot.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            self._document.drop_snapshot(_read_text(body, "name"))
            return self._take_snapshots()

    def use_snapshot(self, body: Body) -> dict[str, Any]:
        """Takes a snapshot in place of the plan, which can be undone.

        Raises:
            UsageError: There is none.
        """
        with self._lock:
            change = self._document.use_snapshot(_read_text(body, "name"))
            return self._take(change, body)

    def save(self, body: Body) -> dict[str, Any]:
        """Writes the plan to its file.

        Raises:
            RequestRefused: The file changed underneath.
            AutomixError: It cannot be written.
        """
        force, choices = _read_text(body, "force"), body.get("choices")
        if force not in ("", "merge", "overwrite"):
            raise UsageError("force must be merge or overwrite")
        if choices is not None:
            if not isinstance(choices, dict) or any(
                side not in ("mine", "theirs") for side in choices.values()
            ):
                raise UsageError("choices must be mine or theirs, by setting")
            force = force or "merge"
        with self._lock:
            try:
                change = self._document.save(force=cast(Force, force or None), choices=choices)
            except ChangedUnderneath as error:
                conflicts = [asdict(conflict) for conflict in error.conflicts]
                raise RequestRefused(
                    str(error), status=409, conflicts=conflicts, is_plan=error.is_plan
                ) from error
            return {**self._take(change, body), "saved": True}

    def reload(self, body: Body) -> dict[str, Any]:
        """Takes what the plan's file holds in place of the plan, which can be undone.

        Raises:
            AutomixError: The file holds no plan, or one whose files cannot be used.
        """
        with self._lock:
            return self._take(self._document.reload(), body)

    def recover(self, body: Body) -> dict[str, Any]:
        """Takes over what an earlier desk did not save, or drops it.

        Raises:
            UsageError: There is nothing.
        """
        accept = _read_flag(body, "accept")
        with self._lock:
            return self._take(self._document.recover(accept), body)

    def quit(self, body: Body) -> dict[str, Any]:
        """Ends the desk.

        Raises:
            RequestRefused: The plan was to be saved first, and its file changed underneath.
            AutomixError: It cannot be written.
        """
        if _read_flag(body, "save") and not self._document.is_saved:
            self.save({})
        self.has_quit.set()
        return {"closing": True}

    # What is rendered.

    def make_master(self, body: Body) -> dict[str, Any]:
        """Begins to render the finished mix, to listen to; one that is being made is given up.

        Raises:
            RequestRefused: The mix is being written.
        """
        with self._lock:
            self._refuse_while_rendering()
            self.events.send("master", {"state": "working", "progress": 0.0})
            self._mix.start(self._document.plan)
        return {"started": True}

    def render(self, body: Body) -> dict[str, Any]:
        """Saves the plan, with its master finished again, and writes its mix beside it.

        Raises:
            RequestRefused: The mix is there, or is being written; or the plan's file changed.
            AutomixError: The plan cannot be written.
        """
        overwrite = _read_flag(body, "overwrite")
        with self._lock:
            self._refuse_while_rendering()
            if os.path.lexists(self._mix_path) and not overwrite:
                message = f"{printable(self._mix_path)}: is there already"
                raise RequestRefused(message, status=409, exists=True)
            if not self._document.is_saved:
                self.save({})
            self._mix.cancel()
            self._job_stop = stop = threading.Event()
            self._job = threading.Thread(
                target=self._write_mix, args=(overwrite, stop), name="mix", daemon=True
            )
            self._job.start()
        return {"started": True}

    def _refuse_while_rendering(self) -> None:
        """Refuses what would have to wait for the mix.

        Raises:
            RequestRefused: The mix is being written.
        """
        if self._job is not None and self._job.is_alive():
            raise RequestRefused("the mix is being rendered already", status=409)

    def _write_mix(self, overwrite: bool, stop: threading.Event) -> None:
        """What the thread does that writes the mix."""
        started = time.monotonic()
        try:
            self._finish_master(stop)
            if stop.is_set():
                return
            request = replace(self._request, plan=self._document.path)
            with read_outputs():  # the plan, which may be written over
                outcome = run_song(
                    request, Delivery(force=overwrite), make_page=_make_no_page, guard=self._guard
                )
        except AutomixError as error:
            self.events.send("rendered", {"message": str(error)})
        except MemoryError:
            message = "not enough memory to render the mix: close other programs"
            self.events.send("rendered", {"message": message})
        except Exception as error:  # a thread must not end in silence
            self.events.send("rendered", {"message": f"the mix cannot be rendered: {error!r}"})
        else:
            loudness = outcome.loudness
            for warning in outcome.warnings:
                self._warn(warning)
            self.events.send(
                "rendered",
                {
                    "file": printable(outcome.output),
                    "lufs": _finite(loudness.integrated_lufs) if loudness else None,
                    "true_peak_dbtp": _finite(loudness.true_peak_dbtp) if loudness else None,
                    "seconds": round(time.monotonic() - started, 2),
                },
            )

    def _finish_master(self, stop: threading.Event) -> None:
        """Sets the master's gain and limiter anew where a rule set them, and saves that.

        Raises:
            AutomixError: A track cannot be rendered, or the plan not be written.
        """
        while find_target(plan := self._document.saved) is not None:
            mix = make_full_mix(
                self._renders, plan, stop=stop, progressed=self._tell_render_progress
            )
            with self._lock:
                if mix is None or _is_same_level(mix.plan.master, plan.master):
                    return
                if self._document.saved is plan:  # else it was saved anew
                    self._take(self._document.save_finished(mix.plan), {})
                    return

    # What the person at the terminal and the main thread ask for.

    def list_warnings(self) -> list[str]:
        """What may be wrong, and is not about the audio of the tracks."""
        return [*self._renders.warnings, *self._document.state.warnings]

    def watch(self) -> None:
        """Tells the pages if another program has changed the plan's file."""
        is_changed = self._document.changed_underneath()
        if is_changed and not self._was_changed_underneath:
            self.events.send("file", {"changed": True})
        self._was_changed_underneath = is_changed
        self._tell_new_warnings()

    def close(self) -> None:
        """Ends all work. A mix that is being written is written to its end."""
        self._is_closing.set()
        self._loudness.close()
        self._job_stop.set()
        self._mix.cancel()
        if self._job is not None:
            self._job.join()
        self._renders.close()
        self._document.close()

    # How changes are followed and told.

    def _take(self, change: PlanChange, body: Body) -> dict[str, Any]:
        """Follows a change, tells all pages, and returns what they are told."""
        if change.after is not change.before:
            self._follow(change.after)
        event: dict[str, Any] = {
            "tab": _read_text(body, "tab"),
            "number": body.get("number") if isinstance(body.get("number"), int) else 0,
            "owners": {name: to_plain(part) for name, part in change.owners.items()},
            "sound": describe_sound(change.after, self._session, self._renders),
            **self._describe_common(),
        }
        if change.changes_decisions:
            event["decisions"] = [to_plain(decision) for decision in change.after.decisions]
        if change.is_structural:
            event["structure"] = True
        self.events.send("plan", event)
        self._tell_new_warnings()
        return event

    def _open_other_tracks(self, plan: MixPlan) -> None:
        """Opens the tracks of a plan that is of others, before it takes the place of this one.

        Raises:
            AutomixError: They cannot be opened.
        """
        if _identify(plan) != self._identity:
            self._opened = open_tracks(self._request, plan, self._document.path.parent)

    def _follow(self, plan: MixPlan) -> None:
        if _identify(plan) != self._identity:
            old, self._session, self._identity = self._renders, self._opened, _identify(plan)
            self._mix.cancel()
            self._renders = self._make_renders()
            self._mix = self._make_full_mix()
            self._keep_snapshots()
            old.close()
        self._renders.follow(plan)

    def _make_renders(self) -> Renders:
        return Renders(self._session, self._cache, changed=self._tell_ready, failed=self._warn)

    def _make_full_mix(self) -> FullMix:
        return FullMix(
            self._renders,
            progressed=lambda share: self.events.send(
                "master", {"state": "working", "progress": share}
            ),
            finished=self._tell_master,
            failed=lambda message: self.events.send(
                "master", {"state": "failed", "message": message}
            ),
        )

    def _take_snapshots(self) -> dict[str, Any]:
        self._keep_snapshots()
        snapshots = self._list_snapshots()
        self.events.send("snapshots", snapshots)
        return {"snapshots": snapshots}

    def _keep_snapshots(self) -> None:
        """Keeps the renders of snapshots, and measures how loud they are."""
        snapshots = self._document.state.snapshots
        same = {name: p for name, p in snapshots.items() if _identify(p) == self._identity}
        self._loudness.follow(same, self._renders)

    def _list_snapshots(self) -> list[dict[str, Any]]:
        snapshots = self._document.state.snapshots
        return [
            {
                "name": name,
                "lufs": self._loudness.find(plan),
                "is_measured": self._loudness.has_measured(plan),
            }
            for name, plan in snapshots.items()
        ]

    def _describe_common(self) -> dict[str, Any]:
        state = self._document.state
        return {
            "revision": state.revision,
            "is_saved": state.is_saved,
            "is_changed_underneath": self._document.changed_underneath(),
            "undo": state.undo,
            "redo": state.redo,
            "snapshots": self._list_snapshots(),
            "hands_off": _SET_BY_HAND if find_target(state.plan) is None else None,
        }

    @property
    def _mix_path(self) -> Path:
        return self._document.path.with_suffix(".wav")

    def _tell_new_warnings(self) -> None:
        for warning in self._document.state.warnings:
            if warning not in self._told_warnings:
                self._told_warnings.add(warning)
                self.events.send("warning", {"message": warning})

    def _warn(self, message: str) -> None:
        if message not in self._failures:
            self._failures.append(message)
        self.events.send("warning", {"message": message})

    def _tell_ready(self) -> None:
        described = self._renders.describe()
        self.events.send(
            "ready",
            {
                "tracks": {name: render.ready for name, render in described.items()},
                "keys": {name: render.key for name, render in described.items()},
            },
        )

    def _tell_snapshots(self) -> None:
        self.events.send("snapshots", self._list_snapshots())

    def _tell_render_progress(self, share: float) -> None:
        self.events.send("rendering", {"progress": share})

    def _tell_master(self, mix: FinishedMix) -> None:
        for warning in mix.warnings:
            self.events.send("warning", {"message": warning})
        self.events.send(
            "master",
            {
                "state": "ready",
                "progress": 1.0,
                "key": mix.key,
                "channels": 2,
                "length": mix.length,
                "loudness": {
                    "lufs": _finite(mix.loudness.integrated_lufs),
                    "range_lu": _finite(mix.loudness.loudness_range_lu),
                    "true_peak_dbtp": _finite(mix.loudness.true_peak_dbtp),
                },
            },
        )


_FAMILIES: dict[str, str] = {str(role): family for role, family in ROLE_FAMILIES.items()}
_PROVENANCE = ("method", "preset", "taste", "seed", "automix_version")
_DECLARED = declare_parts()


def _describe_plan(plan: MixPlan) -> dict[str, Any]:
    return {
        "pan_law": plan.pan_law,
        "tracks": [to_plain(strip) for strip in plan.tracks],
        "buses": [to_plain(bus) for bus in plan.buses],
        "master": to_plain(plan.master),
        "decisions": [to_plain(decision) for decision in plan.decisions],
    }


def _identify(plan: MixPlan) -> list[list[Any]]:
    """Which tracks a plan is about."""
    return [
        *([getattr(strip, name) for name in STRIP_IDENTITY] for strip in plan.tracks),
        [plan.sample_rate_hz],
    ]


def _is_same_level(one: Master, other: Master) -> bool:
    return one.limiter == other.limiter and abs(one.gain_db - other.gain_db) < _SAME_DB


def _make_no_page(*_: object) -> str:
    raise TypeError("no report is asked for")


def _refuse_render(error: KeyError | TimeoutError) -> RequestRefused:
    if isinstance(error, TimeoutError):
        return NotRenderedYet()
    return RequestRefused("there is no such render any more", status=404)


def _read_text(body: Body, name: str) -> str:
    """A text in a request; empty where there is none.

    Raises:
        UsageError: It is something else.
    """
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a text")
    return value


def _read_flag(body: Body, name: str) -> bool:
    """A flag in a request; false where there is none.

    Raises:
        UsageError: It is something else.
    """
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be true or false")
    return value


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
