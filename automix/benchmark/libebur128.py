"""Calls the C library libebur128 by its published interface (ebur128.h, version 1.2)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.units import gain_to_db

_FILES = ("libebur128.so.1", "libebur128.1.dylib")
_INTEGRATED, _RANGE, _TRUE_PEAK = 0b00101, 0b01011, 0b110001


@dataclass(frozen=True)
class Reading:
    """What a loudness meter reads.

    Attributes:
        integrated_lufs: Integrated loudness.
        loudness_range_lu: Loudness range.
        true_peak_dbtp: Highest true peak of all channels.
    """

    integrated_lufs: float
    loudness_range_lu: float
    true_peak_dbtp: float


class Library:
    """The library, loaded.

    Raises:
        OSError: The library is not installed.
    """

    def __init__(self) -> None:
        import ctypes

        self._ctypes = ctypes
        self._library = _load(ctypes)
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        double_out = ctypes.POINTER(ctypes.c_double)
        signatures: dict[str, tuple[Any, list[Any]]] = {
            "init": (pointer, [ctypes.c_uint, ctypes.c_ulong, ctypes.c_int]),
            "destroy": (None, [ctypes.POINTER(pointer)]),
            "add_frames_float": (ctypes.c_int, [pointer, pointer, size]),
            "loudness_global": (ctypes.c_int, [pointer, double_out]),
            "loudness_range": (ctypes.c_int, [pointer, double_out]),
            "true_peak": (ctypes.c_int, [pointer, ctypes.c_uint, double_out]),
            "get_version": (None, [ctypes.POINTER(ctypes.c_int)] * 3),
        }
        for name, (result, arguments) in signatures.items():
            function = self._function(name)
            function.restype, function.argtypes = result, arguments

    @property
    def version(self) -> str:
        """Version of the library, such as ``1.2.6``."""
        parts = [self._ctypes.c_int() for _ in range(3)]
        self._function("get_version")(*(self._ctypes.byref(part) for part in parts))
        return ".".join(str(part.value) for part in parts)

    def measure(
        self, frames: NDArray[np.float32], sample_rate: int, block_frames: int = 65536
    ) -> Reading:
        """Measures integrated loudness, loudness range and true peak in one pass.

        Args:
            frames: Samples ``(frames, channels)`` float32, contiguous: the library takes frames.
            sample_rate: Frames per second.
            block_frames: Frames per call.

        Raises:
            MemoryError: The library has no memory.
            RuntimeError: The library refuses a call.
        """
        channels = frames.shape[1]
        mode = _INTEGRATED | _RANGE | _TRUE_PEAK
        state = self._ctypes.c_void_p(self._function("init")(channels, sample_rate, mode))
        if not state:
            raise MemoryError("libebur128 could not be started")
        try:
            for start in range(0, len(frames), block_frames):
                block = frames[start : start + block_frames]
                self._call("add_frames_float", state, block.ctypes.data, len(block))
            peaks = [self._read("true_peak", state, channel) for channel in range(channels)]
            return Reading(
                self._read("loudness_global", state),
                self._read("loudness_range", state),
                gain_to_db(max(peaks)),
            )
        finally:
            self._function("destroy")(self._ctypes.byref(state))

    def _function(self, name: str) -> Any:
        return getattr(self._library, f"ebur128_{name}")

    def _read(self, name: str, *arguments: Any) -> float:
        value = self._ctypes.c_double()
        self._call(name, *arguments, self._ctypes.byref(value))
        return float(value.value)

    def _call(self, name: str, *arguments: Any) -> None:
        status = self._function(name)(*arguments)
        if status:
            raise RuntimeError(f"ebur128_{name} returned {status}")


def _load(ctypes: Any) -> Any:
    for file in _FILES[:-1]:
        try:
            return ctypes.CDLL(file)
        except OSError:
            continue
    return ctypes.CDLL(_FILES[-1])
