"""The compressor against the formula of the thesis, written out sample by sample, and physics."""

import math

import numpy as np
import pytest

from automix.dsp.compressor import Compressor
from automix.plan.settings import CompressorSettings

RATES = (44_100, 48_000, 96_000)


def settings(threshold_db=-20.0, ratio=4.0, attack_ms=5.0, release_ms=80.0, makeup_db=0.0):
    return CompressorSettings(
        threshold_db=threshold_db,
        ratio=ratio,
        attack_ms=attack_ms,
        release_ms=release_ms,
        makeup_db=makeup_db,
    )


def thesis_gain(key, chosen, rate):
    """Steinmetz 2020, section 4.3.2: level, gain computer, smoothing, gain; all in dB."""
    attack = math.exp(-1.0 / (chosen.attack_ms / 1000.0 * rate))
    release = math.exp(-1.0 / (chosen.release_ms / 1000.0 * rate))
    threshold, ratio = chosen.threshold_db, chosen.ratio
    smoothed_db = 0.0
    gain = np.empty(len(key))
    for n, sample in enumerate(key):
        level_db = 20.0 * math.log10(abs(sample)) if sample else -1000.0
        wanted_db = (
            level_db if level_db <= threshold else threshold + (level_db - threshold) / ratio
        )
        reduction_db = level_db - wanted_db
        pole = attack if reduction_db > smoothed_db else release
        smoothed_db = pole * smoothed_db + (1.0 - pole) * reduction_db
        gain[n] = 10.0 ** ((chosen.makeup_db - smoothed_db) / 20.0)
    return gain


def bursts(rate, seconds=0.5, seed=1):
    """Noise whose level wanders between -60 and +6 dBFS, with digital silence in between."""
    rng = np.random.default_rng(seed)
    frames = int(rate * seconds)
    levels_db = rng.uniform(-60.0, 6.0, 12).repeat(frames // 12 + 1)[:frames]
    noise = rng.uniform(-1.0, 1.0, frames) * 10.0 ** (levels_db / 20.0)
    noise[frames // 3 : frames // 2] = 0.0
    return noise


def square(level_db, frames):
    """Alternating sign, constant magnitude: a level without ripple."""
    return 10.0 ** (level_db / 20.0) * (-1.0) ** np.arange(frames)


def steps_db(levels_db, seconds, chosen, rate):
    """Gain in dB of a square wave of one channel that steps through the levels."""
    key = np.concatenate([square(level, int(seconds * rate)) for level in levels_db])
    return 20.0 * np.log10(Compressor(chosen, rate).process(key[np.newaxis])[0] / key)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    "chosen",
    [
        settings(),
        settings(-60.0, 10.0, 0.03, 50.0, 12.0),
        settings(-3.0, 1.5, 30.0, 3000.0, -12.0),
        settings(-35.0, 4.1, 30.0, 150.0),
    ],
)
def test_it_is_the_formula_of_the_thesis(rate, chosen):
    key = bursts(rate)
    result = Compressor(chosen, rate).process(key[np.newaxis])
    expected = key * thesis_gain(key, chosen, rate)
    np.testing.assert_allclose(result[0], expected, rtol=0, atol=1e-9)


def test_levels_just_above_the_threshold_are_reduced_too():
    """Small and slow: a step of attack towards a ten-thousandth of a dB is no reason to stop."""
    chosen = settings(-20.0, 10.0, 30.0, 50.0)
    gain_db = steps_db([-19.99999], 1.0, chosen, 192_000)
    assert gain_db[-1] == pytest.approx(-0.9e-5, rel=1e-3)


@pytest.mark.parametrize("threshold_db", [-50.0, -20.0, -6.0])
@pytest.mark.parametrize("ratio", [1.5, 4.0, 10.0])
def test_the_static_curve_has_a_hard_knee(threshold_db, ratio):
    chosen = settings(threshold_db, ratio, 1.0, 50.0, makeup_db=3.0)
    for over_db in (-30.0, -0.01, 0.0, 0.01, 6.0, 20.0, 40.0):
        level_db = threshold_db + over_db
        output_db = level_db + steps_db([level_db], 0.2, chosen, 44_100)[-1]
        wanted_db = level_db if over_db < 0.0 else threshold_db + over_db / ratio
        assert output_db == pytest.approx(wanted_db + 3.0, abs=1e-6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("attack_ms", "release_ms"), [(0.5, 50.0), (10.0, 200.0), (30.0, 1000.0)])
def test_attack_and_release_cover_63_percent_in_their_time(rate, attack_ms, release_ms):
    chosen = settings(-20.0, 4.0, attack_ms, release_ms)
    seconds = 0.4
    gain_db = steps_db([-8.0, -40.0], seconds, chosen, rate)
    full_db = gain_db[int(seconds * rate) - 1]
    assert full_db == pytest.approx(-9.0, abs=1e-4)  # 12 dB over, ratio 4
    covered = 1.0 - 1.0 / math.e
    attack = round(attack_ms * rate / 1000.0)
    assert gain_db[attack - 1] == pytest.approx(covered * full_db, rel=0.03)
    release = round(release_ms * rate / 1000.0)
    after = gain_db[int(seconds * rate) :]
    if release <= len(after):
        assert after[release - 1] == pytest.approx((1.0 - covered) * full_db, rel=0.01)
    fall = np.arange(1, len(after) + 1) * 1000.0 / (rate * release_ms)
    np.testing.assert_allclose(after, full_db * np.exp(-fall), atol=1e-6)


def test_attack_or_release_is_decided_at_every_sample():
    """One loud sample in ten: there the attack counts, in between the release.

    One decision per block would give all samples the same pole.
    """
    rate, chosen = 44_100, settings(-20.0, 4.0, 0.5, 50.0)
    key = np.zeros(2000)
    key[::10] = 0.5
    reduction_db = -20.0 * np.log10(Compressor(chosen, rate).gain(key[np.newaxis]))
    full_db = 0.75 * (20.0 + 20.0 * math.log10(0.5))
    is_loud = key[1:] > 0.0
    before, after = reduction_db[:-1], reduction_db[1:]
    attacked = full_db - (full_db - before) * math.exp(-1000.0 / (0.5 * rate))
    released = before * math.exp(-1000.0 / (50.0 * rate))
    np.testing.assert_allclose(after, np.where(is_loud, attacked, released), atol=1e-9)


def test_the_cuts_between_blocks_change_no_bit():
    noise = np.stack([bursts(44_100), bursts(44_100, seed=2)])
    whole = Compressor(settings(), 44_100).process(noise)
    streaming = Compressor(settings(), 44_100)
    pieces = [streaming.process(p) for p in np.split(noise, [1, 2, 999, 8192, 20_000], axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def test_stereo_is_keyed_on_the_mean_and_both_sides_get_one_gain():
    noise = np.stack([bursts(44_100, seed=3), 0.3 * bursts(44_100, seed=4)])
    expected = noise * thesis_gain(noise.mean(axis=0), settings(), 44_100)
    result = Compressor(settings(), 44_100).process(noise)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-9)


def test_equal_channels_are_compressed_like_the_mono_signal():
    noise = bursts(44_100, seed=5)
    stereo = Compressor(settings(), 44_100).process(np.stack([noise, noise]))
    mono = Compressor(settings(), 44_100).process(noise[np.newaxis])
    np.testing.assert_array_equal(stereo, np.repeat(mono, 2, axis=0))


def test_channels_that_cancel_pass():
    noise = bursts(44_100, seed=6)
    stereo = np.stack([noise, -noise])
    result = Compressor(settings(-60.0, 10.0), 44_100).process(stereo)
    np.testing.assert_array_equal(result, stereo)


def test_digital_silence_stays_silence_and_ends_the_reduction_exactly():
    chosen = settings(-40.0, 8.0, 1.0, 50.0, makeup_db=6.0)
    compressor = Compressor(chosen, 44_100)
    assert not compressor.process(np.zeros((2, 5000))).any()
    compressor.process(np.full((2, 5000), 0.9))
    silent = np.zeros((2, 3 * 44_100))
    assert not compressor.process(silent).any()
    assert (compressor.gain(silent[:, :100]) == 10.0 ** (6.0 / 20.0)).all()


def test_samples_of_any_size_give_finite_gains():
    key = np.array([[0.0, 1e-300, -1e-30, 5e-324, 1e6, -1e30, 0.0, 1.0]])
    result = Compressor(settings(-60.0, 10.0, 0.03), 44_100).process(key)
    assert np.isfinite(result).all()


@pytest.mark.parametrize(
    "chosen", [settings(threshold_db=0.0, ratio=10.0), settings(-60.0, ratio=1.0)]
)
def test_threshold_0_or_ratio_1_is_off_also_above_full_scale(chosen):
    loud = 10.0 * bursts(44_100)[np.newaxis]
    assert np.abs(loud).max() > 10.0
    np.testing.assert_array_equal(Compressor(chosen, 44_100).process(loud), loud)


@pytest.mark.parametrize("makeup_db", [-12.0, 5.0])
@pytest.mark.parametrize("threshold_db", [0.0, -30.0])
def test_makeup_is_a_gain_after_compression(makeup_db, threshold_db):
    noise = bursts(44_100)[np.newaxis]
    without = Compressor(settings(threshold_db), 44_100).process(noise)
    louder = Compressor(settings(threshold_db, makeup_db=makeup_db), 44_100).process(noise)
    np.testing.assert_allclose(louder, without * 10.0 ** (makeup_db / 20.0), rtol=1e-12)


def test_default_settings_change_no_bit():
    noise = bursts(44_100)[np.newaxis]
    np.testing.assert_array_equal(Compressor(CompressorSettings(), 44_100).process(noise), noise)
