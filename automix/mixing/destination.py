"""Where a mix goes: what ``-o``, ``--name`` and ``--export-stems`` mean."""

import os
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

from automix.errors import OutputError, UsageError
from automix.files.names import printable
from automix.mixing.request import Delivery


def output_path(delivery: Delivery, fields: Mapping[str, str], *, default_name: str) -> Path:
    """The file to write: ``-o`` itself, or a file in the folder that it is.

    Args:
        delivery: Names the file or its folder, and the template of the file's name.
        fields: Values of the names that the template may hold in braces.
        default_name: Name of the file in a folder.

    Raises:
        UsageError: ``--name`` with a field that does not exist, or without a folder.
    """
    output, template = delivery.output, delivery.name
    if output is None:
        output = "mix.wav" if template is None else "."
    if not output.endswith("/") and not os.path.isdir(output):
        if template is not None:
            raise UsageError("--name goes with an -o that is a folder (end it with /)")
        return Path(output)
    if template is None:
        return Path(output, default_name)
    name = fill_template(template, fields)
    if "/" in name or not name:
        raise UsageError(f"--name {template!r} must give a file name")
    return Path(output, name)


def fill_template(template: str, fields: Mapping[str, str]) -> str:
    """Fills in the name of an output: ``{song}`` becomes the song, ``{{`` a brace.

    Nothing else that Python's formats know goes through: a width such as ``{song:>99999999999}``
    takes memory without end.

    Args:
        template: What ``--name`` gives.
        fields: Values of the names that the template may hold in braces.

    Raises:
        UsageError: The template holds anything but text and these fields.
    """
    parts = []
    try:
        for text, field, form, conversion in string.Formatter().parse(template):
            if form or conversion:
                raise ValueError(form)
            parts += [text, "" if field is None else fields[field]]
    except (KeyError, ValueError) as error:
        known = ", ".join("{" + field + "}" for field in fields)
        raise UsageError(f"--name {template!r}: use the fields {known}") from error
    return "".join(parts)


def stem_paths(delivery: Delivery, output: Path, tracks: Sequence[str]) -> dict[str, Path]:
    """Files of the stems by track, in the format of the mix; none unless they are asked for.

    Raises:
        OutputError: Two outputs would have one name.
    """
    if delivery.export_stems is None:
        return {}
    stems = {
        name: delivery.export_stems / f"{name.replace('/', '_')}{output.suffix}" for name in tracks
    }
    taken = [os.path.realpath(path) for path in (output, *stems.values())]
    for path in stems.values():
        if taken.count(os.path.realpath(path)) > 1:
            raise OutputError(
                f"{printable(path)}: two outputs would have this name; choose another -o or"
                " --export-stems"
            )
    return stems
