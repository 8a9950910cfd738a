"""What the sound of a track says about its role."""

from collections import Counter
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from automix.analysis.role_features import RoleMeter, guess_role, measure_role_features
from automix.audio.samples import Audio
from automix.demo import synthesize_demo
from automix.files.reading import open_audio
from automix.plan.roles import ROLE_FAMILIES
from automix.session.roles.recognition import read_role

AUDIO = Path(__file__).parents[3] / "shared" / "audio"
RATE = 44100
SECONDS = 8.0
TIME = np.arange(round(SECONDS * RATE)) / RATE


def hits(decay_s, interval_s=0.5):
    return np.exp(-(TIME % interval_s) / decay_s)


def noise():
    return np.random.default_rng(1).standard_normal(TIME.size)


def band(samples, low_hz, high_hz):
    sections = signal.butter(4, (low_hz, high_hz), "bandpass", fs=RATE, output="sos")
    return signal.sosfilt(sections, samples)


def bass_line():
    notes_hz = np.repeat([55.0, 65.4, 73.4, 49.0], TIME.size // 4)
    phase = 2 * np.pi * np.cumsum(notes_hz) / RATE
    return np.sin(phase) + 0.4 * np.sin(2 * phase)


def kick():
    return np.sin(2 * np.pi * 55 * (TIME % 0.5)) * hits(0.05)


def hats():
    return band(noise(), 7000, 15000) * hits(0.015, 0.25)


def singing():
    """A gliding harmonic tone with a sibilant every second."""
    pitch_hz = 220 * 2 ** (np.sin(2 * np.pi * 0.3 * TIME) / 4)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE
    tone = sum(np.sin(k * phase) / k**1.5 for k in range(1, 9))
    hiss = (TIME % 1.0 > 0.85).astype(float)
    return tone * (1 - hiss) + 0.3 * band(noise(), 5000, 10000) * hiss


def chords():
    return sum(np.sin(2 * np.pi * hz * TIME) for hz in (220, 277.2, 329.6, 415.3, 493.9))


SOUNDS = {
    "kick": (kick, "kick"),
    "bass line": (bass_line, "bass"),
    "hats": (hats, "hats"),
    "kick and hats": (lambda: kick() + 0.7 * hats(), "drums"),
    "snare": (lambda: band(noise(), 500, 6000) * hits(0.03), "percussion"),
    "chords": (chords, "other"),
    "singing": (singing, "lead vocal"),
    "steady noise": (lambda: band(noise(), 500, 4000), "other"),
}


def sound(name):
    samples = SOUNDS[name][0]()
    return (0.3 * samples / np.abs(samples).max()).astype(np.float32)


@pytest.mark.parametrize("name", SOUNDS)
def test_constructed_sounds(name):
    features = measure_role_features(Audio(sound(name), RATE))
    assert guess_role(features)[0] == SOUNDS[name][1], features


@pytest.mark.parametrize("gain", [0.003, 3.0])
def test_the_level_does_not_matter(gain):
    loud, soft = (
        measure_role_features(Audio(factor * sound("singing"), RATE)) for factor in (1.0, gain)
    )
    assert np.hstack(astuple(soft)) == pytest.approx(np.hstack(astuple(loud)), abs=1e-3)


def test_the_division_into_blocks_does_not_matter():
    samples = np.stack([sound("kick and hats"), sound("singing")])
    whole = measure_role_features(Audio(samples, RATE))
    meter = RoleMeter(RATE)
    for block in np.split(samples, [1, 500, 501, 70_000, 200_001], axis=1):
        meter.add(block)
    assert np.hstack(astuple(meter.result())) == pytest.approx(np.hstack(astuple(whole)), abs=1e-6)


@pytest.mark.parametrize("rate", [16000, 22050, 48000, 96000])
@pytest.mark.parametrize("name", ["kick", "bass line", "singing", "chords"])
def test_the_sample_rate_does_not_matter(name, rate):
    resampled = signal.resample(sound(name), round(SECONDS * rate)).astype(np.float32)
    features = measure_role_features(Audio(resampled, rate))
    assert guess_role(features)[0] == SOUNDS[name][1]


def test_the_clarity_of_a_tone_and_of_noise():
    tone = measure_role_features(Audio(np.sin(2 * np.pi * 200 * TIME).astype(np.float32), RATE))
    assert tone.clarity > 0.97
    hiss = measure_role_features(Audio(0.1 * noise().astype(np.float32), RATE))
    assert hiss.clarity < 0.4
    # White noise: the energy of an octave doubles from one to the next.
    ratios = np.divide(hiss.band_shares[1:7], hiss.band_shares[:6])
    assert ratios == pytest.approx(2.0, rel=0.1)


def test_a_tenth_of_activity():
    samples = sound("chords") * (TIME < SECONDS / 10)
    features = measure_role_features(Audio(samples, RATE))
    assert features.activity == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("frames", [0, 10, RATE])
def test_silence_claims_nothing(frames):
    features = measure_role_features(Audio(np.zeros((2, frames), np.float32), RATE))
    assert features.activity == 0
    assert guess_role(features) == ("other", 0.0)


def judged(tracks):
    """Counts of (true role, guessed role), and the share of right ones among what was claimed."""
    table = Counter()
    for name, audio in tracks:
        guess, _ = guess_role(measure_role_features(audio))
        table[read_role(name).role, guess] += 1
    for (truth, guess), count in sorted(table.items()):
        print(f"{truth:16} -> {guess:12} {count}")
    claims = Counter()
    for (truth, guess), count in table.items():
        if guess != "other":
            same = (
                truth == guess
                if guess == "lead vocal"
                else ROLE_FAMILIES[truth] == ROLE_FAMILIES[guess]
            )
            claims[same] += count
    return table, claims[True] / claims.total()


@pytest.mark.slow
def test_the_demo_song():
    # A seed that no threshold was set on.
    table, right = judged(synthesize_demo(7).tracks.items())
    assert right >= 0.8
    assert table["kick", "kick"] == table["bass", "bass"] == table["lead vocal", "lead vocal"] == 1
    drums = [count for (truth, guess), count in table.items() if ROLE_FAMILIES[truth] == "drums"]
    found = [
        count
        for (truth, guess), count in table.items()
        if ROLE_FAMILIES[truth] == ROLE_FAMILIES[guess] == "drums"
    ]
    assert sum(found) >= sum(drums) - 1


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not AUDIO.is_dir(), reason="needs the real multitracks")
def test_real_stems():
    files = [path for path in sorted(AUDIO.glob("*/*")) if path.suffix in (".ogg", ".mp3")]
    table, right = judged((path.stem, open_audio(path).source) for path in files)
    assert right >= 0.8
    assert sum(count for (truth, _), count in table.items() if truth == "kick") == 3
    assert table["kick", "kick"] == 3
    assert table["bass", "bass"] == 1
    assert table["lead vocal", "lead vocal"] == 3
    percussive = {role: n for (role, guess), n in table.items() if guess == "other"}
    assert not [role for role in percussive if ROLE_FAMILIES[role] in ("drums", "bass")]
