"""What every streaming processor promises, whatever it does to the sound."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from automix.dsp.biquad import BiquadCascade
from automix.dsp.compressor import Compressor
from automix.dsp.convolution import PARTITION_FRAMES, Convolver
from automix.dsp.de_esser import DeEsser
from automix.dsp.delay import Delay
from automix.dsp.equalizer import Equalizer
from automix.dsp.gate import Gate
from automix.dsp.limiter import Limiter
from automix.dsp.saturation import Saturation
from automix.dsp.strip import Inserts, Return, Reverb
from automix.dsp.widener import Widener
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    DelaySettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    GateSettings,
    LimiterSettings,
    SaturationSettings,
    WidenerSettings,
)

RATES = (8_000, 44_100, 96_000, 192_000)
RATE = 44_100

EQUALIZER = EqualizerSettings(
    bands=(
        EqualizerBand(kind="high_pass", frequency_hz=80.0),
        EqualizerBand(kind="low_shelf", frequency_hz=200.0, gain_db=-6.0),
        EqualizerBand(frequency_hz=3_000.0, gain_db=9.0, q=4.0),
        EqualizerBand(kind="high_shelf", frequency_hz=9_000.0, gain_db=12.0),
    )
)
DE_ESSER = DeEsserSettings(frequency_hz=3_000.0, threshold_db=-12.0, max_reduction_db=12.0)
GATE = GateSettings(
    threshold_db=-1.0, range_db=30.0, hysteresis_db=0.0, hold_ms=0.1, release_ms=20.0
)
SATURATION = SaturationSettings(drive_db=15.0, mix=0.8)
COMPRESSOR = CompressorSettings(threshold_db=-30.0, ratio=4.0, attack_ms=0.5, makeup_db=6.0)
REVERB = FdnReverbSettings(reverberation_time_s=0.3, room_size=4.0, dry_wet=0.4, lines="16")
STRIP = ChannelStrip(
    name="lead",
    input_gain_db=-3.0,
    invert_polarity=True,
    equalizer=EQUALIZER,
    de_esser=DE_ESSER,
    compressor=COMPRESSOR,
    gate=GATE,
    saturation=SATURATION,
)
WET_STRIP = ChannelStrip(**{**vars(STRIP), "reverb": REVERB})
DELAY = DelaySettings(time_ms=11.0, feedback=0.5, low_cut_hz=300.0, high_cut_hz=3_000.0, wet=0.5)
PING_PONG = DelaySettings(time_ms=11.0, ping_pong=True, wet=0.5)
PARALLEL = Bus(
    name="press",
    parallel=True,
    pre_delay_ms=7.0,
    equalizer=EQUALIZER,
    compressor=COMPRESSOR,
    gain_db=-3.0,
)
BUS = Bus(name="room", pre_delay_ms=7.0, equalizer=EQUALIZER, reverb=REVERB, gain_db=-3.0)


class StreamingLimiter:
    """The limiter takes a stream instead of a block."""

    def __init__(self, settings, rate):
        self.stream = Limiter(settings, rate).limited


@dataclass(frozen=True)
class Case:
    """A processor.

    Attributes:
        make: Processor of a rate and a number of channels.
        inputs: Numbers of channels that it takes.
        exact: Whether the way a stream is cut changes not even the last bit.
        linked: Whether all channels are treated alike.
    """

    name: str
    make: Callable
    inputs: tuple[int, ...] = (1, 2)
    exact: bool = True
    linked: bool = True

    def __str__(self):
        return self.name


def random_responses(inputs):
    decay = np.exp(-np.arange(PARTITION_FRAMES + 500) / 5_000)
    return np.random.default_rng(5).standard_normal((inputs, 2, decay.size)) * decay / 50


CASES = [
    Case("cascade", lambda rate, n: BiquadCascade(np.array([[0.01, 0.0, 0.01, -1.96, 0.9604]]), n)),
    Case("equalizer", lambda rate, n: Equalizer(EQUALIZER, rate, n)),
    Case("de-esser", lambda rate, n: DeEsser(DE_ESSER, rate, n)),
    Case("compressor", lambda rate, n: Compressor(COMPRESSOR, rate)),
    Case("gate", lambda rate, n: Gate(GATE, rate)),
    Case("saturation", lambda rate, n: Saturation(SATURATION, rate, n)),
    Case("limiter", lambda rate, n: StreamingLimiter(LimiterSettings(ceiling_dbtp=-9.0), rate)),
    Case("inserts", lambda rate, n: Inserts(STRIP, n, rate, "constant-power")),
    Case(
        "wet inserts",
        lambda rate, n: Inserts(WET_STRIP, n, rate, "constant-power"),
        exact=False,
        linked=False,
    ),
    Case("convolver", lambda rate, n: Convolver(random_responses(n)), exact=False, linked=False),
    Case("reverb", lambda rate, n: Reverb(REVERB, rate), inputs=(2,), exact=False, linked=False),
    Case(
        "widener",
        lambda rate, n: Widener(WidenerSettings(side_db=-6.0), rate),
        inputs=(2,),
        exact=False,
        linked=False,
    ),
    Case("delay", lambda rate, n: Delay(DELAY, rate), inputs=(2,)),
    Case("ping-pong", lambda rate, n: Delay(PING_PONG, rate), inputs=(2,), linked=False),
    Case("parallel return", lambda rate, n: Return(PARALLEL, rate), inputs=(2,), linked=False),
    Case("return", lambda rate, n: Return(BUS, rate), inputs=(2,), exact=False, linked=False),
]

IDENTITIES = [
    Case("cascade", lambda rate, n: BiquadCascade(np.empty((0, 5)), n)),
    Case("equalizer", lambda rate, n: Equalizer(EqualizerSettings(), rate, n)),
    Case(
        "equalizer with flat bands",
        lambda rate, n: Equalizer(
            EqualizerSettings(
                bands=tuple(
                    EqualizerBand(kind=kind) for kind in ("peak", "low_shelf", "high_shelf")
                )
            ),
            rate,
            n,
        ),
    ),
    Case("de-esser", lambda rate, n: DeEsser(DeEsserSettings(), rate, n)),
    Case("compressor", lambda rate, n: Compressor(CompressorSettings(), rate)),
    Case(
        "compressor of ratio 1",
        lambda rate, n: Compressor(CompressorSettings(threshold_db=-40.0, ratio=1.0), rate),
    ),
    Case(
        "compressor at its threshold",  # of full scale and not above it
        lambda rate, n: Compressor(CompressorSettings(threshold_db=0.0, ratio=10.0), rate),
    ),
    Case("gate", lambda rate, n: Gate(GateSettings(), rate)),
    Case(
        "gate below the signal",  # once it has opened
        lambda rate, n: Gate(GateSettings(threshold_db=-80.0, range_db=80.0), rate),
    ),
    Case("reverb", lambda rate, n: Reverb(FdnReverbSettings(), rate), inputs=(2,)),
    Case("widener", lambda rate, n: Widener(WidenerSettings(), rate), inputs=(2,)),
    Case("delay", lambda rate, n: Delay(DelaySettings(), rate), inputs=(2,)),
    Case("parallel return", lambda rate, n: Return(Bus(parallel=True), rate), inputs=(2,)),
    Case("inserts", lambda rate, n: Inserts(ChannelStrip(name="a"), n, rate, "linear")),
    Case("limiter", lambda rate, n: StreamingLimiter(LimiterSettings(), rate)),
    Case(
        "limiter below its ceiling",
        lambda rate, n: StreamingLimiter(LimiterSettings(ceiling_dbtp=12.0), rate),
    ),
]


def noise(channels, frames=40_000, seed=1):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (channels, frames)).astype(np.float32)


def impulse(channels, frames=40_000):
    samples = np.zeros((channels, frames), np.float32)
    samples[:, 100] = 1.0
    return samples


def square(channels, frames=40_000):
    """Full scale, 40 frames per period, the second channel a quarter period later."""
    phase = np.arange(frames) + 10 * np.arange(channels)[:, np.newaxis]
    return np.where(phase % 40 < 20, 1.0, -1.0).astype(np.float32)


def cut(samples, lengths):
    """Consecutive blocks of the lengths, and of the last one to the end."""
    start, index = 0, 0
    while start < samples.shape[1]:
        length = lengths[min(index, len(lengths) - 1)]
        yield samples[:, start : start + length]
        start, index = start + length, index + 1


def process(case, samples, rate=RATE, lengths=(65_536,)):
    processor = case.make(rate, len(samples))
    if isinstance(processor, StreamingLimiter):
        blocks = processor.stream(cut(samples, lengths))
    else:
        stream = samples.astype(np.float64)
        blocks = (processor.process(block) for block in cut(stream, lengths))
    return np.concatenate(list(blocks), axis=1)


def cases(among=CASES, *, linked=False):
    """Every case with each number of channels that it takes."""
    return pytest.mark.parametrize(
        ("case", "channels"),
        [
            pytest.param(case, channels, id=f"{case}-{channels}")
            for case in among
            for channels in case.inputs
            if not linked or (case.linked and channels == 2)
        ],
    )


def close(case, result, expected):
    if case.exact:
        np.testing.assert_array_equal(result, expected)
    else:
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12)


@cases(IDENTITIES)
@pytest.mark.parametrize("rate", RATES)
def test_neutral_settings_change_nothing(case, channels, rate):
    for samples in (noise(channels), square(channels), impulse(channels)):
        np.testing.assert_array_equal(process(case, samples, rate), samples)


@cases()
@pytest.mark.parametrize("rate", RATES)
def test_silence_stays_silence(case, channels, rate):
    result = process(case, np.zeros((channels, 40_000), np.float32), rate)
    assert not result.any()


@cases()
def test_the_sound_ends(case, channels):
    """Exactly, so that no denormal number lingers to slow the rest of the song down."""
    samples = np.pad(noise(channels, 2_000), ((0, 0), (0, 3 * RATE)))
    result = process(case, samples)
    assert not result[:, -4_096:].any()
    assert np.abs(result[result != 0.0]).min() > np.finfo(result.dtype).tiny


@cases()
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("make", [noise, impulse, square])
def test_the_result_is_finite_and_the_same_every_time(case, channels, rate, make):
    samples = make(channels)
    result = process(case, samples, rate)
    assert np.isfinite(result).all()
    assert result.any()
    np.testing.assert_array_equal(process(case, samples, rate), result)


@cases()
@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_the_settings_of_this_suite_do_something(case, channels, rate):
    samples = noise(channels)
    result = process(case, samples, rate)
    assert result.shape[1] == samples.shape[1]
    assert len(result) != channels or np.abs(result - samples).max() > 0.01


@cases()
@pytest.mark.parametrize(
    "lengths",
    [
        (1,) * 100 + (65_536,),
        (7,) * 100 + (65_536,),
        (4_096,),
        (PARTITION_FRAMES - 1, 1, 1, 65_536),
        (1, 2_047, 2_048, 2_049, 5, 65_536),
    ],
    ids=["ones", "sevens", "4096", "around a partition", "around a tile"],
)
def test_the_cut_of_the_stream_does_not_matter(case, channels, lengths):
    samples = noise(channels)
    samples[:, 20_000:25_000] = 0.0
    close(case, process(case, samples, lengths=lengths), process(case, samples))


@cases()
def test_single_samples_add_up_to_a_whole(case, channels):
    samples = noise(channels, 150)
    close(case, process(case, samples, lengths=(1,)), process(case, samples))


@cases([*CASES, *IDENTITIES])
@pytest.mark.parametrize("rate", RATES)
def test_one_sample_is_enough(case, channels, rate):
    result = process(case, np.full((channels, 1), 0.5, np.float32), rate)
    assert result.shape == (len(result), 1)
    assert np.isfinite(result).all()


@cases()
def test_what_comes_later_changes_nothing_that_was(case, channels):
    """Nothing looks ahead but the limiter, and that by no more than its look-ahead and filter."""
    samples = noise(channels)
    other = samples.copy()
    other[:, 20_000:] = 0.0
    looks_ahead = RATE // 100 if case.name == "limiter" else 0
    before = slice(None, 20_000 - looks_ahead)
    close(case, process(case, other)[:, before], process(case, samples)[:, before])


@cases()
def test_the_same_happens_at_any_time(case, channels):
    samples = noise(channels, 10_000)
    later = process(case, np.pad(samples, ((0, 0), (777, 0))))
    np.testing.assert_allclose(later[:, 777:], process(case, samples), rtol=0, atol=1e-12)
    assert np.abs(later[:, : 777 - RATE // 100]).max() < 1e-12


@cases()
def test_polarity_is_kept(case, channels):
    samples = noise(channels)
    close(case, process(case, -samples), -process(case, samples))


@cases([*CASES, *IDENTITIES])
def test_the_input_is_left_alone(case, channels):
    samples = noise(channels).astype(np.float64)
    processor = case.make(RATE, channels)
    if isinstance(processor, StreamingLimiter):
        samples = samples.astype(np.float32)
    kept = samples.copy()
    if isinstance(processor, StreamingLimiter):
        list(processor.stream([samples]))
    else:
        processor.process(samples)
    np.testing.assert_array_equal(samples, kept)


@cases(linked=True)
def test_equal_channels_stay_equal_and_sound_like_one(case, channels):
    mono = noise(1)
    left, right = process(case, np.concatenate([mono, mono]))
    np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(left, process(case, mono)[0])


@cases(linked=True)
def test_swapped_channels_come_out_swapped(case, channels):
    samples = noise(2)
    np.testing.assert_array_equal(process(case, samples[::-1]), process(case, samples)[::-1])


@pytest.mark.parametrize("case", [c for c in CASES if c.name in ("compressor", "limiter")], ids=str)
def test_the_stereo_image_stays(case):
    samples = noise(2) * np.array([[1.0], [0.3]], np.float32)
    left, right = process(case, samples).astype(np.float64)
    np.testing.assert_allclose(left * samples[1], right * samples[0], rtol=0, atol=2e-7)
