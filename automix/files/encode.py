"""Encoding audio into an open file, so that the same audio gives the same bytes."""

import errno
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_END, SEEK_SET, BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
import soxr

from automix.audio.samples import BLOCK_FRAMES, Audio, AudioSource, Samples
from automix.errors import InputError, OutputError
from automix.files import mpeg, ogg
from automix.files.chunks import walk_chunks
from automix.files.dither import Quantizer
from automix.files.ffmpeg import EncoderFailure, encode_m4a
from automix.files.formats import OutputFormat
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.opening import Codec
from automix.files.probe import inspect

_VORBIS_QUALITY = 0.8  # about 256 kbit/s in stereo
_AAC_BITS_PER_S_OF_A_CHANNEL = 160000
_AAC_PADDING_FRAMES = 2048
_OGG_SERIAL = 0x6D69786F
_TRIAL_BYTES = 1 << 16
_PAGE_RATE_HZ = 44100
_PAGE_COMPRESSION = {1: (320 - 64) / 288, 2: (320 - 128) / 288}  # 0 is 320 kbit/s, 1 is 32
_SETTINGS: dict[str, dict[str, Any]] = {
    "ogg": {"compression_level": 1.0 - _VORBIS_QUALITY},
    "mp3": {"compression_level": 0.0, "bitrate_mode": "CONSTANT"},  # 320 kbit/s at 44.1 kHz
}


@dataclass(frozen=True)
class Encoded:
    """What encoding a file came to.

    Attributes:
        frames: Number of frames written.
        clipped: Number of samples above full scale, which were held at full scale.
        checksum: CRC-32 of the samples as the encoder got them.
    """

    frames: int
    clipped: int
    checksum: int


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all of ``data`` at the position of the file.

    Raises:
        OSError: The disk has no room for all of it, or fails.
    """
    view = memoryview(data)
    while view:
        written = os.write(descriptor, view)
        if written == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view = view[written:]


def encode(
    descriptor: int, source: AudioSource, form: OutputFormat, *, dither: bool, seed: int
) -> Encoded:
    """Writes all of ``source`` to an empty file.

    Args:
        descriptor: File open for reading and writing.
        source: Audio to write; full scale is ±1.
        form: Container and sample depth to write it in.
        dither: Whether to dither integers.
        seed: Seed of the dither.

    Raises:
        OSError: The disk is full or fails.
        InputError: The source cannot be read.
        OutputError: A temporary file of the source cannot be written.
    """
    name = f"{form.container} output"
    try:
        if form.container == "m4a":
            encoded = _encode_m4a(descriptor, source)
        else:
            encoded = _encode(descriptor, source, form, dither=dither, seed=seed)
        if encoded.frames:
            _check_whole(descriptor, name, form, encoded.frames)
            if not form.is_lossy:
                _check_samples(descriptor, form, encoded.checksum)
    except (_EncoderError, EncoderFailure) as error:
        # encoders do not pass on why they could not write: let the disk say it
        os.lseek(descriptor, 0, SEEK_END)
        write_all(descriptor, bytes(_TRIAL_BYTES))
        raise OSError(errno.EIO, f"the encoder failed ({error})") from error
    if form.container == "ogg":
        ogg.number_streams(descriptor, _OGG_SERIAL)
    elif form.bits == "32f" and not form.is_lossy:
        _clear_peak_time(descriptor, form.container)
    return encoded


def encode_mp3(audio: Audio) -> bytes:
    """Encodes a small copy of audio for a web page: MP3 at 44.1 kHz, 128 kbit/s (mono 64).

    If a sample exceeds full scale, the whole copy is scaled down so that its peak is full scale.
    """
    samples = soxr.resample(audio.samples.T, audio.sample_rate, _PAGE_RATE_HZ)
    peak = float(np.abs(samples).max(initial=0.0))
    copy = BytesIO()
    soundfile.write(
        copy,
        samples / max(1.0, peak),
        _PAGE_RATE_HZ,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=_PAGE_COMPRESSION[audio.channels],
        bitrate_mode="CONSTANT",
    )
    return copy.getvalue()


class _EncoderError(Exception):
    """Libsndfile did not write all, for whatever reason."""


def _encode(
    descriptor: int, source: AudioSource, form: OutputFormat, *, dither: bool, seed: int
) -> Encoded:
    frames = clipped = checksum = 0
    quantizer = None
    if form.is_integer:
        depth: Literal[16, 24] = 16 if form.bits == "16" else 24
        quantizer = Quantizer(depth, source.channels, dither=dither, seed=seed)
    # a descriptor, no Python object: Ctrl-C inside a callback of libsndfile would be lost
    with _raise_encoder_errors():
        writer = Codec(
            descriptor,
            "w",
            source.sample_rate,
            source.channels,
            format=form.container.upper(),
            subtype=form.subtype,
            closefd=False,
            **_SETTINGS.get(form.container, {}),
        )
    try:
        for block in _read_blocks(source):
            samples = block if quantizer is None else quantizer.process(block)
            interleaved = np.ascontiguousarray(samples.T)
            with _raise_encoder_errors():
                writer.write(interleaved)
            frames += block.shape[1]
            if not form.is_lossy:
                checksum = zlib.crc32(interleaved.data, checksum)
            else:
                clipped += int(np.count_nonzero(np.abs(block) > 1.0))
        # closing syncs too, but drops the error, and the system tells each error only once
        os.fsync(descriptor)
    finally:
        with _raise_encoder_errors():
            writer.close()
    return Encoded(frames, clipped if quantizer is None else quantizer.clipped, checksum)


def _read_blocks(source: AudioSource) -> Iterator[Samples]:
    """The blocks of a source, whose failures are not those of the output."""
    try:
        yield from source.blocks()
    except OSError as error:
        place = printable(os.fsdecode(error.filename)) if error.filename else "an input of the mix"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(f"{place}: the disk of temporary files is full; make room") from error
        raise InputError(f"{place}: cannot be read: {error.strerror or error}") from error


def _encode_m4a(descriptor: int, source: AudioSource) -> Encoded:
    frames = clipped = 0

    def blocks() -> Iterator[bytes]:
        nonlocal frames, clipped
        for block in _read_blocks(source):
            frames += block.shape[1]
            clipped += int(np.count_nonzero(np.abs(block) > 1.0))
            yield np.ascontiguousarray(block.T, "<f4").tobytes()

    rate, channels = source.sample_rate, source.channels
    bitrate = _AAC_BITS_PER_S_OF_A_CHANNEL * channels
    encode_m4a(descriptor, blocks(), sample_rate=rate, channels=channels, bitrate=bitrate)
    return Encoded(frames, clipped, 0)


@contextmanager
def _raise_encoder_errors() -> Iterator[None]:
    try:
        yield
    except (soundfile.SoundFileError, AssertionError) as error:  # the latter for a short write
        raise _EncoderError(str(error)) from error


def _check_whole(descriptor: int, name: str, form: OutputFormat, frames: int) -> None:
    """Reads back how much was written, since encoders forget errors of their last bytes.

    Raises:
        _EncoderError: The file is not whole.
    """
    size = os.fstat(descriptor).st_size
    if form.container == "mp3" and not mpeg.walk_frames(descriptor, 0, size).is_whole:
        raise _EncoderError("the last frames are missing")
    try:
        info = inspect(Path(name), descriptor, ReadOptions(strict=True), try_end=True).info
    except InputError as error:
        raise _EncoderError(str(error)) from error
    tolerance = {"m4a": _AAC_PADDING_FRAMES}.get(form.container, 0)
    if abs(info.frames - frames) > tolerance and (tolerance or not form.is_lossy):
        raise _EncoderError(f"wrote {info.frames} of {frames} frames")


def _check_samples(descriptor: int, form: OutputFormat, checksum: int) -> None:
    """Decodes what was written, and compares it with the checksum of what the encoder got.

    Raises:
        _EncoderError: It is something else.
    """
    found = 0
    os.lseek(descriptor, 0, SEEK_SET)
    kind = "int32" if form.is_integer else "float32"
    with (
        _raise_encoder_errors(),
        Codec(descriptor, closefd=False) as reader,
    ):
        buffer = np.empty((BLOCK_FRAMES, reader.channels), kind)
        while len(samples := reader.read(out=buffer)):
            found = zlib.crc32(samples.data, found)
    if found != checksum:
        raise _EncoderError("what the disk holds is not what was written")


def _clear_peak_time(descriptor: int, container: str) -> None:
    """Sets the time in the PEAK chunk, which libsndfile adds to float files, to 0."""
    size = os.lseek(descriptor, 0, SEEK_END)
    for chunk in walk_chunks(descriptor, container, 0, size):
        if chunk.name == b"PEAK" and chunk.size >= 8:
            os.pwrite(descriptor, bytes(4), chunk.offset + 4)
