"""Single sounds: pitch, spectrum, decay, and the effect of velocity, duration and chance."""

import numpy as np
import pytest

from automix.sound.drums import PIECES
from automix.sound.filters import (
    band_pass,
    choose_fft_size,
    fade_ends,
    filter_signal,
    high_pass,
    low_pass,
    peak,
)
from automix.sound.instruments import RELEASE_S, SOUNDS, guitar
from automix.sound.melody import spell
from automix.sound.score import Note, pitch_to_hz
from automix.sound.voice import Singer, sing


def rng(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def power_spectrum(sound: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    size = 1 << 19
    power = np.abs(np.fft.rfft(sound * np.hanning(sound.size), size)) ** 2
    return np.fft.rfftfreq(size, 1.0 / rate), power


def centroid_hz(sound: np.ndarray, rate: int) -> float:
    f, power = power_spectrum(sound, rate)
    return float((f * power).sum() / power.sum())


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("pitch", [31, 45, 60, 72])
# An organ has drawbars below and between the harmonics, and a sub bass falls to its note.
@pytest.mark.parametrize("name", sorted(set(SOUNDS) - {"organ", "sub"}))
def test_instruments_are_in_tune(name: str, pitch: int, rate: int) -> None:
    sound = SOUNDS[name](pitch, 0.8, 1.5, rng(), rate)
    f, power = power_spectrum(sound, rate)
    expected = pitch_to_hz(pitch)
    near = np.flatnonzero(np.abs(np.log2(f[1:] / expected)) < 0.05) + 1
    cents = 1200.0 * np.log2(f[near[np.argmax(power[near])]] / expected)
    assert abs(cents) < (8.0 if name in ("pad", "saw") else 3.0)  # these are detuned on purpose
    # What sounds is a harmonic series: little lies between the partials.
    off_harmonic = np.abs(f / expected - np.round(f / expected))
    audible = f > 0.5 * expected
    assert power[audible & (off_harmonic > 0.3)].sum() < 0.03 * power[audible].sum()


# A piano grows more than in proportion to the velocity, and a sub bass has nothing to draw.
@pytest.mark.parametrize("name", sorted(set(SOUNDS) - {"piano", "sub"}))
def test_instruments_obey_velocity_duration_and_chance(name: str) -> None:
    play = SOUNDS[name]
    soft, loud = (play(52, velocity, 0.5, rng(), 44100) for velocity in (0.3, 0.9))
    assert np.abs(loud).max() == pytest.approx(3.0 * np.abs(soft).max(), rel=0.35)
    assert np.abs(loud).max() < 1.5
    assert play(52, 0.5, 1.0, rng(), 44100).size == pytest.approx(loud.size + 22050, abs=1)
    assert np.array_equal(play(52, 0.3, 0.5, rng(), 44100), soft)
    assert not np.array_equal(play(52, 0.3, 0.5, rng(4), 44100), soft)
    assert abs(loud[0]) < 0.02
    assert np.abs(loud[-20:]).max() < 1e-3


def test_harder_plucks_are_brighter_and_strings_decay() -> None:
    soft, loud = (guitar(52, velocity, 2.0, rng(), 44100) for velocity in (0.2, 1.0))
    assert centroid_hz(loud, 44100) > 1.1 * centroid_hz(soft, 44100)
    early, late = loud[:22050], loud[-round((RELEASE_S + 0.5) * 44100) :][:22050]
    assert 6.0 < 10.0 * np.log10(np.mean(early**2) / np.mean(late**2)) < 40.0
    assert centroid_hz(late, 44100) < centroid_hz(early, 44100)


@pytest.mark.parametrize(
    ("piece", "low_hz", "high_hz"),
    [
        ("kick", 40, 300),
        ("snare", 400, 5000),
        ("closed hat", 6000, 12000),
        ("open hat", 6000, 12000),
        ("crash", 3000, 10000),
        ("high tom", 120, 300),
        ("low tom", 70, 220),
    ],
)
def test_drums(piece: str, low_hz: float, high_hz: float) -> None:
    for rate in (44100, 48000):
        sound = PIECES[piece](0.8, rng(), rate)
        assert low_hz < centroid_hz(sound, rate) < high_hz
        assert np.argmax(np.abs(sound)) < 0.03 * rate
        assert np.abs(sound[-rate // 200 :]).max() < 0.01 * np.abs(sound).max()
        softer = PIECES[piece](0.4, rng(), rate)
        assert 4.0 < 20.0 * np.log10(np.abs(sound).max() / np.abs(softer).max()) < 12.0


def test_open_hat_rings_longer_than_closed() -> None:
    def ringing_s(piece: str) -> float:
        sound = PIECES[piece](0.8, rng(), 44100)
        energy = np.cumsum(sound**2)
        return float(np.searchsorted(energy, 0.95 * energy[-1]) / 44100)

    assert ringing_s("open hat") > 2.0 * ringing_s("closed hat")


@pytest.mark.parametrize(("word", "formants_hz"), [("AA", (850, 1220)), ("IY", (310, 2790))])
def test_vowels_have_their_formants(word: str, formants_hz: tuple[float, float]) -> None:
    """At 110 Hz the partials lie close enough to show the resonances."""
    note = Note(start_s=0.1, duration_s=1.0, pitch=45, velocity=0.9)
    singer = Singer(vibrato_cents=0.0)
    sound = sing([spell(word, note)], 1.2, rng(), 44100, singer)[round(0.3 * 44100) :]
    f, power = power_spectrum(sound[: round(0.5 * 44100)], 44100)

    def level_db(frequency_hz: float) -> float:
        return float(10.0 * np.log10(power[np.abs(f - frequency_hz) < 90.0].sum()))

    between = 1900.0 if word == "AA" else 1200.0
    assert all(level_db(formant) > level_db(between) + 6.0 for formant in formants_hz)


@pytest.mark.parametrize(("name", "low_hz", "high_hz"), [("S", 5000, 13000), ("SH", 2500, 9000)])
def test_sibilants_have_their_band(name: str, low_hz: float, high_hz: float) -> None:
    note = Note(start_s=1.0, duration_s=0.5, pitch=60, velocity=0.9)
    for rate in (44100, 48000):
        sound = sing([spell(f"{name}-AA", note)], 2.0, rng(), rate, Singer())
        f, power = power_spectrum(sound[round(0.88 * rate) : round(0.96 * rate)], rate)
        assert power[(f > low_hz) & (f < high_hz)].sum() > 0.85 * power.sum()
        assert low_hz < np.average(f, weights=power) < high_hz


def test_voice_is_silent_outside_its_notes() -> None:
    note = Note(start_s=1.0, duration_s=0.5, pitch=60, velocity=1.0)
    sound = sing([spell("AA", note)], 3.0, rng(), 44100, Singer())
    assert sound.size == 3 * 44100
    assert np.abs(sound[: round(0.6 * 44100)]).max() < 1e-4
    assert np.abs(sound[2 * 44100 :]).max() < 1e-4
    assert 0.3 < np.abs(sound).max() < 2.5


def test_no_words_no_sound() -> None:
    assert not np.any(sing([], 0.5, rng(), 44100, Singer()))


@pytest.mark.parametrize("rate", [44100, 48000])
def test_filter_responses(rate: int) -> None:
    """Textbook values: −3 dB at one-pole corners, 0 dB at a resonance, the gain of a peak."""
    t = np.arange(rate) / rate
    middle = slice(rate // 4, 3 * rate // 4)
    for response, frequency_hz, expected_db in (
        (low_pass(1000.0), 1000.0, -3.01),
        (low_pass(1000.0, 2), 1000.0, -6.02),
        (high_pass(500.0), 500.0, -3.01),
        (band_pass(2000.0, 3.0), 2000.0, 0.0),
        (peak(3000.0, 6.0, 1.0), 3000.0, 6.0),
    ):
        sine = np.sin(2.0 * np.pi * frequency_hz * t)
        shaped = filter_signal(sine, rate, response)
        gain = np.std(shaped[middle]) / np.std(sine[middle])
        assert 20.0 * np.log10(gain) == pytest.approx(expected_db, abs=0.02)


def test_fades_and_sizes() -> None:
    shape = fade_ends(np.ones(1000), 1000, 0.1, 0.2)
    assert shape[0] < 0.001
    assert shape[500] == 1.0
    assert shape[50] == pytest.approx(0.5, abs=0.02)
    assert [choose_fft_size(n) for n in (1, 4, 5, 7, 9, 1024, 1025)] == [4, 4, 5, 8, 10, 1024, 1280]
