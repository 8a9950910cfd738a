"""The spine: session → method → plan → console → master."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from automix.checking.catalog import describe_spike
from automix.consoles.exact import ExactConsole, apply_master
from automix.errors import InputError, UsageError
from automix.files.names import printable
from automix.methods.rides.writing import write_rides
from automix.mixing.loudness_target import find_target, finish_again, reach_target
from automix.mixing.mix import Mix, name_files
from automix.mixing.options import method_options
from automix.mixing.premaster import Premaster, premaster
from automix.mixing.renderer import Renderer, open_renderer
from automix.mixing.request import MethodRequest, PlanRequest
from automix.plan.address import change_setting
from automix.plan.assignment import Change
from automix.plan.loudness import LoudnessTarget
from automix.plan.macro_changes import apply_macros
from automix.plan.macros import Macros
from automix.plan.model import MASTER, MixPlan
from automix.plan.writer import PlanWriter
from automix.session.blank_plan import make_blank_plan
from automix.session.tracks import Session

if TYPE_CHECKING:
    from automix.reference.goal import Goal

Report = Callable[[str], None]
"""Told the name of each stage of the work as it begins."""


def silent(stage: str) -> None:
    """The report that tells nobody."""


SessionMixer = Callable[[Session, Report], Mix]


def prepare_mixer(request: MethodRequest) -> SessionMixer:
    """Checks all that can be checked before audio is read, and gives what mixes sessions.

    A session's method writes a plan, the request's changes are applied to it, and the mix is
    brought to its loudness. A method that makes audio itself gives the one track that is left.

    Raises:
        UsageError: The config file has an unknown key, or a value is illegal.
        DeviceError: Weights or a device cannot be used.
        InputError: A reference is not there.
        PluginError: The folder lacks a plug-in.
    """
    options = method_options(request)
    goal = _goal(request)
    renderer = open_renderer(request)

    def mix(session: Session, report: Report = silent) -> Mix:
        row = request.row
        guide = None
        changes = request.parsed_changes()
        session, changes = _place(session, changes)
        report("listening")
        if row.makes == "audio":
            session = row.load_function()(session.audible, options)
        heard = session.audible
        console = ExactConsole(heard)
        if goal is not None and goal.amount > 0.0:
            from automix.mixing.reference_guide import ReferenceGuide

            guide = ReferenceGuide(console, goal)
        seed = request.seed if row.is_seeded else None
        blank = make_blank_plan(heard, method=row.name, preset=request.variant, seed=seed)
        names = frozenset(track.name for track in session.tracks)
        writer = PlanWriter(replace(blank, taste=request.taste), reserved=names)
        _explain_starts(writer, request)
        if row.makes == "plan":
            row.load_function()(console, writer, options)
        target = request.loudness_target()
        if guide is not None:
            target = guide.move(writer, target, report)
        if request.rides or not writer.is_finished:
            write_rides(console, writer, request.ride_kinds, asked=bool(request.rides))
        if heard is not session:
            writer.plan = _add_muted(writer.plan, session)
            console = ExactConsole(session)
        apply_macros(writer, request.macros())
        on_master = [change for change in changes if change[0].startswith("master.")]
        _apply(writer, [change for change in changes if change not in on_master])
        report("mixing")
        rendering = console if renderer is None else renderer(session)
        summed = premaster(rendering, writer.plan)
        reach_target(writer, summed.source, summed.loudness, target)
        turned_down = writer.plan.master.gain_db < 0.0 or writer.plan.master.limiter.is_active
        if summed.spike is not None and turned_down:
            writer.warn(describe_spike("the mix", summed.spike).message())
        _apply(writer, on_master)
        mix = _finish(rendering, writer, summed)
        return mix if guide is None else replace(mix, compared=guide.compare(mix.source))

    return mix


def render_plan(
    session: Session,
    plan: MixPlan,
    *,
    macros: Macros = Macros(),  # noqa: B008 - immutable
    target: LoudnessTarget | None = None,
    renderer: Renderer | None = None,
    report: Report = silent,
) -> Mix:
    """Renders a plan as it is, or with macros over it and its master finished again.

    Args:
        session: The tracks of the plan.
        plan: The plan.
        macros: Changes of many settings at once.
        target: How loud the mix is to leave; none leaves the master as the plan has it.
        renderer: Makes the console that renders; the exact one unless given.
        report: Told each stage.

    Raises:
        InputError: A file changed while it was read.
    """
    report("mixing")
    writer = PlanWriter(plan)
    apply_macros(writer, macros)
    console = (renderer or ExactConsole)(session)
    summed = premaster(console, writer.plan)
    if target is not None:
        finish_again(writer, summed.source, summed.loudness, target)
    return _finish(console, writer, summed)


def choose_target(request: PlanRequest, plan: MixPlan) -> LoudnessTarget | None:
    """Chooses how loud a plan leaves that is rendered with changes.

    It is what the user says, or else what it was finished for when it was made, so that changes of
    its tracks leave neither its loudness nor its ceiling.

    Args:
        request: How the plan is rendered.
        plan: The plan, with the changes of single settings.

    Returns:
        None if the master stays as it is: nothing was changed, or somebody has set it.

    Raises:
        UsageError: A change sets what a loudness or a true peak that is asked for would set.
    """
    asks = request.loudness is not None or request.true_peak is not None
    addresses = [address for address, _ in request.parsed_changes()]
    changed = bool(addresses) or request.no_rides or request.macros() != Macros()
    by_hand = next((a for a in addresses if a.startswith(_FINISH)), None)
    if asks and by_hand is not None:
        raise UsageError(f"--set {by_hand}: --loudness and --true-peak set it too; choose one")
    if asks:
        return request.loudness_target(find_target(plan))
    if by_hand is not None:
        return None
    return find_target(plan) if changed else None


_FINISH = (f"{MASTER}.gain_db", f"{MASTER}.limiter.")
"""Addresses of what finishes a mix, or how they begin."""


def _add_muted(plan: MixPlan, session: Session) -> MixPlan:
    """The plan with the tracks that no method hears, muted, in the order of the session."""
    written = {strip.name: strip for strip in plan.tracks}
    blank = make_blank_plan(session, method=plan.method).tracks
    return replace(plan, tracks=tuple(written.get(strip.name, strip) for strip in blank))


def _goal(request: MethodRequest) -> "Goal | None":
    """The references that the mix is to be like; none where none are given."""
    if not request.reference:
        return None
    for path in request.reference:
        if not os.path.isfile(path):
            raise InputError(f"--reference {printable(path)}: is not a file")
    from automix.reference.goal import Goal

    return Goal(
        files=request.reference,
        weights=request.reference_weight,
        amount=request.amount,
        device=request.device,
    )


def _finish(console: ExactConsole, writer: PlanWriter, summed: Premaster) -> Mix:
    plan = name_files(writer.plan, console.session, None)
    return Mix(
        plan=plan,
        session=console.session,
        premaster=summed.source,
        source=apply_master(summed.source, plan.master),
        levels=summed.levels,
        sum_lufs=summed.loudness.integrated_lufs,
        warnings=(*writer.warnings, *console.warnings),
        stems={
            s.name: console.stem(plan, s.name, summed.source) for s in plan.tracks if not s.mute
        },
    )


def _place(
    session: Session, changes: Sequence[tuple[str, Change]]
) -> tuple[Session, list[tuple[str, Change]]]:
    """Moves the tracks whose starts are changed; returns the other changes too.

    Raises:
        PlanError: A start is not legal.
    """
    names = {f"{track.name}.{_START}": track.name for track in session.tracks}
    plan = make_blank_plan(session, method="")
    left = []
    for address, change in changes:
        if address not in names:
            left.append((address, change))
            continue
        plan = change_setting(plan, address, change)
        session = session.with_start(names[address], plan.strip(names[address]).start_s)
    return session, left


_START = "start_s"


def _explain_starts(writer: PlanWriter, request: MethodRequest) -> None:
    """Records why tracks begin later, where nobody has set it."""
    by_hand = {address for address, _ in request.parsed_changes()}
    for strip in writer.plan.tracks:
        address = f"{strip.name}.{_START}"
        if strip.start_s and address not in by_hand:
            writer.decide(address, strip.start_s, "start time", "by the time stamp of its file")


def _apply(writer: PlanWriter, changes: Sequence[tuple[str, Change]]) -> None:
    for address, change in changes:
        writer.plan = change_setting(writer.plan, address, change)
