"""`explain` names the true cause in cases that are made so that it is known."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from automix.consoles.exact import ExactConsole
from automix.explanation.measuring import measure_mix
from automix.explanation.provenance import actions, describe_action
from automix.plan.address import change_setting
from automix.plan.rides import Ride
from automix.plan.settings import Bus, Send, SpaceSettings
from automix.session.tracks import Session
from tests.explanation.conftest import RATE, apart, noise, planned, session_of


def edited(plan, address, change):
    return change_setting(plan, address, lambda value: value + change)


def test_a_clean_mix_raises_no_alarm(clean, explained):
    found = explained(*clean)
    assert found.findings == ()
    assert all(track.cover.share < 0.1 for track in found.tracks)


@pytest.mark.parametrize("name", list(apart()))
def test_a_track_made_loud_is_named_first_with_the_edit(clean, explained, name):
    session, plan = clean
    first = explained(session, edited(plan, f"{name}.fader_db", 10.0)).findings[0]
    assert (first.kind, first.track) == ("loud", name)
    was = plan.strip(name).fader_db
    assert f"its fader was edited from {was:+.1f} dB to {was + 10:+.1f} dB" in first.sentence


@pytest.mark.parametrize("name", ["bass", "lead vocal"])
def test_a_track_made_quiet_is_named_first_with_the_edit(clean, explained, name):
    session, plan = clean
    first = explained(session, edited(plan, f"{name}.fader_db", -15.0)).findings[0]
    assert (first.kind, first.track) == ("quiet", name)
    assert "edited" in first.sentence


def test_how_far_over_the_others_is_the_level_of_the_edit(clean, explained):
    session, plan = clean
    before = {t.name: t.over_others_lu for t in explained(session, plan).tracks}
    after = explained(session, edited(plan, "bass.fader_db", 10.0))
    (bass,) = (t for t in after.tracks if t.name == "bass")
    assert bass.over_others_lu == pytest.approx(before["bass"] + 10.0, abs=0.05)


def test_an_input_gain_is_found_beside_the_fader(clean, explained):
    session, plan = clean
    was = plan.strip("guitar").input_gain_db
    first = explained(session, edited(plan, "guitar.input_gain_db", 9.0)).findings[0]
    assert first.track == "guitar"
    edit = f"its input gain was edited from {was:+.1f} dB to {was + 9:+.1f} dB"
    assert edit in first.sentence


def test_a_loud_recording_is_not_called_an_edit(explained):
    tracks = apart()
    tracks["guitar"] = ("guitar", noise(2000, 3500, 3, level=0.6))
    session = session_of(tracks)
    plan = planned(session, "mono")
    first = explained(session, plan).findings[0]
    assert (first.kind, first.track) == ("loud", "guitar")
    assert "edited" not in first.sentence


def covered(masker="guitar"):
    """A vocal from 300 Hz to 4 kHz, and 18 dB more noise over its upper half."""
    tracks = apart()
    tracks["lead vocal"] = ("lead vocal", noise(300, 4000, 2, level=0.05))
    tracks[masker] = (tracks[masker][0], noise(1270, 4400, 3, level=0.4))
    return tracks


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_a_covered_vocal_its_band_and_its_masker(explained, order):
    tracks = list(covered().items())
    session = session_of(dict(tracks[index] for index in order))
    found = explained(session, planned(session, "mono"))
    by_track = {finding.track: finding for finding in found.findings if finding.kind == "masked"}
    assert "mostly by guitar" in by_track["lead vocal"].sentence
    (vocal,) = (t for t in found.tracks if t.name == "lead vocal")
    # Strong noise reaches a little beyond its own edges, upwards more than downwards.
    assert 900 < vocal.cover.low_hz <= 1270
    assert 4000 <= vocal.cover.high_hz <= 6400
    assert vocal.cover.masker == "guitar"


def test_the_masker_is_who_sounds_there_not_who_is_called_guitar(explained):
    session = session_of(covered("hats"))
    found = explained(session, planned(session, "mono"))
    assert any(f.track == "lead vocal" and "mostly by hats" in f.sentence for f in found.findings)


def test_the_ratio_is_that_of_the_levels():
    """Equal noises of known levels in one band: the ratio is the difference of the levels."""
    from automix.explanation.masking import cover, ear_weights, excitation, weights_of
    from automix.explanation.measuring import CellMeter

    cells = []
    for seed, level in ((1, 0.02), (2, 0.2)):
        meter = CellMeter(RATE)
        meter.add(np.tile(noise(1000, 2000, seed, level), (2, 1)))
        cells.append(meter.result())
    excited = excitation(cells[1])
    found = cover(cells[0], weights_of(cells[0], ear_weights(RATE)), excited, {"other": excited})
    assert found.share == pytest.approx(1.0, abs=0.02)
    # Excitation also spreads between the bands, by which the masker gains 1 to 2 dB.
    assert found.ratio_db == pytest.approx(-21.5, abs=1.5)


def test_opposite_sides_do_not_cover_each_other(explained):
    same = {
        "lead vocal": ("lead vocal", noise(500, 2000, 1)),
        "guitar": ("guitar", noise(500, 2000, 2, level=0.2)),
    }
    session = session_of(same)
    plan = planned(session, "mono")
    center = explained(session, plan).tracks[0].cover.share
    panned = change_setting(plan, "lead vocal.pan", lambda pan: 0.0)
    panned = change_setting(panned, "guitar.pan", lambda pan: 1.0)
    assert center > 0.6
    assert explained(session, panned).tracks[0].cover.share < 0.01


@pytest.mark.parametrize("name", list(apart()))
def test_a_muted_track_is_not_in_the_mix_and_what_it_would_add(clean, explained, name):
    session, plan = clean
    found = explained(session, change_setting(plan, f"{name}.mute", lambda mute: True))
    first = found.findings[0]
    assert (first.kind, first.track) == ("absent", name)
    assert "not in the mix: muted" in first.sentence
    assert "louder" in first.sentence
    (track,) = (t for t in found.tracks if t.name == name)
    whole = explained(session, plan)
    assert track.change.mix_lu == pytest.approx(whole.lufs - found.lufs, abs=0.02)
    (there,) = (t for t in whole.tracks if t.name == name)
    assert there.change.mix_lu == pytest.approx(-track.change.mix_lu, abs=0.02)
    low_hz, high_hz = {
        "bass": (20, 200), "lead vocal": (400, 1080), "guitar": (2000, 3700), "hats": (6400, 15500)
    }[name]  # fmt: skip
    assert low_hz <= track.change.low_hz
    assert track.change.high_hz <= high_hz


def test_a_muted_masker_is_what_would_cover_the_vocal(explained):
    session = session_of(covered())
    plan = change_setting(planned(session, "mono"), "guitar.mute", lambda mute: True)
    found = explained(session, plan)
    assert [finding.track for finding in found.findings if finding.kind == "masked"] == []
    (guitar,) = (t for t in found.tracks if t.name == "guitar")
    assert guitar.change.other == "lead vocal"
    assert guitar.change.other_after > guitar.change.other_before + 0.3


def test_a_track_taken_out_of_the_plan(clean, explained):
    session, plan = clean
    without = replace(plan, tracks=tuple(s for s in plan.tracks if s.name != "hats"))
    left = Session(tracks=tuple(t for t in session.tracks if t.name != "hats"))
    first = explained(left, without).findings[0]
    assert (first.kind, first.track) == ("absent", "hats")
    assert "taken out of the plan" in first.sentence


def test_what_makes_a_track_loud_ranks_above_those_that_it_covers(explained):
    tracks = apart()
    tracks["guitar"] = ("guitar", noise(350, 1100, 3))
    session = session_of(tracks)
    plan = edited(planned(session), "guitar.fader_db", 12.0)
    found = explained(session, plan).findings
    assert (found[0].kind, found[0].track) == ("loud", "guitar")
    masked = [f for f in found if f.kind == "masked"]
    assert [f.track for f in masked] == ["lead vocal"]
    assert "because guitar is so loud" in masked[0].sentence


def test_other_edits_are_found_and_unchanged_settings_are_not(clean, explained):
    session, plan = clean
    assert not any(action.edited for action in actions(plan))
    moved = change_setting(plan, "guitar.pan", lambda pan: 0.9)
    (finding,) = explained(session, moved).findings
    assert (finding.kind, finding.track) == ("edited", "guitar")
    assert "80 % right" in finding.sentence


def test_the_order_of_the_tracks_changes_nothing(clean, explained):
    session, plan = clean
    plan = edited(plan, "bass.fader_db", 8.0)
    turned = replace(plan, tracks=plan.tracks[::-1], decisions=plan.decisions[::-1])
    first, second = explained(session, plan), explained(session, turned)
    assert first.findings == second.findings
    assert first.tracks == second.tracks[::-1]


def test_a_track_without_which_there_is_nothing(explained):
    session = session_of({"solo": ("other", noise(200, 2000, 1))})
    (track,) = explained(session, planned(session, "mono")).tracks
    assert track.change.mix_lu == -np.inf
    assert track.cover.share == 0.0
    assert all(share in (0.0, pytest.approx(1.0)) for share in track.band_shares)


def test_silence_and_very_short_tracks(explained):
    session = session_of(
        {
            "nothing": ("other", np.zeros(900, np.float32)),
            "click": ("other", np.eye(1, 900, 400, dtype=np.float32)[0]),
        }
    )
    found = explained(session, planned(session, "mono"))
    assert {f.track for f in found.findings} == {"nothing", "click"}  # under 0.4 s: no loudness


def test_references_and_macros_are_shown_as_such(clean):
    from automix.plan.macro_changes import apply_macros
    from automix.plan.macros import Macros
    from automix.plan.writer import PlanWriter

    writer = PlanWriter(clean[1])
    apply_macros(writer, Macros(vocals_db=2.0))
    (macro,) = (action for action in actions(writer.plan) if action.rule == "macro")
    assert macro.owner == "lead vocal"
    assert "--vocals +2" in macro.reason
    assert "level" in macro.reason  # and what it was before
    assert not macro.edited
    assert describe_action(writer.plan, macro).startswith("fader ")


def test_a_ride_by_hand_is_found_in_words(clean, explained):
    session, plan = clean
    ride = Ride(times_s=(1.0, 3.0), values=(0.0, -4.0))
    pan = Ride(setting="pan", times_s=(1.0, 3.0), values=(0.5, 0.8))
    told = explained(session, plan.with_strip("bass", rides=(ride, pan))).findings
    assert {finding.sentence for finding in told} == {
        "bass: its fader is ridden by hand, by up to 4.0 dB",
        "bass: its pan is ridden by hand, by up to 60 %",
    }


def test_loudness_is_that_of_the_ridden_track(clean, explained):
    session, plan = clean
    before = {track.name: track.lufs for track in explained(session, plan).tracks}
    ridden = plan.with_strip("guitar", rides=(Ride(values=(9.0,)),))
    first = explained(session, ridden)
    lufs = {track.name: track.lufs for track in first.tracks}
    assert lufs["guitar"] == pytest.approx(before["guitar"] + 9.0, abs=0.01)
    assert lufs["bass"] == pytest.approx(before["bass"], abs=0.01)
    loud = next(finding for finding in first.findings if finding.kind == "loud")
    assert "its fader is at" in loud.sentence
    assert loud.sentence.endswith(", ridden by up to 9.0 dB")


def test_a_return_goes_with_the_tracks_that_are_sent_to_it_as_they_are_ridden():
    """The hats' send is closed by its ride, so that the guitar takes the whole return along."""
    names = ("guitar", "hats")
    session = session_of({name: apart()[name] for name in names})
    bus = Bus(name="room", space=SpaceSettings(decay=0.3, wet=1.0), gain_db=6.0)
    closed = Ride(setting="sends.1.gain_db", values=(-60.0,))
    plan = replace(planned(session), buses=(bus,))
    for name, rides in zip(names, ((), (closed,)), strict=True):
        plan = plan.with_strip(name, sends=(Send(bus="room"),), rides=rides)
    measured = measure_mix(ExactConsole(session), plan)
    alone = measure_mix(ExactConsole(session), plan.with_strip("hats", sends=(), rides=()))
    dry = alone.signals["guitar"].changed_lufs
    assert measured.signals["guitar"].changed_lufs == pytest.approx(dry, abs=0.05)
    opened = measure_mix(ExactConsole(session), plan.with_strip("hats", rides=()))
    assert opened.signals["guitar"].changed_lufs > dry + 0.3
