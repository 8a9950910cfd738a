"""Built-in instruments, for where FluidSynth is not installed: those of the demo song and a few."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from automix.sound.drums import PIECES, cymbal, tom
from automix.sound.filters import (
    Signal,
    add_at,
    band_pass,
    fade_ends,
    filter_signal,
    low_pass,
    noise,
    seconds,
)
from automix.sound.instruments import INSTRUMENTS
from automix.sound.instruments import Instrument as Sound
from automix.sound.score import Hit, Note, pitch_to_hz
from automix.synthesis.instruments import Instrument

TAKES = 2
"""Variations of each note, played in turn."""

VELOCITY_LAYERS = 5
_LENGTHS_PER_SECOND = 12.0


def _partials(frequency_hz: float, rate: int, most: int) -> Signal:
    highest_hz = min(9000.0, 0.45 * rate)
    return np.arange(1, max(min(most, int(highest_hz / frequency_hz)), 1) + 1, dtype=np.float64)


def piano(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, rate: int
) -> Signal:
    """Struck strings: slightly inharmonic partials, the high ones dying first, and the hammer."""
    frequency_hz = pitch_to_hz(pitch)
    t = seconds(duration_s + 0.12, rate)
    sound = np.zeros(t.size)
    for number in _partials(frequency_hz, rate, 14):
        partial_hz = number * frequency_hz * np.sqrt(1.0 + 4e-4 * number**2)
        if partial_hz > 0.45 * rate:
            break
        decay_s = 2.2 * (220.0 / frequency_hz) ** 0.5 / (1.0 + 0.35 * number)
        level = number ** (-1.6 + 0.8 * velocity)
        sound += (
            level * np.sin(2 * np.pi * partial_hz * t + rng.uniform(0, 6)) * np.exp(-t / decay_s)
        )
    hammer = filter_signal(
        noise(rng, t.size, rate) * np.exp(-t / 0.012), rate, band_pass(1200.0, 0.7)
    )
    return velocity * 0.4 * fade_ends(sound + 0.3 * velocity * hammer, rate, 0.001, 0.12)


def organ(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, rate: int
) -> Signal:
    """Drawbars with a slow rotor; also the nearest thing to a flute or a reed."""
    frequency_hz = pitch_to_hz(pitch)
    t = seconds(duration_s + 0.05, rate)
    turn = 0.4 * np.sin(2.0 * np.pi * 5.9 * t + rng.uniform(0, 6))
    sound = np.zeros(t.size)
    for multiple, level in (
        (0.5, 0.3),
        (1.0, 1.0),
        (1.5, 0.3),
        (2.0, 0.6),
        (3.0, 0.35),
        (4.0, 0.2),
    ):
        if multiple * frequency_hz < 0.45 * rate:
            sound += level * np.sin(multiple * (2.0 * np.pi * frequency_hz * t + turn))
    return 0.3 * velocity * fade_ends(sound, rate, 0.015, 0.05)


def saw(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, rate: int
) -> Signal:
    """Two detuned saw waves through a filter that closes; synthesizers, brass and bowed strings."""
    frequency_hz = pitch_to_hz(pitch)
    t = seconds(duration_s + 0.08, rate)
    numbers = _partials(frequency_hz, rate, 40)
    corner_hz = 600.0 + 3200.0 * velocity
    levels = 1.0 / numbers / (1.0 + (numbers * frequency_hz / corner_hz) ** 2)
    phase = np.arange(2049) / 2048.0
    cycle = np.sin(2.0 * np.pi * np.outer(phase, numbers)) @ levels
    vibrato = 0.0015 * np.sin(2.0 * np.pi * 5.3 * t) * np.clip((t - 0.25) / 0.3, 0.0, 1.0)
    sound = np.zeros(t.size)
    for cents in (-6.0, 5.0):
        cycles = np.cumsum((1.0 + vibrato) * frequency_hz * 2.0 ** (cents / 1200.0)) / rate
        position = (cycles + rng.uniform()) % 1.0
        sound += cycle[(position * 2048.0).astype(np.int64)]
    return 0.4 * velocity * fade_ends(sound * (0.6 + 0.4 * np.exp(-t / 0.2)), rate, 0.012, 0.08)


def sub(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, rate: int
) -> Signal:
    """A sine wave with a little saturation."""
    t = seconds(duration_s + 0.08, rate)
    drop = 1.0 + 0.6 * np.exp(-t / 0.02)
    phase = 2.0 * np.pi * np.cumsum(pitch_to_hz(pitch) * drop) / rate
    return velocity * fade_ends(np.tanh(1.5 * np.sin(phase)) * np.exp(-t / 1.5), rate, 0.004, 0.08)


SOUNDS: dict[str, Sound] = {**INSTRUMENTS, "piano": piano, "organ": organ, "saw": saw, "sub": sub}
"""Every pitched sound, by name."""

Stroke = Callable[[float, np.random.Generator, int], Signal]


def _block(velocity: float, rng: np.random.Generator, rate: int, *, frequency_hz: float) -> Signal:
    """A struck piece of wood or metal."""
    t = seconds(0.3, rate)
    sound = np.sin(2.0 * np.pi * frequency_hz * t) * np.exp(-t / 0.03)
    sound += 0.5 * np.sin(2.0 * np.pi * 2.7 * frequency_hz * t) * np.exp(-t / 0.015)
    return 0.6 * velocity * fade_ends(sound + 0.05 * noise(rng, t.size, rate) * np.exp(-t / 0.004),
                                  rate, 0.0003, 0.1)  # fmt: skip


def _clap(velocity: float, rng: np.random.Generator, rate: int) -> Signal:
    """Several hands, not quite together."""
    t = seconds(0.3, rate)
    level = sum((np.exp(-np.abs(t - late_s) / 0.006) for late_s in (0.0, 0.011, 0.021)), 0.0 * t)
    sound = noise(rng, t.size, rate) * (level + 0.4 * np.exp(-t / 0.06))
    return (
        0.5
        * velocity
        * fade_ends(
            filter_signal(sound, rate, band_pass(1500.0, 0.8), low_pass(8000.0)), rate, 0.001, 0.1
        )
    )


_SHAKE = partial(cymbal, decay_s=0.05, low_hz=5500.0, duration_s=0.12)

STROKES: dict[int, Stroke] = {
    35: PIECES["kick"], 36: PIECES["kick"],
    37: partial(_block, frequency_hz=780.0), 38: PIECES["snare"], 40: PIECES["snare"], 39: _clap,
    42: PIECES["closed hat"], 44: PIECES["closed hat"], 46: PIECES["open hat"],
    49: PIECES["crash"], 57: PIECES["crash"],
    51: partial(cymbal, decay_s=0.5, low_hz=2600.0, duration_s=1.2),
    **{key: PIECES["low tom"] for key in (41, 43, 45)},
    **{key: PIECES["high tom"] for key in (47, 48, 50)},
    54: partial(cymbal, decay_s=0.12, low_hz=6500.0, duration_s=0.25),
    56: partial(_block, frequency_hz=560.0),
    60: partial(tom, 390.0), 61: partial(tom, 290.0), 62: partial(tom, 330.0),
    63: partial(tom, 240.0), 64: partial(tom, 190.0), 65: partial(tom, 300.0),
    66: partial(tom, 225.0), 75: partial(_block, frequency_hz=2500.0),
    76: partial(_block, frequency_hz=1150.0), 77: partial(_block, frequency_hz=840.0),
    80: partial(cymbal, decay_s=0.2, low_hz=5000.0, duration_s=0.3),
    81: partial(cymbal, decay_s=0.6, low_hz=5000.0, duration_s=1.0),
}  # fmt: skip
"""Strokes by General MIDI key; any other is a shaker."""


class BuiltIn:
    """Built-in instruments.

    Args:
        frames: Length of what is rendered.
        sample_rate: Frames per second.
        seed: No two seeds sound quite alike.
    """

    def __init__(self, frames: int, sample_rate: int, seed: int) -> None:
        self._frames = frames
        self._rate = sample_rate
        self._seed = seed

    def play(self, notes: Sequence[Note], instrument: Instrument, program: int) -> Signal:
        """See `automix.synthesis.engines.Engine.play`."""
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
        """See `automix.synthesis.engines.Engine.strike`."""
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
