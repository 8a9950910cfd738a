"""What `automix batch` says: progress while it works, and the summary."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from automix.cli.output import Printer

if TYPE_CHECKING:
    from automix.batch.checking import Batch, Due
    from automix.batch.item import Item
    from automix.batch.journal import Journal
    from automix.batch.run import Tally

ROWS = 40
"""Songs in the table, and failed songs by name; the journal has them all."""


@contextmanager
def watched(due: "Due", printer: Printer) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Gives what is told every song that has ended: a bar on a terminal, else lines."""
    from automix.files import shown

    ended = {"done": 0, "failed": 0}

    def count(record: dict[str, Any]) -> str:
        ended[record["status"]] += 1
        return f"{ended['done']} done, {ended['failed']} failed"

    if printer.quiet or not sys.stderr.isatty():

        def tell(record: dict[str, Any]) -> None:
            count(record)
            number = f"{sum(ended.values())}/{due.due}"
            figures = record["error"] or f"{record['seconds']:.1f} s"
            line = f"{number} {record['status']} {record['song']}: {figures}"
            if not printer.quiet:
                print(shown(line), file=sys.stderr)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("0 done, 0 failed", total=due.due)
        yield lambda record: bar.update(task, description=count(record), advance=1)


def print_items(asked: "Batch", due: "Due", items: "Iterator[Item]", printer: Printer) -> None:
    """Lists what would be mixed."""
    from automix.files import shown

    if printer.json:
        listed = [
            {
                "output": asked.output(item),
                "kind": item.kind,
                "inputs": item.inputs,
                "options": item.options,
            }
            for item in items
        ]
        printer.document({"songs": due.total, "done_before": due.done, "items": listed})
        return
    for item in items:
        words = (item.kind, *item.inputs, *item.options, "->", asked.output(item))
        print(shown(" ".join(words)))


def finish(
    asked: "Batch", journal: "Journal", due: "Due", tally: "Tally", seconds: float, printer: Printer
) -> None:
    """The summary; what failed is said even when all else is quiet."""
    ended = (record for record in journal.new_records() if record["status"] in ("done", "failed"))
    if printer.json:
        counts = {"done": tally.done, "kept": tally.kept, "failed": tally.failed}
        document = {"folder": str(asked.folder), "journal": str(journal.path), "songs": due.total}
        document |= {"done_before": due.done, **counts, "seconds": seconds, "items": list(ended)}
        printer.document(document)
    elif not printer.quiet:
        if due.due:
            _print_table(ended, due.due)
        print(
            f"{due.total} songs: {tally.done} mixed, {tally.kept + due.done} done before,"
            f" {tally.failed} failed · {seconds:.1f} s"
        )
    if tally.failed:
        print(f"automix: {tally.failed} of {due.due} songs failed:", file=sys.stderr)
        _print_failed(journal, tally.failed)
        print("automix: try them again with the same command and --retry-failed", file=sys.stderr)


def _print_failed(journal: "Journal", count: int) -> None:
        from automix.files import shown

    failed = (record for record in journal.new_records() if record["status"] == "failed")
    for record in islice(failed, ROWS):
        print(f"  {shown(record['song'])}: {shown(record['error'])}", file=sys.stderr)
    if count > ROWS:
        print(f"  and {count - ROWS} more: {shown(journal.path)}", file=sys.stderr)


def _print_table(ended: Iterator[dict[str, Any]], count: int) -> None:
        from rich import box
    from rich.console import Console
    from rich.table import Table

    from automix.files import shown

    def figure(record: dict[str, Any], name: str, form: str) -> str:
        value = record.get(name)
        return "–" if value is None else f"{value:{form}}"

    console = Console(
        width=None if sys.stdout.isatty() else 110, highlight=False, markup=False, emoji=False
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("song", overflow="fold")
    table.add_column("result")
    for heading in ("seconds", "LUFS", "dBTP"):
        table.add_column(heading, justify="right", no_wrap=True)
    for record in islice(ended, ROWS):
        table.add_row(
            shown(record["song"]),
            "kept" if record.get("kept") else record["status"],
            f"{record['seconds']:.1f}",
            figure(record, "loudness_lufs", ".2f"),
            figure(record, "true_peak_dbtp", ".2f"),
        )
    console.print(table)
    if count > ROWS:
        console.print(f"and {count - ROWS} more: automix-batch.jsonl")
    console.print()
