"""Features of mixes: sines, noise with known filters, and known images."""

import math
from dataclasses import astuple

import numpy as np
import pytest
import scipy.signal
import soxr

from automix.analysis.features import (
    BARK_EDGES_HZ,
    THIRD_OCTAVE_CENTERS_HZ,
    FeatureMeter,
    measure_features,
)
from automix.analysis.program import measure
from automix.audio.samples import Audio

RATE = 44_100
SECONDS = 6


def sine(frequency_hz, level_db=0.0, rate=RATE):
    time_s = np.arange(SECONDS * rate) / rate
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def noise(seed, channels=1):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((channels, SECONDS * RATE))).astype(np.float32)


def features(samples, rate=RATE):
    return measure_features(Audio(np.atleast_2d(samples), rate))


def test_the_band_limits_are_those_of_the_standards():
    np.testing.assert_allclose(  # nominal frequencies of IEC 61260-1, table E.1
        THIRD_OCTAVE_CENTERS_HZ,
        [25, 31.5, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250]
        + [1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000, 10000, 12500, 16000, 20000],
        rtol=0.015,
    )
    assert len(BARK_EDGES_HZ) == 25
    # Traunmüller's formula for the critical-band rate, within a third of a band
    rates = [26.81 * f / (1960 + f) - 0.53 for f in BARK_EDGES_HZ[2:-3]]
    np.testing.assert_allclose(rates, np.arange(2, 22), atol=0.35)


@pytest.mark.parametrize("frequency_hz", [50.0, 440.0, 5000.0])
def test_a_sine_is_where_it_is_and_as_loud_as_it_is(frequency_hz):
    found = features(sine(frequency_hz, -6.0))
    assert found.centroid_hz == pytest.approx(frequency_hz, rel=0.002)
    band = np.argmin(np.abs(np.log(np.array(THIRD_OCTAVE_CENTERS_HZ) / frequency_hz)))
    assert found.third_octaves_db[band] == pytest.approx(-9.01, abs=0.05)
    assert np.nanargmax(found.bark_db) == np.searchsorted(BARK_EDGES_HZ, frequency_hz) - 1
    assert found.crest_db == pytest.approx(3.01, abs=0.02)


def test_levels_of_noise_are_those_behind_a_butterworth_band_pass():
    white = noise(1)[0]
    found = features(white).third_octaves_db
    for band in range(8, 27):  # lower ones are a few bins wide
        center = THIRD_OCTAVE_CENTERS_HZ[band]
        edges = [center * 10**-0.05, center * 10**0.05]
        sections = scipy.signal.butter(8, edges, "bandpass", fs=RATE, output="sos")
        level_db = 10 * np.log10((scipy.signal.sosfilt(sections, white) ** 2).mean())
        assert found[band] == pytest.approx(level_db, abs=0.3)


def test_all_bands_together_hold_the_power_of_the_signal():
    white = noise(2)[0]
    power = features(white).power
    assert power.sum() == pytest.approx(float((white**2).mean()), rel=0.02)


def test_the_image_of_known_signals():
    left, right = noise(3, 2)
    assert features(left).width_db == -math.inf
    assert features(np.stack([left, left])).width_db == -math.inf
    assert features(np.stack([left, -left])).width_db == math.inf
    assert features(np.stack([left, right])).width_db == pytest.approx(0.0, abs=0.1)
    middle, side = left, 0.1 * right
    assert features(np.stack([middle + side, middle - side])).width_db == pytest.approx(
        -20, abs=0.1
    )
    leaning = features(np.stack([left, 2 * right]))
    assert leaning.imbalance_db == pytest.approx(6.02, abs=0.1)
    np.testing.assert_allclose(leaning.bark_imbalance_db[5:], 6.02, atol=1.0)


def test_width_in_bands_tells_low_from_high():
    low, high = sine(100.0), sine(3000.0)
    found = features(np.stack([low + high, low - high])).bark_width_db
    bands = np.searchsorted(BARK_EDGES_HZ, [100.0, 3000.0]) - 1
    assert found[bands[0]] < -60
    assert found[bands[1]] > 60


def test_a_gain_moves_levels_and_nothing_else():
    x = noise(4, 2)
    soft, loud = features(0.25 * x), features(x)
    np.testing.assert_allclose(loud.bark_db - soft.bark_db, 12.04, atol=0.01)
    for name in ("crest_db", "centroid_hz", "width_db", "imbalance_db"):
        assert getattr(soft, name) == pytest.approx(getattr(loud, name), abs=1e-3)


def test_silence_around_a_song_does_not_weigh_in():
    x = noise(5, 2)
    framed = np.pad(x, ((0, 0), (5 * RATE, 9 * RATE)))
    np.testing.assert_allclose(features(framed).bark_db, features(x).bark_db, atol=0.5)
    assert features(framed).crest_db == pytest.approx(features(x).crest_db, abs=0.5)


def test_another_rate_gives_the_same_figures():
    x = 0.1 * scipy.signal.lfilter([1], [1, -0.9], noise(6, 2))
    other = soxr.resample(x.T, RATE, 96_000, quality="VHQ").T.astype(np.float32)
    ours, theirs = features(x.astype(np.float32)), features(other, 96_000)
    np.testing.assert_allclose(ours.bark_db, theirs.bark_db, atol=0.3)
    assert ours.centroid_hz == pytest.approx(theirs.centroid_hz, rel=0.04)
    assert ours.width_db == pytest.approx(theirs.width_db, abs=0.1)


def test_blocks_of_any_size_give_the_same():
    x = noise(7, 2)
    meter = FeatureMeter(RATE, 2)
    for start in range(0, x.shape[1], 10_007):
        meter.add(x[:, start : start + 10_007])
    np.testing.assert_array_equal(meter.result().left, features(x).left)


def test_loudness_is_what_the_meter_reads():
    audio = Audio(noise(8, 2), RATE)
    assert astuple(measure_features(audio).loudness) == astuple(measure(audio))


@pytest.mark.parametrize("frames", [1, 1000, SECONDS * RATE])
def test_silence_has_defined_figures(frames):
    found = features(np.zeros((2, frames), np.float32))
    assert math.isnan(found.centroid_hz)
    assert math.isnan(found.crest_db)
    assert math.isnan(found.width_db)
    assert math.isnan(found.imbalance_db)
    assert np.isneginf(found.bark_db).all()


def test_one_sample_is_heard():
    assert features(np.full((1, 1), 0.5, np.float32)).power.sum() > 0
