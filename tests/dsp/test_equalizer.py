"""The equalizer against the cookbook's facts, SciPy, and tones sent through it."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import signal

from automix.dsp.equalizer import Equalizer, response_db, sections
from automix.plan.settings import EqualizerBand, EqualizerSettings

RATES = (44_100, 48_000, 96_000)


def band(kind="peak", frequency_hz=1000.0, gain_db=0.0, q=0.707):
    return EqualizerBand(kind=kind, frequency_hz=frequency_hz, gain_db=gain_db, q=q)


FULL = EqualizerSettings(
    bands=(
        band("high_pass", 80.0),
        band("low_shelf", 150.0, 4.0),
        band("peak", 400.0, -7.5, 1.4),
        band("peak", 1000.0, 0.0),
        band("peak", 3150.0, 6.0, 0.6),
        band("high_shelf", 9000.0, -5.0),
    )
)


def level_db(bands, frequencies_hz, rate):
    frequencies = np.atleast_1d(np.asarray(frequencies_hz, dtype=float))
    return response_db(EqualizerSettings(bands=tuple(bands)), frequencies, rate)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("gain", [-24.0, -3.0, 8.0, 24.0])
@pytest.mark.parametrize("frequency_hz", [200.0, 1000.0, 10_000.0])
def test_a_peak_has_its_gain_at_the_center_and_nowhere_more(rate, gain, frequency_hz):
    peak = [band("peak", frequency_hz, gain, 1.0)]
    assert level_db(peak, frequency_hz, rate) == pytest.approx(gain, abs=1e-9)
    around = level_db(peak, np.geomspace(10.0, 0.499 * rate, 500), rate)
    assert np.abs(around).max() <= abs(gain) + 1e-9
    assert (np.sign(gain) * around >= -1e-9).all()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("q", [0.5, 1.0, 4.0, 10.0])
@pytest.mark.parametrize("gain", [-9.0, 12.0])
def test_q_is_center_over_bandwidth_between_the_points_of_half_the_gain(rate, q, gain):
    """As in the analog prototype, on the frequency scale of the bilinear transform."""
    center_hz = 1500.0
    peak = [band("peak", center_hz, gain, q)]
    fine = np.linspace(50.0, 0.4 * rate, 200_000)
    inside = fine[np.abs(level_db(peak, fine, rate)) >= abs(gain) / 2]
    low, center, high = np.tan(np.pi * np.array([inside[0], center_hz, inside[-1]]) / rate)
    assert low * high == pytest.approx(center**2, rel=2e-3)
    assert center / (high - low) == pytest.approx(q, rel=5e-3)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("gain", [-24.0, -4.0, 9.0])
@pytest.mark.parametrize("q", [0.4, 0.707])
def test_shelves_reach_their_gain_at_the_end_and_half_of_it_at_the_corner(rate, gain, q):
    where = [0.0, 2000.0, rate / 2]
    low = level_db([band("low_shelf", 2000.0, gain, q)], where, rate)
    high = level_db([band("high_shelf", 2000.0, gain, q)], where, rate)
    np.testing.assert_allclose(low, [gain, gain / 2, 0.0], atol=1e-7)
    np.testing.assert_allclose(high, [0.0, gain / 2, gain], atol=1e-7)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency_hz", [40.0, 80.0, 400.0])
def test_a_high_pass_is_minus_3_db_at_its_corner_and_falls_12_db_per_octave(rate, frequency_hz):
    high_pass = [band("high_pass", frequency_hz, q=0.707)]
    # |H| at the corner is Q, and 0.707 is not quite the root of one half.
    assert level_db(high_pass, frequency_hz, rate) == pytest.approx(20 * math.log10(0.707))
    octaves = level_db(high_pass, frequency_hz / 2.0 ** np.arange(3, 7), rate)
    slopes = np.array([upper - lower for upper, lower in pairwise(octaves)])
    np.testing.assert_allclose(slopes, 12.04, atol=0.05)
    assert level_db(high_pass, 20 * frequency_hz, rate) == pytest.approx(0.0, abs=0.01)
    assert level_db(high_pass, 0.0, rate) < -200.0


@pytest.mark.parametrize("rate", RATES)
def test_noise_comes_out_as_from_scipy(rate):
    noise = np.random.default_rng(1).standard_normal((2, 30_000))
    sos = np.insert(sections(FULL, rate), 3, 1.0, axis=1)
    result = Equalizer(FULL, rate, 2).process(noise)
    np.testing.assert_allclose(result, signal.sosfilt(sos, noise), rtol=0, atol=1e-10)


@pytest.mark.parametrize("rate", RATES)
def test_tones_come_out_at_the_level_that_the_response_says(rate):
    frequencies = np.array([60.0, 150.0, 400.0, 1200.0, 3150.0, 9000.0, 15_000.0])
    time = np.arange(rate) / rate  # whole periods of every tone in the second half
    expected = response_db(FULL, frequencies, rate)
    for frequency_hz, expected_db in zip(frequencies, expected, strict=True):
        tone = np.sin(2 * np.pi * frequency_hz * time)[np.newaxis]
        heard = Equalizer(FULL, rate, 1).process(tone)[0, rate // 2 :]
        gain_db = 10 * np.log10((heard**2).mean() / (tone[0, rate // 2 :] ** 2).mean())
        assert gain_db == pytest.approx(expected_db, abs=1e-6)


def test_responses_of_bands_add_up_in_db_in_any_order():
    frequencies = np.geomspace(20.0, 20_000.0, 60)
    alone = [level_db([one], frequencies, 48_000) for one in FULL.bands]
    together = level_db(FULL.bands[::-1], frequencies, 48_000)
    np.testing.assert_allclose(together, np.sum(alone, axis=0), atol=1e-9)


@pytest.mark.parametrize("kind", ["peak", "low_shelf", "high_shelf"])
def test_bands_of_0_db_change_no_bit(kind):
    settings = EqualizerSettings(bands=(band(kind, 500.0), band(kind, 3000.0)))
    noise = np.random.default_rng(2).standard_normal((2, 1000))
    np.testing.assert_array_equal(Equalizer(settings, 44_100, 2).process(noise), noise)
    assert sections(settings, 44_100).shape == (0, 5)
    assert not settings.bands[0].is_active


def test_a_high_pass_is_active_without_a_gain():
    assert band("high_pass", 80.0).is_active
    constant = np.ones((1, 48_000))
    settings = EqualizerSettings(bands=(band("high_pass", 80.0),))
    assert abs(Equalizer(settings, 48_000, 1).process(constant)[0, -1]) < 1e-9


def test_the_cuts_between_blocks_change_no_bit():
    noise = np.random.default_rng(3).standard_normal((2, 9000))
    whole = Equalizer(FULL, 44_100, 2).process(noise)
    streaming = Equalizer(FULL, 44_100, 2)
    pieces = [streaming.process(piece) for piece in np.split(noise, [1, 700, 2048, 5001], axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def test_channels_do_not_leak_into_each_other():
    noise = np.random.default_rng(4).standard_normal((2, 4000))
    both = Equalizer(FULL, 44_100, 2).process(noise)
    right = Equalizer(FULL, 44_100, 1).process(noise[1:])
    np.testing.assert_array_equal(both[1:], right)
    silent_left = Equalizer(FULL, 44_100, 2).process(noise * [[0.0], [1.0]])
    assert not silent_left[0].any()
