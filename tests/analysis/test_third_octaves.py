"""Powers per third of an octave against sines, Parseval, and a direct transform."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from automix.analysis.features import THIRD_OCTAVE_CENTERS_HZ
from automix.analysis.loudness import LoudnessMeter
from automix.analysis.third_octaves import EDGES_HZ, HOPS_PER_STEP, ThirdOctaveMeter

RATE = 44100
CENTERS = np.array(THIRD_OCTAVE_CENTERS_HZ)
RATES = (8000, 11025, 22050, 32000, 44100, 48000, 88200, 96000, 192000)


def powers_of(samples, rate=RATE, block=None):
    """Middle and sides ``(steps, 30)`` of ``(channels, frames)``, in blocks of so many frames."""
    samples = np.atleast_2d(samples).astype(np.float32)
    meter = ThirdOctaveMeter(rate, len(samples))
    size = block or samples.shape[1]
    for start in range(0, samples.shape[1], size):
        meter.add(samples[:, start : start + size])
    return meter.finish(samples.shape[1] * 10 // rate)


def sine(frequency_hz, rate=RATE, seconds=2.0):
    return np.sin(2 * np.pi * frequency_hz * np.arange(int(rate * seconds)) / rate)


def noise(rate=RATE, seconds=4.0, seed=1):
    return 0.1 * np.random.default_rng(seed).normal(size=int(rate * seconds))


def test_bands_follow_each_other_without_gaps():
    edges = np.array(EDGES_HZ)
    np.testing.assert_allclose(edges[1:, 0], edges[:-1, 1], rtol=0.01)
    np.testing.assert_allclose(np.sqrt(edges[:, 0] * edges[:, 1]), CENTERS)


@pytest.mark.parametrize(
    ("rate", "band"),
    [
        (rate, band)
        for rate in RATES
        for band in (6, 16, 21, 27, 29)
        if EDGES_HZ[band][1] < rate / 2
    ],
)
def test_a_sine_has_its_power_in_its_band(rate, band):
    """At 100 Hz, 1 kHz, 3.15 kHz, 12.5 kHz and 20 kHz, where the rate has them."""
    middle, sides = powers_of(0.5 * sine(CENTERS[band], rate), rate)
    inner = middle[2:-2]
    assert 10 * np.log10(inner[:, band] / 0.125) == pytest.approx(0.0, abs=0.1)
    others = np.delete(inner, band, axis=1).sum(axis=1)
    assert (others < 0.02 * inner[:, band]).all()
    assert not sides.any()


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
def test_noise_has_in_each_band_the_share_of_its_width(rate):
    """White noise of a density: the mean over time, against the exact power of the spectrum."""
    samples = noise(rate, 8.0)
    middle, _ = powers_of(samples, rate)
    spectrum = np.abs(np.fft.rfft(samples)) ** 2 * 2 / len(samples) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    for band, (low, high) in enumerate(EDGES_HZ):
        if low < 90 or high > rate / 2:  # fewer than three bins of the meter, or beyond its range
            continue
        exact = spectrum[(frequencies >= low) & (frequencies < high)].sum()
        assert 10 * np.log10(middle[:, band].mean() / exact) == pytest.approx(0.0, abs=0.4), low


@pytest.mark.parametrize("rate", RATES)
def test_the_bands_together_have_the_power_of_the_signal(rate):
    """Parseval: noise within the range of the meter, step by step over two seconds."""
    highest = min(0.45 * rate, 17000)
    band = butter(6, (40, highest), btype="band", fs=rate, output="sos")
    samples = sosfilt(band, noise(rate, 6.0))
    middle, _ = powers_of(samples, rate)
    for second in (1, 3):
        part = samples[second * rate : (second + 2) * rate]
        found = middle[5 * second : 5 * (second + 2)].sum(axis=1).mean()
        assert 10 * np.log10(found / np.mean(part**2)) == pytest.approx(0.0, abs=0.25)


@pytest.mark.parametrize("block", [1, 77, 4410, 10000, 65536])
def test_the_size_of_blocks_does_not_matter(block):
    samples = np.stack([noise(8000, 1.5, 1), noise(8000, 1.5, 2)])
    whole = powers_of(samples, 8000)
    for found, expected in zip(powers_of(samples, 8000, block), whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-12)


def test_middle_and_sides_are_those_of_their_sums():
    left, right = noise(seed=1, seconds=2), noise(seed=2, seconds=2)
    middle, sides = powers_of(np.stack([left, right]))
    np.testing.assert_allclose(middle, powers_of((left + right) / 2)[0], rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(sides, powers_of((left - right) / 2)[0], rtol=1e-3, atol=1e-9)


def test_mono_has_no_sides_and_opposite_sides_no_middle():
    samples = noise(seconds=1)
    same, none = powers_of(np.stack([samples, samples]))
    np.testing.assert_allclose(same, powers_of(samples)[0], rtol=1e-4)
    assert not none.any()
    nothing, all_of_it = powers_of(np.stack([samples, -samples]))
    assert not nothing.any()
    np.testing.assert_allclose(all_of_it, same, rtol=1e-4)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_steps_are_pairs_of_hops_of_the_loudness_meter(rate):
    """A burst of 0.4 s is where the energies of loudness have it."""
    samples = np.zeros(3 * rate)
    start = int(1.2 * rate)
    samples[start : start + int(0.4 * rate)] = noise(rate, 0.4)
    meter = LoudnessMeter(rate, 1)
    meter.add(samples[None].astype(np.float32))
    middle, _ = powers_of(samples, rate)
    powers = middle.sum(axis=1)
    assert HOPS_PER_STEP == 2
    assert len(meter.energies) == 2 * len(powers) == 30
    energies = meter.energies.reshape(-1, 2).sum(axis=1)
    inside = energies > 0.1 * energies.max()
    np.testing.assert_array_equal(np.flatnonzero(inside), [6, 7])
    assert (powers[inside] > 0.4 * powers.max()).all()
    far = ~(inside | np.roll(inside, 1) | np.roll(inside, -1))
    assert not powers[far].any()


def test_what_ends_early_and_silence_are_padded_with_nothing():
    middle, sides = powers_of(np.zeros((2, 100)))
    assert middle.shape == sides.shape == (0, 30)
    meter = ThirdOctaveMeter(RATE, 1)
    meter.add(noise(seconds=0.5)[None].astype(np.float32))
    found, _ = meter.finish(15)  # the last step has one hop
    assert found.shape == (8, 30)
    assert found[:2].sum(axis=1).all()
    assert not found[4:].any()
    nothing, _ = ThirdOctaveMeter(RATE, 1).finish(3)
    assert nothing.shape == (2, 30)
    assert not nothing.any()


def test_bands_beyond_half_of_the_sample_rate_are_empty():
    middle, _ = powers_of(noise(8000), 8000)
    lows = np.array([low for low, _ in EDGES_HZ])
    assert not middle[:, lows > 4000].any()
    assert middle[2:-2, (lows > 80) & (lows < 3000)].all()


@pytest.mark.parametrize("offset_s", [0.0, 0.05, 0.1, 0.15])
@pytest.mark.parametrize("period_s", [0.4, 0.5, 0.6])
def test_hits_count_wherever_in_a_step_they_fall(period_s, offset_s):
    """At 150, 120 and 100 BPM, hits of 20 ms: what is found is their power."""
    time = np.arange(12 * RATE) / RATE
    samples = noise(seconds=12.0) * np.exp(-((time - offset_s) % period_s) / 0.02)
    middle, _ = powers_of(samples)
    found, exact = middle[:, CENTERS > 100].sum(axis=1).mean(), np.mean(samples**2)
    exact *= 1 - 112 / 22_050  # the share of white noise that lies in these bands
    assert 10 * np.log10(found / exact) == pytest.approx(0.0, abs=0.5)
