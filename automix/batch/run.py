"""The run of a batch: items to the engine, outcomes to the journal, those that died again alone."""

import math
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automix.batch.item import Item
from automix.batch.journal import Journal, JournalEntry, record_states
from automix.batch.selection import BatchRequest
from automix.errors import AutomixError, InputError
from automix.mixing.outcome import SongOutcome
from automix.mixing.request import Delivery
from automix.parallel.engine import Job, Outcome, WorkEngine
from automix.version import __version__

Record = dict[str, Any]


@dataclass
class Tally:
    """How many items of this run ended how; ``died`` is how many lost a worker, whatever came."""

    done: int = 0
    kept: int = 0
    failed: int = 0
    died: int = 0

    def count(self, record: Record) -> None:
        """Adds an item that ended for good."""
        if record["status"] == "failed":
            self.failed += 1
        elif record.get("kept"):
            self.kept += 1
        else:
            self.done += 1


@dataclass(frozen=True)
class BatchRun:
    """What a run works with.

    Attributes:
        request: What is asked of the batch.
        entries: The last word of the journal on each item before this run.
        journal: Gets a record of every item as it begins and as it ends.
        engine: Where the items are mixed.
        threads: How many threads mix an item.
    """

    request: BatchRequest
    entries: Mapping[str, JournalEntry]
    journal: Journal
    engine: WorkEngine
    threads: int

    def mix(self, items: Iterable[Item], report: Callable[[Record], None]) -> Tally:
        """Mixes items. One whose worker dies is tried again once, alone, after the others.

        Args:
            items: Due ones.
            report: Told the record of every item that has ended for good.

        Raises:
            OutputError: The journal cannot be written.
        """
        tally = Tally()
        again: list[Item] = []
        died: dict[str, JournalEntry] = {}
        for item, record in self._run_items(items, self.entries, self.engine.slots, attempt=1):
            if record["status"] == "died":
                tally.died += 1
                again.append(item)
                died[item.output] = JournalEntry("died", "", record["output_was"] != "foreign")
            else:
                tally.count(record)
                report(record)
        for _, record in self._run_items(again, died, 1, attempt=2):
            tally.count(record)
            report(record)
        return tally

    def _run_items(
        self,
        items: Iterable[Item],
        entries: Mapping[str, JournalEntry],
        slots: int,
        *,
        attempt: int,
    ) -> Iterator[tuple[Item, Record]]:
        """Items with their last records, in the order in which they end."""
        running: dict[str, tuple[Item, Record]] = {}

        def wait_for_next() -> tuple[Item, Record]:
            key, outcome = self.engine.next_outcome()
            item, begun = running.pop(key)
            return item, self._record_end(begun, outcome)

        for item in items:
            begun = self._begin_record(item, entries.get(item.output), attempt)
            try:
                begun["fingerprint"] = item.fingerprint()
            except InputError as error:  # it was there when all were checked
                yield item, self._record_end(begun, _failure(error))
                continue
            self.journal.append({**begun, "status": "started"}, sync=False)
            self.engine.submit(self._task(item, begun))
            running[item.output] = item, begun
            if len(running) == slots:
                yield wait_for_next()
        while running:
            yield wait_for_next()

    def _begin_record(self, item: Item, entry: JournalEntry | None, attempt: int) -> Record:
        return {
            "item": item.output,
            "song": item.song,
            "command": item.kind,
            "inputs": item.inputs,
            "options": item.given(),
            "attempt": attempt,
            "output_was": self.request.output_was(item, entry),
            "version": __version__,
            "host": socket.gethostname(),
            "time": _now(),
        }

    def _task(self, item: Item, begun: Record) -> Job:
        request = self.request
        delivery = Delivery(
            output=request.output(item),
            bits=item.bits,
            report=Path(request.folder, item.report) if item.report else None,
            force=request.force or begun["output_was"] == "ours",
            skip_existing=request.skip_existing,
            no_plan=not request.write_plan,
        )
        work = (item.request(), delivery, self.threads)
        return Job(key=item.output, work=work, folder=os.getcwd())

    def _record_end(self, begun: Record, outcome: Outcome) -> Record:
        status = "failed" if outcome.exit_code or outcome.died else "done"
        if outcome.died and begun["attempt"] == 1:
            status = "died"
        record = {
            **begun,
            "status": status,
            "exit_code": outcome.exit_code,
            "error": outcome.error,
            "seconds": outcome.seconds,
            **(_figures(outcome.result) if outcome.result else {}),
            "time": _now(),
        }
        self.journal.append(record)
        return record


def _figures(outcome: SongOutcome) -> Record:
    """What the journal keeps of a song."""
    loudness = outcome.loudness
    figures = {
        "duration_s": outcome.duration_s or None,
        "loudness_lufs": _finite(loudness.integrated_lufs) if loudness else None,
        "true_peak_dbtp": _finite(loudness.true_peak_dbtp) if loudness else None,
        "warnings": list(outcome.warnings),
        "notes": [*outcome.notes, *outcome.delivery_notes],
        "kept": outcome.kept or None,
        "files": record_states(outcome.files),
    }
    return {name: value for name, value in figures.items() if value not in (None, [], {})}


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _failure(error: AutomixError) -> Outcome:
    return Outcome(exit_code=error.exit_code, error=str(error))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
