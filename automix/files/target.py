"""Writes files whole or not at all: into a temporary file beside the target, then renamed.

Whatever happens, the target is absent, the file it was before, or the whole new one.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
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
from automix.files.state import FileState, digest_open
from automix.files.temporary import (
    is_named,
    lock_temporary,
    may_be_planted,
    name_temporary,
    remove_if_unlocked,
    remove_leftovers,
    rename_to_new,
    sync_folder,
)
from automix.inputs import find_input, remember_input


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
    exception, Ctrl-C included, or without having written leaves no trace. Several files that
    belong together are put in place by `commit_together`.

    Attributes:
        path: The file.
        state: The file as it is in place; none before that, and none if `digest` was not asked for.
    """

    def __init__(self, path: Path, real_path: Path, overwrite: bool) -> None:
        self.path = path
        self.state: FileState | None = None
        self._real_path = real_path
        self._overwrite = overwrite
        self._inputs: list[str | os.PathLike[str]] = []
        self._temporary = real_path.parent / name_temporary(real_path)
        self._descriptor: int | None = None
        self._folders: list[Path] = []
        self._written = False
        self._digest = ""
        self._is_new = self._is_placed = False

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

        What the run has read is never written over (`automix.inputs`): that is checked now, and
        again when the file is put in place.

        Args:
            path: The file; its folder is created if need be, a link is followed.
            overwrite: Whether an existing file may be replaced.
            inputs: Files that will be read, or were read by an earlier run.
            private: Whether nobody but its owner may read it.

        Raises:
            OutputError: The file exists, is an input or a folder, has too long a name, cannot be
                written, or another run is writing it.
        """
        path = Path(path)
        with report_write_failures(path):
            real_path = Path(os.path.realpath(path))
        target = cls(path, real_path, overwrite)
        target._inputs = list(inputs)
        target._check()
        try:
            with report_write_failures(path):
                target._make_folder()
                target._make_temporary()
                if private and target._descriptor is not None:
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
            linked = os.path.islink(self.path)  # to another disk, perhaps
            check_disk_space(self._real_path if linked else self.path, size)
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
        self._written, self._digest = False, ""
        with report_write_failures(self.path, size):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            yield descriptor
            os.fsync(descriptor)  # a disk that is full may say so only here
        self._written = True

    @property
    def is_written(self) -> bool:
        """Whether there is something to put in place."""
        return self._written

    def digest(self) -> str:
        """Computes the hexadecimal SHA-256 of what was written, as the system gives it back.

        Raises:
            OutputError: The disk fails.
        """
        if self._descriptor is None or not self._written:
            raise RuntimeError("nothing was written, or it is already in place")
        if not self._digest:
            with report_write_failures(self.path):
                self._digest = digest_open(self._descriptor)
        return self._digest

    def commit(self) -> None:
        """Puts what was written in place, at once and for good. Leaving the context does it too.

        Raises:
            OutputError: The target came into being meanwhile, is an input that was read meanwhile,
                or the disk fails.
        """
        if self._descriptor is not None:
            self._place()
            self._settle()

    def _place(self) -> None:
        """Gives what was written its name."""
        self._check()
        with report_write_failures(self.path):
            if self._descriptor is None or not is_named(self._descriptor, self._temporary):
                raise OutputError(
                    f"{printable(self.path)}: another program took the file away while it was"
                    " written; choose a folder of your own"
                )
            self._is_new = not os.path.lexists(self._real_path)
            if self._overwrite:
                os.replace(self._temporary, self._real_path)
            else:
                rename_to_new(self._temporary, self._real_path)
            self._is_placed = True

    def _settle(self, *, sync: bool = True) -> None:
        """Makes the name last through a power failure, and takes the state of the file."""
        with report_write_failures(self.path):
            if sync:
                sync_folder(self._real_path.parent)
            if self._descriptor is not None and self._digest:
                self.state = FileState.of(os.fstat(self._descriptor), self._digest)
        self._release()

    def withdraw(self) -> None:
        """Removes what `commit` put in place, where nothing was in its place before."""
        if self._is_new and self._is_placed:
            with contextlib.suppress(OSError):
                os.unlink(self._real_path)
        self.discard()

    def discard(self) -> None:
        """Removes what is not in place, and folders that were made for it if they are empty."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                if is_named(self._descriptor, self._temporary):
                    os.unlink(self._temporary)
            self._release()
        while self._folders:
            with contextlib.suppress(OSError):  # not empty: someone else uses it
                self._folders.pop().rmdir()

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _check(self) -> None:
        for other in self._inputs:
            remember_input(other)
        with report_write_failures(self.path):
            _check_target(self.path, self._real_path, self._overwrite, self._inputs)

    def _make_temporary(self) -> None:
        for number in range(_NAMES):
            self._temporary = self._real_path.parent / name_temporary(self._real_path, number)
            self._descriptor = lock_temporary(self._temporary, self.path)
            if self._descriptor is not None:
                return
        raise OutputError(
            f"{printable(self.path)}: the names of its temporary files are taken by files of"
            f" others, such as {self._temporary.name}; choose a folder of your own"
        )

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


def commit_together(targets: Sequence[OutputTarget]) -> None:
    """Puts files that belong together in place, one right after the other, in their order.

    Each file is there whole or not at all. A kill in between leaves the first ones new and the
    others as they were: give what others speak of first, and a plan, which says what the mix
    beside it holds, last. All content is on the disk before the first file gets its name; names
    last after the last one has its own, and file systems that keep a journal keep their order, so
    that a power failure is no other than a kill. An error in between takes back the files that
    were not there before, so that a first run leaves all or nothing; a file that was replaced
    stays replaced, and whole. A signal that ends the program waits until the last file is in place,
    which takes milliseconds.

    Args:
        targets: Files that were written, or will be left as they are.

    Raises:
        OutputError: See `OutputTarget.commit`.
    """
    written = [target for target in targets if target.is_written]

    def commit() -> None:
        try:
            for target in written:
                target._place()
            synced: set[Path] = set()
            for target in written:
                folder = target._real_path.parent
                target._settle(sync=folder not in synced)
                synced.add(folder)
        except BaseException:
            for target in reversed(written):
                target.withdraw()
            raise

    with _hold_signals():
        commit()


_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def _hold_signals() -> Iterator[None]:
    """Holds back the signals that end the program until the context is left.

    Only the main thread is ever disturbed by them, so that elsewhere there is nothing to hold.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    with contextlib.ExitStack() as stack:
        for number in _ENDING_SIGNALS:
            before = signal.getsignal(number)
            if before not in (signal.SIG_IGN, None):
                stack.callback(signal.signal, number, before)
                signal.signal(number, lambda came, frame: held.append(came))
        yield
    if held:
        signal.raise_signal(held[0])


_NAMES = 8


def _check_target(
    path: Path, real_path: Path, overwrite: bool, inputs: Iterable[str | os.PathLike[str]]
) -> None:
    """Refuses a target that is an input, a folder, or in the way.

    Raises:
        OutputError: The target is one of these; the message names the remedy.
        OSError: No file can have that name.
    """
    if os.path.islink(path) and may_be_planted(path):
        raise OutputError(f"{printable(path)}: is somebody else's link; choose another name")
    try:
        status = os.stat(real_path)
    except FileNotFoundError:
        return
    kept = find_input(real_path)
    if kept is None:  # outside of a run, nothing is remembered
        kept = next((os.fspath(other) for other in inputs if _is_same(status, other)), None)
    if kept is not None:
        raise OutputError(
            f"{printable(path)}: is the same file as the input {printable(kept)}; choose another"
            " name"
        )
    if real_path.is_dir():
        raise OutputError(f"{printable(path)}: is a folder; name a file in it")
    if not real_path.is_file():
        raise OutputError(f"{printable(path)}: is a pipe or device; name a regular file")
    if not overwrite:
        raise OutputError(
            f"{printable(path)}: exists; choose another name, or overwrite with --force"
        )


def _is_same(status: os.stat_result, other: str | os.PathLike[str]) -> bool:
    try:
        return os.path.samestat(status, os.stat(other))
    except (OSError, ValueError):  # it is not there, or its name holds what no name can
        return False
