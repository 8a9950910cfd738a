"""Small tests made of tones, a server in a thread, and results as a page would send them."""

import contextlib
import json
import random
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from automix.listening.description import read_test_description
from automix.listening.key import Key
from automix.listening.making import MadeTest, make_test
from automix.listening.server import ListeningServer

RATE = 16000


def write_tone(path: Path, frequency_hz: float, gain: float = 0.2, seconds: float = 1.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(seconds * RATE)) / RATE
    tone = gain * np.sin(2 * np.pi * frequency_hz * times)
    soundfile.write(path, np.stack([tone, 0.7 * tone], axis=1), RATE, "PCM_24")


def write_mixes(folder: Path, passages: int = 2, methods: str = "abcd") -> Path:
    for passage in range(passages):
        for index, method in enumerate(methods):
            write_tone(
                folder / f"song{passage}" / f"{method}.wav", 300 + 170 * index + 60 * passage
            )
    return folder


def make(source: Path, folder: Path, *, force: bool = False, **changes: Any) -> MadeTest:
    webmushra = changes.pop("webmushra", None)
    return make_test(
        read_test_description(source, changes),
        folder,
        overwrite=force,
        webmushra_folder=webmushra,
        report=lambda stage: None,
    )


def page_config(folder: Path) -> Any:
    text = (folder / "page" / "test.js").read_text()
    return json.loads(text.removeprefix("window.automixTest = ").rstrip(";\n"))


def result(key: Key, number: int = 0, **changes: Any) -> dict[str, Any]:
    """A complete result, different for each number."""
    chance = random.Random(number)
    low, high = {"ape": (0, 1), "mushra": (0, 100), "likert": (1, 5)}[key.kind]

    def rating() -> float:
        return chance.random() if key.kind == "ape" else chance.randint(low, high)

    document = {
        "format": "automix listening result 1",
        "test": key.test,
        "submission": f"submission-{number}".removeprefix("-"),
        "participant": f"p{number:03}",
        "started": "2026-01-02T03:04:05.678Z",
        "finished": f"2026-01-02T04:{number % 60:02}:05Z",
        "answers": {name: (choices or ("words",))[0] for name, choices in key.questions.items()},
        "passages": [
            {
                "passage": name,
                "seconds": 12.5,
                "stimuli": [
                    {
                        "stimulus": stimulus,
                        "rating": rating(),
                        "aspects": {aspect: rating() for aspect in key.aspects},
                        "plays": 1,
                    }
                    for stimulus in passage.methods
                ],
            }
            for name, passage in key.passages.items()
        ],
    }
    return {**document, **changes}


@contextlib.contextmanager
def served(folder: Path, results: Path | None = None, **options: Any) -> Iterator[ListeningServer]:
    with ListeningServer(
        folder,
        host="127.0.0.1",
        port=0,
        results=results or folder / "results.sqlite",
        received=lambda count: None,
        **options,
    ) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def post(url: str, body: bytes, kind: str = "application/json") -> tuple[int, Any]:
    request = urllib.request.Request(f"{url}results", body, {"Content-Type": kind}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
