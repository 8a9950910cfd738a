"""Writes results as tables: ratings for `automix evaluate ratings`, and answers beside them."""

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from automix.errors import InputError
from automix.files.names import printable
from automix.files.table import write_table
from automix.files.target import OutputTarget
from automix.files.text import parse_json, read_json
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

    A result that the server took in and that cannot be used is left out, and said.

    Raises:
        InputError: There are no results, or one of ``files`` is not of this test.
        OutputError: The tables cannot be written.
    """
    key = load_key(folder)
    found, left_out = _collect(key, files, database)
    submissions, notes = _keep_latest(found)
    notes += left_out
    if not submissions:
        raise InputError("; ".join([f"{printable(folder)}: there are no results yet", *left_out]))
    careless = [submission for submission in submissions if _misses_reference(submission, key)]
    for submission in careless:
        fate = "left out" if screen else "--screen leaves such participants out"
        notes.append(
            f"participant {submission.participant}: rated the hidden reference below"
            f" {_REFERENCE_LEAST:g} in more than {_REFERENCE_SHARE:.0%} of the passages; {fate}"
        )
    if screen:
        submissions = [submission for submission in submissions if submission not in careless]
        if not submissions:
            raise InputError(f"{printable(folder)}: no participant passes the screening")
    answers = ratings.with_suffix(".answers.csv") if key.questions else None
    inputs = [*files, *([database] if database else [])]
    rows = _make_rating_rows(submissions, key)
    tables = [(ratings, _write_csv(rows))]
    if answers is not None:
        tables.append((answers, _write_csv(_make_answer_rows(submissions, key))))
    with ExitStack() as stack:
        for path, text in tables:
            target = OutputTarget.reserve(path, overwrite=overwrite, inputs=inputs)
            stack.enter_context(target).write_text(text)
    return ExportedRatings(
        ratings=ratings,
        answers=answers,
        participants=len(submissions),
        rows=len(rows) - 1,
        notes=tuple(notes),
    )


def _collect(
    key: Key, files: Sequence[Path], database: Path | None
) -> tuple[list[Submission], list[str]]:
    """Collects all submissions, each once, and notes about those that cannot be used."""
    found: dict[str, Submission] = {}
    left_out = []
    kept = read_documents(database) if database is not None else []
    for number, text in enumerate(kept, 1):
        where = f"{printable(str(database))}, result {number}"
        try:
            submission = read_submission(parse_json(text, where), key)
        except InputError as error:
            reason = str(error).removeprefix(f"{where}: ")
            left_out.append(f"{where}: {reason}; left out")
            continue
        found[submission.name] = submission
    for path in files:
        document = read_json(path, most_bytes=MOST_BYTES)
        try:
            submission = read_submission(document, key)
        except InputError as error:
            raise InputError(f"{printable(path)}: {error}") from error
        found[submission.name] = submission
    return list(found.values()), left_out


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
        answers = [submission.answers.get(question, "") for question in key.questions]
        rows.append([submission.participant, submission.finished, *answers])
    return rows


def _write_csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    write_table(text, rows)
    return text.getvalue()
