"""Kept renders: every track after its inserts, made in the background, read chunk by chunk.

The page plays these and does all that follows an insert itself. What a render depends on is in its
key, so that a setting that was heard before is there at once, also after a restart.
"""

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from automix.audio.samples import AudioSource, Samples
from automix.consoles.exact import (
    ExactConsole,
    Flow,
    insert_stream,
    insert_tail_frames,
    inserts_of,
    tail_frames,
)
from automix.desk.hearing import ReductionMeters, hear_render
from automix.desk.render_files import (
    CACHE_BYTES,
    CHUNK_FRAMES,
    BrokenRender,
    RenderFile,
    RenderFolder,
)
from automix.dsp.processors import active_inserts, makes_stereo, processors_of
from automix.errors import AutomixError, InputError, OutputError
from automix.parallel.workers import count_workers
from automix.plan.model import MixPlan, PanLaw
from automix.plan.settings import ChannelStrip
from automix.session.tracks import Session
from automix.version import __version__

_FORM = "1"  # of keys and files: raised whenever either changes
_RECENT = 16
"""Whole renders that no plan wants any more, yet may still be asked for: the page crossfades.

There may be more, as many as are wanted: all tracks change at once when a snapshot is taken.
"""

_IN_MEMORY_BYTES = 1 << 30  # of a mix, which takes hours

_MOST_ADDED = 4
_MOST_OUTLINES = 4096
_Outline = tuple[str, int, int]
"""Key, channels and frames of the render of a strip."""

_CHANGED_S = 0.2
_RETRY_S = 5.0
_GIVE_WAY_S = 0.25  # so that what waits can be stopped
_PLAYED, _COLD, _KEPT = range(3)
"""How urgent a render is: a track that was changed, a song that was opened, a snapshot."""


@dataclass(frozen=True, kw_only=True)
class TrackRender:
    """What is known of the render of a track.

    Attributes:
        key: Its name among all renders.
        channels: How many the render has.
        is_mono: Whether the track is mono, whatever its inserts made of it.
        ready: How many frames are rendered so far.
    """

    key: str
    channels: int
    is_mono: bool
    ready: int


def place_tracks(session: Session, plan: MixPlan) -> Session:
    """The session with its tracks begun where a plan says, as long as the longest of all.

    Args:
        session: As it was opened with no track muted, see `find_session`.
        plan: A plan of the same tracks.
    """
    for strip in plan.tracks:
        if session.track(strip.name).start_s != strip.start_s:
            session = session.with_start(strip.name, strip.start_s)
    return session


def find_session(session: Session, plan: MixPlan) -> Session:
    """The session as it would be opened for a plan: tracks that are muted do not set its length.

    Args:
        session: As it was opened with no track muted.
        plan: A plan of the same tracks.
    """
    muted = {strip.name for strip in plan.tracks if strip.mute}
    placed = place_tracks(session, plan)
    return placed if len(muted) == len(plan.tracks) else placed.with_muted(muted)


@dataclass(eq=False)
class _Render:
    """A render that is wanted, or was."""

    key: str
    channels: int
    frames: int
    make_blocks: Callable[[], Iterator[Samples]] | None = None
    take_note: Callable[[], dict[str, Any]] = dict
    urgency: int = _COLD
    is_muted: bool = False
    order: int = 0
    file: RenderFile | None = None
    blocks: Iterator[Samples] | None = None
    is_busy: bool = False
    is_dropped: bool = False
    error: AutomixError | None = None
    failed_at: float = 0.0
    heard: dict[str, Any] | None = None
    hearing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ready(self) -> int:
        """Frames that may be read."""
        return 0 if self.file is None else self.file.ready

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there, under its name."""
        return self.file is not None and self.file.is_whole

    def has_chunk(self, number: int) -> bool:
        """Whether a chunk may be read; what lies beyond the end may always."""
        start, stop = number * CHUNK_FRAMES, (number + 1) * CHUNK_FRAMES
        return start >= self.frames or self.ready >= min(stop, self.frames)

    def let_go(self) -> None:
        """Closes its file; what is not whole is removed."""
        self.is_dropped = True
        self.blocks = None
        if self.file is not None:
            self.file.close()


class Renders:
    """The renders of one session, made by threads of their own.

    Args:
        session: The tracks, opened with none of them muted.
        cache_folder: Where the files are kept; see `find_cache_folder`.
        changed: Called, from any thread, when there is more to play; a few times a second.
        failed: Called, from any thread, with a sentence when a render cannot be made.
        limit_bytes: Size to which the files of all desks in the folder may grow.

    Attributes:
        warnings: What the user should know, such as that nothing is kept.
    """

    def __init__(
        self,
        session: Session,
        cache_folder: Path | None = None,
        *,
        changed: Callable[[], None] = lambda: None,
        failed: Callable[[str], None] = lambda message: None,
        limit_bytes: int = CACHE_BYTES,
    ) -> None:
        self.session = session
        self.warnings: list[str] = []
        self._changed, self._failed = changed, failed
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._folder = self._open_folder(cache_folder, limit_bytes)
        self._sources = {
            track.name: _identify_track(session, track.name) for track in session.tracks
        }
        self._code = _stamp_code()
        self._outlines: dict[int, tuple[ChannelStrip, tuple[float, ...], PanLaw, _Outline]] = {}
        self._placed: tuple[tuple[float, ...] | None, Session] = (None, session)
        self._plan: MixPlan | None = None
        self._kept: dict[str, MixPlan] = {}
        self._renders: dict[str, _Render] = {}
        self._recent: OrderedDict[str, _Render] = OrderedDict()
        self._added: dict[str, _Render] = {}
        self._condition = threading.Condition()
        self._told_at = 0.0
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"render {number}", daemon=True)
            for number in range(1, count_workers() + 1)
        ]
        for thread in self._threads:
            thread.start()

    def _open_folder(self, asked: Path | None, limit_bytes: int) -> RenderFolder:
        try:
            return RenderFolder(asked or find_cache_folder(), limit_bytes)
        except OutputError as error:
            self._temporary = tempfile.TemporaryDirectory(prefix="automix-desk-")
            self.warnings.append(f"{error}; until then renders are not kept for the next time")
            return RenderFolder(Path(self._temporary.name), limit_bytes)

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        return self.session.sample_rate

    def follow(self, plan: MixPlan) -> None:
        """Makes what a plan sounds like: what is new is rendered, what nobody wants is dropped.

        Returns at once. The first plan is rendered in lockstep over its tracks, those that are
        heard first; a track that changes later goes before all others.
        """
        with self._condition:
            is_first = self._plan is None
            self._plan = plan
            self._update(_COLD if is_first else _PLAYED)

    def keep(self, name: str, plan: MixPlan) -> None:
        """Keeps the renders of a plan, such as a snapshot, and makes those that are missing."""
        with self._condition:
            self._kept[name] = plan
            self._update(_KEPT)

    def release(self, name: str) -> None:
        """Ends what `keep` began."""
        with self._condition:
            self._kept.pop(name, None)
            self._update(_KEPT)

    def describe(self, plan: MixPlan | None = None) -> dict[str, TrackRender]:
        """The renders of a plan by track; of that which is followed, unless one is given."""
        with self._condition:
            chosen = plan or self._plan
            if chosen is None:
                return {}
            described = {}
            for strip in chosen.tracks:
                key, channels, _ = self._outline(strip, chosen)
                render = self._find(key)
                described[strip.name] = TrackRender(
                    key=key,
                    channels=channels,
                    is_mono=strip.fold or self.session.track(strip.name).source.channels == 1,
                    ready=0 if render is None else render.ready,
                )
            return described

    def read(self, chunk: int, keys: Sequence[str], timeout_s: float = 20.0) -> bytes:
        """One chunk of each of some renders, as soon as all are there.

        Args:
            chunk: Its number; each has `CHUNK_FRAMES` frames.
            keys: The renders.
            timeout_s: How long to wait for them.

        Returns:
            Little-endian float32: for each key its channels one after the other; zeros after the
            end of a render.

        Raises:
            KeyError: There is no such render, or not any more.
            TimeoutError: It is not there in time.
            AutomixError: It cannot be made; says why.
        """
        deadline = time.monotonic() + timeout_s
        for key in keys:  # all of them, before any is read: who asks may have to ask again
            self._wait_for(key, lambda found: found.has_chunk(chunk), deadline)
        return b"".join(self._read_one(chunk, key, deadline) for key in keys)

    def _read_one(self, chunk: int, key: str, deadline: float) -> bytes:
        while True:
            render = self._wait_for(key, lambda found: found.has_chunk(chunk), deadline)
            try:
                if render.file is None:
                    raise BrokenRender(key)
                return render.file.read_chunk(chunk)
            except BrokenRender:
                self._make_again(render)

    def _wait_for(self, key: str, is_there: Callable[[_Render], bool], deadline: float) -> _Render:
        """Waits for a render until it has what is asked."""
        with self._condition:
            while True:
                render = self._find(key)
                if render is None:
                    raise KeyError(key)
                if render.error is not None:
                    raise render.error
                if is_there(render):
                    return render
                left = deadline - time.monotonic()
                if left <= 0.0:
                    raise TimeoutError(f"{key} is not rendered in time")
                self._condition.wait(left)

    def _make_again(self, broken: _Render) -> None:
        """Renders anew what is broken on the disk."""
        with self._condition:
            for group in (self._renders, self._recent, self._added):
                if group.get(broken.key) is broken:
                    del group[broken.key]
            if broken.file is not None:
                broken.file.remove()
            broken.is_dropped = True
            self._update(_PLAYED, look_on_disk=False)

    def hear(self, key: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """What there is to see of a whole render; see `automix.desk.hearing.hear_render`.

        Raises:
            KeyError: There is no such render.
            TimeoutError: It is not whole in time.
            AutomixError: It cannot be made.
        """
        deadline = time.monotonic() + timeout_s
        render = self._wait_for(key, lambda found: found.is_whole, deadline)
        with render.hearing:
            if render.heard is None:
                render.heard = self._folder.read_note(key)
            while render.heard is None:
                try:
                    file = render.file
                    if file is None:
                        raise BrokenRender(key)
                    render.heard = hear_render(file, file.note.get("reductions", []))
                    self._folder.keep_note(key, render.heard)
                except BrokenRender:
                    self._make_again(render)
                    render = self._wait_for(key, lambda found: found.is_whole, deadline)
            return render.heard

    def console(
        self, plan: MixPlan, look: Callable[[float], None] = lambda share: None
    ) -> "KeptConsole":
        """A console for a plan that takes the kept renders instead of rendering inserts.

        Args:
            plan: The plan.
            look: Called with the share of the mix that is done, on each pass.
        """
        return KeptConsole(self, plan, look)

    def find_whole(self, strip: ChannelStrip, plan: MixPlan) -> RenderFile | None:
        """The render of a strip where it is whole."""
        with self._condition:
            key, _, _ = self._outline(strip, plan)
            render = self._find(key)
            return render.file if render is not None and render.is_whole else None

    def wait(self, plan: MixPlan, look: Callable[[float], None]) -> None:
        """Waits until every track of a plan that is heard is rendered; the plan must be kept.

        Args:
            plan: A plan that is followed or kept.
            look: Called with the share that is done; what it raises ends the waiting.

        Raises:
            AutomixError: A track cannot be rendered.
        """
        strips = [strip for strip in plan.tracks if not strip.mute]
        while True:
            done = total = open_ones = 0
            with self._condition:
                for strip in strips:
                    key, _, frames = self._outline(strip, plan)
                    render = self._find(key)
                    if render is None:
                        raise InputError(f"{strip.name}: is not rendered any more")
                    if render.error is not None:
                        raise render.error
                    total, done = total + frames, done + render.ready
                    open_ones += not render.is_whole
            look(done / max(total, 1))
            if not open_ones:
                return
            with self._condition:
                self._condition.wait(0.25)

    def give_way(self) -> None:
        """Waits a little while tracks are rendered that were just edited, as those are waited for.

        Whoever reckons in the background calls it again and again.
        """

        def is_idle() -> bool:
            return self._is_closed or not any(
                render.urgency == _PLAYED and not render.is_whole and render.error is None
                for render in self._renders.values()
            )

        with self._condition:
            self._condition.wait_for(is_idle, _GIVE_WAY_S)

    def add(self, key: str, frames: int) -> RenderFile:
        """Begins a stereo render that somebody else makes, such as the finished mix.

        It can be read while it grows; `finish` or `drop` ends it.

        Raises:
            OutputError: There is no room on the disk.
        """
        file = self._folder.create(key, 2, frames, self.sample_rate)
        self._remember(file)
        return file

    def append(self, file: RenderFile, block: Samples) -> None:
        """Adds a block to what `add` began."""
        file.append(block)
        with self._condition:
            self._condition.notify_all()

    def finish(self, file: RenderFile, note: dict[str, Any]) -> None:
        """Ends what `add` began; it may be read from then on, until others push it out."""
        self._folder.finish(file, note)
        self._remember(file)

    def drop(self, file: RenderFile) -> None:
        """Takes back what `add` began."""
        with self._condition:
            if (render := self._added.get(file.key)) is not None and render.file is file:
                del self._added[file.key]
        self._folder.forget(file)

    def open_added(self, key: str) -> RenderFile | None:
        """A whole render that `add` began, now or in an earlier run."""
        with self._condition:
            render = self._added.get(key)
        file = self._folder.open(key) if render is None else render.file
        if file is None or not file.is_whole:
            return None
        self._remember(file)
        return file

    def _remember(self, file: RenderFile) -> None:
        """Makes a file of somebody else the one that is read; old ones are let go."""
        with self._condition:
            found = self._added.pop(file.key, None)
            if found is not None and found.file is not file and found.is_whole:
                found.let_go()
            self._added[file.key] = _Render(
                key=file.key, channels=file.channels, frames=file.frames, file=file
            )
            whole = [render for render in self._added.values() if render.is_whole]
            for render in whole[:-_MOST_ADDED]:
                del self._added[render.key]
                render.let_go()
            self._condition.notify_all()

    def close(self) -> None:
        """Ends all work and lets go of the files; whole ones stay for the next time."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join()
        for render in [*self._renders.values(), *self._recent.values(), *self._added.values()]:
            render.let_go()
        self._renders.clear()
        self._recent.clear()
        self._added.clear()
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.cleanup()

    def _find(self, key: str) -> _Render | None:
        groups = () if self._is_closed else (self._renders, self._recent, self._added)
        return next((group[key] for group in groups if key in group), None)

    def _outline(self, strip: ChannelStrip, plan: MixPlan) -> _Outline:
        """Key, channels and length of the render of a strip."""
        starts = tuple(other.start_s for other in plan.tracks)
        told_of = self._outlines.get(id(strip))
        if told_of is not None and told_of[0] is strip and told_of[1:3] == (starts, plan.pan_law):
            return told_of[3]
        if starts != self._placed[0]:
            self._placed = (starts, place_tracks(self.session, plan))
        source = self._placed[1].track(strip.name).source
        is_mono = strip.fold or source.channels == 1
        stereo = makes_stereo(strip)
        channels = 1 if is_mono and not stereo else 2
        frames = source.frames + insert_tail_frames(strip, self.sample_rate)
        told = (
            (_FORM, __version__, self._code, np.__version__),
            self._sources[strip.name],
            (strip.start_s, source.frames, self.sample_rate, source.channels),
            _find_heard_inserts(strip),
            plan.pan_law if is_mono and stereo else "",
        )
        outline = hashlib.sha256(repr(told).encode()).hexdigest()[:32], channels, frames
        if len(self._outlines) > _MOST_OUTLINES:
            self._outlines.clear()
        self._outlines[id(strip)] = (strip, starts, plan.pan_law, outline)
        return outline

    def _update(self, urgency: int, *, look_on_disk: bool = True) -> None:
        """Begins what is wanted and is not there, and drops what is not wanted any more."""
        wanted: dict[str, _Render] = {}
        plans = [(self._plan, urgency), *((plan, _KEPT) for plan in self._kept.values())]
        for plan, urgent in plans:
            if plan is None:
                continue
            for order, strip in enumerate(plan.tracks):
                key, channels, frames = self._outline(strip, plan)
                if key in wanted:
                    continue
                render = self._find(key)
                if render is not None and render.error is not None:
                    is_old = time.monotonic() - render.failed_at > _RETRY_S
                    render = None if is_old else render
                if render is None:
                    render = self._begin(strip, plan, (key, channels, frames), look_on_disk)
                    render.urgency = urgent
                elif urgent < render.urgency == _KEPT:
                    render.urgency = urgent
                render.is_muted, render.order = strip.mute, order
                wanted[key] = render
        for key, render in self._renders.items():
            if wanted.get(key) is render:
                continue
            if render.is_whole and key not in wanted:
                self._recent[key] = render
            elif not render.is_busy:
                self._drop(render)
            else:
                render.is_dropped = True
        for key in wanted:
            self._recent.pop(key, None)
        while len(self._recent) > max(_RECENT, len(wanted)):
            self._recent.popitem(last=False)[1].let_go()
        self._renders = wanted
        self._condition.notify_all()

    def _drop(self, render: _Render) -> None:
        render.is_dropped, render.blocks = True, None
        if render.file is not None:
            self._folder.forget(render.file)
            render.file = None

    def _begin(
        self, strip: ChannelStrip, plan: MixPlan, outline: _Outline, look_on_disk: bool
    ) -> _Render:
        key, channels, frames = outline
        render = _Render(key=key, channels=channels, frames=frames)
        if look_on_disk:
            render.file = self._folder.open(key)
        if render.file is None:
            session, law = place_tracks(self.session, plan), plan.pan_law
            inserts = inserts_of(strip)
            meters = ReductionMeters(inserts, self.sample_rate, frames)
            render.take_note = lambda: {"reductions": meters.result()}

            def make_blocks() -> Iterator[Samples]:
                source = ExactConsole(session).source(strip)
                return insert_stream(source, inserts, law, meters.add).blocks()

            render.make_blocks = make_blocks
        return render

    def _work(self) -> None:
        """What each thread does: a block of the most urgent render, again and again."""
        while True:
            with self._condition:
                render = self._choose()
                while render is None and not self._is_closed:
                    self._condition.wait()
                    render = self._choose()
                if self._is_closed or render is None:
                    return
                render.is_busy = True
            error = self._step(render)
            with self._condition:
                render.is_busy = False
                is_news = error is not None and not render.is_dropped and render.error is None
                if is_news and error is not None:
                    self._fail(render, error)
                if render.is_dropped or (render.error is not None and not render.is_whole):
                    self._drop(render)
                self._condition.notify_all()
            self._tell(render, error if is_news else None)

    def _fail(self, render: _Render, error: AutomixError) -> None:
        """Ends a render that cannot be made. A disk that is full for one is full for all."""
        failed = [render]
        if isinstance(error, OutputError):
            failed += [other for other in self._renders.values() if not other.is_whole]
        for other in failed:
            if other.error is None:
                other.error, other.failed_at = error, time.monotonic()
            if not other.is_busy:
                self._drop(other)

    def _choose(self) -> _Render | None:
        """The most urgent render that nobody works on: heard before muted, then the shortest."""
        open_ones = (
            render
            for render in self._renders.values()
            if not render.is_whole and not render.is_busy and render.error is None
        )
        return min(open_ones, key=lambda r: (r.urgency, r.is_muted, r.ready, r.order), default=None)

    def _step(self, render: _Render) -> AutomixError | None:
        """Renders one block more; returns what went wrong."""
        try:
            if render.blocks is None:
                if render.make_blocks is None:
                    raise RuntimeError("a render without a source")
                with self._condition:
                    waiting = [
                        4 * other.channels * other.frames
                        for other in self._renders.values()
                        if other is not render and other.file is None and other.error is None
                    ]
                file = self._folder.create(
                    render.key,
                    render.channels,
                    render.frames,
                    self.sample_rate,
                    later_bytes=sum(waiting),
                )
                render.file, render.blocks = file, render.make_blocks()
            block = next(render.blocks, None)
            if block is not None and render.file is not None:
                render.file.append(block)
            if render.file is not None and render.file.ready >= render.frames:
                render.blocks = None
                self._folder.finish(render.file, render.take_note())
            elif block is None:
                raise InputError("the audio of a track is shorter than it was")
        except AutomixError as error:
            return error
        except BrokenRender:  # dropped while it was written
            render.is_dropped = True
        except MemoryError:
            return InputError("not enough memory to render a track: close other programs")
        except Exception as error:  # a thread must not end in silence
            return InputError(f"a track cannot be rendered: {error!r}")
        return None

    def _tell(self, render: _Render, error: AutomixError | None) -> None:
        if error is not None:
            self._failed(str(error))
        now = time.monotonic()
        if render.is_whole or error is not None or now - self._told_at > _CHANGED_S:
            self._told_at = now
            self._changed()


class KeptConsole(ExactConsole):
    """The exact console, which takes kept renders where they are whole; the bits are the same.

    Args:
        renders: The renders.
        plan: The plan; its faders, sends and buses may be others when it is rendered.
        look: Called with the share of the mix that is done; what it raises ends the rendering.
    """

    def __init__(
        self, renders: Renders, plan: MixPlan, look: Callable[[float], None] = lambda share: None
    ) -> None:
        super().__init__(find_session(renders.session, plan))
        self._renders, self._plan, self._look = renders, plan, look
        self.in_memory = 8 * self.frames(plan) < _IN_MEMORY_BYTES

    def inserted(self, strip: ChannelStrip, pan_law: PanLaw) -> AudioSource:
        """A track after its strip's inserts, before fader and pan; with the tail of its reverb."""
        source = self.source(strip)
        fresh = insert_stream(source, inserts_of(strip), pan_law)
        file = self._renders.find_whole(strip, replace(self._plan, pan_law=pan_law))
        return fresh if file is None else _KeptSource(file, fresh)

    def flow(self, plan: MixPlan) -> Iterator[Flow]:
        """Every audible channel and every return before they are summed, block by block."""
        frames, position = self.frames(plan), 0
        for flow in super().flow(plan):
            position += next(iter(flow.channels.values())).shape[1]
            self._look(position / frames)
            yield flow


@dataclass(frozen=True, eq=False)
class _KeptSource:
    """A kept render as a source; where its file breaks, what it was rendered from goes on."""

    file: RenderFile
    fresh: AudioSource

    @property
    def frames(self) -> int:
        """Its length; the file may hold more, where a longer track is muted."""
        return self.fresh.frames

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        return self.file.sample_rate

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.file.channels

    def blocks(self) -> Iterator[Samples]:
        """See `AudioSource.blocks`."""
        left, number = self.frames, 0
        try:
            for block in self.file.blocks():
                if left <= 0:
                    return
                yield block[:, :left]
                left, number = left - block.shape[1], number + 1
        except BrokenRender:
            for place, block in enumerate(self.fresh.blocks()):
                if place >= number:
                    yield block


def find_cache_folder() -> Path:
    """The folder that desks share unless another is named."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return home / "automix" / "desk"


def _find_heard_inserts(strip: ChannelStrip) -> ChannelStrip:
    """The inserts of a strip without its name, and without settings of what is off."""
    active = {row.name for row in active_inserts(strip)}
    off = [row for row in processors_of(ChannelStrip) if row.name not in active]
    neutral: dict[str, Any] = {row.name: row.settings() for row in off}
    rides = tuple(
        ride for ride in inserts_of(strip).rides if ride.setting.partition(".")[0] in active
    )
    return replace(inserts_of(strip), rides=rides, name="", **neutral)


def _identify_track(session: Session, name: str) -> tuple[object, ...]:
    """What tells the audio of a track: the digest of its files, or else a name for this run."""
    track = session.track(name)
    content = track.sha256 or os.urandom(16).hex()
    return content, track.channel, track.right_channel, track.stream, track.right is not None


def _stamp_code() -> tuple[tuple[str, int, int], ...]:
    """Sizes and times of the files that process audio: another version may sound otherwise."""
    here = Path(__file__)
    folders = [here.parents[1] / name for name in ("audio", "consoles", "dsp")]
    paths = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    stamps = []
    for path in (*paths, here, here.with_name("hearing.py")):
        with contextlib.suppress(OSError):  # within an archive
            status = path.stat()
            stamps.append((path.name, status.st_size, status.st_mtime_ns))
    return tuple(stamps)


def mix_frames(session: Session, plan: MixPlan) -> int:
    """Length of the mix of a plan, with its tails.

    Args:
        session: As it was opened with no track muted.
        plan: A plan of the same tracks.
    """
    found = find_session(session, plan)
    return found.frames + tail_frames(plan, found.sample_rate)
