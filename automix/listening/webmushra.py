"""Writes a test as a configuration of webMUSHRA (AudioLabs Erlangen), with its audio."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from automix.errors import UsageError
from automix.files.target import OutputTarget
from automix.listening.design import TestDescription
from automix.listening.key import Key
from automix.listening.stimuli import Stimulus

_OWN_ANCHORS = {3500.0: "createAnchor35", 7000.0: "createAnchor70"}
_STARS = "configs/resources/images/star_"  # images that webMUSHRA comes with


def check(description: TestDescription) -> None:
    """Refuses tests that webMUSHRA cannot do.

    Raises:
        UsageError: webMUSHRA has no such page, or no such anchor.
    """
    if description.design.kind == "ape":
        raise UsageError("webMUSHRA has no APE page; use --type mushra or --type likert")
    if other := set(description.design.made_anchors_hz) - set(_OWN_ANCHORS):
        raise UsageError(f"webMUSHRA makes anchors at 3500 and 7000 Hz, not at {min(other):g} Hz")


def write(
    description: TestDescription,
    key: Key,
    stimuli: list[Stimulus],
    folder: Path,
    stack: ExitStack,
    overwrite: bool,
) -> None:
    """Writes ``configs/automix-TEST.yaml`` and its WAV files, to be copied over webMUSHRA.

    webMUSHRA makes the anchors and hides the reference itself. Its results name the methods, so
    they need no key.

    Args:
        description: Description of the test.
        key: Key of the same test.
        stimuli: Stimuli of the test.
        folder: Folder to write to.
        stack: Context that puts the files in place when it ends.
        overwrite: Whether files there may be replaced.
    """
    name = f"automix-{key.test}"
    resources = f"configs/resources/{name}"
    files: dict[str, str] = {}
    made = {method for passage in key.passages.values() for method in passage.methods.values()}
    for stimulus in stimuli:
        if stimulus.method in made and stimulus.excerpt.low_pass_hz is None:
            files[stimulus.name] = f"{resources}/{stimulus.name}.wav"
            target = OutputTarget.reserve(folder / files[stimulus.name], overwrite=overwrite)
            stack.enter_context(target).write_audio(stimulus.excerpt, bits=description.design.bits)
    pages: list[Any] = ["random"]
    for number, (identity, passage) in enumerate(key.passages.items(), 1):
        mixes = {method: files[s] for s, method in passage.methods.items() if s in files}
        pages += _make_pages(description, f"p{number}_{identity}", mixes)
    config = {
        "testname": description.design.title,
        "testId": name,
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": True,
        "remoteService": "service/write.php",
        "pages": [
            {
                "type": "generic",
                "id": "welcome",
                "name": description.design.title,
                "content": _escape(description.design.instructions),
            },
            pages,
            {
                "type": "finish",
                "name": "Thank you",
                "content": "Thank you for taking part.",
                "showResults": False,
                "writeResults": True,
            },
        ],
    }
    target = OutputTarget.reserve(folder / "configs" / f"{name}.yaml", overwrite=overwrite)
    text = f"# webMUSHRA: ?config={name}.yaml\n" + json.dumps(config, indent=2) + "\n"
    stack.enter_context(target).write_text(text)  # JSON is YAML, and needs no rules for quoting


def _make_pages(description: TestDescription, identity: str, mixes: dict[str, str]) -> list[Any]:
    design = description.design
    page = {"id": identity, "name": design.title, "content": _escape(design.asked_question)}
    if design.kind == "mushra":
        others = {method: file for method, file in mixes.items() if method != design.reference}
        anchors = {option: hz in design.made_anchors_hz for hz, option in _OWN_ANCHORS.items()}
        return [
            {
                "type": "mushra",
                **page,
                "showWaveform": False,
                "enableLooping": True,
                "strict": False,
                "randomize": True,
                "showConditionNames": False,
                "reference": mixes[design.reference or ""],
                **anchors,
                "stimuli": others,
            }
        ]
    response = [
        {
            "value": str(value),
            "label": word,
            "img": f"{_STARS}off.png",
            "imgSelected": f"{_STARS}on.png",
            "imgHigherResponseSelected": f"{_STARS}on.png",
        }
        for value, word in enumerate(design.shown_words, 1)
    ]
    likert = {"type": "likert_multi_stimulus", **page, "mustRate": True, "mustPlayback": "ended"}
    return [
        {
            **likert,
            "id": f"{identity}_{aspect}".replace(" ", "_"),
            "content": f"{page['content']} <b>{_escape(aspect)}</b>",
            "stimuli": mixes,
            "response": response,
        }
        for aspect in ("overall", *design.asked_aspects)
    ]


def _escape(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    return text.replace("\n\n", "<br/><br/>")
