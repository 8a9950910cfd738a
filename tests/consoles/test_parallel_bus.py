"""Parallel buses: both sides, no reverb, and a compressor that follows the whole mix."""

from dataclasses import replace

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.audio.samples import BLOCK_FRAMES, Audio
from automix.consoles.exact import ExactConsole, apply_master, bus_tail_frames
from automix.consoles.plugin.console import PluginConsole
from automix.dsp.compressor import Compressor
from automix.dsp.equalizer import Equalizer
from automix.dsp.strip import Return
from automix.errors import PlanError, PluginError
from automix.plan.model import MixPlan
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DelaySettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    LimiterSettings,
    Master,
    Send,
    SpaceSettings,
)
from automix.session.tracks import Session, Track

RATE = 44_100
NAMES = ("bass", "drums", "voice")
HARD = CompressorSettings(threshold_db=-40.0, ratio=10.0, attack_ms=1.0, makeup_db=12.0)
TONE = EqualizerSettings(bands=(EqualizerBand(frequency_hz=300.0, gain_db=6.0),))
PRESS = Bus(
    name="press", parallel=True, pre_delay_ms=3.0, equalizer=TONE, compressor=HARD, gain_db=-4.0
)


def noise(channels, seed, frames=BLOCK_FRAMES + 9_000):
    rng = np.random.default_rng(seed)
    steps = np.repeat(rng.uniform(0.0, 1.0, 10), -(-frames // 10))[:frames]
    return (rng.uniform(-0.5, 0.5, (channels, frames)) * steps).astype(np.float32)


SESSION = Session(
    tracks=tuple(
        Track(name=name, role="other", source=Audio(noise(1 + n % 2, n), RATE))
        for n, name in enumerate(NAMES)
    )
)


def plan_with(*buses, master=None, **sends):
    """Three tracks, with the level of each send by track and bus."""
    tracks = tuple(
        ChannelStrip(
            name=name,
            pan=0.3 + 0.2 * n,
            sends=tuple(Send(bus=b, gain_db=g) for b, g in sends.get(name, {}).items()),
        )
        for n, name in enumerate(NAMES)
    )
    return MixPlan(tracks=tracks, buses=buses, master=master or Master())


def decibels(error, of):
    return 10.0 * np.log10(np.mean(np.square(error)) / np.mean(np.square(of)))


def test_it_keeps_both_sides_and_does_its_processors_in_order():
    samples = noise(2, 5).astype(np.float64)
    late = np.pad(samples, ((0, 0), (132, 0)))[:, : samples.shape[1]]
    wanted = Compressor(HARD, RATE).process(Equalizer(TONE, RATE, 2).process(late))
    made = Return(PRESS, RATE).process(samples)
    np.testing.assert_allclose(made, 10 ** (-4 / 20) * wanted, rtol=0, atol=1e-12)
    plain = Return(Bus(name="through", parallel=True), RATE).process(samples)
    np.testing.assert_array_equal(plain, samples)


def test_it_has_no_tail_but_its_pre_delay():
    assert bus_tail_frames(PRESS, RATE) == 132
    assert bus_tail_frames(replace(PRESS, parallel=False), RATE) > RATE


def test_its_compressor_sits_before_a_reverb_too():
    samples = noise(2, 5).astype(np.float64)
    wet = SpaceSettings(wet=1.0)
    plain, pressed = Bus(name="a", space=wet), Bus(name="a", space=wet, compressor=HARD)
    middle = Compressor(HARD, RATE).process(samples.mean(axis=0, keepdims=True))
    np.testing.assert_allclose(
        Return(pressed, RATE).process(samples),
        Return(plain, RATE).process(np.repeat(middle, 2, axis=0)),
        rtol=0,
        atol=1e-12,
    )


SENDS = {"bass": {"press": -6.0}, "drums": {"press": 0.0, "room": -3.0}, "voice": {"room": 0.0}}
ROOM = Bus(
    name="room",
    reverb=FdnReverbSettings(reverberation_time_s=0.2, lines="16"),
    compressor=replace(HARD, threshold_db=-30.0),
)


@pytest.mark.parametrize(
    "buses",
    [
        (PRESS, Bus(name="room", space=SpaceSettings(wet=1.0, decay=0.2))),
        (PRESS, ROOM),
        (replace(PRESS, compressor=CompressorSettings()), ROOM),
    ],
    ids=["parallel", "both", "reverb"],
)
def test_stems_add_up_to_the_mix(buses):
    master = Master(
        compressor=CompressorSettings(threshold_db=-12.0),
        gain_db=6.0,
        limiter=LimiterSettings(ceiling_dbtp=-3.0),
    )
    plan = plan_with(*buses, master=master, **SENDS)
    console = ExactConsole(SESSION)
    premaster = console.premaster(plan)
    mix = collect(apply_master(premaster, plan.master)).samples.astype(np.float64)
    stems = [collect(console.stem(plan, name, premaster)).samples for name in NAMES]
    assert decibels(np.sum(stems, axis=0, dtype=np.float64) - mix, mix) < -120.0
    quiet = plan_with(
        *(replace(bus, compressor=CompressorSettings()) for bus in buses), master=master, **SENDS
    )
    other = collect(apply_master(console.premaster(quiet), quiet.master)).samples
    assert decibels(other - mix, mix) > -30.0  # the compressors did something


def test_a_muted_track_is_not_in_the_gain_curve():
    plan = plan_with(PRESS, bass={"press": 0.0}, drums={"press": 0.0}).with_strip(
        "drums", mute=True
    )
    console = ExactConsole(SESSION)
    premaster = console.premaster(plan)
    mix = collect(apply_master(premaster, plan.master)).samples
    stems = [collect(console.stem(plan, name, premaster)).samples for name in ("bass", "voice")]
    assert decibels(np.sum(stems, axis=0) - mix, mix) < -120.0


def test_the_order_of_tracks_does_not_matter():
    plan = plan_with(PRESS, ROOM, **SENDS)
    turned = replace(plan, tracks=plan.tracks[::-1])
    console = ExactConsole(SESSION)
    np.testing.assert_array_equal(
        collect(console.premaster(plan)).samples, collect(console.premaster(turned)).samples
    )


@pytest.mark.parametrize(
    "wet", [{"space": SpaceSettings(wet=0.5)}, {"delay": DelaySettings(wet=0.5)}]
)
def test_a_parallel_bus_with_a_reverb_is_refused(wet):
    plan = plan_with(replace(PRESS, **wet), bass={"press": 0.0})
    with pytest.raises(PlanError, match="'press' is parallel"):
        ExactConsole(SESSION).premaster(plan)


def test_the_console_of_plugins_refuses_it_or_does_it_exactly():
    plan = plan_with(PRESS, **{"bass": {"press": 0.0}, "drums": {"press": 0.0}})
    with pytest.raises(PluginError, match="the compressor or the two sides of a bus"):
        collect(PluginConsole(SESSION, {}, loader="no:loader").premaster(plan))
    console = PluginConsole(SESSION, {}, loader="no:loader", skip_errors=True)
    premaster = console.premaster(plan)
    mix = collect(premaster).samples
    np.testing.assert_array_equal(mix, collect(ExactConsole(SESSION).premaster(plan)).samples)
    assert len(console.warnings) == 1
    stems = [collect(console.stem(plan, name, premaster)).samples for name in NAMES]
    assert decibels(np.sum(stems, axis=0) - mix, mix) < -120.0


def test_the_console_of_plugins_does_echoes_of_a_strip_exactly():
    plan = plan_with().with_strip("bass", delay=DelaySettings(time_ms=80.0, wet=0.3))
    made = collect(PluginConsole(SESSION, {}, loader="no:loader").premaster(plan)).samples
    wanted = collect(ExactConsole(SESSION).premaster(plan)).samples
    np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-6)
    sent = plan_with(Bus(name="echo", delay=DelaySettings(wet=1.0)), bass={"echo": 0.0})
    with pytest.raises(PluginError, match="the delay of a bus"):
        collect(PluginConsole(SESSION, {}, loader="no:loader").premaster(sent))
