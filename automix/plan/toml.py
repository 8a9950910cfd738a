"""Plans as TOML text: commented with units and ranges, versioned, exact in both directions."""

import contextlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from automix.errors import InputError, OutputError, PlanError
from automix.files.names import printable
from automix.files.regular import open_regular_file
from automix.files.text import MOST_TOML_BYTES, decode_text, parse_toml, read_text
from automix.inputs import read_outputs
from automix.plan.decision import Decision
from automix.plan.parameters import OnlyIfSet, Parameter, Settings, parameters
from automix.plan.plain import DECISION_FIELDS, SettingFault, read_settings

FORMAT = 1
_MARK = "# automix plan"


def dumps(plan: Any) -> str:
    """A `MixPlan` as TOML, without processors that are neutral; `loads` fills them in again."""
    lines = [
        f"{_MARK}: edit any value, then run `automix render` on this file.",
        "# A setting or a block that is not here has its neutral value.",
        "",
        f"format = {FORMAT}",
    ]
    _write_settings(lines, "", plan)
    for decision in plan.decisions:
        lines += ["", "[[decisions]]"]
        lines += [f"{name} = {_toml(getattr(decision, name))}" for name in DECISION_FIELDS]
        figures = ", ".join(f"{_key(name)} = {_toml(value)}" for name, value in decision.figures)
        lines.append(f"figures = {{ {figures} }}" if figures else "figures = {}")
    return "\n".join(lines) + "\n"


def begins_as_plan(path: str | os.PathLike[str]) -> bool:
    """Tells whether a file begins as the plans do that automix writes, however it was saved since.

    Raises:
        InputError: The file may not be read.
    """
    if not os.path.isfile(path):
        return False
    with read_outputs(), open_regular_file(path, "text", may_be_empty=True) as descriptor:
        head = os.pread(descriptor, 8 * len(_MARK), 0)  # a mix and its plan may be replaced
    try:
        text, _ = decode_text(head, printable(path), PlanError)
    except PlanError:
        return False
    return text.startswith(_MARK)


def settings_toml(settings: Settings) -> str:
    """Any settings as TOML, with ranges and meanings; nothing is left out."""
    lines: list[str] = []
    _write_settings(lines, "", settings, whole=True)
    return "\n".join(lines) + "\n"


def _write_settings(
    lines: list[str], table: str, settings: Settings, *, whole: bool = False
) -> None:
    nested = []
    for parameter in parameters(type(settings)).values():
        value = getattr(settings, parameter.name)
        if issubclass(parameter.kind, Settings) or parameter.kind is Decision:
            nested.append((parameter, value))
        elif OnlyIfSet() in parameter.notes and value == parameter.default and not whole:
            continue
        elif value not in (None, "") or value != parameter.default:
            comment = _comment(parameter)
            lines.append(f"{parameter.name} = {_toml(value)}{comment and '  # ' + comment}")
    for parameter, value in nested:
        if parameter.kind is Decision:
            continue
        name = f"{table}.{parameter.name}" if table else parameter.name
        if parameter.many:
            for entry in value:
                lines += ["", f"[[{name}]]"]
                _write_settings(lines, name, entry)
        elif whole or not value.is_neutral:
            if not all(nested.many for nested in parameters(parameter.kind).values()):
                lines += ["", f"[{name}]"]
            _write_settings(lines, name, value, whole=whole)


def _comment(parameter: Parameter) -> str:
    legal = str(parameter.range) if parameter.range else ", ".join(parameter.choices)
    return "; ".join(part for part in (legal, parameter.about) if part)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value))  # shortest text that reads back as the same number
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return _toml_list([_toml(item) for item in value])
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_list(items: list[str]) -> str:
    """A list in one line, or ten items to a line."""
    if len(items) <= _LIST_ITEMS:
        return f"[{', '.join(items)}]"
    rows = [items[n : n + _LIST_ITEMS] for n in range(0, len(items), _LIST_ITEMS)]
    return "[\n" + "".join(f"    {', '.join(row)},\n" for row in rows) + "]"


_LIST_ITEMS = 10


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def load(path: Path, kind: type[Any]) -> Any:
    """Reads a plan file; see `loads`.

    Raises:
        PlanError: The file cannot be read, or is not a legal plan; names the line.
    """
    try:
        text = read_text(path, refuse=PlanError, most_bytes=MOST_TOML_BYTES)
    except InputError as error:
        raise PlanError(str(error)) from error
    return loads(text, kind, printable(path))


def loads(text: str, kind: type[Any], source: str) -> Any:
    """Reads a plan.

    Args:
        text: TOML.
        kind: Class of the plan, `automix.plan.model.MixPlan`.
        source: Name of the text in messages.

    Raises:
        PlanError: Not TOML, another format version, an unknown key, or an illegal value; names the
            line.
    """
    document = parse_toml(text, source, refuse=PlanError)
    version = document.pop("format", None)
    if version != FORMAT:
        raise PlanError(
            f"{source}: plan format {version!r}, but this version of automix reads {FORMAT};"
            " write the plan anew"
        )
    try:
        return read_settings(kind, document, ())
    except SettingFault as fault:
        line = _line_of(text, fault.path)
        raise PlanError(f"{source}{f', line {line}' if line else ''}: {fault}") from fault


def write_text(path: Path, text: str, *, overwrite: bool) -> None:
    """Writes a small text file, which is there whole or not at all.

    Raises:
        OutputError: The file is there already, or cannot be written.
    """
    temporary = path.with_name(f".automix-{secrets.token_hex(8)}.part")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(path)
        else:
            os.link(temporary, path)  # unlike a renaming, fails where something is in the way
    except FileExistsError:
        raise OutputError(f"{path}: exists; pass overwrite=True to replace it") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


_HEADER = re.compile(r"\s*+\[(\[)?([^\[\]#]++)\]")
_ASSIGNMENT = re.compile(r"\s*+([A-Za-z0-9_\".-]++)\s*+=")


def _line_of(text: str, path: tuple[str | int, ...]) -> int | None:
    """The line, from 1, on which the deepest part of ``path`` that has one is written."""
    best: tuple[int, int] | None = None
    counts: dict[tuple[str | int, ...], int] = {}
    here: tuple[str | int, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            here = ()
            names = [name.strip().strip('"') for name in header[2].split(".")]
            if len(names) > len(path):
                here = tuple(names)
                continue
            for depth, name in enumerate(names, 1):
                here = (*here, name)
                if header[1] and depth == len(names):
                    counts[here] = counts.get(here, -1) + 1
                if here in counts:
                    here = (*here, counts[here])
            found = here
        elif len(here) < len(path) and (assignment := _ASSIGNMENT.match(line)):
            found = (*here, *(name.strip('"') for name in assignment[1].split(".")))
        else:
            continue
        if path[: len(found)] == found and (best is None or len(found) > best[0]):
            best = (len(found), number)
    return best[1] if best else None


def file_reference(path: Path, folder: Path | None) -> str:
    """How a plan in ``folder`` names ``path``: relative if it can, always valid Unicode.

    Without a folder the name is absolute.
    """
    reference = os.path.abspath(path) if folder is None else _relative_to(path, folder)
    try:
        reference.encode()
    except UnicodeEncodeError:
        return "file:" + quote(os.fsencode(reference))
    return reference if not reference.startswith("file:") else "./" + reference


def _relative_to(path: Path, folder: Path) -> str:
    try:
        reference = os.path.relpath(path, folder)
        if ".." in (*path.parts, *folder.parts, *Path(reference).parts):
            # What ".." means depends on where links lead.
            path = Path(os.path.realpath(path.parent), path.name)
            reference = os.path.relpath(path, os.path.realpath(folder))
        return reference
    except ValueError:  # another drive
        return os.path.abspath(path)


def resolve_file(reference: str, folder: Path) -> Path:
    """The path that a reference in a plan in ``folder`` stands for."""
    if reference.startswith("file:"):
        reference = os.fsdecode(unquote_to_bytes(reference.removeprefix("file:")))
    return folder / reference


def absolute_reference(reference: str, folder: Path) -> str:
    """What a reference in a plan in ``folder`` is called from anywhere."""
    return file_reference(resolve_file(reference, folder), None)


def moved_reference(reference: str, folder: Path) -> str:
    """An absolute reference as a plan in ``folder`` writes it; any other as it is."""
    path = resolve_file(reference, Path())
    return file_reference(path, folder) if path.is_absolute() else reference
