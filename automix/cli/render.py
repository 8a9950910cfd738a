"""`automix render`: renders a plan, as it is or edited."""

from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors


@report_errors
def render(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="File of a plan, such as mix.toml.")],
    output: options.Output = None,
    set_: options.SetValue = None,
    vocals: options.Vocals = None,
    reverb: options.Reverb = None,
    width: options.Width = None,
    brightness: options.Brightness = None,
    bits: options.Bits = None,
    force: options.Force = False,
    no_plan: options.NoPlan = False,
    export_stems: options.ExportStems = None,
    report: options.Report = None,
    allow_outside: Annotated[
        bool,
        typer.Option(
            "--allow-outside",
            help="Read files outside the plan's folder even if they are not those that it was made"
            " from.",
        ),
    ] = False,
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
    device: options.Device = "auto",
) -> None:
    """Render a plan to audio.

    The same plan and inputs give the same bytes. The mix goes beside the plan unless -o says
    otherwise: mix.toml to mix.wav. A copy of the plan, changed by --set, goes beside the mix.

    For example: automix render mix.toml --set vocal.fader_db+=2 -o louder.wav
    """
    from automix.cli.destination import Delivery
    from automix.cli.jobs import console_maker, run_render
    from automix.cli.wishes import Wishes
    from automix.files.info import ReadOptions
    from automix.parallel.workers import use_workers

    use_workers(jobs)
    run_render(
        plan,
        printer=Printer(json=json, quiet=quiet, verbose=verbose),
        changes=set_ or [],
        allow_outside=allow_outside,
        read=ReadOptions(strict=strict, repair=repair, allow_truncated=allow_truncated),
        macros=Wishes(vocals=vocals, reverb=reverb, width=width, brightness=brightness).macros(),
        delivery=Delivery(
            output=output,
            bits=bits.value if bits else None,
            force=force,
            write_plan=not no_plan,
            stems=export_stems,
            report=report,
            dry_run=dry_run,
        ),
        renderer=console_maker(plugins, on_plugin_error.value, console, device),
    )
