"""What there is to see of a render: its outline, spectrum and loudness, and how it was turned down.

Measured on the file of a render, once, and kept beside it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.analysis.features import THIRD_OCTAVE_CENTERS_HZ, weigh_bands
from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.analysis.third_octaves import EDGES_HZ
from automix.audio.blocks import fold_block
from automix.audio.samples import AudioSource, Samples
from automix.dsp.processors import Processor, active_inserts
from automix.plan.settings import ChannelStrip
from automix.units import power_to_db

COLUMNS = 2000
"""Of the overview, over the length of the render."""

REDUCTIONS_PER_SECOND = 20
_SCALE = 127
_FLOOR_GAIN = 1e-5
_MOST_WINDOWS = 500  # and up to twice as many
_WINDOW_S = 0.19  # 8192 frames at 44.1 kHz: a third of an octave is told apart from 30 Hz


class ReductionMeters:
    """How far the processors of a strip turn it down, measured while it is rendered.

    Args:
        strip: Settings.
        sample_rate: Frames per second.
        frames: Length of the render.
    """

    def __init__(self, strip: ChannelStrip, sample_rate: int, frames: int) -> None:
        self._strip, self._rate = strip, sample_rate
        self._parts = max(1, math.ceil(frames * REDUCTIONS_PER_SECOND / sample_rate))
        self._measured = {row.name for row in active_inserts(strip) if row.has_gain}
        self._meters: dict[str, tuple[Processor, Any, _GainMeter]] = {}

    def add(self, row: Processor, block: NDArray[np.float64]) -> None:
        """Takes the next block that enters a processor; see `automix.dsp.strip.Inserts`."""
        if row.name not in self._measured:
            return
        if row.name not in self._meters:
            stage: Any = row.make(self._strip, self._rate, len(block))
            self._meters[row.name] = (row, stage, _GainMeter(self._rate))
        _, stage, meter = self._meters[row.name]
        meter.add(stage.gain(block), block.shape[1])

    def result(self) -> list[dict[str, Any]]:
        """The lowest gain of each twentieth of a second, in dB against rest: 0 and below."""
        return [
            {
                "processor": row.name,
                "title": row.title,
                "per_second": REDUCTIONS_PER_SECOND,
                "db": meter.result(row.of(self._strip).resting_gain_db)[: self._parts],
            }
            for row, _, meter in self._meters.values()
        ]


class _GainMeter:
    """The lowest gain of each part of a second, of gains that arrive in blocks of any size."""

    def __init__(self, sample_rate: int) -> None:
        self._rate, self._position = sample_rate, 0
        self._lowest: list[float] = []

    def add(self, gain: NDArray[np.float64] | float, frames: int) -> None:
        """Takes the gains ``(n,)`` of the next frames, or one number for all of them."""
        first = self._position * REDUCTIONS_PER_SECOND // self._rate
        last = (self._position + frames - 1) * REDUCTIONS_PER_SECOND // self._rate
        if isinstance(gain, float):
            lowest = np.full(last - first + 1, gain)
        else:
            edges = -(-np.arange(first + 1, last + 1) * self._rate // REDUCTIONS_PER_SECOND)
            lowest = np.minimum.reduceat(gain, np.append(0, edges - self._position))
        self._position += frames
        if first < len(self._lowest):  # goes on with the part that the last block began
            self._lowest[first] = min(self._lowest[first], float(lowest[0]))
            lowest = lowest[1:]
        self._lowest += lowest.tolist()

    def result(self, resting_db: float) -> list[float]:
        """What was measured, in dB."""
        gains = np.maximum(np.array(self._lowest), _FLOOR_GAIN)
        found = np.minimum(20.0 * np.log10(gains) - resting_db, 0.0)
        return [round(value, 2) + 0.0 for value in found.tolist()]


def hear_render(source: AudioSource, reductions: list[dict[str, Any]]) -> dict[str, Any]:
    """Measures what the page shows of a render.

    Args:
        source: The render.
        reductions: How far its processors turned it down, see `ReductionMeters`.

    Returns:
        ``lufs`` (none where it is silent or short), ``overview`` with the lowest and highest
        values of each of `COLUMNS` parts, −127 … 127; ``spectrum`` with the mean power of thirds of
        an octave in dB, and the ``reductions``.
    """
    meter = LoudnessMeter(source.sample_rate, source.channels)
    overview = _Overview(source.frames)
    spectrum = _Spectrum(source.sample_rate, source.frames)
    for block in source.blocks():
        meter.add(block)
        overview.add(fold_block(block))
        spectrum.add(block)
    lufs = integrated_lufs(meter.energies)
    return {
        "lufs": round(lufs, 2) if math.isfinite(lufs) else None,
        "overview": overview.result(),
        "spectrum": spectrum.result(),
        "reductions": reductions,
    }


class _Overview:
    """Lowest and highest samples of equal parts of a mono signal."""

    def __init__(self, frames: int) -> None:
        self._edges = (np.arange(COLUMNS + 1) * frames) // COLUMNS
        self._low, self._high = np.zeros(COLUMNS), np.zeros(COLUMNS)
        self._position = 0

    def add(self, block: NDArray[np.float32]) -> None:
        """Takes the next block ``(n,)``."""
        start, stop = self._position, self._position + len(block)
        first = int(np.searchsorted(self._edges, start, side="right")) - 1
        last = min(int(np.searchsorted(self._edges, stop, side="left")), COLUMNS)
        inner = np.maximum(self._edges[first:last] - start, 0)
        keep = np.append(np.diff(inner) > 0, inner[-1] < len(block))
        places = np.arange(first, last)[keep]
        self._low[places] = np.minimum(self._low[places], np.minimum.reduceat(block, inner[keep]))
        self._high[places] = np.maximum(self._high[places], np.maximum.reduceat(block, inner[keep]))
        self._position = stop

    def result(self) -> dict[str, Any]:
        """What was measured."""
        low, high = (
            np.rint(np.clip(side, -1.0, 1.0) * _SCALE).astype(int).tolist()
            for side in (self._low, self._high)
        )
        return {"columns": COLUMNS, "low": low, "high": high}


class _Spectrum:
    """Mean power of thirds of an octave, over windows that are spread evenly.

    Args:
        sample_rate: Frames per second.
        frames: Length of the audio.
    """

    def __init__(self, sample_rate: int, frames: int) -> None:
        self._size = 1 << round(math.log2(_WINDOW_S * sample_rate))
        turn = 2.0 * np.pi * (np.arange(self._size) + 0.5) / self._size
        self._window = (0.5 - 0.5 * np.cos(turn)).astype(np.float32)
        self._rate = sample_rate
        self._sum = np.zeros(self._size // 2 + 1)
        self._count = 0
        self._step = max(1, frames // self._size // _MOST_WINDOWS)
        self._left_out = 0  # windows until the next one that counts

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, n)``; a rest of a window at its end is left out."""
        whole = block.shape[1] // self._size
        chosen = range(self._left_out, whole, self._step)
        self._left_out += self._step * len(chosen) - whole
        if not chosen:
            return
        pieces = block[:, : whole * self._size].reshape(len(block), whole, self._size)
        pieces = pieces[:, chosen.start :: self._step]
        parts = np.fft.rfft(pieces * self._window).view(np.float32)  # real and imaginary by turns
        np.square(parts, out=parts)
        powers = parts.sum(axis=(0, 1)).reshape(-1, 2).sum(axis=1)
        self._sum += powers / len(block)
        self._count += len(chosen)

    def result(self) -> dict[str, Any]:
        """What was measured, in dB: 0 is the power of a full-scale square wave."""
        frequencies_hz = np.arange(len(self._sum)) * np.float64(self._rate / self._size)
        scale = 2.0 / (self._size * float((self._window.astype(np.float64) ** 2).sum()))
        powers = weigh_bands(EDGES_HZ, frequencies_hz) @ self._sum * scale / max(self._count, 1)
        kept = [
            (center, round(max(power_to_db(float(power)), -120.0), 2))
            for center, power in zip(THIRD_OCTAVE_CENTERS_HZ, powers, strict=True)
            if center < self._rate / 2
        ]
        return {"centers_hz": [hz for hz, _ in kept], "db": [db for _, db in kept]}
