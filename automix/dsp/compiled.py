"""The decorator of the compiled inner loops, and the cache of what they were compiled to.

The cache saves time and nothing else: whatever is broken in it, or keeps it from being written, a
run compiles in memory instead.
"""

import hashlib
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

from automix.errors import InputError
from automix.files.regular import open_regular_file

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compiles a loop: no Python objects inside, the interpreter lock released, cached on disk.

    Args:
        function: Function of NumPy arrays and numbers. Call it always with the same dtypes and
            contiguous arrays, so that one compiled version serves everything.
    """
    compiled: Any = njit(nogil=True)(function)
    with suppress(RuntimeError, OSError):  # no folder can be written: compile per run
        compiled._cache = _Cache(function)
    return cast(Function, compiled)


class _Files(IndexDataCacheFile):
    """The files of one function in the cache, each followed by its checksum.

    Numba unpickles whatever it finds, machine code included. Here, what a full disk, a power cut or
    a broken copy left is as if it were not there, and the next compilation replaces it.
    """

    def save(self, key: object, data: object) -> None:
        """Writes what a function of some types was compiled to on some processor, the ``key``."""
        super().save(key, (key, data))

    def load(self, key: object) -> Any:
        """What was compiled for a key; none where the cache has nothing whole for that key.

        Two runs at a time, of two kinds of machine, may have chosen one name for their files.
        """
        written, data = super().load(key) or (None, None)
        return data if written == key else None

    def _dump(self, content: object) -> bytes:
        data: bytes = super()._dump(content)
        return data + hashlib.sha256(data).digest()

    def _load_index(self) -> dict[Any, str]:
        version = pickle.dumps(self._version, protocol=-1)  # which numba writes before the rest
        data = _read_checked(Path(self._index_path), version)
        if data is None:
            return {}
        stamp, names = pickle.loads(data)
        return names if stamp == self._source_stamp else {}

    def _load_data(self, name: str) -> Any:
        data = _read_checked(Path(self._data_path(name)))
        return None if data is None else pickle.loads(data)


class _Cache(FunctionCache):
    """The cache of one function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = _Files(
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The compiled function, or none where it has to be compiled."""
        try:
            return super().load_overload(signature, target_context)
        except MemoryError:
            raise
        except Exception:  # whole, but of no use: of another LLVM, say; there are many ways to fail
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keeps a compiled function, unless the disk is full or the folder is not ours to write."""
        try:
            super().save_overload(signature, compiled)
        except OSError:
            self.disable()


def _read_checked(path: Path, head: bytes = b"") -> bytes | None:
    """The bytes of a file between its head and its checksum; none where they do not fit."""
    try:
        with open_regular_file(path) as descriptor, open(descriptor, "rb", closefd=False) as file:
            whole = file.read()
    except (InputError, OSError):
        return None
    size = len(whole) - hashlib.sha256().digest_size
    data, checksum = whole[len(head) : max(size, 0)], whole[max(size, 0) :]
    if not whole.startswith(head) or hashlib.sha256(data).digest() != checksum:
        return None
    return data
