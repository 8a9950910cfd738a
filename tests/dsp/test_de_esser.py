"""The de-esser on vowels and sibilants made of tones and noise."""

import numpy as np
import pytest
from scipy import signal

from automix.dsp.biquad import coefficients, frequency_response
from automix.dsp.de_esser import DeEsser
from automix.plan.settings import DeEsserSettings

RATES = (22_050, 44_100, 48_000, 96_000)
STRONG = DeEsserSettings(max_reduction_db=9.0, threshold_db=-30.0)


def vowel(rate, seconds=0.5):
    """Harmonics of 150 Hz that fall by 12 dB per octave, as far as 4 kHz; RMS of 1."""
    time = np.arange(int(rate * seconds)) / rate
    partials = np.arange(1, 27)
    tone = np.sin(2 * np.pi * 150.0 * time[:, np.newaxis] * partials) @ (1.0 / partials**2)
    return (tone / tone.std())[np.newaxis]


def sibilant(rate, seconds=0.5, lowest_hz=6500.0, highest_hz=10_000.0, seed=1):
    """Noise, by default from 6.5 to 10 kHz, RMS of 1."""
    noise = np.random.default_rng(seed).standard_normal(int(rate * seconds))
    band = signal.butter(6, [lowest_hz, highest_hz], "bandpass", fs=rate, output="sos")
    filtered = signal.sosfilt(band, noise)
    return (filtered / filtered.std())[np.newaxis]


def db(factor):
    return 10.0 ** (factor / 20.0)


def change_db(after, before, start=0, stop=None):
    a, b = after[:, start:stop], before[:, start:stop]
    return 10.0 * np.log10((a**2).mean() / (b**2).mean())


def de_essed(settings, rate, samples):
    return DeEsser(settings, rate, len(samples)).process(samples)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("level_db", [-6.0, -40.0])
def test_a_vowel_passes(rate, level_db):
    voice = db(level_db) * vowel(rate)
    after = de_essed(DeEsserSettings(max_reduction_db=18.0), rate, voice)
    assert change_db(after, voice) == pytest.approx(0.0, abs=0.1)
    assert np.abs(after - voice).max() < 0.01 * np.abs(voice).max()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("deepest_db", [2.0, 4.0, 9.0, 18.0])
def test_a_sibilant_is_cut_by_the_deepest_cut_and_no_more(rate, deepest_db):
    settings = DeEsserSettings(max_reduction_db=deepest_db, threshold_db=-30.0)
    burst = sibilant(rate)
    cut_db = change_db(de_essed(settings, rate, burst), burst, int(0.05 * rate))
    assert -deepest_db < cut_db < -0.7 * deepest_db


@pytest.mark.parametrize("threshold_db", [-15.0, -6.0, -3.0])
def test_the_threshold_bounds_the_cut(threshold_db):
    """Nothing but treble: it may stay at the threshold relative to what came in, 0 dB."""
    settings = DeEsserSettings(max_reduction_db=18.0, threshold_db=threshold_db)
    burst = sibilant(48_000, lowest_hz=15_000.0, highest_hz=20_000.0)
    cut_db = change_db(de_essed(settings, 48_000, burst), burst, 2400)
    assert cut_db == pytest.approx(threshold_db, abs=1.0)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("samples", [vowel, sibilant])
def test_the_cut_does_not_depend_on_the_level(rate, samples):
    cuts = []
    for level_db in (-6.0, -40.0):
        voice = db(level_db) * samples(rate)
        cuts.append(change_db(de_essed(STRONG, rate, voice), voice))
    assert cuts[0] == pytest.approx(cuts[1], abs=0.05)


def test_it_acts_within_milliseconds_and_recovers_before_the_next_vowel():
    rate = 48_000
    low, high = 0.3 * vowel(rate, 0.3), 0.3 * sibilant(rate, 0.3)
    voice = np.concatenate([low, high, low], axis=1)
    after = de_essed(STRONG, rate, voice)
    onset, offset = int(0.3 * rate), int(0.6 * rate)
    assert change_db(after, voice, 0, onset) == pytest.approx(0.0, abs=0.1)
    assert change_db(after, voice, onset + 480, offset) < -7.0
    assert change_db(after, voice, offset + int(0.1 * rate)) == pytest.approx(0.0, abs=0.1)


def test_it_recovers_with_a_time_constant_of_40_ms():
    """Heard on a faint tone in the treble, which a vowel does not cover after the sibilant."""
    rate = 48_000
    voice = np.concatenate([0.3 * sibilant(rate, 0.3), 0.3 * vowel(rate, 0.3)], axis=1)
    tone = 1e-3 * np.sin(2 * np.pi * 15_000.0 * np.arange(voice.shape[1]) / rate)[np.newaxis]
    settings = DeEsserSettings(max_reduction_db=6.0, threshold_db=-12.0)
    after = de_essed(settings, rate, voice + tone)
    above = signal.butter(8, 12_000.0, "high", fs=rate, output="sos")
    heard, sent = signal.sosfilt(above, after), signal.sosfilt(above, tone)
    for elapsed_ms in (20, 40, 80, 160):
        first = int((0.3 + elapsed_ms / 1000.0) * rate)
        gain = 10.0 ** (change_db(heard, sent, first - 96, first + 96) / 20.0)
        # The detector lets go some milliseconds after the sibilant.
        latest, earliest = (1.0 - 0.5 * np.exp(-(elapsed_ms - ms) / 40.0) for ms in (10, 0))
        assert latest - 0.02 < gain < earliest + 0.02


def test_the_vowel_under_a_sibilant_stays():
    rate = 48_000
    low, high = 0.2 * vowel(rate), 0.5 * sibilant(rate)
    after = de_essed(STRONG, rate, low + high)
    below = signal.butter(6, 2000.0, fs=rate, output="sos")
    kept = signal.sosfilt(below, after)[:, 4800:]
    expected = signal.sosfilt(below, low)[:, 4800:]
    assert change_db(kept, expected) == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
@pytest.mark.parametrize("deepest_db", [4.0, 9.0, 18.0])
def test_at_its_deepest_it_is_the_high_shelf_of_the_equalizer(rate, deepest_db):
    """Probed by faint tones beside a loud one far up that keeps the reduction at its deepest."""
    frequencies = np.array([500.0, 2000.0, 4000.0, 5500.0, 6500.0, 8000.0])
    time = np.arange(rate) / rate
    tones = np.sin(2 * np.pi * frequencies[:, np.newaxis] * time)
    samples = np.sin(2 * np.pi * 0.4 * rate * time) + 1e-4 * tones.sum(axis=0)
    settings = DeEsserSettings(max_reduction_db=deepest_db, threshold_db=-30.0)
    after = de_essed(settings, rate, samples[np.newaxis])[0, rate // 2 :]
    probes = np.exp(-2j * np.pi * frequencies[:, np.newaxis] * time[rate // 2 :])
    gain_db = 20 * np.log10(np.abs((probes * after).mean(axis=1)) * 2e4)
    shelf = coefficients("high_shelf", 5500.0, -deepest_db, 0.5**0.5, rate)
    expected_db = 20 * np.log10(np.abs(frequency_response(shelf, frequencies, rate)))
    np.testing.assert_allclose(gain_db, expected_db, atol=0.01)
    assert expected_db[3] == pytest.approx(-deepest_db / 2)


def test_no_frequency_is_raised_at_any_gain():
    """The parts are summed with the phase of one filter; two of separate filters would bulge."""
    rate, tones_hz = 48_000, np.geomspace(100.0, 20_000.0, 40)
    for threshold_db in (-12.0, -9.0, -6.0, -3.0, -1.0):  # a lone tone in the treble: the gain
        settings = DeEsserSettings(max_reduction_db=18.0, threshold_db=threshold_db)
        for frequency_hz in tones_hz:
            tone = np.sin(2 * np.pi * frequency_hz * np.arange(4800) / rate)[np.newaxis]
            assert change_db(de_essed(settings, rate, tone), tone, 2400) < 0.01


def test_a_deepest_cut_of_0_db_changes_no_bit():
    burst = sibilant(44_100)
    np.testing.assert_array_equal(de_essed(DeEsserSettings(), 44_100, burst), burst)


def test_at_8_khz_there_is_no_treble_to_cut():
    noise = np.random.default_rng(2).standard_normal((1, 8000))
    np.testing.assert_array_equal(de_essed(STRONG, 8000, noise), noise)


def test_stereo_gets_one_gain():
    rate = 44_100
    burst = sibilant(rate)
    stereo = np.concatenate([burst, 0.25 * burst])
    after = de_essed(STRONG, rate, stereo)
    np.testing.assert_allclose(after[1], 0.25 * after[0], atol=1e-12)
    mono = de_essed(STRONG, rate, 0.625 * burst)
    np.testing.assert_allclose(after[0] * 0.625, mono[0], atol=1e-12)


def test_silence_and_hiss_below_80_db_pass():
    silent = np.zeros((1, 100_000))
    assert not de_essed(STRONG, 44_100, silent).any()
    hiss = db(-86.0) * sibilant(44_100)
    np.testing.assert_allclose(de_essed(STRONG, 44_100, hiss), hiss, rtol=0, atol=1e-15)


def test_the_cuts_between_blocks_do_not_matter():
    voice = np.concatenate([vowel(44_100), sibilant(44_100)], axis=1)
    whole = de_essed(STRONG, 44_100, voice)
    streaming = DeEsser(STRONG, 44_100, 1)
    pieces = [streaming.process(piece) for piece in np.split(voice, [1, 5000, 22_051], axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
