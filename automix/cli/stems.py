"""`automix stems`: any number of tracks to a mix."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors
from automix.methods.catalog import STEMS_METHODS


class Method(StrEnum):
    """Rows of the catalog; a test holds them together."""

    dmc = "dmc"
    wave_u_net = "wave-u-net"
    rules = "rules"
    equal_loudness = "equal-loudness"
    random = "random"
    mono = "mono"


class Mode(StrEnum):
    """How much of the strip is set."""

    basic = "basic"
    full = "full"


_METHODS = "; ".join(f"{entry.name}: {entry.summary}" for entry in STEMS_METHODS)


@report_errors
def stems(
    song: Annotated[
        list[Path],
        typer.Argument(
            metavar="SONG", help="Folder of the song, its audio files, or a session file (.toml)."
        ),
    ],
    output: options.Output = None,
    mode: Annotated[
        Mode,
        typer.Option(help="basic sets gain and pan; full also equalizer, compressor and reverb."),
    ] = Mode.basic,
    method: Annotated[Method, typer.Option(help=f"How to mix. {_METHODS}.")] = Method.rules,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Weights for --method dmc or wave-u-net, as automix train writes them.  [default:"
            " those of automix, for dmc]",
        ),
    ] = None,
    device: options.Device = "auto",
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TRACK=ROLE", help="Say what a track is, such as 'lead=lead vocal'. Repeatable."
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Look into the folders of the song's folder.")
    ] = False,
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
    console: options.Console = "exact",
) -> None:
    """Mix the tracks of a song.

    Finds out what each track is from its file name, else from its sound; sets its level and its
    place in the stereo field, and with --mode full also equalizer, compressor and a shared reverb.
    The plan is written beside the mix: edit it and run `automix render`.

    For example: automix stems demo/song -o demo/mix.wav --mode full
    """
    from automix.cli.destination import Delivery
    from automix.cli.jobs import run_stems
    from automix.cli.wishes import Wishes
    from automix.files.info import ReadOptions
    from automix.parallel.workers import use_workers

    use_workers(jobs)
    run = partial(
        run_stems,
        song,
        mode=mode.value,
        method=method.value,
        weights=weights,
        device=device,
        roles=role or [],
        recursive=recursive,
        config=config,
        finish_flags={
            "--loudness": ("loudness_lufs", loudness),
            "--true-peak": ("true_peak_dbtp", true_peak),
        },
        changes=set_ or [],
        seed=seed,
        read=ReadOptions(strict=strict, repair=repair, allow_truncated=allow_truncated),
        console=console,
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
    printer = Printer(json=json, quiet=quiet, verbose=verbose)
    if candidates is None:
        run(wishes=wishes, delivery=delivery, printer=printer)
        return
    from automix.cli.candidates import run_candidates

    run_candidates(candidates, seed, run, wishes, delivery, printer)
