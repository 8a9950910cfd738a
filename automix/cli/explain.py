"""`automix explain`: why a mix is as it is."""

from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors


@report_errors
def explain(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="File of a plan, such as mix.toml.")],
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw who is heard where, who covers whom, and what each track adds, to this .png,"
            " .svg or .pdf.",
        ),
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Explain this track only; the picture shows what a network heard."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SETTING=VALUE",
            help="Explain the plan as it would be with this change, as vocal.fader_db+=2 (dB). May"
            " be given several times.",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Weights of the plan's network, where they are not those that ship.",
        ),
    ] = None,
    allow_outside: options.AllowOutside = False,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    force: options.Force = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    strict: options.Strict = False,
    repair: options.Repair = False,
    allow_truncated: options.AllowTruncated = False,
) -> None:
    """Show why a mix is as it is.

    Says what stands out, such as a vocal that is masked and by what; what was done to each track,
    by which rule, from which figures, and what was edited since; how loud and how audible each
    track is; and what the mix would be without it. A network's advice is traced back to what it
    heard. --set asks what a change would do.

    For example: automix explain mix.toml --picture mix.png
    """
    from automix.cli.explanation_report import Fields, run_explain
    from automix.files.info import ReadOptions
    from automix.parallel.workers import use_workers

    use_workers(jobs)
    run_explain(
        Fields(
            plan_file=plan,
            picture=picture,
            track=track,
            changes=tuple(set_ or ()),
            weights=weights,
            allow_outside=allow_outside,
            device=device,
            force=force,
            read=ReadOptions(strict=strict, repair=repair, allow_truncated=allow_truncated),
        ),
        Printer(json=json, quiet=quiet),
    )
