"""What moved a network's advice: against finite differences, and adding up to the advice."""

from dataclasses import replace

import pytest
import torch

from automix.consoles.exact import ExactConsole
from automix.explanation.method import settings_without
from automix.explanation.network import Listener, encode_patches, open_controller
from automix.methods.stems.dmc_hearing import summarize_tracks
from automix.methods.stems.hearing import hear_stems
from automix.networks.dmc import combine_opinions
from automix.networks.dmc_description import DmcDescription
from automix.networks.encoders import FACTS
from tests.explanation.conftest import apart, planned, session_of


@pytest.fixture(scope="module", params=["basic", "full"])
def listening(request):
    session = session_of(apart())
    plan = planned(session, "dmc", request.param)
    network = open_controller(plan, "", "cpu")
    return plan, Listener(network, session, hear_stems(session)), network


@torch.no_grad()
def advice_lu(listener, network, summaries, name):
    """The advised level of a track, computed without the code under test."""
    said = combine_opinions(
        torch.stack([member.predict_song(list(summaries.values())) for member in network.members])
    )
    levels_lu = 12.0 * said[:, 0]
    return float((levels_lu - levels_lu.mean())[list(summaries).index(name)])


def test_patches_are_described_as_the_encoder_is_given_them(listening):
    _, listener, network = listening
    session = session_of(apart())
    given = summarize_tracks(session, hear_stems(session), network.description)
    for name, summary in zip(listener.summaries, given, strict=True):
        again = encode_patches(
            listener.patches(name), listener.summaries[name][-len(FACTS) :], True
        )
        assert torch.allclose(again.float(), summary, atol=1e-5)


@pytest.mark.parametrize("name", ["bass", "lead vocal"])
def test_saliency_is_the_gradient(listening, name):
    _, listener, network = listening
    found = listener.saliency(name)
    patches = listener.patches(name)
    facts = listener.summaries[name][-len(FACTS) :]
    step = 1e-4
    places = listener.places(name, len(patches))
    for patch, frame, band in ((0, 10, 5), (1, 50, 30), (len(patches) - 1, 80, 60)):
        levels = []
        for sign in (1, -1):
            moved = patches.clone()
            moved[patch, frame, band] += sign * step
            summaries = listener.summaries | {name: encode_patches(moved, facts, True)}
            with torch.no_grad():
                levels.append(advice_lu(listener, network, summaries, name))
        slope = abs(levels[0] - levels[1]) / (2 * step)
        column = places[patch] * 96 + frame
        assert found.own[column, band] == pytest.approx(slope, rel=1e-3, abs=1e-12)


def test_facts_spectrum_and_others_add_up_to_the_advice(listening):
    _, listener, network = listening
    hearing = listener.hearing()
    for name, heard in hearing.tracks.items():
        level, *_ = heard.said
        assert level.value == pytest.approx(
            advice_lu(listener, network, listener.summaries, name), abs=1e-6
        )
        parts = dict(level.parts)
        assert sum(parts.values()) == pytest.approx(level.value, abs=0.02)
        assert parts["for any track"] == pytest.approx(0.0, abs=1e-9)


def test_the_advice_is_the_plans(listening):
    plan, listener, _ = listening
    reasons = {d.setting: d.reason for d in plan.decisions}
    for name, heard in listener.hearing().tracks.items():
        said_lu = heard.said[0].value
        if said_lu:
            assert f"{said_lu:+.1f} LU by the network" in reasons[f"{name}.fader_db"]


def test_a_fact_that_changes_moves_its_own_part(listening):
    """A peakier track: what its crest factor contributes moves, and by most of all."""
    _, listener, _ = listening
    before = dict(listener.hearing().tracks["guitar"].said[0].parts)
    kept = listener.summaries["guitar"]
    changed = kept.clone()
    changed[-len(FACTS)] += 10.0
    listener.summaries["guitar"] = changed
    after = dict(listener.hearing().tracks["guitar"].said[0].parts)
    listener.summaries["guitar"] = kept
    moved = {part: abs(after[part] - before[part]) for part in before}
    assert max(moved, key=moved.get) == "crest factor"


def test_the_saliency_map_lies_in_time_and_has_gaps_where_nothing_is_heard():
    tracks = apart()
    role, samples = tracks["guitar"]
    samples = samples.copy()
    samples[: 3 * 44100] = 0.0
    tracks["guitar"] = (role, samples)
    session = session_of(tracks)
    plan = planned(session, "dmc")
    listener = Listener(open_controller(plan, "", "cpu"), session, hear_stems(session))
    found = listener.saliency("guitar")
    assert found.own.shape == found.mel.shape == found.others.shape
    heard = ~torch.from_numpy(found.own).isnan().all(1)
    assert not heard[: 2 * 96].any()
    assert heard[4 * 96 :].all()
    assert 0.0 < found.own_share < 1.0


def test_other_weights_are_noted_and_nothing_is_made_up():
    session = session_of(apart())
    plan = replace(planned(session, "dmc"), weights="0" * 64)
    rerun = settings_without(ExactConsole(session), plan)
    assert "--weights" in rerun.notes[0]
    assert rerun.hearing is None
    assert rerun.moves == {}


def test_a_network_without_a_base_has_saliency_too():
    session = session_of(apart())
    heard = hear_stems(session)
    torch.manual_seed(0)
    from automix.networks.dmc import Dmc

    network = Dmc(DmcDescription(base="none", members=1)).double().eval()
    listener = Listener(network, session, heard)
    hearing = listener.hearing("bass")
    assert [said.output for said in hearing.tracks["bass"].said] == ["fader_db", "pan"]
    assert (hearing.saliency.own[:96] >= 0.0).all()
    assert set(listener.moves()) == set(heard)
