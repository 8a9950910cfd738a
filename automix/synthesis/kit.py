"""The tracks of a drum kit: microphones with bleed, single pieces, or one loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from automix.parallel.workers import in_parallel
from automix.sound.filters import Signal, add_at, filter_signal, high_pass, low_pass
from automix.sound.performance import record_drums, reverberate
from automix.sound.score import Hit
from automix.synthesis.arrangement import DrumPart
from automix.synthesis.engines import Engine

KEYS: dict[str, tuple[int, ...]] = {
    "kick": (36, 35), "snare": (38, 40), "side stick": (37,), "closed hat": (42,),
    "open hat": (46,), "high tom": (48, 50, 47), "low tom": (43, 41, 45), "crash": (49, 57),
    "ride": (51, 53),
}  # fmt: skip
"""Keys of the General MIDI drum map; a song chooses one per piece."""

_DEMO_PIECES = {
    "kick": ("kick",), "snare": ("snare", "side stick"), "closed hat": ("closed hat", "open hat"),
    "crash": ("crash", "ride"), "high tom": ("high tom",), "low tom": ("low tom",),
}  # fmt: skip
"""What is struck, by the piece of `automix.demo` in whose place it stands."""

_SECOND = {"kick out": "kick", "snare bottom": "snare", "right overhead": "overheads"}


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Take:
    """What one track records, before its level.

    Attributes:
        name: Of the track.
        signal: ``(frames,)`` or ``(2, frames)``.
        double_of: The track that it doubles, or none.
        lead: Whether it leads the song.
        second: Whether it is a second microphone at the same source.
        inverted: Whether its polarity is opposite to that of the first microphone.
        acoustic: Whether microphones or amplifiers add their noise.
    """

    name: str
    signal: Signal
    double_of: str | None = None
    lead: bool = False
    second: bool = False
    inverted: bool = False
    acoustic: bool = True


def record_kit(drums: DrumPart, engine: Engine, sample_rate: int, seed: int) -> list[Take]:
    """The tracks of a kit.

    Args:
        drums: What is played, and how it is recorded.
        engine: Strikes.
        sample_rate: Frames per second.
        seed: Of the kit and its room.
    """
    rng = np.random.default_rng((seed, 5))
    keys = {piece: choices[int(rng.integers(len(choices)))] for piece, choices in KEYS.items()}
    if drums.tracks == "loop":
        whole = engine.strike(_keyed(drums.hits, tuple(KEYS), keys), drums.kit)
        return [Take(name=drums.names["loop"], signal=whole, acoustic=False)]
    played = in_parallel(
        lambda struck: engine.strike(_keyed(drums.hits, struck, keys), drums.kit),
        _DEMO_PIECES.values(),
    )
    pieces = dict(zip(_DEMO_PIECES, played, strict=True))
    if drums.tracks == "microphones":
        return _microphones(drums.names, pieces, sample_rate, seed)
    groups = {
        "kick": pieces["kick"].mean(axis=0),
        "snare": pieces["snare"].mean(axis=0),
        "hats": pieces["closed hat"].mean(axis=0),
        "toms": pieces["high tom"] + pieces["low tom"],
        "cymbals": pieces["crash"],
    }
    return [
        Take(name=name, signal=groups[group], acoustic=False) for group, name in drums.names.items()
    ]


def _keyed(hits: Sequence[Hit], pieces: Sequence[str], keys: Mapping[str, int]) -> list[Hit]:
    """The strokes on some pieces, as keys of the drum map."""
    return [
        Hit(start_s=hit.start_s, piece=str(keys[hit.piece]), velocity=hit.velocity)
        for hit in hits
        if hit.piece in pieces
    ]


def _microphones(
    names: Mapping[str, str], pieces: Mapping[str, Signal], sample_rate: int, seed: int
) -> list[Take]:
    """Close microphones with bleed, overheads of the whole kit, and the room."""
    mono = {name: stereo.mean(axis=0) for name, stereo in pieces.items()}
    mono["open hat"] = np.zeros_like(mono["kick"])  # plays on the track of the closed one
    tracks = record_drums(mono, seed, sample_rate)
    rng = np.random.default_rng((seed, 6))
    overheads = tracks["overheads"]
    if "room" in names:
        t60_s = float(rng.uniform(0.5, 1.1))
        tracks["room"] = np.stack(
            [reverberate(side, sample_rate, rng, t60_s) for side in overheads]
        )
    if "kick out" in names:
        outside = np.zeros_like(mono["kick"])
        add_at(outside, tracks["kick"] + 0.04 * overheads[0], round(0.0015 * sample_rate))
        tracks["kick out"] = filter_signal(outside, sample_rate, low_pass(1500.0, 2))
    if "snare bottom" in names:
        below = filter_signal(mono["snare"], sample_rate, high_pass(500.0, 2))
        tracks["snare bottom"] = -below - 0.05 * mono["kick"] - 0.02 * mono["closed hat"]
    if "right overhead" in names:
        tracks["overheads"], tracks["right overhead"] = overheads
    return [
        Take(
            name=name,
            signal=tracks[microphone],
            double_of=names[_SECOND[microphone]] if microphone == "right overhead" else None,
            second=microphone in ("kick out", "snare bottom"),
            inverted=microphone == "snare bottom",
        )
        for microphone, name in names.items()
    ]
