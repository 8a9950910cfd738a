"""Documents of keys and values, changed where it hurts, and written as TOML, JSON or YAML."""

import copy
import datetime
import json
import random
from typing import Any

from tests.fuzz.numbers import damage_bytes


class Raw(str):
    """Text that is written as it is, whatever the language makes of it."""


def draw_value(rng: random.Random) -> Any:
    """A value that is seldom what is expected."""
    numbers = (0, 1, -1, 2, 7, 100, 65536, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, -(2**63) - 1)
    floats = (0.0, -0.0, 0.5, 1.5, -3.0, 1e-320, 1e300, 1e308, float("nan"), float("inf"))
    texts = (
        *("", " ", "\0", "a\0b", "é", "\u202e", "\n", "a\nb\r", "..", ".", "/", "~", "-", "-f"),
        *("true", "none", "nan", "inf", "1e999", "1,5", "٣", "½", "²", "=1+1", "@x", "a=b", "%n"),
        *("../../etc/passwd", "/dev/zero", "/dev/stdin", "/dev/fd/0", "/proc/self/mem", "file:"),
        *(
            "file:%00",
            "file:%ff%fe",
            "{song}",
            "{song:>99999999999}",
            "{0}",
            "{song.__class__}",
            "{",
        ),
        *("kick.wav", "vox.wav", "beat.wav", "folder", "gone.wav", "text.txt", "out.wav"),
        *("lead vocal", "other", "room", "master", "a" * 300, "x" * 100_000, "é" * 200, "[" * 5000),
        *(" " * 30_000, "=" * 3000, "." * 3000, "1" * 5000, "-" * 200, "\ud800", "a\udfffb"),
    )
    raws = (
        *("9" * 5000, "-" + "9" * 5000, "1e400", "1e-400", "1" + "0" * 400, "1" + "0" * 400 + ".0"),
        *("0x" + "f" * 5000, "[" * 3000, "[" * 3000 + "]" * 3000, "[" * 60 + "]" * 60),
        *('{"a":' * 3000 + "1" + "}" * 3000, "{a=" * 1500 + "1" + "}" * 1500),
        *("1979-05-27T07:32:00Z", '"\\ud800"', '"\\u0000"', "NaN", "-Infinity", "null", "''"),
        *('"""\n[' + " " * 1000 + '\n"""', '"""\na' + " " * 30_000 + '\n"""'),
        *("'" * 3 + "a\nb" + "'" * 3, "", "1 2", '"', "0" * 400, "1_000", "+1", "&a [*a]"),
    )
    match rng.randrange(8):
        case 0 | 1:
            return rng.choice(numbers)
        case 2:
            return rng.choice(floats)
        case 3 | 4:
            return rng.choice(texts)
        case 5 | 6:
            return Raw(rng.choice(raws))
        case _:
            return rng.choice(
                (True, False, [], {}, [[]], [{}], [1, "a"], {"a": {"b": 1}}, ["a"] * 1000,
                 datetime.date(1979, 5, 27), [0.0] * 10_000, {"": ""}, {"a.b": 1}, [True, None])
            )  # fmt: skip


def mutate_tree(rng: random.Random, tree: Any) -> Any:
    """Changes a document in one to four places."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(walk(tree))
        if not places:
            return draw_value(rng)
        owner, key = rng.choice(places)
        match rng.randrange(11):
            case 0 | 1 | 2 | 3:
                owner[key] = draw_value(rng)
            case 4:
                owner[key] = nudge(rng, owner[key])
            case 5:
                del owner[key]
            case 6:
                other, taken = rng.choice(places)
                owner[key] = copy.deepcopy(other[taken])
            case 7:
                owner[key] = rng.choice(([owner[key]], {"a": owner[key]}, [owner[key]] * 3))
            case 8 if isinstance(owner, dict):
                name = draw_value(rng)
                owner[name if isinstance(name, str) else str(name)[:100]] = owner.pop(key)
            case 8 | 9 if isinstance(owner, list):
                owner.insert(key, copy.deepcopy(owner[key]))
            case _ if isinstance(owner, dict):
                owner[rng.choice(("unknown", "", "a.b", "é", "\0", "name", "file"))] = draw_value(
                    rng
                )
    return tree


def walk(tree: Any) -> list[tuple[Any, Any]]:
    """All places of a document: the table or list, and the key in it."""
    found: list[tuple[Any, Any]] = []
    items: Any = ()
    if isinstance(tree, dict):
        items = list(tree.items())
    elif isinstance(tree, list):
        items = list(enumerate(tree[:20]))
    for key, value in items:
        found.append((tree, key))
        found += walk(value)
    return found


def nudge(rng: random.Random, value: Any) -> Any:
    """Something like the value."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float) and abs(value) < 1e300:
        return rng.choice((-value, value * 1e9, value * 1e-9, value + 1, str(value), int(value)))
    if isinstance(value, str):
        at = rng.randrange(len(value) + 1)
        more = rng.choice(("\0", "\ud800", "é", "/", " ", ".", "\n", '"', "'", "x" * 1000, "../"))
        return rng.choice((value[:at] + more + value[at:], value.upper(), value * 2, value[:at]))
    return [value]


def dump_toml(tree: Any) -> bytes:
    """Writes a document as TOML, tables and lists of tables under headings, as far as it can be."""
    lines: list[str] = []
    if not isinstance(tree, dict):
        return write_inline(tree, toml=True).encode("utf-8", "surrogatepass")
    write_table(lines, [], tree)
    return "\n".join([*lines, ""]).encode("utf-8", "surrogatepass")


def write_table(lines: list[str], path: list[str], table: dict[Any, Any]) -> None:
    nested = []
    for key, value in table.items():
        tables = isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
        if (isinstance(value, dict) or tables) and len(path) < 6:
            nested.append((key, value))
        else:
            lines.append(f"{write_key(key)} = {write_inline(value, toml=True)}")
    for key, value in nested:
        here = [*path, write_key(key)]
        for entry in value if isinstance(value, list) else [value]:
            name = ".".join(here)
            lines += ["", f"[[{name}]]" if isinstance(value, list) else f"[{name}]"]
            write_table(lines, here, entry)


def write_key(key: Any) -> str:
    text = str(key)
    plain = isinstance(key, Raw) or (text.isascii() and text.replace("_", "").isalnum())
    return text if plain else json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_inline(value: Any, *, toml: bool) -> str:
    """Writes a value on one line, as JSON or as TOML does."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        join = " = " if toml else ": "
        keys = (write_key(key) if toml else json.dumps(str(key)) for key in value)
        inner = (write_inline(entry, toml=toml) for entry in value.values())
        return "{" + ", ".join(k + join + v for k, v in zip(keys, inner, strict=True)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(write_inline(entry, toml=toml) for entry in value) + "]"
    if isinstance(value, float) and toml:
        return repr(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not toml)
    if value is None and toml:
        return '""'
    return json.dumps(value)


def dump_json(tree: Any) -> bytes:
    """Writes a document as JSON, numbers without end and halves of characters included."""
    return write_inline(tree, toml=False).encode("utf-8", "surrogatepass")


def damage_text(rng: random.Random, text: bytes) -> bytes:
    """Changes a text as editors, spreadsheets, disks and mischief do."""
    lines = text.split(b"\n")
    place = rng.randrange(len(lines))
    match rng.randrange(16):
        case 0:
            return b"\xef\xbb\xbf" + text
        case 1:
            wide = text.decode("utf-8", "replace")
            return wide.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-7")))
        case 2:
            return text.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b"\0")))
        case 3:
            lines.insert(place, lines[rng.randrange(len(lines))])
        case 4:
            del lines[place]
        case 5:
            rng.shuffle(lines)
        case 6:
            return text[: rng.randrange(len(text) + 1)]
        case 7:
            at = rng.randrange(len(text) + 1)
            odd = rng.choice((b"\0", b"\xff", b"\xed\xa0\x80", b"\xc3", b"\x1a", b"\x85", b'"'))
            return text[:at] + odd + text[at:]
        case 8:
            at = rng.randrange(len(text) + 1)
            many = rng.choice((b" ", b"a", b"[", b"{", b"9", b".", b"#", b"(", b"\t", b"\n", b"-"))
            return text[:at] + many * rng.choice((100, 3000, 30_000)) + text[at:]
        case 9:
            return text.replace(
                *rng.choice(((b",", b";"), (b"=", b":"), (b'"', b""), (b".", b",")))
            )
        case 10:
            return rng.choice(
                (b"", b"\n", b" ", b"\0", b"[", b"{}", b"null", b"[]", b"0", text * 2)
            )
        case 11:
            lines[place] = rng.choice((b"[", b"[[", b"= 1", b'"a', b"a = ", b"'''", b"[a]\n[a]"))
        case 12:
            lines[place] = lines[place][:40] * 3000
        case _:
            return damage_bytes(rng, text)
    return b"\n".join(lines)
