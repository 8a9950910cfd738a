"""From folders and manifests to items with options and outputs."""

import os
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from automix.batch.item import Item
from automix.batch.manifest import MANIFEST_EXTENSIONS, REQUESTS, Row, read_manifest
from automix.errors import InputError, UsageError
from automix.mixing.destination import fill_template
from automix.mixing.request import Delivery, StemsRequest, VocalRequest, option_of
from automix.plan.parameters import parameters
from automix.session.song_search import Kind, search_songs

DEFAULTS = {"method": "rules", "mode": "basic", "preset": "studio", "ext": "wav"}
FIELDS = ("song", "kind", *DEFAULTS)
"""What names of outputs may hold in braces."""


def find_items(
    paths: Sequence[str],
    *,
    folder: str,
    name: str,
    options: Mapping[str, Any],
    kind: Kind | None = None,
    note: Callable[[str], None] = lambda message: None,
) -> Iterator[Item]:
    """Finds the items of a batch, one by one.

    Args:
        paths: Folders and manifests.
        folder: Folder of the batch, which is not searched.
        name: Template of the outputs' names, with the `FIELDS` in braces.
        options: Options of all songs by field of their requests; a kind of song takes those that
            it has, and a row of a manifest overrules them.
        kind: What songs in folders are, where names may mislead.
        note: Told what is left out of folders, and what is unusual about a manifest.

    Raises:
        InputError: A source cannot be read or holds no song.
        UsageError: A manifest is wrong, names the line; or the template is, or an option.
    """
    _check_template(name)
    shared: dict[Kind, tuple[VocalRequest | StemsRequest, Delivery]] = {}
    for path in paths:
        empty = True
        for row in _rows(path, kind, folder, note):
            empty = False
            if row.options:
                both = {**_choose_options(row.kind, options), **row.options}
                request, written = _ask(row.kind, both, row.source)
            else:
                if row.kind not in shared:
                    own = _choose_options(row.kind, options)
                    shared[row.kind] = _ask(row.kind, own, row.source)
                request, written = shared[row.kind]
            item = Item(
                kind=row.kind,
                song=row.song,
                inputs=row.inputs,
                source=row.source,
                asked=request,
                bits=written.bits,
                report=str(written.report or ""),
            )
            output = os.path.normpath(row.output or _name_output(name, item))
            for file in filter(None, (output, item.report)):
                if os.path.isabs(file) or os.path.normpath(file).split("/")[0] in ("..", "."):
                    raise UsageError(
                        f"{item.source}: {file!r} would be written, which is no file in the folder"
                        " of -o; choose another name"
                    )
            yield replace(item, output=output)
        if empty:
            raise InputError(f"{path}: no songs; give folders that hold audio, or a manifest")


def _choose_options(kind: Kind, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of all songs without those whose words only another kind of song knows.

    Presets of pairs and of stems have nothing in common: each kind takes its own.
    """
    words = {
        other: {
            name: option_of(parameter).choices for name, parameter in parameters(request).items()
        }
        for other, request in REQUESTS.items()
    }
    return {
        name: value
        for name, value in options.items()
        if not any(
            value in known.get(name, ()) and not set(known[name]) & set(words[kind].get(name, ()))
            for other, known in words.items()
            if other != kind
        )
    }


def _ask(
    kind: Kind, options: Mapping[str, Any], source: str
) -> tuple[VocalRequest | StemsRequest, Delivery]:
    """What is asked of a song and of its files, of the options that its kind has."""
    request, written = REQUESTS[kind], ("bits", "report")
    own = {name: value for name, value in options.items() if name in parameters(request)}
    try:
        return (
            request(**own),
            Delivery(**{name: options[name] for name in written if name in options}),
        )
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from error


def _rows(path: str, kind: Kind | None, folder: str, note: Callable[[str], None]) -> Iterator[Row]:
    if os.path.isdir(path):
        return (
            Row(
                kind=found.kind,
                song=found.song,
                inputs=found.inputs,
                source=found.source,
                options={},
                output="",
            )
            for found in search_songs(path, kind=kind, leave_out=folder, note=note)
        )
    if path.lower().endswith(MANIFEST_EXTENSIONS):
        return read_manifest(path, note)
    problem = f"is neither a folder nor a manifest ({', '.join(MANIFEST_EXTENSIONS)})"
    raise InputError(f"{path}: {problem if os.path.exists(path) else 'is not there'}")


def _name_output(template: str, item: Item) -> str:
    chosen = DEFAULTS | item.asked.named()
    return fill_template(template, {**chosen, "song": item.song, "kind": item.kind})


def _check_template(template: str) -> None:
    fill_template(template, dict.fromkeys(FIELDS, "x"))
    if "song" not in {field for _, field, _, _ in string.Formatter().parse(template)}:
        raise UsageError(f"--name {template!r} must hold {{song}}, which tells the mixes apart")
