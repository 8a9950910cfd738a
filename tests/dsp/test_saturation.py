"""Saturation against the curve itself, its harmonics in closed form, and what folds back."""

import numpy as np
import pytest

from automix.dsp.saturation import KNEE, LATENCY_FRAMES, Saturation
from automix.plan.settings import SaturationSettings

RATE = 44_100
FRAMES = 1 << 14


def saturated(samples, drive_db, mix=1.0, rate=RATE):
    """In time: the latency is dropped."""
    stage = Saturation(SaturationSettings(drive_db=drive_db, mix=mix), rate, len(samples))
    return stage.process(np.pad(samples, ((0, 0), (0, LATENCY_FRAMES))))[:, LATENCY_FRAMES:]


def scale(drive_db):
    return np.sqrt(10.0 ** (drive_db / 10.0) - 1.0)


def curve(x, drive_db):
    """The integral of (1 − v²)³, which is the derivative of the curve, by Gauss and Legendre."""
    s = scale(drive_db)
    points, weights = np.polynomial.legendre.leggauss(4)  # exact for polynomials of degree 7
    v = np.clip(s * x / KNEE, -1.0, 1.0)
    inner = 0.5 * v[..., np.newaxis] * (points + 1.0)
    return KNEE / s * 0.5 * v * ((1.0 - inner**2) ** 3 @ weights)


def spectrum(level_db, cycles, drive_db):
    """Amplitude of every partial of a steady sine of ``cycles`` in `FRAMES` frames."""
    phase = 2 * np.pi * cycles / FRAMES * np.arange(3 * FRAMES)
    sine = 10.0 ** (level_db / 20.0) * np.sin(phase)[np.newaxis]
    steady = saturated(sine, drive_db)[0, FRAMES : 2 * FRAMES]
    return np.abs(np.fft.rfft(steady)) * 2.0 / FRAMES


def test_the_curve_is_odd_has_slope_1_and_reaches_full_scale_smoothly():
    x = np.linspace(-3.0, 3.0, 60_001)
    y = curve(x, 10.0 * np.log10(2.0))  # a scale of 1
    np.testing.assert_allclose(y, -y[::-1], atol=1e-15)
    slope = np.gradient(y, x)
    assert slope.max() == pytest.approx(1.0, abs=1e-6)
    assert slope.min() >= -1e-12
    assert (y.min(), y.max()) == pytest.approx((-1.0, 1.0))


@pytest.mark.parametrize("drive_db", [0.1, 3.0, 12.0, 24.0])
@pytest.mark.parametrize("mix", [0.3, 1.0])
def test_slow_sounds_follow_the_curve(drive_db, mix):
    """Where all harmonics lie far below the edge, oversampling makes no difference."""
    time = np.arange(FRAMES) / RATE
    window = np.hanning(FRAMES)
    slow = window * (0.6 * np.sin(2 * np.pi * 37.0 * time) + 0.3 * np.sin(2 * np.pi * 90.0 * time))
    expected = (1.0 - mix) * slow + mix * curve(slow, drive_db)
    tolerance = 1e-4 if drive_db > 12.0 else 1e-5
    np.testing.assert_allclose(
        saturated(slow[np.newaxis], drive_db, mix)[0], expected, atol=tolerance
    )


@pytest.mark.parametrize("drive_db", [1.0, 6.0, 12.0])
@pytest.mark.parametrize("frequency_hz", [50.0, 1000.0, 5000.0])
def test_harmonics_have_the_level_that_the_polynomial_gives_them(drive_db, frequency_hz):
    """By sin³ = (3·sin − sin 3θ)/4 and its like for the fifth and seventh power."""
    cycles, level_db = round(frequency_hz / RATE * FRAMES), -6.0
    a = 10.0 ** (level_db / 20.0) * scale(drive_db) / KNEE
    assert a < 1.0
    first = a - 3 / 4 * a**3 + 3 / 8 * a**5 - 5 / 64 * a**7
    third = a**3 / 4 - 3 / 16 * a**5 + 3 / 64 * a**7
    partials = spectrum(level_db, cycles, drive_db) * scale(drive_db) / KNEE
    assert partials[cycles] == pytest.approx(first, rel=1e-4)
    assert partials[3 * cycles] == pytest.approx(third, rel=1e-3)
    assert partials[2 * cycles : 7 * cycles : 2 * cycles].max() < 1e-6 * first


def alias_db(level_db, cycles, drive_db):
    """The largest partial that is no harmonic, relative to the fundamental."""
    partials = spectrum(level_db, cycles, drive_db)
    is_harmonic = np.arange(len(partials)) % cycles == 0
    return 20.0 * np.log10(partials[~is_harmonic].max() / partials[cycles])


# Odd numbers of cycles in a power of two: no alias falls on a harmonic.
SWEEP = [int(f / RATE * FRAMES) | 1 for f in np.linspace(100.0, 10_000.0, 41)]


@pytest.mark.parametrize(("drive_db", "highest_db"), [(6.0, -100.0), (12.0, -95.0), (18.0, -65.0)])
def test_what_folds_back_is_far_below_the_fundamental(drive_db, highest_db):
    assert max(alias_db(-6.0, cycles, drive_db) for cycles in SWEEP) < highest_db


def test_at_full_drive_it_is_a_clipper_that_stays_clean_to_3_khz():
    worst_db = {cycles * RATE / FRAMES: alias_db(-6.0, cycles, 24.0) for cycles in SWEEP}
    assert max(db for hz, db in worst_db.items() if hz < 3_000.0) < -80.0
    assert max(db for hz, db in worst_db.items() if hz < 5_000.0) < -65.0
    assert max(worst_db.values()) < -35.0


@pytest.mark.parametrize("drive_db", [0.5, 12.0, 24.0])
@pytest.mark.parametrize("mix", [0.5, 1.0])
def test_small_signals_pass_unchanged_to_the_end_of_the_band(drive_db, mix):
    """The gain is 1, the delay 0, and the dry and the saturated part make no comb."""
    impulse = np.zeros((1, FRAMES))
    impulse[0, 5_000] = 1e-3
    response = np.fft.rfft(saturated(impulse, drive_db, mix)[0]) / np.fft.rfft(impulse[0])
    below_18_khz = response[: int(18_000 / RATE * FRAMES)]
    assert np.abs(20.0 * np.log10(np.abs(below_18_khz))).max() < 0.01
    np.testing.assert_allclose(np.angle(below_18_khz), 0.0, atol=1e-3)


def test_the_level_stays_comparable():
    """A steady tone at −18 dBFS loses no more than 1 dB at 12 dB of drive; peaks are rounded."""
    quiet, loud = (spectrum(level_db, 371, 12.0)[371] for level_db in (-18.0, 0.0))
    assert 20.0 * np.log10(quiet) == pytest.approx(-18.0, abs=1.0)
    assert 20.0 * np.log10(loud) < -8.0


@pytest.mark.parametrize("drive_db", [3.0, 12.0])
def test_a_little_more_drive_changes_a_little_from_0_on(drive_db):
    noise = np.random.default_rng(1).uniform(-0.9, 0.9, (1, 5_000))
    before, after = saturated(noise, 0.01), noise
    assert np.abs(before - after).max() < 1e-3
    step = saturated(noise, drive_db + 0.01) - saturated(noise, drive_db)
    assert np.abs(step).max() < 2e-3


def test_it_does_the_same_at_any_rate_relative_to_it():
    noise = np.random.default_rng(2).uniform(-0.9, 0.9, (2, 5_000))
    np.testing.assert_array_equal(saturated(noise, 9.0), saturated(noise, 9.0, rate=96_000))


def test_dry_it_only_delays():
    noise = np.random.default_rng(3).uniform(-0.9, 0.9, (2, 5_000))
    np.testing.assert_array_equal(saturated(noise, 9.0, mix=0.0), noise)
    np.testing.assert_array_equal(saturated(noise, 0.0), noise)
