import math

import numpy as np
import pytest

from automix.analysis.hops import hop_start, hops_within
from automix.analysis.loudness import (
    LoudnessMeter,
    energy_to_lufs,
    integrated_lufs,
    loudness_range_lu,
    momentary_lufs,
    short_term_lufs,
)
from automix.analysis.program import measure
from automix.audio.samples import Audio
from automix.dsp.biquad import BiquadCascade, frequency_response
from automix.dsp.k_weighting import k_weighting
from automix.units import db_to_power


def meter(samples, rate=44_100, cuts=()):
    samples = np.atleast_2d(samples).astype(np.float32)
    result = LoudnessMeter(rate, len(samples))
    for block in np.split(samples, list(cuts), axis=1):
        result.add(block)
    return result.energies


def noise(seconds, rate=44_100, channels=2, seed=9):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((channels, round(seconds * rate)))).astype(np.float32)


def at(*levels_lufs):
    """Energies of the given loudness."""
    return np.array([db_to_power(level + 0.691) for level in levels_lufs])


def test_k_weighting_at_48_khz_is_the_published_one():
    published = [  # BS.1770-4, tables 1 and 2
        [
            1.53512485958697,
            -2.69169618940638,
            1.19839281085285,
            -1.69065929318241,
            0.73248077421585,
        ],
        [1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    np.testing.assert_allclose(k_weighting(48_000), published, atol=1e-10)


@pytest.mark.parametrize(
    ("rate", "tolerance_db"),
    [(8000, 0.22), (11_025, 0.15), (22_050, 0.06), (44_100, 0.02), (96_000, 0.03), (192_000, 0.05)],
)
def test_k_weighting_is_the_same_curve_at_every_rate(rate, tolerance_db):
    frequencies = np.geomspace(20, min(0.08 * rate, 3000), 50)
    curve, published = (
        20 * np.log10(np.abs(frequency_response(k_weighting(r), frequencies, r)))
        for r in (rate, 48_000)
    )
    np.testing.assert_allclose(curve, published, atol=tolerance_db)


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 32_000, 88_200, 192_000])
def test_a_sine_reads_its_level_at_any_rate(rate):
    tone = 10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * np.arange(2 * rate) / rate)
    assert integrated_lufs(meter([tone, tone], rate)) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 11_025, 22_055, 44_100, 48_000])
def test_hops_start_at_the_nearest_frame(rate):
    starts = [hop_start(hop, rate) for hop in range(50)]
    assert all(abs(start - hop * rate / 10) <= 0.5 for hop, start in enumerate(starts))
    for hop, start in enumerate(starts):
        assert hops_within(start, rate) == hop
        assert hops_within(start + 1, rate) == hop
        if hop:
            assert hops_within(start - 1, rate) == hop - 1


@pytest.mark.parametrize("rate", [11_025, 44_100, 192_000])
def test_energies_are_mean_squares_of_weighted_samples(rate):
    samples = noise(1.05, rate)
    weighted = BiquadCascade(k_weighting(rate), 2).process(samples)
    expected = [
        (weighted[:, hop_start(hop, rate) : hop_start(hop + 1, rate)] ** 2).mean(axis=1).sum()
        for hop in range(10)
    ]
    np.testing.assert_allclose(meter(samples, rate), expected, rtol=1e-9)


@pytest.mark.parametrize("rate", [11_025, 44_100])
def test_the_cuts_between_blocks_change_no_bit(rate):
    samples = noise(1.0, rate)
    cuts = [0, 1, 2, 1102, 1103, 4409, 4410, 4411, samples.shape[1] - 1]
    np.testing.assert_array_equal(meter(samples, rate, cuts), meter(samples, rate))
    np.testing.assert_array_equal(
        meter(samples, rate, range(0, samples.shape[1], 333)), meter(samples, rate)
    )


def test_channel_weights():
    def change_lu(channels, which):
        tone = noise(1, channels=1)[0]
        alone = np.zeros((channels, len(tone)), dtype=np.float32)
        alone[which] = tone
        return integrated_lufs(meter(alone)) - integrated_lufs(meter(tone))

    surround = 10 * math.log10(1.41)
    np.testing.assert_allclose([change_lu(5, c) for c in range(5)], [0, 0, 0, surround, surround])
    six = [change_lu(6, c) for c in (0, 1, 2, 4, 5)]
    np.testing.assert_allclose(six, [0, 0, 0, surround, surround])
    assert change_lu(6, 3) == -math.inf
    assert change_lu(2, 1) == pytest.approx(0)


def test_two_equal_channels_are_3_lu_louder_than_one():
    tone = noise(1, channels=1)[0]
    difference = integrated_lufs(meter([tone, tone])) - integrated_lufs(meter(tone))
    assert difference == pytest.approx(10 * math.log10(2), abs=1e-9)


def test_gain_moves_every_loudness_and_leaves_the_range():
    swell = noise(12) * np.linspace(0.1, 1, 12 * 44_100, dtype=np.float32)
    before, after = meter(swell), meter(swell * 0.5)
    shift = 20 * math.log10(0.5)
    assert integrated_lufs(after) - integrated_lufs(before) == pytest.approx(shift, abs=1e-6)
    assert loudness_range_lu(after) == pytest.approx(loudness_range_lu(before), abs=1e-6)
    for reading in (momentary_lufs, short_term_lufs):
        np.testing.assert_allclose(reading(after) - reading(before), shift, atol=1e-6)


def test_absolute_gate_is_70_below():
    assert integrated_lufs(at(*[-69.9] * 4)) == pytest.approx(-69.9)
    assert integrated_lufs(at(*[-70.1] * 4)) == -math.inf


def test_relative_gate_is_10_below_the_mean_of_what_passed_the_absolute_one():
    # Far apart, so that no 400 ms block mixes two levels except at the borders.
    loud, quiet = [-20.0] * 400, [-31.0] * 400
    gated = integrated_lufs(at(*loud, *quiet))
    # mean of both is −22.68 LUFS and the gate −32.68: the quiet half counts
    assert gated == pytest.approx(-22.68, abs=0.02)
    assert integrated_lufs(at(*loud, *[-34.0] * 400)) == pytest.approx(-20.0, abs=0.02)
    # silence moves no gate
    assert integrated_lufs(at(*loud, *[-80.0] * 4000)) == pytest.approx(-20.0, abs=0.02)


def test_range_takes_the_10th_and_95th_percentile():
    ramp = at(*np.linspace(-40, -20, 101))
    assert loudness_range_lu(ramp, window_s=0.1) == pytest.approx(17.0)


def test_range_gate_is_20_below_the_mean():
    loud = [-20.0] * 100
    # The mean of all is −22.9 LUFS, the gate −42.9.
    assert loudness_range_lu(at(*loud, *[-42.0] * 100), window_s=0.1) == pytest.approx(22.0)
    assert loudness_range_lu(at(*loud, *[-44.0] * 100), window_s=0.1) == pytest.approx(0.0)


def test_short_windows_see_the_dynamics_within_three_seconds():
    syllables = at(*([-20.0] * 5 + [-30.0] * 5) * 20)
    assert loudness_range_lu(syllables, window_s=0.1) == pytest.approx(10.0)
    assert loudness_range_lu(syllables, window_s=3.0) < 0.1


def test_before_the_start_lies_silence():
    energies = at(*[-23.0] * 40)
    momentary, short_term = momentary_lufs(energies), short_term_lufs(energies)
    assert momentary.shape == short_term.shape == (40,)
    assert momentary[0] == pytest.approx(-23 - 10 * math.log10(4))
    assert short_term[0] == pytest.approx(-23 - 10 * math.log10(30))
    np.testing.assert_allclose(momentary[3:], -23)
    np.testing.assert_allclose(short_term[29:], -23)


@pytest.mark.parametrize("seconds", [0, 0.05, 0.3, 0.399])
def test_too_short_to_have_a_loudness(seconds):
    energies = meter(noise(seconds))
    assert len(energies) == int(seconds * 10)
    assert integrated_lufs(energies) == -math.inf
    assert loudness_range_lu(energies) == 0.0


def test_silence():
    energies = meter(np.zeros((2, 44_100 * 4)))
    assert not np.any(energies)
    assert integrated_lufs(energies) == -math.inf
    assert loudness_range_lu(energies) == loudness_range_lu(energies, window_s=0.1) == 0.0
    assert np.all(momentary_lufs(energies) == -np.inf)
    assert energy_to_lufs(0.0) == -math.inf


def test_the_filter_falls_silent_after_sound():
    energies = meter(np.concatenate([noise(0.1), np.zeros((2, 441_000))], axis=1))
    assert energies[0] > 0
    assert not np.any(energies[-10:])
    assert energies[energies > 0].min() > 1e-200  # the states become zero, not denormal


def test_measure_reads_all_at_once():
    rate = 44_100
    time = np.arange(10 * rate) / rate
    tone = np.where(time < 5, 0.5, 0.25) * np.sin(2 * np.pi * 1000 * time)
    result = measure(Audio(np.stack([tone, tone]), rate))
    level = 20 * math.log10(0.5)
    assert result.max_momentary_lufs == pytest.approx(level, abs=0.1)
    assert result.max_short_term_lufs == pytest.approx(level, abs=0.1)
    assert result.integrated_lufs == pytest.approx(level - 10 * math.log10(8 / 5), abs=0.1)
    assert result.loudness_range_lu == pytest.approx(6.02, abs=0.1)
    assert result.true_peak_dbtp == pytest.approx(level, abs=0.1)
    assert result.sample_peak_db == pytest.approx(level, abs=0.1)


def test_measure_of_nothing():
    result = measure(Audio(np.zeros((2, 0)), 44_100))
    assert result.loudness_range_lu == 0.0
    silent = (
        result.integrated_lufs,
        result.max_momentary_lufs,
        result.max_short_term_lufs,
        result.true_peak_dbtp,
        result.sample_peak_db,
    )
    assert silent == (-math.inf,) * 5
