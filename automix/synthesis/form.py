"""Writes the form of a song: its sections, and one chord for each of its bars."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automix.sound.harmony import PROGRESSIONS, Chord, build_chord
from automix.synthesis.styles import Style

STEPS_PER_BEAT = 4

FORMS: tuple[tuple[str, ...], ...] = (
    ("intro", "verse", "chorus", "verse", "chorus"),
    ("verse", "chorus", "verse", "chorus"),
    ("intro", "verse", "rise", "chorus"),
    ("chorus", "verse", "chorus", "bridge"),
    ("verse", "verse", "chorus", "break"),
    ("intro", "chorus", "break", "chorus"),
)
"""Orders of sections; a short song takes the first ones, a long one begins again."""

STRENGTH = {
    "intro": 0.45, "verse": 0.6, "rise": 0.75, "chorus": 1.0, "bridge": 0.7, "break": 0.5,
    "end": 0.85,
}  # fmt: skip
"""Strength with which a section is played, 0 … 1; fewer parts play where it is low."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar of a song.

    Attributes:
        number: Number of the bar, from 0.
        start_s: Time of its first beat.
        beat_s: Length of a quarter note.
        beats: Number of quarter notes in it.
        swing: Delay of the off-beats in steps of a sixteenth, 0 … 0.67.
        section: Name of the section.
        strength: Strength with which it is played, 0 … 1.
        tones: Pitch classes of its chord, the root first.
        following: Pitch classes of the chord of the next bar.
        fill: Whether a section ends with it.
        opens: Whether a section begins with it.
    """

    number: int
    start_s: float
    beat_s: float
    beats: int
    swing: float
    section: str
    strength: float
    tones: Chord
    following: Chord
    fill: bool
    opens: bool

    @property
    def steps(self) -> int:
        """Number of sixteenths in the bar."""
        return self.beats * STEPS_PER_BEAT

    def find_time(self, step: float) -> float:
        """Computes the time of a sixteenth in seconds; swing delays the middle of each beat."""
        within = step % STEPS_PER_BEAT
        late = self.swing * (1.0 - abs(within - 2.0) / 2.0)
        return self.start_s + (step + late) * self.beat_s / STEPS_PER_BEAT

    def find_length(self, steps: float) -> float:
        """Computes the length of some sixteenths in seconds."""
        return steps * self.beat_s / STEPS_PER_BEAT


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """The form of a song, which all its parts share.

    Attributes:
        tempo_bpm: Quarter notes per minute.
        tonic: Pitch class of the key, 0 (C) … 11 (B).
        mode: ``"major"`` or ``"minor"``.
        bars: The bars in order; the last one closes the song.
        duration_s: Length of the song.
    """

    tempo_bpm: float
    tonic: int
    mode: str
    bars: tuple[Bar, ...]
    duration_s: float


def write_form(rng: np.random.Generator, style: Style, duration_s: float) -> Form:
    """Chooses tempo, key, sections and chords of a song.

    Args:
        rng: Generator that all choices are drawn from.
        style: Style that says what there is to choose from.
        duration_s: Length of the song; its last chord rings for the last two seconds or so.
    """
    tempo_bpm = round(float(rng.uniform(*style.tempo_bpm)), 1)
    beats = 3 if rng.random() < style.waltz else 4
    beat_s = 60.0 / tempo_bpm
    mode = "minor" if rng.random() < style.minor else "major"
    tonic = int(rng.integers(12))
    count = max(int((duration_s - 2.0) / (beats * beat_s)), 2)
    sections = _choose_sections(rng, count)
    chords = _choose_chords(rng, style, tonic, mode, sections)
    swing = float(rng.uniform(*style.swing))
    bars = tuple(
        Bar(
            number=number,
            start_s=number * beats * beat_s,
            beat_s=beat_s,
            beats=beats,
            swing=swing,
            section=section,
            strength=STRENGTH[section],
            tones=chords[number],
            following=chords[min(number + 1, count)],
            fill=number + 1 < count and sections[number + 1][1] == 0,
            opens=place == 0,
        )
        for number, (section, place) in enumerate(sections)
    )
    return Form(tempo_bpm=tempo_bpm, tonic=tonic, mode=mode, bars=bars, duration_s=duration_s)


def _choose_sections(rng: np.random.Generator, count: int) -> list[tuple[str, int]]:
    """Chooses the section of every bar and its place in it; a closing bar follows."""
    order = FORMS[int(rng.integers(len(FORMS)))]
    length = 4 if count < 24 else 8
    bars: list[tuple[str, int]] = []
    while len(bars) < count:
        for section in order:
            bars += [(section, place) for place in range(length // (1 + (section == "intro")))]
    if sum(section == "chorus" for section, _ in bars[:count]) < 3:  # slow songs have few bars
        half = count // 2
        bars = [("verse", place) for place in range(half)]
        bars += [("chorus", place) for place in range(count - half)]
    return [*bars[:count], ("end", 0)]


def _choose_chords(
    rng: np.random.Generator,
    style: Style,
    tonic: int,
    mode: str,
    sections: Sequence[tuple[str, int]],
) -> list[Chord]:
    """Chooses the chord of every bar; a section that comes back has the same ones."""
    choices = PROGRESSIONS[mode]
    sevenths = bool(rng.random() < style.sevenths)
    dominant = bool(rng.random() < 0.5)
    shared = choices[int(rng.integers(len(choices)))]
    by_section = {
        name: shared if rng.random() < style.one_loop else choices[int(rng.integers(len(choices)))]
        for name in STRENGTH
    }
    degrees = [
        0 if section == "end" else by_section[section][place % 4] for section, place in sections
    ]
    return [
        build_chord(tonic, mode, degree, seventh=sevenths, dominant=dominant) for degree in degrees
    ]
