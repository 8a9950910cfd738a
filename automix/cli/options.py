"""Options that several commands share, and how flags are layered over presets and files."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class DepthName(StrEnum):
    """Sample formats of the output."""

    b16 = "16"
    b24 = "24"
    b32f = "32f"


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write (wav, flac, ogg, mp3, aiff by its extension), or a folder.",
    ),
]
Name = Annotated[
    str | None,
    typer.Option(help="File name when -o is a folder; {song}, {method}, {preset} and {ext}."),
]
Bits = Annotated[
    DepthName | None, typer.Option(help="Sample format; the highest of the inputs unless given.")
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing files.")]
NoPlan = Annotated[bool, typer.Option("--no-plan", help="Do not write the plan beside the mix.")]
ExportStems = Annotated[
    Path | None,
    typer.Option(help="Folder for each track as it is in the mix; together they sum to it."),
]
SetValue = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SETTING=VALUE",
        help="Change a setting of the plan, also += and -=, such as vocal.fader_db+=2. Repeatable.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and write nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print every decision.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse files whose header contradicts their content.")
]
Repair = Annotated[
    bool, typer.Option("--repair", help="Zero NaN and infinite samples, overrule false headers.")
]
AllowTruncated = Annotated[
    bool, typer.Option("--allow-truncated", help="Use what is left of a cut FLAC, MP3 or Ogg file.")
]
Plugins = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Render through the IEM VST3 plug-ins in this folder where they serve."
    ),
]


class OnPluginError(StrEnum):
    """What a failing plug-in leads to."""

    fail = "fail"
    skip = "skip"


PluginErrors = Annotated[
    OnPluginError,
    typer.Option("--on-plugin-error", help="Fail, or skip to the built-in processors."),
]
