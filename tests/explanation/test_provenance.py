"""What set each value: every method's own plan counts as unedited, and edits are found."""

from dataclasses import replace

import pytest

from automix.explanation.provenance import actions, describe_action, find_removed_tracks
from automix.library import mix_session
from automix.methods.catalog import STEMS_METHODS
from automix.methods.vocal.settings import PRESETS
from automix.mixing.request import StemsRequest, VocalRequest
from automix.plan.address import change_setting
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.toml import dumps
from tests.explanation.conftest import apart, noise, planned, session_of


@pytest.mark.parametrize("mode", ["basic", "full"])
@pytest.mark.parametrize("method", [e.name for e in STEMS_METHODS if e.name != "wave-u-net"])
def test_what_a_method_wrote_is_not_called_edited(method, mode):
    session = session_of(apart())
    mix = mix_session(session, StemsRequest(method=method, mode=mode, seed=1))
    plan = MixPlan.from_toml(dumps(mix.plan))
    assert not any(action.edited for action in actions(plan))


@pytest.mark.slow
@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("method", ["rules", "random", "sum"])
def test_what_a_vocal_method_wrote_is_not_called_edited(method, preset):
    session = session_of(
        {
            "vocal": ("lead vocal", noise(300, 4000, 1)),
            "beat": ("backing track", noise(50, 12000, 2)),
        }
    )
    plan = mix_session(session, VocalRequest(method=method, preset=preset, seed=1)).plan
    assert [action for action in actions(plan) if action.edited] == []


@pytest.mark.parametrize(
    ("address", "value", "words"),
    [
        ("bass.fader_db", -3.0, "fader -3.0 dB (edited, was"),
        ("lead vocal.pan", 0.25, "50 % left (edited, was center)"),
        ("guitar.compressor.makeup_db", 4.0, "makeup +4.0 dB (edited, was +0.0 dB)"),
        ("master.gain_db", -9.0, "gain -9.0 dB (edited, was"),
    ],
)
def test_an_edit_is_described_with_what_it_was(address, value, words):
    plan = change_setting(planned(session_of(apart())), address, lambda _: value)
    (action,) = (action for action in actions(plan) if action.edited)
    assert words in describe_action(plan, action)


def test_a_band_that_was_taken_out_is_said_to_be_removed():
    from automix.plan.settings import EqualizerSettings

    plan = planned(session_of(apart()), "rules", "full")
    assert plan.strip("hats").equalizer.bands
    plan = plan.with_strip("hats", equalizer=EqualizerSettings())
    gone = [a for a in actions(plan) if a.owner == "hats" and a.part == "equalizer"]
    assert gone
    assert all("removed; was" in describe_action(plan, action) for action in gone)


def test_names_with_dots_and_of_others_keep_their_own_reasons():
    names = {"bass": "a", "lead vocal": "a.pan", "guitar": "a.pan.fader_db", "hats": "b"}
    session = session_of({names[name]: track for name, track in apart().items()})
    plan = planned(session)
    for name in names.values():
        levels = [a for a in actions(plan) if a.owner == name and a.part == "level"]
        found = [s.address for a in levels for s in a.settings]
        assert found == [f"{name}.input_gain_db", f"{name}.fader_db"]


def test_a_removed_track_and_who_still_makes_way_for_it():
    plan = planned(session_of(apart()), "rules", "full")
    way = replace(
        plan.decisions[0],
        setting="guitar.equalizer.bands.1.gain_db",
        reason="gives way to hats, for which this band is essential",
    )
    left = replace(
        plan,
        tracks=tuple(strip for strip in plan.tracks if strip.name != "hats"),
        decisions=(*plan.decisions, way),
    )
    (removed,) = find_removed_tracks(left)
    assert removed.name == "hats"
    assert removed.makes_way == ("guitar.equalizer.bands.1.gain_db",)
    fader = next(d for d in plan.decisions if d.setting == "hats.fader_db")
    assert removed.fader_db == fader.value
    # The rules bring every track to −23 LUFS, and its crest factor's correction.
    assert -28 < removed.lufs < -18
    assert find_removed_tracks(plan) == ()


LINE = Ride(times_s=(1.0, 2.0, 65.5, 66.0), values=(0.0, -3.0, -3.0, 2.0))
WORDS = "fader -3.0 … +2.0 dB in 4 points, at most 10 dB/s; +5.0 dB at 1:05.5, -3.0 dB at 0:01.0"


def ridden(farthest=None, line=LINE):
    """A plan with a ride of the lead's fader, and a rule's reason for one that goes so far."""
    plan = planned(session_of(apart())).with_strip("lead vocal", rides=(line,))
    if farthest is None:
        return plan
    why = Decision(
        setting="lead vocal.rides.1",
        value=farthest,
        rule="vocal rider",
        reason="keeps the voice in its place",
        figures=(("phrases", 4.0),),
    )
    return replace(plan, decisions=(*plan.decisions, why))


def rides_of(plan):
    return [action for action in actions(plan) if action.part == "ride"]


def test_a_ride_that_a_rule_drew_has_its_reason():
    plan = MixPlan.from_toml(dumps(ridden(3.0)))
    (action,) = rides_of(plan)
    assert (action.owner, action.rule, action.figures) == (
        "lead vocal",
        "vocal rider",
        (("phrases", 4.0),),
    )
    assert not any(action.edited for action in actions(plan))
    assert describe_action(plan, action) == WORDS


def test_a_ride_without_a_reason_was_drawn_by_hand():
    plan = ridden()
    (action,) = rides_of(plan)
    assert (action.rule, action.edited) == ("by hand", True)
    assert action.settings[0].address == "lead vocal.rides.fader_db"
    assert describe_action(plan, action) == WORDS
    gain = replace(LINE, setting="gain_db")
    plan = replace(plan, master=replace(plan.master, rides=(gain,)))
    assert [action.owner for action in rides_of(plan)] == ["lead vocal", "master"]


def test_a_ride_that_goes_further_than_its_reason_says_was_edited():
    plan = ridden(1.5)
    (action,) = rides_of(plan)
    assert (action.rule, action.edited) == ("vocal rider", True)
    assert describe_action(plan, action) == f"{WORDS} (edited, went as far as 1.5 dB)"
    gone = ridden(1.5).with_strip("lead vocal", rides=())
    (action,) = rides_of(gone)
    assert describe_action(gone, action) == "removed; was 1.5"
