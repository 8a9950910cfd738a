"""The method run again without one track: how the settings of the others move."""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from automix.analysis.octave_bands import CENTERS_HZ
from automix.consoles.exact import ExactConsole, inserts_of
from automix.explanation.hearing import Hearing
from automix.explanation.moves import Move, Values, find_moves
from automix.methods.catalog import find_method_of_plan
from automix.methods.stems.advice import Advice, scale_cut_db
from automix.methods.stems.hearing import HeardTrack, hear_stems, parts
from automix.methods.stems.rawness import LEAST
from automix.methods.stems.rules import find_cuts, write_rules
from automix.methods.stems.settings import PRESETS, StemsRules
from automix.plan.model import MixPlan
from automix.plan.roles import Role
from automix.plan.settings import ChannelStrip
from automix.plan.writer import PlanWriter
from automix.session.blank_plan import make_blank_plan
from automix.session.tracks import Session

_UNTRACED = (
    "what the vocal networks said is part of the reasons below; where they look in the spectrogram"
    " is traced for --method dmc only"
)


_SET_LATER = frozenset({"processed_lufs", "parallel_db", "added_up_lu"})
"""Figures of faders that make up for processors, too: those are not run again."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rerun:
    """What running the method again has shown; see `Explanation`."""

    moves: Mapping[str, tuple[Move, ...]]
    hearing: Hearing | None = None
    notes: tuple[str, ...] = ()


Advise = Callable[[Collection[str]], Mapping[str, Advice]]
"""What a network advises when it hears these tracks alone."""


def _no_advice(names: Collection[str]) -> Mapping[str, Advice]:
    return {}


def settings_without(
    console: ExactConsole,
    plan: MixPlan,
    *,
    weights: str = "",
    device: str = "auto",
    track: str | None = None,
) -> Rerun:
    """Runs the method of a plan on its tracks without each of them.

    The rules' levels, positions and cuts are compared; levels as they are set before equalizer and
    compressor, whose own loudness is made up for in the plan.

    Args:
        console: Of the plan's session.
        plan: Whose method it is.
        weights: File of the network's weights; empty for those that ship.
        device: For the network.
        track: Whose saliency is wanted.

    Raises:
        DeviceError: The weights or the device cannot be used.
        InputError: A file changed while it was read.
    """
    row = find_method_of_plan(plan.method, plan.preset)
    if row is not None and row.explained_by == "untraced networks":
        return Rerun(moves={}, notes=(_UNTRACED,))
    if row is None or row.explained_by == "plan":
        return Rerun(moves={})
    session = _heard_session(console.session, plan)
    heard = parts(hear_stems(session))
    hearing: Hearing | None = None
    advise: Advise = _no_advice
    notes: tuple[str, ...] = ()
    if row.explained_by == "controller" and len(heard) > 1:
        from automix.explanation.network import Listener, open_controller

        opened = open_controller(plan, weights, device)
        if isinstance(opened, str):
            return Rerun(moves={}, notes=(opened,))
        listener = Listener(opened, session, heard)
        hearing = listener.hearing(track)
        if opened.description.base != "rules":
            return Rerun(moves=listener.moves(), hearing=hearing)
        advise = listener.advice
    rawness = _read_rawness(plan, heard)
    whole = _settings(session, plan, heard, advise, rawness)
    notes = _unlike(plan, whole)
    moves = {}
    for name in heard:
        left = {other: track for other, track in heard.items() if other != name}
        without = _settings(session, plan, left, advise, rawness) if left else {}
        moves[name] = find_moves(whole, without)
    return Rerun(moves=moves, hearing=hearing, notes=notes)


def _heard_session(session: Session, plan: MixPlan) -> Session:
    """The session without what no method has heard, such as a click: muted, and left as it was."""
    unheard = {
        strip.name
        for strip in plan.tracks
        if strip.mute
        and inserts_of(strip) == ChannelStrip(name=strip.name)
        and not (strip.fader_db or strip.rides)
    }
    heard = tuple(track for track in session.tracks if track.name not in unheard)
    return replace(session, tracks=heard or session.tracks)


def _settings(
    session: Session,
    plan: MixPlan,
    heard: Mapping[str, HeardTrack],
    advise: Advise,
    rawness: Mapping[str, float],
) -> Values:
    """What the rules set when these tracks are all there is."""
    part = Session(tracks=tuple(track for track in session.tracks if track.name in heard))
    writer = PlanWriter(make_blank_plan(part, method=plan.method, preset=plan.preset))
    for name in heard:
        strip = plan.strip(name)
        writer.change(name, invert_polarity=strip.invert_polarity, delay_ms=strip.delay_ms)
    advice = dict(advise(list(heard)))
    rules = replace(PRESETS.get(plan.taste, StemsRules()), mode="basic")
    write_rules(ExactConsole(part), writer, rules, heard, advice)
    found: dict[tuple[str, str], float] = {}
    for strip in writer.plan.tracks:
        found[strip.name, "fader"] = strip.fader_db
        found[strip.name, "pan"] = strip.pan
    if plan.preset == "full":
        levels_db = {
            strip.name: strip.input_gain_db + strip.fader_db
            for strip in writer.plan.tracks
            if strip.name in heard
        }
        roles: dict[str, Role] = {track.name: track.role for track in part.tracks}
        found |= _cuts(heard, roles, levels_db, advice, rawness)
    return found


def _cuts(
    heard: Mapping[str, HeardTrack],
    roles: Mapping[str, Role],
    levels_db: Mapping[str, float],
    advice: Mapping[str, Advice],
    rawness: Mapping[str, float],
) -> Values:
    """Gains of the cuts that free bands of other tracks, of the tracks that were raw."""
    return {
        (name, f"cut at {CENTERS_HZ[cut.band]:g} Hz"): scale_cut_db(
            cut.gain_db, rawness[name] * advice.get(name, Advice()).processing
        )
        for name, cuts in find_cuts(heard, roles, levels_db).items()
        for cut in cuts
        if rawness.get(name, 0.0) >= LEAST
    }


def _read_rawness(plan: MixPlan, names: Collection[str]) -> dict[str, float]:
    """How raw the plan says that tracks were; those that no processor was set for are not there."""
    found: dict[str, float] = {}
    for decision in plan.decisions:
        figures = dict(decision.figures)
        if "rawness" in figures:
            found |= {
                name: figures["rawness"]
                for name in names
                if re.match(r"\.(equalizer|compressor)\.", decision.setting.removeprefix(name))
            }
    return found


def _unlike(plan: MixPlan, again: Values) -> tuple[str, ...]:
    """Says so where the plan was made with other constants than those of the method itself."""
    for decision in plan.decisions:
        track, _, field = decision.setting.rpartition(".")
        if decision.rule == "panning" and field == "pan" and (track, "pan") in again:
            differs = not math.isclose(float(decision.value), again[track, "pan"], abs_tol=0.005)
        elif decision.rule == "level" and field == "fader_db" and (track, "fader") in again:
            processed = not _SET_LATER.isdisjoint(dict(decision.figures))
            differs = not processed and abs(float(decision.value) - again[track, "fader"]) > 0.05
        else:
            continue
        if differs:
            return (
                "the method, run again with its own constants, sets other values than the plan's"
                f" ({decision.setting}): the plan was made with others, or from other files; how"
                " settings move without a track is shown for the method's own",
            )
    return ()
