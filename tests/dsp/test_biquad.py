import numpy as np
import pedalboard
import pytest
from scipy import signal

from automix.dsp.biquad import BiquadCascade, coefficients, frequency_response

RATES = (8_000, 44_100, 48_000, 96_000, 192_000)


def gain_db(section, frequencies_hz, rate):
    return 20 * np.log10(np.abs(frequency_response(section, frequencies_hz, rate)) + 1e-30)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("gain", [-8.0, 6.0])
def test_peak_has_its_gain_at_the_center_and_none_far_away(rate, gain):
    section = coefficients("peak", 1000.0, gain, 1.0, rate)
    measured = gain_db(section, [0.0, 1000.0, rate / 2], rate)
    np.testing.assert_allclose(measured, [0.0, gain, 0.0], atol=1e-9)


@pytest.mark.parametrize("q", [0.5, 1.0, 4.0])
def test_q_of_a_peak_is_center_over_bandwidth_at_half_gain(q):
    half = np.array([-1, 1]) / (2 * q)
    edges_hz = 200.0 * (np.sqrt(1 + 1 / (4 * q**2)) + half)  # their distance is 200 Hz / Q
    section = coefficients("peak", 200.0, 12.0, q, 96_000)
    np.testing.assert_allclose(gain_db(section, edges_hz, 96_000), 6.0, atol=0.01)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("gain", [-12.0, 5.0])
def test_shelves_have_full_half_and_no_gain(rate, gain):
    where = [0.0, 1000.0, rate / 2]
    low = coefficients("low_shelf", 1000.0, gain, 0.707, rate)
    high = coefficients("high_shelf", 1000.0, gain, 0.707, rate)
    np.testing.assert_allclose(gain_db(low, where, rate), [gain, gain / 2, 0.0], atol=1e-8)
    np.testing.assert_allclose(gain_db(high, where, rate), [0.0, gain / 2, gain], atol=1e-8)


@pytest.mark.parametrize("kind", ["low_pass", "high_pass"])
@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_passes_equal_scipy_butterworth(kind, rate):
    section = coefficients(kind, 2500.0, 0.0, np.sqrt(0.5), rate)
    b, a = signal.butter(2, 2500.0, kind.replace("_", ""), fs=rate)
    np.testing.assert_allclose(section, [*b, *a[1:]], atol=1e-12)
    assert gain_db(section, 2500.0, rate) == pytest.approx(-3.0103, abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "plugin"),
    [
        ("peak", pedalboard.PeakFilter),
        ("low_shelf", pedalboard.LowShelfFilter),
        ("high_shelf", pedalboard.HighShelfFilter),
    ],
)
def test_agrees_with_pedalboard(kind, plugin):
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (1, 20_000)).astype(np.float32)
    theirs = plugin(cutoff_frequency_hz=3000.0, gain_db=7.0, q=0.8)(noise, 44_100)
    section = coefficients(kind, 3000.0, 7.0, 0.8, 44_100)
    np.testing.assert_allclose(BiquadCascade(section, 1).process(noise), theirs, atol=1e-4)


@pytest.mark.parametrize("kind", ["peak", "low_shelf", "high_shelf"])
def test_a_cut_undoes_the_same_boost(kind):
    sections = np.array([coefficients(kind, 700.0, gain, 1.3, 48_000) for gain in (9.0, -9.0)])
    noise = np.random.default_rng(2).standard_normal((2, 5000))
    np.testing.assert_allclose(BiquadCascade(sections, 2).process(noise), noise, atol=1e-12)


@pytest.mark.parametrize("kind", ["peak", "high_shelf", "low_pass"])
@pytest.mark.parametrize("frequency_hz", [3920.0, 4000.0, 20_000.0])
def test_what_acts_only_above_nyquist_does_nothing(kind, frequency_hz):
    section = coefficients(kind, frequency_hz, 12.0, 1.0, 8000)
    np.testing.assert_array_equal(section, [1, 0, 0, 0, 0])


def test_what_acts_below_a_corner_above_nyquist_acts_on_everything():
    frequencies = np.linspace(20, 3000, 50)
    shelf = coefficients("low_shelf", 16_000.0, -6.0, 0.707, 8000)
    np.testing.assert_allclose(gain_db(shelf, frequencies, 8000), -6.0, atol=0.05)
    high_pass = coefficients("high_pass", 16_000.0, 0.0, 0.707, 8000)
    assert gain_db(high_pass, frequencies, 8000).max() < -20.0


@pytest.mark.parametrize("kind", ["peak", "low_shelf", "high_shelf", "high_pass", "low_pass"])
@pytest.mark.parametrize("rate", RATES)
def test_every_design_is_stable(kind, rate):
    for frequency_hz in (20.0, 1000.0, 20_000.0):
        for gain in (-24.0, 24.0):
            for q in (0.01, 0.1, 10.0):
                section = coefficients(kind, frequency_hz, gain, q, rate)
                assert np.abs(np.roots([1.0, *section[3:]])).max() < 1.0


def five_sections(rate=44_100):
    return np.array(
        [
            coefficients("high_pass", 30.0, 0.0, 0.707, rate),
            coefficients("low_shelf", 120.0, 3.0, 0.707, rate),
            coefficients("peak", 900.0, -5.0, 2.0, rate),
            coefficients("peak", 3000.0, 4.0, 1.0, rate),
            coefficients("high_shelf", 9000.0, -6.0, 0.707, rate),
        ]
    )


@pytest.mark.parametrize("sections", [0, 1, 2, 5])
def test_cascade_and_response_equal_scipy(sections):
    rows = five_sections()[:sections]
    sos = np.insert(rows, 3, 1.0, axis=1)
    noise = np.random.default_rng(3).standard_normal((2, 10_000))
    expected = signal.sosfilt(sos, noise) if sections else noise
    np.testing.assert_allclose(BiquadCascade(rows, 2).process(noise), expected, atol=1e-10)
    frequencies = np.geomspace(10, 22_000, 100)
    response = np.ones(100)
    for row in sos:
        response = response * signal.freqz(row[:3], row[3:], frequencies, fs=44_100)[1]
    np.testing.assert_allclose(
        frequency_response(rows, frequencies, 44_100), response, rtol=1e-6, atol=1e-12
    )


def test_the_cuts_between_blocks_change_no_bit():
    noise = np.random.default_rng(4).standard_normal((2, 9000)).astype(np.float32)
    whole = BiquadCascade(five_sections(), 2).process(noise)
    cascade = BiquadCascade(five_sections(), 2)
    pieces = [cascade.process(piece) for piece in np.split(noise, [0, 1, 8, 2047, 2049, 7000], 1)]
    assert whole.dtype == np.float64
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def test_the_input_is_left_alone():
    noise = np.random.default_rng(5).standard_normal((2, 100))
    before = noise.copy()
    BiquadCascade(five_sections(), 2).process(noise)
    np.testing.assert_array_equal(noise, before)


def test_long_silence_ends_in_exact_zeros_and_never_in_denormals():
    cascade = BiquadCascade(five_sections(), 1)
    cascade.process(np.ones((1, 1000)))
    tail = cascade.process(np.zeros((1, 400_000)))
    assert np.any(tail[:, :1000] != 0)
    assert not np.any(tail[:, -4096:])
    assert not np.any((tail != 0) & (np.abs(tail) < np.finfo(np.float64).tiny))


def test_silence_stays_silence():
    assert not np.any(BiquadCascade(five_sections(), 2).process(np.zeros((2, 5000))))
