"""`automix vocal`: a lead vocal over a finished backing track."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors
from automix.methods.catalog import VOCAL_METHODS


class Method(StrEnum):
    """Rows of the catalog; a test holds them together."""

    rules = "rules"
    cnn = "cnn"
    random = "random"
    sum = "sum"


class Preset(StrEnum):
    """Constants that the rules start from."""

    studio = "studio"
    paper = "paper"
    poster = "poster"


_METHODS = "; ".join(f"{entry.name}: {entry.summary}" for entry in VOCAL_METHODS)


@report_errors
def vocal(
    vocal: Annotated[Path, typer.Argument(metavar="VOCAL", help="File of the lead vocal.")],
    backing: Annotated[
        Path, typer.Argument(metavar="BEAT", help="File of the finished backing track.")
    ],
    output: options.Output = None,
    method: Annotated[Method, typer.Option(help=f"How to mix. {_METHODS}.")] = Method.rules,
    preset: Annotated[
        Preset,
        typer.Option(
            help="Constants of --method rules and cnn: those of Li and Lerch's paper or poster, or"
            " studio, which repairs what measurement shows to be weak in them."
        ),
    ] = Preset.studio,
    level: Annotated[
        float | None,
        typer.Option(
            metavar="LU",
            help="Loudness of the vocal minus that of the beat, -30 to 30 LU.  [default: of the"
            " preset: studio and paper -1.77, poster -0.5]",
        ),
    ] = None,
    tempo: Annotated[
        float | None,
        typer.Option(
            metavar="BPM",
            help="Tempo of the beat, 20 to 400 BPM; it sets the reverberation time."
            "  [default: measured]",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Networks of --method cnn: wide or paper, which ship, or a folder of automix train"
            " vocal --task all.  [default: wide]",
        ),
    ] = None,
    device: options.Device = "auto",
    reference: options.Reference = None,
    reference_weight: options.ReferenceWeight = None,
    amount: options.Amount = 100.0,
    candidates: options.Candidates = None,
    vocals: options.Vocals = None,
    reverb: options.Reverb = None,
    width: options.Width = None,
    brightness: options.Brightness = None,
    loudness: options.Loudness = None,
    true_peak: options.TruePeak = None,
    config: options.Config = None,
    set_: options.SetValue = None,
    seed: options.Seed = 0,
    bits: options.Bits = None,
    name: options.Name = None,
    force: options.Force = False,
    skip_existing: options.SkipExisting = False,
    no_plan: options.NoPlan = False,
    export_stems: options.ExportStems = None,
    report: options.Report = None,
    jobs: options.Jobs = None,
    dry_run: options.DryRun = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    strict: options.Strict = False,
    repair: options.Repair = False,
    allow_truncated: options.AllowTruncated = False,
    plugins: options.Plugins = None,
    on_plugin_error: options.PluginErrors = options.OnPluginError.fail,
    console: options.Console = "exact",
) -> None:
    """Mix a lead vocal over a finished backing track.

    Equalizes the vocal where the beat masks it, compresses it to a loudness range, gives it a
    reverb that follows the tempo, and sets its level. The beat is only summed. The mix goes to
    mix.wav unless -o says otherwise, and the plan beside it, to mix.toml: edit that and run
    `automix render mix.toml`.

    For example: automix vocal vox.wav beat.wav -o song.flac --loudness -14
    """
    from automix.cli.destination import Delivery
    from automix.cli.jobs import console_maker, run_vocal
    from automix.cli.wishes import Wishes
    from automix.files.info import ReadOptions
    from automix.parallel.workers import use_workers

    printer = Printer(json=json, quiet=quiet, verbose=verbose)
    use_workers(jobs)
    run = partial(
        run_vocal,
        vocal,
        backing,
        method=method.value,
        preset=preset.value,
        config=config,
        rule_flags={
            "--level": ("relative_loudness_lu", level),
            "--tempo": ("tempo_bpm", tempo),
        },
        finish_flags={
            "--loudness": ("loudness_lufs", loudness),
            "--true-peak": ("true_peak_dbtp", true_peak),
        },
        changes=set_ or [],
        seed=seed,
        read=ReadOptions(strict=strict, repair=repair, allow_truncated=allow_truncated),
        console=console,
        renderer=console_maker(plugins, on_plugin_error.value, console, device),
        weights=weights,
        device=device,
    )
    wishes = Wishes(
        references=reference or [],
        weights=reference_weight or [],
        amount=amount,
        vocals=vocals,
        reverb=reverb,
        width=width,
        brightness=brightness,
    )
    delivery = Delivery(
        output=output,
        name=name,
        bits=bits.value if bits else None,
        force=force,
        skip_existing=skip_existing,
        write_plan=not no_plan,
        stems=export_stems,
        report=report,
        dry_run=dry_run,
    )
    if candidates is None:
        run(wishes=wishes, delivery=delivery, printer=printer)
        return
    from automix.cli.candidates import run_candidates

    run_candidates(candidates, seed, run, wishes, delivery, printer)
