"""`automix apply`: a file through a neural audio effect."""

from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors


@report_errors
def apply(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Name of weights that ship, as tcn-20-channel, or a file of automix train effect.",
        ),
    ],
    audio: Annotated[Path, typer.Argument(metavar="IN", help="Audio to process, mono or stereo.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="File to write.")],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SETTING=VALUE",
            help="A setting of the effect in its unit, as compressor.threshold_db=-24 or"
            " space=hall. Repeatable; a wrong name lists all.  [default: neutral]",
        ),
    ] = None,
    half: Annotated[
        bool,
        typer.Option("--half", help="Compute in half precision (bfloat16): faster, with noise."),
    ] = False,
    device: options.Device = "auto",
    bits: Annotated[
        options.DepthName | None,
        typer.Option(help="Bits per sample; 32f is float.  [default: of the input]"),
    ] = None,
    force: options.Force = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    strict: options.Strict = False,
    repair: options.Repair = False,
    allow_truncated: options.AllowTruncated = False,
) -> None:
    """Send audio through a network that imitates processors.

    Such as those of the strip, or an LA-2A. The network hears each side of a stereo file by
    itself, and works at 44.1 kHz.

    For example: automix apply tcn-20-channel demo/vocal.wav out.wav --set
    compressor.threshold_db=-24 --set compressor.ratio=4
    """
    from automix.cli.signals import remove_when_ended
    from automix.consoles.apply import EffectFiles, apply_effect
    from automix.errors import UsageError
    from automix.files.info import ReadOptions
    from automix.files.names import printable

    settings = {}
    for assignment in set_ or []:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(f"--set {assignment}: write SETTING=VALUE")
        settings[name.strip()] = value.strip()
    printer = Printer(json=json, quiet=quiet)
    files = EffectFiles(
        audio=audio,
        output=output,
        bits=bits.value if bits else None,
        overwrite=force,
        read=ReadOptions(strict=strict, repair=repair, allow_truncated=allow_truncated),
        guard=remove_when_ended,
    )
    applied = apply_effect(model, files, settings, device=device, half=half)
    for note in applied.notes:
        printer.note(note)
    if applied.clipped:
        printer.warn(f"{applied.clipped} samples above full scale were cut off; use --bits 32f")
    if json:
        printer.document({**vars(applied), "path": str(applied.path)})
    elif not quiet:
        print(printable(applied.path))
