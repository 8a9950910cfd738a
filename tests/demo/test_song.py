"""What the demo song promises: format, levels, tempo, dynamics, pitch and words of the voice."""

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy import signal

from automix.audio.samples import Audio
from automix.demo import DemoSong, synthesize_demo
from automix.demo.compose import compose
from automix.sound.phonemes import PHONEMES
from automix.sound.score import Score, Syllable
from tests.demo.songs import demo_song

RATE = 44100
REAL_VOCAL = Path(__file__).parents[2].parent / "shared" / "audio" / "francium" / "vox_lead.ogg"


@pytest.fixture(scope="module")
def song() -> DemoSong:
    return demo_song(0)


@pytest.fixture(scope="module")
def other() -> DemoSong:
    return demo_song(1)


@pytest.fixture(scope="module")
def low() -> DemoSong:
    """At a low rate, to be quick."""
    return synthesize_demo(0, 8000)


@pytest.fixture(scope="module")
def score() -> Score:
    return compose(0)


def peak_dbfs(audio: Audio) -> float:
    return 20.0 * float(np.log10(np.abs(audio.samples).max()))


def loudness_lufs(audio: Audio) -> float:
    return float(pyloudnorm.Meter(audio.sample_rate).integrated_loudness(audio.samples.T))


def octave_levels_db(samples: np.ndarray, rate: int) -> np.ndarray:
    """Long-term spectrum in the octaves 125 Hz … 8 kHz, relative to their sum."""
    f, power = signal.welch(samples, rate, nperseg=8192)
    centers = 125.0 * 2.0 ** np.arange(7)
    bands = np.array([power[(f > c / 2**0.5) & (f < c * 2**0.5)].sum() for c in centers])
    return 10.0 * np.log10(bands / bands.sum())


def at(audio: Audio, start_s: float, end_s: float) -> np.ndarray:
    return audio.samples[0, round(start_s * audio.sample_rate) : round(end_s * audio.sample_rate)]


def test_format(song: DemoSong) -> None:
    assert song.tempo_bpm == 100.0
    assert (song.vocal.channels, song.vocal.frames) == (1, 30 * RATE)
    assert (song.beat.channels, song.beat.frames) == (2, 30 * RATE)
    assert {"kick", "snare", "hats", "overheads", "bass", "guitar left", "guitar right"} < set(
        song.tracks
    )
    assert {"keys", "pad", "lead vocal", "backing vocal"} < set(song.tracks)
    assert [name for name, track in song.tracks.items() if track.channels == 2] == ["overheads"]
    shorter = [name for name, track in song.tracks.items() if track.frames < 30 * RATE]
    assert shorter == ["backing vocal"]
    assert all(track.sample_rate == RATE for track in song.tracks.values())


def test_overheads_and_beat_are_not_mono(song: DemoSong) -> None:
    for audio in (song.tracks["overheads"], song.beat):
        left, right = audio.samples
        assert np.mean((left - right) ** 2) > 0.05 * np.mean((left + right) ** 2)


@pytest.mark.parametrize("name", ["song", pytest.param("other", marks=pytest.mark.slow)])
def test_levels(name: str, request: pytest.FixtureRequest) -> None:
    song: DemoSong = request.getfixturevalue(name)
    assert peak_dbfs(song.beat) == pytest.approx(-3.0, abs=0.1)
    assert -16.0 < loudness_lufs(song.beat) < -14.0
    loudness = [loudness_lufs(track) for track in song.tracks.values()]
    assert max(loudness) - min(loudness) > 12.0
    assert min(loudness) > -50.0
    assert all(peak_dbfs(track) < -0.99 for track in song.tracks.values())
    assert abs(np.mean(song.beat.samples)) < 1e-4


def test_same_seed_gives_the_same_samples(low: DemoSong) -> None:
    song, again = low, synthesize_demo(0, 8000)
    assert np.array_equal(again.vocal.samples, song.vocal.samples)
    assert np.array_equal(again.beat.samples, song.beat.samples)
    for name, track in song.tracks.items():
        assert np.array_equal(again.tracks[name].samples, track.samples)


def test_another_seed_gives_another_song(low: DemoSong) -> None:
    song, other = low, synthesize_demo(1, 8000)
    for name, track in song.tracks.items():
        a, b = track.samples.ravel(), other.tracks[name].samples.ravel()
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.5
    gains = {name: loudness_lufs(track) for name, track in song.tracks.items()}
    assert max(abs(gains[n] - loudness_lufs(t)) for n, t in other.tracks.items()) > 6.0


def test_beat_keeps_its_tempo(song: DemoSong) -> None:
    hop = 441
    _, _, spectrum = signal.stft(song.beat.samples.mean(axis=0), RATE, nperseg=1024, noverlap=583)
    flux = np.maximum(np.diff(np.log(np.abs(spectrum) + 1e-4), axis=1), 0.0).sum(axis=0)
    flux -= flux.mean()
    correlation = signal.correlate(flux, flux, "full", "fft")[flux.size - 1 :]
    # The beat is the strongest period between 70 and 140 BPM, and still there 16 beats later.
    beat = 60.0 * RATE / hop / 100.0
    lags = np.arange(round(0.71 * beat), round(1.43 * beat))
    assert abs(lags[np.argmax(correlation[lags])] - beat) <= 1
    far = np.arange(round(15.7 * beat), round(16.3 * beat))
    assert abs(far[np.argmax(correlation[far])] - 16 * beat) <= 2


def test_chorus_is_louder_than_verse(song: DemoSong) -> None:
    verse = song.beat.samples[:, : round(9.6 * RATE)]
    chorus = song.beat.samples[:, round(14.4 * RATE) : round(24.0 * RATE)]
    assert 1.5 < 10.0 * np.log10(np.mean(chorus**2) / np.mean(verse**2)) < 9.0


@pytest.mark.parametrize("name", ["song", pytest.param("other", marks=pytest.mark.slow)])
def test_dry_vocal_has_wide_dynamics(name: str, request: pytest.FixtureRequest) -> None:
    """EBU Tech 3342 gating and percentiles over 100 ms blocks, as in the compression rule."""
    vocal: Audio = request.getfixturevalue(name).vocal
    weighted = vocal.samples[0].astype(np.float64)
    for stage in pyloudnorm.Meter(RATE)._filters.values():
        weighted = signal.lfilter(stage.b, stage.a, weighted)
    levels = -0.691 + 10.0 * np.log10(
        np.mean(weighted.reshape(-1, RATE // 10) ** 2, axis=1) + 1e-12
    )
    levels = levels[levels > -70.0]
    levels = levels[levels > 10.0 * np.log10(np.mean(10.0 ** (levels / 10.0))) - 20.0]
    assert 14.0 < np.percentile(levels, 95) - np.percentile(levels, 10) < 20.0


def test_singer_breathes(song: DemoSong) -> None:
    blocks = song.vocal.samples[0].reshape(-1, RATE // 20)
    quiet = np.abs(blocks).max(axis=1) < 0.02
    edges = np.flatnonzero(np.diff(quiet.astype(int), prepend=0, append=0))
    assert np.sum(edges[1::2] - edges[::2] >= 8) >= 5  # rests of 0.4 s and more


def long_notes(score: Score) -> list[Syllable]:
    return [s for s in score.voices["lead"] if s.note.duration_s > 0.5 and len(s.coda) < 2]


def test_lead_voice_sings_the_written_pitches(song: DemoSong, score: Score) -> None:
    errors_cents = []
    for syllable in long_notes(score):
        note = syllable.note
        start_s = note.start_s + 0.15
        sung = at(song.vocal, start_s, start_s + 0.25).astype(np.float64)
        size = 1 << 18
        power = np.abs(np.fft.rfft(sung * np.hanning(sung.size), size)) ** 2
        f = np.fft.rfftfreq(size, 1.0 / RATE)
        expected = 440.0 * 2.0 ** ((note.pitch - 69) / 12.0)
        near = np.flatnonzero(np.abs(np.log2(f[1:] / expected)) < 0.25) + 1
        errors_cents.append(1200.0 * np.log2(f[near[np.argmax(power[near])]] / expected))
    assert len(errors_cents) >= 12
    assert np.max(np.abs(errors_cents)) < 45.0  # vibrato is ±35
    assert abs(np.mean(errors_cents)) < 12.0


def test_sibilants_stand_out_above_5_khz(song: DemoSong, score: Score) -> None:
    def power_above(samples: np.ndarray, corner_hz: float) -> float:
        power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
        return float(power[np.fft.rfftfreq(samples.size, 1.0 / RATE) > corner_hz].mean())

    hissed = {"S": 0, "SH": 0}
    for syllable in score.voices["lead"]:
        note = syllable.note
        if syllable.onset in (("S",), ("SH",)):
            name = syllable.onset[0]
            length_s = PHONEMES[name].duration_s
            hiss = at(song.vocal, note.start_s - 0.75 * length_s, note.start_s - 0.25 * length_s)
            vowel = at(song.vocal, note.start_s + 0.05, note.start_s + 0.12)
            rise_db = 10.0 * np.log10(power_above(hiss, 5000.0) / power_above(vowel, 5000.0))
            assert rise_db > 12.0
            assert -25.0 < 10.0 * np.log10(np.mean(hiss**2) / np.mean(vowel**2)) < 6.0
            hissed[name] += 1
    assert min(hissed.values()) >= 3


@pytest.mark.slow
def test_character_does_not_depend_on_the_sample_rate(song: DemoSong) -> None:
    other = synthesize_demo(0, 48000)
    assert other.vocal.frames == 30 * 48000
    # The noises are drawn anew: the rooms of the beat differ a little more than the dry voice.
    for ours, theirs, tolerance_db in (
        (song.vocal, other.vocal, 0.5),
        (song.beat, other.beat, 1.5),
    ):
        a = octave_levels_db(ours.samples.mean(axis=0), RATE)
        b = octave_levels_db(theirs.samples.mean(axis=0), 48000)
        assert np.abs(a - b).max() < tolerance_db
    for name, track in song.tracks.items():
        assert loudness_lufs(other.tracks[name]) == pytest.approx(loudness_lufs(track), abs=1.5)


@pytest.mark.data
def test_vocal_has_the_spectrum_of_a_real_one(song: DemoSong) -> None:
    if not REAL_VOCAL.exists():
        pytest.skip(f"the real multitracks are not here: {REAL_VOCAL}")
    real, rate = soundfile.read(REAL_VOCAL, dtype="float32")
    ours = octave_levels_db(song.vocal.samples[0], RATE)[1:]
    assert np.abs(ours - octave_levels_db(real.mean(axis=1), rate)[1:]).max() < 10.0
