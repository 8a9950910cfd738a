import math

import numpy as np
import pytest
from scipy import signal

from automix.analysis.true_peak import (
    FILTER_TAPS,
    TruePeakMeter,
    choose_oversampling_factor,
    design_oversampling_filter,
)


def meter(samples, rate=44_100, cuts=()):
    samples = np.atleast_2d(samples).astype(np.float32)
    result = TruePeakMeter(rate, len(samples))
    for block in np.split(samples, list(cuts), axis=1):
        result.add(block)
    return result


def tapered_sine(rate, fraction, phase_degrees, amplitude):
    time = np.arange(rate)
    tone = amplitude * np.sin(2 * np.pi * time * fraction + np.radians(phase_degrees))
    ramp = np.linspace(0, 1, rate // 100)
    tone[: len(ramp)] *= ramp
    tone[-len(ramp) :] *= ramp[::-1]
    return np.stack([tone, tone])


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize(
    ("fraction", "phase_degrees", "amplitude", "expected_dbtp"),
    [
        (1 / 4, 0.0, 0.50, -6.0),  # EBU Tech 3341, case 15
        (1 / 4, 45.0, 0.50, -6.0),  # 16
        (1 / 6, 60.0, 0.50, -6.0),  # 17
        (1 / 8, 67.5, 0.50, -6.0),  # 18
        (1 / 4, 45.0, 1.41, 3.0),  # 19
    ],
)
def test_ebu_tech_3341_sines(rate, fraction, phase_degrees, amplitude, expected_dbtp):
    peak = meter(tapered_sine(rate, fraction, phase_degrees, amplitude), rate).peak_dbtp
    assert expected_dbtp - 0.4 <= peak <= expected_dbtp + 0.2


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_ebu_tech_3341_cases_20_to_23(rate, offset):
    """One period at fs/4 and full scale amid fs/6 at half, made at 4·fs, low-passed, decimated."""
    half = 0.5 * np.sin(2 * np.pi * np.arange(24 * 1000) / 24)
    period = np.sin(2 * np.pi * np.arange(16) / 16)
    ramp = np.minimum(1, np.arange(len(half)) / (0.01 * 4 * rate))
    tone = np.concatenate([half * ramp, period, half * ramp[::-1]])
    low_pass = signal.firwin(513, 0.25 * 0.95, window=("kaiser", 8.0))
    tone = np.convolve(tone, low_pass, mode="same")[offset::4]
    peak = meter(np.stack([tone, tone]), rate).peak_dbtp
    assert -0.4 <= peak <= 0.2


@pytest.mark.parametrize(
    ("rate", "factor"),
    [(8000, 4), (44_100, 4), (48_000, 4), (88_200, 4), (96_000, 2), (176_400, 2), (192_000, 1)],
)
def test_oversampling_reaches_at_least_four_times_44100(rate, factor):
    assert choose_oversampling_factor(rate) == factor
    assert rate < 44_100 or rate * factor >= 176_400


@pytest.mark.parametrize("factor", [2, 4])
def test_filter_delays_by_fractions_and_passes_the_band(factor):
    phases = design_oversampling_filter(factor).astype(np.float64)
    frequencies = np.linspace(0, 0.43, 200)
    taps = np.arange(FILTER_TAPS) - (FILTER_TAPS / 2 - 1)
    for index, phase in enumerate(phases):
        response = np.exp(2j * np.pi * np.outer(frequencies, taps)) @ phase
        ideal = np.exp(2j * np.pi * frequencies * index / factor)
        assert np.abs(response - ideal).max() < 0.01
        assert phase.sum() == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_array_equal(phases[0], taps == 0)


@pytest.mark.parametrize(
    ("rate", "frequency_hz"),
    [(44_100, 997.0), (44_100, 18_000.0), (96_000, 30_000.0), (192_000, 20_000.0)],
)
def test_sine_reads_its_amplitude_within_the_grid_error(rate, frequency_hz):
    tone = tapered_sine(rate, frequency_hz / rate, 33.0, 0.5)
    grid = math.cos(math.pi * frequency_hz / (rate * choose_oversampling_factor(rate)))
    peak = meter(tone, rate).peak
    assert 0.5 * grid * 0.995 <= peak <= 0.5 * 1.01


def noise_with_swells(frames=30_000):
    rng = np.random.default_rng(6)
    envelope = 0.05 + np.abs(np.sin(np.arange(frames) / 4000)) ** 8
    return (rng.standard_normal((2, frames)) * envelope * 0.2).astype(np.float32)


def test_skipping_quiet_tiles_changes_nothing():
    noise = noise_with_swells()
    phases = design_oversampling_filter(4).astype(np.float64)
    direct = max(
        np.abs(np.convolve(channel, phase[::-1])).max()
        for channel in noise.astype(np.float64)
        for phase in phases
    )
    assert meter(noise).peak == pytest.approx(direct, rel=1e-6)
    # Ascending and descending loudness meet a low and a high running peak.
    for piece in (noise, noise[:, ::-1]):
        loud_last = np.concatenate([0.01 * piece, piece], axis=1)
        loud_first = np.concatenate([piece, 0.01 * piece], axis=1)
        assert meter(loud_first).peak == pytest.approx(meter(loud_last).peak, rel=1e-6)


def test_the_worst_case_is_not_skipped():
    """Samples far below the running peak whose signs follow the filter exceed it in between."""
    phase = design_oversampling_filter(4)[2]
    worst = 1.05 / np.abs(phase).sum()
    assert worst < 0.5
    samples = np.zeros(5000)
    samples[100] = 1.0
    samples[4000 : 4000 + FILTER_TAPS] = worst * np.sign(phase)
    assert meter(samples).peak == pytest.approx(1.05, rel=1e-5)


def test_the_cuts_between_blocks_change_no_bit():
    noise = noise_with_swells()
    whole = meter(noise)
    for cuts in ([0, 1, 2, 5, 24, 25, 511, 4000, 29_999], range(0, 30_000, 17)):
        pieces = meter(noise, cuts=cuts)
        assert pieces.peak == whole.peak
        assert pieces.sample_peak == whole.sample_peak


def test_a_peak_after_the_last_sample_is_not_lost():
    cut_off = np.zeros(100)
    cut_off[-1] = 0.9
    cut_off[-2] = 0.9  # the value between the two is 0.9 · 4/π
    peak = meter(cut_off).peak
    assert peak == pytest.approx(0.9 * 4 / math.pi, rel=0.01)
    assert peak == meter(np.concatenate([cut_off, np.zeros(100)])).peak


def test_reading_the_peak_does_not_disturb_the_meter():
    noise = noise_with_swells()
    asked = TruePeakMeter(44_100, 2)
    for block in np.split(noise, 10, axis=1):
        asked.add(block)
        asked.peak  # noqa: B018
    assert asked.peak == meter(noise).peak


def test_sample_peak_looks_at_both_signs_and_bounds_the_true_peak():
    samples = np.zeros((2, 1000))
    samples[1, 500] = -0.75
    result = meter(samples)
    assert result.sample_peak == 0.75
    assert result.peak >= 0.75


def test_no_oversampling_at_192_khz():
    samples = noise_with_swells()
    assert meter(samples, 192_000).peak == np.abs(samples).max()


def test_silence_and_nothing_at_all():
    assert meter(np.zeros((2, 1000))).peak_dbtp == -math.inf
    assert TruePeakMeter(44_100, 2).peak_dbtp == -math.inf
