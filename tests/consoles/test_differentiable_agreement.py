"""The differentiable console renders what the exact one renders (console.md: −60 and −40 dB)."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.differentiable import DifferentiableConsole, from_plan, session_audio, to_plan
from automix.consoles.exact import ExactConsole, apply_master
from automix.errors import UsageError
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DelaySettings,
    GateSettings,
    SaturationSettings,
    Send,
    SpaceSettings,
    WidenerSettings,
)
from automix.plan.vector import ORDERS
from automix.session.tracks import Session, Track
from tests.consoles.differentiable_plans import (
    compressor,
    drawn,
    random_plan,
    random_session,
    with_rides,
)

RATE = 44_100
FRAMES = 22_050
NAMES = ("a", "b", "c", "d")


def exact_mix(session, plan):
    console = ExactConsole(session)
    return collect(apply_master(console.premaster(plan), plan.master)).samples.astype(np.float64)


def differentiable_mix(session, plan, frames):
    layout, values = from_plan(plan, session)
    audio = session_audio(session, layout, frames)
    with torch.no_grad():
        mix = DifferentiableConsole(session.sample_rate, layout).mix(audio, values)
    return mix[0].double().numpy()


def error_db(session, plan, frames=None):
    exact = exact_mix(session, plan)
    difference = (differentiable_mix(session, plan, exact.shape[1]) - exact)[:, :frames]
    exact = exact[:, :frames]
    return 10 * math.log10(max(float((difference**2).sum() / (exact**2).sum()), 1e-30))


@pytest.mark.parametrize("seed", range(12))
def test_without_dynamics_they_agree_within_60_db(seed):
    plan = random_plan(seed, NAMES, RATE, dynamics=False)
    assert error_db(random_session(seed, RATE, FRAMES), plan) < -60.0


@pytest.mark.parametrize("seed", range(100, 115))
def test_with_dynamics_they_agree_within_40_db(seed):
    plan = random_plan(seed, NAMES, RATE, dynamics=True)
    assert error_db(random_session(seed, RATE, FRAMES), plan) < -40.0


@pytest.mark.parametrize("rate", [8_000, 44_100])
@pytest.mark.parametrize("seed", range(4))
def test_rides_agree_within_60_db(seed, rate):
    still = random_plan(seed, NAMES, rate, dynamics=False)
    plan, session = with_rides(still, seed, FRAMES / rate), random_session(seed, rate, FRAMES)
    assert error_db(session, plan) < -60.0
    moved = exact_mix(session, plan) - exact_mix(session, still)
    assert np.abs(moved).max() > 0.1


@pytest.mark.parametrize("rate", [8_000, 48_000, 96_000, 192_000])
def test_they_agree_at_every_rate(rate):
    plan = random_plan(7, NAMES, rate, dynamics=True)
    assert error_db(random_session(7, rate, FRAMES), plan) < -40.0


@pytest.mark.parametrize("order", ORDERS)
def test_they_agree_in_every_order(order):
    rng = np.random.default_rng(5)
    plan = random_plan(5, ("a",), RATE, dynamics=True)
    wet = SpaceSettings(space="plate", decay=0.2, wet=0.4)
    strip = replace(plan.tracks[0], order=order, space=wet, compressor=compressor(rng))
    plan = replace(plan, tracks=(strip,))
    assert error_db(random_session(5, RATE, FRAMES), plan) < -60.0


def bursts_of_noise(channels, rng):
    """Two seconds of noise: hits that decay, over a floor that wanders by 30 dB."""
    frames = 2 * RATE
    hits = np.zeros(frames)
    for start in rng.integers(0, frames, 8):
        decay = np.exp(-np.arange(frames - start) / (RATE * rng.uniform(0.02, 0.2)))
        hits[start:] += rng.uniform(0.1, 0.9) * decay
    floor = 10.0 ** (np.repeat(rng.uniform(-70, -40, 20), frames // 20) / 20.0)
    noise = rng.uniform(-1.0, 1.0, (channels, frames)) * (hits + floor)
    noise[:, -RATE // 10 :] = 0.0
    return noise.clip(-1.0, 1.0).astype(np.float32)


@pytest.mark.parametrize(
    ("settings", "name"), [(GateSettings, "gate"), (SaturationSettings, "saturation")]
)
def test_gate_and_saturation_agree_at_random_settings(settings, name):
    rng = np.random.default_rng(1)
    for channels in (1, 2) * 8:
        source = Audio(bursts_of_noise(channels, rng), RATE)
        session = Session(tracks=(Track(name="a", role="other", source=source),))
        plan = MixPlan(tracks=(ChannelStrip(name="a", **{name: drawn(rng, settings)}),))
        assert error_db(session, plan) < -60.0


ECHO = DelaySettings(time_ms=33.3, feedback=0.7, low_cut_hz=150.0, high_cut_hz=4_000.0, wet=0.4)


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
@pytest.mark.parametrize(
    "settings",
    [
        {"widener": WidenerSettings(side_db=-6.0, corner_hz=300.0)},
        {"delay": ECHO},
        {"delay": replace(ECHO, ping_pong=True)},
        {"delay": replace(ECHO, low_cut_hz=20.0, high_cut_hz=20_000.0, feedback=0.0)},
    ],
    ids=["widener", "delay", "ping-pong", "one echo"],
)
def test_wideners_and_delays_agree_on_mono_and_on_stereo(rate, settings):
    strips = (ChannelStrip(name="a", pan=0.3, **settings), ChannelStrip(name="b", **settings))
    assert error_db(random_session(8, rate, FRAMES), MixPlan(tracks=strips)) < -100.0


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_parallel_buses_and_those_of_echoes_agree(rate):
    sends = tuple(Send(bus=bus, gain_db=-3.0) for bus in ("press", "plain", "echo", "room"))
    pressed = CompressorSettings(threshold_db=-30.0, ratio=6.0)
    buses = (
        Bus(name="room", space=SpaceSettings(wet=1.0, decay=0.2), compressor=pressed),
        Bus(name="press", parallel=True, pre_delay_ms=5.0, compressor=pressed),
        Bus(name="echo", delay=replace(ECHO, ping_pong=True), gain_db=-6.0),
        Bus(name="plain", parallel=True),
    )
    strips = (ChannelStrip(name="a", pan=0.3, sends=sends), ChannelStrip(name="b", sends=sends[:3]))
    plan = MixPlan(tracks=strips, buses=buses)
    assert error_db(random_session(9, rate, FRAMES), plan) < -80.0


@pytest.mark.parametrize("frames", [1, 2])
def test_one_sample_and_two(frames):
    plan = random_plan(3, NAMES, RATE, dynamics=True)
    session = random_session(3, RATE, frames)
    assert error_db(session, plan, frames) < -40.0


def test_digital_silence_stays_silence():
    plan = random_plan(2, ("a",), RATE, dynamics=True)
    silent = Session(
        tracks=(Track(name="a", role="other", source=Audio(np.zeros((1, 999), "f4"), RATE)),)
    )
    assert not differentiable_mix(silent, plan, 2_000).any()


def test_a_plan_goes_through_the_values_unchanged():
    for seed in range(20):
        plan = with_rides(random_plan(seed, NAMES, RATE, dynamics=True), seed, 9.0)
        _, values = from_plan(plan, random_session(seed, RATE, 10))
        assert to_plan(values, plan) == plan


def test_changed_values_come_back_within_their_ranges():
    plan = MixPlan(tracks=(ChannelStrip(name="a"),))
    _, values = from_plan(plan, random_session(1, RATE, 10))
    values["fader_db"] = torch.full_like(values["fader_db"], -7.5)
    values["pan"] = torch.full_like(values["pan"], 1.7)
    assert to_plan(values, plan).tracks[0] == ChannelStrip(name="a", fader_db=-7.5, pan=1.0)


def test_changed_lines_come_back_within_their_ranges():
    sends = (Send(bus="x"), Send(bus="y"))
    strip = ChannelStrip(
        name="a",
        sends=sends,
        rides=(
            Ride(setting="sends.2.gain_db", times_s=(0.0, 1.0), values=(1.0, 2.0)),
            Ride(setting="pan", values=(0.4,)),
        ),
    )
    plan = MixPlan(tracks=(strip,), buses=(Bus(name="y"), Bus(name="x")))
    _, values = from_plan(plan, random_session(1, RATE, 10))
    values["rides.sends_db"] = values["rides.sends_db"] + 30.0
    values["rides.pan"] = values["rides.pan"] - 1.0
    send, pan = to_plan(values, plan).tracks[0].rides
    assert send.values == (24.0, 24.0)
    assert pan.values == (0.0,)


def test_two_sends_to_one_bus_of_which_one_moves_are_refused():
    strip = ChannelStrip(
        name="a", sends=(Send(bus="x"),) * 2, rides=(Ride(setting="sends.1.gain_db"),)
    )
    plan = MixPlan(tracks=(strip,), buses=(Bus(name="x"),))
    with pytest.raises(UsageError, match="one send to a bus"):
        from_plan(plan, random_session(1, RATE, 10))


def test_a_batch_is_its_entries_one_by_one():
    session = random_session(4, RATE, 2_000)
    plan = with_rides(random_plan(4, NAMES, RATE, dynamics=True), 4, 0.05)
    layout, values = from_plan(plan, session)
    console = DifferentiableConsole(RATE, layout)
    audio = session_audio(session, layout, 2_000)
    other = {name: value.clone() for name, value in values.items()}
    other["pan"], other["compressor.ratio"] = 1.0 - other["pan"], 1.0 + other["pan"]
    both = {name: torch.cat([values[name], other[name]]) for name in values}
    mixes = console.mix(torch.cat([audio, -0.5 * audio]), both)
    torch.testing.assert_close(mixes[:1], console.mix(audio, values), rtol=0, atol=1e-6)
    torch.testing.assert_close(mixes[1:], console.mix(-0.5 * audio, other), rtol=0, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_mix_of_the_processor():
    session = random_session(6, RATE, FRAMES)
    layout, values = from_plan(random_plan(6, NAMES, RATE, dynamics=True), session)
    console = DifferentiableConsole(RATE, layout)
    audio = session_audio(session, layout, FRAMES)
    here, there = console.mix(audio, values), console.mix(audio.cuda(), values)
    assert there.is_cuda
    torch.testing.assert_close(there.cpu(), here, rtol=0, atol=1e-5)
