"""Files that are late against all others, and songs in which none is."""

from pathlib import Path

import numpy as np
import pytest

from automix.analysis.fine_powers import FinePowers
from automix.analysis.late_files import find_late_files
from automix.audio.samples import Audio
from automix.files.info import ReadOptions
from automix.session.song_folder import find_song_files, open_song
from tests.analysis.microphones import play_kit

AUDIO = Path(__file__).parents[3] / "shared" / "audio"
RATE = 22_050


def band(seed, seconds=24.0):
    """Four tracks that play the same irregular rhythm, each some of it, at loose times."""
    rng = np.random.default_rng(seed)
    beats = np.cumsum(rng.choice([0.2, 0.3, 0.35, 0.5, 0.7], 200))
    beats = beats[beats < seconds - 1.0]
    tracks = {}
    for name in ("drums", "bass", "guitar", "keys"):
        signal = 0.001 * rng.standard_normal(round(seconds * RATE))
        for beat in beats[rng.random(len(beats)) < 0.75]:
            start = round((beat + rng.normal(0.0, 0.008)) * RATE)
            length = round(0.15 * RATE)
            decay = np.exp(-np.arange(length) / (0.04 * RATE))
            signal[start : start + length] += rng.uniform(0.3, 1.0) * (
                decay * rng.standard_normal(length)
            )
        tracks[name] = signal
    return tracks


def sources_of(tracks):
    return {n: Audio(s[None].astype(np.float32), RATE) for n, s in tracks.items()}


def moved(signal, seconds):
    frames = round(abs(seconds) * RATE)
    if seconds > 0:
        return np.concatenate([np.zeros(frames), signal])[: len(signal)]
    return np.concatenate([signal[frames:], np.zeros(frames)])


@pytest.mark.parametrize("late_s", [0.12, 0.9, -0.3, -1.7])
@pytest.mark.parametrize("name", ["drums", "keys"])
def test_a_late_or_early_file_is_found_with_its_time(name, late_s):
    tracks = band(1)
    assert find_late_files(sources_of(tracks)) == {}
    tracks[name] = moved(tracks[name], late_s)
    found = find_late_files(sources_of(tracks))
    assert list(found) == [name]
    assert found[name].late_s == pytest.approx(late_s, abs=0.021)


def test_what_is_late_by_less_than_50_ms_is_playing():
    tracks = band(2)
    tracks["bass"] = moved(tracks["bass"], 0.03)
    assert find_late_files(sources_of(tracks)) == {}


def test_an_off_beat_is_meant():
    rng = np.random.default_rng(3)
    pieces = play_kit(rng, RATE, 20.0)
    tracks = {name: pieces[name] for name in ("kick", "snare")}
    tracks["chord"] = moved(pieces["kick"] + pieces["snare"], 0.25)  # half a beat
    assert find_late_files(sources_of(tracks)) == {}


def test_of_two_tracks_and_of_silence_nothing_is_said():
    tracks = band(4)
    two = {"drums": tracks["drums"], "bass": moved(tracks["bass"], 0.5)}
    assert find_late_files(sources_of(two)) == {}
    for frames in (1, 300, 10_000):
        silent = {name: np.zeros(frames) for name in "abc"}
        assert find_late_files(sources_of(silent)) == {}


def test_fine_powers_do_not_depend_on_the_blocks():
    samples = np.random.default_rng(5).standard_normal((2, 10_000)).astype(np.float32)
    whole, parts = FinePowers(RATE), FinePowers(RATE)
    whole.add(samples)
    for part in np.split(samples, [7, 219, 221, 5_000], axis=1):
        parts.add(part)
    np.testing.assert_allclose(parts.finish(), whole.finish(), rtol=1e-6)
    hops = np.square(samples[:, :9_900], dtype=np.float64).sum(axis=0).reshape(-1, 220)
    np.testing.assert_allclose(whole.finish(), hops.sum(axis=1), rtol=1e-5)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not AUDIO.exists(), reason="needs the shared audio")
@pytest.mark.parametrize("song", ["caesium", "francium", "potassium", "mdn-funk"])
def test_no_file_of_a_finished_song_is_late(song):
    files, notes = find_song_files((AUDIO / song,), recursive=False, mutes={})
    session = open_song(files, ReadOptions(), notes, {}).audible
    assert find_late_files({track.name: track.source for track in session.tracks}) == {}
