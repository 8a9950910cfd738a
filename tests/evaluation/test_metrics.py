"""Metrics against NumPy, SciPy and hand-computed cases."""

import math

import numpy as np
import pytest
import torch
from scipy.fft import dct

from automix.evaluation.metrics import (
    esr,
    level_errors_db,
    mae,
    mcd,
    mr_stft,
    stereo_mr_stft,
    third_octave_distance_db,
)
from automix.networks import losses

RATE = 44_100
METRICS = (mae, esr, mr_stft, stereo_mr_stft, lambda p, t: mcd(p, t, RATE))


def noise(seed, channels=2, samples=6_000):
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.5, 0.5, (channels, samples)).astype(np.float32)


def test_mae_and_esr_of_a_hand_computed_case():
    target = np.array([[1.0, -1.0, 2.0, 0.0]])
    prediction = np.array([[1.0, 0.0, 1.0, 0.5]])
    assert mae(prediction, target) == pytest.approx((0 + 1 + 1 + 0.5) / 4)
    assert esr(prediction, target) == pytest.approx((1 + 1 + 0.25) / (1 + 1 + 4))


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_esr_of_a_gain_is_the_square_of_what_is_missing(gain):
    x = noise(1)
    assert esr(gain * x, x) == pytest.approx((gain - 1) ** 2, rel=1e-5)
    assert esr(gain * x, gain * x) == 0.0


def test_esr_of_silence():
    silence = np.zeros((1, 10), np.float32)
    assert esr(silence, silence) == 0.0
    assert esr(silence + 0.1, silence) == math.inf
    assert esr(silence, silence + 0.1) == pytest.approx(1.0)


def mel_cepstra(x, rate):
    """25 coefficients ``(frames, 25)``, written out after the definitions of Slaney's bank."""
    padded = np.pad(x.astype(np.float64), 1024)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    frames = [padded[k : k + 2048] * window for k in range(0, len(padded) - 2047, 512)]
    power = np.abs(np.fft.rfft(frames)) ** 2

    def hertz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    top = 15 + 27 * np.log(rate / 2 / 1000) / np.log(6.4)
    points = hertz(np.linspace(0, top, 130))
    bins = np.arange(1025) * rate / 2048
    rising = (bins - points[:-2, None]) / np.diff(points)[:-1, None]
    falling = (points[2:, None] - bins) / np.diff(points)[1:, None]
    bank = np.maximum(0, np.minimum(rising, falling)) * (2 / (points[2:] - points[:-2]))[:, None]
    levels = 10 * np.log10(np.maximum(power @ bank.T, 1e-10))
    levels = np.maximum(levels, levels.max() - 80)
    return dct(levels, axis=1, norm="ortho")[:, :25]


def test_mcd_is_that_of_cepstra_written_out():
    rng = np.random.default_rng(3)
    tone = np.sin(2 * np.pi * 440 * np.arange(9_000) / RATE)
    target = (0.3 * tone + 0.01 * rng.standard_normal(9_000))[np.newaxis].astype(np.float32)
    prediction = (0.1 * tone + 0.05 * rng.standard_normal(9_000))[np.newaxis].astype(np.float32)
    difference = mel_cepstra(prediction[0], RATE) - mel_cepstra(target[0], RATE)
    expected = 10 * np.sqrt(2) / np.log(10) * np.sqrt((difference**2).sum(axis=1)).mean()
    assert mcd(prediction, target, RATE) == pytest.approx(expected, rel=1e-3)


def test_mcd_of_a_gain_is_that_of_the_first_coefficient():
    x = noise(4, channels=1, samples=20_000)
    difference_db = 20 * math.log10(2) * math.sqrt(128)  # of the first coefficient alone
    expected = 10 * math.sqrt(2) / math.log(10) * difference_db
    assert mcd(2 * x, x, RATE) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("samples", [100, 2_047, 30_000])
def test_spectral_distances_are_the_losses_of_training(samples):
    a, b = noise(5, samples=samples), noise(6, samples=samples)
    loss = losses.stereo_mr_stft(torch.tensor(a), torch.tensor(b)).item()
    assert stereo_mr_stft(a, b) == pytest.approx(loss, rel=1e-5)
    loss = losses.mr_stft(torch.tensor(a), torch.tensor(b)).mean().item()
    assert mr_stft(a, b) == pytest.approx(loss, rel=1e-5)


def test_pieces_of_a_long_signal_add_up(monkeypatch):
    a, b = noise(7, samples=50_000), noise(8, samples=50_000)
    whole = stereo_mr_stft(a, b), mcd(a, b, RATE)
    monkeypatch.setattr("automix.networks.losses._FRAMES_AT_A_TIME", 37)
    monkeypatch.setattr("automix.evaluation.metrics._FRAMES_AT_A_TIME", 11)
    assert (stereo_mr_stft(a, b), mcd(a, b, RATE)) == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_a_signal_is_at_no_distance_from_itself(metric):
    silence = np.zeros((2, 3_000), np.float32)
    assert metric(noise(9), noise(9)) == 0.0
    assert metric(silence, silence) == 0.0


@pytest.mark.parametrize("metric", METRICS)
def test_silence_is_at_a_finite_distance_from_sound(metric):
    silence = np.zeros((2, 6_000), np.float32)
    assert 0.0 < metric(silence, noise(10)) < math.inf


def test_swapped_channels_leave_the_stereo_distance_unchanged():
    a, b = noise(11), noise(12)
    assert stereo_mr_stft(a[::-1], b) == pytest.approx(stereo_mr_stft(a, b), rel=1e-6)
    assert mae(a[::-1], b) != mae(a, b)


@pytest.mark.parametrize("metric", METRICS)
def test_unequal_lengths_and_no_samples_are_refused(metric):
    with pytest.raises(ValueError, match="shapes"):
        metric(noise(1), noise(1, samples=5_999))
    with pytest.raises(ValueError, match="no samples"):
        metric(noise(1, samples=0), noise(1, samples=0))


def test_level_errors_are_the_differences_of_the_faders():
    stems = np.array([noise(seed, samples=20_000) for seed in range(4)])
    stems[3] *= 1e-4  # 80 dB below the others
    human = stems.sum(axis=0)
    gains_db = np.array([3.0, -1.0, 0.0, 9.0])
    mix = (10 ** (gains_db / 20))[:, None, None] * stems
    errors = level_errors_db(0.2 * mix.sum(axis=0), human, stems)
    np.testing.assert_allclose(errors[:3], gains_db[:3], atol=1e-3)  # the median of them is 0
    assert np.isnan(errors[3])


def test_level_errors_of_silent_stems_are_none():
    silence = np.zeros((2, 2, 100))
    assert np.isnan(level_errors_db(silence[0], silence[0], silence)).all()


def test_third_octave_distance_of_hand_made_levels():
    wanted = np.array([-20.0, -30.0, -90.0, -np.inf, np.nan])
    found = np.array([-22.0, -30.0, -95.0, -70.0, -50.0])
    # The floor is −80 dB: 2, 0, 0 and 10 dB; the band that is not there does not count.
    assert third_octave_distance_db(found, wanted) == pytest.approx(12 / 4)
    assert math.isnan(third_octave_distance_db(found, np.full(5, -np.inf)))
