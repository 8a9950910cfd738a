"""Writes the demo song: form, harmony, groove, parts and melody, all from one seed."""

from dataclasses import dataclass

import numpy as np

from automix.sound.chance import pick
from automix.sound.harmony import Chord, build_chord
from automix.sound.melody import write_melody
from automix.sound.score import Hit, Note, Score

BEATS_PER_BAR = 4
HUMAN_S = 0.005
"""Standard deviation of the players' timing."""


@dataclass(frozen=True, slots=True)
class DemoBar:
    """One bar of the form.

    Attributes:
        start_s: Time of its first beat.
        section: Part of the song that it belongs to, such as ``"verse"``.
        chord: Pitch classes of its chord.
        strength: Strength with which it is played, 0 … 1.
        fill: Whether it ends in a drum fill.
    """

    start_s: float
    section: str
    chord: Chord
    strength: float
    fill: bool


PROGRESSIONS = {
    "verse": ((5, 3, 0, 4), (0, 5, 3, 4), (0, 4, 5, 3)),
    "rise": ((1, 4), (3, 4)),
    "chorus": ((0, 4, 5, 3), (3, 0, 4, 5), (0, 3, 5, 4)),
    "outro": ((3, 4), (1, 4)),
}
"""Scale degrees of the chords, one per bar, to choose from."""

FORM = (("verse", 0.55), ("rise", 0.7), ("chorus", 1.0), ("outro", 0.75))
"""Sections and their strength; with the closing chord they make 13 bars."""

KICK_STEPS = {
    "verse": ((0, 8), (0, 7, 8), (0, 8, 11)),
    "chorus": ((0, 6, 8, 14), (0, 3, 8, 10), (0, 6, 8, 11)),
}
"""Sixteenths of the bar on which the bass drum may play."""


def compose(seed: int = 0, tempo_bpm: float = 100.0) -> Score:
    """Composes a song of twelve bars and a closing chord in a major key.

    Args:
        seed: Chooses key, chords, groove and melody.
        tempo_bpm: Quarter notes per minute; the song lasts 50 of them.
    """
    rng = np.random.default_rng((seed, 1))
    tonic = int(rng.choice((0, 2, 3, 5, 7, 9, 10)))
    beat_s = 60.0 / tempo_bpm
    bars = _write_form(rng, tonic, beat_s)
    steps = {name: pick(rng, choices) for name, choices in KICK_STEPS.items()}
    drums: list[Hit] = []
    parts: dict[str, list[Note]] = {
        name: [] for name in ("bass", "guitar left", "guitar right", "keys", "pad")
    }
    keys_voicing, pad_voicing, guitar_voicing = (60, 64, 67), (55, 60, 64), (52, 55, 60)
    for bar in bars:
        kick_steps = steps["chorus" if bar.section == "chorus" else "verse"]
        keys_voicing = _lead_voices(keys_voicing, bar.chord, 57, 74)
        pad_voicing = _lead_voices(pad_voicing, bar.chord, 52, 69)
        guitar_voicing = _lead_voices(guitar_voicing, bar.chord, 48, 67)
        drums += _drum_bar(rng, bar, kick_steps, beat_s)
        parts["bass"] += _bass_bar(rng, bar, kick_steps, beat_s)
        parts["guitar left"] += _strummed_bar(rng, bar, guitar_voicing, beat_s)
        parts["guitar right"] += _muted_bar(rng, bar, guitar_voicing, beat_s)
        parts["keys"] += _keys_bar(rng, bar, keys_voicing, beat_s)
        parts["pad"] += [
            _play_note(rng, bar.start_s, 4 * beat_s, pitch, 0.5 + 0.4 * bar.strength)
            for pitch in (pad_voicing[0] - 12, *pad_voicing)
        ]
    duration_s = 50 * beat_s
    return Score(
        tempo_bpm=tempo_bpm,
        duration_s=duration_s,
        tonic=tonic,
        drums=tuple(drums),
        parts={name: _drop_late(notes, duration_s) for name, notes in parts.items()},
        voices=write_melody(rng, tonic, [bar.chord for bar in bars], beat_s),
    )


def _write_form(rng: np.random.Generator, tonic: int, beat_s: float) -> list[DemoBar]:
    bars: list[DemoBar] = []
    for section, strength in FORM:
        degrees = pick(rng, PROGRESSIONS[section])
        for index, degree in enumerate(degrees):
            start_s = len(bars) * BEATS_PER_BAR * beat_s
            fill = index == len(degrees) - 1
            bars.append(
                DemoBar(
                    start_s,
                    section,
                    _build_triad(tonic, degree),
                    strength,
                    fill,
                )
            )
    end_s = len(bars) * BEATS_PER_BAR * beat_s
    bars.append(DemoBar(end_s, "end", _build_triad(tonic, 0), 0.8, False))
    return bars


def _build_triad(tonic: int, degree: int) -> Chord:
    return build_chord(tonic, "major", degree, seventh=False, dominant=False)


def _lead_voices(
    voicing: tuple[int, int, int], chord: Chord, low: int, high: int
) -> tuple[int, int, int]:
    """Finds the close position of ``chord`` whose voices move least from ``voicing``."""
    candidates = []
    for bottom in range(low, high):
        if bottom % 12 in chord:
            above = [p for p in range(bottom + 1, bottom + 12) if p % 12 in chord]
            if len(above) == 2 and above[1] <= high:
                candidates.append((bottom, above[0], above[1]))
    return min(candidates, key=lambda c: sum(abs(a - b) for a, b in zip(c, voicing, strict=True)))


def _play_note(
    rng: np.random.Generator, start_s: float, duration_s: float, pitch: int, velocity: float
) -> Note:
    """Makes a note as a person plays it: never quite on time, never twice as strong."""
    return Note(
        start_s=max(start_s + rng.normal(0.0, HUMAN_S), 0.0),
        duration_s=duration_s,
        pitch=pitch,
        velocity=float(np.clip(velocity * rng.normal(1.0, 0.08), 0.1, 1.0)),
    )


def _drop_late(notes: list[Note], duration_s: float) -> tuple[Note, ...]:
    """Drops the notes that would start after the end."""
    return tuple(note for note in notes if note.start_s < duration_s - 0.05)


def _drum_bar(
    rng: np.random.Generator, bar: DemoBar, kick_steps: tuple[int, ...], beat_s: float
) -> list[Hit]:
    sixteenth_s = beat_s / 4.0
    strokes: list[tuple[float, str, float]] = []
    if bar.section == "end":
        strokes = [(0, "kick", 1.0), (0, "crash", 0.9), (0, "snare", 0.7)]
    else:
        last = 12 if bar.fill else 16
        loud = bar.section == "chorus"
        strokes += [(step, "kick", 0.95 if step % 8 == 0 else 0.7) for step in kick_steps]
        strokes += [(step, "snare", 0.9) for step in (4, 12) if step < last]
        if loud and not bar.fill:
            strokes.append((7, "snare", 0.22))
        for step in range(0, last, 2):
            piece = "open hat" if loud and step % 4 == 2 else "closed hat"
            strokes.append((step, piece, 0.85 if step % 4 == 0 else 0.6))
        if bar.section == "rise":
            strokes += [(step, "closed hat", 0.35) for step in range(1, last, 2)]
        if bar.fill:
            fill = ("snare", "snare", "high tom", "low tom")
            strokes += [(12 + i, piece, 0.6 + 0.1 * i) for i, piece in enumerate(fill)]
        if loud and round(bar.start_s / beat_s / BEATS_PER_BAR) % 4 == 2:
            strokes.append((0, "crash", 0.9))
    return [
        Hit(
            start_s=max(bar.start_s + step * sixteenth_s + rng.normal(0.0, 0.6 * HUMAN_S), 0.0),
            piece=piece,
            velocity=float(
                np.clip(velocity * (0.5 + 0.5 * bar.strength) * rng.normal(1.0, 0.06), 0.1, 1.0)
            ),
        )
        for step, piece, velocity in strokes
    ]


def _bass_bar(
    rng: np.random.Generator, bar: DemoBar, kick_steps: tuple[int, ...], beat_s: float
) -> list[Note]:
    """Writes the bass: the root with each kick, and the octave or fifth on the way out."""
    root = 28 + (bar.chord[0] - 28) % 12
    steps = [0] if bar.section == "end" else list(kick_steps)
    if bar.section == "chorus":
        steps = sorted({*steps, 4, 12})
    ends = [*steps[1:], 14 if bar.section in ("rise", "outro") else 16]
    notes = [
        _play_note(
            rng,
            bar.start_s + step * beat_s / 4.0,
            (end - step) * beat_s / 4.0 * 0.92,
            root,
            (0.6 + 0.35 * bar.strength) * (1.0 if step in kick_steps else 0.8),
        )
        for step, end in zip(steps, ends, strict=True)
    ]
    if bar.section in ("rise", "outro"):
        way_out = root + (12 if rng.random() < 0.5 else 7)
        notes.append(_play_note(rng, bar.start_s + 3.5 * beat_s, 0.45 * beat_s, way_out, 0.7))
    return notes


def _strummed_bar(
    rng: np.random.Generator, bar: DemoBar, voicing: tuple[int, int, int], beat_s: float
) -> list[Note]:
    """Writes the left guitar: picked chords in the verse, strummed eighths in the chorus."""
    strings = (voicing[0] - 12 if voicing[0] >= 52 else voicing[0], *voicing[1:], voicing[0] + 12)
    if bar.section in ("verse", "outro"):
        picked = (0, 1, 2, 3, 2, 1, 2, 3)
        return [
            _play_note(rng, bar.start_s + i * beat_s / 2, 1.2 * beat_s, strings[string], 0.6)
            for i, string in enumerate(picked)
        ]
    pattern = (0,) if bar.section == "end" else (0, 2, 3, 5, 6, 7)
    notes = []
    for eighth, following in zip(pattern, (*pattern[1:], 8), strict=True):
        order = strings if eighth % 2 == 0 else strings[::-1]
        accent = 1.0 if eighth in (0, 3) else 0.75
        for i, pitch in enumerate(order):
            start_s = bar.start_s + eighth * beat_s / 2 + 0.009 * i
            length_s = (following - eighth) * beat_s / 2 * 0.95
            notes.append(
                _play_note(rng, start_s, length_s, pitch, accent * (0.4 + 0.45 * bar.strength))
            )
    return notes


def _muted_bar(
    rng: np.random.Generator, bar: DemoBar, voicing: tuple[int, int, int], beat_s: float
) -> list[Note]:
    """Writes the right guitar: off-beat chops in the verse, later a figure on root and fifth."""
    if bar.section == "end":
        return [_play_note(rng, bar.start_s, 4 * beat_s, pitch + 12, 0.8) for pitch in voicing]
    if bar.section in ("verse", "outro"):
        return [
            _play_note(rng, bar.start_s + beat * beat_s + 0.006 * i, 0.3 * beat_s, pitch + 12, 0.55)
            for beat in (1, 3)
            for i, pitch in enumerate(voicing)
        ]
    root = 40 + (bar.chord[0] - 40) % 12
    figure = (0, 0, 7, 0, 12, 0, 7, 12)
    return [
        _play_note(
            rng,
            bar.start_s + eighth * beat_s / 2,
            0.42 * beat_s,
            root + interval,
            (0.5 + 0.4 * bar.strength) * (1.0 if eighth % 2 == 0 else 0.8),
        )
        for eighth, interval in enumerate(figure)
    ]


def _keys_bar(
    rng: np.random.Generator, bar: DemoBar, voicing: tuple[int, int, int], beat_s: float
) -> list[Note]:
    """Writes the electric piano: long chords, pushed by an eighth where the song is strong."""
    strokes = {
        "verse": ((0.0, 3.5),),
        "rise": ((0.0, 1.5), (2.0, 1.8)),
        "chorus": ((0.0, 1.4), (1.5, 1.0), (2.5, 1.4)),
        "outro": ((0.0, 3.5),),
        "end": ((0.0, 2.0),),
    }[bar.section]
    return [
        _play_note(
            rng,
            bar.start_s + beat * beat_s + 0.004 * i,
            length * beat_s,
            pitch,
            0.4 + 0.4 * bar.strength,
        )
        for beat, length in strokes
        for i, pitch in enumerate(voicing)
    ]
