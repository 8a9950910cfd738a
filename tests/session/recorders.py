"""WAV files as field recorders and live desks write them."""

import struct

import numpy as np

RATE = 22050
_EXTENSIBLE = bytes.fromhex("000000001000800000aa00389b71")


def _chunk(name, body):
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def write_polyphonic(path, channels, *, xml=None, description=None, mask=None):
    """Writes a track per channel, with an iXML chunk after the audio or a bext chunk before it."""
    samples = (np.stack(channels, axis=1) * 32767).astype("<i2")
    count = samples.shape[1]
    form = struct.pack("<HHIIHH", 1, count, RATE, RATE * count * 2, count * 2, 16)
    if mask is not None:
        form = struct.pack("<H", 0xFFFE) + form[2:] + struct.pack("<HHI", 22, 16, mask)
        form += struct.pack("<H", 1) + _EXTENSIBLE
    body = b"WAVE" + _chunk(b"fmt ", form)
    if description is not None:
        body += _chunk(b"bext", description.encode().ljust(602, b"\0"))
    body += _chunk(b"data", samples.tobytes())
    if xml is not None:
        body += _chunk(b"iXML", xml)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_chunk(b"RIFF", body))
    return path


def name_tracks(*names):
    """An iXML chunk with the names of all channels."""
    tracks = "".join(
        f"<TRACK><CHANNEL_INDEX>{2 * n}</CHANNEL_INDEX><INTERLEAVE_INDEX>{n}</INTERLEAVE_INDEX>"
        f"<NAME>{name}</NAME><FUNCTION></FUNCTION></TRACK>"
        for n, name in enumerate(names, 1)
    )
    document = (
        '<?xml version="1.0" encoding="UTF-8"?><BWFXML><IXML_VERSION>1.61</IXML_VERSION>'
        f"<TRACK_LIST><TRACK_COUNT>{len(names)}</TRACK_COUNT>{tracks}</TRACK_LIST></BWFXML>"
    )
    return document.encode() + b"\0\0"


def tones(count, seconds=0.5):
    """Tones of different pitch."""
    time = np.arange(int(seconds * RATE)) / RATE
    return [0.2 * np.sin(2 * np.pi * (110 + 37 * n) * time) for n in range(count)]
