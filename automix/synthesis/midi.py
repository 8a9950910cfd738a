"""Writes Standard MIDI files (MIDI 1.0, format 0) of one track, for FluidSynth.

Six kinds of message are all it takes, and the same song gives the same bytes whatever library is
installed; the tests read the files with mido.
"""

import struct
from collections.abc import Sequence

from automix.sound.score import Hit, Note

TICKS_PER_SECOND = 1920
_TICKS_PER_QUARTER = 960
_QUARTER_US = 500_000  # the tempo of the file, not of the song: times are in seconds

Event = tuple[int, int, bytes]
"""Time in ticks, rank among the events of a tick, and bytes of the message."""


def write_pitched(notes: Sequence[Note], program: int, duration_s: float) -> bytes:
    """Writes a MIDI file of an instrument.

    Args:
        notes: Notes that it plays; those that begin after the end are left out.
        program: General MIDI program, from 0.
        duration_s: Time at which the file ends.
    """
    events: list[Event] = [(0, 0, bytes((0xC0, program)))]
    for note in notes:
        start = round(note.start_s * TICKS_PER_SECOND)
        if note.start_s >= duration_s:
            continue
        stop = max(round((note.start_s + note.duration_s) * TICKS_PER_SECOND), start + 1)
        events.append((start, 2, bytes((0x90, note.pitch, _velocity(note.velocity)))))
        events.append((stop, 1, bytes((0x80, note.pitch, 64))))
    return _write(events, duration_s)


def write_drums(hits: Sequence[Hit], kit: int, duration_s: float) -> bytes:
    """Writes a MIDI file of drums.

    Args:
        hits: Strokes, whose ``piece`` is the number of a key of the drum map.
        kit: Program of the drum channel.
        duration_s: Time at which the file ends.
    """
    events: list[Event] = [(0, 0, bytes((0xC9, kit)))]
    for hit in hits:
        if hit.start_s >= duration_s:
            continue
        start, key = round(hit.start_s * TICKS_PER_SECOND), int(hit.piece)
        events.append((start, 2, bytes((0x99, key, _velocity(hit.velocity)))))
        events.append((start + 96, 1, bytes((0x89, key, 64))))
    return _write(events, duration_s)


def _velocity(strength: float) -> int:
    return min(max(round(127.0 * strength), 1), 127)


def _write(events: Sequence[Event], duration_s: float) -> bytes:
    end = round(duration_s * TICKS_PER_SECOND)
    # A note that is never released would keep a player from ever ending.
    inside = sorted((min(tick, end), rank, message) for tick, rank, message in events)
    track = b"\x00\xff\x51\x03" + _QUARTER_US.to_bytes(3, "big")
    position = 0
    for tick, _, message in inside:
        track += _encode_length(tick - position) + message
        position = tick
    silence = b"".join(bytes((0xB0 | channel, 120, 0)) + b"\x00" for channel in (0, 9))
    track += _encode_length(end - position) + silence + b"\xff\x2f\x00"
    header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, _TICKS_PER_QUARTER)
    return header + struct.pack(">4sI", b"MTrk", len(track)) + track


def _encode_length(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))
