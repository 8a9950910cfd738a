"""The five spaces against room acoustics, and their place in strips, buses and mixes."""

import math
from dataclasses import replace
from itertools import combinations, permutations
from typing import get_args

import numpy as np
import pytest
from scipy.signal import butter, fftconvolve, sosfilt

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.exact import ExactConsole
from automix.dsp import spaces
from automix.dsp.compressor import Compressor
from automix.dsp.de_esser import DeEsser
from automix.dsp.equalizer import Equalizer
from automix.dsp.fdn_reverb import tail_s as fdn_tail_s
from automix.dsp.pan import pan_gains
from automix.dsp.spaces import T60_S, impulse_response, reverberation_time_s, tail_s
from automix.dsp.strip import Fader, Inserts, Return, Reverb, SpaceReverb
from automix.plan.model import MixPlan
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    Order,
    Send,
    Space,
    SpaceSettings,
)
from automix.session.tracks import Session, Track

RATE = 44_100
RATES = (44_100, 48_000, 96_000)
ALL = get_args(Space)
ROOMS = ALL[:-1]
ORDERS = get_args(Order)
LAWS = ("linear", "constant-power", "compromise")


def response(space, rate=RATE, decay=1.0):
    return impulse_response(SpaceSettings(space=space, decay=decay), rate)[0]


def band(samples, low_hz, high_hz, rate):
    return sosfilt(butter(4, [low_hz, high_hz], "band", fs=rate, output="sos"), samples)


def t60_s(samples, rate, drop_db=20.0):
    """ISO 3382-1: line through the backward-integrated energy from −5 dB down, mean of both sides.

    The level at which it ends is 5 + ``drop_db`` below the whole.
    """
    energy = np.cumsum(samples[:, ::-1] ** 2, axis=1)[:, ::-1]
    times = []
    for side in 10.0 * np.log10(energy / energy[:, :1]):
        first, last = np.argmax(side < -5.0), np.argmax(side < -5.0 - drop_db)
        slope = np.polyfit(np.arange(first, last) / rate, side[first:last], 1)[0]
        times.append(-60.0 / slope)
    return float(np.mean(times))


def middle_t60_s(space, rate=RATE, decay=1.0):
    """Of the octaves of 500 and 1000 Hz, the single number of ISO 3382-1."""
    whole = response(space, rate, decay)
    octaves = [(500.0 / 2**0.5, 500.0 * 2**0.5), (1000.0 / 2**0.5, 1000.0 * 2**0.5)]
    return float(np.mean([t60_s(band(whole, *edges, rate), rate) for edges in octaves]))


# The response


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("space", ALL)
def test_the_middle_decays_in_the_declared_time(space, rate):
    declared_s = {
        "small room": 1.0,
        "medium room": 1.9,
        "large room": 1.5,
        "hall": 5.0,
        "plate": 2.3,
    }
    assert declared_s == T60_S
    assert middle_t60_s(space, rate) == pytest.approx(declared_s[space], rel=0.1)


@pytest.mark.parametrize("space", ALL)
def test_every_octave_decays_in_the_declared_time(space):
    whole = response(space)
    for center_hz in 125.0 * 2.0 ** np.arange(7):
        # The highest is cut narrower: air makes the time change within the octave.
        half = 2.0 ** (1 / 2 if center_hz < 5000.0 else 1 / 6)
        measured_s = t60_s(band(whole, center_hz / half, center_hz * half, RATE), RATE)
        (expected_s,) = reverberation_time_s(space, np.array([center_hz]))
        assert measured_s == pytest.approx(expected_s, rel=0.1), center_hz


@pytest.mark.parametrize("space", ALL)
def test_highs_decay_faster(space):
    times_s = reverberation_time_s(space, np.geomspace(63.0, 20_000.0, 50))
    assert (np.diff(times_s) <= 0.0).all()
    assert times_s[-1] < 0.6 * times_s[0]


@pytest.mark.parametrize("space", ROOMS)
def test_in_rooms_the_air_limits_the_highest(space):
    """ISO 9613-1, 20 °C and 50 %: 104 dB/km at 8 kHz, so no more than 60 / (343 · 0.104) s."""
    (time_s,) = reverberation_time_s(space, np.array([8000.0]))
    assert time_s < 60.0 / (343.0 * 0.104)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000, 192_000])
@pytest.mark.parametrize("space", ALL)
def test_the_same_sound_at_every_rate(space, rate):
    """The frequency response, the level with it, is that at 48 kHz."""
    reference, converted = response(space, 48_000), response(space, rate)
    assert converted.shape[1] == math.ceil(tail_s(SpaceSettings(space=space)) * rate)

    def at(samples, rate, frequency_hz):
        turns = np.exp(-2j * math.pi * frequency_hz / rate * np.arange(samples.shape[1]))
        return samples @ turns

    frequencies_hz = np.geomspace(40.0, min(0.4 * rate, 19_000.0), 7)
    expected = np.array([at(reference, 48_000, f) for f in frequencies_hz])
    actual = np.array([at(converted, rate, f) for f in frequencies_hz])
    assert np.abs(actual - expected).max() < 10.0 ** (-50 / 20) * np.abs(expected).max()


@pytest.mark.parametrize("decay", [0.5, 0.2])
@pytest.mark.parametrize("space", ALL)
def test_decay_multiplies_the_reverberation_time(space, decay):
    assert middle_t60_s(space, decay=decay) == pytest.approx(decay * T60_S[space], rel=0.1)


@pytest.mark.parametrize("space", ALL)
def test_the_window_is_an_exponential(space):
    short, whole = response(space, decay=0.3), response(space)
    taps = short.shape[1]
    assert taps < 0.5 * whole.shape[1]
    loud = np.abs(whole[:, :taps]) > 1e-9
    times_s = np.broadcast_to(np.arange(taps) / RATE, loud.shape)
    for side in range(2):
        heard = loud[side]
        level_db = 20.0 * np.log10(np.abs(short[side, heard] / whole[side, :taps][heard]))
        slope, offset = np.polyfit(times_s[side, heard], level_db, 1)
        assert slope == pytest.approx(-60.0 * (1.0 / 0.3 - 1.0) / T60_S[space], rel=1e-6)
        np.testing.assert_allclose(
            level_db, slope * times_s[side, heard] + offset, rtol=0, atol=1e-5
        )


@pytest.mark.parametrize("space", ALL)
def test_left_and_right_are_independent(space):
    left, right = response(space)
    late = slice(RATE // 5, None)
    for low_hz, high_hz in ((200.0, 800.0), (800.0, 3200.0), (3200.0, 12_800.0)):
        sides = band(np.stack([left[late], right[late]]), low_hz, high_hz, RATE)
        assert abs(np.corrcoef(sides)[0, 1]) < 0.15
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.2


def echo_density(samples, start_s, length_s, rate):
    """Share of taps outside one standard deviation over that of Gaussian noise (Abel & Huang)."""
    first = round(start_s * rate)
    part = samples[:, first : first + round(length_s * rate)]
    outside = np.abs(part) > part.std(axis=1, keepdims=True)
    return float(outside.mean() / math.erfc(1.0 / math.sqrt(2.0)))


@pytest.mark.parametrize("space", ALL)
def test_rooms_begin_with_separate_reflections_and_a_plate_is_dense_at_once(space):
    whole = response(space, 48_000)
    first_s = float(np.argmax(np.abs(whole[0]) > 0.05 * np.abs(whole[0]).max())) / 48_000
    early = echo_density(whole, first_s, 0.004, 48_000)
    assert echo_density(whole, 0.5, 0.05, 48_000) == pytest.approx(1.0, abs=0.12)
    assert early > 0.85 if space == "plate" else early < 0.5


@pytest.mark.parametrize("space", ROOMS)
def test_there_is_no_direct_sound(space):
    """The first reflection comes later than the dry signal, the later the larger the room."""
    whole = response(space, 48_000)
    assert (whole[:, :48] ** 2).sum() < 1e-3 * (whole**2).sum()
    gap_ms = [
        float(np.argmax(np.abs(s) > 0.2 * np.abs(s).max())) / 48.0
        for s in (response(room, 48_000).sum(axis=0) for room in ("small room", "large room"))
    ]
    assert gap_ms[0] < gap_ms[1]


@pytest.mark.parametrize("decay", [1.0, 0.4, 0.1])
@pytest.mark.parametrize("space", ALL)
def test_wet_is_as_loud_as_dry(space, decay):
    """Pink noise by BS.1770, each side by itself."""
    frames = 12 * 48_000
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(frames))
    frequencies_hz = np.fft.rfftfreq(frames, 1 / 48_000)
    spectrum[1:] /= np.sqrt(frequencies_hz[1:])
    spectrum[frequencies_hz < 20.0] = 0.0
    pink = np.fft.irfft(spectrum)
    pink *= 0.05 / pink.std()
    wet = np.fft.irfft(  # periodic noise: settled from the start
        np.fft.rfft(pink) * np.fft.rfft(response(space, 48_000, decay), frames)
    )

    def loudness(samples):
        meter = LoudnessMeter(48_000, 1)
        meter.add(samples[np.newaxis].astype(np.float32))
        return integrated_lufs(meter.energies)

    dry = loudness(pink)
    for side in wet:
        assert loudness(side) == pytest.approx(dry, abs=0.5)


@pytest.mark.parametrize("decay", [1.0, 0.1])
@pytest.mark.parametrize("space", ALL)
def test_what_the_tail_leaves_out_is_inaudible(space, decay):
    settings = SpaceSettings(space=space, decay=decay)
    taps = math.ceil(tail_s(settings) * RATE)
    base = spaces.base_response(space, RATE)
    window = spaces.decay_window(decay, space, np.arange(base.shape[1]) / RATE)
    energy = np.cumsum((base * window)[:, ::-1] ** 2, axis=1)[:, ::-1]
    last = taps - round(0.05 * tail_s(settings) * RATE)  # something is left to be cut
    assert (energy[:, last] < 1e-8 * energy[:, 0]).all()
    assert tail_s(settings) < 1.5 * decay * T60_S[space] * 1.7


def test_the_response_does_not_depend_on_what_was_made_before():
    first = [response(space).copy() for space in ALL]
    spaces.base_response.cache_clear()
    spaces._on_grid.cache_clear()
    for space, expected in zip(reversed(ALL), reversed(first), strict=True):
        np.testing.assert_array_equal(response(space), expected)
    shortest = min(r.shape[1] for r in first)
    for one, other in combinations(first, 2):
        assert abs(np.corrcoef(one[0, :shortest], other[0, :shortest])[0, 1]) < 0.1


def test_shared_parts_cannot_be_written():
    for part in (spaces.base_response("plate", RATE), *spaces.energy_profile("plate")):
        with pytest.raises(ValueError, match="read-only"):
            part[..., 0] = 1.0


def test_the_parts_give_the_response_and_its_gradient():
    """The same arithmetic in torch, differentiated by decay, against central differences."""
    torch = pytest.importorskip("torch")
    base = torch.tensor(spaces.base_response("large room", RATE))
    times_s, energies = (torch.tensor(x) for x in spaces.energy_profile("large room"))
    decay = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)

    def window(times_s):
        rate = math.log(1000.0) * (1.0 / decay - 1.0) / T60_S["large room"]
        return torch.exp(-rate * times_s)

    gains = (energies * window(times_s) ** 2).sum(dim=1, keepdim=True) ** -0.5
    whole = base * window(torch.arange(base.shape[1], dtype=torch.float64) / RATE) * gains
    expected = response("large room", decay=0.4)
    taps = expected.shape[1]
    np.testing.assert_allclose(whole.detach()[:, :taps], expected, rtol=0, atol=1e-12)
    weights = np.random.default_rng(3).standard_normal(expected.shape)
    (whole[:, :taps] * torch.tensor(weights)).sum().backward()
    up, down = (response("large room", decay=d)[:, : taps - 9] for d in (0.4 + 1e-6, 0.4 - 1e-6))
    difference = ((up[:, : taps - 9] - down) * weights[:, : taps - 9]).sum() / 2e-6
    assert decay.grad.item() == pytest.approx(difference, rel=1e-3)


# In a strip

ROOM = SpaceSettings(space="small room", decay=0.3, wet=0.3)
FULL = ChannelStrip(
    name="vocal",
    input_gain_db=2.0,
    equalizer=EqualizerSettings(bands=(EqualizerBand(frequency_hz=900.0, gain_db=9.0),)),
    compressor=CompressorSettings(threshold_db=-24.0, ratio=4.0, release_ms=80.0, makeup_db=3.0),
    space=ROOM,
)
SIBILANT = replace(
    FULL,
    de_esser=DeEsserSettings(frequency_hz=3000.0, threshold_db=-12.0, max_reduction_db=12.0),
)


def noise(channels, frames=20_000, seed=1):
    return 0.3 * np.random.default_rng(seed).standard_normal((channels, frames))


def inserted(strip, samples, law="constant-power", rate=RATE):
    return Inserts(strip, len(samples), rate, law).process(samples)


def space_by_hand(samples, settings, rate=RATE):
    frames = samples.shape[1]
    fold = samples.mean(axis=0)
    wet = np.stack(
        [fftconvolve(fold, side)[:frames] for side in impulse_response(settings, rate)[0]]
    )
    return (1.0 - settings.wet) * samples + settings.wet * wet


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("order", ORDERS)
def test_without_wet_nothing_changes(channels, order):
    samples = noise(channels)
    dry = ChannelStrip(name="a", space=SpaceSettings(space="hall", decay=0.5), order=order)
    np.testing.assert_array_equal(inserted(dry, samples), samples)
    stereo = noise(2)
    np.testing.assert_array_equal(SpaceReverb(dry.space, RATE).process(stereo), stereo)


@pytest.mark.parametrize("wet", [0.2, 1.0])
def test_stereo_stays_and_its_mean_reverberates(wet):
    samples = noise(2)
    settings = replace(ROOM, wet=wet)
    result = SpaceReverb(settings, RATE).process(samples)
    np.testing.assert_allclose(result, space_by_hand(samples, settings), rtol=0, atol=1e-10)
    opposite = np.stack([samples[0], -samples[0]])
    result = SpaceReverb(settings, RATE).process(opposite)
    np.testing.assert_allclose(result, (1.0 - wet) * opposite, rtol=0, atol=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_mono_leaves_at_the_level_of_the_center(law):
    samples = noise(1)
    strip = ChannelStrip(name="a", space=ROOM)
    expected = pan_gains(0.5, law)[0] * space_by_hand(np.repeat(samples, 2, axis=0), ROOM)
    np.testing.assert_allclose(inserted(strip, samples, law), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_space_that_is_hardly_there_does_not_change_what_the_others_do(order, law):
    """Nor at what level the compressor hears a mono track."""
    samples = noise(1)
    strip = replace(SIBILANT, order=order, space=replace(ROOM, wet=1e-9))
    wet = inserted(strip, samples, law)
    dry = inserted(replace(strip, space=SpaceSettings()), samples, law)
    centered = Fader(strip, 1, RATE, law).process(dry)
    np.testing.assert_allclose(wet, centered, rtol=0, atol=1e-7)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("order", ORDERS)
def test_a_strip_is_its_processors_in_their_order(order, channels):
    samples = noise(channels)
    strip = replace(
        SIBILANT, order=order, reverb=FdnReverbSettings(reverberation_time_s=0.2, dry_wet=0.2)
    )
    signal = np.repeat(samples, 3 - channels, axis=0) * 10.0 ** (2.0 / 20.0)
    for stage in order:
        if stage == "e":
            signal = Equalizer(strip.equalizer, RATE, 2).process(signal)
            signal = DeEsser(strip.de_esser, RATE, 2).process(signal)
        elif stage == "c":
            signal = Compressor(strip.compressor, RATE).process(signal)
        else:
            signal = Reverb(strip.reverb, RATE).process(signal)
            signal = space_by_hand(signal, strip.space)
    if channels == 1:
        signal *= pan_gains(0.5, "constant-power")[0]
    np.testing.assert_allclose(inserted(strip, samples), signal, rtol=0, atol=1e-9)


def difference_db(strip, one, other, samples):
    a, b = (inserted(replace(strip, order=order), samples) for order in (one, other))
    return 10.0 * np.log10(((a - b) ** 2).sum() / (a**2).sum() + 1e-30)


def test_the_six_orders_sound_different():
    assert set(ORDERS) == {"".join(order) for order in permutations("ecr")}
    samples = noise(1)
    for one, other in combinations(ORDERS, 2):
        assert difference_db(SIBILANT, one, other, samples) > -40.0, (one, other)


def test_linear_processors_side_by_side_can_be_swapped():
    samples = noise(1)
    for one, other in (("erc", "rec"), ("cer", "cre")):
        assert difference_db(FULL, one, other, samples) < -200.0
    linear = replace(FULL, compressor=CompressorSettings(makeup_db=3.0))
    for order in ORDERS[1:]:
        assert difference_db(linear, ORDERS[0], order, samples) < -200.0


@pytest.mark.parametrize("channels", [1, 2])
def test_the_cuts_between_blocks_do_not_matter(channels):
    samples = noise(channels, frames=70_000)
    strip = replace(SIBILANT, order="rce")
    whole = inserted(strip, samples)
    streaming = Inserts(strip, channels, RATE, "constant-power")
    pieces = [streaming.process(p) for p in np.split(samples, [1, 300, 40_000, 65_536], axis=1)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=0, atol=1e-10)


# In a bus, and in a mix


def test_a_bus_with_a_space_returns_it_alone():
    samples = noise(2)
    bus = Bus(name="hall", space=replace(ROOM, wet=0.01), gain_db=-6.0)
    expected = 10.0 ** (-6.0 / 20.0) * space_by_hand(samples, replace(ROOM, wet=1.0))
    result = Return(bus, RATE).process(samples)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-10)
    other = replace(bus, reverb=FdnReverbSettings(reverberation_time_s=3.0, dry_wet=1.0))
    np.testing.assert_array_equal(Return(other, RATE).process(samples), result)
    network = replace(bus, space=replace(ROOM, wet=0.0))
    expected = Return(Bus(name="hall", gain_db=-6.0), RATE).process(samples)
    np.testing.assert_array_equal(Return(network, RATE).process(samples), expected)


def mono_session(frames=RATE // 4):
    samples = noise(1, frames).astype(np.float32)
    return Session(tracks=(Track(name="a", role="other", source=Audio(samples, RATE)),))


def test_the_mix_lasts_until_its_spaces_have_died_away():
    network = FdnReverbSettings(reverberation_time_s=0.3, lines="16", dry_wet=0.2)
    room, plate = ROOM, SpaceSettings(space="plate", decay=0.2, wet=1.0)
    sends = (Send(bus="plate"),)
    strip = ChannelStrip(name="a", reverb=network, space=room, sends=sends, order="rce")
    bus = Bus(name="plate", pre_delay_ms=20.0, space=plate)
    session = mono_session()
    mix = collect(ExactConsole(session).premaster(MixPlan(tracks=(strip,), buses=(bus,))))
    expected_s = 0.25 + fdn_tail_s(network) + tail_s(room) + 0.02 + tail_s(plate)
    assert mix.frames == pytest.approx(expected_s * RATE, abs=3)
    peak = np.abs(mix.samples).max()
    assert 0.0 < np.abs(mix.samples[:, -RATE // 20 : -RATE // 40]).max() < 1e-4 * peak


def test_the_console_keeps_strips_of_different_order_and_space_apart():
    console = ExactConsole(mono_session())
    strip = replace(FULL, name="a")
    variants = (strip, replace(strip, order="rec"), replace(strip, space=replace(ROOM, decay=0.1)))
    results = [collect(console.inserted(s, "constant-power")).samples for s in variants]
    assert all(result.shape[0] == 2 for result in results)
    frames = min(result.shape[1] for result in results)
    for one, other in combinations(results, 2):
        assert np.abs(one[:, :frames] - other[:, :frames]).max() > 1e-3
    dry = console.inserted(replace(strip, space=SpaceSettings()), "constant-power")
    assert dry.channels == 1
    assert dry.frames == RATE // 4
