"""Describes what automix runs on: processor, memory, system, and the versions of packages."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from automix.parallel.workers import count_processors
from automix.version import __version__


def describe_machine() -> dict[str, str]:
    """Describes processor, cores, memory, system, and the versions of automix and Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _read_processor(),
        "cores": str(count_processors()),
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "automix": __version__,
        "python": platform.python_version(),
    }


def read_versions(names: Sequence[str]) -> dict[str, str]:
    """Looks up the installed version of each package; ``none`` for what is not installed."""
    return {name: _read_version(name) for name in names}


def _read_processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _read_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
