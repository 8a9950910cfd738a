"""`automix batch`: many songs, resumable, on this machine or on a Ray cluster."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automix.cli import options
from automix.cli.batch_report import finish, print_items, watched
from automix.cli.output import Printer, reported
from automix.cli.stems import Mode
from automix.cli.vocal import Preset

if TYPE_CHECKING:
    from automix.batch.checking import Batch, Due
    from automix.batch.engines import Engine
    from automix.batch.item import Item
    from automix.batch.journal import Entry, Journal
    from automix.batch.run import Tally


class EngineName(StrEnum):
    """Where the processes run."""

    local = "local"
    ray = "ray"


class KindName(StrEnum):
    """What the songs in folders are."""

    vocal = "vocal"
    stems = "stems"


@reported
def batch(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SOURCE", help="Folders of songs, or manifests (.csv, .toml)."),
    ] = None,
    manifest: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A manifest: columns vocal and beat, or stems; name, output; any other is an"
            " option of the song, such as loudness.",
        ),
    ] = None,
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
            "--jobs", "-j", metavar="N", min=1, help="Songs at a time.  [default: one per core]"
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
    mode: Annotated[Mode | None, typer.Option(help="Of `automix stems`.")] = None,
    method: Annotated[
        str | None, typer.Option(metavar="METHOD", help="Of `automix vocal` or `automix stems`.")
    ] = None,
    preset: Annotated[Preset | None, typer.Option(help="Of `automix vocal`.")] = None,
    loudness: options.Loudness = None,
    true_peak: options.TruePeak = None,
    config: options.Config = None,
    set_: options.SetValue = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Another seed is another mix of --method random."),
    ] = None,
    bits: options.Bits = None,
    no_plan: options.NoPlan = False,
    strict: options.Strict = False,
    repair: options.Repair = False,
    allow_truncated: options.AllowTruncated = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be mixed and write no file.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Mix many songs: vocals over their beats, or the tracks in each folder.

    Every song is mixed in a process of its own, and a journal beside the mixes,
    automix-batch.jsonl, says how each ended: a run that was cut short goes on with --resume. Exits
    with 1 if a song failed.

    For example: automix batch albums -o mixes -j 4 --loudness -14
    """
    from automix.batch.checking import Batch
    from automix.batch.items import Sources, check_template
    from automix.errors import UsageError

    paths = [*(sources or []), *(manifest or [])]
    if not paths:
        raise UsageError("nothing to mix: name folders of songs, or a manifest")
    if resume + retry_failed + force > 1:
        raise UsageError("--resume, --retry-failed and --force exclude each other")
    if skip_existing and no_plan:
        raise UsageError("--skip-existing needs the plans beside the mixes: leave --no-plan out")
    if ray_address is not None and engine != EngineName.ray:
        raise UsageError("--ray-address goes with --engine ray")
    check_template(name)
    given = {
        "method": method,
        "loudness": loudness,
        "true-peak": true_peak,
        "config": config,
        "seed": seed,
        "bits": bits,
    }
    told = [f"--{option}={value}" for option, value in given.items() if value is not None]
    told += [f"--set={change}" for change in set_ or []]
    flags = {"strict": strict, "repair": repair, "allow-truncated": allow_truncated}
    told += [f"--{flag}" for flag, is_set in flags.items() if is_set]
    asked = Batch(
        items=Sources(
            paths=paths,
            folder=output,
            name=name,
            options={
                "vocal": (*told, *([f"--preset={preset}"] if preset else [])),
                "stems": (*told, *([f"--mode={mode}"] if mode else [])),
            },
            kind=kind.value if kind else None,
        ),
        folder=output,
        mode="resume" if resume else "retry-failed" if retry_failed else "new",
        force=force,
        skip_existing=skip_existing,
        write_plan=not no_plan,
    )
    printer = Printer(json=json, quiet=quiet)
    if dry_run:
        _list(asked, printer)
    elif _mix(asked, printer, lambda: _engine(engine, jobs, ray_address)).failed:
        raise typer.Exit(1)


def _engine(name: EngineName, jobs: int | None, ray_address: str | None) -> "Engine":
    if name == EngineName.ray:
        from automix.batch.ray_engine import RayEngine

        return RayEngine(ray_address, jobs)
    import os

    from automix.batch.engines import LocalEngine

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return LocalEngine(jobs or cores or 1)


def _mix(asked: "Batch", printer: Printer, make_engine: Callable[[], "Engine"]) -> "Tally":
    import time

    from automix.batch.checking import check
    from automix.batch.journal import Journal, last_entries
    from automix.batch.run import Tally

    began = time.perf_counter()
    tally = Tally()
    with Journal.open(asked.folder) as journal:
        entries = last_entries(journal.path)
        due = check(asked, entries, _check_options(asked))
        if due.due:
            tally = _run(asked, entries, journal, due, printer, make_engine)
        finish(asked, journal, due, tally, round(time.perf_counter() - began, 2), printer)
    return tally


def _run(
    asked: "Batch",
    entries: "dict[str, Entry]",
    journal: "Journal",
    due: "Due",
    printer: Printer,
    make_engine: Callable[[], "Engine"],
) -> "Tally":
    from automix.batch.run import run
    from automix.cli.signals import Ended, removed_when_ended

    with make_engine() as engine, removed_when_ended(engine.end), watched(due, printer) as report:
        try:
            return run(asked, entries, journal, engine, report=report)
        except Ended as ended:
            cause = ended.message.split(":")[1].strip()
            ended.message = f"automix: {cause}: go on with the same command and --resume"
            raise


def _check_options(asked: "Batch") -> "Callable[[Item], None]":
    """Has the command that will mix an item parse its options; looks at formats by the way."""
    from automix.errors import UsageError

    def check(item: "Item") -> None:
        from typer.main import get_command

        from automix.cli.app import app
        from automix.files import output_format

        output_format(Path(asked.output(item)), "24")
        command: Any = get_command(app)
        placeholders = ["x"] * len(item.inputs)
        try:
            command.commands[item.kind].make_context(item.kind, [*item.options, *placeholders])
        except typer.TyperException as error:
            reason = error.format_message() if hasattr(error, "format_message") else error
            raise UsageError(f"{item.source}: {reason}") from error

    return check


def _list(asked: "Batch", printer: Printer) -> None:
    from automix.batch.checking import check
    from automix.batch.journal import NAME, last_entries

    entries = last_entries(asked.folder / NAME)
    due = check(asked, entries, _check_options(asked))
    print_items(asked, due, asked.due(entries), printer)
