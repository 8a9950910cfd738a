"""The method run again without one track: how the settings of the others move."""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from automix.consoles.exact import ExactConsole
from automix.explanation.hearing import Hearing
from automix.explanation.moves import Move, Values, find_moves
from automix.methods.catalog import find_method_of_plan
from automix.methods.stems.advice import Advice, scale_cut_db
from automix.methods.stems.hearing import HeardTrack, hear_stems, parts
from automix.methods.stems.processing import masking_cuts
from automix.methods.stems.rawness import LEAST, song_rawness
from automix.methods.stems.rules import write_rules
from automix.methods.stems.settings import StemsRules
from automix.plan.model import MixPlan
from automix.plan.writer import PlanWriter
from automix.session.blank_plan import make_blank_plan
from automix.session.tracks import Session

_UNTRACED = (
    "what the vocal networks said is part of the reasons below; where they look in the spectrogram"
    " is traced for --method dmc only"
)

_SAME = 1e-6


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
    heard = parts(hear_stems(console.session))
    hearing: Hearing | None = None
    advise: Advise = _no_advice
    notes: tuple[str, ...] = ()
    if row.explained_by == "controller" and len(heard) > 1:
        from automix.explanation.network import Listener, open_controller

        opened = open_controller(plan, weights, device)
        if isinstance(opened, str):
            return Rerun(moves={}, notes=(opened,))
        listener = Listener(opened, console.session, heard)
        hearing = listener.hearing(track)
        if opened.description.base != "rules":
            return Rerun(moves=listener.moves(), hearing=hearing)
        advise = listener.advice
    side_db = _processed_side_db(plan, heard) if heard else 0.0
    whole = _settings(console.session, plan, heard, advise, side_db)
    notes = _unlike(plan, whole)
    moves = {}
    for name in heard:
        left = {other: track for other, track in heard.items() if other != name}
        without = _settings(console.session, plan, left, advise, side_db) if left else {}
        moves[name] = find_moves(whole, without)
    return Rerun(moves=moves, hearing=hearing, notes=notes)


def _settings(
    session: Session,
    plan: MixPlan,
    heard: Mapping[str, HeardTrack],
    advise: Advise,
    processed_side_db: float,
) -> Values:
    """What the rules set when these tracks are all there is."""
    part = Session(tracks=tuple(track for track in session.tracks if track.name in heard))
    writer = PlanWriter(make_blank_plan(part, method=plan.method, preset=plan.preset))
    advice = dict(advise(list(heard)))
    write_rules(ExactConsole(part), writer, StemsRules(mode="basic"), heard, advice)
    found: dict[tuple[str, str], float] = {}
    for strip in writer.plan.tracks:
        found[strip.name, "fader"] = strip.fader_db
        found[strip.name, "pan"] = strip.pan
    if plan.preset == "full":
        faders = {name: found[name, "fader"] for name in heard}
        found |= _cuts(heard, faders, advice, processed_side_db)
    return found


def _cuts(
    heard: Mapping[str, HeardTrack],
    faders: Mapping[str, float],
    advice: Mapping[str, Advice],
    processed_side_db: float,
) -> Values:
    names = sorted(heard)
    with np.errstate(divide="ignore"):
        levels_db = np.array(
            [10 * np.log10(heard[name].band_powers) + faders[name] for name in names]
        )
    raw = song_rawness(heard, processed_side_db)
    return {
        (name, f"cut at {heard[name].centers_hz[cut.band]:g} Hz"): scale_cut_db(
            cut.gain_db, raw[name].amount(advice.get(name, Advice()))[0]
        )
        for name, cuts in zip(names, masking_cuts(levels_db), strict=True)
        for cut in cuts
        if raw[name].share >= LEAST
    }


def _processed_side_db(plan: MixPlan, heard: Mapping[str, HeardTrack]) -> float:
    """The constant of the rules with which tracks come out as raw as the plan says."""
    recorded = {
        name: dict(decision.figures)["rawness"]
        for decision in plan.decisions
        for name in heard
        if re.match(r"\.(equalizer|compressor)\.", decision.setting.removeprefix(name))
        and "rawness" in dict(decision.figures)
    }

    def excess(side_db: float) -> float:
        raw = song_rawness(heard, side_db)
        return sum(raw[name].share - share for name, share in recorded.items())

    usual = StemsRules().processed_side_db
    if abs(excess(usual)) < _SAME:
        return usual
    if excess(0.0) < _SAME:  # all are raw
        return 0.0
    low, high = -60.0, 0.0  # the higher, the more raw
    while high - low > _SAME:
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) > 0.0 else (middle, high)
    return low


def _unlike(plan: MixPlan, again: Values) -> tuple[str, ...]:
    """Says so where the plan was made with other constants than those of the method itself."""
    for decision in plan.decisions:
        track, _, field = decision.setting.rpartition(".")
        if decision.rule == "panning" and field == "pan" and (track, "pan") in again:
            differs = not math.isclose(float(decision.value), again[track, "pan"], abs_tol=0.005)
        elif decision.rule == "level" and field == "fader_db" and (track, "fader") in again:
            processed = "processed_lufs" in dict(decision.figures)
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
