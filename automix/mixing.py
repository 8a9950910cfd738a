"""The spine: session → method → plan → console → master."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.analysis.program import Loudness, ProgramMeter
from automix.audio import Audio, AudioSource, Samples
from automix.consoles.exact import ExactConsole, Flow, mastered
from automix.finishing import Finish, finish
from automix.methods.catalog import Entry
from automix.methods.writing import PlanWriter, blank_plan
from automix.parameters import Settings
from automix.plan import Change, MixPlan, change_setting
from automix.streams import prefetched
from automix.workers import Workers


@dataclass(frozen=True, kw_only=True)
class MixRequest:
    """What is asked of a mix.

    Attributes:
        method: Row of the catalog.
        preset: Name of the preset that `options` started from.
        options: What the method's function takes, such as `VocalRules`.
        finish: Output loudness and peak.
        changes: Address and change of settings, applied to the method's plan in order.
        seed: Of methods that draw at random.
    """

    method: Entry
    preset: str
    options: Settings
    finish: Finish = Finish()
    changes: Sequence[tuple[str, Change]] = ()
    seed: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Mix:
    """A plan and the audio that it makes.

    Attributes:
        plan: Everything that was decided.
        audio: The finished mix; computed while it is read.
        levels: Integrated loudness in LUFS before the master of each track (with the reverb that it
            alone feeds) and of each shared return.
        sum_lufs: Integrated loudness of their sum.
        warnings: For the user.
        stems: What each audible track contributes to the finished mix, by name.
    """

    plan: MixPlan
    audio: AudioSource
    levels: dict[str, float]
    sum_lufs: float
    warnings: tuple[str, ...]
    stems: dict[str, AudioSource]

    def levels_at(self, mix_lufs: float) -> dict[str, float]:
        """The levels when the master brings the mix to a loudness."""
        change_lu = mix_lufs - self.sum_lufs
        return {
            name: level + change_lu if math.isfinite(change_lu) else level
            for name, level in self.levels.items()
        }


Report = Callable[[str], None]


def mix_session(
    console: ExactConsole,
    request: MixRequest,
    *,
    renderer: ExactConsole | None = None,
    report: Report = lambda stage: None,
) -> Mix:
    """Lets a method write a plan, applies the user's changes, and finishes the mix.

    Args:
        console: Of a session that suits the method.
        request: What is asked.
        renderer: Console that renders the plan, if not the one that the method listens through.
        report: Called with the name of each stage as it begins.

    Raises:
        InputError: A file changed while it was read, or the session does not suit the method.
        PlanError: A change leads nowhere or is out of range.
    """
    report("listening")
    blank = blank_plan(
        console.session, method=request.method.name, preset=request.preset, seed=request.seed
    )
    writer = PlanWriter(blank)
    write_plan = getattr(import_module(request.method.module), request.method.function)
    write_plan(console, writer, request.options)
    on_master = [change for change in request.changes if change[0].startswith("master.")]
    _apply(writer, [change for change in request.changes if change not in on_master])
    report("mixing")
    renderer = renderer or console
    premaster, levels = _premaster(renderer, writer.plan)
    finish(writer, premaster, levels.sum, request.finish)
    _apply(writer, on_master)
    return _mix(renderer, writer, premaster, levels)


def render(console: ExactConsole, plan: MixPlan, report: Report = lambda stage: None) -> Mix:
    """Renders a plan as it is.

    Raises:
        InputError: A file changed while it was read.
    """
    report("mixing")
    premaster, levels = _premaster(console, plan)
    return _mix(console, PlanWriter(plan), premaster, levels)


@dataclass(frozen=True)
class _Levels:
    tracks: dict[str, float]
    sum: Loudness


def _mix(console: ExactConsole, writer: PlanWriter, premaster: AudioSource, levels: _Levels) -> Mix:
    plan = writer.plan
    return Mix(
        plan=plan,
        audio=mastered(premaster, plan.master),
        levels=levels.tracks,
        sum_lufs=levels.sum.integrated_lufs,
        warnings=(*writer.warnings, *console.warnings),
        stems={s.name: console.stem(plan, s.name, premaster) for s in plan.tracks if not s.mute},
    )


def _apply(writer: PlanWriter, changes: Sequence[tuple[str, Change]]) -> None:
    for address, change in changes:
        writer.plan = change_setting(writer.plan, address, change)


def _premaster(console: ExactConsole, plan: MixPlan) -> tuple[AudioSource, _Levels]:
    """The sum before the master, kept in memory where the session is, and what it is made of."""
    rate = console.session.sample_rate
    source: AudioSource = console.premaster(plan)
    kept = np.empty((2, source.frames), np.float32) if console.in_memory else None
    whole = ProgramMeter(rate, 2)
    meters: dict[str, LoudnessMeter] = {}

    def add(meter: LoudnessMeter | ProgramMeter, block: NDArray[np.floating]) -> None:
        meter.add(np.asarray(block, np.float32))

    position = 0
    with Workers(len(plan.tracks) + len(plan.buses)) as workers:
        for flow in prefetched(console.flow(plan)):
            mix = flow.sum().astype(np.float32)
            measured: list[Callable[[], None]] = [partial(add, whole, mix)]
            for name, block in _attributed(plan, flow).items():
                meter = meters.setdefault(name, LoudnessMeter(rate, 2))
                measured.append(partial(add, meter, block))
            workers.map(lambda work: work(), measured)
            if kept is not None:
                kept[:, position : position + mix.shape[1]] = mix
                position += mix.shape[1]
    tracks = {name: integrated_lufs(meter.energies) for name, meter in meters.items()}
    levels = _Levels(tracks, whole.result())
    return (source if kept is None else Audio(kept, rate)), levels


def _attributed(plan: MixPlan, flow: Flow) -> dict[str, Any]:
    """Channels with the returns that they alone feed, and the returns that are shared."""
    signals = dict(flow.channels)
    for bus, block in flow.returns.items():
        feeding = [s.name for s in plan.tracks if any(send.bus == bus for send in s.sends)]
        sole = feeding[0] if len(feeding) == 1 and feeding[0] in signals else None
        signals[sole or bus] = signals[sole] + block if sole else block
    return signals


class Metered:
    """A source that measures itself on its way through.

    Attributes:
        loudness: Of the last whole pass; none before that.
    """

    def __init__(self, source: AudioSource) -> None:
        self._source = source
        self.sample_rate = source.sample_rate
        self.channels = source.channels
        self.frames = source.frames
        self.loudness: Loudness | None = None

    def blocks(self) -> Iterator[Samples]:
        """See `AudioSource.blocks`."""
        return prefetched(self._measured())

    def _measured(self) -> Iterator[Samples]:
        meter = ProgramMeter(self.sample_rate, self.channels)
        for block in self._source.blocks():
            meter.add(block)
            yield block
        self.loudness = meter.result()
