"""Reads a participant's result, which the page sends or saves, and checks it against the key."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automix.errors import InputError
from automix.listening.key import MOST_CHARACTERS, Key, find_scale

FORMAT = "automix listening result 1"
MOST_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


@dataclass(frozen=True, kw_only=True)
class Rating:
    """The rating of one stimulus by one participant.

    Attributes:
        passage: Random name of the passage.
        stimulus: Random name of the stimulus.
        rating: Rating of the whole.
        aspects: Ratings by aspect.
    """

    passage: str
    stimulus: str
    rating: float
    aspects: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A whole result of one participant.

    Attributes:
        name: Name of the submission; it stays the same where a result is sent again.
        participant: Name of the participant.
        finished: Time at which it was finished, UTC.
        ratings: Ratings of every stimulus of every passage.
        answers: Answers by name of the question.
    """

    name: str
    participant: str
    finished: str
    ratings: tuple[Rating, ...]
    answers: Mapping[str, str]


def read_submission(document: Any, key: Key) -> Submission:
    """Checks every part of a result.

    Args:
        document: The result as parsed from JSON.
        key: Key of the test.

    Raises:
        InputError: The document is no result of this test; the message says why.
    """
    fields = {"format", "test", "submission", "participant", "started", "finished"}
    _check_keys(document, fields | {"answers", "passages"}, "the result")
    if document["format"] != FORMAT:
        raise InputError("is not a result of a listening test")
    if document["test"] != key.test:
        named = f" ({document['test'][:40]!r})" if isinstance(document["test"], str) else ""
        raise InputError(f"is a result of another test{named}")
    for field in ("submission", "participant"):
        if not isinstance(document[field], str) or not _NAME.fullmatch(document[field]):
            raise InputError(f"{field} must be up to 64 letters, digits, - and _")
    for field in ("started", "finished"):
        if not isinstance(document[field], str) or not _TIME.fullmatch(document[field]):
            raise InputError(f"{field} must be a time")
    return Submission(
        name=document["submission"],
        participant=document["participant"],
        finished=document["finished"],
        ratings=_read_ratings(document["passages"], key),
        answers=_read_answers(document["answers"], key),
    )


def _read_ratings(passages: Any, key: Key) -> tuple[Rating, ...]:
    if not isinstance(passages, list) or len(passages) != len(key.passages):
        raise InputError(f"must rate {len(key.passages)} passages")
    ratings: dict[str, Rating] = {}
    seen = set()
    for passage in passages:
        _check_keys(passage, {"passage", "seconds", "stimuli"}, "a passage")
        name, stimuli = passage["passage"], passage["stimuli"]
        if not isinstance(name, str) or name not in key.passages or name in seen:
            raise InputError("must rate every passage once")
        seen.add(name)
        _check_number(passage["seconds"], 0, 1e9, "seconds")
        methods = key.passages[name].methods
        if not isinstance(stimuli, list) or len(stimuli) != len(methods):
            raise InputError("must rate every stimulus once")
        for stimulus in stimuli:
            rating = _read_rating(stimulus, name, key)
            if rating.stimulus not in methods or rating.stimulus in ratings:
                raise InputError("must rate every stimulus once")
            ratings[rating.stimulus] = rating
    return tuple(ratings.values())


def _read_rating(document: Any, passage: str, key: Key) -> Rating:
    _check_keys(document, {"stimulus", "rating", "aspects", "plays"}, "a stimulus")
    _check_keys(document["aspects"], set(key.aspects), "the aspects")
    if not isinstance(document["stimulus"], str):
        raise InputError("a stimulus must be named")
    _check_number(document["plays"], 0, 1e9, "plays")
    low, high, whole = find_scale(key)
    aspects = {
        aspect: _check_number(document["aspects"][aspect], low, high, aspect, whole)
        for aspect in key.aspects
    }
    return Rating(
        passage=passage,
        stimulus=document["stimulus"],
        rating=_check_number(document["rating"], low, high, "rating", whole),
        aspects=aspects,
    )


def _read_answers(document: Any, key: Key) -> dict[str, str]:
    if not isinstance(document, dict) or not document.keys() <= key.questions.keys():
        raise InputError("answers questions that were not asked")
    for name, answer in document.items():
        choices = key.questions[name]
        if not isinstance(answer, str) or len(answer) > MOST_CHARACTERS:
            raise InputError(f"the answer to {name!r} must be a text")
        if choices and answer not in choices:
            raise InputError(f"the answer to {name!r} is none of the choices")
    if missing := [name for name in key.required if not document.get(name)]:
        raise InputError(f"{missing[0]!r} is not answered")
    return dict(document)


def _check_keys(document: Any, keys: set[str], what: str) -> None:
    if not isinstance(document, dict) or document.keys() != keys:
        raise InputError(f"{what} must have exactly: {', '.join(sorted(keys))}")


def _check_number(value: Any, low: float, high: float, what: str, whole: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{what} must be a number from {low:g} to {high:g}")
    if not math.isfinite(value) or (whole and value != int(value)):
        raise InputError(f"{what} must be a whole number from {low:g} to {high:g}")
    return float(value)
