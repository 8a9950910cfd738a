"""A zip archive with audio in it, written as a stream, the same bytes every time."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from automix.audio.samples import AudioSource
from automix.files.encode import encode
from automix.files.formats import RIFF_LIMIT_BYTES, choose_format
from automix.files.target import OutputTarget
from automix.plan.model import Depth

_HEADER_BYTES = 4096  # more than a WAV header and an entry of the archive take
_COPIED_BYTES = 1 << 20
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip file can say
_UNIX, _READABLE = 3, 0o100644


@dataclass(frozen=True, kw_only=True, eq=False)
class AudioEntry:
    """A WAV file within an archive.

    Attributes:
        path: Within the archive.
        source: Its audio.
        bits: Depth. Integers are not dithered: they are for audio that comes from such a file.
    """

    path: str
    source: AudioSource
    bits: Depth

    @property
    def size_bytes(self) -> int:
        """Of its samples."""
        form = choose_format(self.path, self.bits)
        return form.size_bytes(self.source.frames, self.source.channels, self.source.sample_rate)


class ArchiveTarget(OutputTarget):
    """An archive to be written: absent, the old one, or whole, as any output."""

    def write_archive(
        self,
        texts: Mapping[str, str],
        audio: Sequence[AudioEntry],
        begun: Callable[[], None] = lambda: None,
    ) -> None:
        """Writes texts, then audio, one file at a time, all compressed: stems hold much silence.

        Needs memory for a block and room on the disk for the archive and its largest audio file.

        Args:
            texts: Content by path.
            audio: The audio files.
            begun: Called as each audio file begins.

        Raises:
            OutputError: The disk is full or fails; names the megabytes.
            InputError: A source cannot be read.
        """
        sizes = [entry.size_bytes + _HEADER_BYTES for entry in audio]
        folder = os.path.realpath(self.path.parent)
        with (
            self._rewrite(sum(sizes)) as descriptor,
            open(descriptor, "wb", closefd=False) as file,
            ZipFile(file, "w") as archive,
        ):
            for path, text in texts.items():
                with _entry(archive, path, len(text)) as written:
                    written.write(text.encode())
            for entry, size in zip(audio, sizes, strict=True):
                begun()
                with (
                    tempfile.TemporaryFile(dir=folder) as wave,  # it has no name to be left behind
                    _entry(archive, entry.path, size) as written,
                ):
                    _encode(wave.fileno(), entry)
                    wave.seek(0)
                    shutil.copyfileobj(wave, written, _COPIED_BYTES)


def _encode(descriptor: int, entry: AudioEntry) -> None:
    rf64 = entry.size_bytes > RIFF_LIMIT_BYTES
    form = choose_format("audio.rf64" if rf64 else "audio.wav", entry.bits)
    encode(descriptor, entry.source, form, dither=False, seed=0)


@contextmanager
def _entry(archive: ZipFile, path: str, size: int) -> Iterator[IO[bytes]]:
    info = ZipInfo(path, _EARLIEST)
    info.create_system, info.external_attr = _UNIX, _READABLE << 16
    info.compress_type = ZIP_DEFLATED
    info.file_size = size  # decides whether the entry is a zip64 one
    with archive.open(info, "w") as written:
        yield written
