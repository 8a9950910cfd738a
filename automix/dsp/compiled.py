"""The decorator of the compiled inner loops."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compiles a loop: no Python objects inside, the interpreter lock released, cached on disk.

    Args:
        function: Function of NumPy arrays and numbers. Call it always with the same dtypes and
            contiguous arrays, so that one compiled version serves everything.
    """
    try:
        return cast(Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:  # neither the package nor the home folder can be written: compile per run
        return cast(Function, njit(nogil=True)(function))
