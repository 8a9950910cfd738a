"""Plays drum grooves: one bar of sixteenths per piece, with fills, crashes and a human hand."""

from collections.abc import Sequence

import numpy as np

from automix.sound.chance import pick
from automix.sound.score import Hit
from automix.synthesis.form import Bar
from automix.synthesis.instruments import Percussion

TIMING_S = 0.005
"""Standard deviation of a drummer's timing."""

VELOCITIES = {"X": 1.0, "x": 0.85, "o": 0.5, "-": 0.28}

GROOVES: dict[str, dict[str, tuple[str, ...]]] = {
    "backbeat": {
        "kick": ("X.......X.......", "X.....x.X.......", "X.......X.x.....", "X..x....X.x..x.."),
        "snare": ("....X.......X...", "....X..-....X..-"),
        "closed hat": ("x.o.x.o.x.o.x.o.", "x...x...x...x..."),
    },
    "eighths": {
        "kick": ("X...x...X...x...", "X.x.....X.x....."),
        "snare": ("....X.......X...",),
        "closed hat": ("xoxoxoxoxoxoxoxo", "x.x.x.x.x.x.x.x."),
    },
    "rock drive": {
        "kick": ("X.x...x.X.x...x.", "X..xx...X..xx...", "X.......X.x....."),
        "snare": ("....X.......X...",),
        "ride": ("x.o.x.o.x.o.x.o.", "x...x...x...x..."),
    },
    "double kick": {
        "kick": ("xxxxxxxxxxxxxxxx", "x.xxx.xxx.xxx.xx"),
        "snare": ("....X.......X...", "........X......."),
        "ride": ("x...x...x...x...", "x.x.x.x.x.x.x.x."),
    },
    "half time": {
        "kick": ("X.........x.....", "X..x......x..x.."),
        "snare": ("........X.......",),
        "closed hat": ("x.o.x.o.x.o.x.o.", "x...o...x...o..."),
    },
    "four on the floor": {
        "kick": ("X...X...X...X...",),
        "snare": ("....X.......X...", "................", "....x.......x..o"),
        "closed hat": ("..x...x...x...x.", "xoxoxoxoxoxoxoxo"),
        "open hat": ("..x...x...x...x.", "................"),
    },
    "breakbeat": {
        "kick": ("X.X.......X.....", "X..x......X..x..", "X.....x...X....."),
        "snare": ("....X..-.-..X..-", "....X.......X..o"),
        "closed hat": ("x.o.x.o.x.o.x.o.",),
    },
    "sixteenths": {
        "kick": ("X..x..x...x.....", "X..X......x..x.."),
        "snare": ("....X..-.-..X..-", "....X..-....X-.-"),
        "closed hat": ("xoxoxoxoxoxoxoxo", "xooxxooxxooxxoox"),
    },
    "syncopated": {
        "kick": ("X.x....x..x..x..", "X......x.xx....."),
        "snare": ("....X..o.o..X...", "....X..-.-.-X..-"),
        "closed hat": ("x.xox.xox.xox.xo",),
    },
    "ballad": {
        "kick": ("X.......x.......", "X......x..x....."),
        "snare": ("....x.......x...",),
        "closed hat": ("x...o...x...o...", "x.o.x.o.x.o.x.o."),
    },
    "side stick": {
        "kick": ("X.......x.......", "X.....x.x......."),
        "side stick": ("....x.......x...",),
        "closed hat": ("o.-.o.-.o.-.o.-.",),
    },
    "boom bap": {
        "kick": ("X......x..X.....", "X.x.......X..x..", "X..x....x.x....."),
        "snare": ("....X.......X...", "....X.......X..-"),
        "closed hat": ("x.o.x.o.x.o.x.o.", "x.oox.o.x.oox.o."),
    },
    "trap": {
        "kick": ("X......x..x.....", "X.....x......x.."),
        "snare": ("........X.......",),
        "closed hat": ("x.x.xxx.x.x.xxxx", "xxxxxxxxxxxxxxxx", "x.x.x.xxx.x.x.x."),
        "open hat": ("..............x.", "................"),
    },
    "swing": {
        "kick": ("-.......-.......", "o...-...o...-..."),
        "snare": ("......-.......-.", "..........-....."),
        "ride": ("x...x.o.x...x.o.",),
        "closed hat": ("....o.......o...",),
    },
    "bossa": {
        "kick": ("x.....ox.....o..", "x.....o.x.....o."),
        "side stick": ("x..x..x...x..x..",),
        "closed hat": ("o.o.o.o.o.o.o.o.",),
    },
    "latin": {
        "kick": ("x.....x.....x...", "x..x..x.x..x..x."),
        "side stick": ("..x...x...x.x...",),
        "closed hat": ("x.o.x.o.x.o.x.o.",),
    },
    "train": {
        "kick": ("x.......x.......",),
        "snare": ("--x---x---x---x-",),
    },
    "one drop": {
        "kick": ("........X.......",),
        "side stick": ("........X.......", "........X.....o."),
        "closed hat": ("x.o.x.o.x.o.x.o.", "o.x.o.x.o.x.o.x."),
    },
    "steppers": {
        "kick": ("X...X...X...X...",),
        "snare": ("........X.......",),
        "closed hat": ("x.oox.oox.oox.oo",),
    },
}
"""Patterns of each piece to choose from: ``X`` and ``x`` are strokes, ``o`` weak, ``-`` ghosts."""


def play_groove(
    rng: np.random.Generator, name: str, bars: Sequence[Bar], *, real: bool
) -> list[Hit]:
    """Plays a groove as a drummer, or as a drum machine.

    Args:
        rng: Generator that draws the patterns, the fills and the errors of the hand.
        name: Name of the groove, one of `GROOVES`.
        bars: Bars of the song.
        real: Whether a person plays; a machine keeps time and seldom plays a fill.
    """
    groove = GROOVES[name]
    chosen = {
        strong: {piece: pick(rng, patterns) for piece, patterns in groove.items()}
        for strong in (False, True)
    }
    opened = bool(rng.random() < 0.5)
    quiet_intro = bool(rng.random() < 0.5)
    hits: list[Hit] = []
    for bar in bars:
        if bar.section == "end":
            hits += [_make_hit(rng, bar, 0, piece, 0.9, real) for piece in ("kick", "crash")]
            continue
        resting = quiet_intro and bar.section in ("intro", "break")
        for piece, pattern in chosen[bar.strength > 0.7].items():
            if resting and piece in ("kick", "snare"):
                continue
            hits += _play_bar(rng, bar, piece, pattern, real, opened)
        if bar.opens and bar.number and bar.strength > 0.55:
            hits.append(_make_hit(rng, bar, 0, "crash", 0.85, real))
        if bar.fill and not resting and rng.random() < (0.85 if real else 0.3):
            hits += _fill(rng, bar, real)
    return hits


def _play_bar(
    rng: np.random.Generator, bar: Bar, piece: str, pattern: str, real: bool, opened: bool
) -> list[Hit]:
    end = bar.steps - 4 if bar.fill and piece in ("snare", "closed hat", "ride") else bar.steps
    hits = []
    for step in range(end):
        mark = pattern[step % len(pattern)]
        if mark not in VELOCITIES:
            continue
        played = piece
        if piece == "closed hat" and opened and bar.strength == 1.0 and step % 4 == 2:
            played = "open hat"
        level = VELOCITIES[mark] * (0.7 + 0.3 * bar.strength)
        hits.append(_make_hit(rng, bar, step, played, level, real))
    return hits


def _fill(rng: np.random.Generator, bar: Bar, real: bool) -> list[Hit]:
    """Fills the last beat with a roll over snare and toms."""
    first = bar.steps - 4
    pieces = ("snare", "snare", "high tom", "high tom", "low tom", "low tom")
    start = int(rng.integers(3))
    steps = (0, 1, 2, 3) if rng.random() < 0.7 else (0, 2, 3)
    return [
        _make_hit(rng, bar, first + step, pieces[min(start + step, 5)], 0.65 + 0.08 * step, real)
        for step in steps
    ]


def play_percussion(
    rng: np.random.Generator, instrument: Percussion, bars: Sequence[Bar], active: Sequence[bool]
) -> list[Hit]:
    """Plays a percussion instrument; the ``piece`` of a hit is its MIDI key, as text."""
    rhythm = pick(rng, instrument.rhythms)
    hits = []
    for bar, plays in zip(bars, active, strict=True):
        for step in range(bar.steps if plays else 0):
            mark = rhythm[step % len(rhythm)]
            if mark in VELOCITIES and (bar.section != "end" or step == 0):
                strong = mark in "Xx"
                place = 0 if strong else int(rng.integers(len(instrument.keys)))
                key = str(instrument.keys[place])
                hits.append(_make_hit(rng, bar, step, key, VELOCITIES[mark], real=True))
    return hits


def _make_hit(
    rng: np.random.Generator, bar: Bar, step: int, piece: str, velocity: float, real: bool
) -> Hit:
    late_s = rng.normal(0.0, TIMING_S) if real else 0.0
    spread = 0.07 if real else 0.02
    return Hit(
        start_s=max(bar.find_time(step) + late_s, 0.0),
        piece=piece,
        velocity=float(np.clip(velocity * rng.normal(1.0, spread), 0.08, 1.0)),
    )
