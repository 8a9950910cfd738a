"""Renders a score into raw tracks, as a recording session would, and into a rough backing mix."""

from collections.abc import Sequence

import numpy as np

from automix.sound.chance import make_generator
from automix.sound.drums import PIECES
from automix.sound.filters import (
    Signal,
    add_at,
    choose_fft_size,
    filter_signal,
    high_pass,
    low_pass,
    make_noise,
)
from automix.sound.instruments import SOUNDS, amplify_guitar
from automix.sound.score import Hit, Note, Score
from automix.sound.voice import Singer, sing

TAKES = 4
"""Recorded variations of each drum stroke, played in turn."""

VELOCITY_LAYERS = 5

CLOSE_MICS = {
    "kick": {"kick": 1.0, "snare": 0.02, "low tom": 0.03},
    "snare": {"snare": 1.0, "kick": 0.03, "closed hat": 0.05, "open hat": 0.05, "high tom": 0.05},
    "hats": {"closed hat": 1.0, "open hat": 1.0, "snare": 0.06, "crash": 0.08},
    "toms": {"high tom": 1.0, "low tom": 1.0, "snare": 0.03, "kick": 0.02},
}
"""Gain of each piece in each close microphone: its own, and what bleeds in."""

OVERHEAD_POSITIONS = {
    # gain and distance in meters of each piece at the left and the right microphone
    "kick": (0.3, 1.6, 0.3, 1.6),
    "snare": (0.6, 1.15, 0.55, 1.2),
    "closed hat": (0.8, 0.8, 0.35, 1.5),
    "open hat": (0.8, 0.8, 0.35, 1.5),
    "crash": (0.9, 0.6, 0.7, 1.0),
    "high tom": (0.5, 1.0, 0.5, 1.2),
    "low tom": (0.3, 1.6, 0.6, 0.9),
}

SPEED_OF_SOUND_M_S = 343.0


def render_kit(hits: Sequence[Hit], frames: int, seed: int, rate: int) -> dict[str, Signal]:
    """Plays the hits; returns each piece of the kit alone, ``(frames,)``."""
    pieces: dict[str, Signal] = {name: np.zeros(frames) for name in PIECES}
    takes: dict[tuple[str, int, int], Signal] = {}
    for index, hit in enumerate(hits):
        layer = max(round(hit.velocity * VELOCITY_LAYERS), 1)
        key = (hit.piece, layer, index % TAKES)
        if key not in takes:
            rng = make_generator(seed, f"{hit.piece} {layer} {index % TAKES}")
            takes[key] = PIECES[hit.piece](layer / VELOCITY_LAYERS, rng, rate)
        gain = hit.velocity * VELOCITY_LAYERS / layer
        add_at(pieces[hit.piece], gain * takes[key], round(hit.start_s * rate))
    return pieces


def record_drums(pieces: dict[str, Signal], seed: int, rate: int) -> dict[str, Signal]:
    """Records a kit with close microphones ``(frames,)`` and overheads ``(2, frames)``.

    Args:
        pieces: Each piece of the kit alone, from `render_kit`.
        seed: Seed of the room.
        rate: Frames per second.

    Returns:
        Signals by name of the microphone; ``overheads`` is stereo.
    """
    tracks: dict[str, Signal] = {
        microphone: sum((gain * pieces[piece] for piece, gain in gains.items()), np.zeros(1))
        for microphone, gains in CLOSE_MICS.items()
    }
    frames = pieces["kick"].size
    overheads = np.zeros((2, frames))
    for piece, (left, left_m, right, right_m) in OVERHEAD_POSITIONS.items():
        for channel, gain, distance_m in ((0, left, left_m), (1, right, right_m)):
            delay = round(distance_m / SPEED_OF_SOUND_M_S * rate)
            add_at(overheads[channel], gain * pieces[piece], delay)
    for channel in range(2):
        room = reverberate(
            overheads[channel], rate, make_generator(seed, f"room {channel}"), t60_s=0.45
        )
        direct = filter_signal(overheads[channel], rate, high_pass(120.0))
        overheads[channel] = direct + 0.35 * room
    return {**tracks, "overheads": overheads}


def render_part(
    notes: Sequence[Note], instrument: str, frames: int, rng: np.random.Generator, rate: int
) -> Signal:
    """Plays the notes of one instrument, ``(frames,)``."""
    play = SOUNDS[instrument]
    track = np.zeros(frames)
    for note in notes:
        sound = play(note.pitch, note.velocity, note.duration_s, rng, rate)
        add_at(track, sound, round(note.start_s * rate))
    return track


def record_band(score: Score, frames: int, seed: int, rate: int) -> dict[str, Signal]:
    """Records bass, guitars through their amplifiers, keys and pad, each ``(frames,)``."""

    def part(name: str, instrument: str) -> Signal:
        return render_part(score.parts[name], instrument, frames, make_generator(seed, name), rate)

    bass = part("bass", "bass")
    keys = part("keys", "electric piano")
    tremolo = 1.0 + 0.12 * np.sin(2.0 * np.pi * 4.6 * np.arange(frames) / rate)
    return {
        "bass": filter_signal(np.tanh(1.5 * bass), rate, high_pass(30.0), low_pass(1100.0, 2)),
        "guitar left": amplify_guitar(part("guitar left", "guitar"), rate, drive=0.9),
        "guitar right": amplify_guitar(part("guitar right", "muted guitar"), rate, drive=2.5),
        "keys": filter_signal(keys * tremolo, rate, high_pass(60.0)),
        "pad": filter_signal(part("pad", "pad"), rate, high_pass(120.0), low_pass(5000.0, 2)),
    }


def record_voices(score: Score, seed: int, rate: int) -> dict[str, Signal]:
    """Records the dry lead voice, and the backing voices together on one track."""
    lead = sing(
        score.voices["lead"], score.duration_s, make_generator(seed, "lead"), rate, Singer()
    )
    backing: Signal = np.zeros(lead.size)
    for name, scale in (("high", 1.04), ("low", 0.94)):
        singer = Singer(tract_scale=scale, breath_db=-19.0, vibrato_cents=20.0, dynamics_db=14.0)
        backing += sing(
            score.voices[name], score.duration_s, make_generator(seed, name), rate, singer
        )
    return {"lead vocal": lead, "backing vocal": backing}


def reverberate(signal: Signal, rate: int, rng: np.random.Generator, t60_s: float) -> Signal:
    """Computes the reverberation of a signal alone, by convolution with decaying noise.

    The noise has unit energy, so that the result is about as loud as the signal.

    Args:
        signal: Sound ``(frames,)``.
        rate: Frames per second.
        rng: Generator of the noise.
        t60_s: Time in which the reverberation decays by 60 dB.

    Returns:
        Reverberation ``(frames,)``; what decays past the end is cut off.
    """
    t = np.arange(round(t60_s * rate)) / rate
    response: Signal = make_noise(rng, t.size, rate) * 10.0 ** (-3.0 * t / t60_s)
    response = filter_signal(response, rate, low_pass(4500.0), high_pass(200.0))
    response /= np.sqrt(np.sum(response**2))
    size = choose_fft_size(signal.size + response.size)
    return np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(response, size), size)[
        : signal.size
    ]
