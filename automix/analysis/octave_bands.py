"""Measures levels in nine octave bands, as the equalization rule of Li & Lerch analyzes them."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.analysis.hops import hop_start, hops_within
from automix.dsp.biquad import BiquadCascade
from automix.dsp.compiled import kernel
from automix.dsp.k_weighting import k_weighting

CENTERS_HZ = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)

_HIGHEST_CENTER = 0.48  # of the rate: closer to Nyquist no band remains between the edges
_HIGHEST_EDGE = 0.499  # of the rate
_BANDS_PER_LOOP = 3
_SILENCE = 1e-60

Four = tuple[float, float, float, float]
Five = tuple[float, float, float, float, float]


def band_centers_hz(sample_rate: int) -> tuple[float, ...]:
    """Lists the centers of the bands at a sample rate: those below Nyquist, with 4 % to spare."""
    return tuple(center for center in CENTERS_HZ if center < _HIGHEST_CENTER * sample_rate)


def design_octave_band(center_hz: float, sample_rate: int) -> NDArray[np.float64]:
    """Designs a second-order Butterworth band-pass: two pole pairs, 12 dB per octave on each side.

    The gain is 0 dB at the center and −3.01 dB at both edges, center/√2 and center·√2, exactly.
    The bilinear transform bends the frequency axis, so the center is not the geometric mean of the
    bent edges; a little less bandwidth and a little more gain make up for that (0.12 dB for 16 kHz
    at a rate of 48 kHz, below 0.01 dB for lower bands). A band whose upper edge lies above 0.499 of
    the rate, such as 16 kHz at 44.1 kHz, has none: it becomes a high pass with the same lower edge
    and center.

    Args:
        center_hz: Center of the band, one of `band_centers_hz`.
        sample_rate: Frames per second.

    Returns:
        Coefficients ``(2, 5)``: b0, b1, b2, a1, a2 of both sections.
    """
    upper_hz = min(center_hz * math.sqrt(2), _HIGHEST_EDGE * sample_rate)
    low, center, high = (
        math.tan(math.pi * frequency_hz / sample_rate)
        for frequency_hz in (center_hz / math.sqrt(2), center_hz, upper_hz)
    )
    # With |H|² = gain² / (1 + x⁴), x = (Ω² − low·high) / (bandwidth·Ω), |H| is 1 at Ω = center and
    # √½ at low and high.
    offset = (center**2 - low * high) / center
    bandwidth = ((high - low) ** 4 - 2 * offset**4) ** 0.25
    gain = math.sqrt(1 + (offset / bandwidth) ** 4)
    pole = np.exp(0.75j * np.pi) * bandwidth  # of the low pass; its mirror image gives conjugates
    sections = []
    for sign in (1, -1):
        root = (pole + sign * np.sqrt(pole**2 - 4 * low * high)) / 2
        z = (1 + root) / (1 - root)
        scale = bandwidth / abs(1 - root) ** 2
        sections.append([scale, 0.0, -scale, -2 * z.real, abs(z) ** 2])
    sections[0][0] *= gain
    sections[0][2] *= gain
    return np.array(sections)


class OctaveBandMeter:
    """Measures the mean square of mono audio in each octave band and each hop of 100 ms.

    Args:
        sample_rate: Frames per second.
        k_weighted: Whether the bands (not the total) see K-weighted audio (ITU-R BS.1770-4).

    Attributes:
        centers_hz: Centers of the bands, ascending.
    """

    def __init__(self, sample_rate: int, *, k_weighted: bool = False) -> None:
        self._sample_rate = sample_rate
        self._weighting = BiquadCascade(k_weighting(sample_rate), 1) if k_weighted else None
        self.centers_hz = band_centers_hz(sample_rate)
        loops = math.ceil(len(self.centers_hz) / _BANDS_PER_LOOP)
        self._filters = np.zeros((loops * _BANDS_PER_LOOP, 5))
        for row, center_hz in zip(self._filters, self.centers_hz, strict=False):
            first, second = design_octave_band(center_hz, sample_rate)
            row[:] = first[0] * second[0], *first[3:], *second[3:]
        self._state = np.zeros((len(self._filters), 4))
        self._inputs = np.zeros(4)
        self._sums = np.zeros(len(self._filters) + 1)
        self._position = 0
        self._finished: list[NDArray[np.float64]] = []

    def add(self, block: NDArray[np.floating[Any]]) -> None:
        """Takes the next block ``(frames,)`` or ``(1, frames)``."""
        samples = np.array(block, dtype=np.float64).reshape(-1)
        filtered = samples
        if self._weighting is not None:
            filtered = self._weighting.process(samples[np.newaxis])[0]
        first = hops_within(self._position, self._sample_rate)
        last = hops_within(self._position + len(samples), self._sample_rate)
        edges = np.array([hop_start(hop, self._sample_rate) for hop in range(first, last + 1)])
        stops = np.append(edges[1:] - self._position, len(samples))
        finished = np.empty((last - first, len(self._sums)))
        _add_hops(
            samples,
            filtered,
            self._filters,
            self._state,
            self._inputs,
            self._sums,
            stops,
            finished,
        )
        self._finished.append(finished / np.diff(edges)[:, np.newaxis])
        self._position += len(samples)

    @property
    def energies(self) -> NDArray[np.float64]:
        """Mean squares ``(hops, bands)`` of all complete hops so far; full scale is 1."""
        return self._table()[:, : len(self.centers_hz)]

    @property
    def total_energies(self) -> NDArray[np.float64]:
        """Mean squares ``(hops,)`` of the unfiltered audio; full scale is 1."""
        return self._table()[:, -1]

    def _table(self) -> NDArray[np.float64]:
        return np.concatenate([np.empty((0, len(self._sums))), *self._finished])


def band_levels_db(energies: NDArray[np.float64], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Computes the RMS level of each band over selected hops.

    Args:
        energies: Mean squares ``(hops, bands)`` of an `OctaveBandMeter`.
        keep: Whether each hop counts ``(hops,)``.

    Returns:
        Levels ``(bands,)`` in dB; −inf for a silent band, and everywhere when no hop is kept.
    """
    means = energies[keep].sum(axis=0) / max(1, int(np.count_nonzero(keep)))
    levels = np.full(means.shape, -np.inf)
    np.log10(means, out=levels, where=means > 0)
    return 10.0 * levels


@kernel
def _add_hops(
    samples: NDArray[np.float64],
    filtered: NDArray[np.float64],
    filters: NDArray[np.float64],
    state: NDArray[np.float64],
    inputs: NDArray[np.float64],
    sums: NDArray[np.float64],
    stops: NDArray[np.int64],
    finished: NDArray[np.float64],
) -> None:
    """Moves the sums of each hop that ends in this block to ``finished``.

    ``stops`` holds the end of each of these hops, then the end of the block.
    """
    start = 0
    for index in range(len(stops)):
        stop = stops[index]
        _add_bands(samples[start:stop], filtered[start:stop], filters, state, inputs, sums)
        start = stop
        if index == len(finished):
            return
        finished[index] = sums
        sums[:] = 0.0
        for band in range(len(state)):
            for value in range(4):
                if abs(state[band, value]) < _SILENCE:  # or denormals slow us down
                    state[band, value] = 0.0


@kernel
def _add_bands(
    samples: NDArray[np.float64],
    filtered: NDArray[np.float64],
    filters: NDArray[np.float64],
    state: NDArray[np.float64],
    inputs: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Adds the squares of each band's output, then those of ``samples``, to ``sums``.

    All bands share the zeros (1 − z⁻²)², computed once; what remains per band are two all-pole
    sections. Three bands side by side, because one alone leaves the processor idle while it waits.
    """
    shared = np.empty(len(filtered))
    x1, x2, x3, x4 = inputs
    total = sums[-1]
    for n in range(len(filtered)):
        x = filtered[n]
        shared[n] = (x - x2) - (x2 - x4)
        x1, x2, x3, x4 = x, x1, x2, x3
        total += samples[n] * samples[n]
    inputs[0], inputs[1], inputs[2], inputs[3] = x1, x2, x3, x4
    sums[-1] = total
    for band in range(0, len(filters), _BANDS_PER_LOOP):
        f, g, h = _five(filters[band]), _five(filters[band + 1]), _five(filters[band + 2])
        s, t, u = _four(state[band]), _four(state[band + 1]), _four(state[band + 2])
        s_sum, t_sum, u_sum = sums[band], sums[band + 1], sums[band + 2]
        for x in shared:
            s, t, u = _resonate(x, f, s), _resonate(x, g, t), _resonate(x, h, u)
            s_sum += s[2] * s[2]
            t_sum += t[2] * t[2]
            u_sum += u[2] * u[2]
        sums[band], sums[band + 1], sums[band + 2] = s_sum, t_sum, u_sum
        for index in range(4):
            state[band, index] = s[index]
            state[band + 1, index] = t[index]
            state[band + 2, index] = u[index]


@kernel
def _resonate(x: float, filter_: Five, state: Four) -> Four:
    """Filters one sample through both all-pole sections; the third value returned is the output."""
    gain, a1, a2, c1, c2 = filter_
    w1, w2, y1, y2 = state
    w = (gain * x - a2 * w2) - a1 * w1
    return w, w1, (w - c2 * y2) - c1 * y1, y1


@kernel
def _five(row: NDArray[np.float64]) -> Five:
    return row[0], row[1], row[2], row[3], row[4]


@kernel
def _four(row: NDArray[np.float64]) -> Four:
    return row[0], row[1], row[2], row[3]
