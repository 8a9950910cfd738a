"""Songs whose phrases, sections and noise are known, as audio at 22.05 kHz and as energies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import LoudnessMeter
from automix.methods.rides.hearing import FINE_HOPS_PER_SECOND
from tests.methods.raw_songs import RATE, noise

Signal = NDArray[np.float64]


@dataclass(frozen=True)
class SungPhrase:
    """A phrase of a constructed voice.

    Attributes:
        start_s: Its first sample.
        end_s: The sample after its last.
        offset_db: Its level against the usual.
    """

    start_s: float
    end_s: float
    offset_db: float


def sing(
    seed: int, phrases: int = 10, rests_s: tuple[float, ...] = (0.4, 0.8, 2.5)
) -> tuple[Signal, list[SungPhrase]]:
    """A voice of syllables that are 5 dB apart, with a soft breath before each phrase.

    Each phrase is 2 to 5 dB above or below the usual.
    """
    draw = np.random.default_rng(seed)
    parts, sung, position = [], [], 0
    for _ in range(phrases):
        rest = np.zeros(round(draw.choice(rests_s) * RATE))
        breath = round(0.2 * RATE)
        rest[-breath - RATE // 25 : -RATE // 25] = 0.1 * 10 ** (-24 / 20)  # 24 dB below a vowel
        offset_db = float(draw.choice([-1, 1]) * draw.uniform(2.0, 5.0))
        vowels = []
        for _ in range(draw.integers(5, 10)):
            vowels += [
                np.full(round(draw.uniform(0.12, 0.3) * RATE), 10 ** (draw.uniform(-5, 0) / 20)),
                np.full(round(0.06 * RATE), 0.05),  # a consonant: no rest
            ]
        envelope = 0.1 * 10 ** (offset_db / 20) * np.concatenate(vowels[:-1])
        start = position + len(rest)
        position = start + len(envelope)
        sung.append(SungPhrase(start / RATE, position / RATE, offset_db))
        parts += [rest, envelope]
    envelope = np.concatenate([*parts, np.zeros(2 * RATE)])
    carrier = noise(150, 6000, seed, len(envelope) / RATE + 0.1)[: len(envelope)]
    return 10.0 * envelope * carrier, sung


def energies_of(samples: Signal) -> Signal:
    """Energies per 20 ms of ``(frames,)``."""
    block = np.atleast_2d(samples).astype(np.float32)
    meter = LoudnessMeter(RATE, len(block), FINE_HOPS_PER_SECOND)
    meter.add(block)
    return meter.energies


def hops_between(start_s: float, stop_s: float) -> slice:
    """The hops of 20 ms that lie wholly in a stretch."""
    first, last = np.ceil(start_s * FINE_HOPS_PER_SECOND), np.floor(stop_s * FINE_HOPS_PER_SECOND)
    return slice(int(first), int(last))
