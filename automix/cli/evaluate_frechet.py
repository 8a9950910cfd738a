"""`automix evaluate frechet`: how far a body of mixes is from another."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from automix.evaluation.frechet import FrechetDistance


class EmbedderChoice(StrEnum):
    """What audio is compared by."""

    mel_statistics = "mel-statistics"
    vggish = "vggish"
    music_tagging_vgg = "music-tagging-vgg"


@report_errors
def frechet(
    reference: Annotated[Path, typer.Argument(help="Folder of audio to compare with.")],
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER", help="Folders of audio, each one set.")
    ],
    embedder: Annotated[
        EmbedderChoice,
        typer.Option(
            help="mel-statistics needs no weights, and its figures compare with each other only;"
            " vggish and music-tagging-vgg are the networks of the literature."
        ),
    ] = EmbedderChoice.mel_statistics,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights of the network, .safetensors or .pth."),
    ] = None,
    device: options.Device = "auto",
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the draws of the extrapolation.")
    ] = 0,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure the Fréchet distance of folders of audio to a reference folder.

    The distance between the distributions of embeddings of all frames, as it comes, and
    extrapolated to infinitely many frames, which makes sets of unequal size comparable.

    For example: automix evaluate frechet human/ rules/ equal-loudness/
    """
    from automix.evaluation.frechet import compare_folders
    from automix.networks.device import choose_device
    from automix.networks.embedders import make_embedder

    printer = Printer(json=json, quiet=quiet)
    chosen = make_embedder(embedder.value, weights, choose_device(device))
    with printer.progress(1 + len(folders)) as report:
        distances, notes = compare_folders(reference, folders, chosen, seed=seed, report=report)
    for note in notes:
        printer.note(note)
    if json:
        rows = [{**asdict(row), "folder": str(row.folder)} for row in distances]
        document = {"reference": str(reference), "embedder": embedder.value, "sets": rows}
        printer.document({**document, "weights": str(weights) if weights else None})
    elif not quiet:
        _print(distances)


def _print(distances: "list[FrechetDistance]") -> None:
    import math
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from automix.files.names import printable

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("folder")
    for heading in ("files", "frames", "distance", "at infinity"):
        table.add_column(heading, justify="right")
    for row in distances:
        infinity = "–" if math.isnan(row.extrapolated) else f"{row.extrapolated:.4f}"
        name = Text(printable(row.folder))
        table.add_row(name, str(row.files), str(row.frames), f"{row.distance:.4f}", infinity)
    console.print(table)
