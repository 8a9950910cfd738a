"""`automix vocal`: a lead vocal over a finished backing track."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, reported
from automix.methods.catalog import VOCAL_METHODS


class Method(StrEnum):
    """Rows of the catalog; a test holds them together."""

    rules = "rules"
    random = "random"
    sum = "sum"


class Preset(StrEnum):
    """Variants of the rules."""

    studio = "studio"
    paper = "paper"
    poster = "poster"


_METHODS = "; ".join(f"{entry.name}: {entry.summary}" for entry in VOCAL_METHODS)


@reported
def vocal(
    vocal: Annotated[Path, typer.Argument(help="The lead vocal.", show_default=False)],
    backing: Annotated[
        Path, typer.Argument(metavar="BEAT", help="The finished backing track.", show_default=False)
    ],
    output: options.Output = None,
    method: Annotated[Method, typer.Option(help=_METHODS + ".")] = Method.rules,
    preset: Annotated[
        Preset,
        typer.Option(help="Of the rules; paper and poster are faithful to Li and Lerch."),
    ] = Preset.studio,
    level: Annotated[
        float | None,
        typer.Option(metavar="LU", help="Loudness of the vocal minus that of the beat."),
    ] = None,
    tempo: Annotated[
        float | None, typer.Option(metavar="BPM", help="Of the beat; measured unless given.")
    ] = None,
    loudness: Annotated[
        float | None,
        typer.Option(metavar="LUFS", help="Loudness of the mix; a true-peak limiter keeps peaks."),
    ] = None,
    true_peak: Annotated[
        float | None, typer.Option(metavar="DBTP", help="Highest true peak.  [default: -1]")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="TOML", help="Constants of the rules, laid over the preset."),
    ] = None,
    set_: options.SetValue = None,
    seed: Annotated[int, typer.Option(help="Of --method random.")] = 0,
    bits: options.Bits = None,
    name: options.Name = None,
    force: options.Force = False,
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing", help="Do nothing if the same inputs and settings made it already."
        ),
    ] = False,
    no_plan: options.NoPlan = False,
    export_stems: options.ExportStems = None,
    dry_run: options.DryRun = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    strict: options.Strict = False,
    repair: options.Repair = False,
    allow_truncated: options.AllowTruncated = False,
    plugins: options.Plugins = None,
    on_plugin_error: options.PluginErrors = options.OnPluginError.fail,
) -> None:
    """Mix a lead vocal over a finished backing track.

    Equalizes the vocal where the beat masks it, compresses it to a loudness range, gives it a
    reverb that follows the tempo, and sets its level. The beat is only summed. The plan, mix.toml,
    is written beside mix.wav: edit it and run `automix render mix.toml`.

    For example: automix vocal vox.wav beat.wav -o mix.wav
    """
    from automix.cli.jobs import Delivery, console_maker, run_vocal
    from automix.files import ReadOptions

    printer = Printer(json=json, quiet=quiet, verbose=verbose)
    run_vocal(
        vocal,
        backing,
        printer=printer,
        method=method.value,
        preset=preset.value,
        config=config,
        rule_flags={"relative_loudness_lu": level, "tempo_bpm": tempo},
        finish_flags={"loudness_lufs": loudness, "true_peak_dbtp": true_peak},
        changes=set_ or [],
        seed=seed,
        read=ReadOptions(strict=strict, repair=repair, allow_truncated=allow_truncated),
        delivery=Delivery(
            output=output,
            name=name,
            bits=bits.value if bits else None,
            force=force,
            skip_existing=skip_existing,
            write_plan=not no_plan,
            stems=export_stems,
            dry_run=dry_run,
        ),
        renderer=console_maker(plugins, on_plugin_error.value),
    )
