"""Macro controls: what is asked for is what is heard, and the plan says so."""

from dataclasses import replace

import numpy as np
import pytest

from automix.analysis.features import measure_features
from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole
from automix.mixing.candidates import SPREADS, draw_candidates
from automix.mixing.spine import render_plan
from automix.plan.macro_changes import apply_macros
from automix.plan.macros import Macros
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import Bus, ChannelStrip, FdnReverbSettings, Send
from automix.plan.writer import PlanWriter
from automix.session.tracks import Session, Track

RATE = 44100
VOX, KEYS = (
    np.random.default_rng(seed).normal(size=(1, 3 * RATE)).astype(np.float32) * np.float32(0.02)
    for seed in (1, 2)
)
SESSION = Session(
    tracks=(
        Track(name="vox", role="lead vocal", source=Audio(VOX, RATE)),
        Track(name="keys", role="keys", source=Audio(KEYS, RATE)),
    )
)
HALL = Bus(name="hall", reverb=FdnReverbSettings(reverberation_time_s=1.0, dry_wet=1.0))
PLAN = MixPlan(
    sample_rate_hz=RATE,
    tracks=(
        ChannelStrip(name="vox", role="lead vocal", sends=(Send(bus="hall", gain_db=-10.0),)),
        ChannelStrip(name="keys", role="keys", pan=0.3, fader_db=-2.0),
    ),
    buses=(HALL,),
)


def with_macros(plan=PLAN, **values):
    writer = PlanWriter(plan)
    apply_macros(writer, Macros(**values))
    return writer


def stem_lufs(plan, name):
    console = ExactConsole(SESSION)
    stem = console.stem(plan, name, console.premaster(plan))
    meter = LoudnessMeter(RATE, 2)
    meter.add(collect(stem).samples)
    return integrated_lufs(meter.energies)


def test_vocals_are_as_much_louder_as_asked_with_their_reverb():
    louder = with_macros(vocals_db=2.0).plan
    assert stem_lufs(louder, "vox") - stem_lufs(PLAN, "vox") == pytest.approx(2.0, abs=1e-3)
    assert stem_lufs(louder, "keys") == stem_lufs(PLAN, "keys")


def test_no_reverb_is_a_dry_mix():
    def mixed(plan):
        return render_plan(SESSION, plan).audio.samples[:, : 3 * RATE]

    dry = mixed(replace(PLAN.with_strip("vox", sends=()), buses=()))
    least = mixed(with_macros(reverb_percent=-100.0).plan)
    wet = mixed(PLAN)
    assert np.abs(least - dry).max() < 2e-3 * np.abs(wet - dry).max()


@pytest.mark.parametrize(("percent", "factor"), [(50.0, 1.5), (-30.0, 0.7)])
def test_reverb_scales_its_amplitude(percent, factor):
    changed = with_macros(reverb_percent=percent).plan.bus("hall").gain_db
    assert 10 ** ((changed - HALL.gain_db) / 20) == pytest.approx(factor)


def test_width_moves_tracks_from_the_center():
    plan = with_macros(width_percent=50.0).plan
    assert plan.strip("keys").pan == pytest.approx(0.2)
    assert plan.strip("vox").pan == 0.5
    assert with_macros(width_percent=-100.0).plan.strip("keys").pan == 0.5
    assert with_macros(width_percent=300.0).plan.strip("keys").pan == 0.0


def test_width_moves_the_points_of_rides():
    ride = Ride(setting="pan", times_s=(0.0, 1.0, 2.0), values=(0.1, 0.5, 0.7))
    plan = PLAN.with_strip("keys", rides=(Ride(values=(1.0,)), ride))
    writer = with_macros(plan, width_percent=50.0)
    line, moved = writer.plan.strip("keys").rides
    assert line == Ride(values=(1.0,))
    assert moved.values == pytest.approx((0.0, 0.5, 0.8))  # no further than the end
    assert writer.plan.strip("keys").pan == pytest.approx(0.2)
    decision = writer.decision("keys.rides.2")
    assert (decision.rule, decision.value) == ("macro", pytest.approx(0.6))
    assert writer.warnings == []
    center = plan.with_strip("keys", pan=0.5, rides=(replace(ride, values=(0.5, 0.5, 0.5)),))
    assert "in the center" in with_macros(center, width_percent=50.0).warnings[0]


def test_vocals_move_with_their_ride():
    plan = PLAN.with_strip("vox", rides=(Ride(times_s=(0.0, 1.0), values=(-6.0, 3.0)),))
    louder = with_macros(plan, vocals_db=2.0).plan
    assert louder.strip("vox").rides == plan.strip("vox").rides
    assert stem_lufs(louder, "vox") - stem_lufs(plan, "vox") == pytest.approx(2.0, abs=1e-3)


def test_brightness_is_measured_above_4_khz():
    def bands(plan):
        audio = render_plan(SESSION, plan).audio
        return measure_features(audio).third_octaves_db

    change = bands(with_macros(brightness_db=3.0).plan) - bands(PLAN)
    assert change[27] == pytest.approx(3.0, abs=0.2)  # 12.5 kHz
    assert change[17] == pytest.approx(0.0, abs=0.2)  # 1.25 kHz


def test_the_plan_keeps_why_it_was_what_it_was():
    writer = PlanWriter(PLAN)
    writer.set("vox", "fader_db", 1.0, "level", "the lead", lufs=-20.0)
    apply_macros(writer, Macros(vocals_db=2.0))
    decision = writer.decision("vox.fader_db")
    assert decision.rule == "macro"
    assert decision.value == 3.0
    assert "--vocals +2" in decision.reason
    assert "before: 1, level: the lead" in decision.reason
    assert dict(decision.figures) == {"lufs": -20.0}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"vocals_db": 1.0}, "no track is a vocal"),
        ({"reverb_percent": 10.0}, "has no reverb"),
        ({"width_percent": 10.0}, "in the center"),
    ],
)
def test_a_macro_with_nothing_to_change_says_so(values, message):
    plain = MixPlan(sample_rate_hz=RATE, tracks=(ChannelStrip(name="keys", role="keys"),))
    writer = with_macros(plain, **values)
    assert writer.plan == plain
    assert message in writer.warnings[0]


def test_candidates_begin_with_the_mix_and_are_far_apart():
    drawn = draw_candidates(PLAN, 5, seed=1)
    assert drawn[0] == Macros()
    assert drawn == draw_candidates(PLAN, 5, seed=1) != draw_candidates(PLAN, 5, seed=2)
    positions = [
        [getattr(macros, name) / high for name, (_, high) in SPREADS.items()] for macros in drawn
    ]
    for n, first in enumerate(positions):
        for second in positions[:n]:
            assert np.linalg.norm(np.subtract(first, second)) > 1.0
    for macros in drawn:
        for name, (low, high) in SPREADS.items():
            assert low <= getattr(macros, name) <= high


def test_candidates_leave_alone_what_changes_nothing():
    plain = MixPlan(sample_rate_hz=RATE, tracks=(ChannelStrip(name="keys", role="keys"),))
    drawn = draw_candidates(plain, 4, seed=0)
    assert {macros.brightness_db for macros in drawn} != {0.0}
    assert all(replace(macros, brightness_db=0.0) == Macros() for macros in drawn)
