"""From folders and manifests to items with options and outputs."""

import os
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from automix.batch.item import Item
from automix.batch.manifest import EXTENSIONS, read_manifest
from automix.errors import InputError, UsageError
from automix.session.song_search import Kind, find_songs

DEFAULTS = {"method": "rules", "mode": "basic", "preset": "studio", "ext": "wav"}
FIELDS = ("song", "kind", *DEFAULTS)
"""What names of outputs may hold in braces."""


def find_items(
    paths: Sequence[str],
    *,
    folder: str,
    name: str,
    options: Mapping[Kind, tuple[str, ...]],
    kind: Kind | None = None,
) -> Iterator[Item]:
    """Finds the items of a batch, one by one.

    Args:
        paths: Folders and manifests.
        folder: Folder of the batch, which is not searched.
        name: Template of the outputs' names, with the `FIELDS` in braces.
        options: Options of all items, by kind; those of a manifest's row come after them.
        kind: What songs in folders are, where names may mislead.

    Raises:
        InputError: A source cannot be read or holds no song.
        UsageError: A manifest is wrong, names the line; or the template is.
    """
    _check_template(name)
    for path in paths:
        empty = True
        for item in _found(path, kind, folder):
            empty = False
            told = options[item.kind] + item.options if item.options else options[item.kind]
            output = os.path.normpath(item.output or _named(name, item, told))
            if os.path.isabs(output) or output.split("/")[0] in ("..", "."):
                raise UsageError(
                    f"{item.source}: its mix would be {output!r}, which is no file in the folder of"
                    " -o; choose another name"
                )
            yield replace(item, options=told, output=output)
        if empty:
            raise InputError(f"{path}: no songs; give folders that hold audio, or a manifest")


def _found(path: str, kind: Kind | None, folder: str) -> Iterator[Item]:
    if os.path.isdir(path):
        return (
            Item(kind=found.kind, song=found.song, inputs=found.inputs, source=found.source)
            for found in find_songs(path, kind=kind, leave_out=folder)
        )
    if path.lower().endswith(EXTENSIONS):
        return read_manifest(path)
    problem = "is neither a folder nor a manifest (.csv, .toml)"
    raise InputError(f"{path}: {problem if os.path.exists(path) else 'is not there'}")


def _named(template: str, item: Item, options: Sequence[str]) -> str:
    told = dict(option.removeprefix("--").split("=", 1) for option in options if "=" in option)
    chosen = {field: told.get(field, default) for field, default in DEFAULTS.items()}
    return template.format_map({**chosen, "song": item.song, "kind": item.kind})


def _check_template(template: str) -> None:
    try:
        used = {field for _, field, _, _ in string.Formatter().parse(template) if field}
        template.format_map(dict.fromkeys(FIELDS, "x"))
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        known = ", ".join("{" + field + "}" for field in FIELDS)
        raise UsageError(f"--name {template!r}: use the fields {known}") from error
    if "song" not in used:
        raise UsageError(f"--name {template!r} must hold {{song}}, which tells the mixes apart")
