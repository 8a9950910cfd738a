"""Mixes the backing of the demo song: faders, pans, one room, a bus that saturates a little."""

import numpy as np

from automix.sound.chance import make_generator
from automix.sound.filters import Signal, filter_signal, high_pass
from automix.sound.performance import reverberate
from automix.units import db_to_gain

PEAK_DBFS = -3.0

FADERS: dict[str, tuple[float, float, float]] = {
    # RMS relative to the others in dB, pan −1 … +1, send to the room
    "kick": (0.0, 0.0, 0.0),
    "snare": (-3.0, 0.05, 0.15),
    "hats": (-15.0, -0.3, 0.0),
    "toms": (-10.0, 0.2, 0.1),
    "overheads": (-7.5, 0.0, 0.0),
    "bass": (-1.0, 0.0, 0.0),
    "guitar left": (-8.0, -0.75, 0.1),
    "guitar right": (-9.0, 0.75, 0.1),
    "keys": (-8.0, 0.25, 0.2),
    "pad": (-11.0, 0.0, 0.3),
}

DRIVE_DB = -14.5
"""RMS of the sum at the saturation's input; decides how loud the mix is at its peak level."""


def mix_backing(recorded: dict[str, Signal], sample_rate: int, seed: int) -> Signal:
    """Mixes everything but the voices.

    Args:
        recorded: Tracks by name, ``(frames,)`` or ``(2, frames)``, at any level.
        sample_rate: Frames per second.
        seed: Seed of the room.

    Returns:
        Stereo mix ``(2, frames)`` whose peak is `PEAK_DBFS`.
    """
    frames = recorded["kick"].shape[-1]
    mix, send = np.zeros((2, frames)), np.zeros(frames)
    for name, (level_db, pan, send_gain) in FADERS.items():
        track = recorded[name]
        loud = np.abs(track) > 1e-2 * np.abs(track).max()
        track = track * db_to_gain(level_db) / np.sqrt(np.mean(np.square(track[loud])))
        angle = (pan + 1.0) * np.pi / 4.0
        law = np.array([[np.cos(angle)], [np.sin(angle)]])
        mix += track * (law if track.ndim == 1 else law * np.sqrt(2.0))
        send += send_gain * (track if track.ndim == 1 else track.mean(axis=0))
    for channel in range(2):
        rng = make_generator(seed, f"hall {channel}")
        mix[channel] += reverberate(send, sample_rate, rng, t60_s=1.3)
        mix[channel] = filter_signal(mix[channel], sample_rate, high_pass(28.0, 2))
    limited: Signal = np.tanh(mix * db_to_gain(DRIVE_DB) / np.sqrt(np.mean(mix**2)))
    limited -= limited.mean(axis=-1, keepdims=True)  # lopsided waves leave an offset
    return limited * db_to_gain(PEAK_DBFS) / float(np.abs(limited).max())
