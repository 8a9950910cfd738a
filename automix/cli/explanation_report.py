"""What `automix explain` does and prints."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from automix.cli.output import Printer
from automix.cli.signals import remove_when_ended
from automix.consoles.exact import ExactConsole
from automix.errors import DeviceError, PlanError
from automix.evaluation.picture_format import choose_picture_format
from automix.explanation.explaining import Explanation, explain
from automix.explanation.findings import band, effect
from automix.explanation.hearing import HeardByNetwork
from automix.explanation.measuring import BANDS
from automix.explanation.moves import with_unit
from automix.explanation.provenance import Action, describe_action
from automix.explanation.tracks import TrackInMix
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.target import OutputTarget
from automix.plan.address import change_setting
from automix.plan.assignment import parse_assignment
from automix.plan.model import MixPlan, read_plan
from automix.plan.positions import describe_position
from automix.plan.ride_figures import describe_range, list_rides, measure_ride
from automix.plan.rides import find_ride
from automix.plan.settings import ChannelStrip
from automix.session.tracks import list_plan_inputs, open_plan_session

_STAGES = 4
_MOST_FINDINGS = 8
_MOST_MOVES = 3


@dataclass(frozen=True, kw_only=True)
class Fields:
    """The options of `automix explain`."""

    plan_file: Path
    picture: Path | None
    track: str | None
    changes: tuple[str, ...]
    weights: Path | None
    allow_outside: bool
    device: str
    force: bool
    read: ReadOptions


def run_explain(request: Fields, printer: Printer) -> None:
    """Explains a plan; see the options of `automix explain`."""
    plan = read_plan(request.plan_file)
    for change in request.changes:
        plan = change_setting(plan, *parse_assignment(change))
    _check(request, plan)
    folder = request.plan_file.parent
    inputs = (request.plan_file, *list_plan_inputs(plan, folder))
    with ExitStack() as targets, printer.progress(_STAGES) as report:
        target = None
        if request.picture is not None:
            target = targets.enter_context(
                OutputTarget.reserve(request.picture, overwrite=request.force, inputs=inputs)
            )
            targets.enter_context(remove_when_ended(target.discard))
        report("reading")
        session = open_plan_session(plan, folder, request.read, allow_outside=request.allow_outside)
        found = explain(
            ExactConsole(session),
            plan,
            weights=str(request.weights) if request.weights else "",
            device=request.device,
            track=request.track,
            report=report,
        )
        notes = [*session.notes, *found.notes]
        if target is not None:
            from automix.explanation.plot import explanation_picture

            drawn = explanation_picture(
                found, printable(request.plan_file.stem), choose_picture_format(target.path)
            )
            target.write_bytes(drawn.data)
            notes += drawn.notes
    for note in notes:
        printer.note(note)
    if printer.json:
        printer.document(document(found, request.track, notes))
    elif not printer.quiet:
        print_explanation(found, request.track)


def _check(request: Fields, plan: MixPlan) -> None:
    """Whether all options make sense, before anything is read."""
    if request.picture is not None:
        choose_picture_format(request.picture)
    if request.track is not None:
        plan.strip(request.track)
    if request.weights is not None and not os.path.isfile(request.weights):
        raise DeviceError(f"{printable(request.weights)}: there is no such file of weights")
    if not plan.tracks:
        raise PlanError(f"{printable(request.plan_file)}: the plan has no tracks")


def print_explanation(found: Explanation, track: str | None) -> None:
    """Prints findings, the table of tracks, and what was done to each."""
    console = Console(
        width=None if sys.stdout.isatty() else 160,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not sys.stdout.isatty(),
    )
    told = [f for f in found.findings if track in (None, f.track)]
    for number, finding in enumerate(told[: None if track else _MOST_FINDINGS], 1):
        console.print(f"{number}. {printable(finding.sentence)}")
    if not told:
        console.print("Nothing stands out.")
    elif len(told) > _MOST_FINDINGS and track is None:
        console.print(f"   and {len(told) - _MOST_FINDINGS} more with --json")
    console.print()
    tracks = [t for t in found.tracks if track in (None, t.name)]
    console.print(_table(tracks, found.plan), f"\nmix {_level(found.lufs)} LUFS")
    owners = [t.name for t in tracks] if track else list(_owners(found.plan))
    for owner in owners:
        console.print()
        _print_owner(console, found, owner)


def _owners(plan: MixPlan) -> Iterator[str]:
    yield from (strip.name for strip in plan.tracks)
    yield from (bus.name for bus in plan.buses)
    yield "master"


def _table(tracks: list[TrackInMix], plan: MixPlan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("track", overflow="fold")
    table.add_column("LUFS in the mix", justify="right")
    table.add_column("over the others", justify="right")
    table.add_column("pan")
    table.add_column("strongest at", overflow="fold")
    table.add_column("covered", justify="right")
    table.add_column("most by, at", overflow="fold")
    for track in tracks:
        cover = track.cover
        by = ""
        if cover.masker and cover.low_hz is not None and cover.high_hz is not None:
            by = f"{cover.masker} {cover.ratio_db:+.0f} dB, {band(cover.low_hz, cover.high_hz)}"
        sounds = track.state == "in the mix"
        row = (
            track.name,
            _level(track.lufs) if sounds else track.state,
            f"{track.over_others_lu:+.1f} LU" if sounds else "",
            _place(plan.strip(track.name)),
            ", ".join(band(*edges) for edges in track.leads) or "–",
            f"{100 * cover.share:.0f} %" if sounds else "",
            by if sounds else "",
        )
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _place(strip: ChannelStrip) -> str:
    ride = find_ride(strip.rides, "pan")
    return describe_position(strip.pan) if ride is None else describe_range(strip, ride)


def _level(lufs: float) -> str:
    return f"{lufs:.1f}" if lufs > -200 else "silent"


def _print_owner(console: Console, found: Explanation, owner: str) -> None:
    track = next((t for t in found.tracks if t.name == owner), None)
    role = f" ({track.role})" if track else ""
    done = [action for action in found.actions if action.owner == owner]
    if track is None and not done:
        return
    console.print(printable(f"{owner}{role}"))
    for action in done:
        console.print(f"  {printable(_line(found.plan, action))}")
    if track is None:
        return
    moves = found.moves.get(owner, ())
    word = "with it" if track.state == "muted" else "without it"
    if track.state != "silent":
        console.print(printable(f"  {word}: {effect(track.change, muted=track.state == 'muted')}"))
    if moves:
        told = ", ".join(with_unit(move) for move in moves[:_MOST_MOVES])
        more = f" and {len(moves) - _MOST_MOVES} more" if len(moves) > _MOST_MOVES else ""
        console.print(printable(f"  if {found.plan.method} had not heard it: {told}{more}"))
    if found.hearing is not None and owner in found.hearing.tracks:
        for line in _describe_hearing(found.hearing.tracks[owner]):
            console.print(f"  {line}")


def _line(plan: MixPlan, action: Action) -> str:
    figures = ", ".join(f"{name} {value:.4g}" for name, value in action.figures)
    line = f"{action.part}: {describe_action(plan, action)} · {action.rule}: {action.reason}"
    return f"{line} [{figures}]" if figures else line


def _describe_hearing(heard: HeardByNetwork) -> Iterator[str]:
    """What a network says, and what moved it."""
    for said in heard.said:
        value = f"× {said.value:.2f}" if said.unit == "×" else f"{said.value:+.2f} {said.unit}"
        parts = sorted(said.parts, key=lambda part: -abs(part[1]))
        counted = [f"{name} {part:+.1f} dB" for name, part in parts if abs(part) >= 0.05]
        why = f", from {', '.join(counted)}" if counted else ""
        yield f"network: {said.output} {value.strip()}{why}"


def document(found: Explanation, track: str | None, notes: list[str]) -> dict[str, Any]:
    """The explanation for programs; the pictures' maps are left out."""
    plan = found.plan
    tracks = []
    for row in found.tracks:
        if track not in (None, row.name):
            continue
        entry: dict[str, Any] = asdict(row)
        entry["actions"] = _actions(found, row.name)
        entry["moves_without_it"] = [
            {**asdict(move), "change": move.change} for move in found.moves.get(row.name, ())
        ]
        if found.hearing is not None and row.name in found.hearing.tracks:
            heard = found.hearing.tracks[row.name]
            entry["network"] = {
                "facts": dict(heard.facts),
                "outputs": [{**asdict(said), "parts": dict(said.parts)} for said in heard.said],
            }
        tracks.append(entry)
    content: dict[str, Any] = {
        "method": plan.method,
        "preset": plan.preset,
        "lufs": found.lufs,
        "width_db": found.width_db,
        "duration_s": found.duration_s,
        "bands_hz": [list(edges) for edges in BANDS],
        "findings": [asdict(f) for f in found.findings if track in (None, f.track)],
        "tracks": tracks,
        "rides": _rides(plan, track),
        "removed": [asdict(row) for row in found.removed],
        "buses": {bus.name: _actions(found, bus.name) for bus in plan.buses},
        "master": _actions(found, "master"),
        "notes": notes,
    }
    if found.hearing is not None and found.hearing.saliency is not None:
        content["saliency"] = found.hearing.saliency.summary()
    return content


def _rides(plan: MixPlan, track: str | None) -> list[dict[str, Any]]:
    """What every ride does, and why, if a rule has drawn it."""
    decided = {decision.setting: decision for decision in plan.decisions}
    rides = []
    for owner, part, number, ride in list_rides(plan):
        if track in (None, owner):
            decision = decided.get(f"{owner}.rides.{number}")
            entry: dict[str, Any] = {"owner": owner, **asdict(measure_ride(part, ride))}
            entry["rule"] = None if decision is None else decision.rule
            entry["reason"] = None if decision is None else decision.reason
            rides.append(entry)
    return rides


def _actions(found: Explanation, owner: str) -> list[dict[str, Any]]:
    return [
        {**asdict(action), "figures": dict(action.figures), "edited": action.edited}
        for action in found.actions
        if action.owner == owner
    ]
