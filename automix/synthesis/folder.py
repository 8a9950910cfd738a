"""Writes song folders whole or not at all: under another name, then renamed.

Whatever happens, the folder is absent, the one it was before, or the whole new one.
"""

import contextlib
import errno
import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from automix.errors import InputError, OutputError, PlanError
from automix.files.disk import report_write_failures
from automix.files.names import printable
from automix.files.state import digest
from automix.files.text import read_toml
from automix.inputs import find_input, read_outputs
from automix.plan.model import read_plan

PLAN_NAME = "mix.toml"


def read_fingerprint(folder: Path) -> str | None:
    """Reads the fingerprint of the request that a finished song was made for; none without one."""
    try:
        with read_outputs():
            made_for = read_toml(folder / PLAN_NAME).get("request")
    except InputError:
        return None
    return made_for if isinstance(made_for, str) else None


def is_whole(folder: Path) -> bool:
    """Tells whether the tracks and the mix of a finished song hold what its plan says."""
    try:
        with read_outputs():
            plan = read_plan(folder / PLAN_NAME)
        wanted = {strip.file: strip.sha256 for strip in plan.tracks}
        wanted["mix.wav"] = plan.mix_sha256
        return all(digest(folder / name) == found for name, found in wanted.items())
    except (PlanError, OSError, ValueError):
        return False


class SongFolder:
    """A folder to be filled, locked against other runs.

    Use it as a context manager: leaving it puts the folder in place; leaving it by an exception,
    Ctrl-C included, leaves no trace. What a killed run left is removed by the next one.

    Args:
        path: Path that the folder will have; its parent exists.
        overwrite: Whether a folder that is there may be replaced.

    Attributes:
        temporary: The folder to write to.

    Raises:
        OutputError: The folder exists, cannot be made, or another run is at work on it.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self.temporary, self._old = _name_hidden(path)
        self._descriptor: int | None = None
        with report_write_failures(path):
            if not overwrite and os.path.lexists(path):
                raise OutputError(
                    f"{printable(path)}: exists; go on with --skip-existing, overwrite with"
                    " --force, or"
                    " choose another folder"
                )
            if os.path.lexists(path) and not (path.is_dir() and not path.is_symlink()):
                raise OutputError(f"{printable(path)}: is not a folder; choose another folder")
            self._reserve()
            if self._old.is_dir():  # a run was killed in `commit`
                if os.path.lexists(path):
                    shutil.rmtree(self._old)
                else:
                    os.rename(self._old, path)

    def _reserve(self) -> None:
        with contextlib.suppress(FileExistsError):
            self.temporary.mkdir()
        descriptor = os.open(self.temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise OutputError(
                f"{printable(self.path)}: another run is writing it; wait for it or choose another"
            ) from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP):  # a file system without locks
                os.close(descriptor)
                raise
        if os.fstat(descriptor).st_uid != os.geteuid():
            os.close(descriptor)
            raise OutputError(
                f"{printable(self.path)}: {self.temporary.name} is somebody else's; choose a folder"
                " of your own"
            )
        self._descriptor = descriptor
        for entry in os.scandir(self.temporary):
            os.unlink(entry.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.discard()

    def commit(self) -> None:
        """Puts the folder in place.

        Raises:
            OutputError: A folder came into being there, or the disk fails.
        """
        with report_write_failures(self.path):
            for file in self.path.rglob("*"):
                kept = find_input(file)
                if kept is not None:
                    raise OutputError(
                        f"{printable(self.path)}: holds the input {printable(kept)}; choose another"
                        " folder"
                    )
            if self.path.is_dir():
                os.rename(self.path, self._old)
            os.rename(self.temporary, self.path)
            shutil.rmtree(self._old, ignore_errors=True)
        self._release()

    def discard(self) -> None:
        """Removes what is not in place; after `commit`, does nothing."""
        if self._descriptor is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)
            self._release()

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _name_hidden(path: Path) -> tuple[Path, Path]:
    """The folder that is filled, and that which holds the song before while it is replaced."""
    return path.parent / f".{path.name}.part", path.parent / f".{path.name}.old"


def remove_leftover(path: Path) -> None:
    """Removes what a killed run left of the song at ``path``, unless another is at work."""
    if any(folder.is_dir() for folder in _name_hidden(path)):
        with contextlib.suppress(OutputError, OSError):
            SongFolder(path, overwrite=True).discard()
