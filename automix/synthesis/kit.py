"""Records the tracks of a drum kit: microphones with bleed, single pieces, or one loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from automix.parallel.workers import run_in_parallel
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
"""Pieces that are struck, by the piece of `automix.sound` in whose place they stand."""

_SECOND = {"kick out": "kick", "snare bottom": "snare", "right overhead": "overheads"}


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Take:
    """What one track records, before its level is set.

    Attributes:
        name: Name of the track.
        signal: Sound of the track, ``(frames,)`` or ``(2, frames)``.
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
    """Records the tracks of a kit.

    Args:
        drums: What the kit plays, and how it is recorded.
        engine: Engine that plays the hits.
        sample_rate: Frames per second.
        seed: Seed of the choice of drums and of the room.
    """
    rng = np.random.default_rng((seed, 5))
    keys = {piece: choices[int(rng.integers(len(choices)))] for piece, choices in KEYS.items()}
    if drums.tracks == "loop":
        whole = engine.strike(_key_hits(drums.hits, tuple(KEYS), keys), drums.kit)
        return [Take(name=drums.names["loop"], signal=whole, acoustic=False)]
    played = run_in_parallel(
        lambda struck: engine.strike(_key_hits(drums.hits, struck, keys), drums.kit),
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


def _key_hits(hits: Sequence[Hit], pieces: Sequence[str], keys: Mapping[str, int]) -> list[Hit]:
    """Selects the hits on some pieces, and names them by their keys of the drum map."""
    return [
        Hit(start_s=hit.start_s, piece=str(keys[hit.piece]), velocity=hit.velocity)
        for hit in hits
        if hit.piece in pieces
    ]


def _microphones(
    names: Mapping[str, str], pieces: Mapping[str, Signal], sample_rate: int, seed: int
) -> list[Take]:
    """Records close microphones with bleed, overheads of the whole kit, and the room."""
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
