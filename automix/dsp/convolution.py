"""Streaming convolution with long impulse responses: uniformly partitioned overlap-save.

Stockham 1966, "High-speed convolution and correlation"; the response is cut into equal partitions
that meet the spectra of past input in a delay line, as in Gardner 1995, "Efficient convolution
without input-output delay".
"""

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

PARTITION_FRAMES = 32768
"""Taps per partition: the fastest size for responses of some seconds. It divides
`automix.audio.samples.BLOCK_FRAMES`, so that a full block never cuts a partition."""

SHORT_TAPS = 4096
"""Responses that are no longer are not partitioned: one transform of more frames is cheaper."""
_SHORT_SIZE = 32768

Spectrum = NDArray[np.complex128]


class Convolver:
    """Convolves a stream of blocks with a matrix of impulse responses, in float64.

    There is no latency: frame n of the result belongs to frame n of the block. To collect the tail,
    feed ``taps - 1`` frames of zeros.

    Args:
        responses: ``(inputs, outputs, taps)``; output o is the sum over the inputs i of input i
            convolved with ``responses[i, o]``.

    Raises:
        ValueError: ``responses`` is not three-dimensional or holds no taps.
    """

    def __init__(self, responses: NDArray[np.floating[Any]]) -> None:
        if responses.ndim != 3 or responses.size == 0:
            raise ValueError(f"responses must be (inputs, outputs, taps), not {responses.shape}")
        responses = responses.astype(np.float64)  # the FFT would keep float32 otherwise
        inputs, self._outputs, taps = responses.shape
        self._history: NDArray[np.float64] | None = None
        if taps <= SHORT_TAPS:
            self._history = np.zeros((inputs, taps - 1))
            self._whole = np.fft.rfft(responses, _SHORT_SIZE)
            return
        self._partitions = [
            np.fft.rfft(responses[..., start : start + PARTITION_FRAMES], 2 * PARTITION_FRAMES)
            for start in range(0, taps, PARTITION_FRAMES)
        ]
        # The previous partition of the input, then the one that is being filled.
        self._window = np.zeros((inputs, 2 * PARTITION_FRAMES))
        self._filled = 0
        # Spectra of complete windows, newest first; None stands for silence.
        self._past: deque[Spectrum | None] = deque(maxlen=len(self._partitions) - 1)

    def process(self, block: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """The result that belongs to the next frames of the input.

        Args:
            block: ``(inputs, n)``, any n.

        Returns:
            ``(outputs, n)`` float64; exactly zero once all taps have passed over silence.
        """
        if self._history is not None:
            return self._process_short(block, self._history)
        result = np.empty((self._outputs, block.shape[1]))
        start = 0
        while start < block.shape[1]:
            frames = min(block.shape[1] - start, PARTITION_FRAMES - self._filled)
            stop = start + frames
            self._process_within_partition(block[:, start:stop], result[:, start:stop])
            start = stop
        return result

    def _process_short(
        self, block: NDArray[np.floating[Any]], history: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Overlap-save over the block, with the frames that a response reaches back to."""
        reach, frames = history.shape[1], block.shape[1]
        known = np.concatenate([history, block], axis=1)
        result = np.zeros((self._outputs, frames))
        step = _SHORT_SIZE - reach
        for start in range(0, frames, step):
            piece = known[:, start : start + _SHORT_SIZE]
            if piece.any():
                spectrum = np.fft.rfft(piece, _SHORT_SIZE)
                total = np.einsum("ib,iob->ob", spectrum, self._whole)
                count = min(step, frames - start)
                whole = np.fft.irfft(total, _SHORT_SIZE)
                result[:, start : start + count] = whole[:, reach : reach + count]
        self._history = known[:, frames:]
        return result

    def _process_within_partition(
        self, block: NDArray[np.floating[Any]], result: NDArray[np.float64]
    ) -> None:
        first = PARTITION_FRAMES + self._filled
        last = first + block.shape[1]
        self._window[:, first:last] = block
        # The frames that have not come yet are zeros: they cannot reach back into this result.
        current = np.fft.rfft(self._window) if self._window.any() else None
        total = self._accumulate(current)
        result[:] = 0.0 if total is None else np.fft.irfft(total)[:, first:last]
        self._filled += block.shape[1]
        if self._filled == PARTITION_FRAMES:
            self._past.appendleft(current)
            self._window[:, :PARTITION_FRAMES] = self._window[:, PARTITION_FRAMES:]
            self._window[:, PARTITION_FRAMES:] = 0.0
            self._filled = 0

    def _accumulate(self, current: Spectrum | None) -> Spectrum | None:
        """Sum over inputs and partitions: ``(outputs, bins)``; None for silence."""
        total: Spectrum | None = None
        for spectrum, partition in zip((current, *self._past), self._partitions, strict=False):
            if spectrum is None:
                continue
            for channel, responses in zip(spectrum, partition, strict=True):
                if total is None:
                    total = channel * responses
                else:
                    total += channel * responses
        return total
