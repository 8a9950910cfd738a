"""Methods bring raw takes in line, say why, and leave finished stems and baselines alone."""

import numpy as np
import pytest

from automix.audio.samples import Audio
from automix.errors import PlanError
from automix.library import mix_session
from automix.methods.stems.alignment import RULE, apply_arrival
from automix.mixing.request import StemsRequest
from automix.plan.settings import ChannelStrip
from automix.session.tracks import Session, Track
from tests.analysis.microphones import record_kit

RATE = 22_050


@pytest.fixture(scope="module")
def kit():
    return record_kit(8, RATE, 16.0, room=False)


def session_of(kit, **others):
    tracks = (
        Track(name=name, role=kit.roles[name], source=others.get(name, source))
        for name, source in kit.sources.items()
    )
    return Session(tracks=tuple(tracks))


def mixed(session, method="rules", mode="basic", **options):
    return mix_session(session, StemsRequest(method=method, mode=mode, **options))


@pytest.mark.parametrize(
    ("method", "mode"), [("rules", "basic"), pytest.param("dmc", "full", marks=pytest.mark.slow)]
)
def test_a_raw_kit_is_brought_in_line_with_reasons(kit, method, mode):
    plan = mixed(session_of(kit), method, mode).plan
    reasons = {d.setting: d for d in plan.decisions if d.rule == RULE}
    for name, early in kit.early.items():
        strip = plan.strip(name)
        assert strip.delay_ms == pytest.approx(1000 * early / RATE, abs=1001 / RATE)
        assert strip.invert_polarity == (name in kit.inverted)
        assert "before overheads" in reasons[f"{name}.delay_ms"].reason
        assert dict(reasons[f"{name}.delay_ms"].figures)["windows"] >= 4
    assert {d.split(".")[0] for d in reasons if d.endswith("polarity")} == kit.inverted
    assert {s.delay_ms for s in plan.tracks if s.name == "overheads"} == {0.0}


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("rules", {"as_recorded": True}),
        ("equal-loudness", {}),
        ("random", {}),
        ("mono", {}),
    ],
)
def test_as_recorded_and_baselines_leave_the_takes(kit, method, options):
    for strip in mixed(session_of(kit), method, **options).plan.tracks:
        assert (strip.delay_ms, strip.invert_polarity) == (0.0, False)


def test_finished_stems_are_left_alone(kit):
    """The same drums, each with the width that a mix gives its tracks."""
    rng = np.random.default_rng(1)
    wide = {
        name: Audio(
            np.stack([source.samples[0], np.roll(source.samples[0], rng.integers(30, 90))]), RATE
        )
        for name, source in kit.sources.items()
    }
    for strip in mixed(session_of(kit, **wide)).plan.tracks:
        assert (strip.delay_ms, strip.invert_polarity) == (0.0, False)


@pytest.mark.parametrize("strip", [{}, {"invert_polarity": True}, {"delay_ms": 1000 * 30 / RATE}])
def test_what_is_summed_by_ear_has_polarity_and_delay(strip):
    samples = np.random.default_rng(2).standard_normal((1, 5_000)).astype(np.float32)
    source = apply_arrival(Audio(samples, RATE), ChannelStrip(name="a", **strip))
    heard = np.concatenate(list(source.blocks()), axis=1)
    wanted = -samples if "invert_polarity" in strip else samples
    if "delay_ms" in strip:
        wanted = np.concatenate([np.zeros((1, 30)), samples[:, :-30]], axis=1)
    assert np.array_equal(heard, wanted)


def test_a_late_track_is_reported_and_not_moved():
    rng = np.random.default_rng(3)
    beats = np.cumsum(rng.choice([0.2, 0.3, 0.35, 0.5, 0.7], 60))
    tracks = []
    for role in ("percussion", "bass", "guitar", "keys"):
        signal = 0.001 * rng.standard_normal(22 * RATE)
        for beat in beats[(beats < 20.0) & (rng.random(60) < 0.8)]:
            at = round((beat + (0.4 if role == "keys" else 0.0)) * RATE)
            hit = rng.standard_normal(3_000) * np.exp(-np.arange(3_000) / 900)
            signal[at : at + 3_000] += 0.3 * hit
        audio = Audio(signal[None].astype(np.float32), RATE)
        tracks.append(Track(name=role, role=role, source=audio))
    session = Session(tracks=tuple(tracks))
    mix = mixed(session)
    (warning,) = [w for w in mix.warnings if "onsets come" in w]
    assert warning.startswith("keys: its onsets come 0.40 s late")
    assert mix.plan.strip("keys").start_s == 0.0
    others = {f"{name}.start_s=0.4" for name in ("percussion", "bass", "guitar")}
    repaired = mixed(session, changes=tuple(sorted(others)))
    assert not [w for w in repaired.warnings if "onsets come" in w]
    assert [strip.start_s for strip in repaired.plan.tracks] == [0.4, 0.4, 0.4, 0.0]
    assert repaired.session.frames == session.frames + round(0.4 * RATE)
    with pytest.raises(PlanError, match="start_s"):
        mixed(session, changes=("keys.start_s=-0.4",))
