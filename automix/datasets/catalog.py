"""The table of data sets: one row for each. Listing them imports no reader."""

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
    """One row of the table: a data set, or a variant of one.

    Attributes:
        name: Name by which the user asks for it.
        module: Dotted name of its reader, which has the functions ``is_layout(root)`` and
            ``read_songs(root, …)``.
        summary: One line that describes it for people.
        options: Arguments of ``read_songs`` that make the variant.
        is_variant: Whether it has to be asked for by name, because a folder does not tell it from
            another row.
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
"""All rows, in the order in which they are tried; the last takes any folder of stems."""


def find_songs(root: Path, layout: str = "auto") -> "list[SongFiles]":
    """Finds the songs of a data set.

    Args:
        root: Folder of the data set.
        layout: Name of one of the `LAYOUTS`, or ``auto`` to tell it by what lies in the folder.

    Returns:
        The songs, in the order of their names.

    Raises:
        InputError: No layout fits the folder, there are no songs, or one is damaged.
        UsageError: No layout has that name.
    """
    row = _recognize(root) if layout == "auto" else _look_up(layout)
    found: Callable[..., list[SongFiles]] = import_module(row.module).read_songs
    return found(root, **row.options)


def _look_up(name: str) -> DatasetLayout:
    for row in LAYOUTS:
        if row.name == name:
            return row
    raise UsageError(f"no data set layout {name!r}; there are: auto, {_names()}")


def _recognize(root: Path) -> DatasetLayout:
    from automix.datasets.listing import list_folders
    from automix.files.names import printable

    *special, plain = (row for row in LAYOUTS if not row.is_variant)
    for row in special:
        if _fits(row, root):
            return row
    for folder in list_folders(root):
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
