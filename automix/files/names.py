"""File names: as they appear in messages, and as people spell them in text."""

import contextlib
import os
import unicodedata


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


def find_file(folder: str | os.PathLike[str], name: str) -> str:
    """The path of a file that a text names, in the spelling that is there.

    An accented letter may be one character or two, and the name on the disk in another encoding
    than the text.

    Args:
        folder: Folder that the name is relative to.
        name: Name as in the text.
    """
    spellings = [name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))]
    with contextlib.suppress(UnicodeEncodeError):
        spellings.append(os.fsdecode(name.encode("cp1252")))
    paths = [os.path.join(folder, spelling) for spelling in spellings]
    return next(filter(os.path.lexists, paths), paths[0])


def _show_character(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that is not UTF-8 (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
