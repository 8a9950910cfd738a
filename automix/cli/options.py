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
    str | None,  # a `Path` would lose the slash that says folder
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="File to write, its format by its extension: wav, flac, ogg, mp3, aiff, w64, rf64. Or"
        " a folder, if it exists or ends in /.",
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Name of the file where -o is a folder, with {song} (name of BEAT), {method}, {preset}"
        " and {ext}.  [default: {song}.mix.{ext}]",
    ),
]
Bits = Annotated[
    DepthName | None,
    typer.Option(
        help="Bits per sample of wav, aiff and flac; 32f is float, which flac has not."
        "  [default: of the plan; of a new plan, the most among the inputs]"
    ),
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing files.")]
NoPlan = Annotated[bool, typer.Option("--no-plan", help="Write no plan beside the mix.")]
ExportStems = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Write each track as it is in the mix to this folder; they sum to the mix.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.html",
        help="Write a report: one page to read and hear what was done. It needs no network.",
    ),
]
SetValue = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SETTING=VALUE",
        help="Change a setting of the plan, as vocal.pan=0.4 or vocal.fader_db+=2 (dB). May be"
        " given several times; --dry-run shows all settings.",
    ),
]
Loudness = Annotated[
    float | None,
    typer.Option(
        metavar="LUFS",
        help="Integrated loudness of the mix, -60 to 0 LUFS, with a limiter where it needs one."
        "  [default: as it comes]",
    ),
]
TruePeak = Annotated[
    float | None,
    typer.Option(
        metavar="DBTP",
        help="The true peak of the mix stays below this, -20 to 0 dBTP.  [default: -1]",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        metavar="TOML",
        help="File of constants of the rules, such as high_pass_hz = 100; they go over the preset.",
    ),
]
Seed = Annotated[
    int, typer.Option(metavar="N", min=0, help="Another seed is another mix of --method random.")
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Do nothing if the mix is there already, made from the same inputs and settings."
        " With -f, what differs is mixed again; without, it is an error.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        help="Work in N threads; the result is the same.  [default: one per processor]",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="DEVICE",
        help="auto, cpu, cuda or cuda:N. auto takes CUDA where there is one.",
    ),
]
Reference = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Mix towards this finished mix, of this song or another, in loudness, dynamics,"
        " spectrum and stereo image. May be given several times.",
    ),
]
ReferenceWeight = Annotated[
    list[float] | None,
    typer.Option(
        metavar="N", min=0.0, help="How much each --reference counts, in their order.  [default: 1]"
    ),
]
Amount = Annotated[
    float,
    typer.Option(
        metavar="PERCENT",
        min=0.0,
        max=100.0,
        help="How far the mix goes towards the reference; 0 is the mix without it.",
    ),
]
Candidates = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=2,
        max=12,
        help="Write N mixes, MIX.1.wav and so on, that differ audibly (--seed draws others), and a"
        " page to compare them.",
    ),
]
Vocals = Annotated[
    float | None,
    typer.Option(metavar="DB", help="All vocals louder or softer, as +2 or -1.5, -24 to 24 dB."),
]
Reverb = Annotated[
    str | None,
    typer.Option(metavar="PERCENT", help="More or less reverb, as +50% or -30%, -100 to 300 %."),
]
Width = Annotated[
    str | None,
    typer.Option(
        metavar="PERCENT",
        help="Tracks further to the sides or to the center, as +20% or -50%, -100 to 300 %.",
    ),
]
Brightness = Annotated[
    float | None,
    typer.Option(metavar="DB", help="A brighter or darker mix, as +1.5 or -2, -12 to 12 dB."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and write no file.")]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print all that was measured and decided, as one JSON document."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Print every decision, not only those with figures behind them."
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse files whose header contradicts their content.")
]
Repair = Annotated[
    bool,
    typer.Option(
        "--repair",
        help="Replace NaN and infinite samples by zero; read on where a header is wrong.",
    ),
]
AllowTruncated = Annotated[
    bool,
    typer.Option(
        "--allow-truncated", help="Use what is left of a FLAC, MP3 or Ogg file that was cut off."
    ),
]
Plugins = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Render through the IEM VST3 plug-ins in this folder: MultiEQ, OmniCompressor and"
        " FdnReverb.",
    ),
]


class OnPluginError(StrEnum):
    """What a failing plug-in leads to."""

    fail = "fail"
    skip = "skip"


PluginErrors = Annotated[
    OnPluginError,
    typer.Option(
        "--on-plugin-error",
        help="When a plug-in fails: fail with exit code 6, or skip it for the built-in processor.",
    ),
]
Console = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="exact; or neural: a network imitates the equalizer, compressor and space of each"
        " strip, as the thesis rendered. Or weights, as for automix apply.",
    ),
]
