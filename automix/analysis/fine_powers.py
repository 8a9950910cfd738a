"""The power of a track every hundredth of a second, which tells onsets."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import AudioSource, Samples
from automix.parallel.workers import run_in_parallel

FINE_S = 0.01
"""From one figure to the next."""


class FinePowers:
    """Measures the power of audio in blocks.

    Args:
        sample_rate: Frames per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._hop = round(FINE_S * sample_rate)
        self._powers: list[NDArray[np.float64]] = []
        self._rest: Samples | None = None

    def add(self, block: Samples) -> None:
        """Takes the next block ``(channels, frames)``, of any length."""
        if self._rest is not None and self._rest.shape[1]:
            block = np.concatenate([self._rest, block], axis=1)
        whole = block.shape[1] // self._hop * self._hop
        power = np.zeros(whole // self._hop)
        for side in block[:, :whole]:
            hops = side.reshape(-1, self._hop)
            power += np.einsum("hn,hn->h", hops, hops)
        self._powers.append(power)
        self._rest = block[:, whole:].copy()

    def finish(self) -> NDArray[np.float64]:
        """Sums of squares over all channels ``(hops,)``; what is left of a last hop is left out."""
        return np.concatenate(self._powers) if self._powers else np.zeros(0)


def measure_fine_powers(
    sources: Mapping[str, AudioSource], names: Iterable[str] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Measures the power of tracks every hundredth of a second ``(hops,)``.

    Args:
        sources: Tracks by name.
        names: Those that are wanted; all unless given.

    Raises:
        InputError: The file behind a source changed or cannot be read.
    """
    wanted = list(sources if names is None else names)

    def measure(name: str) -> NDArray[np.float64]:
        meter = FinePowers(sources[name].sample_rate)
        for block in sources[name].blocks():
            meter.add(block)
        return meter.finish()

    return dict(zip(wanted, run_in_parallel(measure, wanted), strict=True))
