"""Filters for synthesis: analog transfer functions, applied by FFT to a whole sound.

The responses are written in Hz, so that a sound has the same character at every sample rate.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating[Any]]
"""``(frames,)``, full scale ±1."""

Spectrum = NDArray[np.complexfloating[Any, Any]]
"""``(bins,)``, as of a real FFT."""

Response = Callable[[Signal], Spectrum]
"""Complex transfer function of frequencies in Hz."""


def low_pass(corner_hz: float, order: int = 1) -> Response:
    """``order`` one-pole low passes in series."""
    return lambda f: (1.0 + 1j * f / corner_hz) ** -order


def high_pass(corner_hz: float, order: int = 1) -> Response:
    """``order`` one-pole high passes in series."""
    return lambda f: (1j * f / corner_hz / (1.0 + 1j * f / corner_hz)) ** order


def band_pass(center_hz: float, q: float) -> Response:
    """Two-pole resonance, 0 dB at its center."""
    return lambda f: 1j * f * center_hz / q / (center_hz**2 - f**2 + 1j * f * center_hz / q)


def peak(center_hz: float, gain_db: float, q: float) -> Response:
    """Boost or cut around a center."""
    resonance, extra = band_pass(center_hz, q), 10.0 ** (gain_db / 20.0) - 1.0
    return lambda f: 1.0 + extra * resonance(f)


def filter_signal(signal: Signal, sample_rate: int, *responses: Response) -> Signal:
    """``signal`` through the responses in series; what rings past the end is cut off."""
    size = fft_size(signal.size + sample_rate // 20)
    frequencies = np.fft.rfftfreq(size, 1.0 / sample_rate)
    spectrum = np.fft.rfft(signal, size)
    for response in responses:
        spectrum *= response(frequencies)
    return np.fft.irfft(spectrum, size)[: signal.size]


def fft_size(frames: int) -> int:
    """The smallest of 4, 5 or 6 times a power of two that holds ``frames``."""
    octave = max(frames - 1, 1).bit_length()
    return min(m << k for m in (4, 5, 6) for k in range(octave + 1) if m << k >= frames)


def noise(rng: np.random.Generator, frames: int, sample_rate: int) -> Signal:
    """White noise of a constant density per Hz; the standard deviation is 1 at 44.1 kHz."""
    return rng.standard_normal(frames) * math.sqrt(sample_rate / 44100.0)


def seconds(duration_s: float, sample_rate: int) -> Signal:
    """The times of the samples of a sound, in seconds."""
    return np.arange(round(duration_s * sample_rate)) / sample_rate


def fade_ends(signal: Signal, sample_rate: int, fade_in_s: float, fade_out_s: float) -> Signal:
    """``signal`` with raised-cosine ends, so that neither clicks."""
    result = signal.copy()
    for fade_s, part in ((fade_in_s, result), (fade_out_s, result[::-1])):
        ramp = np.arange(min(round(fade_s * sample_rate), signal.size))
        part[: ramp.size] *= 0.5 - 0.5 * np.cos(np.pi * (ramp + 0.5) / max(ramp.size, 1))
    return result


def add_at(track: Signal, sound: Signal, start: int) -> None:
    """Adds ``sound`` to ``track`` from a frame on; what passes the end is dropped."""
    end = min(start + sound.size, track.size)
    if end > start:
        track[start:end] += sound[: end - start]
