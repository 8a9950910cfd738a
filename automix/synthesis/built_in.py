"""Plays songs with the instruments of `automix.sound`, where FluidSynth is not installed."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from automix.sound.drums import PIECES, Stroke, block, clap, cymbal, tom
from automix.sound.filters import Signal, add_at
from automix.sound.instruments import SOUNDS
from automix.sound.score import Hit, Note
from automix.synthesis.instruments import Instrument

TAKES = 2
"""Variations of each note, played in turn."""

VELOCITY_LAYERS = 5
_LENGTHS_PER_SECOND = 12.0

_SHAKE = partial(cymbal, decay_s=0.05, low_hz=5500.0, duration_s=0.12)

STROKES: dict[int, Stroke] = {
    35: PIECES["kick"], 36: PIECES["kick"],
    37: partial(block, frequency_hz=780.0), 38: PIECES["snare"], 40: PIECES["snare"], 39: clap,
    42: PIECES["closed hat"], 44: PIECES["closed hat"], 46: PIECES["open hat"],
    49: PIECES["crash"], 57: PIECES["crash"],
    51: partial(cymbal, decay_s=0.5, low_hz=2600.0, duration_s=1.2),
    **{key: PIECES["low tom"] for key in (41, 43, 45)},
    **{key: PIECES["high tom"] for key in (47, 48, 50)},
    54: partial(cymbal, decay_s=0.12, low_hz=6500.0, duration_s=0.25),
    56: partial(block, frequency_hz=560.0),
    60: partial(tom, 390.0), 61: partial(tom, 290.0), 62: partial(tom, 330.0),
    63: partial(tom, 240.0), 64: partial(tom, 190.0), 65: partial(tom, 300.0),
    66: partial(tom, 225.0), 75: partial(block, frequency_hz=2500.0),
    76: partial(block, frequency_hz=1150.0), 77: partial(block, frequency_hz=840.0),
    80: partial(cymbal, decay_s=0.2, low_hz=5000.0, duration_s=0.3),
    81: partial(cymbal, decay_s=0.6, low_hz=5000.0, duration_s=1.0),
}  # fmt: skip
"""Strokes by General MIDI key; any other is a shaker."""


class BuiltIn:
    """Plays the instruments of `automix.sound`, where FluidSynth is not installed.

    Args:
        frames: Length of what is rendered.
        sample_rate: Frames per second.
        seed: Seed of the variations of notes and strokes.
    """

    def __init__(self, frames: int, sample_rate: int, seed: int) -> None:
        self._frames = frames
        self._rate = sample_rate
        self._seed = seed

    def play(self, notes: Sequence[Note], instrument: Instrument, program: int) -> Signal:
        """Plays the notes with the sound that stands in for the instrument, ``(2, frames)``."""
        sound = SOUNDS[instrument.built_in]
        rng = np.random.default_rng((self._seed, program))
        takes: dict[tuple[int, ...], Signal] = {}
        track = np.zeros(self._frames)
        for index, note in enumerate(notes):
            layer = max(round(note.velocity * VELOCITY_LAYERS), 1)
            length = max(round(note.duration_s * _LENGTHS_PER_SECOND), 1)
            key = (note.pitch, layer, length, index % TAKES)
            if key not in takes:
                takes[key] = sound(
                    note.pitch,
                    layer / VELOCITY_LAYERS,
                    length / _LENGTHS_PER_SECOND,
                    rng,
                    self._rate,
                )
            add_at(track, takes[key], round(note.start_s * self._rate))
        return np.stack([track, track])

    def strike(self, hits: Sequence[Hit], kit: int) -> Signal:
        """Plays the strokes; the ``piece`` of a hit is the number of its key, ``(2, frames)``."""
        rng = np.random.default_rng((self._seed, 128 + kit))
        takes: dict[tuple[int, ...], Signal] = {}
        track = np.zeros(self._frames)
        for index, hit in enumerate(hits):
            layer = max(round(hit.velocity * VELOCITY_LAYERS), 1)
            key = (int(hit.piece), layer, index % TAKES)
            if key not in takes:
                stroke = STROKES.get(int(hit.piece), _SHAKE)
                takes[key] = stroke(layer / VELOCITY_LAYERS, rng, self._rate)
            gain = hit.velocity * VELOCITY_LAYERS / layer
            add_at(track, gain * takes[key], round(hit.start_s * self._rate))
        return np.stack([track, track])
