"""`automix batch`: many songs, resumable, on this machine or on a Ray cluster."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automix.cli import options
from automix.cli.batch_report import finish, print_items, watch_items
from automix.cli.declaration import from_fields
from automix.cli.output import Printer, report_errors
from automix.cli.signals import Ended, handle_signals, remove_when_ended
from automix.mixing.request import StemsRequest, VocalRequest

if TYPE_CHECKING:
    from automix.batch.item import Item
    from automix.batch.selection import BatchRequest
    from automix.parallel.engine import WorkEngine


class EngineName(StrEnum):
    """Where items are mixed."""

    local = "local"
    ray = "ray"


class KindName(StrEnum):
    """What the songs in folders are."""

    vocal = "vocal"
    stems = "stems"


@report_errors
@from_fields(any_of={"given": (VocalRequest, StemsRequest)})
def batch(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE",
            help="Folders of songs, or manifests (.csv, .tsv, .toml): columns vocal and beat, or"
            " stems; name, output; any other is an option of the song, such as loudness.",
        ),
    ],
    given: dict[str, Any],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where mixes and journal go.")
    ] = Path("mixes"),
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Name of each mix, its format by its extension, with {song} (its path below"
            " SOURCE), {kind}, {method}, {mode}, {preset} and {ext} (wav).",
        ),
    ] = "{song}.{ext}",
    kind: Annotated[
        KindName | None,
        typer.Option(
            help="What the songs in folders are.  [default: vocal where a vocal and its beat are"
            " named so, else stems]"
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            help="Mix N songs at a time; the result is the same.  [default: one per processor]",
        ),
    ] = None,
    engine: Annotated[
        EngineName,
        typer.Option(help="local: processes of this machine; ray: a cluster (automix[ray])."),
    ] = EngineName.local,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Of a running Ray cluster.  [default: start one here]"
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on after an earlier run: leave out what is done, from the same inputs with"
            " the same settings.",
        ),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Only what failed in earlier runs.")
    ] = False,
    skip_existing: options.SkipExisting = False,
    force: options.Force = False,
    bits: options.Bits = None,
    no_plan: options.NoPlan = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be mixed and write no file.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Mix many songs: vocals over their beats, or folders of tracks.

    A journal beside the mixes, automix-batch.jsonl, says how each song ended: a run that was cut
    short goes on with --resume. A song that fails, or takes its process with it, does not stop the
    others; the program then exits with 1.

    For example: automix batch albums -o mixes -j 4 --loudness -14
    """
    from automix.batch.selection import BatchRequest
    from automix.batch.sources import find_items
    from automix.errors import UsageError

    if resume and retry_failed:
        raise UsageError("--resume includes what failed: leave --retry-failed out")
    if skip_existing and no_plan:
        raise UsageError("--skip-existing needs the plans beside the mixes: leave --no-plan out")
    if ray_address is not None and engine != EngineName.ray:
        raise UsageError("--ray-address goes with --engine ray")
    printer = Printer(json=json, quiet=quiet)
    request = BatchRequest(
        folder=str(output),
        only="unfinished" if resume else "failed" if retry_failed else "all",
        force=force,
        skip_existing=skip_existing,
        write_plan=not no_plan,
    )
    printer = Printer(json=json, quiet=quiet)
    items = find_items(
        [str(source) for source in sources],
        folder=request.folder,
        name=name,
        options=given | ({"bits": bits.value} if bits else {}),
        kind=kind.value if kind else None,
        note=printer.note,
    )
    if dry_run:
        _list(items, request, printer)
    else:
        _mix(items, request, partial(_make_engine, engine, jobs, ray_address), printer)


def _list(items: Iterable["Item"], request: "BatchRequest", printer: Printer) -> None:
    from automix.batch.journal import last_entries
    from automix.batch.selection import select

    selection = select(items, request, last_entries(request.folder))
    print_items(selection, request, printer)


def _mix(
    items: Iterable["Item"],
    request: "BatchRequest",
    make_engine: Callable[[int], tuple["WorkEngine", int]],
    printer: Printer,
) -> None:
    from automix.batch.journal import Journal, last_entries
    from automix.batch.run import BatchRun, Tally
    from automix.batch.selection import select

    began = time.perf_counter()
    tally = Tally()
    with Journal(request.folder) as journal:
        entries = last_entries(request.folder)
        selection = select(items, request, entries)
        if selection.items:
            engine, threads = make_engine(len(selection.items))
            with (
                engine,
                remove_when_ended(engine.end),
                watch_items(selection, printer) as report,
                _hint_to_resume(),
            ):
                run = BatchRun(request, entries, journal, engine, threads)
                tally = run.mix(selection.items, report)
        seconds = round(time.perf_counter() - began, 2)
        finish(selection, request, journal, tally, seconds, printer)
    if tally.failed or tally.died:  # a worker's death is a fault, even if the retry went well
        raise typer.Exit(1)


@contextmanager
def _hint_to_resume() -> Iterator[None]:
    try:
        yield
    except Ended as ended:
        cause = ended.message.split(":")[1].strip()
        ended.message = f"automix: {cause}: go on with the same command and --resume"
        raise


def _make_engine(
    name: EngineName, jobs: int | None, ray_address: str | None, due: int
) -> "tuple[WorkEngine, int]":
    """The engine, and how many threads mix an item: where items are few, more than one."""
    from automix.cli.batch_worker import mix_item
    from automix.parallel.local_engine import LocalEngine
    from automix.parallel.workers import count_processors

    if name == EngineName.ray:
        from automix.parallel.ray_engine import RayEngine

        return RayEngine(mix_item, ray_address, jobs), 1
    threads = jobs or count_processors()
    slots = min(threads, due)
    return LocalEngine(mix_item, handle_signals, slots), threads // slots
