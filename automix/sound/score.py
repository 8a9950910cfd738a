"""Scores say what is played, apart from how it sounds: notes, drum hits, sung syllables."""

from collections.abc import Mapping
from dataclasses import dataclass

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
"""The notes of a major scale, in semitones above the tonic."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One pitched note.

    Attributes:
        start_s: Time at which it begins.
        duration_s: Time until the key or string is released.
        pitch: MIDI note number (69 is A4, 440 Hz).
        velocity: Strength, 0 … 1.
    """

    start_s: float
    duration_s: float
    pitch: int
    velocity: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """One stroke on a piece of the drum kit.

    Attributes:
        start_s: Time of the stroke.
        piece: Name of the piece, one of `automix.sound.drums.PIECES`.
        velocity: Strength, 0 … 1.
    """

    start_s: float
    piece: str
    velocity: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Syllable:
    """One sung syllable: the note starts with the vowel, the onset consonants come before it.

    Attributes:
        note: Pitch and time of the vowel.
        onset: Phonemes before the vowel (names of `automix.sound.phonemes`).
        vowel: One vowel, or two for a diphthong.
        coda: Phonemes after the vowel, inside the note's duration.
    """

    note: Note
    onset: tuple[str, ...]
    vowel: tuple[str, ...]
    coda: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A whole song.

    Attributes:
        tempo_bpm: Quarter notes per minute, constant.
        duration_s: Length of the song.
        tonic: Pitch class of the major key, 0 (C) … 11 (B).
        drums: Hits of the drum kit, in any order.
        parts: Notes of every pitched instrument, by name of the part.
        voices: Syllables of every voice, by its name; a voice sings one note at a time.
    """

    tempo_bpm: float
    duration_s: float
    tonic: int
    drums: tuple[Hit, ...]
    parts: Mapping[str, tuple[Note, ...]]
    voices: Mapping[str, tuple[Syllable, ...]]


def pitch_to_hz(pitch: float) -> float:
    """Converts a MIDI note number to Hz, in equal temperament at A4 = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))
