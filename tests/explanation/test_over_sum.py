"""A track against the sum of all others: as measured on rendered stems, and what is said of it."""

import numpy as np
import pytest

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.consoles.exact import ExactConsole, apply_master
from automix.mixing.premaster import premaster
from tests.explanation.conftest import RATE, SECONDS, apart, noise, planned, session_of


def lufs(samples):
    meter = LoudnessMeter(RATE, 2)
    meter.add(samples.astype(np.float32))
    return integrated_lufs(meter.energies)


def measured_lu(session, plan):
    """By track: loudness of its stem in the finished mix over that of the sum of all others."""
    console = ExactConsole(session)
    summed = premaster(console, plan).source
    stems = {
        strip.name: np.concatenate(list(console.stem(plan, strip.name, summed).blocks()), axis=1)
        for strip in plan.tracks
        if not strip.mute
    }
    mix = np.concatenate(list(apply_master(summed, plan.master).blocks()), axis=1)
    return {name: lufs(stem) - lufs(mix - stem) for name, stem in stems.items()}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lead vocal": {"fader_db": 12.0}, "hats": {"fader_db": -15.0}},
        {"guitar": {"mute": True}, "bass": {"pan": 0.2}},
    ],
)
def test_it_is_that_of_the_rendered_stems(clean, explained, changes):
    session, plan = clean
    for name, settings in changes.items():
        plan = plan.with_strip(name, **settings)
    found = {t.name: t for t in explained(session, plan).tracks}
    for name, over_lu in measured_lu(session, plan).items():
        assert found[name].over_sum_lu == pytest.approx(over_lu, abs=0.1), name


def test_that_of_the_lead_is_what_the_rules_aim_at(clean, explained):
    session, plan = clean
    (lead,) = (t for t in explained(session, plan).tracks if t.role == "lead vocal")
    assert lead.over_sum_lu == pytest.approx(-2.5, abs=0.1)


@pytest.mark.parametrize(
    ("lead_lu", "kind"), [(-9.0, "quiet"), (-6.0, None), (-2.5, None), (0.0, None), (2.0, "loud")]
)
def test_a_lead_is_judged_against_the_sum(explained, lead_lu, kind):
    """Nothing is said of one that lies as leads of finished songs do."""
    session = session_of(apart())
    plan = planned(session, lead_above_rest_lu=lead_lu)
    found = [f for f in explained(session, plan).findings if f.track == "lead vocal"]
    assert [f.kind for f in found] == ([kind] if kind else [])
    if kind:
        word = {"loud": "louder", "quiet": "softer"}[kind]
        assert f"{abs(lead_lu):.1f} LU {word} than all other tracks together" in found[0].sentence


@pytest.mark.parametrize("other", [None, np.zeros(RATE * SECONDS, np.float32)])
def test_a_lead_alone_is_not_compared(explained, other):
    tracks = {"lead vocal": apart()["lead vocal"]}
    if other is not None:
        tracks["nothing"] = ("guitar", other)
    session = session_of(tracks)
    found = explained(session, planned(session)).findings
    assert [f.kind for f in found if f.track == "lead vocal"] == []
    assert "inf" not in " ".join(f.sentence for f in found)


def test_a_double_of_the_lead_does_not_cover_it(explained):
    tracks = apart()
    tracks["double"] = ("lead vocal", noise(400, 1000, 12))
    session = session_of(tracks)
    found = explained(session, planned(session))
    leads = [t for t in found.tracks if t.role == "lead vocal"]
    assert len(leads) == 2
    assert all(t.cover.share < 0.1 for t in leads)
