"""The composition: key, range, form, and how the parts relate."""

import numpy as np
import pytest

from automix.demo.compose import compose
from automix.sound.drums import PIECES
from automix.sound.harmony import build_chord
from automix.sound.instruments import SOUNDS
from automix.sound.melody import spell
from automix.sound.phonemes import CONSONANTS, SIBILANTS, VOWELS
from automix.sound.score import MAJOR_SCALE, Note

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_is_in_key_and_in_range(seed: int) -> None:
    score = compose(seed)
    scale = {(score.tonic + step) % 12 for step in MAJOR_SCALE}
    ranges = {"lead": (57, 76), "high": (57, 84), "low": (48, 76)}
    for name, syllables in score.voices.items():
        for syllable in syllables:
            assert syllable.note.pitch % 12 in scale
            assert ranges[name][0] <= syllable.note.pitch <= ranges[name][1]
    assert all(note.pitch % 12 in scale for part in score.parts.values() for note in part)
    assert all(28 <= note.pitch <= 52 for note in score.parts["bass"])
    assert score.voices["lead"][-1].note.pitch % 12 == score.tonic


@pytest.mark.parametrize("seed", SEEDS)
def test_times_and_velocities(seed: int) -> None:
    score = compose(seed)
    assert score.duration_s == pytest.approx(30.0)
    notes = [note for part in score.parts.values() for note in part]
    notes += [syllable.note for voice in score.voices.values() for syllable in voice]
    for event in (*notes, *score.drums):
        assert 0.0 <= event.start_s < 30.0
        assert 0.0 < event.velocity <= 1.0
    assert {hit.piece for hit in score.drums} == set(PIECES)
    for voice in score.voices.values():
        for before, after in zip(voice, voice[1:], strict=False):
            assert before.note.start_s < after.note.start_s
            assert before.note.start_s + before.note.duration_s < after.note.start_s + 0.1
            assert set(before.vowel) <= set(VOWELS)
            assert set(before.onset + before.coda) <= set(CONSONANTS)
    sung = [name for s in score.voices["lead"] for name in s.onset + s.coda]
    assert sum(name in SIBILANTS for name in sung) >= 12


def test_drummer_is_close_to_the_grid_but_not_on_it() -> None:
    score = compose(0)
    times = np.array([hit.start_s for hit in score.drums])
    off_s = times - np.round(times / 0.15) * 0.15
    assert np.abs(off_s).max() < 0.02
    assert 0.001 < off_s.std() < 0.006


@pytest.mark.parametrize("seed", SEEDS)
def test_bass_follows_the_kick(seed: int) -> None:
    score = compose(seed)
    bass = np.array([note.start_s for note in score.parts["bass"]])
    for hit in score.drums:
        if hit.piece == "kick":
            assert np.abs(bass - hit.start_s).min() < 0.04


def test_keys_lead_their_voices() -> None:
    """No voice leaps from chord to chord: the top note moves by a fourth at most."""
    for seed in SEEDS:
        notes = compose(seed).parts["keys"]
        chords = [sorted(note.pitch for note in notes[i : i + 3]) for i in range(0, len(notes), 3)]
        for before, after in zip(chords, chords[1:], strict=False):
            assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= 5


def test_seeds_differ_and_tempo_scales() -> None:
    assert len({tuple(s.note.pitch for s in compose(n).voices["lead"]) for n in SEEDS}) == 12
    assert len({compose(n).tonic for n in SEEDS}) >= 4
    fast = compose(0, tempo_bpm=125.0)
    assert fast.duration_s == pytest.approx(24.0)
    assert [s.note.pitch for s in fast.voices["lead"]] == [
        s.note.pitch for s in compose(0).voices["lead"]
    ]


def test_triads_of_c_major() -> None:
    assert build_chord(0, "major", 0, seventh=False, dominant=False) == (0, 4, 7)
    assert build_chord(0, "major", 1, seventh=False, dominant=False) == (2, 5, 9)
    assert build_chord(0, "major", 4, seventh=False, dominant=False) == (7, 11, 2)
    assert build_chord(9, "major", 5, seventh=False, dominant=False) == (
        6,
        9,
        1,
    )  # F sharp minor in A major


def test_spelling() -> None:
    note = Note(start_s=1.0, duration_s=0.5, pitch=60, velocity=0.5)
    syllable = spell("S-T-EY-S", note)
    assert (syllable.onset, syllable.vowel, syllable.coda) == (("S", "T"), ("EH", "IY"), ("S",))
    assert spell("AH", note).onset == ()


def test_instruments_for_every_part_exist() -> None:
    assert set(SOUNDS) >= {"bass", "guitar", "muted guitar", "electric piano", "pad"}
