"""Writes results as tables: ratings for `automix evaluate ratings`, and answers beside them."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automix.errors import InputError
from automix.files.names import printable
from automix.files.target import OutputTarget
from automix.listening.key import Key, load_key
from automix.listening.results import MOST_BYTES, Submission, read_submission
from automix.listening.store import read_documents

_REFERENCE_LEAST = 90.0
_REFERENCE_SHARE = 0.15


@dataclass(frozen=True, kw_only=True)
class ExportedRatings:
    """The tables that were written.

    Attributes:
        ratings: CSV file ``participant,passage,method,rating`` with a column per aspect.
        answers: CSV file of the questionnaire, or none.
        participants: Number of participants.
        rows: Number of ratings.
        notes: Sentences for the user.
    """

    ratings: Path
    answers: Path | None
    participants: int
    rows: int
    notes: tuple[str, ...]


def export_results(
    folder: Path,
    files: Sequence[Path],
    *,
    database: Path | None,
    ratings: Path,
    screen: bool,
    overwrite: bool,
) -> ExportedRatings:
    """Writes all results of the test in ``folder``.

    Args:
        folder: Folder of the test; its key tells methods from random names.
        files: Files of results that participants saved.
        database: File of results that the server took in, or none.
        ratings: File of the ratings; the answers go beside it, ``NAME.answers.csv``.
        screen: Whether to leave out participants who fail the post-screening of ITU-R BS.1534-3
            (MUSHRA only).
        overwrite: Whether files there may be replaced.

    Raises:
        InputError: There are no results, or one is not of this test.
        OutputError: The tables cannot be written.
    """
    key = load_key(folder)
    submissions, notes = _keep_latest(_collect(key, files, database))
    if not submissions:
        raise InputError(f"{printable(folder)}: there are no results yet")
    careless = [submission for submission in submissions if _misses_reference(submission, key)]
    for submission in careless:
        left_out = "left out" if screen else "--screen leaves such participants out"
        notes.append(
            f"participant {submission.participant}: rated the hidden reference below"
            f" {_REFERENCE_LEAST:g} in more than {_REFERENCE_SHARE:.0%} of the passages; {left_out}"
        )
    if screen:
        submissions = [submission for submission in submissions if submission not in careless]
        if not submissions:
            raise InputError(f"{printable(folder)}: no participant passes the screening")
    answers = ratings.with_suffix(".answers.csv") if key.questions else None
    inputs = [*files, *([database] if database else [])]
    rows = _make_rating_rows(submissions, key)
    tables = [(ratings, rows)]
    if answers is not None:
        tables.append((answers, _make_answer_rows(submissions, key)))
    targets = [
        (OutputTarget.reserve(path, overwrite=overwrite, inputs=inputs), table)
        for path, table in tables
    ]
    for target, table in targets:
        with target:
            target.write_text(_write_csv(table))
    return ExportedRatings(
        ratings=ratings,
        answers=answers,
        participants=len(submissions),
        rows=len(rows) - 1,
        notes=tuple(notes),
    )


def _collect(key: Key, files: Sequence[Path], database: Path | None) -> list[Submission]:
    """Collects all submissions, each once."""
    found: dict[str, Submission] = {}
    texts = [(path, _read_text(path)) for path in files]
    if database is not None:
        texts = [(database, text) for text in read_documents(database)] + texts
    for path, text in texts:
        try:
            submission = read_submission(json.loads(text), key)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{printable(path)}: is not JSON: {error}") from error
        except InputError as error:
            raise InputError(f"{printable(path)}: {error}") from error
        found[submission.name] = submission
    return list(found.values())


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{printable(path)}: is too large for a result")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{printable(path)}: is not a result of a listening test") from error


def _keep_latest(submissions: list[Submission]) -> tuple[list[Submission], list[str]]:
    """Keeps one submission per participant: the one that was finished last."""
    by_participant: dict[str, list[Submission]] = {}
    for submission in submissions:
        by_participant.setdefault(submission.participant, []).append(submission)
    notes = [
        f"participant {name}: took part {len(several)} times; the last time counts"
        for name, several in by_participant.items()
        if len(several) > 1
    ]
    latest = [max(several, key=lambda s: s.finished) for several in by_participant.values()]
    return sorted(latest, key=lambda submission: submission.participant), notes


def _misses_reference(submission: Submission, key: Key) -> bool:
    """Tells whether a participant fails the post-screening of ITU-R BS.1534-3, section 4.1.2."""
    if key.reference is None:
        return False
    hidden = [
        rating.rating
        for rating in submission.ratings
        if key.passages[rating.passage].methods[rating.stimulus] == key.reference
    ]
    return sum(rating < _REFERENCE_LEAST for rating in hidden) > _REFERENCE_SHARE * len(hidden)


def _make_rating_rows(submissions: Sequence[Submission], key: Key) -> list[list[str]]:
    rows = [["participant", "passage", "method", "rating", *key.aspects]]
    for submission in submissions:
        own = []
        for rating in submission.ratings:
            passage = key.passages[rating.passage]
            figures = [rating.rating, *(rating.aspects[aspect] for aspect in key.aspects)]
            method = passage.methods[rating.stimulus]
            own.append([submission.participant, passage.name, method, *(f"{f:g}" for f in figures)])
        rows += sorted(own)
    return rows


def _make_answer_rows(submissions: Sequence[Submission], key: Key) -> list[list[str]]:
    rows = [["participant", "finished", *key.questions]]
    for submission in submissions:
        answers = [_disarm(submission.answers.get(question, "")) for question in key.questions]
        rows.append([submission.participant, submission.finished, *answers])
    return rows


def _disarm(text: str) -> str:
    """Keeps spreadsheets from running what a participant wrote."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _write_csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
