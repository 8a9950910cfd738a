"""Describes what the figures were measured on and with."""

import os
import subprocess

from automix.benchmark.libebur128 import Library
from automix.files.ffmpeg import find_program
from automix.parallel.machine import describe_machine, read_versions

_PACKAGES = ("numpy", "numba", "torch", "soxr", "soundfile", "pyloudnorm", "librosa")


def describe_conditions() -> dict[str, str]:
    """Describes the machine, its load, and the versions of everything that is compared."""
    return {
        **describe_machine(),
        "load": f"{os.getloadavg()[0]:.1f} in the minute before",
        **read_versions(_PACKAGES),
        "ffmpeg": _read_ffmpeg_version(),
        "libebur128": _read_libebur128_version(),
    }


def _read_ffmpeg_version() -> str:
    program = find_program("ffmpeg")
    if program is None:
        return "none"
    printed = subprocess.run([program, "-version"], capture_output=True, text=True).stdout
    return (printed.split() + ["", "", "unknown"])[2]


def _read_libebur128_version() -> str:
    try:
        return Library().version
    except OSError:
        return "none"
