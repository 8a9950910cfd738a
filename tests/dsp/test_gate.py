"""The gate on levels, bursts and drum-like signals whose timing and level are known."""

import math

import numpy as np
import pytest

from automix.dsp.gate import DETECTOR_MS, Gate
from automix.plan.settings import GateSettings

RATES = (44_100, 48_000, 96_000)
TO_63_PERCENT = 1.0 - 1.0 / math.e


def settings(threshold_db=-30.0, range_db=40.0, **others):
    return GateSettings(
        **{"threshold_db": threshold_db, "range_db": range_db, "hysteresis_db": 4.0} | others
    )


def square(level_db, frames):
    """Alternating sign, constant magnitude: a level without ripple."""
    return 10.0 ** (level_db / 20.0) * (-1.0) ** np.arange(frames)


def levels(levels_db, seconds, rate):
    frames = int(seconds * rate)
    return np.concatenate([square(level_db, frames) for level_db in levels_db])


def gain_db(key, chosen, rate):
    return 20.0 * np.log10(Gate(chosen, rate).gain(key[np.newaxis]))


def detector_s(fall_db):
    """How long the detector takes to fall by so much after a sound that ends at once."""
    return DETECTOR_MS / 1000.0 * fall_db * math.log(10.0) / 20.0


def reference_gain_db(key, chosen, rate):
    """The description of the gate in decibels, sample by sample."""
    pole = {
        name: math.exp(-1000.0 / (time_ms * rate))
        for name, time_ms in (
            ("detector", 10.0),
            ("attack", chosen.attack_ms),
            ("release", chosen.release_ms),
        )
    }
    level, reduction_db, is_open, below, result = 0.0, 0.0, False, 0, []
    heard = False
    for sample in np.abs(key):
        heard = heard or sample > 0.0
        level = max(sample, pole["detector"] * level)
        level_db = 20.0 * math.log10(level) if level > 1e-15 else -math.inf
        below = 0 if level_db >= chosen.threshold_db - chosen.hysteresis_db else below + 1
        if level_db >= chosen.threshold_db:
            is_open = True
        elif below > round(chosen.hold_ms * rate / 1000.0):
            is_open = False
        wanted_db = 0.0
        if heard and not is_open:
            wanted_db = min(chosen.range_db, 8.0 * (chosen.threshold_db - level_db))
        name = "release" if wanted_db > reduction_db else "attack"
        reduction_db = wanted_db + pole[name] * (reduction_db - wanted_db)
        result.append(-reduction_db)
    return np.array(result)


def drums(rate, seed=1):
    """Hits of a tone that decays, one each half second, over noise at −50 dBFS; their onsets."""
    rng = np.random.default_rng(seed)
    time = np.arange(rate // 2) / rate
    rise = 1.0 - np.exp(-time / 0.002)
    hit = 0.8 * np.sin(2 * np.pi * 180.0 * time) * rise * np.exp(-time / 0.04)
    onsets = (rate // 4 + np.arange(4) * (rate // 2)).tolist()
    sound = np.zeros(rate // 4 + 4 * (rate // 2))
    for onset in onsets:
        sound[onset : onset + len(hit)] += hit
    return sound, rng.normal(0.0, 10.0 ** (-50 / 20), len(sound)), onsets


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    "chosen",
    [
        settings(),
        settings(-12.0, 80.0, hysteresis_db=12.0, hold_ms=3.3, attack_ms=0.05, release_ms=5.0),
        settings(-20.0, 6.0, hysteresis_db=0.0, hold_ms=0.0, attack_ms=20.0, release_ms=800.0),
    ],
)
def test_it_is_its_description_sample_by_sample(rate, chosen):
    rng = np.random.default_rng(3)
    frames = rate // 2
    key = rng.uniform(-1.0, 1.0, frames) * 10.0 ** (
        np.repeat(rng.uniform(-70.0, 0.0, 20), frames // 20 + 1)[:frames] / 20.0
    )
    key[: rate // 20] = key[frames // 3 : frames // 2] = 0.0
    found = gain_db(key, chosen, rate)
    np.testing.assert_allclose(found, reference_gain_db(key, chosen, rate), atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("attack_ms", [0.5, 5.0, 50.0])
def test_it_opens_with_the_time_constant_of_the_attack(rate, attack_ms):
    chosen = settings(attack_ms=attack_ms, release_ms=5.0)
    key = levels([-60.0, -20.0], 0.5, rate)
    gains = gain_db(key, chosen, rate)
    onset = len(key) // 2
    assert gains[onset - 1] == pytest.approx(-40.0, abs=1e-6)
    opening = gains[onset:]
    elapsed_ms = np.arange(1, len(opening) + 1) * 1000.0 / rate
    np.testing.assert_allclose(opening, -40.0 * np.exp(-elapsed_ms / attack_ms), atol=1e-6)
    covered = (opening[round(attack_ms * rate / 1000.0) - 1] + 40.0) / 40.0
    assert covered == pytest.approx(TO_63_PERCENT, rel=0.03)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("release_ms", [20.0, 150.0, 600.0])
@pytest.mark.parametrize("hold_ms", [0.0, 50.0, 300.0])
def test_it_closes_after_the_hold_with_the_time_constant_of_the_release(rate, release_ms, hold_ms):
    chosen = settings(hold_ms=hold_ms, release_ms=release_ms)
    key = np.concatenate([square(-20.0, rate // 5), np.zeros(rate)])
    gains = gain_db(key, chosen, rate)
    assert not gains[: rate // 5].any()  # nothing is lost of what opens it at once
    # 10 dB to the threshold, and 4 dB more to where it closes.
    closes_s = 0.2 + detector_s(14.0) + hold_ms / 1000.0
    first = int(np.flatnonzero(gains)[0])
    assert first / rate == pytest.approx(closes_s, abs=0.0005)
    after = gains[first + round(detector_s(2.0) * rate) :]  # where all of the range is wanted
    rest = (after + 40.0) / (after[0] + 40.0)
    elapsed_ms = np.arange(len(after)) * 1000.0 / rate
    np.testing.assert_allclose(rest, np.exp(-elapsed_ms / release_ms), atol=1e-6)
    assert rest[round(release_ms * rate / 1000.0)] == pytest.approx(1.0 / math.e, rel=0.01)


def test_a_level_between_the_two_thresholds_keeps_its_state():
    chosen = settings(-30.0, hysteresis_db=6.0, hold_ms=10.0, release_ms=20.0)
    gains = gain_db(levels([-50.0, -33.0, -20.0, -33.0, -50.0], 0.5, 44_100), chosen, 44_100)
    closed_below, closed_between, opened, open_between, closed_again = np.split(gains, 5)
    assert closed_between.max() < -23.0  # 3 dB below the threshold, 8 dB for each
    assert closed_between[-1] == pytest.approx(-24.0, abs=1e-3)
    assert opened[-1] == open_between.min() == 0.0
    assert closed_below[-1] == pytest.approx(-40.0, abs=1e-3)
    assert closed_again[-1] == pytest.approx(-40.0, abs=1e-3)


@pytest.mark.parametrize("range_db", [3.0, 20.0, 80.0])
@pytest.mark.parametrize("threshold_db", [-70.0, -40.0, -10.0])
def test_the_range_is_reached_ten_decibels_below_the_threshold_and_not_exceeded(
    range_db, threshold_db
):
    chosen = settings(threshold_db, range_db, release_ms=10.0)
    key = np.concatenate([square(threshold_db - 10.0, 44_100), np.zeros(44_100)])
    gains = gain_db(key, chosen, 44_100)
    assert gains[44_099] == pytest.approx(-range_db, abs=1e-6)
    assert gains.min() >= -range_db - 1e-9


def test_a_sound_that_swells_opens_it_without_a_step():
    """1 dB per 10 ms through the threshold: the gain is up before the gate opens."""
    rate = 44_100
    swell_db = np.linspace(-50.0, -10.0, int(0.4 * rate))
    key = 10.0 ** (swell_db / 20.0) * (-1.0) ** np.arange(len(swell_db))
    gains = gain_db(key, settings(-30.0, release_ms=5.0, attack_ms=0.05), rate)
    opening = int(np.flatnonzero(swell_db >= -30.0)[0])
    assert gains[opening - 1] == pytest.approx(0.0, abs=0.1)
    assert np.diff(gains[opening // 2 :]).max() < 0.02  # 8 dB in 10 ms


@pytest.mark.parametrize("rate", [44_100, 96_000])
@pytest.mark.parametrize("range_db", [10.0, 30.0])
def test_noise_between_hits_falls_by_the_range_and_hits_keep_their_peak(rate, range_db):
    hits, floor, onsets = drums(rate)
    chosen = settings(
        -30.0, range_db, attack_ms=0.1, hold_ms=30.0, release_ms=25.0, hysteresis_db=6.0
    )
    gains = Gate(chosen, rate).gain((hits + floor)[np.newaxis])
    gated = (hits + floor) * gains
    for onset in onsets:
        before = slice(onset - rate // 50, onset)
        fall_db = 10.0 * np.log10((gated[before] ** 2).sum() / (floor[before] ** 2).sum())
        assert fall_db == pytest.approx(-range_db, abs=0.5)
        hit = slice(onset, onset + rate // 20)
        peaks = [np.abs(samples[hit]).max() for samples in (gated, hits + floor)]
        assert 20.0 * np.log10(peaks[0] / peaks[1]) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("silence", [0, 1, 30_000])
def test_a_song_that_starts_at_once_keeps_its_first_attack_whole(silence):
    key = np.concatenate([np.zeros(silence), square(-6.0, 4_410)])
    assert not gain_db(key, settings(-30.0, 80.0, attack_ms=50.0), 44_100).any()


def test_noise_in_front_of_the_music_fades_away_with_the_release():
    gains = gain_db(square(-60.0, 44_100), settings(release_ms=100.0), 44_100)
    assert gains[4_409] == pytest.approx(-40.0 * TO_63_PERCENT, rel=1e-3)


def test_a_bass_note_does_not_make_it_flutter():
    """In half a period of 30 Hz the detector falls by 14 dB: the hold bridges it."""
    time = np.arange(44_100) / 44_100
    key = 10.0 ** (-20.0 / 20.0) * np.sin(2 * np.pi * 30.0 * time)
    gains = gain_db(key, settings(-30.0, hold_ms=20.0), 44_100)
    assert not gains[2_000:].any()


def test_stereo_is_keyed_on_the_mean():
    rng = np.random.default_rng(2)
    hits, floor, _ = drums(44_100)
    sides = np.stack([hits + floor, 0.3 * rng.permutation(floor)])
    gains = Gate(settings(), 44_100).gain(sides.mean(axis=0, keepdims=True))
    np.testing.assert_array_equal(Gate(settings(), 44_100).process(sides), sides * gains)


def test_samples_of_any_size_give_finite_gains():
    key = np.array([[0.0, 1e-300, -1e-30, 5e-324, 1e6, -1e30, 0.0, 1.0]])
    assert np.isfinite(Gate(settings(-80.0, 80.0), 44_100).process(key)).all()
    silent = Gate(settings(), 44_100)
    silent.process(np.ones((1, 100)))
    assert not silent.process(np.zeros((1, 200_000))).any()
    assert np.isfinite(silent.gain(np.zeros((1, 10)))).all()
