"""The spine: session → method → plan → console → master."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from automix.analysis.program import Loudness, ProgramMeter
from automix.audio.samples import AudioSource, Samples
from automix.audio.streams import prefetch
from automix.consoles.exact import ExactConsole, apply_master
from automix.methods.catalog import Method
from automix.mixing.loudness_target import Finish, finish
from automix.mixing.premaster import Premaster, premaster
from automix.plan.address import Change, change_setting
from automix.plan.macros import Macros, apply_macros
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings
from automix.plan.writer import PlanWriter
from automix.session.blank_plan import blank_plan

if TYPE_CHECKING:
    from automix.mixing.reference_guide import Towards
    from automix.reference.comparison import FeatureComparison
    from automix.reference.goal import Goal


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
        goal: References that the mix is to be like.
        macros: Applied to the plan before `changes`.
    """

    method: Method
    preset: str
    options: Settings
    finish: Finish = Finish()
    changes: Sequence[tuple[str, Change]] = ()
    seed: int | None = None
    goal: "Goal | None" = None
    macros: Macros = Macros()


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
        compared: How near it is to its references.
    """

    plan: MixPlan
    audio: AudioSource
    levels: dict[str, float]
    sum_lufs: float
    warnings: tuple[str, ...]
    stems: dict[str, AudioSource]
    compared: "Sequence[FeatureComparison]" = ()

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
    towards = _towards(console, request.goal)
    report("listening")
    blank = blank_plan(
        console.session, method=request.method.name, preset=request.preset, seed=request.seed
    )
    writer = PlanWriter(blank)
    write_plan = getattr(import_module(request.method.module), request.method.function)
    write_plan(console, writer, request.options)
    aim = request.finish
    if towards is not None:
        aim = towards.move(writer, aim, report)
    apply_macros(writer, request.macros)
    on_master = [change for change in request.changes if change[0].startswith("master.")]
    _apply(writer, [change for change in request.changes if change not in on_master])
    report("mixing")
    renderer = renderer or console
    summed = premaster(renderer, writer.plan)
    finish(writer, summed.source, summed.loudness, aim)
    _apply(writer, on_master)
    mix = _mix(renderer, writer, summed)
    return mix if towards is None else replace(mix, compared=towards.compared(mix.audio))


def render(
    console: ExactConsole,
    plan: MixPlan,
    *,
    macros: Macros = Macros(),  # noqa: B008 - immutable
    report: Report = lambda stage: None,
) -> Mix:
    """Renders a plan as it is, or with macros over it.

    Raises:
        InputError: A file changed while it was read.
    """
    report("mixing")
    writer = PlanWriter(plan)
    apply_macros(writer, macros)
    return _mix(console, writer, premaster(console, writer.plan))


def _towards(console: ExactConsole, goal: "Goal | None") -> "Towards | None":
    """What leads to the references; nothing where no way is to be gone."""
    if goal is None or goal.amount == 0.0:
        return None
    from automix.mixing.reference_guide import Towards

    return Towards(console, goal)


def _mix(console: ExactConsole, writer: PlanWriter, summed: Premaster) -> Mix:
    plan = writer.plan
    return Mix(
        plan=plan,
        audio=apply_master(summed.source, plan.master),
        levels=summed.levels,
        sum_lufs=summed.loudness.integrated_lufs,
        warnings=(*writer.warnings, *console.warnings),
        stems={
            s.name: console.stem(plan, s.name, summed.source) for s in plan.tracks if not s.mute
        },
    )


def _apply(writer: PlanWriter, changes: Sequence[tuple[str, Change]]) -> None:
    for address, change in changes:
        writer.plan = change_setting(writer.plan, address, change)


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
        return prefetch(self._measured())

    def _measured(self) -> Iterator[Samples]:
        meter = ProgramMeter(self.sample_rate, self.channels)
        for block in self._source.blocks():
            meter.add(block)
            yield block
        self.loudness = meter.result()
