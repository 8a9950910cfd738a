"""Names of the tracks in a polyphonic WAV file, as field recorders and live desks write them.

One file then holds a track per channel. Their names stand in the iXML chunk (iXML 3.0, TRACK_LIST)
or in the description of the bext chunk (EBU Tech 3285), as lines like ``sTRK3=Lav Anna``.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from automix.errors import InputError
from automix.files.chunks import read_layout, walk_chunks
from automix.files.names import printable
from automix.files.opening import sniff
from automix.files.regular import open_regular_file

_CONTAINERS = ("wav", "rf64")
_MOST_XML_BYTES = 2**20
_DESCRIPTION_BYTES = 256
_TRACK_LINE = re.compile(r"(?:^|[\r\n])[a-z]?TRK(\d{1,2})=([^\r\n\0]*)", re.IGNORECASE)
_SPEAKERS = frozenset(
    ("l", "r", "c", "lfe", "lf", "rf", "ls", "rs", "lb", "rb", "lc", "rc", "sl", "sr", "bl", "br")
    + ("cs", "lss", "rss", "lsr", "rsr", "left", "right", "center", "centre", "sub", "mid", "side")
    + ("m", "s", "w", "x", "y", "z", "fl", "fr", "fc", "bc", "flc", "frc", "tfl", "tfr", "tbl")
    + ("tbr", "lt", "rt", "ltf", "rtf", "ltr", "rtr", "ltm", "rtm", "flu", "frd", "bld", "bru")
    + ("front", "rear", "back", "surround", "top", "height", "total", "stereo", "mono")
)
"""Words for the speakers of one sound, or for the channels of Ambisonics."""
_SIDE = re.compile(
    r"(?i:left|right|links|rechts|gauche|droite?|izquierd[ao]|derech[ao]|sinistr[ao]|destr[ao]"
    r"|esquerd[ao]|direit[ao]|(?<![a-z])[lr](?![a-z]))|(?<=[a-z])[LR](?![A-Za-z])|[\W\d_]+"
)


@dataclass(frozen=True, kw_only=True)
class RecorderTracks:
    """What a WAV file says of its channels.

    Attributes:
        channels: Number of channels.
        names: Name of each channel's track, empty where it has none; no names at all where the
            channels are one sound, such as stereo or surround.
        has_layout: Whether the file says which speaker each channel belongs to.
    """

    channels: int
    names: tuple[str, ...]
    has_layout: bool


def read_recorder_tracks(path: Path) -> RecorderTracks | None:
    """Reads what a WAV file says of its channels.

    Returns:
        None for other files, and for what cannot be read: opening it says why.
    """
    try:
        with open_regular_file(path) as descriptor:
            size = os.fstat(descriptor).st_size
            sniffed = sniff(descriptor, printable(path), size)
            container, start = sniffed.container, sniffed.start
            if container not in _CONTAINERS:
                return None
            layout = read_layout(descriptor, container, start, size)
            channels = layout.channels if layout else None
            if layout is None or channels is None or channels < 2:
                return None
            xml = description = b""
            for chunk in walk_chunks(descriptor, container, start, size):
                if chunk.name == b"iXML":
                    xml = os.pread(descriptor, min(chunk.size, _MOST_XML_BYTES), chunk.offset)
                elif chunk.name == b"bext":
                    length = min(chunk.size, _DESCRIPTION_BYTES)
                    description = os.pread(descriptor, length, chunk.offset)
    except (InputError, OSError):
        return None
    names = _order(_read_xml(xml), channels) or _order(_read_description(description), channels)
    return RecorderTracks(
        channels=channels,
        names=names if _are_tracks(names) else (),
        has_layout=bool(layout.channel_map.speakers or layout.channel_map.refusal),
    )


def _read_xml(content: bytes) -> dict[int, str]:
    """Names by position in the file, from 1, of an iXML chunk."""
    if re.search(rb"<!(DOCTYPE|ENTITY)", content.replace(b"\0", b""), re.IGNORECASE):
        return {}  # entities may grow to any size
    try:
        root = ElementTree.fromstring(content.rstrip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError, LookupError):  # also an unknown encoding
        return {}
    names = {}
    for number, track in enumerate(root.iter("TRACK"), 1):
        place = track.findtext("INTERLEAVE_INDEX") or track.findtext("CHANNEL_INDEX") or ""
        position = int(place) if re.fullmatch(r"\s*\d{1,3}\s*", place) else number
        names[position] = _clean(track.findtext("NAME") or "")
    return names


def _read_description(content: bytes) -> dict[int, str]:
    """Names by number of the recorder's track, of the description of a bext chunk."""
    text = content.split(b"\0")[0].decode("utf-8", "replace")
    return {int(number): _clean(name) for number, name in _TRACK_LINE.findall(text)}


def _clean(name: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())


def _order(found: Mapping[int, str], channels: int) -> tuple[str, ...]:
    """The names in the order of the channels; none where there are not as many as channels.

    Recorders that leave tracks out number those that are there as they stand on the recorder.
    """
    if len(found) != channels:
        return ()
    return tuple(found[position] for position in sorted(found))


def _are_tracks(names: tuple[str, ...]) -> bool:
    """Whether names are those of several things, not of the speakers of one."""
    words = [set(re.findall(r"[^\W\d_]+", name.casefold())) for name in names if name]
    are_speakers = [bool(own) and own <= _SPEAKERS for own in words]
    if len(names) > 2:
        return not all(are_speakers)
    # Stereo is one sound, unless its sides are clearly two: "Boom", "Lav Anna".
    told = {_SIDE.sub("", name).casefold() for name in names}
    return len(told) == len(names) and all(len(n) > 1 for n in told) and not any(are_speakers)
