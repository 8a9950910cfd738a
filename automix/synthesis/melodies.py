"""Writes melodies: phrases with breaths between them, by step and leap, at rest on chord tones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automix.sound.harmony import look_up_scale
from automix.sound.melody import step_melody
from automix.sound.score import Note
from automix.synthesis.form import Bar, Form

PHRASES: tuple[tuple[str, ...], ...] = (
    ("..x_x_x_x___x___", "x_______........"),
    ("x___x_x_x_x_x___", "..x_x___x___...."),
    ("....x_x_x_x_x_x_", "x___x___x_____.."),
    ("x_____x_x_____x_", "x___x___........"),
    ("..x_x_xxx_x_x_x_", "x_x_x_____......"),
    ("x_______x_______", "x___________...."),
    ("xxx_xxx_x_x_x_x_", "x_xxx_x_x___...."),
)
"""Rhythms of a phrase over two bars: ``x`` begins a note, ``_`` holds it."""

SLOW_PHRASES: tuple[tuple[str, ...], ...] = (
    ("x_______x_______", "x_______________"),
    ("x_______________", "........x_______"),
    ("....x___________", "x_______........"),
)

SPOKEN_PHRASES: tuple[tuple[str, ...], ...] = (
    ("xxx_xxxxx_xxx_x_", "xxxxx_xxx_x_...."),
    ("..xxxxx_xxxxx_xx", "x_xxx_xxxxx_x_.."),
    ("x_xxx_xxx_xxx_xx", "xxx_xxx_x___...."),
)
"""Rhythms of phrases that are rapped."""

RIFFS = ("x_x_x...x_x.x...", "x..x..x.........", "..x.x.xxx.......", "x.x.x_..........")


@dataclass(frozen=True, slots=True)
class MelodyNote:
    """A note of a melody.

    Attributes:
        bar: Bar that it begins in.
        step: Sixteenth of the bar at which it begins.
        steps: Length in sixteenths.
        pitch: MIDI note number.
    """

    bar: Bar
    step: int
    steps: int
    pitch: int


def write_lead_melody(
    rng: np.random.Generator,
    phrases: Sequence[tuple[str, ...]],
    form: Form,
    active: Sequence[bool],
    low: int,
    high: int,
) -> list[MelodyNote]:
    """Writes the melody of one voice or instrument.

    Args:
        rng: Generator that chooses rhythms and pitches.
        phrases: Rhythms to choose from, such as `PHRASES`.
        form: Form of the song.
        active: Whether it plays, for each bar.
        low: Lowest note.
        high: Highest note.
    """
    scale = {(form.tonic + step) % 12 for step in look_up_scale(form.mode)}
    chosen = {
        section: phrases[int(rng.integers(len(phrases)))]
        for section in ("intro", "verse", "rise", "chorus", "bridge", "break")
    }
    middle = (low + high) / 2.0
    previous = round(middle)
    melody: list[MelodyNote] = []
    for bar, plays in zip(form.bars, active, strict=True):
        if not plays:
            continue
        center = middle + (high - low) * 0.3 * (bar.strength - 0.7)
        if bar.section == "end":
            previous = _choose_next(rng, {bar.tones[0]}, previous, center, low, high)
            melody.append(MelodyNote(bar, 0, bar.steps - 4, previous))
            continue
        phrase = chosen[bar.section]
        rhythm = phrase[bar.number % len(phrase)][: bar.steps]
        for step, mark in enumerate(rhythm):
            if mark != "x":
                continue
            held = len(rhythm[step + 1 :]) - len(rhythm[step + 1 :].lstrip("_"))
            allowed = set(bar.tones) if step % 8 == 0 or held > 4 else scale | set(bar.tones)
            previous = _choose_next(rng, allowed, previous, center, low, high)
            melody.append(MelodyNote(bar, step, held + 1, previous))
    return melody


def _choose_next(
    rng: np.random.Generator, allowed: set[int], previous: int, center: float, low: int, high: int
) -> int:
    candidates = [pitch for pitch in range(low, high + 1) if pitch % 12 in allowed]
    return step_melody(rng, candidates, previous, center, pull=0.35, repetition=1.2, steadiness=0.6)


def play_melody(
    rng: np.random.Generator,
    pattern: str,
    form: Form,
    active: Sequence[bool],
    low: int,
    high: int,
) -> list[Note]:
    """Plays a melody, a slow counter-melody or a riff on an instrument.

    Args:
        rng: Generator that chooses the melody and draws the errors of the hand.
        pattern: Kind of melody: ``melody``, ``counter-melody`` or ``riff``.
        form: Form of the song.
        active: Whether it plays, for each bar.
        low: Lowest note.
        high: Highest note.
    """
    phrases = {
        "melody": PHRASES,
        "counter-melody": SLOW_PHRASES,
        "riff": tuple((riff,) for riff in RIFFS),
    }[pattern]
    legato = 1.0 if pattern == "counter-melody" else float(rng.uniform(0.8, 1.0))
    return [
        Note(
            start_s=max(note.bar.find_time(note.step) + rng.normal(0.0, 0.008), 0.0),
            duration_s=legato * note.bar.find_length(note.steps),
            pitch=note.pitch,
            velocity=float(
                np.clip((0.6 + 0.3 * note.bar.strength) * rng.normal(1.0, 0.08), 0.15, 1.0)
            ),
        )
        for note in write_lead_melody(rng, phrases, form, active, low, high)
    ]
