"""Writes voices: melodies set to nonsense syllables, for the voice of `automix.sound`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automix.sound.chance import pick
from automix.sound.melody import find_chord_tone, spell
from automix.sound.score import Note, Syllable
from automix.sound.voice import Singer
from automix.synthesis.form import Form
from automix.synthesis.melodies import PHRASES, SPOKEN_PHRASES, MelodyNote, write_lead_melody

SYLLABLES = (
    "L-AH", "DH-OW", "N-AA", "S-IY", "T-UW", "W-EY", "M-IY", "SH-AY-N", "R-AE-N", "S-T-AA-R",
    "G-OW", "K-AH-M", "HH-IH-R", "DH-AH", "Z-UW", "S-IH-NG", "T-AY-M", "L-AO-NG", "N-OW", "P-L-EY",
    "S-L-OW", "W-IH-L", "AY", "W-IY", "M-AA-R", "T-EH-L", "HH-OW-L-Z", "S-EY",
)  # fmt: skip
"""Syllables of the lyrics to choose from; hyphens separate phonemes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VoicePart:
    """What one singer sings.

    Attributes:
        name: Name of the track.
        singer: The voice.
        syllables: Syllables in order of time.
        double_of: The track that it doubles, or none.
        lead: Whether it is the lead voice.
    """

    name: str
    singer: Singer
    syllables: tuple[Syllable, ...]
    double_of: str | None = None
    lead: bool = False


def write_voices(
    rng: np.random.Generator, form: Form, active: Sequence[bool], room: int, *, spoken: bool
) -> list[VoicePart]:
    """Writes a lead voice and, where there is room, doubles and harmonies.

    Args:
        rng: Generator that chooses the singer, the tune and the words.
        form: Form of the song.
        active: Whether the lead sings, for each bar.
        room: Largest number of tracks.
        spoken: Whether the lead raps.
    """
    woman = bool(rng.random() < (0.25 if spoken else 0.5))
    low = int(rng.integers(57, 62)) if woman else int(rng.integers(45, 51))
    singer = _singer(rng, woman=woman, vibrato=not spoken)
    phrases, reach = (SPOKEN_PHRASES, 11) if spoken else (PHRASES, 15)
    melody = write_lead_melody(rng, phrases, form, active, low, low + reach)
    words = [SYLLABLES[int(rng.integers(len(SYLLABLES)))] for _ in melody]
    lead_name = pick(rng, ("lead vocal", "lead vox", "vocal", "vox lead"))
    parts = [
        VoicePart(
            name=lead_name, singer=singer, syllables=_set_words(rng, melody, words), lead=True
        )
    ]
    strong = [(note, word) for note, word in zip(melody, words, strict=True) if _is_strong(note)]
    if not strong or room < 2:
        return parts
    harmonies: list[int] = []
    for name, interval, scale in _choose_backing(rng, room):
        notes = [_harmonize(note, interval) for note, _ in strong]
        other = Singer(
            tract_scale=singer.tract_scale * scale,
            breath_db=singer.breath_db + 2.0,
            vibrato_cents=0.6 * singer.vibrato_cents,
            vibrato_hz=singer.vibrato_hz * float(rng.uniform(0.92, 1.08)),
            dynamics_db=0.7 * singer.dynamics_db,
        )
        sung = _set_words(rng, notes, [word for _, word in strong], late_s=0.02)
        parts.append(VoicePart(name=name, singer=other, syllables=sung))
        if interval:
            harmonies.append(len(parts) - 1)
    return _pair(parts, harmonies)


def _singer(rng: np.random.Generator, *, woman: bool, vibrato: bool) -> Singer:
    return Singer(
        tract_scale=float(rng.uniform(0.97, 1.1) if woman else rng.uniform(0.82, 0.92)),
        breath_db=float(rng.uniform(-27.0, -15.0)),
        vibrato_cents=float(rng.uniform(10.0, 50.0)) if vibrato else 0.0,
        vibrato_hz=float(rng.uniform(4.8, 6.4)),
        dynamics_db=float(rng.uniform(14.0, 28.0)),
    )


def _choose_backing(rng: np.random.Generator, room: int) -> list[tuple[str, int, float]]:
    """Chooses names, steps of the chord above the lead, and sizes of the singers' vocal tracts."""
    choices: tuple[tuple[tuple[str, int, float], ...], ...] = (
        (),
        (("backing vocal", 1, 1.03),),
        (("lead vocal double", 0, 1.0),),
        (("backing vocals left", 1, 1.03), ("backing vocals right", 1, 0.98)),
        (("BV high", 1, 1.04), ("BV low", -1, 0.95)),
        (("harmony vocal 1", 1, 1.02), ("harmony vocal 2", -1, 0.97)),
        (("BV L", 1, 1.03), ("BV R", 1, 0.98), ("vocal double", 0, 1.0)),
        (("backing vox 1", 1, 1.05), ("backing vox 2", 1, 0.98), ("backing vox low", -1, 0.93)),
    )
    fitting = [choice for choice in choices if len(choice) < room]
    return list(fitting[int(rng.integers(len(fitting)))])


def _pair(parts: Sequence[VoicePart], harmonies: Sequence[int]) -> list[VoicePart]:
    """Makes the second of each pair of harmonies the double of the first, on the other side."""
    result = list(parts)
    for first, second in zip(harmonies[::2], harmonies[1::2], strict=False):
        part = parts[second]
        result[second] = VoicePart(
            name=part.name,
            singer=part.singer,
            syllables=part.syllables,
            double_of=parts[first].name,
        )
    return result


def _is_strong(note: MelodyNote) -> bool:
    return note.bar.strength > 0.7


def _harmonize(note: MelodyNote, interval: int) -> MelodyNote:
    """Moves a note to the next chord tone above or below; an interval of 0 keeps it."""
    if interval == 0:
        return note
    pitch = find_chord_tone(note.pitch, note.bar.tones, above=interval > 0)
    return MelodyNote(note.bar, note.step, note.steps, pitch)


def _set_words(
    rng: np.random.Generator,
    melody: Sequence[MelodyNote],
    words: Sequence[str],
    late_s: float = 0.0,
) -> tuple[Syllable, ...]:
    syllables = []
    for note, word in zip(melody, words, strict=True):
        velocity = (0.45 + 0.5 * note.bar.strength) * rng.uniform(0.88, 1.05)
        sung = Note(
            start_s=max(note.bar.find_time(note.step) + rng.normal(late_s, 0.01), 0.06),
            duration_s=max(0.97 * note.bar.find_length(note.steps), 0.09),
            pitch=note.pitch,
            velocity=float(np.clip(velocity, 0.2, 1.0)),
        )
        syllables.append(spell(word, sung))
    return tuple(syllables)
