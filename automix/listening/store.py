"""Keeps results in an SQLite file: every submission once, whoever sends it at the same time."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from automix.errors import InputError, OutputError
from automix.files.disk import report_write_failures
from automix.files.names import printable
from automix.listening.results import Submission

_WAIT_S = 30.0
_TABLE = """
CREATE TABLE IF NOT EXISTS submissions (
    submission TEXT PRIMARY KEY,
    test TEXT NOT NULL,
    participant TEXT NOT NULL,
    received TEXT NOT NULL,
    document TEXT NOT NULL
)
"""


class ResultStore:
    """The file of results.

    Args:
        path: The file; made if it is not there.

    Raises:
        OutputError: The file cannot be made, or is no SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _make_private(path)
        with self._connect() as connection:
            connection.execute("PRAGMA journal_mode = WAL")  # readers do not hold up writers
            connection.execute(_TABLE)

    def add(self, submission: Submission, test: str, document: str) -> bool:
        """Keeps a submission for good; it is on the disk when this returns.

        Args:
            submission: The submission, checked.
            test: Name of the test.
            document: The submission as it came.

        Returns:
            Whether it is new; one that is sent again changes nothing.

        Raises:
            InputError: Another submission has its name.
            OutputError: The disk is full or fails.
        """
        received = datetime.now(UTC).isoformat(timespec="seconds")
        with self._connect() as connection:
            row = (submission.name, test, submission.participant, received, document)
            added = connection.execute(
                "INSERT INTO submissions VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row
            ).rowcount
            connection.commit()
            if not added:
                (kept,) = connection.execute(
                    "SELECT document FROM submissions WHERE submission = ?", (submission.name,)
                ).fetchone()
                if kept != document:
                    raise InputError("another result was sent under this name")
        return added > 0

    def count(self) -> int:
        """Counts the submissions."""
        with self._connect() as connection:
            (count,) = connection.execute("SELECT count(*) FROM submissions").fetchone()
        return int(count)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """Opens a connection of its own for each caller, since threads may share none."""
        try:
            with closing(sqlite3.connect(self.path, timeout=_WAIT_S)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                yield connection
        except sqlite3.Error as error:
            raise OutputError(f"{printable(self.path)}: cannot be written: {error}") from error


def _make_private(path: Path) -> None:
    """Makes the file if it is not there; what participants say is for its owner alone."""
    with report_write_failures(path):
        if os.path.lexists(path) and not path.is_file():
            raise OutputError(f"{printable(path)}: is not a regular file; name another")
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def read_documents(path: Path) -> list[str]:
    """Reads all submissions as they came, in the order in which they came.

    Raises:
        InputError: The file cannot be read.
    """
    if not path.is_file():
        raise InputError(f"{printable(path)}: is not a file of results; check the path")
    uri = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=_WAIT_S)) as connection:
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            rows = connection.execute("SELECT document FROM submissions ORDER BY rowid")
            return [str(document) for (document,) in rows]
    except sqlite3.Error as error:
        raise InputError(f"{printable(path)}: cannot be read: {error}") from error
