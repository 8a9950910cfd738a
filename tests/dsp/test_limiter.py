"""The limiter against an oversampled copy of its output, and the physics of its gain."""

import math

import numpy as np
import pytest
import soxr

from automix.analysis.true_peak import TruePeakMeter
from automix.audio.samples import BLOCK_FRAMES
from automix.dsp.limiter import HOLD_S, LOOK_AHEAD_S, MARGIN_DB, Limiter
from automix.plan.settings import LimiterSettings

RATE = 44_100


def cut(samples, lengths=(BLOCK_FRAMES,)):
    """Blocks of the given lengths, the last one repeated."""
    start, index = 0, 0
    while start < samples.shape[1]:
        length = lengths[min(index, len(lengths) - 1)]
        yield samples[:, start : start + length]
        start, index = start + length, index + 1


def limit(samples, ceiling_dbtp=-1.0, release_ms=100.0, sample_rate=RATE, lengths=(BLOCK_FRAMES,)):
    limiter = Limiter(
        LimiterSettings(ceiling_dbtp=ceiling_dbtp, release_ms=release_ms), sample_rate
    )
    return np.concatenate(list(limiter.limited(cut(samples, lengths))), axis=1)


def gain_of(samples, ceiling_dbtp=-1.0, release_ms=100.0, sample_rate=RATE):
    limiter = Limiter(
        LimiterSettings(ceiling_dbtp=ceiling_dbtp, release_ms=release_ms), sample_rate
    )
    return np.concatenate([gain for _, gain in limiter.gains(cut(samples))])


def true_peak_db(samples, sample_rate):
    # Silence around it, because the resampler's first frames are those of a filter cut in two.
    padded = np.pad(samples.astype(np.float64), ((0, 0), (2000, 2000)))
    fine = soxr.resample(padded.T, sample_rate, 8 * sample_rate, "VHQ")
    return 20.0 * math.log10(np.abs(fine).max())


def sine(frequency_hz, peak_db, sample_rate=RATE, seconds=1.0, phase=0.0):
    """Stereo, the right channel 1 dB lower, with ramps of 5 ms so that its spectrum is its own."""
    frames = int(seconds * sample_rate)
    wave = np.sin(2.0 * np.pi * frequency_hz * np.arange(frames) / sample_rate + phase)
    ramp = np.clip(np.arange(frames) / (0.005 * sample_rate), 0.0, 1.0)
    wave *= np.sin(0.5 * np.pi * ramp * ramp[::-1]) ** 2 * 10.0 ** (peak_db / 20.0)
    return np.stack([wave, wave * 10.0 ** (-1.0 / 20.0)]).astype(np.float32)


def pink_bursts(seed, level, seconds=4.0, sample_rate=RATE, highest_hz=19_500.0):
    """Stereo noise in bursts; as converters do, it leaves room below half the sample rate."""
    rng = np.random.default_rng(seed)
    frames = int(seconds * sample_rate)
    spectrum = np.fft.rfft(rng.standard_normal((2, frames)))
    spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
    spectrum[:, 0] = 0.0
    spectrum[:, int(highest_hz * seconds) :] = 0.0
    noise = np.fft.irfft(spectrum, frames)
    noise *= level / noise.std()
    swell = np.clip(8.0 * np.sin(2.0 * np.pi * 3.0 * np.arange(frames) / sample_rate), 0.0, 1.0)
    return (noise * swell).astype(np.float32)


@pytest.mark.parametrize("sample_rate", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("fraction", [0.0011, 0.02, 0.11, 0.25, 0.34, 0.43])
def test_true_peak_of_a_sine_over_the_ceiling(fraction, sample_rate):
    loud = sine(fraction * sample_rate, 5.0, sample_rate)
    peak_db = true_peak_db(limit(loud, sample_rate=sample_rate), sample_rate)
    assert -1.0 - MARGIN_DB - 0.05 < peak_db <= -1.0 + 0.05


@pytest.mark.parametrize(
    ("fraction", "phase"),
    [(1 / 4, math.pi / 4), (1 / 6, math.pi / 3), (1 / 8, 67.5 / 180 * math.pi)],
)
def test_peaks_between_the_samples(fraction, phase):
    """The phases of EBU Tech 3341, cases 16–18: no sample is over, and yet the signal is."""
    hidden = sine(fraction * RATE, 0.0, phase=phase)
    sample_peak_db = 20.0 * math.log10(np.abs(hidden).max())
    ceiling_dbtp = sample_peak_db + 0.1
    assert true_peak_db(hidden, RATE) > ceiling_dbtp + 0.4
    peak_db = true_peak_db(limit(hidden, ceiling_dbtp), RATE)
    assert ceiling_dbtp - MARGIN_DB - 0.05 < peak_db <= ceiling_dbtp + 0.05


@pytest.mark.parametrize("level", [0.3, 1.0, 3.0])
def test_true_peak_of_music_like_bursts(level):
    bursts = pink_bursts(0, level)
    assert true_peak_db(bursts, RATE) > 0.0
    assert true_peak_db(limit(bursts), RATE) <= -1.0 + 0.05


def test_meters_agree_within_0_3_db_even_on_noise_up_to_half_the_rate():
    """Between 0.47 and 0.5 of the rate every meter filters differently; this is what it costs."""
    limited = limit(pink_bursts(0, 1.0, highest_hz=RATE / 2))
    meter = TruePeakMeter(RATE, 2)
    meter.add(limited)
    assert meter.peak_dbtp <= -1.0 + 0.1
    assert true_peak_db(limited, RATE) <= -1.0 + 0.3


def test_true_peak_of_dense_transients():
    """Band-limited clicks of both signs at irregular times, many nearer than the look-ahead."""
    rng = np.random.default_rng(3)
    fine = np.zeros(8 * 60_000)
    fine[rng.integers(8_000, fine.size - 8_000, 300)] = 8.0 * rng.normal(0.0, 2.0, 300)
    clicks = soxr.resample(fine, 8 * RATE, RATE, "VHQ").astype(np.float32)
    limited = limit(np.stack([clicks, clicks[::-1]]))
    assert true_peak_db(limited, RATE) <= -1.0 + 0.05


def test_what_stays_below_the_ceiling_passes_bit_for_bit():
    bursts = pink_bursts(1, 0.1)
    bursts *= np.float32(10.0 ** ((-1.05 - true_peak_db(bursts, RATE)) / 20.0))
    np.testing.assert_array_equal(limit(bursts), bursts)
    assert (gain_of(bursts) == 1.0).all()


def test_neutral_settings_are_the_identity():
    loud = pink_bursts(2, 5.0)
    assert LimiterSettings().is_neutral
    np.testing.assert_array_equal(limit(loud, ceiling_dbtp=24.0), loud)


def test_gain_returns_to_exactly_one():
    samples = sine(1000.0, -6.0, seconds=2.0)
    samples[:, 10_000] = 2.0
    gain = gain_of(samples, release_ms=20.0)
    assert gain.min() < 0.5
    assert (gain[40_000:] == 1.0).all()


@pytest.mark.parametrize("release_ms", [20.0, 100.0, 400.0])
@pytest.mark.parametrize("sample_rate", [44_100, 192_000])
def test_release_time_constant(release_ms, sample_rate):
    samples = np.zeros((2, 2 * sample_rate), np.float32)
    at = sample_rate // 2
    samples[0, at] = 1.0
    depth = 1.0 - gain_of(samples, -12.0, release_ms, sample_rate)
    start = at + int((HOLD_S + LOOK_AHEAD_S) * sample_rate) + 20
    constant = int(release_ms / 1000.0 * sample_rate)
    assert depth[start + constant] / depth[start] == pytest.approx(math.exp(-1.0), rel=1e-3)
    assert depth[start + 2 * constant] / depth[start] == pytest.approx(math.exp(-2.0), rel=1e-3)


@pytest.mark.parametrize("sample_rate", [44_100, 192_000])
def test_gain_falls_within_the_look_ahead_and_not_before(sample_rate):
    samples = np.zeros((2, sample_rate), np.float32)
    at = sample_rate // 2
    samples[1, at] = 1.0
    gain = gain_of(samples, -12.0, 100.0, sample_rate)
    look_ahead = round(LOOK_AHEAD_S * sample_rate)
    assert (gain[: at - look_ahead - 1] == 1.0).all()
    assert gain[at - look_ahead + 1] < 1.0
    expected = 10.0 ** ((-12.0 - MARGIN_DB) / 20.0)
    held = gain[at : at + int(HOLD_S * sample_rate)]
    np.testing.assert_allclose(held, expected, rtol=1e-6)


def test_slope_of_the_gain_is_bounded():
    """A triangle as long as the look-ahead: never steeper than 2 / look-ahead, and no corners."""
    gain = gain_of(pink_bursts(4, 3.0))
    steps = np.diff(gain)
    look_ahead = LOOK_AHEAD_S * RATE
    assert np.abs(steps).max() < 2.0 / look_ahead
    assert np.abs(np.diff(steps)).max() < 1.05 * (2.0 / look_ahead) ** 2
    assert steps.min() < -0.01  # the limiter worked hard


@pytest.mark.parametrize("frequency_hz", [60.0, 997.0, 6000.0])
def test_a_limited_sine_stays_a_sine(frequency_hz):
    """Total harmonic distortion and noise below −80 dB, once the gain has settled."""
    limited = limit(sine(frequency_hz, 5.0, seconds=3.0))[0, RATE : 2 * RATE].astype(np.float64)
    time = np.arange(RATE) / RATE
    basis = np.stack(
        [np.sin(2 * np.pi * frequency_hz * time), np.cos(2 * np.pi * frequency_hz * time)], axis=1
    )
    fit = basis @ np.linalg.lstsq(basis, limited, rcond=None)[0]
    residual = ((limited - fit) ** 2).mean() / (fit**2).mean()
    assert 10.0 * math.log10(residual) < -80.0


@pytest.mark.parametrize("lengths", [(1, 17, 4000, 0, 5), (333,), (100_000,)])
def test_independent_of_the_blocks(lengths):
    bursts = pink_bursts(5, 0.8, seconds=0.3)
    np.testing.assert_array_equal(limit(bursts, lengths=lengths), limit(bursts))


def test_blocks_come_back_as_they_were_with_their_gain():
    bursts = pink_bursts(6, 0.8, seconds=4.0)
    blocks = list(cut(bursts))
    limiter = Limiter(LimiterSettings(ceiling_dbtp=-1.0), RATE)
    pairs = list(limiter.gains(blocks))
    assert all(out is block for (out, _), block in zip(pairs, blocks, strict=True))
    assert [gain.shape for _, gain in pairs] == [(block.shape[1],) for block in blocks]
    limited = list(limiter.limited(blocks))
    for (block, gain), after in zip(pairs, limited, strict=True):
        np.testing.assert_array_equal(after, (block * gain).astype(np.float32))
        assert after.dtype == np.float32


def test_both_channels_get_one_gain():
    samples = np.zeros((2, RATE), np.float32)
    samples[0, 20_000] = 2.0
    samples[1] = 0.1
    limited = limit(samples)
    np.testing.assert_allclose(limited[1], 0.1 * gain_of(samples), rtol=1e-6)
    assert limited[1].min() < 0.05


def test_no_blocks_and_blocks_shorter_than_the_look_ahead():
    limiter = Limiter(LimiterSettings(ceiling_dbtp=-1.0), RATE)
    assert list(limiter.gains([])) == []
    short = np.full((2, 3), 2.0, np.float32)
    assert np.abs(limit(short)).max() <= 10.0 ** (-1.0 / 20.0)
    assert limit(short).shape == (2, 3)


def test_mono():
    loud = sine(440.0, 3.0)[:1]
    assert true_peak_db(limit(loud), RATE) <= -1.0 + 0.05
