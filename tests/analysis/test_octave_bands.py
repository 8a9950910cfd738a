import numpy as np
import pytest
from scipy import signal

from automix.analysis.octave_bands import (
    CENTERS_HZ,
    OctaveBandMeter,
    band_centers_hz,
    band_levels_db,
    design_octave_band,
)
from automix.dsp.biquad import frequency_response

RATES = (44_100, 48_000, 96_000)


def gain_db(center_hz, frequencies_hz, rate):
    response = frequency_response(design_octave_band(center_hz, rate), frequencies_hz, rate)
    return 20 * np.log10(np.abs(response) + 1e-30)


def meter(samples, rate, *, cuts=(), k_weighted=False):
    result = OctaveBandMeter(rate, k_weighted=k_weighted)
    for block in np.split(samples, list(cuts)):
        result.add(block)
    return result


def noise(frames, seed=7):
    return (np.random.default_rng(seed).standard_normal(frames) * 0.1).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("center_hz", CENTERS_HZ)
def test_zero_db_at_the_center_and_minus_three_at_the_edges(rate, center_hz):
    """The authors' experiment designed its bands at 1/22050 of their frequency; see vocal.md."""
    edges_hz = [edge for edge in (center_hz / 2**0.5, center_hz * 2**0.5) if edge < rate / 2]
    assert gain_db(center_hz, center_hz, rate) == pytest.approx(0.0, abs=0.1)
    np.testing.assert_allclose(gain_db(center_hz, edges_hz, rate), -3.01, atol=0.1)


@pytest.mark.parametrize("rate", [8000, 22_050, 33_400, *RATES, 192_000])
def test_bands_are_flat_inside_and_fall_outside(rate):
    for center_hz in band_centers_hz(rate):
        inside = np.linspace(center_hz / 1.15, min(center_hz * 1.15, 0.49 * rate), 50)
        gains = gain_db(center_hz, inside, rate)
        assert gains.min() > -1.0
        assert gains.max() < 0.5
        # Two pole pairs: 12 dB per octave on each side, at least.
        assert gain_db(center_hz, center_hz / 4, rate) < -17.0
        if center_hz * 4 < rate / 2:
            assert gain_db(center_hz, center_hz * 4, rate) < -17.0
        for section in design_octave_band(center_hz, rate):
            assert np.abs(np.roots([1.0, *section[3:]])).max() < 1.0


@pytest.mark.parametrize("center_hz", [63.0, 250.0, 1000.0, 8000.0])
def test_equals_scipy_butterworth_where_nyquist_is_far(center_hz):
    edges = [center_hz / 2**0.5, center_hz * 2**0.5]
    sos = signal.butter(2, edges, "bandpass", fs=96_000, output="sos")
    frequencies = np.geomspace(20, 30_000, 200)
    expected = np.abs(signal.sosfreqz(sos, frequencies, fs=96_000)[1])
    measured = np.abs(
        frequency_response(design_octave_band(center_hz, 96_000), frequencies, 96_000)
    )
    np.testing.assert_allclose(measured, expected, rtol=2e-3, atol=1e-6)


def test_bands_whose_center_is_not_below_nyquist_are_left_out():
    assert band_centers_hz(44_100) == CENTERS_HZ
    assert band_centers_hz(32_000) == CENTERS_HZ[:-1]
    assert band_centers_hz(16_000) == CENTERS_HZ[:-2]
    assert band_centers_hz(8_000) == CENTERS_HZ[:-3]
    assert meter(noise(8000), 8000).energies.shape == (10, 6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("center_hz", [125.0, 1000.0, 16_000.0])
def test_a_sine_at_the_center_reads_its_power_there(rate, center_hz):
    tone = 0.5 * np.sin(2 * np.pi * center_hz * np.arange(2 * rate) / rate)
    measured = meter(tone, rate)
    settled = np.arange(20) >= 10
    levels = band_levels_db(measured.energies, settled)
    band = CENTERS_HZ.index(center_hz)
    assert levels[band] == pytest.approx(10 * np.log10(0.125), abs=0.05)
    assert np.delete(levels, band).max() < levels[band] - 9.0
    assert measured.total_energies[settled].mean() == pytest.approx(0.125, rel=1e-3)


@pytest.mark.parametrize("k_weighted", [False, True])
def test_energies_equal_filtering_with_scipy(k_weighted):
    rate, samples = 48_000, noise(48_000)
    heard = samples.astype(np.float64)
    if k_weighted:  # the coefficients that BS.1770-4 prints
        shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285]
        heard = signal.lfilter(shelf, [1.0, -1.69065929318241, 0.73248077421585], heard)
        heard = signal.lfilter([1, -2, 1], [1.0, -1.99004745483398, 0.99007225036621], heard)
    measured = meter(samples, rate, k_weighted=k_weighted)
    for band, center_hz in enumerate(CENTERS_HZ[:-1]):
        edges = [center_hz / 2**0.5, center_hz * 2**0.5]
        sos = signal.butter(2, edges, "bandpass", fs=rate, output="sos")
        expected = (signal.sosfilt(sos, heard).reshape(10, -1) ** 2).mean(axis=1)
        np.testing.assert_allclose(measured.energies[:, band], expected, rtol=2e-3)
    total = (samples.astype(np.float64).reshape(10, -1) ** 2).mean(axis=1)
    np.testing.assert_allclose(measured.total_energies, total, rtol=1e-12)


def test_low_bands_keep_their_precision_at_192_khz():
    samples = noise(192_000)
    sos = np.insert(design_octave_band(63.0, 192_000), 3, 1.0, axis=1)
    expected = (signal.sosfilt(sos, samples.astype(np.float64)).reshape(10, -1) ** 2).mean(axis=1)
    np.testing.assert_allclose(meter(samples, 192_000).energies[:, 0], expected, rtol=1e-8)


@pytest.mark.parametrize("rate", [11_025, 44_100])
@pytest.mark.parametrize("k_weighted", [False, True])
def test_the_cuts_between_blocks_change_no_bit(rate, k_weighted):
    samples = noise(20_000)
    whole = meter(samples, rate, k_weighted=k_weighted)
    cuts = [0, 1, 2, 1102, 1103, 4409, 4410, 4411, 19_999]
    pieces = meter(samples, rate, cuts=cuts, k_weighted=k_weighted)
    assert len(whole.energies) == 20_000 * 10 // rate
    np.testing.assert_array_equal(pieces.energies, whole.energies)
    np.testing.assert_array_equal(pieces.total_energies, whole.total_energies)


def test_silence_reads_zero_also_after_sound():
    samples = np.concatenate([noise(4410), np.zeros(441_000, dtype=np.float32)])
    energies = meter(samples, 44_100).energies
    assert energies[0].min() > 0
    assert not np.any(energies[-5:])
    assert energies[energies > 0].min() > 1e-200  # the states become zero, not denormal
    assert np.all(band_levels_db(energies, np.arange(len(energies)) > 95) == -np.inf)


def test_levels_are_rms_over_the_hops_kept():
    energies = np.array([[1.0, 0.0], [100.0, 0.1], [4.0, 0.0], [7.0, 3.0]])
    levels = band_levels_db(energies, np.array([True, False, True, False]))
    np.testing.assert_allclose(levels, [10 * np.log10(2.5), -np.inf])
    assert np.all(band_levels_db(energies, np.zeros(4, dtype=bool)) == -np.inf)


def test_shorter_than_a_hop_reads_nothing():
    measured = meter(noise(1000), 44_100)
    assert measured.energies.shape == (0, 9)
    assert measured.total_energies.shape == (0,)
