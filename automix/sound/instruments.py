"""Pitched instruments: plucked strings, pianos, organ, pad and synthesizers.

Every sound is a function of ``(pitch, velocity, duration_s, rng, sample_rate)``; see `SOUNDS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from automix.sound.filters import (
    Response,
    Signal,
    band_pass,
    choose_fft_size,
    fade_ends,
    filter_signal,
    high_pass,
    low_pass,
    make_noise,
    peak,
    sample_times,
)
from automix.sound.score import pitch_to_hz


@dataclass(frozen=True, kw_only=True, slots=True)
class String:
    """What makes one plucked string sound unlike another.

    Attributes:
        decay_s: Time in which the low partials decay by 60 dB (T60).
        damping_hz: Frequency at which T60 has halved.
        brightness_hz: Corner of the pluck's spectrum at full velocity.
        position: Place of the pluck, as a fraction of the string's length; partials with a node
            there are missing.
        noise_ratio: Noise of the pluck (fingernail, plectrum) relative to its impulse.
    """

    decay_s: float
    damping_hz: float
    brightness_hz: float
    position: float
    noise_ratio: float


BASS_STRING = String(
    decay_s=4.5, damping_hz=300.0, brightness_hz=380.0, position=0.22, noise_ratio=0.3
)
GUITAR_STRING = String(
    decay_s=5.0, damping_hz=1500.0, brightness_hz=3200.0, position=0.17, noise_ratio=0.6
)
MUTED_STRING = String(
    decay_s=0.45, damping_hz=1300.0, brightness_hz=2600.0, position=0.12, noise_ratio=0.8
)

RELEASE_S = 0.06


def pluck(
    string: String,
    pitch: float,
    velocity: float,
    duration_s: float,
    rng: np.random.Generator,
    sample_rate: int,
) -> Signal:
    """Plucks a string: the feedback loop of Karplus and Strong (1983), solved in one FFT.

    The loop's output is ``excitation / (1 − g(f)·exp(−2πi·f/f0))``. Evaluated on a circle outside
    the unit circle (the sound is multiplied by a falling exponential, and divided by it after the
    inverse transform), so that the sound does not wrap around. The delay is exact, so is the pitch.

    Returns:
        Sound of ``duration_s`` plus the release, whose peak is about ``velocity``.
    """
    frames = round((duration_s + RELEASE_S) * sample_rate)
    size = choose_fft_size(frames)
    radius = 1e-3 ** (1.0 / size)
    period = sample_rate / pitch_to_hz(pitch)
    f = np.fft.rfftfreq(size, 1.0 / sample_rate)
    t60_s = string.decay_s / (1.0 + (f / string.damping_hz) ** 2)
    lap = 10.0 ** (-3.0 * period / sample_rate / t60_s) * radius**period
    turn = -2.0 * np.pi * f / sample_rate
    burst = make_noise(rng, round(period), sample_rate)
    burst *= radius ** np.arange(burst.size) * string.noise_ratio / np.linalg.norm(burst)
    corner_hz = string.brightness_hz * (0.35 + 0.65 * velocity)
    position = string.position * rng.uniform(0.9, 1.1)
    excitation = 1.0 + np.fft.rfft(burst, size)
    excitation *= 1.0 - radius ** (position * period) * np.exp(1j * turn * position * period)
    excitation *= low_pass(corner_hz, 2)(f) * high_pass(40.0)(f)
    sound = np.fft.irfft(excitation / (1.0 - lap * np.exp(1j * turn * period)), size)[:frames]
    sound /= radius ** np.arange(frames)
    return fade_ends(velocity * sound / np.abs(sound).max(), sample_rate, 0.0005, RELEASE_S)


def bass(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, sample_rate: int
) -> Signal:
    """Plays an electric bass with the fingers."""
    return pluck(BASS_STRING, pitch, velocity, duration_s, rng, sample_rate)


def guitar(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, sample_rate: int
) -> Signal:
    """Plays one open string of an electric guitar, before the amplifier."""
    return pluck(GUITAR_STRING, pitch, velocity, duration_s, rng, sample_rate)


def muted_guitar(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, sample_rate: int
) -> Signal:
    """Plays one string of an electric guitar under the palm, before the amplifier."""
    return pluck(MUTED_STRING, pitch, velocity, duration_s, rng, sample_rate)


def electric_piano(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, sample_rate: int
) -> Signal:
    """Plays an electric piano by frequency modulation (Chowning 1973): a body and a short tine."""
    frequency_hz = pitch_to_hz(pitch)
    t = sample_times(duration_s + 0.15, sample_rate)
    phase = 2.0 * np.pi * frequency_hz * t
    decay = np.exp(-t * (0.7 + frequency_hz / 500.0))
    body = np.sin(phase + (0.25 + 1.1 * velocity) * decay * np.sin(phase + rng.uniform(0, 0.4)))
    sound = body * decay
    tine_hz = 14.0 * frequency_hz
    if tine_hz < 0.45 * sample_rate:
        sound += 0.22 * velocity * np.sin(14.0 * phase) * np.exp(-t / 0.05) * np.sin(phase)
    return velocity * fade_ends(sound, sample_rate, 0.002, 0.15)


def synth_pad(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, sample_rate: int
) -> Signal:
    """Plays a pad of a string machine: three detuned saw waves that swell in and out."""
    frequency_hz = pitch_to_hz(pitch)
    t = sample_times(duration_s + 0.7, sample_rate)
    harmonics = np.arange(1, int(min(4000.0, 0.45 * sample_rate) / frequency_hz) + 1)
    cycle = np.zeros(2049)
    for harmonic in harmonics:
        wave = np.sin(2.0 * np.pi * harmonic * np.arange(2049) / 2048.0)
        cycle += wave / harmonic / (1.0 + (harmonic * frequency_hz / 900.0) ** 2)
    sound = np.zeros(t.size)
    for detune_cents in (-7.0, 0.0, 6.0):
        step = 2048.0 * frequency_hz * 2.0 ** (detune_cents / 1200.0)
        sound += cycle[(t * step + rng.uniform(0, 2048.0)).astype(np.int64) & 2047]
    return 0.4 * velocity * fade_ends(sound, sample_rate, min(0.35, duration_s / 2), 0.7)


def amplify_guitar(signal: Signal, sample_rate: int, drive: float) -> Signal:
    """Plays a guitar through amplifier and cabinet: gentle saturation and the speaker's response.

    Args:
        signal: Sound of the strings, peak about ±1.
        sample_rate: Frames per second.
        drive: Gain into the saturation; 1 is clean.
    """
    cabinet: tuple[Response, ...] = (
        high_pass(95.0, 2),
        peak(2600.0, 5.0, 1.2),
        peak(420.0, -3.0, 0.9),
        low_pass(5200.0, 3),
    )
    tone = filter_signal(signal, sample_rate, high_pass(120.0), low_pass(6000.0))
    return filter_signal(np.tanh(drive * tone) / drive, sample_rate, *cabinet)


def _partials(frequency_hz: float, rate: int, most: int) -> Signal:
    highest_hz = min(9000.0, 0.45 * rate)
    return np.arange(1, max(min(most, int(highest_hz / frequency_hz)), 1) + 1, dtype=np.float64)


def piano(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, rate: int
) -> Signal:
    """Plays a piano: slightly inharmonic partials, the high ones dying first, and the hammer."""
    frequency_hz = pitch_to_hz(pitch)
    t = sample_times(duration_s + 0.12, rate)
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
        make_noise(rng, t.size, rate) * np.exp(-t / 0.012), rate, band_pass(1200.0, 0.7)
    )
    return velocity * 0.4 * fade_ends(sound + 0.3 * velocity * hammer, rate, 0.001, 0.12)


def organ(
    pitch: float, velocity: float, duration_s: float, rng: np.random.Generator, rate: int
) -> Signal:
    """Plays an organ: drawbars with a slow rotor; also the nearest thing to a flute or a reed."""
    frequency_hz = pitch_to_hz(pitch)
    t = sample_times(duration_s + 0.05, rate)
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
    """Plays two detuned saw waves through a low pass: synthesizers, brass and bowed strings."""
    frequency_hz = pitch_to_hz(pitch)
    t = sample_times(duration_s + 0.08, rate)
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
    """Plays a sub bass: a sine wave with a little saturation."""
    t = sample_times(duration_s + 0.08, rate)
    drop = 1.0 + 0.6 * np.exp(-t / 0.02)
    phase = 2.0 * np.pi * np.cumsum(pitch_to_hz(pitch) * drop) / rate
    return velocity * fade_ends(np.tanh(1.5 * np.sin(phase)) * np.exp(-t / 1.5), rate, 0.004, 0.08)


Sound = Callable[[float, float, float, np.random.Generator, int], Signal]
"""Makes one note from ``(pitch, velocity, duration_s, rng, sample_rate)``."""

SOUNDS: dict[str, Sound] = {
    "bass": bass,
    "guitar": guitar,
    "muted guitar": muted_guitar,
    "electric piano": electric_piano,
    "pad": synth_pad,
    "piano": piano,
    "organ": organ,
    "saw": saw,
    "sub": sub,
}
"""Every pitched sound, by name."""
