"""`automix data vocal`: vocals and backings to train on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from automix.training.vocal.preparation.separation import Separator


@report_errors
def vocal(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE",
            help="Folders: pairs named as for `automix batch`, MUSDB18-HQ, songs in stems, songs of"
            " automix data synthesize; with --separate, finished songs.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Where the data are written."),
    ],
    raw: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Also write N randomly equalized copies of each vocal."
        ),
    ] = 0,
    wet: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Also write N copies with known random reverbs."),
    ] = 0,
    match: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Match the impulse responses in this folder, named as the songs, to the built-in"
            " reverb, by a genetic algorithm (automix[matching]).",
        ),
    ] = None,
    separate: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Separate finished songs with this model of Demucs, such as htdemucs"
            " (automix[separation]; its weights are yours to bring).",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="Of what is drawn.")
    ] = 0,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Prepare vocals and their backings to train on.

    Writes DIR/songs/NAME/vocal.flac and beat.flac at 44.1 kHz, and manifest.json with what each was
    made of. Songs whose vocal is not within -10 to 6 LU of its backing, or whose loudness range is
    not 5 to 30 LU, are left out. The same command goes on where it was ended.

    For example: automix data vocal musdb18hq -o prepared
    """
    from dataclasses import asdict

    from automix.files.names import printable
    from automix.training.vocal.preparation.vocals import VocalPreparation, prepare_vocals

    printer = Printer(json=json, quiet=quiet)
    songs = []
    with printer.progress(1) as report:
        request = VocalPreparation(
            sources=sources,
            folder=output,
            raw=raw,
            wet=wet,
            responses=match,
            separator=_separator(separate, device),
            seed=seed,
        )
        for song in prepare_vocals(request, report):
            songs.append(song)
            if song.left_out:
                printer.note(f"{song.name}: left out, {song.left_out}")
    if json:
        printer.document({"folder": str(output), "songs": [asdict(song) for song in songs]})
    elif not quiet:
        written = [song for song in songs if not song.left_out]
        kept = sum(song.kept for song in written)
        print(f"{printable(output)}: {len(written)} songs" + (f", {kept} kept" if kept else ""))


def _separator(model: str | None, device: str) -> "Separator | None":
    if model is None:
        return None
    from automix.networks.device import choose_device
    from automix.training.vocal.preparation.separation import Separator

    return Separator(model, str(choose_device(device)))
