"""Reverb, room, delay and parallel compression: as rendered, and as the plan says."""

import numpy as np
import pytest

from automix.explanation.provenance import actions
from automix.library import mix_session
from automix.methods.stems.sends import PARALLEL_BELOW_DRUMS_LU, SENDS_DB, _fold_tempo
from automix.methods.stems.settings import StemsRules
from automix.mixing.request import StemsRequest
from automix.plan.address import look_up
from automix.plan.roles import ROLE_FAMILIES
from automix.units import gain_to_db
from tests.methods.raw_songs import (
    RATE,
    SECONDS,
    beat_song,
    flows,
    hits,
    lufs,
    noise,
    notes,
    session_of,
    written,
)

RULES = StemsRules()
SPACES = {
    "reverb": RULES.sends_below_mix_lu,
    "room": RULES.room_below_mix_lu,
    "delay": RULES.delay_below_mix_lu,
}


def buses_of(plan):
    return {bus.name: bus for bus in plan.buses}


def drums_of(tracks):
    return [name for name, (role, _) in tracks.items() if ROLE_FAMILIES[role] == "drums"]


@pytest.fixture(scope="module")
def song():
    """A song, its full plan and the channels and returns of that, rendered."""
    tracks = beat_song()
    session = session_of(tracks)
    plan = written(session, mode="full")
    return tracks, session, plan, flows(session, plan)


def test_a_song_with_a_tempo_has_all_four_buses(song):
    *_, plan, _ = song
    assert set(buses_of(plan)) == {"reverb", "room", "delay", "drum compression"}


def test_each_return_is_as_far_below_the_mix_as_asked(song):
    *_, flow = song
    mix_lufs = lufs(flow.sum())
    for name, below_lu in SPACES.items():
        assert mix_lufs - lufs(flow.returns[name]) == pytest.approx(below_lu, abs=0.3), name


def test_other_distances_are_heard():
    session = session_of(beat_song())
    asked = {"sends_below_mix_lu": 12.0, "room_below_mix_lu": 20.0, "delay_below_mix_lu": 30.0}
    flow = flows(session, written(session, mode="full", no_tone=True, no_width=True, **asked))
    mix_lufs = lufs(flow.sum())
    for name, below_lu in zip(SPACES, asked.values(), strict=True):
        assert mix_lufs - lufs(flow.returns[name]) == pytest.approx(below_lu, abs=0.3), name


def test_parallel_compression_leaves_the_drums_as_loud_as_without(song):
    tracks, session, plan, flow = song
    drums = drums_of(tracks)
    dry = sum(flow.channels[name] for name in drums)
    pressed = flow.returns["drum compression"]
    narrow = {"no_tone": True, "no_width": True, "no_space": True}
    without = flows(session, written(session, **narrow))  # basic
    assert lufs(dry + pressed) == pytest.approx(
        lufs(sum(without.channels[name] for name in drums)), abs=0.4
    )
    below_lu = PARALLEL_BELOW_DRUMS_LU - gain_to_db(RULES.compression)
    assert lufs(dry) - lufs(pressed) == pytest.approx(below_lu, abs=0.2)
    assert lufs(dry) < lufs(dry + pressed) - 0.5


@pytest.mark.parametrize("decay_s", [0.06, 0.3], ids=["short", "ringing"])
def test_parallel_compression_makes_drums_denser(decay_s):
    """The return has a lower crest factor than the drums that it is made of, and so has the sum.

    Drums take some milliseconds to become loud, as those on skins do.
    """
    time = np.arange(int(RATE * SECONDS)) / RATE
    envelope = hits(0.8, decay_s) * (1.0 - np.exp(-(time % 0.8) / 0.003))
    late = np.roll(envelope, int(0.4 * RATE))
    tracks = {
        "kick": ("kick", 3.0 * noise(45, 120, 3) * envelope),
        "snare": ("snare", 2.0 * noise(180, 8000, 4) * late),
        "pad": ("pad", noise(250, 9000, 8)),
    }
    session = session_of(tracks)
    plan = written(session, mode="full", no_tone=True, no_width=True, no_space=True)
    flow = flows(session, plan)
    dry, wet = flow.channels["kick"] + flow.channels["snare"], flow.returns["drum compression"]
    crests = [20 * np.log10(np.abs(x).max() / x.std()) for x in (dry, dry + wet, wet)]
    assert crests[2] < crests[0] - 0.5
    assert crests[1] < crests[0] - 0.5


def test_only_drums_feed_the_parallel_bus_and_the_rest_is_sent_by_role(song):
    tracks, _, plan, _ = song
    for strip in plan.tracks:
        sends = {send.bus: send.gain_db for send in strip.sends}
        role = tracks[strip.name][0]
        assert ("drum compression" in sends) == (ROLE_FAMILIES[role] == "drums")
        for bus in SPACES:
            assert (bus in sends) == (role in SENDS_DB[bus])
            if bus in sends and ROLE_FAMILIES[role] != "drums":
                assert sends[bus] == SENDS_DB[bus][role]


def test_sends_of_drums_make_up_for_the_lower_faders(song):
    tracks, _, plan, _ = song
    for name in drums_of(tracks):
        reason = next(d.reason for d in plan.decisions if d.setting == f"{name}.fader_db")
        lower_db = float(reason.rpartition(" dB for the parallel")[0].rpartition(" ")[2])
        assert lower_db < -0.5
        for send in plan.strip(name).sends:
            usual = SENDS_DB.get(send.bus, {}).get(tracks[name][0], lower_db)
            assert send.gain_db == pytest.approx(usual - lower_db, abs=0.06)


def test_every_decision_is_the_value_of_the_plan_and_nothing_looks_edited(song):
    *_, plan, _ = song
    for decision in plan.decisions:
        assert look_up(plan, decision.setting)[1] == decision.value, decision.setting
    assert [action for action in actions(plan) if action.edited] == []
    assert [action.owner for action in actions(plan) if action.rule == "by hand"] == []


@pytest.mark.parametrize("preset", ["natural", "modern", "intimate"])
def test_no_preset_looks_edited(preset):
    mix = mix_session(session_of(beat_song()), StemsRequest(mode="full", preset=preset))
    for decision in mix.plan.decisions:
        assert look_up(mix.plan, decision.setting)[1] == decision.value, decision.setting
    edited = [a for a in actions(mix.plan) if a.edited or a.rule == "by hand"]
    assert edited == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reverb", "room", "delay", "drum compression"])
def test_buses_keep_out_of_the_way_of_tracks_of_their_name(name):
    tracks = beat_song()
    tracks[name] = tracks.pop("keys")
    session = session_of(tracks)
    plan = written(session, mode="full")
    names = [strip.name for strip in plan.tracks] + [bus.name for bus in plan.buses]
    assert len(set(names)) == len(names) == len(tracks) + 4
    assert f"{name} bus" in names
    flow = flows(session, plan)
    assert np.isfinite(flow.sum()).all()
    for decision in plan.decisions:
        assert look_up(plan, decision.setting)[1] == decision.value
    below_lu = lufs(flow.sum()) - lufs(flow.returns["room bus" if name == "room" else "room"])
    assert below_lu == pytest.approx(RULES.room_below_mix_lu, abs=0.3)


def beat(period_s):
    """A lead over hits at a tempo."""
    return {
        "lead": ("lead vocal", noise(200, 6000, 1, 12.0) * notes(1, seconds=12.0)),
        "drums": ("drums", noise(50, 9000, 2, 12.0) * hits(period_s, 0.04, seconds=12.0)),
    }


@pytest.mark.parametrize(
    ("bpm", "told", "note", "time_ms"),
    [
        (149, 149, "1/4", 402.7),
        (160, 80, "1/8", 375.0),
        (100, 100, "1/8", 300.0),
        (170, 85, "1/8", 352.9),
    ],
)
def test_echoes_and_reverb_follow_the_tempo_folded_into_75_to_150_bpm(bpm, told, note, time_ms):
    """RT = −T/45 + 40/9 of the folded tempo; the figure is the tempo as it was measured."""
    plan = written(session_of(beat(60 / bpm)), mode="full", no_tone=True, no_width=True)
    assert buses_of(plan)["delay"].delay.time_ms == pytest.approx(time_ms, rel=0.01)
    decision = next(d for d in plan.decisions if d.setting == "delay.delay.time_ms")
    assert decision.reason.startswith(f"{note} at {told}")
    assert dict(decision.figures)["tempo_bpm"] == pytest.approx(bpm, rel=0.01)
    time_s = buses_of(plan)["reverb"].reverb.reverberation_time_s
    assert time_s == pytest.approx((200 - told) / 45, abs=0.02)


def test_the_folded_tempo_is_the_same_music():
    """Whatever is measured comes into 75…150 BPM by halves and doubles, and stays if it is."""
    for bpm in np.geomspace(20.0, 400.0, 200):
        folded = _fold_tempo(bpm)
        assert 75.0 <= folded <= 150.0
        octaves = np.log2(folded / bpm)
        assert octaves == pytest.approx(round(octaves), abs=1e-9)
        if 75.0 <= bpm <= 150.0:
            assert folded == bpm


def test_echoes_come_after_the_note_that_the_plan_says():
    """A click in the lead, and when the return of the delay is loudest."""
    tracks = beat(0.4)
    session = session_of(tracks)
    plan = written(session, mode="full", no_tone=True, no_width=True)
    click = np.zeros_like(tracks["lead"][1])
    click[22050] = 1.0
    probe = session_of(tracks | {"lead": ("lead vocal", click)})
    bus = buses_of(plan)["delay"]
    echo = np.abs(flows(probe, plan).returns["delay"]).max(axis=0)
    assert np.argmax(echo) - 22050 == pytest.approx(bus.delay.time_ms * 22.05, abs=60)


def test_without_a_lead_there_are_no_echoes_and_without_drums_no_room():
    song = beat_song()
    instruments = {name: track for name, track in song.items() if name not in ("lead", "backing")}
    assert "delay" not in buses_of(written(session_of(instruments), mode="full"))
    soft = {name: song[name] for name in ("lead", "keys", "pad")}
    found = set(buses_of(written(session_of(soft), mode="full")))
    assert "room" not in found
    assert "drum compression" not in found
    assert "reverb" in found


def test_distances_beyond_hearing_leave_a_bus_out():
    far = {"room_below_mix_lu": 60.0, "delay_below_mix_lu": 60.0}
    plan = written(session_of(beat_song()), mode="full", **far)
    assert set(buses_of(plan)) == {"reverb", "drum compression"}
