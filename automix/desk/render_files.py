"""The files of kept renders: raw float32 in a folder that desks share, bounded, checked as read.

A file is a head that says what it holds, then the audio in chunks of `CHUNK_FRAMES`, each with its
channels one after the other, then a checksum of every chunk, then a note. It gets its name when it
is whole, so that a name promises a whole file; what a power cut or a broken disk left is noticed by
its size or its checksums and is as if it were not there.

Whoever writes a file or plays from it holds a lock on it, which the system takes away when the
process ends, however it ends. Files that nobody holds may be removed by any desk.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import stat
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from automix.audio.samples import BLOCK_FRAMES, Samples
from automix.errors import AutomixError, OutputError
from automix.files.names import printable
from automix.files.text import parse_json

CHUNK_FRAMES = BLOCK_FRAMES
"""Frames of a chunk, in which renders are written, checked and played."""

CACHE_BYTES = 8 << 30
"""Size to which the files in a folder may grow, unless those in use are larger."""

_HEAD = struct.Struct("<16s64sIIQ")
_MAGIC = b"automix render 1"
_TAIL = struct.Struct("<II")  # length and checksum of the note
_WHOLE, _PART, _NOTE = ".render", ".part", ".json"
_NEW_S = 60.0
_SAFELY = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RenderFile:
    """One render: being written, or whole. It may be read by any thread, also while it grows.

    Attributes:
        key: What it depends on, as a digest.
        channels: 1 or 2.
        frames: Its length.
        sample_rate: Frames per second.
        ready: How many frames are there.
        note: What was said of it when it became whole, such as gain curves.
    """

    def __init__(
        self, descriptor: int, path: Path, key: str, channels: int, frames: int, sample_rate: int
    ) -> None:
        self.key, self.channels, self.frames, self.sample_rate = key, channels, frames, sample_rate
        self.ready = 0
        self.note: dict[str, Any] = {}
        self.is_whole = False
        self._descriptor, self._path = descriptor, path
        self._checksums: list[int] = []
        self._lock = threading.Lock()  # of the descriptor, against its end

    @property
    def size_bytes(self) -> int:
        """How large its audio and checksums are."""
        return _HEAD.size + 4 * self.channels * self.frames + 4 * -(-self.frames // CHUNK_FRAMES)

    def append(self, block: Samples) -> None:
        """Adds the next chunk ``(channels, CHUNK_FRAMES)``; only the last may be shorter.

        Raises:
            OutputError: The disk is full.
        """
        data = np.ascontiguousarray(block, dtype="<f4").tobytes()
        self._write(data, self._find_place(self.ready))
        self._checksums.append(zlib.crc32(data))
        self.ready += block.shape[1]

    def finish(self, note: dict[str, Any], folder: Path) -> None:
        """Ends the writing and gives the file its name.

        Raises:
            OutputError: The disk is full.
        """
        said = json.dumps(note).encode()
        table = np.array(self._checksums, dtype="<u4").tobytes()
        end = table + said + _TAIL.pack(len(said), zlib.crc32(table + said))
        self._write(end, self._find_place(self.frames))
        path = folder / f"{self.key}{_WHOLE}"
        with self._reporting(), self._lock:
            os.ftruncate(self._descriptor, self._find_place(self.frames) + len(end))
            os.rename(self._path, path)
            with contextlib.suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        self._path, self.note, self.is_whole = path, note, True

    def read_chunk(self, number: int) -> bytes:
        """The chunk of a number as it is played: as long as others, with silence after the end.

        Raises:
            BrokenRender: What is there is not what was written.
        """
        frames = min(CHUNK_FRAMES, max(0, self.frames - number * CHUNK_FRAMES))
        if not frames:
            return bytes(4 * self.channels * CHUNK_FRAMES)
        data = self._read(4 * self.channels * frames, self._find_place(number * CHUNK_FRAMES))
        if len(data) < 4 * self.channels * frames or zlib.crc32(data) != self._checksums[number]:
            raise BrokenRender(self.key)
        if frames == CHUNK_FRAMES:
            return data
        padded = np.zeros((self.channels, CHUNK_FRAMES), "<f4")
        padded[:, :frames] = np.frombuffer(data, "<f4").reshape(self.channels, frames)
        return padded.tobytes()

    def blocks(self) -> Iterator[Samples]:
        """Its audio from the start, in blocks as `AudioSource.blocks` describes them.

        Raises:
            BrokenRender: What is there is not what was written.
        """
        for number, start in enumerate(range(0, self.frames, CHUNK_FRAMES)):
            frames = min(CHUNK_FRAMES, self.frames - start)
            chunk = np.frombuffer(self.read_chunk(number), "<f4").astype(np.float32, copy=False)
            yield chunk.reshape(self.channels, CHUNK_FRAMES)[:, :frames]

    def close(self) -> None:
        """Lets go of the file. One that is not whole is removed."""
        with self._lock:
            if self._descriptor < 0:
                return
            if not self.is_whole:
                with contextlib.suppress(OSError):  # its folder may be gone, which is as good
                    os.unlink(self._path)
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Lets go of a file that is of no use, and removes it."""
        self.is_whole = False
        self.close()

    def _find_place(self, frame: int) -> int:
        return _HEAD.size + 4 * self.channels * frame

    def _read(self, size: int, place: int) -> bytes:
        with self._lock:
            if self._descriptor < 0:
                raise BrokenRender(self.key)
            try:
                return os.pread(self._descriptor, size, place)
            except OSError:  # of a broken disk
                raise BrokenRender(self.key) from None

    def _write(self, data: bytes, place: int) -> None:
        with self._reporting(), self._lock:
            if self._descriptor < 0:
                raise BrokenRender(self.key)
            while data:
                count = os.pwrite(self._descriptor, data, place)
                data, place = data[count:], place + count

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            folder = self._path.parent
            if error.errno in _FULL:
                raise OutputError(_describe_full_disk(folder, self.size_bytes)) from error
            raise OutputError(
                f"{printable(folder)}: cannot be written: {error.strerror}; choose another folder"
                " with --cache FOLDER"
            ) from error


class BrokenRender(Exception):
    """A kept render is not whole any more; it has to be made anew."""


class RenderFolder:
    """The folder that holds the files, of this desk and of others.

    Args:
        path: The folder; it is made where it is not there. Of one that others may write to, a
            folder in it is taken that is ours alone, since who writes files there says what is
            heard.
        limit_bytes: Size to which all files together may grow; those in use are never removed.

    Raises:
        OutputError: The folder cannot be written.
    """

    def __init__(self, path: Path, limit_bytes: int = CACHE_BYTES) -> None:
        self._limit = limit_bytes
        try:
            self.path = path = _make_own_folder(path)
            descriptor, name = tempfile.mkstemp(prefix=".automix-", dir=path)
        except OSError as error:
            raise OutputError(
                f"{printable(path)}: cannot be written: {error.strerror}; choose another folder"
                " with --cache FOLDER"
            ) from error
        os.close(descriptor)
        os.unlink(name)
        for _, _, left in self._list():
            if left.suffix == _PART:  # of a desk that was killed
                _remove_unused(left)
        self._writing: list[RenderFile] = []
        self._lock = threading.Lock()

    def open(self, key: str) -> RenderFile | None:
        """The whole render of a key; none where there is none, or one that is not as promised."""
        path = self.path / f"{key}{_WHOLE}"
        try:
            descriptor = os.open(path, _SAFELY)
        except OSError:
            return None
        try:
            found = _read_whole(descriptor, path, key)
        except OSError:
            found = None
        if found is None:
            os.close(descriptor)
        return found

    def create(
        self, key: str, channels: int, frames: int, sample_rate: int, *, later_bytes: int = 0
    ) -> RenderFile:
        """Begins the render of a key; old files make room for it.

        Args:
            key: What it depends on, as a digest.
            channels: 1 or 2.
            frames: Its length.
            sample_rate: Frames per second.
            later_bytes: Size of others that will be begun: without room for all, none is begun.

        Raises:
            OutputError: There is no room on the disk, or the folder cannot be written.
        """
        with self._lock:
            self._writing = [file for file in self._writing if not file.is_whole]
            size = _HEAD.size + 4 * channels * frames + later_bytes
            self._make_room(size)
            try:
                descriptor, name = tempfile.mkstemp(prefix=f"{key}-", suffix=_PART, dir=self.path)
            except OSError as error:
                text = error.strerror
                if error.errno in _FULL:
                    raise OutputError(_describe_full_disk(self.path, size)) from error
                raise OutputError(
                    f"{printable(self.path)}: cannot be written: {text}; choose another folder"
                    " with --cache FOLDER"
                ) from error
            file = RenderFile(descriptor, Path(name), key, channels, frames, sample_rate)
            with contextlib.suppress(OSError):  # a file system without locks: nobody is kept out
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            file._write(_HEAD.pack(_MAGIC, key.encode(), channels, sample_rate, frames), 0)
            self._writing.append(file)
            return file

    def finish(self, file: RenderFile, note: dict[str, Any]) -> None:
        """Gives a render that was written to its end its name."""
        file.finish(note, self.path)

    def forget(self, file: RenderFile) -> None:
        """Removes a render that is not to be finished."""
        with self._lock:
            self._writing = [other for other in self._writing if other is not file]
        file.close()

    def read_note(self, key: str) -> Any:
        """What `keep_note` kept for a key; none where there is nothing whole."""
        try:
            with open(os.open(self.path / f"{key}{_NOTE}", _SAFELY), "rb") as file:
                text = file.read()
            checksum, _, said = text.partition(b"\n")
            if int(checksum, 16) != zlib.crc32(said):
                return None
            return parse_json(said.decode(), f"{key}{_NOTE}")
        except (OSError, ValueError, AutomixError):
            return None

    def keep_note(self, key: str, content: Any) -> None:
        """Keeps what was measured on the render of a key; where it cannot, it is measured again."""
        said = json.dumps(content).encode()
        with contextlib.suppress(OSError):
            descriptor, name = tempfile.mkstemp(prefix=f"{key}-", suffix=_PART, dir=self.path)
            with open(descriptor, "wb") as file:
                file.write(b"%08x\n" % zlib.crc32(said) + said)
            os.rename(name, self.path / f"{key}{_NOTE}")

    def _make_room(self, bytes_needed: int) -> None:
        """Removes old files until a new one keeps to the bound and fits on the disk."""
        files = self._list()
        total = sum(size for _, size, _ in files)
        files.sort()
        outstanding = sum(4 * f.channels * (f.frames - f.ready) for f in self._writing)
        for _, size, path in files:
            if total + outstanding + bytes_needed <= self._limit and self._fits(
                outstanding + bytes_needed
            ):
                return
            if _remove_unused(path):
                total -= size
        if not self._fits(outstanding + bytes_needed):
            raise OutputError(_describe_full_disk(self.path, outstanding + bytes_needed))

    def _fits(self, size: int) -> bool:
        try:
            return shutil.disk_usage(self.path).free > size
        except OSError:
            return True  # writing will tell

    def _list(self) -> list[tuple[float, int, Path]]:
        """Time of last use, size and path of the files that are ours."""
        files = []
        with contextlib.suppress(OSError), os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.endswith((_WHOLE, _PART, _NOTE)) and entry.is_file(
                    follow_symlinks=False
                ):
                    with contextlib.suppress(OSError):
                        status = entry.stat(follow_symlinks=False)
                        if entry.name.endswith(_PART) and time.time() - status.st_mtime < _NEW_S:
                            continue  # its lock may come in a moment
                        files.append((status.st_mtime, status.st_blocks * 512, Path(entry.path)))
        return files


def _make_own_folder(path: Path) -> Path:
    """Makes a folder that only we may write to, there or in what is there.

    Raises:
        OSError: It cannot be made, or is somebody else's.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _is_own(os.stat(path)):
        path = path / f"of-user-{os.geteuid()}"
        path.mkdir(exist_ok=True, mode=0o700)
        if not _is_own(os.lstat(path)):
            raise PermissionError(errno.EPERM, "others may write there", os.fspath(path))
    return path


def _is_own(status: os.stat_result) -> bool:
    is_others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not is_others


def _read_whole(descriptor: int, path: Path, key: str) -> RenderFile | None:
    """A file that holds what its name promises, as far as can be told without reading it all."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:  # somebody removes it
        return None
    except OSError:  # a file system without locks
        pass
    status = os.fstat(descriptor)
    head = os.pread(descriptor, _HEAD.size, 0)
    if len(head) < _HEAD.size or not status.st_nlink:
        return None
    magic, own_key, channels, rate, frames = _HEAD.unpack(head)
    if magic != _MAGIC or own_key.rstrip(b"\0") != key.encode() or channels not in (1, 2):
        return None
    file = RenderFile(descriptor, path, key, channels, frames, rate)
    chunks = -(-frames // CHUNK_FRAMES)
    place = _HEAD.size + 4 * channels * frames
    rest = status.st_size - place
    if not 4 * chunks + _TAIL.size <= rest <= 4 * chunks + (16 << 20):
        return None
    end = os.pread(descriptor, rest, place)
    length, checksum = _TAIL.unpack(end[-_TAIL.size :])
    body = end[: -_TAIL.size]
    if len(body) != 4 * chunks + length or zlib.crc32(body) != checksum:
        return None
    try:
        file.note = parse_json(body[4 * chunks :].decode(), path.name)
    except (ValueError, AutomixError):
        return None
    file._checksums = np.frombuffer(body[: 4 * chunks], "<u4").tolist()
    file.ready, file.is_whole = frames, True
    with contextlib.suppress(OSError):  # a folder of somebody else
        os.utime(descriptor)
    return file


def _remove_unused(path: Path) -> bool:
    """Removes a file that no desk holds; tells whether it did."""
    try:
        descriptor = os.open(path, _SAFELY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _describe_full_disk(folder: Path, bytes_needed: int) -> str:
    free = ""
    with contextlib.suppress(OSError):
        free = f", but only {shutil.disk_usage(folder).free / 1e6:.1f} MB are free"
    return (
        f"{printable(folder)}: the disk is full: the desk needs {max(bytes_needed / 1e6, 0.1):.1f}"
        f" MB there for what it plays{free}; make room, or choose another folder with --cache"
        " FOLDER"
    )
