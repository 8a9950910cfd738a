"""The reverberator against its closed forms, a naive implementation, and room acoustics."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from automix.dsp.biquad import coefficients
from automix.dsp.fdn_reverb import (
    LONGEST_DECAY_S,
    _delays,
    _prime_numbers,
    _render,
    _walsh_hadamard,
    decay_time_s,
    impulse_response,
    tail_s,
)
from automix.plan.settings import FdnReverbSettings

DEFAULT = FdnReverbSettings(reverberation_time_s=1.6)


def naive_response(settings, sample_rate, source, frames):
    """The published procedure, sample by sample, with a Hadamard matrix written out."""
    lines = int(settings.lines)
    primes = [n for n in range(3, 12_000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2))]
    a = int(settings.room_size // 10)
    indices = [max(1, a)]
    for i in range(1, lines):
        step = max(1.0, a + (settings.room_size - a) * i / lines)
        indices.append(math.floor(indices[-1] + step + 0.5))
    delays = [max(1, round(primes[index] / 10.0 * sample_rate / 1000.0)) for index in indices]
    hadamard = np.array([[1.0]])
    while len(hadamard) < lines:
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]]) / math.sqrt(2.0)
    memories = [[0.0] * delay for delay in delays]
    filters = []
    for delay in delays:
        seconds = delay / sample_rate
        high = coefficients(
            "high_shelf",
            settings.high_cutoff_hz,
            settings.high_gain_db_s * seconds,
            settings.high_q,
            sample_rate,
        )
        low = coefficients(
            "low_shelf",
            settings.low_cutoff_hz,
            settings.low_gain_db_s * seconds,
            settings.low_q,
            sample_rate,
        )
        filters.append([(high, [0.0] * 4), (low, [0.0] * 4)])
    gains = [10.0 ** (-3.0 * d / sample_rate / settings.reverberation_time_s) for d in delays]
    output = np.zeros((2, frames))
    for n in range(frames):
        values = np.array([memory.pop(0) for memory in memories])
        if n == 0:
            values[source] += 1.0
        for line, chain in enumerate(filters):
            for (b0, b1, b2, a1, a2), past in chain:
                x = values[line]
                y = b0 * x + b1 * past[0] + b2 * past[1] - a1 * past[2] - a2 * past[3]
                past[:] = [x, past[0], y, past[2]]
                values[line] = y
        output[:, n] = values[:2]
        for memory, value in zip(memories, hadamard @ (values * gains), strict=True):
            memory.append(value)
    return output


def octave_energy_decay(responses, sample_rate, center_hz):
    """Schroeder's backward integral of the octave in dB, all channels together, not normalized."""
    edges = [center_hz / math.sqrt(2.0), center_hz * math.sqrt(2.0)]
    band = butter(3, edges, "bandpass", fs=sample_rate, output="sos")
    # Filtered backwards in time, so that the ringing of the filter does not lengthen the decay.
    energy = sosfilt(band, responses.reshape(-1, responses.shape[-1])[:, ::-1]) ** 2
    return 10.0 * np.log10(np.cumsum(energy.sum(axis=0))[::-1] * sample_rate + 1e-30)


def measured_decay_time_s(curve_db, sample_rate):
    relative = curve_db - curve_db[0]
    first, last = np.argmax(relative < -5.0), np.argmax(relative < -35.0)
    slope = np.polyfit(np.arange(first, last) / sample_rate, relative[first:last], 1)[0]
    return -60.0 / slope


@pytest.mark.parametrize("source", [0, 1])
@pytest.mark.parametrize(
    ("settings", "sample_rate"),
    [
        (DEFAULT, 44_100),
        (replace(DEFAULT, lines="16", room_size=3.3, low_gain_db_s=5, low_cutoff_hz=400), 8_000),
        (replace(DEFAULT, lines="32", room_size=1.0, high_gain_db_s=-80), 16_000),
    ],
)
def test_equals_the_naive_procedure(settings, sample_rate, source):
    expected = naive_response(settings, sample_rate, source, 2000)
    actual = impulse_response(settings, sample_rate)[source, :, :2000]
    assert np.abs(expected[:, 500:]).max() > 1e-4  # more than the first pass is compared
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


def test_the_fade_in_subtracts_a_second_network():
    settings = replace(DEFAULT, fade_in_time_s=0.68)
    onset = naive_response(replace(settings, reverberation_time_s=0.68), 44_100, 0, 2000)
    expected = naive_response(settings, 44_100, 0, 2000) - onset
    actual = impulse_response(settings, 44_100)[0, :, :2000]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


def test_indices_of_the_primes_by_hand():
    # a = 1, increments 1 + 9 i / 16: 1, 2.56 → 3, 5.125 → 5, 7.69 → 8, 11.25 → 11 …
    settings = FdnReverbSettings(room_size=10.0, lines="16")
    primes = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41]
    expected = [primes[index] for index in (1, 3, 5, 8, 11)]
    assert _prime_numbers(settings)[:5].tolist() == expected
    # Size 30 starts at index 3; size 1 steps by one from index 1.
    assert _prime_numbers(FdnReverbSettings(room_size=30.0))[0] == 11
    steps = _prime_numbers(FdnReverbSettings(room_size=1.0, lines="16"))
    assert steps[:11].tolist() == primes[1:]


def test_lines_share_no_common_factor_before_rounding():
    primes = _prime_numbers(FdnReverbSettings(room_size=30.0))
    assert len(set(primes.tolist())) == 64
    assert all(p % d for p in primes.tolist() for d in range(2, math.isqrt(p) + 1))


@pytest.mark.parametrize("lines", [16, 32, 64])
def test_hadamard_transform_is_orthonormal_and_its_own_inverse(lines):
    values = np.random.default_rng(0).standard_normal((lines, 5))
    result = values.copy()
    _walsh_hadamard(result)
    result /= math.sqrt(lines)
    np.testing.assert_allclose((result**2).sum(axis=0), (values**2).sum(axis=0), rtol=1e-13)
    _walsh_hadamard(result)
    np.testing.assert_allclose(result / math.sqrt(lines), values, rtol=0, atol=1e-13)


def test_a_lossless_network_keeps_its_energy():
    """The energy 1 spreads over all delay cells and stays: mean square 1 / sum of the delays.

    The line that was fed carries three times as much, as in a room where the sound returns to its
    source (enhanced backscattering: the fourth moment of Gaussian modes).
    """
    delays = _delays(DEFAULT, 44_100)
    flat = np.zeros((5, 64))
    flat[0] = 1.0
    excitation = np.array([1.0, 0.0])
    response = _render(delays, np.ones(64), flat, flat, excitation, 2_000_000)
    power = (response.reshape(2, 10, -1)[:, 2:] ** 2).mean(axis=2) * delays.sum()
    np.testing.assert_allclose(power[:, -1], power[:, 0], rtol=0.03)
    np.testing.assert_allclose(power.mean(axis=1), [3.0, 1.0], rtol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize(
    "settings",
    [
        DEFAULT,
        replace(DEFAULT, fade_in_time_s=0.3),
        replace(DEFAULT, reverberation_time_s=4.0, room_size=30.0),
        replace(DEFAULT, reverberation_time_s=0.8, room_size=1.0, lines="32"),
        replace(DEFAULT, reverberation_time_s=3.0, low_gain_db_s=5.0, low_cutoff_hz=400.0),
    ],
)
def test_octave_decay_times_follow_the_closed_form(settings, sample_rate):
    centers_hz = np.array([125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0])
    response = impulse_response(settings, sample_rate)
    measured = [
        measured_decay_time_s(octave_energy_decay(response, sample_rate, hz), sample_rate)
        for hz in centers_hz
    ]
    expected = decay_time_s(settings, centers_hz, sample_rate=sample_rate)
    np.testing.assert_allclose(measured, expected, rtol=0.05)


def test_closed_form_far_from_the_corners():
    settings = replace(
        DEFAULT,
        reverberation_time_s=2.0,
        low_cutoff_hz=500.0,
        low_gain_db_s=-30.0,
        high_cutoff_hz=4000.0,
        high_gain_db_s=-10.0,
    )
    # 30 dB/s from the feedback; 30 dB/s more at the bottom, 10 dB/s more at the top.
    low, high = decay_time_s(settings, np.array([1.0, 95_000.0]), sample_rate=192_000)
    assert low == pytest.approx(60.0 / 60.0, rel=1e-3)
    assert high == pytest.approx(60.0 / 40.0, rel=1e-3)


def test_decay_and_octave_levels_do_not_depend_on_the_sample_rate():
    """Within 0.5 dB up to 4 kHz; above, rounded delays and the shelves' warping count."""
    times_s = np.array([0.0, 0.1, 0.3])
    curves = {}
    for rate in (44_100, 48_000, 96_000, 192_000):
        response = impulse_response(DEFAULT, rate, direct=False)
        curves[rate] = [
            octave_energy_decay(response, rate, hz)[(times_s * rate).astype(int)]
            for hz in (125.0, 500.0, 1000.0, 4000.0)
        ]
    reference = np.array(curves.pop(44_100))
    for curve in curves.values():
        np.testing.assert_allclose(curve, reference, rtol=0, atol=0.5)


@pytest.mark.parametrize("fade_in_time_s", [0.0, 0.68])
def test_left_and_right_are_decorrelated_and_balanced(fade_in_time_s):
    settings = replace(DEFAULT, fade_in_time_s=fade_in_time_s)
    left, right = impulse_response(settings, 44_100).sum(axis=0)[:, 1000:]
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.1
    assert abs(10.0 * math.log10((left**2).sum() / (right**2).sum())) < 1.0


def test_reciprocity():
    """From the symmetry of the matrix: T01 = T10 · (g1 / g0) · z^(d1 − d0)."""
    settings = replace(DEFAULT, low_gain_db_s=0.0, high_gain_db_s=0.0)
    response = impulse_response(settings, 44_100)
    first, second = (int(d) for d in _delays(settings, 44_100)[:2])
    shift = second - first
    gain = 10.0 ** (-3.0 * shift / 44_100 / settings.reverberation_time_s)
    np.testing.assert_allclose(
        response[1, 0, :-shift], gain * response[0, 1, shift:], rtol=0, atol=1e-13
    )


def test_the_fade_in_makes_the_energy_rise_first():
    def energies(settings):
        response = impulse_response(settings, 44_100, direct=False)
        return (response[..., : 8 * 2205].reshape(4, 8, 2205) ** 2).sum(axis=(0, 2))

    with_fade, without = energies(replace(DEFAULT, fade_in_time_s=0.68)), energies(DEFAULT)
    assert (np.diff(with_fade[:3]) > 0).all()
    assert without.argmax() == 0


def test_energy_against_the_direct_sound_is_as_published():
    """About −21 dB after the fade-in subtraction (specification of the studio preset)."""
    settings = replace(DEFAULT, fade_in_time_s=0.68)
    energy = (impulse_response(settings, 44_100).sum(axis=0) ** 2).sum(axis=1)
    np.testing.assert_allclose(10.0 * np.log10(energy), -21.0, atol=0.5)


def test_direct_is_the_first_pass_and_nothing_else():
    whole = impulse_response(DEFAULT, 44_100)
    recirculated = impulse_response(DEFAULT, 44_100, direct=False)
    first = int(_delays(DEFAULT, 44_100)[0])
    assert not recirculated[..., :first].any()
    difference = whole - recirculated
    assert difference[0, 0, 0] == pytest.approx(1.0, abs=0.01)
    # What is left out is the impulse through the shelves of one line: nearly the impulse itself.
    assert (difference[0, 0, 1:] ** 2).sum() < 1e-4
    np.testing.assert_array_equal(difference[0, 1], 0.0)
    faded = replace(DEFAULT, fade_in_time_s=0.5)
    np.testing.assert_array_equal(
        impulse_response(faded, 44_100), impulse_response(faded, 44_100, direct=False)
    )


@pytest.mark.parametrize("fade_in_time_s", [0.0, 0.68])
def test_nothing_audible_is_cut_off(fade_in_time_s):
    settings = replace(DEFAULT, fade_in_time_s=fade_in_time_s)
    response = impulse_response(settings, 44_100)
    assert response.shape[-1] == math.ceil(tail_s(settings) * 44_100)
    longer = impulse_response(replace(settings, dry_wet=0.5), 44_100)
    np.testing.assert_array_equal(longer, response)  # dry/wet is the caller's
    energy = (response**2).sum(axis=(0, 1))
    # The energy behind the end, extrapolated from the last tenth with the known decay.
    tenth = energy.size // 10
    per_tenth_db = 60.0 * tenth / 44_100 / settings.reverberation_time_s
    behind = energy[-tenth:].sum() / (10.0 ** (per_tenth_db / 10.0) - 1.0)
    assert 10.0 * math.log10(behind / energy.sum()) < -90.0


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 192_000])
def test_extreme_rates_stay_finite_and_decay(sample_rate):
    settings = replace(DEFAULT, reverberation_time_s=0.5, low_cutoff_hz=20_000, low_gain_db_s=6)
    response = impulse_response(settings, sample_rate)
    assert np.isfinite(response).all()
    half = response.shape[-1] // 2
    assert (response[..., half:] ** 2).sum() < 1e-3 * (response[..., :half] ** 2).sum()


def test_boosting_shelves_cannot_make_the_network_grow():
    settings = FdnReverbSettings(
        reverberation_time_s=9.0,
        low_cutoff_hz=20_000.0,
        low_gain_db_s=6.0,
        high_cutoff_hz=20.0,
        high_gain_db_s=4.0,
        room_size=3.0,
        lines="16",
    )
    times = decay_time_s(settings, np.geomspace(20.0, 3900.0, 50), sample_rate=8_000)
    assert (times > 0).all()
    assert (times <= LONGEST_DECAY_S * 1.01).all()
    response = impulse_response(settings, 8_000)
    power = (response[..., : 8 * 8_000].reshape(4, 8, -1) ** 2).sum(axis=(0, 2))
    assert (np.diff(power[1:]) < 0).all()


@pytest.mark.parametrize("seed", range(20))
def test_no_setting_in_range_rings_longer_than_the_limit(seed):
    """Not even by the overshoot of shelves that cut with a high Q."""
    rng = np.random.default_rng(seed)
    settings = FdnReverbSettings(
        reverberation_time_s=9.0,
        room_size=rng.uniform(1, 30),
        low_cutoff_hz=20 * 1000 ** rng.random(),
        low_q=0.9,
        low_gain_db_s=rng.choice([-80.0, -20.0, 6.0]),
        high_cutoff_hz=20 * 1000 ** rng.random(),
        high_q=0.9,
        high_gain_db_s=rng.choice([-80.0, -20.0, 4.0]),
    )
    times = decay_time_s(settings, np.geomspace(10.0, 20_000.0, 400), sample_rate=48_000)
    assert (times > 0).all()
    assert (times <= LONGEST_DECAY_S * 1.02).all()


def test_one_channel_feeds_line_zero_only():
    mono = impulse_response(DEFAULT, 44_100, channels=1)
    assert mono.shape[:2] == (1, 2)
    np.testing.assert_array_equal(mono[0], impulse_response(DEFAULT, 44_100)[0])
    with pytest.raises(ValueError, match="1 or 2"):
        impulse_response(DEFAULT, 44_100, channels=3)


def test_the_result_cannot_be_changed_by_a_caller():
    with pytest.raises(ValueError, match="read-only"):
        impulse_response(DEFAULT, 44_100)[0, 0, 0] = 2.0


@pytest.mark.slow
@pytest.mark.parametrize("center_hz", [63.0, 125.0, 1000.0, 8000.0])
def test_the_late_decay_of_rooms_of_all_sizes_averages_to_the_closed_form(center_hz):
    """An octave at 63 Hz holds few modes: single rooms scatter by a tenth, their mean does not."""
    ratios = []
    for room_size in (6.0, 9.0, 12.0, 14.54, 17.0, 20.0, 24.0, 28.0):
        settings = replace(DEFAULT, room_size=room_size)
        curve_db = octave_energy_decay(impulse_response(settings, 48_000), 48_000, center_hz)
        relative = curve_db - curve_db[0]
        first, last = np.argmax(relative < -20.0), np.argmax(relative < -60.0)
        slope = np.polyfit(np.arange(first, last) / 48_000, relative[first:last], 1)[0]
        ratios.append(-60.0 / slope / float(decay_time_s(settings, np.array([center_hz]))[0]))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.05)
