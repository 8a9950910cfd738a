"""Writes files whole or not at all: into a temporary file beside the target, then renamed.

Whatever happens, the target is absent, the file it was before, or the whole new one.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from automix.audio.samples import AudioSource
from automix.errors import OutputError
from automix.files.disk import check_disk_space, report_write_failures
from automix.files.encode import encode, write_all
from automix.files.formats import RIFF_LIMIT_BYTES, choose_format
from automix.files.names import printable
from automix.files.temporary import (
    lock_temporary,
    name_temporary,
    remove_if_unlocked,
    remove_leftovers,
    rename_to_new,
    sync_folder,
)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written to a file.

    Attributes:
        path: The file.
        container: Container of the file, named as in `automix.files.formats.OutputFormat`;
            ``"rf64"`` for a WAV file over 4 GiB.
        subtype: Libsndfile's name of the encoding.
        frames: Length in frames.
        clipped: Number of samples above full scale, which were held at full scale.
        notes: Sentences for the user.
    """

    path: Path
    container: str
    subtype: str
    frames: int
    clipped: int
    notes: tuple[str, ...] = ()


class OutputTarget:
    """A file to be written, reserved before the work and put in place after it.

    Use it as a context manager: leaving it puts what was written in place; leaving it by an
    exception, Ctrl-C included, or without having written leaves no trace.
    """

    def __init__(self, path: Path, real_path: Path, overwrite: bool) -> None:
        self.path = path
        self._real_path = real_path
        self._overwrite = overwrite
        self._temporary = real_path.parent / name_temporary(real_path)
        self._descriptor: int | None = None
        self._folders: list[Path] = []
        self._written = False

    @classmethod
    def reserve(
        cls,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        inputs: Iterable[str | os.PathLike[str]] = (),
        private: bool = False,
    ) -> Self:
        """Makes sure that ``path`` can be written, and keeps other runs off it.

        Args:
            path: The file; its folder is created if need be, a link is followed.
            overwrite: Whether an existing file may be replaced.
            inputs: Files that must not be written over.
            private: Whether nobody but its owner may read it.

        Raises:
            OutputError: The file exists, is an input or a folder, has too long a name, cannot be
                written, or another run is writing it.
        """
        path = Path(path)
        with report_write_failures(path):
            real_path = Path(os.path.realpath(path))
            _check_target(path, real_path, overwrite, inputs)
        target = cls(path, real_path, overwrite)
        try:
            with report_write_failures(path):
                target._make_folder()
                target._descriptor = lock_temporary(target._temporary, path)
                if private:
                    with contextlib.suppress(OSError):  # a file system without permissions
                        os.fchmod(target._descriptor, 0o600)
                remove_leftovers(real_path.parent, target._temporary.name)
            return target
        except BaseException:
            if target._descriptor is None:
                remove_if_unlocked(target._temporary)  # a signal came before it was ours
            target.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._written:
                self.commit()
        finally:
            self.discard()

    def write_audio(
        self,
        source: AudioSource,
        *,
        bits: str = "24",
        dither: bool = True,
        seed: int = 0,
        riff_limit_bytes: int = RIFF_LIMIT_BYTES,
    ) -> Written:
        """Encodes audio in the format that the extension says.

        Args:
            source: Mono or stereo audio; full scale is ±1.
            bits: ``"16"``, ``"24"`` or ``"32f"``; lossy formats ignore it.
            dither: Whether to dither integers (triangular, ±1 least significant bit).
            seed: Seed of the dither.
            riff_limit_bytes: Size of audio beyond which WAV becomes RF64.

        Raises:
            UsageError: The extension or the depth is not known, or they do not go together.
            OutputError: The format cannot hold the audio, or the disk is full; names the megabytes.
            InputError: The source cannot be read.
        """
        form = choose_format(self.path, bits)
        extent = (source.frames, source.channels, source.sample_rate)
        form.check(printable(self.path), *extent)
        size = form.size_bytes(*extent)
        notes: tuple[str, ...] = ()
        if form.container == "wav" and size > riff_limit_bytes:
            form = replace(form, container="rf64")
            notes = ("over 4 GiB: written as RF64",)
        if not form.is_lossy and form.container != "flac":
            check_disk_space(self._real_path.parent, size)
        with self._rewrite(size) as descriptor:
            encoded = encode(descriptor, source, form, dither=dither, seed=seed)
        return Written(
            path=self.path,
            container=form.container,
            subtype=form.subtype,
            frames=encoded.frames,
            clipped=encoded.clipped,
            notes=notes,
        )

    def write_text(self, text: str) -> None:
        """Writes text as UTF-8.

        Raises:
            OutputError: The disk is full or fails.
        """
        self.write_bytes(text.encode("utf-8", "surrogateescape"))

    def write_bytes(self, data: bytes) -> None:
        """Writes bytes.

        Raises:
            OutputError: The disk is full or fails.
        """
        with self._rewrite(len(data)) as descriptor:
            write_all(descriptor, data)

    @contextmanager
    def _rewrite(self, size: int) -> Iterator[int]:
        """Empties the temporary file for a context that writes about ``size`` bytes to it."""
        descriptor = self._descriptor
        if descriptor is None:
            raise RuntimeError("the target is already in place or discarded")
        self._written = False
        with report_write_failures(self.path, size):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            yield descriptor
            os.fsync(descriptor)  # a disk that is full may say so only here
        self._written = True

    def commit(self) -> None:
        """Puts what was written in place, at once and for good. Leaving the context does it too.

        Raises:
            OutputError: The target came into being meanwhile, or the disk fails.
        """
        if self._descriptor is None:
            return
        with report_write_failures(self.path):
            if self._overwrite:
                os.replace(self._temporary, self._real_path)
            else:
                rename_to_new(self._temporary, self._real_path)
            sync_folder(self._real_path.parent)
        self._folders = []
        self._release()

    def discard(self) -> None:
        """Removes what is not in place; after `commit`, does nothing."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)
            self._release()
        while self._folders:
            with contextlib.suppress(OSError):  # not empty: someone else uses it
                self._folders.pop().rmdir()

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _make_folder(self) -> None:
        missing = []
        folder = self._real_path.parent
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            self._folders.append(folder)  # before it is made: a signal may come right after
            try:
                folder.mkdir()
            except FileExistsError:  # another run was faster
                self._folders.pop()


def _check_target(
    path: Path, real_path: Path, overwrite: bool, inputs: Iterable[str | os.PathLike[str]]
) -> None:
    """Refuses a target that is an input, a folder, or in the way.

    Raises:
        OutputError: The target is one of these; the message names the remedy.
        OSError: No file can have that name.
    """
    try:
        status = os.stat(real_path)
    except FileNotFoundError:
        return
    for other in inputs:
        with contextlib.suppress(OSError):
            if os.path.samestat(status, os.stat(other)):
                raise OutputError(
                    f"{printable(path)}: is the same file as the input {printable(other)}; "
                    "choose another name"
                )
    if real_path.is_dir():
        raise OutputError(f"{printable(path)}: is a folder; name a file in it")
    if not real_path.is_file():
        raise OutputError(f"{printable(path)}: is a pipe or device; name a regular file")
    if not overwrite:
        raise OutputError(
            f"{printable(path)}: exists; choose another name, or overwrite with --force"
        )
