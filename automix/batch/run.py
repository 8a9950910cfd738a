"""The run of a batch: items to the engine, outcomes to the journal, crashed ones again alone."""

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from automix.batch.checking import Batch
from automix.batch.engines import Engine
from automix.batch.item import Item, input_files, state
from automix.batch.journal import Entry, Journal
from automix.batch.process import PROGRAM, Outcome, Task
from automix.errors import InputError
from automix.version import __version__

Report = Callable[[dict[str, Any]], None]


@dataclass
class Tally:
    """How many items of this run ended how."""

    done: int = 0
    kept: int = 0
    failed: int = 0


def run(
    batch: Batch,
    entries: Mapping[str, Entry],
    journal: Journal,
    engine: Engine,
    *,
    report: Report = lambda record: None,
) -> Tally:
    """Works on all items that are due.

    An item whose process is killed is tried again once, alone, after the others.

    Args:
        batch: What is asked; checked.
        entries: What the journal said before.
        journal: Gets a record of every item as it begins and as it ends.
        engine: Where the items run.
        report: Told the record of every item that has ended for good.

    Raises:
        OutputError: The journal cannot be written.
    """
    tally = Tally()
    crashed: dict[str, Item] = {}
    owned: dict[str, Entry] = {}
    driver = _Driver(batch, entries, journal, engine)
    for item, record in driver.outcomes(batch.due(entries), engine.slots, attempt=1):
        if record["status"] == "crashed":
            crashed[item.output] = item
            owned[item.output] = Entry("crashed", "", record["owned"])
        else:
            _count(tally, record, report)
    driver = _Driver(batch, owned, journal, engine)
    for _, record in driver.outcomes(crashed.values(), 1, attempt=2):
        _count(tally, record, report)
    return tally


def _count(tally: Tally, record: dict[str, Any], report: Report) -> None:
    if record["status"] == "failed":
        tally.failed += 1
    elif record.get("kept"):
        tally.kept += 1
    else:
        tally.done += 1
    report(record)


@dataclass(frozen=True)
class _Driver:
    batch: Batch
    entries: Mapping[str, Entry]
    journal: Journal
    engine: Engine

    def outcomes(
        self, items: Iterable[Item], slots: int, *, attempt: int
    ) -> Iterator[tuple[Item, dict[str, Any]]]:
        """Items with their last records, in the order in which they end."""
        running: dict[str, tuple[Item, dict[str, Any]]] = {}
        for item in items:
            begun = {
                "item": item.output,
                "song": item.song,
                "kind": item.kind,
                "attempt": attempt,
                "owned": self.batch.owns(item, self.entries.get(item.output)),
            }
            try:
                files = input_files(item)
            except InputError as error:  # all were there when they were checked
                outcome = Outcome(key=item.output, exit_code=error.exit_code, error=str(error))
                yield item, self._ended(begun, outcome)
                continue
            self.journal.append({**begun, "status": "started", "time": _now()}, sync=False)
            self.engine.submit(self._task(item, owned=bool(begun["owned"])))
            begun["output"] = self.batch.output(item)
            begun["inputs"] = [asdict(file) for file in files]
            begun["options"] = item.options
            begun["state"] = state(item, files)
            running[item.output] = item, begun
            if len(running) == slots:
                yield self._next(running)
        while running:
            yield self._next(running)

    def _next(self, running: dict[str, tuple[Item, dict[str, Any]]]) -> tuple[Item, dict[str, Any]]:
        outcome = self.engine.next_outcome()
        item, begun = running.pop(outcome.key)
        return item, self._ended(begun, outcome)

    def _task(self, item: Item, *, owned: bool) -> Task:
        output = self.batch.output(item)
        flags = {
            "--force": owned,
            "--skip-existing": self.batch.skip_existing,
            "--no-plan": not self.batch.write_plan,
        }
        command = (
            *PROGRAM,
            item.kind,
            f"--output={output}",
            "--json",
            "--quiet",
            *(flag for flag, is_set in flags.items() if is_set),
            *item.options,
            "--",
            *item.inputs,
        )
        return Task(key=item.output, command=command, output=output, folder=os.getcwd())

    def _ended(self, begun: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
        """Writes how it ended."""
        status = "failed" if outcome.exit_code else "done"
        if outcome.crashed and begun["attempt"] == 1:
            status = "crashed"
        record = {
            **begun,
            "status": status,
            "exit_code": outcome.exit_code,
            "error": outcome.error,
            "seconds": outcome.seconds,
            **outcome.figures,
            "version": __version__,
            "host": socket.gethostname(),
            "time": _now(),
        }
        self.journal.append(record)
        return record


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
