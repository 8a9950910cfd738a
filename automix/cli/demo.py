"""`automix demo`: writes a synthesized song to try everything with."""

from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, reported


@reported
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write; created if need be.")],
    seed: Annotated[int, typer.Option(help="Another seed is another song.")] = 0,
    sample_rate: Annotated[
        int, typer.Option(min=8000, max=192000, help="Frames per second.")
    ] = 44100,
    force: options.Force = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Synthesize a demo song: vocal.wav, beat.wav (30 s), and the multitracks in song/.

    It needs no file and no network. The levels in song/ are deliberately unbalanced.

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
        print(f"{folder}: {len(written.files)} files, {written.tempo_bpm:g} BPM")
