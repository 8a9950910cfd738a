"""What the figures were measured on and with."""

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from automix.benchmark.libebur128 import Library
from automix.version import __version__

_PACKAGES = ("numpy", "numba", "soxr", "soundfile", "pyloudnorm", "librosa")


def machine() -> dict[str, str]:
    """Processor, cores, memory, load, system, and the versions of everything that is compared."""
    described = {
        "processor": _processor(),
        "cores": str(_cores()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "load": f"{os.getloadavg()[0]:.1f} in the minute before",
        "system": f"{platform.system()} {platform.release()}",
        "automix": __version__,
        "python": platform.python_version(),
    }
    described |= {package: _version(package) for package in _PACKAGES}
    return described | {"ffmpeg": _ffmpeg_version(), "libebur128": _libebur128_version()}


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Those that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _ffmpeg_version() -> str:
    program = shutil.which("ffmpeg")
    if program is None:
        return "none"
    printed = subprocess.run([program, "-version"], capture_output=True, text=True).stdout
    return (printed.split() + ["", "", "unknown"])[2]


def _libebur128_version() -> str:
    try:
        return Library().version
    except OSError:
        return "none"
