"""Reads text as people save it: every text that a user names is read here, and nowhere else.

Only regular files are read, up to a size, in UTF-8, UTF-16 or UTF-32, with the line ends of any
system. TOML and JSON that are nested without end are refused in a sentence, and no number in them
is larger than a machine's. Tables are in `automix.files.table`.
"""

import codecs
import io
import json
import os
import re
import tomllib
from collections.abc import Callable
from typing import Any

from automix.errors import AutomixError, InputError
from automix.files.names import printable
from automix.files.regular import open_regular_file

MOST_BYTES = 32 << 20
"""Size of the largest text that is read."""

MOST_TOML_BYTES = 8 << 20
"""Size of the largest TOML text, which may take a hundred times as much memory."""

_MARKS = (  # the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_MOST_KEY_PARTS = 100
_LONG_KEY = re.compile(
    rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MOST_KEY_PARTS}}}"""
)
_LONG_NUMBER = re.compile(r"""(?<![\w"'.])(?:0[xob][0-9a-fA-F_]{16}|[0-9][0-9_]{18})""")
_LINE = re.compile(rb"[^\r\n]++[\r\n]*+|[\r\n]++")
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
"""An escape in JSON; half a character that stands alone is the group."""


def read_text(
    path: str | os.PathLike[str],
    *,
    refuse: type[AutomixError] = InputError,
    most_bytes: int = MOST_BYTES,
) -> str:
    r"""Reads a text file; its lines then end with ``\n`` alone.

    Args:
        path: The file.
        refuse: Kind of error for what is no text.
        most_bytes: Size of the largest file that is read.

    Raises:
        InputError: The file is missing, not a regular file, too large, or may not be read.
        AutomixError: Of the kind ``refuse``: it is not text; names the line.
    """
    name = printable(path)
    text, line = decode_text(read_bytes(path, most_bytes), name, refuse)
    if line is not None:
        raise refuse(f"{name}, line {line}: is not UTF-8 text; save the file as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_toml(
    path: str | os.PathLike[str], *, refuse: type[AutomixError] = InputError
) -> dict[str, Any]:
    """Reads a TOML file; see `read_text` and `parse_toml`."""
    text = read_text(path, refuse=refuse, most_bytes=MOST_TOML_BYTES)
    return parse_toml(text, printable(path), refuse=refuse)


def parse_toml(text: str, name: str, *, refuse: type[AutomixError] = InputError) -> dict[str, Any]:
    """Parses TOML.

    Args:
        text: The text.
        name: Name of the text in messages.
        refuse: Kind of error.

    Raises:
        AutomixError: Of the kind ``refuse``: it is not TOML; names the line.
    """
    text = text.removeprefix("\ufeff")
    # The time that a key takes grows with the square of the number of its parts.
    if key := _LONG_KEY.search(text):
        line = _find_line(text, key.start())
        raise refuse(f"{name}, line {line}: a key has over {_MOST_KEY_PARTS} parts; shorten it")
    document: dict[str, Any] = _parse(tomllib.loads, text, name, "TOML", refuse)
    parts: list[Any] = [document]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            parts += part.values()
        elif isinstance(part, list):
            parts += part
        elif isinstance(part, int) and part.bit_length() > 63:
            raise refuse(_describe_long_number(text, name, "TOML"))
    return document


def read_json(
    path: str | os.PathLike[str],
    *,
    refuse: type[AutomixError] = InputError,
    most_bytes: int = MOST_BYTES,
) -> Any:
    """Reads a JSON file; see `read_text` and `parse_json`."""
    text = read_text(path, refuse=refuse, most_bytes=most_bytes)
    return parse_json(text, printable(path), refuse=refuse)


def parse_json(text: str, name: str, *, refuse: type[AutomixError] = InputError) -> Any:
    r"""Parses JSON.

    The texts in it are then valid Unicode: an escape that stands for half a character, which no
    file can hold, is spelled out (``\ud83d``). A number beyond 64 bits becomes a `float`.

    Args:
        text: The text.
        name: Name of the text in messages.
        refuse: Kind of error.

    Raises:
        AutomixError: Of the kind ``refuse``: it is not JSON; names the line.
    """
    text = _ESCAPE.sub(lambda found: f"\\{found[0]}" if found[1] else found[0], text)
    return _parse(_load_json, text, name, "JSON", refuse)


def _load_json(text: str) -> Any:
    return json.loads(text, parse_int=lambda digits: (int if len(digits) < 19 else float)(digits))


def _parse(
    parse: Callable[[str], Any], text: str, name: str, language: str, refuse: type[AutomixError]
) -> Any:
    try:
        return parse(text)
    except RecursionError as error:
        raise refuse(f"{name}: not valid {language}: nested too deeply") from error
    except json.JSONDecodeError as error:
        reason = f"{error.msg} (at line {error.lineno}, column {error.colno})"
        raise refuse(f"{name}: not valid {language}: {reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise refuse(f"{name}: not valid {language}: {error}") from error
    except ValueError as error:  # Python reads no number of thousands of digits
        raise refuse(_describe_long_number(text, name, language)) from error


def _describe_long_number(text: str, name: str, language: str) -> str:
    number = _LONG_NUMBER.search(text)
    where = f" (at line {_find_line(text, number.start())})" if number else ""
    return f"{name}: not valid {language}: a number does not fit into 64 bits{where}"


def read_bytes(path: str | os.PathLike[str], most_bytes: int = MOST_BYTES) -> bytes:
    """Reads a whole file that is to hold text.

    Raises:
        InputError: The file is missing, not a regular file, too large, or may not be read.
    """
    with (
        open_regular_file(path, "text", may_be_empty=True) as descriptor,
        open(descriptor, "rb", closefd=False) as file,
    ):
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise InputError(f"{printable(path)}: has over {most_bytes} bytes; is it the right file?")
    return data


def decode_text(data: bytes, name: str, refuse: type[AutomixError]) -> tuple[str, int | None]:
    """Decodes text in UTF-8, UTF-16 or UTF-32, and single lines in Windows-1252.

    Args:
        data: Content of a file.
        name: Name of the file in messages.
        refuse: Kind of error.

    Returns:
        The text without a byte-order mark; and the number of the first line that was read as
        Windows-1252, or none.

    Raises:
        AutomixError: Of the kind ``refuse``: the data are not text; names the line.
    """
    charset = next((charset for mark, charset in _MARKS if data.startswith(mark)), "")
    charset = charset or _guess_charset(data)
    first_line = None
    try:
        text = data.decode(charset)
    except UnicodeDecodeError as error:
        if charset != "UTF-8":
            raise refuse(f"{name}: is not whole text in {charset}; save it as UTF-8") from error
        first_line = _find_line(data.decode("latin-1"), error.start)
        text = _decode_lines(data, name, refuse)
    if "\0" in text:
        line_number = _find_line(text, text.index("\0"))
        raise refuse(f"{name}, line {line_number}: holds a null character; is it a text file?")
    return text.lstrip("\ufeff"), first_line


def _decode_lines(data: bytes, name: str, refuse: type[AutomixError]) -> str:
    """Decodes each line as UTF-8, or as Windows-1252 where it is none."""
    text = io.StringIO(newline="")
    for line in _LINE.finditer(data):
        try:
            text.write(line[0].decode())
        except UnicodeDecodeError:
            try:
                text.write(line[0].decode("cp1252"))
            except UnicodeDecodeError as error:
                number = _find_line(data.decode("latin-1"), line.start() + error.start)
                raise refuse(
                    f"{name}, line {number}: is neither UTF-8 nor Windows-1252 text; save the file"
                    " as UTF-8"
                ) from error
    return text.getvalue()


def _guess_charset(data: bytes) -> str:
    """Tells UTF-16 without a mark: one of the two bytes of a Western character is zero."""
    low, high = data[:1024:2], data[1:1024:2]
    if 2 * high.count(0) > len(high) and not low.count(0):
        return "UTF-16-LE"
    if high and 2 * low.count(0) > len(low) and not high.count(0):
        return "UTF-16-BE"
    return "UTF-8"


def _find_line(text: str, position: int) -> int:
    """The number, from 1, of the line that a position is on, whatever ends the lines."""
    before = text[:position]
    return 1 + before.count("\n") + before.count("\r") - before.count("\r\n")
