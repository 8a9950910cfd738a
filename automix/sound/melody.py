"""Sets words to music: a lead voice and two backing voices that sing the chorus with it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automix.sound.harmony import Chord
from automix.sound.phonemes import VOWELS
from automix.sound.score import MAJOR_SCALE, Note, Syllable

LOWEST, HIGHEST = 57, 76
"""Range of the lead voice as MIDI notes: A3 … E5."""

DIPHTHONGS = {"AY": ("AA", "IY"), "EY": ("EH", "IY"), "OW": ("AO", "UW"), "AW": ("AA", "UW")}

LINES = (
    # bar, first beat, center (MIDI), velocity, backing voices, words
    (0, 1.0, 63, 0.45, False, "S-L-OW L-IY DH-AH S-IH T-IY S-L-IY-P-S"),
    (2, 1.0, 64, 0.50, False, "SH-IY S-IH-NG Z-AW-T T-UW DH-AH S-IY"),
    (4, 0.5, 66, 0.62, False, "S-OW S-EY DH-AH S-T-AA-R W-IH-L SH-AY-N AH G-EH-N"),
    (6, 0.0, 71, 0.95, True, "SH-AY-N AA-N SH-AY-N AA-N M-IY"),
    (8, 0.0, 71, 1.00, True, "S-T-EY AH-N T-IH-L DH-AH S-AH-N R-AY-Z"),
    (10, 0.5, 65, 0.60, False, "SH-AY-N AA-N S-OW K-L-OW-S T-UW M-IY"),
)
"""The lyrics: spaces separate syllables, hyphens separate phonemes."""

RHYTHMS = {
    5: ((1.5, 1.0, 1.5, 1.0, 2.0), (1.0, 1.5, 1.0, 1.5, 2.0), (2.0, 1.0, 1.5, 0.5, 2.0)),
    6: ((1.0, 0.5, 0.5, 1.0, 1.0, 1.5), (1.5, 0.5, 1.0, 0.5, 0.5, 1.5), (0.5, 1, 0.5, 1, 1, 1.5)),
    8: ((0.5, 0.5, 0.5, 1, 0.5, 1, 0.5, 1.5), (0.5, 1, 0.5, 0.5, 0.5, 1, 0.5, 1.5)),
}
"""Lengths of notes in beats to choose from, by number of syllables."""


def write_melody(
    rng: np.random.Generator, tonic: int, chords: Sequence[Chord], beat_s: float
) -> dict[str, tuple[Syllable, ...]]:
    """Sets the lyrics to music.

    Args:
        rng: Generator that chooses rhythms and pitches.
        tonic: Pitch class of the major key.
        chords: Pitch classes of the triad of each bar.
        beat_s: Length of a quarter note.

    Returns:
        Syllables by voice: ``lead``, and the backing voices ``high`` and ``low`` in chord tones
        around it.
    """
    voices: dict[str, list[Syllable]] = {"lead": [], "high": [], "low": []}
    for index, (bar, first_beat, center, velocity, backed, words) in enumerate(LINES):
        syllables = words.split()
        rhythms = RHYTHMS[len(syllables)]
        rhythm = rhythms[int(rng.integers(len(rhythms)))]
        beats = first_beat + np.concatenate(([0.0], np.cumsum(rhythm)[:-1]))
        line_chords = [chords[bar + int(beat // 4)] for beat in beats]
        closing = tonic if index == len(LINES) - 1 else None
        pitches = _choose_pitches(rng, tonic, line_chords, beats, center, closing)
        for beat, length, pitch, word, chord in zip(
            beats, rhythm, pitches, syllables, line_chords, strict=True
        ):
            start_s = (4 * bar + beat) * beat_s + rng.normal(0.0, 0.008)
            strength = velocity * (1.0 if beat % 1 == 0 else 0.9) * rng.uniform(0.9, 1.0)
            duration_s = 0.97 * length * beat_s
            sung = {"lead": pitch} | (_harmonize(pitch, chord) if backed else {})
            for voice, voice_pitch in sung.items():
                late_s = 0.0 if voice == "lead" else rng.normal(0.015, 0.01)
                note = Note(
                    start_s=max(start_s + late_s, 0.05),
                    duration_s=duration_s,
                    pitch=voice_pitch,
                    velocity=float(strength) * (1.0 if voice == "lead" else 0.85),
                )
                voices[voice].append(spell(word, note))
    return {name: tuple(syllables) for name, syllables in voices.items()}


def spell(word: str, note: Note) -> Syllable:
    """Puts one syllable such as ``"SH-AY-N"`` on a note."""
    names = word.split("-")
    nucleus = next(i for i, name in enumerate(names) if name in VOWELS or name in DIPHTHONGS)
    vowel = names[nucleus]
    return Syllable(
        note=note,
        onset=tuple(names[:nucleus]),
        vowel=DIPHTHONGS.get(vowel, (vowel,)),
        coda=tuple(names[nucleus + 1 :]),
    )


def _choose_pitches(
    rng: np.random.Generator,
    tonic: int,
    chords: Sequence[Chord],
    beats: NDArray[np.float64],
    center: int,
    closing: int | None,
) -> list[int]:
    """Steps through the scale around ``center``, with chord tones on beats and at the end."""
    scale = {(tonic + step) % 12 for step in MAJOR_SCALE}
    pitches: list[int] = []
    previous = center + int(rng.integers(-2, 3))
    for index, (chord, beat) in enumerate(zip(chords, beats, strict=True)):
        last = index == len(chords) - 1
        allowed: set[int] = set(chord) if last or beat % 2 == 0 else scale
        if last and closing is not None:
            allowed = {closing}
        arch = center + 3.0 * np.sin(np.pi * index / max(len(chords) - 1, 1))
        candidates = [p for p in range(LOWEST, HIGHEST + 1) if p % 12 in allowed]
        previous = step_melody(
            rng, candidates, previous, arch, pull=0.6, repetition=1.5, steadiness=0.8
        )
        pitches.append(previous)
    return pitches


def _harmonize(pitch: int, chord: Chord) -> dict[str, int]:
    """Finds the next chord tones at least a minor third above and below."""
    return {
        "high": find_chord_tone(pitch, chord, above=True),
        "low": find_chord_tone(pitch, chord, above=False),
    }


def step_melody(
    rng: np.random.Generator,
    candidates: Sequence[int],
    previous: int,
    center: float,
    *,
    pull: float,
    repetition: float,
    steadiness: float,
) -> int:
    """Draws the next note of a melody: mostly a small step away, rarely the same again.

    Args:
        rng: Generator that draws it.
        candidates: Notes that are allowed.
        previous: The note before.
        center: Pitch that the melody is drawn to.
        pull: Cost of a semitone away from the center; one away from the note before costs 1.
        repetition: Cost of the note before.
        steadiness: Steepness with which cost makes a note less likely.
    """
    cost = [
        abs(pitch - previous)
        + pull * abs(pitch - center)
        + (repetition if pitch == previous else 0.0)
        for pitch in candidates
    ]
    weight = np.exp(-steadiness * (np.array(cost) - min(cost)))
    return candidates[int(rng.choice(len(candidates), p=weight / weight.sum()))]


def find_chord_tone(pitch: int, chord: Chord, *, above: bool) -> int:
    """Finds the next tone of a chord that is at least a minor third above or below a note."""
    reach = range(3, 16) if above else range(-3, -16, -1)
    return next(pitch + step for step in reach if (pitch + step) % 12 in chord)
