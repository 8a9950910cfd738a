"""The finished mix, with its limiter and its loudness, to listen to; and how loud plans are.

The mix is rendered in the background from the kept renders of its tracks, by the code that
``automix render`` runs, into a render that the page plays. The file of a mix is never made from it:
that is up to `automix.mixing.song.run_song`.
"""

import hashlib
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from automix.analysis.program import ProgramMeter, measure
from automix.analysis.readings import Loudness
from automix.audio.blocks import join_and_empty
from automix.audio.samples import Audio, AudioSource, Samples
from automix.consoles.exact import apply_master
from automix.desk.render_files import BrokenRender
from automix.desk.renders import KeptConsole, Renders, mix_frames
from automix.errors import AutomixError
from automix.mixing.loudness_target import find_target, finish_again
from automix.plan.model import MixPlan
from automix.plan.settings import LimiterSettings
from automix.plan.toml import dumps
from automix.plan.writer import PlanWriter

_RENDERED, _SUMMED = 0.5, 0.85
"""Shares of the work after which the tracks are rendered, and after which they are summed."""


@dataclass(frozen=True, kw_only=True)
class FinishedMix:
    """A finished mix that can be played.

    Attributes:
        plan: The plan that it sounds like; its master was finished again where that is done by
            rule, else it is the plan that was given.
        key: The name of its render, which is stereo.
        length: Its frames.
        loudness: Its loudness and peaks.
        warnings: What the user should know.
    """

    plan: MixPlan
    key: str
    length: int
    loudness: Loudness
    warnings: tuple[str, ...] = ()


class _Stopped(Exception):
    """The work is not wanted any more."""


class FullMix:
    """Renders finished mixes in a thread of its own, one at a time.

    Args:
        renders: The renders of the tracks, which are rendered first.
        progressed: Called with the share that is done, 0 … 1, a few times a second.
        finished: Called with the mix when it is done.
        failed: Called with a sentence when it cannot be made.
    """

    def __init__(
        self,
        renders: Renders,
        *,
        progressed: Callable[[float], None] = lambda share: None,
        finished: Callable[[FinishedMix], None] = lambda mix: None,
        failed: Callable[[str], None] = lambda message: None,
    ) -> None:
        self._renders = renders
        self._progressed, self._finished, self._failed = progressed, finished, failed
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, plan: MixPlan) -> None:
        """Begins the mix of a plan; one that is being made is given up."""
        self.cancel()
        self._stop = stop = threading.Event()
        self._thread = threading.Thread(
            target=self._work, args=(plan, stop), name="full mix", daemon=True
        )
        self._thread.start()

    def cancel(self) -> None:
        """Gives up what is being made; returns when it has ended."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _work(self, plan: MixPlan, stop: threading.Event) -> None:
        try:
            mix = make_full_mix(self._renders, plan, stop=stop, progressed=self._progressed)
        except AutomixError as error:
            self._failed(str(error))
        except MemoryError:
            self._failed("not enough memory to render the mix: close other programs")
        except Exception as error:  # a thread must not end in silence
            self._failed(f"the mix cannot be rendered: {error!r}")
        else:
            if mix is not None and not stop.is_set():
                self._finished(mix)


def make_full_mix(
    renders: Renders,
    plan: MixPlan,
    *,
    stop: threading.Event | None = None,
    progressed: Callable[[float], None] = lambda share: None,
) -> FinishedMix | None:
    """Renders a finished mix; see `FullMix`.

    Returns:
        None if it was stopped.

    Raises:
        AutomixError: A track cannot be rendered, or the disk is full.
    """
    stop = stop or threading.Event()
    name = f"full mix {id(stop)}"
    renders.keep(name, plan)
    try:
        return _make(renders, plan, _Progress(stop, progressed))
    except (_Stopped, BrokenRender):  # its file is closed with the renders
        return None
    finally:
        renders.release(name)


class _Progress:
    """Passes on how far the work is, and ends it when it is stopped."""

    def __init__(self, stop: threading.Event, progressed: Callable[[float], None]) -> None:
        self._stop, self._progressed = stop, progressed
        self._told = -1.0

    def look(self, share: float, low: float, high: float) -> None:
        """Takes the share of a part of the work that goes from one share of all to another."""
        if self._stop.is_set():
            raise _Stopped
        whole = low + (high - low) * share
        if whole - self._told >= 0.01:
            self._told = whole
            self._progressed(round(whole, 3))


def _make(renders: Renders, plan: MixPlan, progress: _Progress) -> FinishedMix:
    renders.wait(plan, lambda share: progress.look(share, 0.0, _RENDERED))
    console = renders.console(plan, lambda share: progress.look(share, _RENDERED, _SUMMED))
    summed, measured = _sum_tracks(console, plan)
    progress.look(1.0, _RENDERED, _SUMMED)
    writer = PlanWriter(plan)
    target = find_target(plan)
    if target is not None:
        stoppable = _Watched(summed, lambda: progress.look(1.0, _RENDERED, _SUMMED))
        finish_again(writer, stoppable, measured, target)
    finished = writer.plan
    key = _name_mix(renders, finished)
    kept = renders.open_added(key)
    loudness = None if kept is None else _read_loudness(kept.note)
    if kept is None or loudness is None:
        file = renders.add(key, summed.frames)
        try:
            meter = ProgramMeter(renders.sample_rate, 2)
            for block in apply_master(summed, finished.master).blocks():
                meter.add(block)
                renders.append(file, block)
                progress.look(file.ready / file.frames, _SUMMED, 1.0)
            loudness = meter.result()
            renders.finish(file, {"loudness": _plain_loudness(loudness)})
        except BaseException:
            renders.drop(file)
            raise
    return FinishedMix(
        plan=finished,
        key=key,
        length=summed.frames,
        loudness=loudness,
        warnings=(*writer.warnings, *console.warnings),
    )


def _sum_tracks(console: KeptConsole, plan: MixPlan) -> tuple[AudioSource, Loudness]:
    """The mix before its master, in memory where it fits, and its loudness.

    `automix.mixing.premaster.premaster` finds the loudness of each track besides, which takes as
    long again.
    """
    source = console.premaster(plan)
    meter = ProgramMeter(source.sample_rate, source.channels)
    blocks = []
    for block in source.blocks():
        meter.add(block)
        if console.in_memory:
            blocks.append(block)
    if not console.in_memory:
        return source, meter.result()
    return Audio(join_and_empty(blocks, source.channels), source.sample_rate), meter.result()


@dataclass(frozen=True, eq=False)
class _Watched:
    """A source of which each pass can be ended."""

    source: AudioSource
    look: Callable[[], None]

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        return self.source.sample_rate

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.source.channels

    @property
    def frames(self) -> int:
        """Length in frames."""
        return self.source.frames

    def blocks(self) -> Iterator[Samples]:
        """See `AudioSource.blocks`."""
        for block in self.source.blocks():
            self.look()
            yield block


def _name_mix(renders: Renders, plan: MixPlan) -> str:
    """The key of the mix of a plan: it depends on its tracks' renders and all that follows."""
    sounding = replace(plan, decisions=(), plan_sha256="", request="", mix_sha256="")
    keys = [render.key for render in renders.describe(plan).values()]
    told = repr((keys, mix_frames(renders.session, plan), dumps(sounding)))
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _plain_loudness(loudness: Loudness) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in vars(loudness).items()}


def _read_loudness(note: dict[str, Any]) -> Loudness | None:
    found = note.get("loudness")
    if not isinstance(found, dict):
        return None
    values = {name: -math.inf if value is None else value for name, value in found.items()}
    try:
        return Loudness(**values)
    except TypeError:
        return None


def measure_plan(
    renders: Renders, plan: MixPlan, stop: threading.Event | None = None
) -> float | None:
    """Measures the integrated loudness of a plan as the page plays it: without the limiter.

    So two plans can be compared at equal loudness, whatever their masters were finished for.

    Args:
        renders: The renders of its tracks; missing ones are rendered first.
        plan: The plan.
        stop: Ends the work.

    Returns:
        Loudness in LUFS; none if it was stopped, or is silent.

    Raises:
        AutomixError: A track cannot be rendered.
    """
    stop = stop or threading.Event()
    progress = _Progress(stop, lambda share: None)
    name = f"loudness {id(progress)}"
    renders.keep(name, plan)
    try:
        renders.wait(plan, lambda share: progress.look(share, 0.0, 0.5))

        def look(share: float) -> None:
            renders.give_way()
            progress.look(share, 0.5, 1.0)

        console = renders.console(plan, look)
        master = replace(plan.master, limiter=LimiterSettings())
        found = measure(apply_master(console.premaster(plan), master)).integrated_lufs
    except (_Stopped, BrokenRender):  # its file is closed with the renders
        return None
    finally:
        renders.release(name)
    return found if math.isfinite(found) else None
