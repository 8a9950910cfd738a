"""What a console promises, whatever the plan says."""

from dataclasses import replace

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.audio.samples import BLOCK_FRAMES, Audio
from automix.consoles.exact import ExactConsole, apply_master
from automix.plan.model import MixPlan
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    LimiterSettings,
    Send,
)
from automix.session.tracks import Session, Track

RATE = 8_000
FRAMES = BLOCK_FRAMES + 1_000
REVERB = FdnReverbSettings(reverberation_time_s=0.2, room_size=3.0, lines="16")


def session(**tracks):
    return Session(
        tracks=tuple(
            Track(name=name, role="other", source=Audio(samples, RATE))
            for name, samples in tracks.items()
        )
    )


def noise(channels, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.3, 0.3, (channels, FRAMES)).astype(np.float32)


def render(tracks, plan):
    console = ExactConsole(session(**tracks))
    return collect(apply_master(console.premaster(plan), plan.master)).samples


TRACKS = {"mono": noise(1, 1), "stereo": noise(2, 2), "other": noise(2, 3)}
BUSY = MixPlan(
    sample_rate_hz=RATE,
    tracks=(
        ChannelStrip(
            name="mono",
            pan=0.2,
            fader_db=-3.0,
            compressor=CompressorSettings(threshold_db=-30.0),
            sends=(Send(bus="room", gain_db=-6.0), Send(bus="press", gain_db=-3.0)),
        ),
        ChannelStrip(
            name="stereo",
            pan=0.7,
            equalizer=EqualizerSettings(bands=(EqualizerBand(gain_db=6.0),)),
            reverb=replace(REVERB, dry_wet=0.3),
        ),
        ChannelStrip(
            name="other", invert_polarity=True, sends=(Send(bus="room"), Send(bus="press"))
        ),
    ),
    buses=(
        Bus(name="room", pre_delay_ms=10.0, reverb=REVERB),
        Bus(
            name="press", parallel=True, compressor=CompressorSettings(threshold_db=-30.0, ratio=8)
        ),
    ),
)


def plan_of(**strips):
    tracks = tuple(ChannelStrip(name=name, **settings) for name, settings in strips.items())
    return MixPlan(sample_rate_hz=RATE, tracks=tracks)


def test_a_stereo_track_alone_passes_unchanged():
    mix = render({"a": TRACKS["stereo"]}, plan_of(a={}))
    np.testing.assert_array_equal(mix, TRACKS["stereo"])


def test_neutral_strips_add_up():
    mix = render({"a": TRACKS["stereo"], "b": TRACKS["other"]}, plan_of(a={}, b={}))
    np.testing.assert_allclose(mix, TRACKS["stereo"] + TRACKS["other"], rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("law", "center_db"), [("linear", -6.02), ("compromise", -4.52), ("constant-power", -3.01)]
)
def test_a_mono_track_sits_in_the_center_at_the_level_of_the_pan_law(law, center_db):
    mix = render({"a": TRACKS["mono"]}, replace(plan_of(a={}), pan_law=law))
    np.testing.assert_array_equal(mix[0], mix[1])
    gain = float(np.vdot(mix[0], TRACKS["mono"][0]) / np.vdot(TRACKS["mono"], TRACKS["mono"]))
    assert 20 * np.log10(gain) == pytest.approx(center_db, abs=0.01)


def test_silence_stays_silence():
    silence = {name: np.zeros_like(samples) for name, samples in TRACKS.items()}
    assert not render(silence, BUSY).any()


def test_a_mix_is_the_same_every_time():
    mix = render(TRACKS, BUSY)
    assert np.isfinite(mix).all()
    np.testing.assert_array_equal(render(TRACKS, BUSY), mix)


def test_the_order_of_the_session_and_of_the_plan_does_not_matter():
    mix = render(TRACKS, BUSY)
    turned = dict(reversed(TRACKS.items()))
    np.testing.assert_array_equal(render(turned, BUSY), mix)
    plan = replace(BUSY, tracks=BUSY.tracks[::-1])
    np.testing.assert_array_equal(render(TRACKS, plan), mix)


def test_a_mute_takes_a_track_out_with_its_sends():
    muted = replace(BUSY, tracks=(replace(BUSY.tracks[0], mute=True), *BUSY.tracks[1:]))
    without = replace(BUSY, tracks=BUSY.tracks[1:])
    mix = render(TRACKS, without)
    np.testing.assert_allclose(render(TRACKS, muted)[:, : mix.shape[1]], mix, rtol=0, atol=1e-7)


def test_stems_add_up_to_the_mix():
    console = ExactConsole(session(**TRACKS))
    master = replace(BUSY.master, gain_db=9.0, limiter=LimiterSettings(ceiling_dbtp=-6.0))
    plan = replace(BUSY, master=replace(master, compressor=CompressorSettings(threshold_db=-9.0)))
    premaster = console.premaster(plan)
    mix = collect(apply_master(premaster, plan.master)).samples
    stems = [collect(console.stem(plan, name, premaster)).samples for name in TRACKS]
    np.testing.assert_allclose(np.sum(stems, axis=0), mix, rtol=0, atol=1e-6)


def test_the_mix_is_as_long_as_the_longest_reverb_lasts():
    frames = render(TRACKS, BUSY).shape[1]
    assert FRAMES + 0.2 * RATE < frames < FRAMES + 2 * RATE
    assert render(TRACKS, plan_of(mono={}, stereo={}, other={})).shape[1] == FRAMES
