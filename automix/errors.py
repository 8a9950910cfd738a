"""The exception tree. Each class carries the exit code that the command line ends with."""

import errno


class AutomixError(Exception):
    """Anything a user can cause. The message says what, where, and the next step."""

    exit_code = 1


class UsageError(AutomixError):
    """A wrong option, or options that contradict each other."""

    exit_code = 2


class PlanError(UsageError):
    """A plan file or a ``--set`` expression that cannot be used; names the line or the key."""


class InputError(AutomixError):
    """An input file that cannot be read or holds no usable audio."""

    exit_code = 3


class OutputError(AutomixError):
    """A target that cannot be written."""

    exit_code = 4


class DeviceError(AutomixError):
    """A compute device that is not there, or model weights that cannot be used."""

    exit_code = 5


class PluginError(AutomixError):
    """A plug-in that is missing, crashes, hangs, or returns unusable audio."""

    exit_code = 6


OUT_OF_MEMORY = (
    "not enough memory: close other programs, give shorter or fewer files, or raise the limit"
    " (ulimit -v, or that of the container)"
)
"""What is told of an exception that `is_out_of_memory`, with the exit code of `DeviceError`."""

_SIGNS_OF_SHORT_MEMORY = (
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


def is_out_of_memory(error: BaseException | None) -> bool:
    """Tells whether an exception, or one that led to it, means that memory is short.

    Python and NumPy raise `MemoryError`; the system's calls fail with ENOMEM; torch raises a
    `RuntimeError` that names its allocator; threads and libraries that cannot be started say so.
    """
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        words = str(error).lower()
        if not isinstance(error, AutomixError) and any(s in words for s in _SIGNS_OF_SHORT_MEMORY):
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False
