"""Settings of the others when a track is left out: the method run again, by hand."""

import re
from dataclasses import replace

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole
from automix.demo import synthesize_demo
from automix.explanation.method import settings_without
from automix.session.roles.recognition import read_role
from automix.session.tracks import Session, Track
from tests.explanation.conftest import RATE, apart, noise, planned, session_of


def shifted(moves, track, setting="fader"):
    return sum(m.change for m in moves if (m.track, m.setting) == (track, setting))


@pytest.fixture(scope="module")
def peaky():
    """Two tracks with clicks, which change the median crest factor, and three steady ones."""
    tracks = apart()
    for name, seed in (("click", 5), ("clock", 6)):
        samples = noise(500, 9000, seed, level=0.003)
        samples[:: 44100 // 2] = 0.5
        tracks[name] = ("percussion", samples)
    return session_of(tracks)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["rules", "dmc"])
def test_moves_are_those_of_a_plan_without_the_track(peaky, method):
    plan = planned(peaky, method)
    rerun = settings_without(ExactConsole(peaky), plan)
    assert rerun.notes == ()
    left = Session(tracks=tuple(t for t in peaky.tracks if t.name != "click"))
    without = planned(left, method)
    told = rerun.moves["click"]
    for strip in without.tracks:
        change_db = strip.fader_db - plan.strip(strip.name).fader_db
        expected = pytest.approx(change_db, abs=1e-3)
        assert (shifted(told, strip.name) == expected) or abs(change_db) < 0.1
    assert any(abs(move.change) > 0.1 for move in told)
    assert all(move.track != "click" for move in told)


def demo_session():
    """A stretch of the demo."""
    return Session(
        tracks=tuple(
            Track(
                name=name,
                role=found.role if (found := read_role(name)) else "other",
                source=Audio(audio.samples[:, 8 * RATE : 16 * RATE], RATE),
            )
            for name, audio in synthesize_demo().tracks.items()
        )
    )


def widened(session, side=0.1):
    """With as much of each track on one side more as stems have that were mixed before."""
    tracks = []
    for track in session.tracks:
        (mono,) = collect(track.source).samples[:1]
        sides = np.stack([mono, mono]) + side * np.stack([mono, -mono])[:, ::-1]
        tracks.append(replace(track, source=Audio(sides.astype(np.float32), RATE)))
    return Session(tracks=tuple(tracks))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("side", "processed_side_db"), [(0.0, -19.0), (0.1, -19.0), (0.1, -17.5), (0.1, 0.0)]
)
def test_cuts_move_with_the_track_that_they_are_for(side, processed_side_db):
    """Each cut of the plan is found, and changes without that track; at any rawness."""
    session = widened(demo_session(), side) if side else demo_session()
    plan = planned(session, "rules", "full", processed_side_db=processed_side_db)
    cuts = [decision for decision in plan.decisions if decision.rule == "unmasking"]
    moves = settings_without(ExactConsole(session), plan).moves
    assert cuts
    for cut in cuts:
        owner = cut.setting.split(".")[0]
        masked = re.fullmatch("gives way to (.*), for which .*", cut.reason.split(";")[0]).group(1)
        setting = f"cut at {dict(cut.figures)['center_hz']:g} Hz"
        (move,) = (m for m in moves[masked] if (m.track, m.setting) == (owner, setting))
        assert move.before == pytest.approx(cut.value, abs=1e-4)
        assert move.after > move.before


def test_a_plan_of_other_constants_is_noted():
    session = session_of(apart())
    plan = planned(session)
    decisions = tuple(
        replace(d, value=d.value + 1.0) if d.setting == "bass.fader_db" else d
        for d in plan.decisions
    )
    rerun = settings_without(ExactConsole(session), replace(plan, decisions=decisions))
    assert "bass.fader_db" in rerun.notes[0]


def test_methods_that_cannot_be_run_again_say_nothing():
    session = session_of(apart())
    assert settings_without(ExactConsole(session), planned(session, "mono")).moves == {}
