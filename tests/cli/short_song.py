"""The sounds of a short song."""

import numpy as np
from numpy.typing import NDArray

RATE = 22050
SECONDS = 5.0


def voice(seconds: float = SECONDS, rate: int = RATE) -> NDArray[np.float64]:
    """Sung syllables: a harmonic tone in bursts, mono."""
    t = np.arange(int(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 12))
    return 0.1 * tone * np.clip(np.sin(2 * np.pi * 0.9 * t), 0, 1) ** 0.5


def drums(seconds: float = SECONDS, rate: int = RATE) -> NDArray[np.float64]:
    """Noise bursts on every beat at 120 BPM over a bass, stereo ``(samples, 2)``."""
    t = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(1).standard_normal((len(t), 2))
    return (
        0.15 * np.exp(-20 * (t % 0.5))[:, None] * noise + 0.1 * np.sin(2 * np.pi * 55 * t)[:, None]
    )
