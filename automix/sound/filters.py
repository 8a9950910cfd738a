"""Filters for synthesis: analog transfer functions, applied by FFT to a whole sound.

The responses are written in Hz, so that a sound has the same character at every sample rate.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating[Any]]
"""Sound ``(frames,)``; full scale is ±1."""

Spectrum = NDArray[np.complexfloating[Any, Any]]
"""Spectrum ``(bins,)`` of a real FFT."""

Response = Callable[[Signal], Spectrum]
"""Transfer function: takes frequencies in Hz, returns complex gains of the same shape."""


def low_pass(corner_hz: float, order: int = 1) -> Response:
    """Designs ``order`` one-pole low passes in series; each has −3 dB at the corner."""
    return lambda f: (1.0 + 1j * f / corner_hz) ** -order


def high_pass(corner_hz: float, order: int = 1) -> Response:
    """Designs ``order`` one-pole high passes in series; each has −3 dB at the corner."""
    return lambda f: (1j * f / corner_hz / (1.0 + 1j * f / corner_hz)) ** order


def band_pass(center_hz: float, q: float) -> Response:
    """Designs a two-pole resonance with 0 dB at its center."""
    return lambda f: 1j * f * center_hz / q / (center_hz**2 - f**2 + 1j * f * center_hz / q)


def peak(center_hz: float, gain_db: float, q: float) -> Response:
    """Designs a boost or cut of ``gain_db`` around a center."""
    resonance, extra = band_pass(center_hz, q), 10.0 ** (gain_db / 20.0) - 1.0
    return lambda f: 1.0 + extra * resonance(f)


def filter_signal(signal: Signal, sample_rate: int, *responses: Response) -> Signal:
    """Filters a signal through the responses in series; what rings past its end is cut off."""
    size = choose_fft_size(signal.size + sample_rate // 20)
    frequencies = np.fft.rfftfreq(size, 1.0 / sample_rate)
    spectrum = np.fft.rfft(signal, size)
    for response in responses:
        spectrum *= response(frequencies)
    return np.fft.irfft(spectrum, size)[: signal.size]


def choose_fft_size(frames: int) -> int:
    """Chooses the length of an FFT: the least 4, 5 or 6 times a power of two from ``frames`` on."""
    octave = max(frames - 1, 1).bit_length()
    return min(m << k for m in (4, 5, 6) for k in range(octave + 1) if m << k >= frames)


def make_noise(rng: np.random.Generator, frames: int, sample_rate: int) -> Signal:
    """Makes white noise of a constant density per Hz; its deviation is 1 at 44.1 kHz."""
    return rng.standard_normal(frames) * math.sqrt(sample_rate / 44100.0)


def sample_times(duration_s: float, sample_rate: int) -> Signal:
    """Lists the times of the samples of a sound, in seconds."""
    return np.arange(round(duration_s * sample_rate)) / sample_rate


def fade_ends(signal: Signal, sample_rate: int, fade_in_s: float, fade_out_s: float) -> Signal:
    """Fades a signal ``(…, frames)`` in and out with raised cosines, so that no end clicks."""
    result = signal.copy()
    for fade_s, part in ((fade_in_s, result), (fade_out_s, result[..., ::-1])):
        ramp = np.arange(min(round(fade_s * sample_rate), signal.shape[-1]))
        part[..., : ramp.size] *= 0.5 - 0.5 * np.cos(np.pi * (ramp + 0.5) / max(ramp.size, 1))
    return result


def add_at(track: Signal, sound: Signal, start: int) -> None:
    """Adds ``sound`` to ``track`` from the frame ``start`` on; what passes the end is dropped."""
    end = min(start + sound.size, track.size)
    if end > start:
        track[start:end] += sound[: end - start]
