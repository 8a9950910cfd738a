"""Measures the spectrum of audio over time, in thirds of an octave.

Where `automix.analysis.octave_bands` filters as a published rule prescribes, this meter transforms:
thirds of an octave cost less that way than nine octave filters, and the middle and the sides of a
stereo signal are told apart.
"""

import math

import numpy as np
from numpy.typing import NDArray

from automix.analysis.features import THIRD_OCTAVE_CENTERS_HZ, weigh_bands
from automix.analysis.hops import hop_start
from automix.audio.samples import Samples

EDGES_HZ = tuple((c * 10**-0.05, c * 10**0.05) for c in THIRD_OCTAVE_CENTERS_HZ)
"""Lower and upper edge of each band, 25 Hz … 20 kHz."""

HOPS_PER_STEP = 2
"""Hops of 100 ms that one measurement stands for."""

_FRAME_S = 0.372  # 16384 frames at 44.1 kHz: the lowest bands are told apart, windows overlap

Powers = NDArray[np.float32]


class ThirdOctaveMeter:
    """Measures the power of the middle and of the sides per band and step of 200 ms.

    The middle is (left + right) / 2 and the sides are (left − right) / 2; mono audio has no sides.
    Each step is seen through a sine window of about 0.37 s around it. Windows overlap, and their
    squares sum to nearly 1 at all times, so that it does not matter where in a step a hit falls.

    Args:
        sample_rate: Frames per second.
        channels: 1 or 2.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._channels = channels
        self._frame = 1 << round(math.log2(_FRAME_S * sample_rate))
        angles = np.pi * (np.arange(self._frame) + 0.5) / self._frame
        self._window = np.sin(angles).astype(np.float32)
        frequencies_hz = np.arange(self._frame // 2 + 1) * np.float64(sample_rate / self._frame)
        scale = 2.0 / (self._frame * float((self._window.astype(np.float64) ** 2).sum()))
        self._weights = (weigh_bands(EDGES_HZ, frequencies_hz).T * scale).astype(np.float32)
        # The upper bins, which are most, hold few of the bands.
        self._upper = self._frame // 16
        self._first_upper = int(self._weights[self._upper :].any(axis=0).argmax())
        # A window that is longer than a step begins before it.
        self._before = max(self._frame - hop_start(HOPS_PER_STEP, sample_rate), 0) // 2
        self._after = max(hop_start(HOPS_PER_STEP, sample_rate) - self._frame, 0) // 2
        self._pending = np.zeros((channels, self._before), np.float32)
        self._start = -self._before
        self._step = 0
        self._found: list[Powers] = []

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``."""
        self._pending = np.concatenate([self._pending, block], axis=1)
        self._measure(self._pending.shape[1])

    def finish(self, hops: int) -> tuple[Powers, Powers]:
        """Ends the measurement.

        Args:
            hops: How many hops of 100 ms other meters have of the same audio.

        Returns:
            Mean squares ``(steps, 30)`` of the middle, and of the sides; the last step may have one
            hop only.
        """
        steps = -(-hops // HOPS_PER_STEP)
        self._pending = np.pad(self._pending, ((0, 0), (0, self._frame + self._rate)))
        self._measure(self._pending.shape[1])
        found = np.concatenate([np.zeros((0, 2, len(EDGES_HZ)), np.float32), *self._found])[:steps]
        found = np.pad(found, ((0, steps - len(found)), (0, 0), (0, 0)))
        return found[:, 0], found[:, 1]

    def _measure(self, frames: int) -> None:
        """Measures all steps whose windows have arrived, and drops what no later one needs."""
        starts = []
        while True:
            start = self._find_start()
            if start + self._frame > frames:
                break
            starts.append(start)
            self._step += 1
        if starts:
            windows = np.lib.stride_tricks.sliding_window_view(self._pending, self._frame, axis=1)
            chosen = windows[:, starts]
            if self._channels == 2:
                chosen = np.stack([chosen[0] + chosen[1], chosen[0] - chosen[1]]) * np.float32(0.5)
            spectra = np.fft.rfft(chosen * self._window)
            powers = (spectra.real**2 + spectra.imag**2).astype(np.float32).swapaxes(0, 1)
            found = np.zeros((len(starts), 2, len(EDGES_HZ)), np.float32)
            upper, first = self._upper, self._first_upper
            of_channels = found[:, : self._channels]
            of_channels += powers[..., :upper] @ self._weights[:upper]
            of_channels[..., first:] += powers[..., upper:] @ self._weights[upper:, first:]
            self._found.append(found)
        drop = min(max(self._find_start(), 0), self._pending.shape[1])
        self._pending = self._pending[:, drop:]
        self._start += drop

    def _find_start(self) -> int:
        """Place of the next window in what is pending."""
        step = hop_start(HOPS_PER_STEP * self._step, self._rate)
        return step + self._after - self._before - self._start
