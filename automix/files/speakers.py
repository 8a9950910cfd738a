"""What a file says of its channels: the speakers they belong to, or that they are none.

Sources: Microsoft, Multiple Channel Audio Data and WAVE Files; Apple, CoreAudioBaseTypes.h (layouts
of CAF and AIFF); RFC 7845 section 5.1.1 and RFC 8486 (Opus); Recommendation ITU-R BS.2076 (ADM).
"""

import re
import struct
from dataclasses import dataclass

from automix.audio.downmix import SPEAKERS

AMBISONIC = "holds Ambisonics, whose channels are no speakers; decode it to stereo first"
"""Why such a file is refused, and the remedy."""

MID_SIDE = "holds mid and side, not left and right; decode it to stereo first"
"""Why such a file is refused, and the remedy."""

_OBJECTS = (
    "holds objects of a spatial mix, whose channels are no speakers; render it to stereo first"
)

_MASK_BITS = {
    0: "FL", 1: "FR", 2: "FC", 3: "LFE", 4: "BL", 5: "BR", 6: "FLC", 7: "FRC", 8: "BC", 9: "SL",
    10: "SR", 11: "TC", 12: "TFL", 13: "TFC", 14: "TFR", 15: "TBL", 16: "TBC", 17: "TBR",
}  # fmt: skip
_MASK_ALL = 1 << 31  # any channels, in no order

_LABELS = {  # kAudioChannelLabel_…
    1: "FL", 2: "FR", 3: "FC", 4: "LFE", 5: "BL", 6: "BR", 7: "FLC", 8: "FRC", 9: "BC", 10: "SL",
    11: "SR", 12: "TC", 13: "TFL", 14: "TFC", 15: "TFR", 16: "TBL", 17: "TBC", 18: "TBR", 33: "BL",
    34: "BR", 35: "WL", 36: "WR", 37: "LFE2", 38: "FL", 39: "FR", 42: "FC", 206: "FL",
    207: "FR", 208: "FL", 209: "FR", 301: "FL", 302: "FR",
}  # fmt: skip
_AMBISONIC_LABELS = {200, 201, 202, 203, 500}
_MID_SIDE_LABELS = {204, 205}
_NAMELESS_LABELS = {0, 400, 0xFFFFFFFF}

_LAYOUTS = {  # kAudioChannelLayoutTag_… >> 16
    100: "FC", 101: "FL FR", 102: "FL FR", 103: "FL FR", 105: "FL FR", 106: "FL FR",
    108: "FL FR BL BR", 109: "FL FR BL BR FC", 113: "FL FR FC", 114: "FC FL FR",
    115: "FL FR FC BC", 116: "FC FL FR BC", 117: "FL FR FC BL BR", 118: "FL FR BL BR FC",
    119: "FL FC FR BL BR", 120: "FC FL FR BL BR", 121: "FL FR FC LFE BL BR",
    122: "FL FR BL BR FC LFE", 123: "FL FC FR BL BR LFE", 124: "FC FL FR BL BR LFE",
    131: "FL FR BC", 132: "FL FR BL BR", 133: "FL FR LFE", 134: "FL FR LFE BC",
    135: "FL FR LFE BL BR", 136: "FL FR FC LFE", 137: "FL FR FC LFE BC", 138: "FL FR BL BR LFE",
}  # fmt: skip
_USE_DESCRIPTIONS, _USE_BITMAP = 0, 1
_MID_SIDE_LAYOUT = 104
_AMBISONIC_LAYOUTS = {107, 190, 191}
_NAMELESS_LAYOUTS = {147, 0xFFFF}


@dataclass(frozen=True)
class ChannelMap:
    """What a file says of its channels.

    Attributes:
        speakers: Abbreviations of the speakers in channel order, empty where it names none.
        refusal: Why the channels cannot be mixed down, and the remedy; empty where they can.
    """

    speakers: tuple[str, ...] = ()
    refusal: str = ""

    def join(self, other: "ChannelMap") -> "ChannelMap":
        """Takes from another map what this one leaves open."""
        return ChannelMap(self.speakers or other.speakers, self.refusal or other.refusal)

    def check(self, channels: int) -> "ChannelMap":
        """Adds the refusal of a map that does not fit ``channels`` channels of known speakers."""
        if self.refusal or not self.speakers or channels < 3:
            return self
        fits = len(self.speakers) == channels == len(set(self.speakers))
        if fits and SPEAKERS.issuperset(self.speakers):
            return self
        named = " ".join(self.speakers)
        return ChannelMap(
            self.speakers,
            f"its {channels} channels are laid out as {named}, which automix does not mix down; "
            "export it as stereo, 4.0, 5.0 or 5.1",
        )


def read_mask(mask: int, channels: int) -> ChannelMap:
    """Reads the channel mask of a WAV file (``dwChannelMask``) or of a FLAC comment.

    Excess bits are ignored from the top, as Microsoft asks.
    """
    if mask & _MASK_ALL:
        return ChannelMap()
    bits = [bit for bit in range(31) if mask >> bit & 1][:channels]
    return ChannelMap(tuple(_MASK_BITS.get(bit, f"#{bit}") for bit in bits))


def read_core_audio(body: bytes) -> ChannelMap:
    """Reads an audio channel layout, as the chunks ``chan`` of CAF and ``CHAN`` of AIFF hold it."""
    if len(body) < 12:
        return ChannelMap()
    tag, bitmap, count = struct.unpack_from(">III", body)
    kind, channels = tag >> 16, tag & 0xFFFF
    if kind in _AMBISONIC_LAYOUTS:
        return ChannelMap(refusal=AMBISONIC)
    if kind == _MID_SIDE_LAYOUT:
        return ChannelMap(refusal=MID_SIDE)
    if kind == _USE_BITMAP:
        return read_mask(bitmap & ~_MASK_ALL, 32)
    if kind == _USE_DESCRIPTIONS:
        return _read_labels(
            [
                struct.unpack_from(">I", body, 12 + 20 * index)[0]
                for index in range(min(count, (len(body) - 12) // 20))
            ]
        )
    if kind in _LAYOUTS:
        return ChannelMap(tuple(_LAYOUTS[kind].split()))
    if kind in _NAMELESS_LAYOUTS:
        return ChannelMap()
    return ChannelMap(tuple(f"#{kind}" for _ in range(channels)))


def _read_labels(labels: list[int]) -> ChannelMap:
    if any(label in _AMBISONIC_LABELS or label >> 16 == 2 for label in labels):
        return ChannelMap(refusal=AMBISONIC)
    if _MID_SIDE_LABELS.intersection(labels):
        return ChannelMap(refusal=MID_SIDE)
    if all(label in _NAMELESS_LABELS or label >> 16 == 1 for label in labels):
        return ChannelMap()
    return ChannelMap(tuple(_LABELS.get(label, f"#{label}") for label in labels))


def read_adm(chna: bytes) -> ChannelMap:
    """Reads the chunk ``chna`` of a BW64 file: which kinds of tracks its channels belong to."""
    kinds = set(re.findall(rb"AP_([0-9A-Fa-f]{4})[0-9A-Fa-f]{4}", chna))
    if b"0004" in kinds:
        return ChannelMap(refusal=AMBISONIC)
    return ChannelMap(refusal=_OBJECTS) if b"0003" in kinds else ChannelMap()


def read_opus_mapping(family: int) -> ChannelMap:
    """Reads the channel mapping family of an Opus stream."""
    return ChannelMap(refusal=AMBISONIC) if family in (2, 3) else ChannelMap()


_AMBISONIC_WORDS = re.compile(
    r"(?<![a-z])(ambix|ambisonics?|b[-_ ]?format|a[-_ ]?format|fuma|[1-7]oa|foa|hoa|sn3d|n3d|acn)"
    r"(?![a-z])",
    re.IGNORECASE,
)


def find_ambisonic_word(text: str) -> str | None:
    """Finds a word that only Ambisonics is called by, as recorders and tools put it into names."""
    found = _AMBISONIC_WORDS.search(text)
    return found[0] if found else None
