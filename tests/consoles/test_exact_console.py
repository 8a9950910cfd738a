"""The exact console: sums, tails, stems, streaming, and sample rates."""

import math
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import pytest

import automix.session.tracks
from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.audio.blocks import collect
from automix.audio.samples import BLOCK_FRAMES, Audio
from automix.consoles.exact import ExactConsole, apply_master, insert_stream
from automix.dsp.fdn_reverb import tail_s
from automix.dsp.pan import pan_gains
from automix.dsp.saturation import LATENCY_FRAMES, Saturation
from automix.dsp.strip import Return
from automix.errors import PlanError
from automix.plan.model import MixPlan
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    LimiterSettings,
    Master,
    SaturationSettings,
    Send,
)
from automix.session.tracks import Session, Track

RATE = 44_100
SHORT = FdnReverbSettings(reverberation_time_s=0.3, lines="16", dry_wet=0.3)
LAWS = ("linear", "constant-power", "compromise")


def noise(channels, frames, seed):
    samples = np.random.default_rng(seed).uniform(-0.3, 0.3, (channels, frames))
    return samples.astype(np.float32)


def session(rate=RATE, frames=70_000, **tracks):
    """Tracks by name: samples, or a number of channels of noise."""
    made = []
    for seed, (name, content) in enumerate(sorted(tracks.items())):
        samples = noise(content, frames, seed) if isinstance(content, int) else content
        made.append(Track(name=name, role="other", source=Audio(samples, rate)))
    return Session(tracks=tuple(made))


def plan_of(a_session, *buses, **strips):
    """Neutral strips, but for the fields given by the name of a track."""
    names = [track.name for track in a_session.tracks]
    tracks = tuple(ChannelStrip(name=name, **strips.get(name, {})) for name in names)
    return MixPlan(tracks=tracks, buses=buses)


def mix(console, plan):
    return collect(apply_master(console.premaster(plan), plan.master)).samples


def rendered(a_session, plan):
    return mix(ExactConsole(a_session), plan)


def band(kind="peak", frequency_hz=1000.0, gain_db=0.0, q=0.707):
    return EqualizerBand(kind=kind, frequency_hz=frequency_hz, gain_db=gain_db, q=q)


def busy_plan(a_session):
    """Everything at once on the tracks a (mono), b and c (stereo)."""
    plan = plan_of(
        a_session,
        Bus(name="hall", pre_delay_ms=20.0, reverb=replace(SHORT, reverberation_time_s=0.5)),
        Bus(name="room", reverb=SHORT, gain_db=-4.0),
        a={
            "input_gain_db": 3.0,
            "equalizer": EqualizerSettings(bands=(band("high_pass", 80.0), band(gain_db=5.0))),
            "de_esser": DeEsserSettings(max_reduction_db=4.0),
            "compressor": CompressorSettings(threshold_db=-20.0, ratio=3.0, makeup_db=2.0),
            "reverb": SHORT,
            "fader_db": -2.0,
            "pan": 0.3,
            "sends": (Send(bus="hall", gain_db=-3.0), Send(bus="room")),
        },
        b={"pan": 0.8, "sends": (Send(bus="hall", gain_db=-9.0),)},
        c={"invert_polarity": True, "fader_db": -6.0},
    )
    return replace(
        plan,
        master=Master(
            equalizer=EqualizerSettings(bands=(band("low_shelf", 100.0, 3.0),)),
            compressor=CompressorSettings(threshold_db=-18.0, ratio=2.0, attack_ms=20.0),
            gain_db=9.0,
            limiter=LimiterSettings(ceiling_dbtp=-1.0),
        ),
    )


def exact_sum(*tracks):
    """Each sample summed without rounding, then rounded once."""
    sums = [
        math.fsum(samples) for samples in zip(*(track.ravel() for track in tracks), strict=True)
    ]
    return np.array(sums).astype(np.float32).reshape(tracks[0].shape)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [100, 2 * BLOCK_FRAMES, 2 * BLOCK_FRAMES + 1])
def test_the_latency_of_a_saturated_track_is_made_up_for(channels, frames):
    a_session = session(a=channels, frames=frames)
    given = a_session.track("a").source.samples.astype(np.float64)
    strip = ChannelStrip(name="a", saturation=SaturationSettings(drive_db=9.0, mix=0.7))
    made = insert_stream(a_session.track("a").source, strip, "constant-power")
    assert made.frames == frames
    lengths = [block.shape[1] for block in made.blocks()]
    assert all(length == BLOCK_FRAMES for length in lengths[:-1])
    result = collect(made).samples
    late = Saturation(strip.saturation, RATE, channels).process(
        np.pad(given, ((0, 0), (0, LATENCY_FRAMES)))
    )
    np.testing.assert_array_equal(result, late[:, LATENCY_FRAMES:].astype(np.float32))
    size = 2 * frames
    spectra = np.fft.rfft(result, size) * np.fft.rfft(given, size).conj()
    assert np.fft.irfft(spectra, size).sum(axis=0).argmax() == 0  # the lag with the largest peak


@pytest.mark.parametrize("order", ["ecr", "rce"])
def test_a_saturated_track_stays_in_time_with_its_reverb_and_the_others(order):
    """A faint click, which the curve leaves as it is: all is where it is without saturation."""
    click = np.zeros((1, 30_000), np.float32)
    click[0, 12_345] = 1e-3
    a_session = session(a=click, b=1, frames=30_000)
    made = [
        rendered(
            a_session,
            plan_of(a_session, a={"reverb": SHORT, "order": order, "saturation": saturation}),
        )
        for saturation in (SaturationSettings(), SaturationSettings(drive_db=6.0, mix=0.5))
    ]
    np.testing.assert_allclose(made[1], made[0], rtol=0, atol=2e-8)


def test_neutral_stereo_tracks_come_out_as_their_sum_to_the_bit():
    tracks = {name: noise(2, 5000, seed) for seed, name in enumerate("abc")}
    a_session = session(**tracks)
    result = rendered(a_session, plan_of(a_session))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, exact_sum(*tracks.values()))


def test_one_neutral_stereo_track_passes_to_the_bit_over_many_blocks():
    a_session = session(a=2, frames=2 * BLOCK_FRAMES + 777)
    source = a_session.tracks[0].source
    np.testing.assert_array_equal(rendered(a_session, plan_of(a_session)), source.samples)


@pytest.mark.parametrize("law", LAWS)
def test_a_mono_track_goes_through_the_pan_law(law):
    a_session = session(a=1, frames=1000)
    plan = replace(plan_of(a_session, a={"pan": 0.25, "fader_db": 6.0}), pan_law=law)
    sides = np.array(pan_gains(0.25, law))[:, np.newaxis] * 10.0 ** (6.0 / 20.0)
    expected = sides * a_session.tracks[0].source.samples
    np.testing.assert_allclose(rendered(a_session, plan), expected, rtol=1e-6)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("pan", [0.0, 0.2, 0.5, 1.0])
def test_switching_a_reverb_on_keeps_the_dry_level_of_a_mono_track(law, pan):
    a_session = session(a=1, frames=2000)
    plan = replace(plan_of(a_session, a={"pan": pan}), pan_law=law)
    barely = plan.with_strip("a", reverb=replace(SHORT, dry_wet=1e-8))
    dry, wet = rendered(a_session, plan), rendered(a_session, barely)
    np.testing.assert_allclose(wet[:, :2000], dry, rtol=0, atol=1e-6)


def test_the_order_of_tracks_changes_no_byte():
    a_session = session(a=1, b=2, c=2)
    plan = busy_plan(a_session)
    shuffled = Session(tracks=tuple(a_session.tracks[i] for i in (2, 0, 1)))
    other = replace(plan, tracks=tuple(plan.tracks[i] for i in (1, 2, 0)))
    assert rendered(shuffled, other).tobytes() == rendered(a_session, plan).tobytes()


def test_the_order_of_tracks_changes_no_rounding():
    """Two tracks that cancel lay the rounding errors of the sum bare under a very faint third."""
    tracks = {"a": noise(2, 5000, 1), "c": 1e-9 * noise(2, 5000, 2)}
    tracks["b"] = -tracks["a"]
    a_session = session(**tracks)
    results = set()
    for order in permutations("abc"):
        shuffled = Session(tracks=tuple(a_session.track(name) for name in order))
        results.add(rendered(shuffled, plan_of(shuffled)).tobytes())
    assert len(results) == 1


def test_rendering_twice_gives_the_same_bytes_also_after_another_plan():
    a_session = session(a=1, b=2, c=2)
    console, plan = ExactConsole(a_session), busy_plan(a_session)
    first = mix(console, plan)
    other = plan.with_strip("a", compressor=CompressorSettings(), pan=0.9)
    np.testing.assert_array_equal(mix(console, other), rendered(a_session, other))
    np.testing.assert_array_equal(mix(console, plan), first)
    np.testing.assert_array_equal(rendered(a_session, plan), first)


@dataclass(frozen=True)
class Streamed:
    """A source that must be read block by block."""

    audio: Audio

    @property
    def sample_rate(self):
        return self.audio.sample_rate

    @property
    def channels(self):
        return self.audio.channels

    @property
    def frames(self):
        return self.audio.frames

    def blocks(self):
        return self.audio.blocks()


def test_in_memory_and_streaming_give_the_same_bytes(monkeypatch):
    a_session = session(a=1, b=2, c=2, frames=BLOCK_FRAMES + 30_000)
    plan = busy_plan(a_session)
    console = ExactConsole(a_session)
    assert console.in_memory
    premaster = collect(console.premaster(plan))
    expected = mix(console, plan)
    stems = [collect(console.stem(plan, n, premaster)).samples for n in "abc"]
    monkeypatch.setattr(automix.session.tracks, "IN_MEMORY_BYTES", 0)
    streamed = tuple(replace(track, source=Streamed(track.source)) for track in a_session.tracks)
    console = ExactConsole(Session(tracks=streamed))
    assert not console.in_memory
    assert mix(console, plan).tobytes() == expected.tobytes()
    for name, stem in zip("abc", stems, strict=True):
        source = console.stem(plan, name, console.premaster(plan))
        assert collect(source).samples.tobytes() == stem.tobytes()


def test_stems_sum_to_the_mix():
    a_session = session(a=1, b=2, c=2, frames=100_000)
    console, plan = ExactConsole(a_session), busy_plan(a_session)
    premaster = collect(console.premaster(plan))
    whole = collect(apply_master(premaster, plan.master)).samples
    # All of the master is at work: the limiter by some decibels.
    unlimited = replace(plan.master, limiter=LimiterSettings())
    assert np.abs(collect(apply_master(premaster, unlimited)).samples).max() > 1.2
    assert 0.8 < np.abs(whole).max() < 0.9
    total = np.zeros(whole.shape)
    for name in "abc":
        stem = console.stem(plan, name, premaster)
        assert stem.frames == premaster.frames
        total += collect(stem).samples
    np.testing.assert_allclose(total, whole, rtol=0, atol=2e-6)


def test_the_stem_of_a_muted_companion_is_left_out():
    a_session = session(a=1, b=2, c=2, frames=20_000)
    console = ExactConsole(a_session)
    plan = busy_plan(a_session).with_strip("b", mute=True)
    premaster = collect(console.premaster(plan))
    total = sum(collect(console.stem(plan, n, premaster)).samples.astype(float) for n in "ac")
    np.testing.assert_allclose(total, mix(console, plan), rtol=0, atol=2e-6)


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_nothing_of_a_tail_is_cut_off(rate):
    """The same session with two more seconds of silence has nothing to add."""
    frames = rate // 2
    plan = replace(busy_plan(session(a=1, b=2, c=2, frames=10)), master=Master())
    tracks = {"a": noise(1, frames, 1), "b": noise(2, frames, 2), "c": noise(2, frames, 3)}
    result = rendered(session(rate, **tracks), plan)
    longest_bus_s = 0.02 + tail_s(plan.bus("hall").reverb)
    assert result.shape[1] == pytest.approx(frames + rate * (tail_s(SHORT) + longest_bus_s), abs=2)
    peak = np.abs(result).max()
    assert np.abs(result[:, -rate // 100 :]).max() < 1e-4 * peak
    padded = {n: np.pad(s, ((0, 0), (0, 2 * rate))) for n, s in tracks.items()}
    longer = rendered(session(rate, **padded), plan)
    np.testing.assert_allclose(longer[:, : result.shape[1]], result, rtol=0, atol=1e-7)
    assert np.abs(longer[:, result.shape[1] :]).max() < 1e-9


def test_the_tail_of_a_bus_does_not_depend_on_the_dry_wet_of_its_reverb():
    """A return is all wet: with the default of 0 it is heard, so its tail is too."""
    a_session = session(a=2, frames=5000)
    wet, dry = (
        rendered(
            a_session,
            plan_of(a_session, Bus(name="room", reverb=reverb), a={"sends": (Send(bus="room"),)}),
        )
        for reverb in (SHORT, replace(SHORT, dry_wet=0.0))
    )
    np.testing.assert_array_equal(wet, dry)


def test_a_dry_plan_is_as_long_as_its_session():
    a_session = session(a=1, b=2, frames=12_345)
    assert rendered(a_session, plan_of(a_session)).shape == (2, 12_345)


@pytest.mark.parametrize("gain_db", [-20.0, 0.0, 6.0])
def test_a_send_has_its_gain_after_fader_and_pan(gain_db):
    a_session = session(a=1, frames=30_000)
    bus = Bus(name="room", reverb=SHORT)
    strip = {"fader_db": -5.0, "pan": 0.9}
    dry = rendered(a_session, plan_of(a_session, a=strip))
    strip["sends"] = (Send(bus="room", gain_db=gain_db),)
    result = rendered(a_session, plan_of(a_session, bus, a=strip))
    sent = np.pad(dry, ((0, 0), (0, result.shape[1] - 30_000))).astype(np.float64)
    expected = sent + 10.0 ** (gain_db / 20.0) * Return(bus, RATE).process(sent)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6)
    assert np.abs(result - sent).max() > 1e-3


def test_two_tracks_share_a_bus_and_none_leaks_into_the_other_bus():
    a_session = session(a=2, b=2, frames=8000)
    bus = Bus(name="x", reverb=SHORT)
    plan = plan_of(
        a_session,
        bus,
        replace(bus, name="y"),
        a={"sends": (Send(bus="x"),)},
        b={"sends": (Send(bus="x", gain_db=-6.0),)},
    )
    flows = list(ExactConsole(a_session).flow(plan))
    returns = {name: np.hstack([flow.returns[name] for flow in flows]) for name in "xy"}
    assert not returns["y"].any()
    a, b = (track.source.samples.astype(np.float64) for track in a_session.tracks)
    sent = a + 10.0 ** (-6.0 / 20.0) * b
    sent = np.pad(sent, ((0, 0), (0, returns["x"].shape[1] - 8000)))
    expected = Return(bus, RATE).process(sent)
    np.testing.assert_allclose(returns["x"], expected, rtol=0, atol=1e-9)


def test_a_muted_track_is_neither_heard_nor_sent():
    a_session = session(a=1, b=2, c=2, frames=9000)
    plan = busy_plan(a_session).with_strip("a", mute=True)
    loud = session(a=np.ones((1, 9000), np.float32), b=2, c=2, frames=9000)
    np.testing.assert_array_equal(rendered(a_session, plan), rendered(loud, plan))


def test_all_muted_is_a_plan_error():
    a_session = session(a=2, b=2, frames=100)
    plan = plan_of(a_session, a={"mute": True}, b={"mute": True})
    with pytest.raises(PlanError, match="muted"):
        rendered(a_session, plan)


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_a_session_of_a_few_samples(frames):
    a_session = session(a=1, b=2, c=2, frames=frames)
    plain = rendered(a_session, plan_of(a_session))
    assert plain.shape == (2, frames)
    busy = rendered(a_session, busy_plan(a_session))
    assert busy.shape[1] > RATE // 4
    assert np.isfinite(busy).all()
    assert busy.any()


@pytest.mark.parametrize("rate", [8000, 11_025, 192_000])
def test_sessions_of_unusual_rates(rate):
    a_session = session(rate, a=1, b=2, c=2, frames=rate // 4)
    plan = busy_plan(a_session)
    result = rendered(a_session, plan)
    assert np.isfinite(result).all()
    assert np.abs(result).max() < 10.0 ** (-0.5 / 20.0)
    expected_s = 0.25 + tail_s(SHORT) + 0.02 + tail_s(plan.bus("hall").reverb)
    assert result.shape[1] / rate == pytest.approx(expected_s, abs=1e-3)


def test_silence_stays_silence():
    silent = np.zeros((1, 20_000), np.float32)
    a_session = session(a=silent, b=np.repeat(silent, 2, axis=0), c=np.repeat(silent, 2, axis=0))
    assert not rendered(a_session, busy_plan(a_session)).any()


def program(rate, seed, seconds=3, highest_hz=16_000):
    """The same band-limited sound at any rate: pink, with a level that rises and falls."""
    rng = np.random.default_rng(seed)
    bins = np.arange(40 * seconds, highest_hz * seconds)
    spectrum = np.zeros(rate * seconds // 2 + 1, complex)
    spectrum[bins] = np.exp(2j * np.pi * rng.random(len(bins))) / np.sqrt(bins)
    wave = np.fft.irfft(spectrum, rate * seconds)
    wave *= rate / 44_100  # irfft divides by the number of samples
    time = np.arange(rate * seconds) / rate
    envelope = (0.55 - 0.45 * np.cos(2 * np.pi * time)) * (1.3 + np.sin(2 * np.pi * 5 * time))
    wave *= envelope
    return (0.5 * wave[np.newaxis] / 0.02).astype(np.float32)


def band_levels_db(samples, rate, fraction):
    """Levels in bands of an octave or a fraction of it from 63 Hz to 15 kHz."""
    power = (np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2).sum(axis=0) / rate**2
    frequencies = np.arange(len(power)) * rate / samples.shape[1]
    edges = 1000.0 * 2.0 ** np.arange(-4, 3.9, fraction)
    pairs = zip(edges[:-1], edges[1:], strict=True)
    bands = [power[(frequencies >= low) & (frequencies < high)].sum() for low, high in pairs]
    return 10 * np.log10(bands)


def lufs(samples, rate):
    meter = LoudnessMeter(rate, 2)
    meter.add(samples)
    return integrated_lufs(meter.energies)


def rate_plan(reverberant):
    tone = EqualizerSettings(
        bands=(band("high_pass", 80.0), band("low_shelf", 200.0, 3.0), band(gain_db=-6.0))
    )
    return MixPlan(
        tracks=(
            ChannelStrip(
                name="a",
                equalizer=tone,
                de_esser=DeEsserSettings(frequency_hz=4000.0, max_reduction_db=6.0),
                compressor=CompressorSettings(threshold_db=-25.0, ratio=4.0, attack_ms=10.0),
                pan=0.4,
                sends=(Send(bus="room"),) if reverberant else (),
            ),
            ChannelStrip(name="b", fader_db=-3.0),
        ),
        buses=(Bus(name="room", pre_delay_ms=20.0, reverb=SHORT),) if reverberant else (),
        master=Master(
            compressor=CompressorSettings(threshold_db=-20.0, ratio=2.0),
            limiter=LimiterSettings(ceiling_dbtp=-3.0),
        ),
    )


@pytest.mark.parametrize("rate", [48_000, 96_000])
def test_a_mix_is_the_same_at_every_sample_rate(rate):
    def at(a_rate):
        a_session = session(a_rate, a=program(a_rate, 1), b=program(a_rate, 2))
        return rendered(a_session, rate_plan(reverberant=False))

    reference, other = at(RATE), at(rate)
    assert lufs(other, rate) == pytest.approx(lufs(reference, RATE), abs=0.05)
    levels = band_levels_db(reference, RATE, 1 / 3)
    np.testing.assert_allclose(band_levels_db(other, rate, 1 / 3), levels, rtol=0, atol=0.2)


@pytest.mark.parametrize("rate", [48_000, 96_000])
def test_a_return_has_the_same_energy_in_every_octave_at_every_sample_rate(rate):
    def at(a_rate):
        a_session = session(a_rate, a=program(a_rate, 1), b=program(a_rate, 2))
        flows = list(ExactConsole(a_session).flow(rate_plan(reverberant=True)))
        return np.hstack([flow.returns["room"] for flow in flows])

    levels = band_levels_db(at(RATE), RATE, 1)
    np.testing.assert_allclose(band_levels_db(at(rate), rate, 1), levels, rtol=0, atol=0.5)


@pytest.mark.parametrize("frames", [-144, 336])
def test_a_delay_of_whole_samples_changes_no_bit(frames):
    a_session = session(rate=48_000, a=1, b=2)
    alone = {"mute": True}
    in_time = rendered(a_session, plan_of(a_session, b=alone))
    result = rendered(a_session, plan_of(a_session, a={"delay_ms": frames / 48}, b=alone))
    assert result.shape[1] == in_time.shape[1] + max(frames, 0)  # nothing is lost at the end
    kept = in_time.shape[1] - abs(frames)
    later, earlier = max(frames, 0), max(-frames, 0)
    assert np.array_equal(result[:, later : later + kept], in_time[:, earlier : earlier + kept])
    assert not result[:, :later].any()


@pytest.mark.parametrize("delay_ms", [-2.71, 11.37])
def test_a_delay_by_fractions_turns_every_phase(delay_ms):
    size = 1 << 15
    spectrum = np.fft.rfft(np.random.default_rng(8).uniform(-1, 1, size) * np.hanning(size) ** 2)
    frequencies = np.arange(size // 2 + 1) / size
    spectrum *= np.clip((0.45 - frequencies) / 0.05, 0.0, 1.0)  # fades out below 0.9 of Nyquist
    samples = np.fft.irfft(spectrum, size)
    a_session = session(rate=48_000, a=samples[None].astype(np.float32))
    in_time = rendered(a_session, plan_of(a_session))[0]
    result = rendered(a_session, plan_of(a_session, a={"delay_ms": delay_ms}))[0]
    turns = np.exp(-2j * np.pi * frequencies * 48 * delay_ms)
    wanted = np.fft.irfft(np.fft.rfft(in_time) * turns, size)
    error = ((result[:size] - wanted) ** 2).sum() / (wanted**2).sum()
    assert 10 * math.log10(error) < -75.0


def test_a_delay_adds_to_the_latency_of_a_processor():
    a_session = session(rate=48_000, a=1, b=2)
    shaped = {"saturation": SaturationSettings(drive_db=6.0)}
    in_time = rendered(a_session, plan_of(a_session, a=shaped, b={"mute": True}))
    late = {**shaped, "delay_ms": 7.0}
    result = rendered(a_session, plan_of(a_session, a=late, b={"mute": True}))
    np.testing.assert_allclose(result[:, 336:][:, : in_time.shape[1]], in_time, atol=1e-6)


def test_stems_with_delays_sum_to_the_mix():
    a_session = session(a=1, b=2, frames=BLOCK_FRAMES + 5_000)
    plan = plan_of(a_session, a={"delay_ms": 3.21}, b={"delay_ms": -1.0, "invert_polarity": True})
    console = ExactConsole(a_session)
    premaster = console.premaster(plan)
    total = sum(collect(console.stem(plan, name, premaster)).samples for name in "ab")
    np.testing.assert_allclose(total, collect(premaster).samples, atol=1e-6)
