"""Builds chords: progressions in major and minor, sevenths, and voicings that move little."""

from collections.abc import Sequence

import numpy as np

from automix.sound.score import MAJOR_SCALE

MINOR_SCALE = (0, 2, 3, 5, 7, 8, 10)
"""The notes of natural minor, in semitones above the tonic."""

Chord = tuple[int, ...]
"""Pitch classes of a chord, 0 (C) … 11 (B), the root first."""

PROGRESSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "major": (
        (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3), (0, 2, 3, 4), (3, 0, 4, 5),
        (0, 4, 3, 4), (0, 3, 1, 4), (0, 0, 3, 4), (1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4),
    ),
    "minor": (
        (0, 5, 2, 6), (0, 6, 5, 6), (0, 3, 4, 0), (0, 5, 3, 4), (0, 2, 6, 3), (0, 0, 5, 6),
        (0, 3, 6, 2), (5, 6, 0, 0), (0, 4, 5, 3), (3, 6, 2, 5), (0, 0, 3, 0), (0, 6, 3, 5),
    ),
}  # fmt: skip
"""Progressions to choose from, by mode: scale degrees of the chords, one per bar."""


def look_up_scale(mode: str) -> tuple[int, ...]:
    """Looks up the scale of ``"major"`` or ``"minor"``, in semitones above the tonic."""
    return MAJOR_SCALE if mode == "major" else MINOR_SCALE


def build_chord(tonic: int, mode: str, degree: int, *, seventh: bool, dominant: bool) -> Chord:
    """Builds a chord in thirds on a degree of the scale.

    Args:
        tonic: Pitch class of the key.
        mode: Mode of the key, ``"major"`` or ``"minor"``.
        degree: Degree of the scale that is the root, 0 … 6.
        seventh: Whether the chord has four tones instead of three.
        dominant: Whether a minor key takes the major third on its fifth degree, as in harmonic
            minor.
    """
    scale = look_up_scale(mode)
    tones = [(tonic + scale[(degree + step) % 7]) % 12 for step in (0, 2, 4, 6)[: 3 + seventh]]
    if mode == "minor" and degree == 4 and dominant:
        tones[1] = (tonic + 11) % 12
    return tuple(tones)


def voice_chord(previous: Sequence[int], tones: Chord, low: int, high: int) -> tuple[int, ...]:
    """Finds the close position of a chord that is nearest to the voicing before.

    Args:
        previous: MIDI notes of the voicing before, of any number; empty for none.
        tones: Pitch classes of the chord.
        low: Lowest note.
        high: Highest note, an octave and a half above at least.

    Raises:
        ValueError: The range has no room for the chord.
    """
    candidates = []
    for bottom in range(low, high + 1):
        if bottom % 12 in tones:
            above = [p for p in range(bottom, bottom + 12) if p % 12 in tones]
            if above[-1] <= high:
                candidates.append(tuple(above))
    if not candidates:
        raise ValueError(f"no room for a chord in {low} … {high}")
    center = float(np.mean(previous)) if previous else (low + high) / 2.0
    return min(candidates, key=lambda notes: (abs(float(np.mean(notes)) - center), notes))


def find_near(pitch_class: int, pitch: int) -> int:
    """Finds the note of a pitch class that is nearest to ``pitch``."""
    return pitch + (pitch_class - pitch + 6) % 12 - 6
