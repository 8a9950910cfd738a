"""What `automix batch` says: progress while it works, and the summary."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from automix.cli.output import Printer

if TYPE_CHECKING:
    from automix.batch.journal import Journal
    from automix.batch.run import Tally
    from automix.batch.selection import BatchRequest, Selection

ROWS = 40
"""Songs in the table, and failed songs by name; the journal has them all."""


@contextmanager
def watch_items(
    selection: "Selection", printer: Printer
) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Gives what is told every song that has ended: a bar on a terminal, elsewhere nothing."""
    if printer.quiet or not sys.stderr.isatty():
        yield lambda record: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn(elapsed_when_finished=True))
    failed = 0
    with Progress(*columns, *times, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("mixing", total=len(selection.items))

        def tell(record: dict[str, Any]) -> None:
            nonlocal failed
            failed += record["status"] == "failed"
            told = f"mixing, {failed} failed" if failed else "mixing"
            bar.update(task, description=told, advance=1)

        yield tell


def print_items(selection: "Selection", request: "BatchRequest", printer: Printer) -> None:
    """Lists what would be mixed."""
    if printer.json:
        items = [
            {
                "output": request.output(item),
                "command": item.kind,
                "inputs": item.inputs,
                "options": item.given(),
            }
            for item in selection.items
        ]
        printer.document({"songs": selection.total, "done_before": selection.done, "items": items})
        return
    from automix.files.names import printable

    for item in selection.items:
        options = (f"{name}={value}" for name, value in item.given().items())
        words = (item.kind, *item.inputs, *options, "->", request.output(item))
        print(printable(" ".join(words)))


def finish(
    selection: "Selection",
    request: "BatchRequest",
    journal: "Journal",
    tally: "Tally",
    seconds: float,
    printer: Printer,
) -> None:
    """The summary; what failed is said even when all else is quiet."""
    if printer.json:
        printer.document(
            {
                "folder": request.folder,
                "journal": journal.path,
                "songs": selection.total,
                "done_before": selection.done,
                "done": tally.done,
                "kept": tally.kept,
                "failed": tally.failed,
                "lost_a_worker": tally.died,
                "seconds": seconds,
                "items": list(_read_ended(journal)),
            }
        )
    elif not printer.quiet:
        if selection.items:
            _print_table(_read_ended(journal), len(selection.items))
        songs = "1 song" if selection.total == 1 else f"{selection.total} songs"
        print(
            f"{songs}: {tally.done} mixed, {tally.kept + selection.done} done"
            f" before, {tally.failed} failed · {seconds:.1f} s"
        )
    if tally.died:
        died = f"{tally.died} lost their workers and were tried again alone, see the journal"
        print(f"automix: {died}", file=sys.stderr)
    if tally.failed:
        _print_failed(journal, tally.failed)


def _read_ended(journal: "Journal") -> Iterator[dict[str, Any]]:
    return (record for record in journal.new_records() if record["status"] in ("done", "failed"))


def _print_failed(journal: "Journal", count: int) -> None:
    from automix.files.names import printable

    print(f"automix: {count} failed:", file=sys.stderr)
    failed = (record for record in _read_ended(journal) if record["status"] == "failed")
    for record in islice(failed, ROWS):
        print(f"  {printable(record['song'])}: {printable(record['error'])}", file=sys.stderr)
    if count > ROWS:
        print(f"  and {count - ROWS} more, in {printable(journal.path)}", file=sys.stderr)
    print("automix: try them again with the same command and --retry-failed", file=sys.stderr)


def _print_table(ended: Iterable[dict[str, Any]], count: int) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from automix.files.names import printable

    console = Console(
        width=None if sys.stdout.isatty() else 110, color_system=None, highlight=False
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("song", overflow="fold")
    table.add_column("result")
    for heading in ("seconds", "LUFS", "dBTP"):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = list(islice(ended, ROWS))
    for record in shown:
        table.add_row(
            Text(printable(record["song"])),
            _result(record),
            _figure(record, "seconds", ".1f"),
            _figure(record, "loudness_lufs", ".2f"),
            _figure(record, "true_peak_dbtp", ".2f"),
        )
    console.print(table)
    if count > ROWS:
        console.print(f"and {count - ROWS} more; all are in the journal")
    for record in shown:
        if counts := _count_remarks(record):
            console.print(f"{printable(record['song'])}: {counts} in the journal", markup=False)
    console.print()


def _count_remarks(record: dict[str, Any]) -> str:
    """How many warnings and notes there are on a song, in words; empty for none."""
    counts = {name: len(record.get(name, ())) for name in ("warnings", "notes")}
    told = (f"{n} {name if n > 1 else name[:-1]}" for name, n in counts.items() if n)
    return " and ".join(told)


def _result(record: dict[str, Any]) -> str:
    result: str = "kept" if record.get("kept") else record["status"]
    return result if record["attempt"] == 1 else f"{result}, 2nd attempt: a worker died"


def _figure(record: dict[str, Any], name: str, form: str) -> str:
    value = record.get(name)
    return "–" if value is None else f"{value:{form}}"
