"""The key of a test says what its random names stand for. It stays with whoever runs the test."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automix.errors import InputError
from automix.files.names import printable
from automix.files.text import read_json
from automix.listening.design import KINDS, SCALES, Kind

FORMAT = 1
KEY_FILE = "key.json"
PAGE_FOLDER = "page"
AUDIO_FOLDER = "audio"
STATIC_FILES = ("index.html", "page.css", "player.js", "scales.js", "page.js")
TEST_FILE = "test.js"
RESULTS_FILE = "results.sqlite"
MOST_CHARACTERS = 4000
"""Longest answer in the participant's own words."""


@dataclass(frozen=True, kw_only=True)
class PassageKey:
    """What the key says of one passage.

    Attributes:
        name: Name that the researcher gave it.
        methods: Method by random name of the stimulus.
    """

    name: str
    methods: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Key:
    """All that is needed to check and read results.

    Attributes:
        test: Random name of the test, which is part of every result.
        title: Title of the page.
        kind: Type of the test.
        aspects: Aspects that are rated beside the whole.
        questions: Choices by name of the question; none where text is written.
        required: Names of the questions that must be answered.
        passages: Passages by their random names.
        reference: Method that is the hidden reference, or none.
        audio: Random names of all audio files of the page.
        made_from: File, excerpt and gain behind each audio file, for the record.
    """

    test: str
    title: str
    kind: Kind
    aspects: tuple[str, ...]
    questions: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    passages: Mapping[str, PassageKey]
    reference: str | None
    audio: tuple[str, ...]
    made_from: Mapping[str, Mapping[str, Any]]

    def dumps(self) -> str:
        """Writes the key as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"


def load_key(folder: Path) -> Key:
    """Reads the key of the test in ``folder``.

    Raises:
        InputError: There is no key, or it was damaged.
    """
    path = folder / KEY_FILE
    if not path.exists():
        raise InputError(
            f"{printable(folder)}: is not a listening test: there is no {KEY_FILE} in it; make one"
            " with `automix listen make`"
        )
    try:
        document = read_json(path)
        if document.pop("format") != FORMAT:
            raise InputError(f"{printable(path)}: was written by another version of automix")
        return _read_key(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{printable(path)}: is damaged; make the test again") from error


def _read_key(document: dict[str, Any]) -> Key:
    passages = {
        name: PassageKey(name=str(passage["name"]), methods=_read_texts(passage["methods"]))
        for name, passage in document.pop("passages").items()
    }
    questions = {
        str(name): tuple(map(str, choices)) for name, choices in document.pop("questions").items()
    }
    kind, audio = document.pop("kind"), tuple(document.pop("audio"))
    if kind not in KINDS or not all(isinstance(n, str) and n.isalnum() for n in audio):
        raise ValueError("not a key")
    return Key(
        kind=kind,
        audio=audio,
        passages=passages,
        questions=questions,
        aspects=tuple(map(str, document.pop("aspects"))),
        required=tuple(map(str, document.pop("required"))),
        **document,
    )


def _read_texts(table: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in table.items()}


def find_scale(key: Key) -> tuple[float, float, bool]:
    """Finds the lowest and the highest rating, and whether ratings are whole numbers."""
    scale = SCALES[key.kind]
    return scale.low, scale.high, scale.decimals == 0
