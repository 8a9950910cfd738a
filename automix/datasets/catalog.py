"""The table of data sets. Listing them imports nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from automix.errors import InputError, UsageError

if TYPE_CHECKING:
    from automix.datasets.song import SongFiles


@dataclass(frozen=True, kw_only=True)
class DatasetLayout:
    """One row.

    Attributes:
        name: As given by the user.
        module: Module that holds ``is_layout(root)`` and ``songs(root, …)``.
        summary: One line for people.
        options: Arguments of ``songs`` that make the row what it is.
        is_variant: Whether it has to be asked for by name.
    """

    name: str
    module: str
    summary: str
    options: Mapping[str, str] = field(default_factory=dict)
    is_variant: bool = False


LAYOUTS = (
    DatasetLayout(
        name="musdb18hq",
        module="automix.datasets.musdb18hq",
        summary="MUSDB18-HQ: train/ and test/ with vocals, drums, bass, other and mixture",
    ),
    DatasetLayout(
        name="medleydb",
        module="automix.datasets.medleydb",
        summary="MedleyDB V1 and V2: the processed stems",
    ),
    DatasetLayout(
        name="medleydb-raw",
        module="automix.datasets.medleydb",
        summary="MedleyDB V1 and V2: the raw tracks",
        options={"tracks": "raw"},
        is_variant=True,
    ),
    DatasetLayout(
        name="enst-drums",
        module="automix.datasets.enst_drums",
        summary="ENST-Drums: up to eight microphones, and the dry mix",
    ),
    DatasetLayout(
        name="enst-drums-wet",
        module="automix.datasets.enst_drums",
        summary="ENST-Drums: up to eight microphones, and the wet mix",
        options={"mix": "wet"},
        is_variant=True,
    ),
    DatasetLayout(
        name="signaltrain-la2a",
        module="automix.datasets.signaltrain_la2a",
        summary="SignalTrain LA2A: what goes into an LA-2A, and what comes out",
    ),
    DatasetLayout(
        name="plain",
        module="automix.datasets.plain",
        summary="a folder of stems for each song, with mix.wav or without, by artist or not",
    ),
)
"""In the order in which they are tried; the last takes any folder of stems."""


def find_songs(root: Path, layout: str = "auto") -> "list[SongFiles]":
    """The songs of a data set, by name.

    Args:
        root: Its folder.
        layout: A name from `LAYOUTS`, or ``auto`` to tell it by what lies there.

    Raises:
        InputError: No layout fits, there are no songs, or one is damaged.
        UsageError: There is no such layout.
    """
    row = _told(root) if layout == "auto" else _named(layout)
    found: Callable[..., list[SongFiles]] = import_module(row.module).songs
    return found(root, **row.options)


def _named(name: str) -> DatasetLayout:
    for row in LAYOUTS:
        if row.name == name:
            return row
    raise UsageError(f"no data set layout {name!r}; there are: auto, {_names()}")


def _told(root: Path) -> DatasetLayout:
    from automix.datasets.listing import folders
    from automix.files.names import printable

    *special, plain = (row for row in LAYOUTS if not row.is_variant)
    for row in special:
        if _fits(row, root):
            return row
    for folder in folders(root):
        for row in special:
            if _fits(row, folder):
                raise InputError(
                    f"{printable(root)}: {row.name} lies in {printable(folder)}; give that"
                )
    if _fits(plain, root):
        return plain
    raise InputError(f"{printable(root)}: no songs in a layout that is known: {_names()}")


def _fits(row: DatasetLayout, root: Path) -> bool:
    fits: bool = import_module(row.module).is_layout(root)
    return fits


def _names() -> str:
    return ", ".join(row.name for row in LAYOUTS)
