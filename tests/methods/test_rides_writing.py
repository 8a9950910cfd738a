"""Rides in plans: which methods write them, that they add up, and that the balance is kept."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from automix.analysis.loudness import LoudnessMeter, integrated_lufs, measure_energies
from automix.consoles.exact import ExactConsole
from automix.errors import UsageError
from automix.methods.catalog import STEMS_METHODS, VOCAL_METHODS
from automix.methods.rides.hearing import FINE_HOPS_PER_SECOND, hear_mix, to_meter_hops
from automix.methods.rides.kinds import RIDE_KINDS
from automix.methods.rides.writing import write_rides
from automix.mixing.request import StemsRequest, VocalRequest
from automix.plan.model import MixPlan
from automix.plan.settings import WidenerSettings
from automix.plan.writer import PlanWriter
from automix.session.blank_plan import make_blank_plan
from tests.methods.raw_songs import RATE, hits, noise, session_of
from tests.methods.ridden_songs import hops_between, sing


@cache
def raw_song(rests_s=(0.4, 0.8, 3.0), leads=1):
    """A voice with hiss, from one microphone or two, over drums, bass and keys."""
    signal, sung = sing(5, phrases=6, rests_s=rests_s)
    seconds = len(signal) / RATE
    hiss = 10 ** (-60 / 20) * np.random.default_rng(1).normal(size=len(signal))
    tracks = {
        "drums": (
            "drums",
            noise(60, 9000, 2, seconds + 0.1) * hits(0.5, 0.1, seconds=seconds + 0.1),
        ),
        "bass": ("bass", 0.5 * noise(40, 300, 3, seconds + 0.1)),
        "keys": ("keys", 0.2 * noise(200, 4000, 4, seconds + 0.1)),
        "lead": ("lead vocal", signal + hiss),
    }
    if leads > 1:
        tracks["double"] = ("lead vocal", 0.7 * signal)
    cut = {name: (role, track[: len(signal)]) for name, (role, track) in tracks.items()}
    return session_of(cut), sung


@cache
def ridden(session, *kinds):
    """The plan of a session at unity gain, with rides."""
    console = ExactConsole(session)
    writer = PlanWriter(make_blank_plan(session, method="rules"))
    write_rides(console, writer, kinds or RIDE_KINDS)
    return writer.plan


def fader_line_at(plan: MixPlan, name: str, times_s):
    """What the ride of a fader adds to it, at some times."""
    (ride,) = plan.strip(name).rides
    assert ride.setting == "fader_db"
    return np.interp(times_s, ride.times_s, ride.values)


def test_rider_and_silences_share_the_fader_and_one_decision_says_why():
    session, sung = raw_song()
    plan = ridden(session)
    (decision,) = (d for d in plan.decisions if d.setting == "lead.rides.1")
    assert decision.rule == "vocal rider + silence"
    figures = dict(decision.figures)
    assert figures["spread_after_lu"] < 0.5 * figures["spread_before_lu"]
    assert figures["silences"] >= 2
    assert decision.value == -60.0
    middles = np.array([(phrase.start_s + phrase.end_s) / 2 for phrase in sung])
    of_rider = fader_line_at(ridden(session, "vocal"), "lead", middles)
    assert fader_line_at(plan, "lead", middles) == pytest.approx(of_rider, abs=0.011)
    assert MixPlan.from_toml(plan_text(plan)) == plan
    assert [strip.name for strip in plan.tracks if strip.rides] == ["lead"]


def plan_text(plan):
    from automix.plan.toml import dumps

    return dumps(plan)


def test_the_rendered_voice_is_steadier_and_as_loud_as_before():
    session, sung = raw_song()
    plan = ridden(session, "vocal")
    console = ExactConsole(session)
    before = hear_mix(console, replace(plan, tracks=tuple(
        replace(strip, rides=()) for strip in plan.tracks)), ["lead"])  # fmt: skip
    after = hear_mix(console, plan, ["lead"])
    spreads = []
    for heard in (before, after):
        levels = []
        for phrase in sung:
            inside = hops_between(phrase.start_s + 0.2, phrase.end_s - 0.2)
            voice, rest = heard.leads[inside].mean(), heard.rest[inside].mean()
            levels.append(10 * np.log10(voice / rest))
        spreads.append(np.std(levels))
    assert spreads[1] < 0.5 * spreads[0]
    assert integrated_lufs(to_meter_hops(after.leads)) == pytest.approx(
        integrated_lufs(to_meter_hops(before.leads)), abs=0.1
    )
    assert after.rest == pytest.approx(before.rest)


def test_a_voice_whose_noise_is_faded_is_as_loud_as_was_planned():
    """The noise in long rests lowers the gate of its loudness, by which its level was set."""
    voice = np.zeros(60 * RATE)
    for start_s, level in ((2, 0.3), (12, 0.05), (22, 0.3), (52, 0.05)):
        place = slice(start_s * RATE, (start_s + 2) * RATE)
        voice[place] = level * noise(200, 4000, start_s, 2.0)
    keys = 0.2 * noise(200, 4000, 4, 60.0)
    hiss = 0.001 * np.random.default_rng(1).normal(size=len(voice))
    session = session_of({"lead": ("lead vocal", voice + hiss), "keys": ("keys", keys)})
    plan = ridden(session, "mutes")
    console = ExactConsole(session)
    before, after = (
        integrated_lufs(to_meter_hops(hear_mix(console, made, ["lead"]).leads))
        for made in (make_blank_plan(session, method="rules"), plan)
    )
    assert after == pytest.approx(before, abs=0.02)
    assert plan.strip("lead").fader_db < -0.5
    untrimmed = plan.with_strip("lead", fader_db=0.0)
    louder = integrated_lufs(to_meter_hops(hear_mix(console, untrimmed, ["lead"]).leads))
    assert louder > before + 0.5
    assert plan.strip("keys") == make_blank_plan(session, method="rules").strip("keys")


def test_leads_are_ridden_together():
    session, _ = raw_song(leads=2)
    plan = ridden(session, "vocal")
    assert plan.strip("lead").rides == plan.strip("double").rides != ()


def test_without_a_lead_or_noise_nothing_moves():
    session, _ = raw_song()
    others = replace(session, tracks=tuple(t for t in session.tracks if t.name != "lead"))
    plan = ridden(others)
    assert plan == make_blank_plan(others, method="rules")
    silent = session_of({"lead": ("lead vocal", np.zeros(RATE)), "keys": ("keys", np.zeros(RATE))})
    assert ridden(silent) == make_blank_plan(silent, method="rules")
    short = session_of({"lead": ("lead vocal", noise(200, 3000, 1, 0.05)),
                        "keys": ("keys", noise(200, 3000, 2, 0.05))})  # fmt: skip
    assert ridden(short) == make_blank_plan(short, method="rules")


def test_energies_are_those_of_the_meter_in_finer_steps():
    session, _ = raw_song()
    plan = make_blank_plan(session, method="rules").with_strip("keys", pan=0.9)
    heard = hear_mix(ExactConsole(session), plan, ["lead"])
    seconds = session.frames / session.sample_rate
    assert heard.duration_s == pytest.approx(seconds, abs=1 / FINE_HOPS_PER_SECOND)
    # With constant power a mono track has the same power on both sides together, wherever it is.
    whole = measure_energies(session.track("keys").source)
    found = to_meter_hops(heard.tracks["keys"])
    assert found[: len(whole)] == pytest.approx(whole[: len(found)], rel=1e-4)
    stereo = make_blank_plan(session, method="rules").with_strip(
        "keys", widener=WidenerSettings(side_db=-6.0)
    )
    console = ExactConsole(session)
    wide = hear_mix(console, stereo, ["lead"]).tracks["keys"]
    channel = list(console.channel(stereo.strip("keys"), stereo.pan_law, console.frames(stereo)))
    meter = LoudnessMeter(RATE, 2, FINE_HOPS_PER_SECOND)
    meter.add(np.concatenate(channel, axis=1).astype(np.float32))
    assert wide[: len(meter.energies)] == pytest.approx(meter.energies[: len(wide)], rel=1e-4)


METHODS = [
    *((VocalRequest, row.name, ("preset", "studio"), ("preset", "paper")) for row in VOCAL_METHODS),
    *((StemsRequest, row.name, ("mode", "full"), ("mode", "basic")) for row in STEMS_METHODS),
]


@pytest.mark.parametrize(("request_type", "method", "usual", "other"), METHODS)
def test_methods_that_decide_levels_are_ridden_and_baselines_are_not(
    request_type, method, usual, other
):
    weights = {"weights": "some.safetensors"} if method == "wave-u-net" else {}
    asked = request_type(method=method, **weights, **dict([usual]))
    if method not in ("rules", "cnn", "dmc"):
        assert asked.ride_kinds == frozenset()
        for option in ({"rides": "vocal"}, {"no_rides": True}):
            with pytest.raises(UsageError, match="goes with --method"):
                request_type(method=method, **weights, **option)
        return
    assert asked.ride_kinds == set(RIDE_KINDS)
    assert replace(asked, no_rides=True).ride_kinds == frozenset()
    assert replace(asked, rides=("vocal", "mutes")).ride_kinds == {"vocal", "mutes"}
    assert request_type(method=method, **dict([other])).ride_kinds == frozenset()
    assert request_type(method=method, rides="all", **dict([other])).ride_kinds == set(RIDE_KINDS)
    with pytest.raises(UsageError, match=f"{other[1]} writes no rides unless --rides"):
        request_type(method=method, no_rides=True, **dict([other]))
    with pytest.raises(UsageError, match="contradict each other"):
        replace(asked, no_rides=True, rides=("all",))
    with pytest.raises(UsageError, match="--rides chorus: choose vocal, sections, mutes, all"):
        replace(asked, rides=("chorus",))
