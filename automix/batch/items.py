"""The items of a batch: from folders and manifests to outputs that do not collide."""

import os
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automix.batch.folders import find_songs
from automix.batch.item import Item, Kind
from automix.batch.manifest import EXTENSIONS, Row, read_manifest
from automix.errors import InputError, UsageError

FIELDS = ("song", "kind", "method", "mode", "preset", "ext")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where items come from and how they are named; iterate over it any number of times.

    Attributes:
        paths: Folders and manifests.
        folder: Folder of the batch.
        name: Template of output names, with the `FIELDS` in braces.
        options: Options of all items, by kind; those of a row come after them.
        kind: What songs in folders are, where names may mislead.
    """

    paths: Sequence[Path]
    folder: Path
    name: str
    options: Mapping[Kind, tuple[str, ...]]
    kind: Kind | None = None

    def __iter__(self) -> Iterator[Item]:
        """The items, found one by one.

        Raises:
            InputError: A source cannot be read or holds no song.
            UsageError: A manifest is wrong, names a line; or the template is.
        """
        for path in self.paths:
            empty = True
            for row in self._rows(path):
                empty = False
                yield self._item(row)
            if empty:
                raise InputError(f"{path}: no songs; give folders that hold audio, or a manifest")

    def _rows(self, path: Path) -> Iterator[Row]:
        if path.suffix.lower() in EXTENSIONS and not path.is_dir():
            yield from read_manifest(path)
            return
        if not path.is_dir():
            raise InputError(
                f"{path}: is not there"
                if not path.exists()
                else f"{path}: is neither a folder nor a manifest (.csv, .toml)"
            )
        for song in find_songs(str(path), kind=self.kind, leave_out=str(self.folder)):
            yield Row(
                name=song.name,
                kind=song.kind,
                inputs=song.inputs,
                options=(),
                extras=(),
                output="",
                source=os.path.dirname(song.inputs[0]) or song.inputs[0],
            )

    def _item(self, row: Row) -> Item:
        options = (*self.options[row.kind], *row.options)
        output = row.output or _named(self.name, row, options)
        return Item(
            kind=row.kind,
            song=row.name,
            inputs=row.inputs,
            extras=(*row.extras, *_config(self.options[row.kind])),
            options=options,
            output=os.path.normpath(output),
            source=row.source,
        )


def _config(options: Sequence[str]) -> list[str]:
    return [text.partition("=")[2] for text in options if text.startswith("--config=")]


def _named(template: str, row: Row, options: Sequence[str]) -> str:
    """The template with what is known; methods and presets only where they were chosen."""
    chosen = {
        name: value
        for name, _, value in (option.removeprefix("--").partition("=") for option in options)
    }
    fields = {
        "song": row.name,
        "kind": row.kind,
        "method": chosen.get("method", "rules"),
        "mode": chosen.get("mode", "basic"),
        "preset": chosen.get("preset", "studio"),
        "ext": "wav",
    }
    return template.format_map(fields)


def check_template(template: str) -> None:
    """Refuses a template of names that cannot work.

    Raises:
        UsageError: It has other fields than `FIELDS`, or none that tells songs apart.
    """
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(template) if field}
        template.format_map(dict.fromkeys(FIELDS, "x"))
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        known = ", ".join("{" + field + "}" for field in FIELDS)
        raise UsageError(f"--name {template!r}: use the fields {known}") from error
    if "song" not in fields or template.startswith("/") or ".." in template.split("/"):
        raise UsageError(f"--name {template!r} must hold {{song}} and stay in the folder of -o")
