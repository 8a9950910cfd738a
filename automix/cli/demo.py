"""`automix demo`: writes a synthesized song to try everything with."""

from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors


@report_errors
def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to write; made if it is not there.")
    ],
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Another seed is another song.")
    ] = 0,
    sample_rate: Annotated[
        int,
        typer.Option(metavar="HZ", min=8000, max=192000, help="Sample rate, 8000 to 192000 Hz."),
    ] = 44100,
    force: options.Force = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Synthesize a song to try everything with.

    Writes vocal.wav and beat.wav, 30 s each, and the single tracks in song/, whose levels are
    unbalanced on purpose. Needs no other file and no network.

    For example: automix demo demo && automix vocal demo/vocal.wav demo/beat.wav -o demo/mix.wav
    """
    from automix.demo.writing import write_demo

    printer = Printer(json=json, quiet=quiet)
    with printer.progress(2) as report:
        written = write_demo(
            folder, seed=seed, sample_rate=sample_rate, overwrite=force, report=report
        )
    if json:
        printer.document(
            {"files": [str(path) for path in written.files], "tempo_bpm": written.tempo_bpm}
        )
    elif not quiet:
        from automix.files.names import printable

        print(f"{printable(folder)}: {len(written.files)} files, {written.tempo_bpm:g} BPM")
