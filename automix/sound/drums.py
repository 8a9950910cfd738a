"""A synthesized drum kit: decaying modes of heads and plates, shaped noise, a little saturation.

Every sound is a function of ``(velocity, rng, sample_rate)``; ``rng`` makes no two strokes alike.
"""

from collections.abc import Callable

import numpy as np

from automix.sound.filters import (
    Signal,
    band_pass,
    fade_ends,
    filter_signal,
    high_pass,
    low_pass,
    make_noise,
    sample_times,
)


def kick(velocity: float, rng: np.random.Generator, sample_rate: int) -> Signal:
    """Strikes a bass drum: a mode that falls to 52 Hz, and the click of the beater."""
    t = sample_times(0.55, sample_rate)
    fall_s, depth_hz = 0.028, 105.0 * (0.6 + 0.4 * velocity) * rng.uniform(0.95, 1.05)
    phase = 2.0 * np.pi * (52.0 * t + depth_hz * fall_s * (1.0 - np.exp(-t / fall_s)))
    body = np.sin(phase) * np.exp(-t / 0.14)
    beater = make_noise(rng, t.size, sample_rate) * np.exp(-t / 0.006)
    beater = filter_signal(beater, sample_rate, band_pass(2800.0, 0.8), low_pass(7000.0))
    sound = np.tanh(1.6 * body) / 1.6 + (0.15 + 0.45 * velocity) * 0.6 * beater
    return velocity * fade_ends(sound, sample_rate, 0.0005, 0.1)


def snare(velocity: float, rng: np.random.Generator, sample_rate: int) -> Signal:
    """Strikes a snare drum: two modes of the head, and the wires."""
    t = sample_times(0.45, sample_rate)
    tuning = rng.uniform(0.99, 1.01)
    drop = 0.012 * (1.0 - np.exp(-t / 0.012)) * 0.35
    head = np.sin(2.0 * np.pi * 192.0 * tuning * (t + drop)) * np.exp(-t / 0.07)
    head += 0.6 * np.sin(2.0 * np.pi * 331.0 * tuning * (t + drop)) * np.exp(-t / 0.045)
    wires = make_noise(rng, t.size, sample_rate) * (
        np.exp(-t / (0.05 + 0.05 * velocity)) + 0.8 * np.exp(-t / 0.008)
    )
    wires = filter_signal(
        wires, sample_rate, high_pass(1100.0, 2), low_pass(3500.0 + 2500.0 * velocity, 2)
    )
    sound = np.tanh(1.4 * (0.36 * head + 0.85 * wires))
    return 0.8 * velocity * fade_ends(sound, sample_rate, 0.0003, 0.1)


def tom(frequency_hz: float, velocity: float, rng: np.random.Generator, rate: int) -> Signal:
    """Strikes a tom: a mode that falls to ``frequency_hz``, its first overtone, and the stick."""
    t = sample_times(0.8, rate)
    bend = t + 0.03 * 0.25 * (1.0 - np.exp(-t / 0.03))
    sound = np.sin(2.0 * np.pi * frequency_hz * bend) * np.exp(-t / 0.2)
    sound += 0.35 * np.sin(2.0 * np.pi * 1.59 * frequency_hz * bend) * np.exp(-t / 0.08)
    stick = make_noise(rng, t.size, rate) * np.exp(-t / 0.01)
    sound += (0.1 + 0.3 * velocity) * filter_signal(stick, rate, band_pass(1800.0, 0.6))
    return 0.7 * velocity * fade_ends(sound, rate, 0.0005, 0.2)


def cymbal(
    velocity: float,
    rng: np.random.Generator,
    sample_rate: int,
    *,
    decay_s: float,
    low_hz: float,
    duration_s: float,
) -> Signal:
    """Strikes a cymbal: a bed of noise under inharmonic modes, the highs dying first.

    Args:
        velocity: Strength of the stroke, 0 … 1; a harder one is brighter.
        rng: Generator that makes no two strokes alike.
        sample_rate: Frames per second.
        decay_s: Time constant of the decay at 5 kHz.
        low_hz: Frequency at which the spectrum begins.
        duration_s: Length of the sound.
    """
    t = sample_times(duration_s, sample_rate)
    plate = 0.35 * make_noise(rng, t.size, sample_rate) * np.exp(-t / (0.7 * decay_s))
    highest_hz = min(15000.0, 0.45 * sample_rate)
    for frequency_hz in np.geomspace(low_hz, highest_hz, 18) * rng.uniform(0.985, 1.015, 18):
        mode_decay_s = decay_s * (5000.0 / frequency_hz) ** 0.5
        plate += (
            0.16
            * np.sin(2.0 * np.pi * frequency_hz * t + rng.uniform(0, 2 * np.pi))
            * np.exp(-t / mode_decay_s)
        )
    plate += 0.5 * make_noise(rng, t.size, sample_rate) * np.exp(-t / 0.004)
    plate = filter_signal(
        plate, sample_rate, high_pass(low_hz, 3), low_pass(9000.0 + 6000.0 * velocity, 2)
    )
    return 0.5 * velocity * fade_ends(plate, sample_rate, 0.0003, 0.3 * duration_s)


def closed_hat(velocity: float, rng: np.random.Generator, sample_rate: int) -> Signal:
    """Strikes a closed hi-hat."""
    return cymbal(velocity, rng, sample_rate, decay_s=0.04, low_hz=4200.0, duration_s=0.2)


def open_hat(velocity: float, rng: np.random.Generator, sample_rate: int) -> Signal:
    """Strikes a half-open hi-hat."""
    return cymbal(velocity, rng, sample_rate, decay_s=0.2, low_hz=3800.0, duration_s=0.5)


def crash(velocity: float, rng: np.random.Generator, sample_rate: int) -> Signal:
    """Strikes a crash cymbal."""
    return cymbal(velocity, rng, sample_rate, decay_s=0.8, low_hz=1500.0, duration_s=2.4)


def high_tom(velocity: float, rng: np.random.Generator, sample_rate: int) -> Signal:
    """Strikes the rack tom."""
    return tom(146.0, velocity, rng, sample_rate)


def low_tom(velocity: float, rng: np.random.Generator, sample_rate: int) -> Signal:
    """Strikes the floor tom."""
    return tom(92.0, velocity, rng, sample_rate)


def block(velocity: float, rng: np.random.Generator, rate: int, *, frequency_hz: float) -> Signal:
    """Strikes a small piece of wood or metal that rings at ``frequency_hz``."""
    t = sample_times(0.3, rate)
    sound = np.sin(2.0 * np.pi * frequency_hz * t) * np.exp(-t / 0.03)
    sound += 0.5 * np.sin(2.0 * np.pi * 2.7 * frequency_hz * t) * np.exp(-t / 0.015)
    click = 0.05 * make_noise(rng, t.size, rate) * np.exp(-t / 0.004)
    return 0.6 * velocity * fade_ends(sound + click, rate, 0.0003, 0.1)


def clap(velocity: float, rng: np.random.Generator, rate: int) -> Signal:
    """Claps several hands, not quite together."""
    t = sample_times(0.3, rate)
    level = sum((np.exp(-np.abs(t - late_s) / 0.006) for late_s in (0.0, 0.011, 0.021)), 0.0 * t)
    sound = make_noise(rng, t.size, rate) * (level + 0.4 * np.exp(-t / 0.06))
    sound = filter_signal(sound, rate, band_pass(1500.0, 0.8), low_pass(8000.0))
    return 0.5 * velocity * fade_ends(sound, rate, 0.001, 0.1)


Stroke = Callable[[float, np.random.Generator, int], Signal]
"""Makes one stroke from ``(velocity, rng, sample_rate)``."""

PIECES: dict[str, Stroke] = {
    "kick": kick,
    "snare": snare,
    "closed hat": closed_hat,
    "open hat": open_hat,
    "crash": crash,
    "high tom": high_tom,
    "low tom": low_tom,
}
"""The sounds of the kit, by name of the piece."""
