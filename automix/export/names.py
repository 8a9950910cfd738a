"""Names as XML and as file systems can hold them."""

import re
from collections.abc import Sequence

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_PORTABLE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_CONTROL_PICTURES = 0x2400
_LONGEST_NAME_BYTES = 120  # any file system and any zip program takes this


def xml_text(text: str) -> str:
    """The text with what XML 1.0 has no way to write (section 2.2, production 2) made visible.

    Control characters become their pictures, such as ␇ for the bell; the others become U+FFFD.
    """

    def visible(match: re.Match[str]) -> str:
        code = ord(match[0])
        return chr(_CONTROL_PICTURES + code) if code < 0x20 else "\ufffd"

    return _NOT_XML.sub(visible, text)


def audio_file_names(names: Sequence[str], extension: str = "wav") -> list[str]:
    """File names for tracks: numbered, so that they are unique everywhere and keep their order.

    Characters that Windows or macOS forbid become ``_``; the number keeps reserved names such as
    ``CON`` legal.

    Args:
        names: Names of tracks, in any script.
        extension: Without its dot.
    """
    digits = max(2, len(str(len(names))))
    return [
        f"{number:0{digits}} {_portable(name)}".rstrip(" .") + f".{extension}"
        for number, name in enumerate(names, 1)
    ]


def _portable(name: str) -> str:
    cleaned = _NOT_PORTABLE.sub("_", xml_text(name)).strip()
    return cleaned.encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore")
