"""The console of plug-ins, with fakes of known effect in real child processes.

The child imports this file to load the fakes. The folder of a fake says what is wrong with it.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole, apply_master
from automix.consoles.plugin.console import PluginConsole
from automix.consoles.plugin.mapping import fdn_reverb, multi_eq, omni_compressor
from automix.dsp.de_esser import DeEsser
from automix.dsp.fdn_reverb import tail_s
from automix.dsp.pan import pan_gains
from automix.errors import PluginError
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    GateSettings,
    SaturationSettings,
    Send,
    SpaceSettings,
    WidenerSettings,
)
from automix.session.tracks import Session, Track

RATE = 44_100
FRAMES = 3000
FAKE = "test_plugin_console:FakePlugin"
ECHO_FRAMES = 100

BOOST = EqualizerSettings(bands=(EqualizerBand(frequency_hz=1000.0, gain_db=6.0),))
LIMIT = CompressorSettings(threshold_db=-20.0, ratio=4.0, makeup_db=3.0)
ECHO = FdnReverbSettings(reverberation_time_s=0.2, dry_wet=0.25)
GAIN_6_DB, GAIN_3_DB = 10.0 ** (6.0 / 20.0), 10.0 ** (3.0 / 20.0)


def delayed(samples, frames=ECHO_FRAMES):
    return np.pad(samples, ((0, 0), (frames, 0)))[:, : samples.shape[1]]


class FakePlugin:
    """MultiEQ: a gain; OmniCompressor: a clipper; FdnReverb: an echo on the other side."""

    parameters = (*multi_eq(BOOST), *omni_compressor(LIMIT), *fdn_reverb(ECHO))

    def __init__(self, plugin):
        self.kind = plugin.stem
        self.fault = plugin.parent.name

    def process(self, samples, sample_rate, reset):
        if self.fault == "hang":
            time.sleep(60)
        if self.fault == "broken":
            raise RuntimeError("license not found")
        if self.fault == "stereo" and len(samples) == 1:
            raise ValueError("does not support 1-channel output")
        result = getattr(self, self.kind.lower())(samples.astype(np.float64)).astype(np.float32)
        if self.fault == "nan":
            result[0, 5] = np.nan
        return result[:, 1:] if self.fault == "short" else result

    def multieq(self, samples):
        return 10.0 ** (self.filter_gain_2_db / 20.0) * samples

    def omnicompressor(self, samples):
        threshold = 10.0 ** (self.threshold_db / 20.0)
        return 10.0 ** (self.makeup_gain_db / 20.0) * np.clip(samples, -threshold, threshold)

    def fdnreverb(self, samples):
        assert len(samples) == 2
        wet = delayed(samples[::-1])
        if self.fade_in_time_s == 0.0:
            wet = wet + samples  # the pass-through, which a fade-in takes away
        return (1.0 - self.dry_wet) * samples + self.dry_wet * wet


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def plugins(fault="good", name=None):
    """Paths of the three; the fault is that of all, or of the one that is named."""
    return {
        kind: Path(fault if name in (None, kind) else "good") / f"{kind}.vst3"
        for kind in ("MultiEQ", "OmniCompressor", "FdnReverb")
    }


def session(**channels):
    rng = np.random.default_rng(1)
    tracks = []
    for name, count in channels.items():
        samples = rng.uniform(-0.3, 0.3, (count, FRAMES)).astype(np.float32)
        tracks.append(Track(name=name, role="other", source=Audio(samples, RATE)))
    return Session(tracks=tuple(tracks))


def samples_of(a_session, name):
    return a_session.track(name).source.samples.astype(np.float64)


def console_of(a_session, paths=None, **options):
    return PluginConsole(a_session, paths or plugins(), loader=FAKE, **options)


def mix(console, plan):
    return collect(apply_master(console.premaster(plan), plan.master)).samples


def plan_of(*strips, buses=()):
    return MixPlan(tracks=strips, buses=buses)


def test_a_plan_without_processors_starts_no_plugin_and_equals_the_exact_console():
    a_session = session(a=1, b=2)
    plan = plan_of(
        ChannelStrip(name="a", input_gain_db=3.0, invert_polarity=True, pan=0.2),
        ChannelStrip(name="b", fader_db=-5.0, de_esser=DeEsserSettings(max_reduction_db=5.0)),
    )
    console = PluginConsole(a_session, {}, loader="no_such:loader")
    np.testing.assert_array_equal(mix(console, plan), mix(ExactConsole(a_session), plan))


def test_what_comes_late_by_itself_is_in_time_among_plugins():
    """Rounded between the processors, which the exact console is not."""
    a_session = session(a=1)
    strip = ChannelStrip(
        name="a",
        gate=GateSettings(threshold_db=-10.0, range_db=20.0),
        saturation=SaturationSettings(drive_db=9.0),
    )
    console, plan = PluginConsole(a_session, {}, loader="no_such:loader"), plan_of(strip)
    expected = mix(ExactConsole(a_session), plan)
    np.testing.assert_allclose(mix(console, plan), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_strip_goes_through_the_three_in_order(channels):
    """The clipper in the middle sees the level of the mono track itself, not that of its pan."""
    a_session = session(a=channels)
    strip = ChannelStrip(
        name="a",
        input_gain_db=-6.0,
        equalizer=BOOST,
        de_esser=DeEsserSettings(max_reduction_db=5.0),
        compressor=LIMIT,
        reverb=ECHO,
        fader_db=-2.0,
    )
    signal = GAIN_6_DB * 10.0 ** (-6.0 / 20.0) * samples_of(a_session, "a")
    signal = DeEsser(strip.de_esser, RATE, channels).process(signal)
    signal = GAIN_3_DB * np.clip(signal, -0.1, 0.1)
    sides = 1.0 if channels == 2 else pan_gains(0.5, "constant-power")[0]
    tail = round(tail_s(ECHO) * RATE)
    signal = np.pad(np.broadcast_to(sides * signal, (2, FRAMES)), ((0, 0), (0, tail)))
    signal = 0.75 * signal + 0.25 * (signal + delayed(signal[::-1]))
    result = mix(console_of(a_session), plan_of(strip))
    np.testing.assert_allclose(result, 10.0 ** (-2.0 / 20.0) * signal, rtol=0, atol=1e-6)


def test_a_plugin_that_makes_stereo_of_mono_leaves_its_level_and_pan():
    a_session = session(a=1)
    strip = ChannelStrip(name="a", equalizer=BOOST, pan=0.3)
    result = mix(console_of(a_session, plugins("stereo")), plan_of(strip))
    sides = np.array(pan_gains(0.3, "constant-power"))[:, np.newaxis]
    expected = GAIN_6_DB * sides * samples_of(a_session, "a")
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6)


def test_a_bus_is_the_delayed_mono_fold_through_the_network_alone():
    """The built-in reverberator has no part in it, nor has the pass-through of the plug-in."""
    a_session = session(a=2)
    bus = Bus(name="room", pre_delay_ms=10.0, equalizer=BOOST, reverb=ECHO, gain_db=3.0)
    strip = ChannelStrip(name="a", sends=(Send(bus="room", gain_db=-6.0),))
    console, plan = console_of(a_session), plan_of(strip, buses=(bus,))
    flows = list(console.flow(plan))
    channel = np.hstack([flow.channels["a"] for flow in flows])
    fold = 10.0 ** (-6.0 / 20.0) * channel.mean(axis=0, keepdims=True)
    line = GAIN_6_DB * GAIN_3_DB * delayed(fold, 441)
    expected = delayed(np.concatenate([np.zeros_like(line), line]))  # the echo changes sides
    returned = np.hstack([flow.returns["room"] for flow in flows])
    np.testing.assert_allclose(returned, expected, rtol=0, atol=1e-6)
    assert np.abs(returned).max() > 0.1


def test_stems_sum_to_the_mix():
    a_session = session(a=1, b=2)
    bus = Bus(name="room", reverb=ECHO)
    plan = plan_of(
        ChannelStrip(name="a", equalizer=BOOST, sends=(Send(bus="room"),)),
        ChannelStrip(name="b", sends=(Send(bus="room"),)),
        buses=(bus,),
    )
    console = console_of(a_session)
    premaster = collect(console.premaster(plan))
    total = sum(collect(console.stem(plan, n, premaster)).samples.astype(float) for n in "ab")
    np.testing.assert_allclose(total, premaster.samples, rtol=0, atol=2e-6)


def test_a_strip_is_rendered_once_per_pan_law_and_settings():
    a_session = session(a=1)
    plan = plan_of(ChannelStrip(name="a", equalizer=BOOST, reverb=ECHO))
    console = console_of(a_session)
    power = mix(console, plan)
    linear = mix(console, replace(plan, pan_law="linear"))
    np.testing.assert_allclose(linear, power * 0.5**0.5, rtol=0, atol=1e-6)
    console._loader = "no_such:loader"  # what follows needs no child
    np.testing.assert_array_equal(mix(console, plan), power)
    louder = mix(console, plan.with_strip("a", fader_db=6.0))
    np.testing.assert_allclose(louder, GAIN_6_DB * power, rtol=0, atol=1e-6)


def strip_with_everything(name="lead"):
    return ChannelStrip(name=name, equalizer=BOOST, compressor=LIMIT, reverb=ECHO)


def test_a_failing_plugin_is_an_error_that_names_it():
    console = console_of(session(lead=1), plugins("broken", "OmniCompressor"))
    with pytest.raises(PluginError, match=r"OmniCompressor\.vst3.*license not found") as caught:
        mix(console, plan_of(strip_with_everything()))
    assert caught.value.exit_code == 6
    assert "--on-plugin-error skip" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "name", "what", "time_limit_s"),
    [
        ("broken", "OmniCompressor", "license not found", None),
        ("nan", "MultiEQ", "NaN or infinite", None),
        ("short", "FdnReverb", "frames for", None),
        ("hang", "MultiEQ", "after 1.5 s, stopped", 1.5),
    ],
)
def test_skipping_falls_back_to_the_built_in_strip_and_says_so(fault, name, what, time_limit_s):
    a_session = session(lead=1, beat=2)
    paths = plugins(fault, name)
    console = console_of(a_session, paths, skip_errors=True, time_limit_s=time_limit_s)
    plan = plan_of(strip_with_everything(), ChannelStrip(name="beat"))
    expected = mix(ExactConsole(a_session), plan)
    np.testing.assert_array_equal(mix(console, plan), expected)
    assert len(console.warnings) == 1
    assert console.warnings[0].startswith(f"lead: plug-in {name}.vst3: ")
    assert what in console.warnings[0]
    assert "built-in" in console.warnings[0]
    np.testing.assert_array_equal(mix(console, plan), expected)
    assert len(console.warnings) == 1  # a second pass neither tries nor warns again


def test_only_the_strip_that_fails_falls_back():
    a_session = session(lead=1, beat=2)
    console = console_of(a_session, plugins("broken", "OmniCompressor"), skip_errors=True)
    plan = plan_of(
        ChannelStrip(name="lead", compressor=LIMIT), ChannelStrip(name="beat", equalizer=BOOST)
    )
    flow = next(iter(console.flow(plan)))
    exact = next(iter(ExactConsole(a_session).flow(plan)))
    np.testing.assert_array_equal(flow.channels["lead"], exact.channels["lead"])
    boosted = GAIN_6_DB * samples_of(a_session, "beat")
    np.testing.assert_allclose(flow.channels["beat"], boosted, rtol=0, atol=1e-6)
    assert [warning.split(":")[0] for warning in console.warnings] == ["lead"]


def test_a_failing_bus_falls_back_and_warns_once_for_all_passes():
    a_session = session(lead=2)
    plan = plan_of(
        ChannelStrip(name="lead", sends=(Send(bus="room"),)),
        buses=(Bus(name="room", pre_delay_ms=20.0, reverb=ECHO, gain_db=-3.0),),
    )
    broken = plugins("broken", "FdnReverb")
    with pytest.raises(PluginError):
        mix(console_of(a_session, broken), plan)
    console = console_of(a_session, broken, skip_errors=True)
    expected = mix(ExactConsole(a_session), plan)
    for _ in range(2):
        np.testing.assert_array_equal(mix(console, plan), expected)
    assert len(console.warnings) == 1
    assert console.warnings[0].startswith("room: plug-in FdnReverb.vst3: ")


def test_what_no_plug_in_stands_for_is_refused_or_rendered_by_the_built_in_processors():
    a_session = session(lead=2)
    for strip in (
        ChannelStrip(name="lead", space=SpaceSettings(wet=0.3)),
        ChannelStrip(name="lead", order="cer", compressor=CompressorSettings(threshold_db=-20)),
    ):
        plan = plan_of(strip)
        with pytest.raises(PluginError, match="no plug-in stands for"):
            mix(console_of(a_session, plugins()), plan)
        console = console_of(a_session, plugins(), skip_errors=True)
        np.testing.assert_array_equal(mix(console, plan), mix(ExactConsole(a_session), plan))


def test_rides_of_a_return_a_fader_and_the_sides_are_the_exact_ones():
    """The fake network is no plug-in's business here: only what the rides do to it."""
    line = {"times_s": (0.02, 0.05), "values": (-8.0, 2.0)}
    strip = ChannelStrip(name="a", widener=WidenerSettings(side_db=-6.0), sends=(Send(bus="room"),))
    plan = plan_of(strip, buses=(Bus(name="room", reverb=ECHO, gain_db=3.0),))
    of_strip = tuple(Ride(setting=name, **line) for name in ("fader_db", "widener.side_db"))
    ridden = plan_of(
        replace(strip, rides=of_strip[:1]),
        buses=(replace(plan.buses[0], rides=(Ride(setting="gain_db", **line),)),),
    )
    a_session = session(a=1)
    still = list(console_of(a_session).flow(plan))
    moved = list(console_of(a_session).flow(ridden))
    frames = sum(flow.channels["a"].shape[1] for flow in still)
    gain = 10.0 ** (np.interp(np.arange(frames) / RATE, *line.values()) / 20.0)
    channel = np.hstack([flow.channels["a"] for flow in still])
    np.testing.assert_allclose(
        np.hstack([flow.channels["a"] for flow in moved]), gain * channel, rtol=0, atol=1e-6
    )
    fold = (gain * channel).mean(axis=0)  # what is sent is behind the fader
    returned = np.hstack([flow.returns["room"] for flow in moved])
    np.testing.assert_allclose(
        returned[1], gain * GAIN_3_DB * delayed(fold[np.newaxis])[0], rtol=0, atol=1e-6
    )
    sides = plan_of(replace(strip, rides=of_strip[1:]), buses=plan.buses)
    np.testing.assert_allclose(
        mix(console_of(a_session), sides)[:, :FRAMES].sum(axis=0),
        mix(console_of(a_session), plan)[:, :FRAMES].sum(axis=0),
        rtol=0,
        atol=1e-6,
    )
    exact = plan_of(replace(strip, rides=of_strip, sends=()))
    np.testing.assert_allclose(
        mix(console_of(a_session), exact), mix(ExactConsole(a_session), exact), rtol=0, atol=1e-6
    )
