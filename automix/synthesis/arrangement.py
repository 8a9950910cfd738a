"""Arranges a song: which instruments play, when they play, and what their tracks are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from automix.sound.chance import pick
from automix.sound.score import Hit, Note
from automix.synthesis.form import Bar, Form, write_form
from automix.synthesis.grooves import play_groove, play_percussion
from automix.synthesis.instruments import INSTRUMENTS, PERCUSSION, Instrument, Percussion
from automix.synthesis.patterns import play_part
from automix.synthesis.singing import VoicePart, write_voices
from automix.synthesis.styles import STYLES, Style

_ORCHESTRAL = ("taiko", "gong", "triangle", "tambourine")
_MICROPHONES = ("kick", "snare", "hats", "toms", "overheads")


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrangedPart:
    """What one pitched instrument plays.

    Attributes:
        name: Name of the track.
        instrument: Row of the instrument in the table.
        program: General MIDI program, from 0.
        notes: Notes that it plays.
        stereo: Whether the track is stereo.
        drive: Drive of its guitar amplifier; 0 is no amplifier.
        double_of: The track that it doubles, or none.
        lead: Whether it leads a song without a voice.
    """

    name: str
    instrument: Instrument
    program: int
    notes: tuple[Note, ...]
    stereo: bool = False
    drive: float = 0.0
    double_of: str | None = None
    lead: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DrumPart:
    """What the drum kit plays, and how it is recorded.

    Attributes:
        tracks: Kind of its tracks: ``microphones``, ``pieces`` or ``loop``.
        names: Track names by microphone or piece.
        kit: MIDI program of the drum channel.
        hits: Strokes, by the names of `automix.synthesis.grooves`.
    """

    tracks: str
    names: Mapping[str, str]
    kit: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrangement:
    """A whole song, as a score.

    Attributes:
        style: Style that its choices come from.
        form: Tempo, key, bars and length.
        drums: The drum kit, or none.
        percussion: Names of percussion instruments, each with its hits.
        parts: Pitched instruments.
        voices: Singers, the lead first.
    """

    style: Style
    form: Form
    drums: DrumPart | None
    percussion: tuple[tuple[str, tuple[Hit, ...]], ...]
    parts: tuple[ArrangedPart, ...]
    voices: tuple[VoicePart, ...]


def arrange(rng: np.random.Generator, duration_s: float | None) -> Arrangement:
    """Writes a song.

    Args:
        rng: Generator that all choices are drawn from.
        duration_s: Length of the song; none draws one from 20 … 40 s.
    """
    style = STYLES[int(rng.integers(len(STYLES)))]
    length_s = float(rng.uniform(20.0, 40.0)) if duration_s is None else duration_s
    form = write_form(rng, style, length_s)
    room = int(rng.integers(style.tracks[0], style.tracks[1] + 1))
    drums = _drums(rng, style, form)
    room -= len(drums.names) if drums else 0
    sung = rng.random() < style.vocal
    voices: list[VoicePart] = []
    if sung:
        active = [bar.section not in ("intro", "break") for bar in form.bars]
        spoken = bool(rng.random() < style.spoken)
        voices = write_voices(rng, form, active, max(min(room - 2, 4), 1), spoken=spoken)
        room -= len(voices)
    percussion = _percussion(rng, style, form, room - 3)
    room -= len(percussion)
    parts = _parts(rng, style, form, max(room, 2), lead=not sung)
    return Arrangement(
        style=style,
        form=form,
        drums=drums,
        percussion=percussion,
        parts=tuple(parts),
        voices=tuple(voices),
    )


def _draw_weighted(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    names = list(weights)
    shares = np.array([weights[name] for name in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def _drums(rng: np.random.Generator, style: Style, form: Form) -> DrumPart | None:
    tracks = _draw_weighted(rng, style.drums) if style.drums else "none"
    if tracks == "none" or not style.grooves:
        return None
    hits = play_groove(rng, pick(rng, style.grooves), form.bars, real=tracks == "microphones")
    kit = int(pick(rng, style.kits))
    pieces = {hit.piece for hit in hits}
    if tracks == "loop":
        names = {"loop": pick(rng, ("drums", "drum loop", "drum kit", "beat"))}
    elif tracks == "microphones":
        wanted = [m for m in _MICROPHONES if m != "toms" or pieces & {"high tom", "low tom"}]
        if not pieces & {"closed hat", "open hat"} or rng.random() < 0.2:
            wanted.remove("hats")
        names = {microphone: _spell(rng, microphone) for microphone in wanted}
        names |= _more_microphones(rng)
    else:
        groups = {
            "kick": {"kick"},
            "snare": {"snare", "side stick"},
            "hats": {"closed hat", "open hat"},
            "toms": {"high tom", "low tom"},
            "cymbals": {"crash", "ride"},
        }
        names = {name: _spell(rng, name) for name, group in groups.items() if pieces & group}
    return DrumPart(tracks=tracks, names=names, kit=kit, hits=tuple(hits))


def _more_microphones(rng: np.random.Generator) -> dict[str, str]:
    """Adds a room, second microphones at kick and snare, and overheads as two tracks, or none."""
    names = {}
    if rng.random() < 0.25:
        names["room"] = str(pick(rng, ("room", "drum room")))
    if rng.random() < 0.2:
        names |= {"kick": "kick in", "kick out": "kick out"}
    if rng.random() < 0.25:
        names |= {"snare": "snare top", "snare bottom": "snare bottom"}
    if rng.random() < 0.3:
        left, right = pick(rng, (("OH L", "OH R"), ("overhead left", "overhead right")))
        names |= {"overheads": str(left), "right overhead": str(right)}
    return names


def _spell(rng: np.random.Generator, piece: str) -> str:
    """Chooses what an engineer may write on the track of a piece."""
    spellings = {
        "kick": ("kick", "kick", "kick in", "kick drum", "bd"),
        "snare": ("snare", "snare", "snare top", "sn"),
        "hats": ("hats", "hi-hat", "hihat", "hh"),
        "toms": ("toms", "toms", "tom bus"),
        "overheads": ("overheads", "overheads", "OH", "drum overheads"),
        "cymbals": ("cymbals", "crash cymbals", "cymbals"),
    }
    return str(pick(rng, spellings[piece]))


def _choose_bars(bars: Sequence[Bar], need: float) -> list[bool]:
    """Chooses the bars in which a part plays: those of at least the strength ``need``.

    A part that would play in no bar, or in the last one alone, plays in all.
    """
    active = [bar.strength >= need for bar in bars]
    if not any(active[:-1]):
        active = [True] * len(bars)
    return active


def _parts(
    rng: np.random.Generator, style: Style, form: Form, room: int, *, lead: bool
) -> list[ArrangedPart]:
    """Writes bass and chords, then colors until the song is full."""
    parts: list[ArrangedPart] = []
    bass = _draw_weighted(rng, style.bass)
    if bass != "none":
        parts += _part(rng, form, bass, parts, 0.0 if rng.random() < 0.6 else 0.55, room=1)
        if room > 4 and bass in ("pick bass", "finger bass") and rng.random() < 0.25:
            direct, drive = replace(parts[0], name="bass DI"), float(rng.uniform(1.5, 4.0))
            amplifier = replace(direct, name="bass amp", drive=drive, double_of=direct.name)
            parts = [direct, amplifier]
    chords, colors = dict(style.chords), dict(style.colors)
    first = _draw_weighted(rng, chords)
    parts += _part(rng, form, first, parts, 0.0, room=room - len(parts))
    chords.pop(first)
    if lead:
        melodic = {k: w for k, w in colors.items() if "melody" in INSTRUMENTS[k].patterns}
        key = _draw_weighted(rng, melodic) if melodic else "lead guitar"
        colors.pop(key, None)
        leading = _part(rng, form, key, parts, 0.0, room=1, pattern="melody")
        parts += [replace(part, lead=True) for part in leading]
    while len(parts) < room and (chords or colors):
        table = chords if chords and (not colors or rng.random() < 0.45) else colors
        key = _draw_weighted(rng, table)
        table.pop(key)
        if key in INSTRUMENTS:
            need = float(rng.choice((0.0, 0.55, 0.7, 0.9), p=(0.35, 0.25, 0.2, 0.2)))
            parts += _part(rng, form, key, parts, need, room=room - len(parts))
    return parts


def _part(
    rng: np.random.Generator,
    form: Form,
    key: str,
    others: Sequence[ArrangedPart],
    need: float,
    *,
    room: int,
    pattern: str | None = None,
) -> list[ArrangedPart]:
    """Writes a part, and its double where the instrument is doubled and there is room."""
    instrument = INSTRUMENTS[key]
    active = _choose_bars(form.bars, need)
    pattern = pattern or str(pick(rng, instrument.patterns))
    program = int(pick(rng, instrument.programs))
    drive = float(rng.uniform(*instrument.amplifier))
    name = _free_name(rng, instrument.names, [part.name for part in others])
    stereo = bool(rng.random() < instrument.stereo)
    doubled = room >= 2 and rng.random() < instrument.doubled

    def play(name: str, double_of: str | None = None) -> ArrangedPart:
        state = np.random.default_rng(seed)  # both play the same, each with errors of their own
        notes = play_part(state, instrument, pattern, form, active)
        if double_of:
            notes = [_play_again(rng, note) for note in notes]
        return ArrangedPart(
            name=name,
            instrument=instrument,
            program=program,
            notes=tuple(note for note in notes if note.start_s < form.duration_s - 0.1),
            stereo=stereo and not doubled,
            drive=drive * (rng.uniform(0.8, 1.25) if double_of else 1.0) if drive > 0.3 else 0.0,
            double_of=double_of,
        )

    seed = int(rng.integers(2**32))
    if not doubled:
        return [play(name)]
    endings = (("left", "right"), ("L", "R"), ("1", "2"), ("", "double"))
    first, second = (f"{name} {ending}".strip() for ending in pick(rng, endings))
    return [play(first), play(second, double_of=first)]


def _play_again(rng: np.random.Generator, note: Note) -> Note:
    return replace(
        note,
        start_s=max(note.start_s + float(rng.normal(0.0, 0.009)), 0.0),
        velocity=float(np.clip(note.velocity * rng.normal(1.0, 0.08), 0.12, 1.0)),
    )


def _free_name(rng: np.random.Generator, names: Sequence[str], taken: Sequence[str]) -> str:
    """Chooses a name that no other track has, nor begins with."""
    free = [name for name in names if not any(other.startswith(name) for other in taken)]
    if free:
        return str(pick(rng, free))
    number = 2
    while any(other.startswith(f"{names[0]} {number}") for other in taken):
        number += 1
    return f"{names[0]} {number}"


def _percussion(
    rng: np.random.Generator, style: Style, form: Form, room: int
) -> tuple[tuple[str, tuple[Hit, ...]], ...]:
    wanted = min(int(rng.integers(style.percussion + 1)), room, 3)
    usual = [p for p in PERCUSSION if (p.name in _ORCHESTRAL) == (style.name == "cinematic")]
    chosen: list[Percussion] = [
        usual[int(i)] for i in rng.permutation(len(usual))[: max(wanted, 0)]
    ]
    played = []
    for instrument in chosen:
        active = _choose_bars(form.bars, float(rng.choice((0.0, 0.55, 0.9))))
        played.append((instrument.name, tuple(play_percussion(rng, instrument, form.bars, active))))
    return tuple(played)
