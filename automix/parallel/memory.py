"""Says when memory is short, in whichever words a library says so. Imports nothing heavy."""

import errno
import os
import resource
from pathlib import Path

from automix.errors import AutomixError, DeviceError

OUT_OF_MEMORY = (
    "not enough memory: close other programs, give shorter or fewer files, or raise the limit"
    " (ulimit -v, or that of the container)"
)
"""What is told of an exception that `is_out_of_memory`, with the exit code of `DeviceError`."""

LEAST_MB = 400
"""Address space without which OpenBLAS and LLVM end the process, with words of their own."""

AMPLE_MB = 4000
"""Address space from which native libraries may start as many threads as there are processors."""

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Environment that keeps native libraries to one thread."""

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


def check_memory() -> None:
    """Refuses work where the limit of memory lets no library be loaded; call it before they are.

    Under a low limit, OpenBLAS is kept to one thread: where it cannot start another, it waits for
    that one for ever.

    Raises:
        DeviceError: The limit of address space is below `LEAST_MB`.
    """
    limit = _limit_bytes()
    if limit is not None and limit < AMPLE_MB * 1e6:
        for name, value in ONE_THREAD.items():
            os.environ.setdefault(name, value)
    if limit is not None and limit < LEAST_MB * 1e6:
        raise DeviceError(
            f"not enough memory: {limit / 1e6:.0f} MB are allowed, and {LEAST_MB} MB are the least;"
            " raise the limit (ulimit -v)"
        )


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
