"""The formats that automix reads through ffmpeg, told by their content.

The demuxer is chosen here and never guessed by ffmpeg: lists of other files and addresses, which it
would follow, are no audio.
"""

import os
import re
from dataclasses import dataclass

from automix.files.boxes import read_movie

_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class ForeignFormat:
    """A format that ffmpeg decodes.

    Attributes:
        label: What people call it.
        demuxer: The name that ffmpeg has for it.
        tells_length: Whether the file says how long it is, other than by its size.
    """

    label: str
    demuxer: str
    tells_length: bool = True


FOREIGN = {
    "mp4": ForeignFormat("MP4", "mov"),
    "matroska": ForeignFormat("Matroska or WebM", "matroska"),
    "asf": ForeignFormat("Windows Media", "asf"),
    "adts": ForeignFormat("AAC (ADTS)", "aac", tells_length=False),
    "ac3": ForeignFormat("AC-3", "ac3", tells_length=False),
    "eac3": ForeignFormat("E-AC-3", "eac3", tells_length=False),
    "dts": ForeignFormat("DTS", "dts", tells_length=False),
    "wavpack": ForeignFormat("WavPack", "wv"),
    "ape": ForeignFormat("Monkey's Audio", "ape"),
    "tta": ForeignFormat("True Audio", "tta"),
    "mpc7": ForeignFormat("Musepack", "mpc"),
    "mpc8": ForeignFormat("Musepack", "mpc8"),
    "amr": ForeignFormat("AMR", "amr", tells_length=False),
    "au": ForeignFormat("AU", "au"),
    "caf-coded": ForeignFormat("CAF", "caf"),
    "avi": ForeignFormat("AVI", "avi"),
}
"""The formats, by the name of their container."""

_MARKS = (  # offset, bytes, container
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"wide", "mp4"),
    (4, b"free", "mp4"),
    (4, b"skip", "mp4"),
    (4, b"pnot", "mp4"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\x7f\xfe\x80\x01", "dts"),
    (0, b"wvpk", "wavpack"),
    (0, b"MAC ", "ape"),
    (0, b"TTA1", "tta"),
    (0, b"MP+", "mpc7"),
    (0, b"MPCK", "mpc8"),
    (0, b"#!AMR", "amr"),
    (0, b".snd", "au"),
)
_PICTURES = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_MATROSKA_VIDEO = re.compile(rb"\x86[\x81-\xa0]V_[A-Z]")
_MATROSKA_AUDIO = re.compile(rb"\x86[\x81-\xa0]A_[A-Z]")


def recognize_foreign(descriptor: int, offset: int) -> str | None:
    """Tells the container of a file that libsndfile does not read; none if it is unknown.

    Args:
        descriptor: File open for reading; its position is left alone.
        offset: Where its content begins, behind a tag.
    """
    head = os.pread(descriptor, 16, offset)
    for at, mark, container in _MARKS:
        if head[at : at + len(mark)] == mark:
            return None if head[8:12] in _PICTURES and mark == b"ftyp" else container
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:2] == b"\x0b\x77" and len(head) == 16:
        return "ac3" if head[5] >> 3 <= 10 else "eac3"
    length = _measure_adts_frame(head)
    if length:
        following = os.pread(descriptor, 7, offset + length)
        if not following or _measure_adts_frame(following):
            return "adts"
    return None


def _measure_adts_frame(header: bytes) -> int:
    """Reads the length of an AAC frame with its header in bytes; 0 if there is none."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 and header[2] >> 2 & 15 < 13 else 0


def list_media(descriptor: int, container: str) -> set[str]:
    """Tells whether a file of a container that may hold video holds ``audio``, ``video`` or both.

    Args:
        descriptor: File open for reading; its position is left alone.
        container: Its container, as `recognize_foreign` names it.
    """
    if container == "mp4":
        kinds = {"soun": "audio", "vide": "video"}
        tracks = read_movie(descriptor).tracks or []
        return {kinds[track.handler] for track in tracks if track.handler in kinds}
    head = os.pread(descriptor, _HEAD_BYTES, 0)
    if container == "matroska":
        marks = {"audio": _MATROSKA_AUDIO, "video": _MATROSKA_VIDEO}
        return {kind for kind, mark in marks.items() if mark.search(head)}
    if container == "asf" and _ASF_VIDEO in head or container == "avi":
        return {"audio", "video"}
    return {"audio"}
