"""Says when memory is short, in whichever words a library says so. Imports nothing heavy."""

import errno
import mmap
import os
import resource
import sys
from importlib import import_module
from pathlib import Path

from automix.errors import AutomixError, DeviceError

OUT_OF_MEMORY = (
    "not enough memory: close other programs, give shorter or fewer files, or raise the limit"
    " (ulimit -v, or that of the container)"
)
"""What is told of an exception that `is_out_of_memory`, with the exit code of `DeviceError`."""

AMPLE_MB = 4000
"""Address space from which on there may be as many threads as there are processors."""

_ROOM_MB = 150
"""Address space that NumPy's or SciPy's OpenBLAS takes as it is loaded, and more."""

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Environment that keeps native libraries to one thread."""

_SIZE = 256  # of a product that is too large to be made without a buffer

_SIGNS = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "failed to allocate",
    "failed to map segment",
    "can't start new thread",
    "bad_alloc",
    "malloc failed",
)
_NEAR = 0.9


def is_out_of_memory(error: BaseException | None) -> bool:
    """Tells whether an exception, or one that led to it, means that memory is short.

    Python and NumPy raise `MemoryError`; the system's calls fail with ENOMEM; torch raises a
    `RuntimeError` that names its allocator; threads and libraries that cannot be started say so.
    Whatever else goes wrong where the limit of address space is all but reached, counts too.
    """
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if not isinstance(error, AutomixError):
            words = str(error).lower()
            if any(sign in words for sign in _SIGNS):
                return True
            if not isinstance(error, OSError) and _is_near_the_limit():
                return True  # libraries have many more words for it
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False


def is_scarce() -> bool:
    """Tells whether the limit of address space is below `AMPLE_MB`."""
    limit = _limit_bytes()
    return limit is not None and limit < AMPLE_MB * 1e6


def check_memory() -> None:
    """Where memory is scarce, makes sure that it is enough to begin; call it before all else.

    OpenBLAS asks for memory until it gets it, for ever and whatever signals come, or ends the
    process. So it is loaded and takes its buffer at once, where there is room, and is kept to one
    thread.

    Raises:
        DeviceError: There is no room for it.
    """
    if not is_scarce():
        return
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    sys.unraisablehook = lambda unraisable: None  # what fails beside the first failure tells nobody
    for library in ("numpy", "scipy.linalg.blas"):
        require_room(_ROOM_MB, "to load NumPy and SciPy")
        module, square = import_module(library), import_module("numpy").ones((_SIZE, _SIZE))
        if library == "numpy":
            module.dot(square, square)
        else:
            module.dgemm(1.0, square, square)


def require_room(megabytes: int, purpose: str) -> None:
    """Refuses work for which the limit of address space leaves no room; without one, does nothing.

    Args:
        megabytes: Address space that has to be free.
        purpose: What it is needed for, as the end of a sentence.

    Raises:
        DeviceError: There is less.
    """
    limit = _limit_bytes()
    if limit is None:
        return
    try:
        mmap.mmap(-1, megabytes << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        raise DeviceError(
            f"not enough memory: {limit / 1e6:.0f} MB are allowed, too few {purpose}; raise the"
            " limit (ulimit -v)"
        ) from None


def _is_near_the_limit() -> bool:
    limit = _limit_bytes()
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return False
    taken = next((int(line.split()[1]) for line in lines if line.startswith("VmPeak:")), 0)
    return limit is not None and taken * 1024 > _NEAR * limit


def _limit_bytes() -> int | None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit
