"""Writes what instruments play: one function per pattern writes a bar; melodies span the song."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from automix.sound.harmony import find_near, voice_chord
from automix.sound.score import Note
from automix.synthesis.form import Bar, Form
from automix.synthesis.instruments import Instrument
from automix.synthesis.melodies import play_melody

TIMING_S = 0.007
"""Standard deviation of a player's timing."""

Strokes = tuple[tuple[float, float], ...]
"""Pairs of the sixteenth of the bar at which something is played, and its length in sixteenths."""


def _read_strokes(rhythm: str) -> Strokes:
    """Reads strokes from a text: ``x`` begins a note, ``_`` holds it, ``.`` is a rest."""
    strokes: list[tuple[float, float]] = []
    for step, mark in enumerate(rhythm):
        if mark == "x":
            strokes.append((step, 1.0))
        elif mark == "_" and strokes:
            strokes[-1] = (strokes[-1][0], strokes[-1][1] + 1.0)
    return tuple(strokes)


RHYTHMS: dict[str, tuple[str, ...]] = {
    "sustained": ("x_______________", "x_______x_______"),
    "comping": (
        "x_____x_..x_x___", "x___..x_....x_..", "..x_..x_....x_x_", "x___x___x___x___",
        "x_____x_____x___", "....x_....x_....",
    ),
    "stabs": ("x...............", "..x...x.........", "x..x..x.........", "......x.x.....x."),
    "off-beats": ("....x_......x_..", "..x...x...x...x.", "..x_..x_..x_..x_"),
    "pulse chords": ("x_x_x_x_x_x_x_x_", "x_x.x_x.x_x.x_x.", "x__x__x_x__x__x_"),
    "sixteenth chops": ("x..x..x.x..x..x.", "x.xx..xx.xx.x.x.", "..xx..x...xx..x."),
    "strummed": ("x___x_x_..x_x_x_", "x_x_x_x_x_x_x_x_", "x___x_xxx___x_xx", "x_____x_x___x_x_"),
    "ringing": ("x_______________", "x_____x_________", "x___________x___"),
    "power eighths": ("x_x_x_x_x_x_x_x_", "x_x.x_x.x_x.x_x.", "x___..x_x_x_..x_"),
    "gallop": ("x_xxx_xxx_xxx_xx", "x_xxx_xxx___x___"),
    "bossa chords": ("x_____x_....x___", "..x_....x_..x_..", "x__x__x___x__x__"),
    "roots": ("x_______________", "x_______x_______", "x_____x_x_______"),
    "eighth roots": ("x_x_x_x_x_x_x_x_", "x_x_x_x.x_x_x_x."),
    "syncopated bass": ("x__x__x___x_x___", "x__x......x__x__", "x_.xx_..x_.x..x_"),
    "octaves": ("x_x_x_x_x_x_x_x_", "x.x.x.xxx.x.x.xx"),
    "pulse": ("xxxxxxxxxxxxxxxx", ".xxx.xxx.xxx.xxx", "..x...x...x...x."),
    "swell": ("x_______________",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """What a pattern needs to know to write one bar.

    Attributes:
        rng: Generator of the errors of the hand.
        bar: The bar.
        voicing: MIDI notes of its chord, ascending.
        strokes: Rhythm of the pattern.
        level: Velocity of a full stroke, 0 … 1.
    """

    rng: np.random.Generator
    bar: Bar
    voicing: tuple[int, ...]
    strokes: Strokes
    level: float

    def note(
        self, step: float, steps: float, pitch: int, level: float, late_s: float = 0.0
    ) -> Note:
        """Makes a note as a person plays it, never quite on time.

        Args:
            step: Sixteenth of the bar at which it begins.
            steps: Length in sixteenths.
            pitch: MIDI note number.
            level: Strength relative to a full stroke.
            late_s: Delay, for strings that are struck one after the other.
        """
        start_s = self.bar.find_time(step) + late_s + self.rng.normal(0.0, TIMING_S)
        velocity = level * self.level * self.rng.normal(1.0, 0.07)
        return Note(
            start_s=max(start_s, 0.0),
            duration_s=max(self.bar.find_length(steps) * 0.94, 0.05),
            pitch=pitch,
            velocity=float(np.clip(velocity, 0.12, 1.0)),
        )

    def accent(self, step: float) -> float:
        """Weighs a stroke by its place: strong on the beat, weaker off it."""
        return 1.0 if step % 4 == 0 else 0.86

    def list_strokes(self) -> Strokes:
        """Lists the strokes that lie in the bar; the closing bar has one long one."""
        if self.bar.section == "end":
            return ((0.0, float(self.bar.steps)),)
        end = self.bar.steps
        return tuple((step, min(steps, end - step)) for step, steps in self.strokes if step < end)


def _chords(moment: Moment) -> list[Note]:
    """Plays all tones of the chord at a time."""
    return [
        moment.note(step, steps, pitch, 0.85 * moment.accent(step))
        for step, steps in moment.list_strokes()
        for pitch in moment.voicing
    ]


def _strum(moment: Moment) -> list[Note]:
    """Strums the strings one after the other, down on the beat and up off it."""
    strings = (moment.voicing[0] - 12, *moment.voicing, moment.voicing[0] + 12)
    notes = []
    for step, steps in moment.list_strokes():
        up = step % 4 != 0
        order = strings[:0:-1] if up else strings
        late_s = moment.rng.uniform(0.006, 0.013)
        level = 0.7 if up else 0.9
        notes += [
            moment.note(step, steps, pitch, level, late_s=number * late_s)
            for number, pitch in enumerate(order)
        ]
    return notes


def _pick_strings(moment: Moment) -> list[Note]:
    """Picks eighths over the strings, which ring on."""
    strings = (moment.voicing[0] - 12, *moment.voicing)
    count = len(strings)
    cycle = (0, 1, 2, 3 % count, 2, 1, 2, 1)
    return [
        moment.note(step, 6, strings[cycle[step // 2 % 8]], 0.8 if step % 8 == 0 else 0.6)
        for step in _count_steps(moment, 2)
    ]


def _rolls(moment: Moment) -> list[Note]:
    """Plays sixteenths in threes against fours, as a banjo does."""
    cycle = (0, 1, 2, 0, 1, 2, 0, 2)
    return [
        moment.note(step, 2, moment.voicing[cycle[step % 8]], 0.8 * moment.accent(step))
        for step in _count_steps(moment, 1)
    ]


def _arpeggio(moment: Moment, every: int = 2) -> list[Note]:
    """Runs up and down the chord."""
    tones = (*moment.voicing, moment.voicing[0] + 12)
    cycle = (*tones, *tones[-2:0:-1])
    return [
        moment.note(step, 1.6 * every, cycle[step // every % len(cycle)], 0.75)
        for step in _count_steps(moment, every)
    ]


def _sixteenth_arpeggio(moment: Moment) -> list[Note]:
    return _arpeggio(moment, every=1)


def _broken_chords(moment: Moment) -> list[Note]:
    """Plays a low root, then the rest of the chord in quarters."""
    notes = [moment.note(0, moment.bar.steps, moment.voicing[0] - 12, 0.85)]
    for step in range(4, moment.bar.steps if moment.bar.section != "end" else 5, 4):
        notes += [moment.note(step, 4, pitch, 0.6) for pitch in moment.voicing]
    return notes


def _power(moment: Moment) -> list[Note]:
    """Plays root, fifth and octave at a time."""
    root = moment.voicing[0]
    return [
        moment.note(step, steps, root + interval, 0.95 * moment.accent(step))
        for step, steps in moment.list_strokes()
        for interval in (0, 7, 12)
    ]


def _muted_line(moment: Moment) -> list[Note]:
    """Plays single short notes: root, fifth, octave."""
    figure = (0, 0, 12, 0, 7, 0, 12, 10)
    root = moment.voicing[0]
    return [
        moment.note(step, 1, root + figure[step // 2 % 8], 0.8 * moment.accent(step))
        for step in _count_steps(moment, 2)
    ]


def _bass(moment: Moment) -> list[Note]:
    """Plays the root, and a step toward the next chord at the end of a section."""
    root = moment.voicing[0]
    notes = [
        moment.note(step, steps, root, 0.95 * moment.accent(step))
        for step, steps in moment.list_strokes()
    ]
    if moment.bar.fill:
        way = find_near(moment.bar.following[0], root) - int(moment.rng.choice((-2, 1, 2)))
        notes.append(moment.note(moment.bar.steps - 2, 2, way, 0.8))
    return notes


def _octaves(moment: Moment) -> list[Note]:
    """Plays the root on the beat and its octave off it."""
    root = moment.voicing[0]
    return [
        moment.note(step, min(steps, 1.5), root + (12 if step % 4 else 0), 0.9)
        for step, steps in moment.list_strokes()
    ]


def _walking(moment: Moment) -> list[Note]:
    """Walks in quarters: the root, chord tones, and a half-step into the next chord."""
    root, bar = moment.voicing[0], moment.bar
    if bar.section == "end":
        return [moment.note(0, bar.steps, root, 0.9)]
    tones = [find_near(tone, root + 5) for tone in bar.tones[1:3]]
    target = find_near(bar.following[0], root)
    approach = target + int(moment.rng.choice((-1, 1)))
    line = [root, *tones, approach] if bar.beats == 4 else [root, tones[0], approach]
    return [moment.note(4 * beat, 4, pitch, 0.85) for beat, pitch in enumerate(line)]


def _swell(moment: Moment) -> list[Note]:
    """Plays one chord that leads into the next section."""
    return _chords(moment) if moment.bar.fill or moment.bar.section == "end" else []


def _count_steps(moment: Moment, every: int) -> range:
    return range(0, moment.bar.steps if moment.bar.section != "end" else 1, every)


PATTERNS: dict[str, Callable[[Moment], list[Note]]] = {
    "sustained": _chords,
    "comping": _chords,
    "stabs": _chords,
    "off-beats": _chords,
    "pulse chords": _chords,
    "sixteenth chops": _chords,
    "bossa chords": _chords,
    "strummed": _strum,
    "picked": _pick_strings,
    "rolls": _rolls,
    "arpeggio": _arpeggio,
    "sixteenth arpeggio": _sixteenth_arpeggio,
    "broken chords": _broken_chords,
    "power eighths": _power,
    "gallop": _power,
    "ringing": _power,
    "muted line": _muted_line,
    "roots": _bass,
    "eighth roots": _bass,
    "syncopated bass": _bass,
    "pulse": _bass,
    "octaves": _octaves,
    "walking": _walking,
    "swell": _swell,
}
"""Functions that write a bar, by name of the pattern; melodies span the whole song instead."""


def play_part(
    rng: np.random.Generator,
    instrument: Instrument,
    pattern: str,
    form: Form,
    active: Sequence[bool],
) -> list[Note]:
    """Writes all that an instrument plays in a song.

    Args:
        rng: Generator that chooses rhythms and draws the errors of the hand.
        instrument: The instrument, whose range is kept.
        pattern: One of `PATTERNS`, or ``melody``, ``counter-melody``, ``riff``.
        form: Form of the song.
        active: Whether it plays, for each bar.
    """
    if pattern not in PATTERNS:
        return play_melody(rng, pattern, form, active, instrument.low, instrument.high)
    rhythms = RHYTHMS.get(pattern, ("",))
    chosen = {
        strong: _read_strokes(rhythms[int(rng.integers(len(rhythms)))]) for strong in (False, True)
    }
    is_bass = instrument.high <= 50
    voicing: tuple[int, ...] = ()
    notes: list[Note] = []
    for bar, plays in zip(form.bars, active, strict=True):
        if is_bass or pattern in ("power eighths", "gallop", "ringing"):
            root = instrument.low + (bar.tones[0] - instrument.low) % 12
            voicing = (root,)
        else:
            voicing = voice_chord(voicing, bar.tones, instrument.low, instrument.high)
        if plays:
            level = 0.55 + 0.4 * bar.strength
            moment = Moment(rng, bar, voicing, chosen[bar.strength > 0.7], level)
            notes += PATTERNS[pattern](moment)
    return notes
