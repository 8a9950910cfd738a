"""The inserts of a strip, its fader, and the return of a bus."""

from dataclasses import replace

import numpy as np
import pytest

from automix.dsp.compressor import Compressor
from automix.dsp.de_esser import DeEsser
from automix.dsp.equalizer import Equalizer
from automix.dsp.fdn_reverb import impulse_response
from automix.dsp.pan import balance_gains, pan_gains
from automix.dsp.strip import Fader, Inserts, Return, Reverb
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
)

RATE = 44_100
LAWS = ("linear", "constant-power", "compromise")
SHORT = FdnReverbSettings(reverberation_time_s=0.2, lines="16")
FULL = ChannelStrip(
    name="vocal",
    input_gain_db=4.0,
    equalizer=EqualizerSettings(bands=(EqualizerBand(frequency_hz=800.0, gain_db=-5.0),)),
    de_esser=DeEsserSettings(max_reduction_db=6.0),
    compressor=CompressorSettings(threshold_db=-24.0, ratio=4.0, makeup_db=2.0),
    reverb=replace(SHORT, dry_wet=0.3),
)


def noise(channels, frames=20_000, seed=1):
    return 0.3 * np.random.default_rng(seed).standard_normal((channels, frames))


def inserted(strip, samples, law="constant-power", rate=RATE):
    return Inserts(strip, len(samples), rate, law).process(samples)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_neutral_strip_changes_no_bit(channels):
    samples = noise(channels)
    np.testing.assert_array_equal(inserted(ChannelStrip(name="a"), samples), samples)


@pytest.mark.parametrize("channels", [1, 2])
def test_inverted_polarity_is_exactly_the_negative(channels):
    samples = noise(channels)
    plain = inserted(FULL, samples)
    inverted = inserted(replace(FULL, invert_polarity=True), samples)
    np.testing.assert_array_equal(inverted, -plain)


def test_processors_follow_each_other_in_the_order_of_the_signal_flow():
    samples = noise(2)
    signal = samples * 10.0 ** (4.0 / 20.0)
    signal = Equalizer(FULL.equalizer, RATE, 2).process(signal)
    signal = DeEsser(FULL.de_esser, RATE, 2).process(signal)
    signal = Compressor(FULL.compressor, RATE).process(signal)
    signal = Reverb(FULL.reverb, RATE).process(signal)
    np.testing.assert_allclose(inserted(FULL, samples), signal, rtol=0, atol=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_a_reverb_that_is_hardly_there_keeps_the_dry_level_of_a_mono_track(law):
    samples = noise(1)
    barely = ChannelStrip(name="a", reverb=replace(SHORT, dry_wet=1e-9))
    wet = inserted(barely, samples, law)
    assert wet.shape == (2, samples.shape[1])
    dry = Fader(barely, 1, RATE, law).process(samples)  # centered
    placed = Fader(barely, 2, RATE, law).process(wet)
    np.testing.assert_allclose(placed, dry, rtol=0, atol=1e-7)


def test_dry_and_wet_are_weighted_by_the_setting():
    samples = noise(2)
    network = Reverb(replace(SHORT, dry_wet=1.0), RATE).process(samples)
    mixed = Reverb(replace(SHORT, dry_wet=0.25), RATE).process(samples)
    np.testing.assert_allclose(mixed, 0.75 * samples + 0.25 * network, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(Reverb(SHORT, RATE).process(samples), samples)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("pan", [0.0, 0.3, 0.5, 1.0])
def test_fader_and_pan_are_gains(law, pan):
    strip = ChannelStrip(name="a", fader_db=-6.0, pan=pan)
    for channels, sides in ((1, pan_gains(pan, law)), (2, balance_gains(pan, law))):
        expected = 10.0 ** (-6.0 / 20.0) * np.array(sides)
        placed = Fader(strip, channels, RATE, law).process(np.ones((channels, 1)))
        np.testing.assert_allclose(placed[:, 0], expected)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_cuts_between_blocks_do_not_matter(channels):
    samples = noise(channels, frames=70_000)
    whole = inserted(FULL, samples)
    streaming = Inserts(FULL, channels, RATE, "constant-power")
    pieces = [streaming.process(p) for p in np.split(samples, [1, 300, 40_000, 65_536], axis=1)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=0, atol=1e-12)


def returned(bus, samples, rate=RATE):
    return Return(bus, rate).process(samples)


@pytest.mark.parametrize(
    ("rate", "pre_delay_ms", "frames"),
    [(44_100, 20.0, 882), (48_000, 20.0, 960), (96_000, 20.0, 1920), (44_100, 12.5, 551)],
)
def test_the_pre_delay_shifts_by_its_samples(rate, pre_delay_ms, frames):
    samples = noise(2)
    bus = Bus(name="room", reverb=SHORT)
    early = returned(bus, samples, rate)
    late = returned(replace(bus, pre_delay_ms=pre_delay_ms), samples, rate)
    assert np.abs(late[:, :frames]).max() < 1e-14  # rounding of the FFT
    np.testing.assert_allclose(late[:, frames:], early[:, :-frames], rtol=0, atol=1e-12)


def test_a_return_is_the_network_without_the_sound_that_feeds_it():
    impulse = np.zeros((2, 12_000))
    impulse[:, 0] = 1.0
    response = impulse_response(SHORT, RATE, channels=1, direct=False)[0]
    frames = min(12_000, response.shape[1])
    heard = returned(Bus(name="room", reverb=SHORT), impulse)
    np.testing.assert_allclose(heard[:, :frames], response[:, :frames], rtol=0, atol=1e-12)
    with_echo = impulse_response(SHORT, RATE, channels=1)[0, 0, :400]
    assert np.abs(with_echo).max() > 0.9 > 3 * np.abs(heard[0, :400]).max()


@pytest.mark.parametrize("dry_wet", [0.0, 0.4, 1.0])
def test_a_return_is_all_wet(dry_wet):
    samples = noise(2)
    wet = returned(Bus(name="room", reverb=replace(SHORT, dry_wet=dry_wet)), samples)
    np.testing.assert_array_equal(wet, returned(Bus(name="room", reverb=SHORT), samples))
    assert wet.any()


def test_the_return_gain_and_the_mono_fold():
    samples = noise(2)
    bus = Bus(name="room", reverb=SHORT)
    unity = returned(bus, samples)
    louder = returned(replace(bus, gain_db=12.0), samples)
    np.testing.assert_allclose(louder, 10.0 ** (12.0 / 20.0) * unity, rtol=1e-12)
    fold = np.repeat(samples.mean(axis=0, keepdims=True), 2, axis=0)
    np.testing.assert_allclose(returned(bus, fold), unity, rtol=0, atol=1e-12)
    assert not returned(bus, np.stack([samples[0], -samples[0]])).any()


def test_the_equalizer_of_a_bus_acts_on_its_return():
    samples = noise(2)
    low_cut = EqualizerSettings(bands=(EqualizerBand(kind="high_pass", frequency_hz=500.0),))
    bus = Bus(name="room", reverb=SHORT)
    filtered_after = Equalizer(low_cut, RATE, 2).process(returned(bus, samples))
    result = returned(replace(bus, equalizer=low_cut), samples)
    np.testing.assert_allclose(result, filtered_after, rtol=0, atol=1e-12)  # linear: order is free


@pytest.mark.parametrize("pre_delay_ms", [0.0, 20.0])
def test_the_cuts_between_blocks_do_not_matter_to_a_return(pre_delay_ms):
    samples = noise(2, frames=70_000)
    bus = Bus(name="room", reverb=SHORT, pre_delay_ms=pre_delay_ms)
    whole = returned(bus, samples)
    streaming = Return(bus, RATE)
    pieces = [streaming.process(p) for p in np.split(samples, [5, 800, 40_000, 65_536], axis=1)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=0, atol=1e-12)
