"""The key of a test: what its random names stand for. It stays with whoever runs the test."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automix.errors import InputError
from automix.files.names import printable
from automix.listening.design import KINDS, SCALES, Kind

FORMAT = 1
KEY_FILE = "key.json"
PAGE_FOLDER = "page"
AUDIO_FOLDER = "audio"
STATIC_FILES = ("index.html", "page.css", "player.js", "scales.js", "page.js")
TEST_FILE = "test.js"
RESULTS_FILE = "results.sqlite"
MOST_CHARACTERS = 4000
"""Of an answer in the participant's own words."""


@dataclass(frozen=True, kw_only=True)
class PassageKey:
    """One passage.

    Attributes:
        name: As the researcher named it.
        methods: By stimulus.
    """

    name: str
    methods: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Key:
    """What results need to be checked and read.

    Attributes:
        test: Which test; part of every result.
        title: Of the page.
        kind: Type of the test.
        aspects: What is rated beside the whole.
        questions: Choices by name of the question; none where text is written.
        required: Questions that must be answered.
        passages: By their random names.
        reference: Method that is the hidden reference, or none.
        audio: Random names of all audio files of the page.
        made_from: What each audio file is, for the record.
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
        """The key as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"


def load_key(folder: Path) -> Key:
    """Reads the key of the test in ``folder``.

    Raises:
        InputError: There is none, or it was damaged.
    """
    path = folder / KEY_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("format") != FORMAT:
            raise InputError(f"{printable(path)}: was written by another version of automix")
        return _key(document)
    except OSError as error:
        raise InputError(
            f"{printable(folder)}: is not a listening test: {KEY_FILE} cannot be read"
            f" ({error.strerror}); make one with `automix listen make`"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{printable(path)}: is damaged; make the test again") from error


def _key(document: dict[str, Any]) -> Key:
    passages = {
        name: PassageKey(name=str(passage["name"]), methods=_texts(passage["methods"]))
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


def _texts(table: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in table.items()}


def scale_of(key: Key) -> tuple[float, float, bool]:
    """Lowest and highest rating, and whether ratings are whole numbers."""
    scale = SCALES[key.kind]
    return scale.low, scale.high, scale.decimals == 0
