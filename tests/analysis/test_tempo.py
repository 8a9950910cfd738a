"""Tempo and onset strength against signals whose beat is known by construction."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from automix.analysis.onsets import FRAME_RATE, OnsetStrength, remove_trend
from automix.analysis.tempo import Tempo, TempoEstimator

RATE = 22_050
SONGS = Path(__file__).parents[2].parent / "shared" / "audio"


def estimate(signal, sample_rate=RATE, block=65_536) -> Tempo | None:
    estimator = TempoEstimator(sample_rate)
    for start in range(0, signal.size, block):
        estimator.add(signal[start : start + block].astype(np.float32))
    return estimator.estimate()


def place(hits, seconds, sample_rate=RATE):
    """Sum of sounds: hits are (time in s, gain, waveform)."""
    signal = np.zeros(int((seconds + 1) * sample_rate))
    for time_s, gain, wave in hits:
        start = round(time_s * sample_rate)
        if time_s < seconds:
            signal[start : start + wave.size] += gain * wave
    return signal[: int(seconds * sample_rate)]


def clicks(bpm, seconds, sample_rate=RATE):
    time_s = np.arange(sample_rate // 100) / sample_rate
    click = np.sin(2 * np.pi * 1000 * time_s) * np.exp(-time_s / 0.002)
    count = int(seconds * bpm / 60) + 1
    return place([(beat * 60 / bpm, 0.5, click) for beat in range(count)], seconds, sample_rate)


def drums(bpm, bar_beats, voices, seconds=24.0, seed=0):
    """A bar of kick, snare and hat repeated; voices map a name to positions in beats."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(0.25 * RATE)) / RATE
    noise = rng.standard_normal(time_s.size)
    sounds = {
        "kick": np.sin(2 * np.pi * 55 * time_s) * np.exp(-time_s / 0.08),
        "snare": 0.4 * noise * np.exp(-time_s / 0.06),
        "hat": 0.15 * np.diff(noise, append=0.0) * np.exp(-time_s / 0.02),
    }
    bars = int(seconds * bpm / 60 / bar_beats) + 1
    hits = [
        ((bar * bar_beats + position) * 60 / bpm, 1.0, sounds[name])
        for bar in range(bars)
        for name, positions in voices.items()
        for position in positions
    ]
    signal = place(hits, seconds)
    # A drummer's room: noise 20 dB below the drums.
    return 0.3 * (signal + 0.1 * np.std(signal) * rng.standard_normal(signal.size))


EIGHTHS = tuple(np.arange(8) / 2)
ROCK = {"kick": (0, 2, 2.5), "snare": (1, 3), "hat": EIGHTHS}


@pytest.mark.parametrize("bpm", [60, 67, 70, 83.3, 97, 110, 128, 145, 163.7, 180, 200])
def test_click_track_without_octave_error_and_within_a_thousandth(bpm):
    tempo = estimate(clicks(bpm, 20.0))
    assert tempo is not None
    assert tempo.bpm == pytest.approx(bpm, rel=1e-3)
    assert tempo.confidence > 0.7


@pytest.mark.parametrize("bpm", [75, 120, 170])
def test_five_seconds_of_clicks_are_enough(bpm):
    tempo = estimate(clicks(bpm, 5.0))
    assert tempo is not None
    assert tempo.bpm == pytest.approx(bpm, rel=5e-3)


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 44_100, 48_000, 96_000, 192_000])
def test_any_sample_rate(sample_rate):
    tempo = estimate(clicks(103.0, 12.0, sample_rate), sample_rate)
    assert tempo is not None
    assert tempo.bpm == pytest.approx(103.0, rel=1e-3)


@pytest.mark.parametrize(
    ("bpm", "bar_beats", "voices"),
    [
        (96, 4, ROCK),
        (132, 4, ROCK),
        (124, 4, {"kick": (0, 1, 2, 3), "hat": (0.5, 1.5, 2.5, 3.5)}),
        (
            104,
            4,
            {"kick": (0, 2), "snare": (1, 3), "hat": (0, 2 / 3, 1, 5 / 3, 2, 8 / 3, 3, 11 / 3)},
        ),
        (140, 4, {"kick": (0, 2.5), "snare": (2,), "hat": EIGHTHS}),
        (112, 3, {"kick": (0,), "snare": (1, 2), "hat": EIGHTHS[:6]}),
        (90, 2, {"kick": (0,), "snare": (1,), "hat": tuple(np.arange(6) / 3)}),
        (110, 4, {"kick": (0, 1, 2, 3), "snare": (0.75, 1.5, 2.75, 3.5), "hat": EIGHTHS}),
        (100, 3, {"kick": (0,), "snare": (1, 2), "hat": (0, 0.75, 1.5, 2.25)}),
        (120, 3, {"kick": (0, 1, 2), "hat": (0, 0.75, 1.5, 2.25)}),
    ],
    ids=[
        "rock",
        "rock-fast",
        "house",
        "shuffle",
        "half-time",
        "waltz",
        "six-eight",
        "tresillo",
        "four-over-three",
        "four-over-three-kick",
    ],
)
def test_drum_patterns(bpm, bar_beats, voices):
    tempo = estimate(drums(bpm, bar_beats, voices))
    assert tempo is not None
    assert tempo.bpm == pytest.approx(bpm, rel=2e-3)


def test_result_depends_on_neither_block_size_nor_level():
    signal = drums(118.0, 4, ROCK)
    whole = estimate(signal)
    assert whole is not None
    for other in (estimate(signal, block=777), estimate(1e-3 * signal)):
        assert other is not None
        assert other.bpm == pytest.approx(whole.bpm, rel=1e-5)
        assert other.confidence == pytest.approx(whole.confidence, abs=1e-4)


def test_same_input_gives_the_same_result():
    signal = drums(118.0, 4, ROCK)
    assert estimate(signal) == estimate(signal)


def test_confidence_falls_with_the_looseness_of_the_playing():
    rng = np.random.default_rng(5)
    click = np.hanning(200)
    confidences = []
    for deviation_s in (0.0, 0.01, 0.02):
        times = np.arange(1, 60) * 0.5 + deviation_s * rng.standard_normal(59)
        tempo = estimate(place([(time_s, 0.5, click) for time_s in times], 30.0))
        assert tempo is not None
        confidences.append(tempo.confidence)
    assert confidences[0] > confidences[1] + 0.1 > confidences[2] + 0.2


def pad(seconds):
    """A sustained chord of slightly detuned partials, which beat against each other."""
    rng = np.random.default_rng(2)
    time_s = np.arange(int(seconds * RATE)) / RATE
    frequencies = [(f + d) * h for f in (220, 277.2, 329.6) for d in (0, 0.4) for h in range(1, 7)]
    phases = rng.uniform(0, 2 * np.pi, len(frequencies))
    partials = (
        np.sin(2 * np.pi * f * time_s + p) for f, p in zip(frequencies, phases, strict=True)
    )
    return 0.02 * sum(partials)


NO_BEAT = {
    "nothing": np.zeros(0),
    "silence": np.zeros(10 * RATE),
    "too short": clicks(120, 3.5),
    "noise": 0.1 * np.random.default_rng(0).standard_normal(20 * RATE),
    "short noise": 0.1 * np.random.default_rng(1).standard_normal(5 * RATE),
    "tone": 0.5 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE),
    "pad": pad(20.0),
    "random clicks": place(
        [(t, 0.5, np.hanning(100)) for t in np.random.default_rng(3).uniform(0, 60, 120)], 60.0
    ),
}


@pytest.mark.parametrize("name", NO_BEAT)
def test_no_beat_no_tempo(name):
    assert estimate(NO_BEAT[name]) is None


def test_estimate_can_be_asked_again_after_more_audio():
    signal = clicks(100, 12.0).astype(np.float32)
    estimator = TempoEstimator(RATE)
    estimator.add(signal[: 2 * RATE])
    assert estimator.estimate() is None
    estimator.add(signal[2 * RATE :])
    tempo, expected = estimator.estimate(), estimate(signal)
    assert tempo is not None
    assert expected is not None
    assert tempo.bpm == pytest.approx(expected.bpm, rel=1e-6)


def test_onset_strength_is_the_rise_in_db():
    """White noise that grows by 20 dB at 2 s: every band rises by about 20 dB, once."""
    noise = np.random.default_rng(4).standard_normal(4 * RATE).astype(np.float32)
    noise[: 2 * RATE] *= 0.1
    onsets = OnsetStrength(RATE)
    onsets.add(noise)
    strength_db = onsets.strength_db()
    peak = int(np.argmax(strength_db))
    # 20 ms see most of the step: the window needs 32 ms to pass it.
    assert 15.0 < strength_db[peak] < 25.0
    assert peak / FRAME_RATE == pytest.approx(2.0, abs=0.04)
    assert np.delete(strength_db, np.s_[peak - 5 : peak + 6]).max() < 0.4 * strength_db[peak]


def test_a_constant_has_no_trend_left():
    np.testing.assert_allclose(remove_trend(np.full(350, 7.0, dtype=np.float32)), 0.0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("lead_vocal", [False, True], ids=["backing", "mix"])
@pytest.mark.parametrize(("song", "bpm"), [("francium", 128), ("potassium", 90), ("caesium", 130)])
def test_real_songs_have_the_tempo_the_artist_states(song, bpm, lead_vocal):
    folder = SONGS / song
    if not folder.is_dir():
        pytest.skip(f"no multitracks at {folder}")
    mix = np.zeros(60 * 48_000, dtype=np.float32)
    for path in sorted(folder.glob("*.ogg")):
        if lead_vocal or path.stem != "vox_lead":
            stem, sample_rate = soundfile.read(path, mix.size, 60 * 48_000, dtype="float32")
            assert sample_rate == 48_000
            mix[: len(stem)] += stem.mean(axis=1)
    tempo = estimate(mix, 48_000)
    assert tempo is not None
    assert tempo.bpm == pytest.approx(bpm, rel=2e-3)
