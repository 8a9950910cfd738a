"""`automix export`: takes a mix to a DAW."""

import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors
from automix.errors import UsageError

if TYPE_CHECKING:
    from automix.export.dawproject import ExportedProject
    from automix.export.stems import ExportedStems


class ExportForm(StrEnum):
    """What to write."""

    dawproject = "dawproject"
    stems = "stems"


@report_errors
def export(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="File of a plan, such as mix.toml.")],
    to: Annotated[
        ExportForm,
        typer.Option(
            help="dawproject: one file that DAWs open, such as Bitwig Studio, with tracks, volume,"
            " pan, mute, sends and devices, and rides as automation. stems: a folder of rendered"
            " tracks that sum to the mix."
        ),
    ] = ExportForm.dawproject,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="File to write, or folder of the stems.  [default: mix.dawproject or mix-stems/"
            " beside mix.toml]",
        ),
    ] = None,
    set_: options.SetValue = None,
    dry: Annotated[
        bool,
        typer.Option(
            "--dry",
            help="dawproject: leave out what the format has no device for (gate, de-esser, reverb)"
            " instead of printing it into the audio, with what comes before it.",
        ),
    ] = False,
    max_fader: Annotated[
        float | None,
        typer.Option(
            metavar="DB",
            min=0,
            max=60,
            help="dawproject: where the faders of the DAW end, often at 6 dB; what a track needs"
            " beyond that goes into its audio.  [default: volumes as in the plan]",
        ),
    ] = None,
    separate_returns: Annotated[
        bool,
        typer.Option(
            "--separate-returns",
            help="stems: write reverb returns as files of their own instead of with each track.",
        ),
    ] = False,
    bits: Annotated[
        options.DepthName | None,
        typer.Option(help="stems: bits per sample; 32f, float, loses nothing.  [default: 32f]"),
    ] = None,
    force: options.Force = False,
    allow_outside: options.AllowOutside = False,
    jobs: options.Jobs = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    strict: options.Strict = False,
    repair: options.Repair = False,
    allow_truncated: options.AllowTruncated = False,
) -> None:
    """Take a mix to a DAW: as a DAWproject or as stems.

    A DAWproject lists what is printed into the audio and what is left out. A channel for each
    reverb is there, muted, and a track that plays the reverb as automix made it.

    For example: automix export mix.toml --to dawproject -o song.dawproject
    """
    _check(to, dry=dry, max_fader=max_fader, separate_returns=separate_returns, bits=bits)
    from automix.cli.signals import remove_when_ended
    from automix.export.ends import ExportSource, ExportTarget
    from automix.files.info import ReadOptions
    from automix.parallel.workers import use_workers
    from automix.plan.address import change_setting
    from automix.plan.assignment import parse_assignment
    from automix.plan.model import read_plan

    use_workers(jobs)
    mix = read_plan(plan)
    for change in set_ or []:
        mix = change_setting(mix, *parse_assignment(change))
    printer = Printer(json=json, quiet=quiet)
    source = ExportSource(
        plan=mix,
        folder=plan.parent,
        read=ReadOptions(strict=strict, repair=repair, allow_truncated=allow_truncated),
        allow_outside=allow_outside,
    )
    with printer.progress(2 + len(mix.tracks) + len(mix.buses)) as report:
        if to is ExportForm.dawproject:
            from automix.export.dawproject import SUFFIX, export_dawproject

            path = _output(output, plan.with_suffix(SUFFIX))
            archive = export_dawproject(
                source,
                ExportTarget(path=path, guard=remove_when_ended, overwrite=force, report=report),
                title=plan.stem,
                inputs=[plan],
                dry=dry,
                max_fader_db=math.inf if max_fader is None else max_fader,
            )
        else:
            from automix.export.stems import export_stems

            path = output or plan.with_name(f"{plan.stem}-stems")
            stems = export_stems(
                source,
                ExportTarget(path=path, guard=remove_when_ended, overwrite=force, report=report),
                separate_returns=separate_returns,
                bits=bits.value if bits else "32f",
            )
    if to is ExportForm.dawproject:
        _tell_archive(archive, printer)
    else:
        _tell_stems(stems, printer)


def _check(to: ExportForm, **given: object) -> None:
    """Refuses options of the other form."""
    others = {
        ExportForm.dawproject: ("separate_returns", "bits"),
        ExportForm.stems: ("dry", "max_fader"),
    }
    for name in others[to]:
        if given[name] not in (None, False):
            raise UsageError(f"--{name.replace('_', '-')} does not go with --to {to.value}")


def _output(output: Path | None, default: Path) -> Path:
    if output is None:
        return default
    return output / default.name if os.path.isdir(output) else output


def _tell_archive(exported: "ExportedProject", printer: Printer) -> None:
    for note in exported.notes:
        printer.note(note)
    if printer.json:
        printer.document({**asdict(exported), "path": str(exported.path)})
        return
    if printer.quiet:
        return
    from automix.files.names import printable

    rows = [
        (
            track.name,
            f"{track.volume_db:+.2f} dB" + (" muted" if track.mute else ""),
            f"{track.pan:.3g}",
            ", ".join(track.devices) or "–",
            ", ".join(track.printed) or "–",
        )
        for track in exported.tracks
    ]
    _print_table(("track", "volume", "pan", "devices", "in its audio"), rows)
    for bus, track in exported.returns.items():
        print(f"reverb    {printable(bus)}: as audio on the track {printable(track)}")
    if exported.automated:
        rides = (f"{name}: {', '.join(settings)}" for name, settings in exported.automated.items())
        print(f"automated {printable('; '.join(rides))}")
    print("left out  " + (printable("; ".join(exported.left_out)) or "nothing"))
    tempo = "not known" if exported.tempo_bpm is None else f"{exported.tempo_bpm:.4g} BPM"
    print(f"tempo     {tempo}")
    print(f"written   {printable(exported.path)}")


def _tell_stems(exported: "ExportedStems", printer: Printer) -> None:
    for note in exported.notes:
        printer.note(note)
    if printer.json:
        stems = [{**asdict(stem), "path": str(stem.path)} for stem in exported.stems]
        printer.document({**asdict(exported), "stems": stems})
    elif not printer.quiet:
        from automix.files.names import printable

        for stem in exported.stems:
            print(f"written   {printable(stem.path)}")
        seconds = exported.frames / exported.sample_rate_hz
        print(f"{len(exported.stems)} stems of {seconds:.2f} s, {exported.bits} bit")


def _print_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from automix.files.names import printable

    console = Console(
        width=None if sys.stdout.isatty() else 160,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in head:
        table.add_column(name, justify="right" if name in ("volume", "pan") else "left")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)
