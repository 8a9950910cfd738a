"""The neural console: gains, pan and sums as ever, networks where the strip was."""

from dataclasses import replace

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole
from automix.consoles.neural import NeuralConsole, through_effect
from automix.errors import UsageError
from automix.networks.effect_description import RATE_HZ
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    SpaceSettings,
    WidenerSettings,
)
from automix.plan.vector import vector
from automix.session.tracks import Session, Track
from tests.networks.effect_networks import identity, lively


def noise(channels, seed, samples=30_000):
    return (0.1 * np.random.default_rng(seed).standard_normal((channels, samples))).astype("f4")


def session(rate=RATE_HZ):
    tracks = (
        Track(name="voice", role="lead vocal", source=Audio(noise(1, 0), rate)),
        Track(name="keys", role="keys", source=Audio(noise(2, 1), rate)),
    )
    return Session(tracks=tracks)


EQUALIZED = EqualizerSettings(
    bands=(EqualizerBand(kind="peak", frequency_hz=1200, gain_db=6.0, q=1.0),)
)
VOICE = ChannelStrip(
    name="voice",
    input_gain_db=3.0,
    invert_polarity=True,
    equalizer=EQUALIZED,
    fader_db=-4.0,
    pan=0.3,
)
KEYS = ChannelStrip(
    name="keys", compressor=CompressorSettings(threshold_db=-30.0, ratio=4.0), pan=0.7
)
PLAN = MixPlan(tracks=(VOICE, KEYS))


def mix(console, plan):
    return collect(console.premaster(plan)).samples


def bare(strip):
    return replace(strip, equalizer=EqualizerSettings(), compressor=CompressorSettings())


def test_all_around_the_network_is_the_exact_console():
    """A network that changes nothing leaves gain, polarity, fader, pan and the sum."""
    network = identity(network="tcn-8", causal=True)
    made = mix(NeuralConsole(session(), network), PLAN)
    plain = replace(PLAN, tracks=(bare(VOICE), bare(KEYS)))
    np.testing.assert_allclose(made, mix(ExactConsole(session()), plain), atol=2e-7)


def test_the_network_gets_the_settings_of_the_strip():
    network = lively(network="tcn-8")
    console = NeuralConsole(session(), network)
    made = collect(console.inserted(KEYS, PLAN.pan_law)).samples
    source = session().track("keys").source
    wanted = collect(through_effect(source, network, vector(KEYS))).samples
    np.testing.assert_array_equal(made, wanted)
    other = replace(KEYS, compressor=CompressorSettings(threshold_db=-10.0, ratio=4.0))
    assert not np.allclose(collect(console.inserted(other, PLAN.pan_law)).samples, made)


def test_a_strip_that_does_nothing_needs_no_network():
    network = lively(network="tcn-8")
    plan = replace(PLAN, tracks=(bare(VOICE), bare(KEYS)))
    made = mix(NeuralConsole(session(), network), plan)
    np.testing.assert_array_equal(made, mix(ExactConsole(session()), plan))


def test_the_exact_console_does_what_the_network_has_no_settings_for():
    """High pass and de-esser come before the network, the reverb after it; here it does nothing."""
    high_pass = EqualizerBand(kind="high_pass", frequency_hz=400, gain_db=0.0, q=0.707)
    strip = replace(
        VOICE,
        equalizer=EqualizerSettings(bands=(high_pass, *EQUALIZED.bands)),
        de_esser=DeEsserSettings(max_reduction_db=6.0),
        reverb=FdnReverbSettings(dry_wet=0.3),
    )
    compressed = replace(strip, compressor=KEYS.compressor)
    sound = np.pad(noise(1, 0), ((0, 0), (0, 5_000)))  # a filter rings no longer than the track
    track = Session(tracks=(Track(name="voice", role="lead vocal", source=Audio(sound, RATE_HZ)),))
    neural = NeuralConsole(track, identity(network="tcn-8", causal=True))
    made = collect(neural.inserted(compressed, PLAN.pan_law)).samples
    wanted = collect(ExactConsole(track).inserted(strip, PLAN.pan_law)).samples
    assert made.shape == wanted.shape
    np.testing.assert_allclose(made, wanted, atol=1e-6)
    neural.inserted(replace(compressed, fader_db=-6.0), PLAN.pan_law)
    assert len(neural.warnings) == 2
    assert all(warning.startswith("voice: ") for warning in neural.warnings)
    variable = NeuralConsole(track, lively(network="tcn-8", order="variable"))
    with pytest.raises(UsageError, match="de-esser"):
        variable.inserted(replace(compressed, order="cer"), PLAN.pan_law)


def test_in_memory_and_streaming_are_one():
    network = lively(network="tcn-8")
    consoles = [NeuralConsole(session(), network) for _ in range(2)]
    consoles[1].in_memory = False
    kept, streamed = (mix(console, PLAN) for console in consoles)
    np.testing.assert_array_equal(kept, streamed)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8_000, 48_000, 96_000])
def test_other_rates_go_there_and_back(rate):
    """White noise below the model's band comes back as it was, at its place."""
    time = np.arange(2 * rate) / rate
    tone = (0.3 * np.sin(2 * np.pi * 440 * time)).astype("f4")
    network = identity(network="tcn-8", effect="la2a")
    source = Audio(np.stack([tone, -tone]), rate)
    made = through_effect(source, network, (1.0, 0.0))
    assert (made.sample_rate, made.channels, made.frames) == (rate, 2, 2 * rate)
    found = collect(made).samples
    np.testing.assert_allclose(found[:, 500:-500], source.samples[:, 500:-500], atol=1e-3)


def test_a_space_rings_on_for_what_the_network_hears():
    network = lively(network="tcn-8", causal=True)
    source = Audio(noise(1, 0), RATE_HZ)
    wet = replace(KEYS, space=SpaceSettings(space="hall", wet=0.5))
    assert through_effect(source, network, vector(wet)).frames == source.frames + 3570
    assert through_effect(source, network, vector(KEYS)).frames == source.frames


def test_what_the_network_cannot_do_is_refused():
    with pytest.raises(UsageError, match="imitates the la2a"):
        NeuralConsole(session(), lively(network="tcn-8", effect="la2a"))
    order = replace(KEYS, order="cer")
    static = NeuralConsole(session(), lively(network="tcn-8"))
    with pytest.raises(UsageError, match="31 with the order"):
        static.inserted(order, PLAN.pan_law)
    variable = NeuralConsole(session(), lively(network="tcn-8", order="variable"))
    first, second = (
        collect(variable.inserted(strip, PLAN.pan_law)).samples for strip in (KEYS, order)
    )
    assert not np.array_equal(first, second)


def test_rides_are_as_exact_as_the_fader_and_the_widener():
    line = {"times_s": (0.1, 0.4), "values": (-20.0, 3.0)}
    ridden = replace(
        VOICE,
        widener=WidenerSettings(side_db=-6.0),
        rides=tuple(Ride(setting=name, **line) for name in ("fader_db", "widener.side_db")),
    )
    network = identity(network="tcn-8", causal=True)
    made = mix(NeuralConsole(session(), network), MixPlan(tracks=(ridden, bare(KEYS))))
    plain = MixPlan(tracks=(bare(ridden), bare(KEYS)))
    np.testing.assert_allclose(made, mix(ExactConsole(session()), plain), atol=3e-7)


@pytest.mark.parametrize("delay_ms", [-0.31, pytest.param(5.0, marks=pytest.mark.slow)])
def test_polarity_and_delay_are_exact(delay_ms):
    """A network that changes nothing leaves what the exact console makes of a strip's take."""
    strip = replace(VOICE, equalizer=EQUALIZED, delay_ms=delay_ms)
    console = NeuralConsole(session(), identity())
    given = collect(console.inserted(strip, "constant-power")).samples
    bare = replace(strip, equalizer=EqualizerSettings())
    wanted = collect(ExactConsole(session()).inserted(bare, "constant-power")).samples
    np.testing.assert_allclose(given, wanted[:, : given.shape[1]], atol=1e-5)
