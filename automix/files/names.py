"""File names as they appear in messages."""

import os


def printable(path: str | os.PathLike[str]) -> str:
    r"""Spells a file name on one line of printable text, whatever bytes it holds.

    Control and direction-changing characters become escapes (a newline ``\n``), bytes that are not
    UTF-8 become ``\xNN``; letters of any script stay.
    """
    return "".join(_show_character(character) for character in os.fspath(path))


def spell_bytes(name: str) -> str:
    r"""Spells the bytes of a name that are not UTF-8 as ``\xNN``; any file can hold the rest."""
    return "".join(
        _show_character(character) if "\ud800" <= character <= "\udfff" else character
        for character in name
    )


def _show_character(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that is not UTF-8 (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
