"""Makes a test: the page with its audio, and the key that says what is what."""

import base64
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from automix.errors import OutputError
from automix.files.disk import report_write_failures, sha256
from automix.files.encode import encode
from automix.files.formats import choose_format
from automix.files.names import printable
from automix.files.reading import Opened
from automix.files.target import OutputTarget
from automix.listening import webmushra
from automix.listening.design import SCALES, SHORTEST_S, TestDescription
from automix.listening.key import (
    AUDIO_FOLDER,
    KEY_FILE,
    MOST_CHARACTERS,
    PAGE_FOLDER,
    RESULTS_FILE,
    STATIC_FILES,
    TEST_FILE,
    Key,
    PassageKey,
)
from automix.listening.stimuli import (
    Stimulus,
    StimulusExcerpt,
    cut_stimuli,
    match_loudness,
    open_mixes,
)

TEMPLATE = Path(__file__).parent / "page"


@dataclass(frozen=True, kw_only=True)
class MadeTest:
    """A test that was made.

    Attributes:
        page: File of the page, for participants.
        key: File of the key, not for participants.
        test: Name of the test in every result.
        passages: Number of passages.
        stimuli: Number of audio files.
        sample_rate_hz: Frames per second of all audio files.
        loudness_lufs: Loudness of all audio files.
        notes: Sentences for the user.
        warnings: Warnings for the user.
    """

    page: Path
    key: Path
    test: str
    passages: int
    stimuli: int
    sample_rate_hz: int
    loudness_lufs: float
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def make_test(
    description: TestDescription,
    folder: Path,
    *,
    overwrite: bool,
    webmushra_folder: Path | None,
    report: Callable[[str], None],
) -> MadeTest:
    """Makes a test in ``folder``: ``page/`` for participants, ``key.json`` for you.

    Args:
        description: Description of the test.
        folder: Folder to write to; made if need be.
        overwrite: Whether files there may be replaced. A folder with results is always refused.
        webmushra_folder: Folder that also gets a configuration of webMUSHRA and its audio, or none.
        report: Called with the name of each stage as it begins.

    Raises:
        InputError: A mix cannot be read, is too short, or is silent.
        OutputError: A file is in the way, results are there, or a file cannot be written.
        UsageError: webMUSHRA has no such test.
    """
    if webmushra_folder is not None:
        webmushra.check(description)
    if os.path.exists(folder / RESULTS_FILE):
        raise OutputError(
            f"{printable(folder)}: holds results of participants; choose another folder"
        )
    report("reading")
    paths = [path for passage in description.passages for path in passage.mixes.values()]
    opened = open_mixes([*paths, *(description.training or ())])
    sample_rate = max(mix.info.sample_rate for mix in opened.values())
    stimuli, notes = _make_stimuli(description, opened, sample_rate)
    report("loudness")
    excerpts, loudness_lufs, warning = match_loudness(
        [stimulus.excerpt for stimulus in stimuli], description.design.loudness_lufs
    )
    stimuli = [
        replace(stimulus, excerpt=excerpt)
        for stimulus, excerpt in zip(stimuli, excerpts, strict=True)
    ]
    config, key = _sort_contents(description, stimuli, sample_rate)
    report("writing")
    with ExitStack() as stack:

        def write(path: Path, text: str, *, private: bool = False) -> None:
            target = OutputTarget.reserve(path, overwrite=overwrite, inputs=opened, private=private)
            stack.enter_context(target).write_text(text)

        page = folder / PAGE_FOLDER
        for name in STATIC_FILES:  # the page itself first: what is entered first is committed last
            write(page / name, (TEMPLATE / name).read_text(encoding="utf-8"))
        write(page / TEST_FILE, f"window.automixTest = {json.dumps(config, indent=1)};\n")
        write(folder / KEY_FILE, key.dumps(), private=True)
        for stimulus in stimuli:
            audio = _encode_flac(stimulus.excerpt, description.design.bits)
            encoded = base64.b64encode(audio).decode("ascii")
            path = page / AUDIO_FOLDER / f"{stimulus.name}.js"
            write(path, f'window.automixAudio("{stimulus.name}", "{encoded}");\n')
        if webmushra_folder is not None:
            webmushra.write(description, key, stimuli, webmushra_folder, stack, overwrite)
    _remove_others(page / AUDIO_FOLDER, key)
    rates = sorted({mix.info.sample_rate for mix in opened.values()})
    if len(rates) > 1:
        notes.append(f"mixes at {', '.join(map(str, rates))} Hz: resampled to {sample_rate} Hz")
    return MadeTest(
        page=page / "index.html",
        key=folder / KEY_FILE,
        test=key.test,
        passages=len(key.passages),
        stimuli=len(stimuli),
        sample_rate_hz=sample_rate,
        loudness_lufs=loudness_lufs,
        notes=tuple(notes),
        warnings=(warning,) if warning else (),
    )


def _make_stimuli(
    description: TestDescription, opened: dict[Path, Opened], sample_rate: int
) -> tuple[list[Stimulus], list[str]]:
    """Makes all stimuli, not yet of one loudness, sorted by passage and random name."""
    design, digests = description.design, {path: sha256(path) for path in opened}
    stimuli: list[Stimulus] = []
    notes: list[str] = []

    def add(passage: str, mixes: dict[str, Path], start_s: float) -> None:
        excerpts, said = cut_stimuli(
            [opened[path] for path in mixes.values()],
            sample_rate=sample_rate,
            start_s=start_s,
            duration_s=design.excerpt_s,
            least_s=SHORTEST_S,
        )
        notes.extend(said)
        cut = dict(zip(mixes, excerpts, strict=True))
        if design.reference is not None and design.reference in cut:
            reference = cut[design.reference]
            cut[_OPEN_REFERENCE] = reference
            for edge_hz in design.made_anchors_hz:
                name = f"anchor {edge_hz / 1000:g} kHz"
                cut[name] = replace(reference, low_pass_hz=edge_hz)
        named = []
        for method, excerpt in cut.items():
            digest = digests[excerpt.path]
            name = _make_random_name("stimulus", design.seed, passage, method, digest, start_s)
            named.append(
                Stimulus(name=name, passage=passage, method=method, excerpt=excerpt, sha256=digest)
            )
        stimuli.extend(sorted(named, key=lambda stimulus: stimulus.name))

    for passage in description.passages:
        add(passage.name, dict(passage.mixes), passage.start_s)
    if description.training is not None:
        good, poor = description.training
        add(_TRAINING, {_GOOD: good, _POOR: poor}, description.training_start_s)
    return stimuli, notes


# Names that no folder, file or TOML key of a passage or a method can have by accident.
_OPEN_REFERENCE, _TRAINING, _GOOD, _POOR = "\0reference", "\0training", "\0good", "\0poor"


def _make_random_name(*parts: object) -> str:
    """Makes a name that is the same for the same test, and hard to guess without its files."""
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:16]


_RANDOM_NAME = re.compile("[0-9a-f]{16}")


def _sort_contents(
    description: TestDescription, stimuli: list[Stimulus], sample_rate: int
) -> tuple[dict[str, Any], Key]:
    """Sorts what the page is told from what the key alone knows; returns both."""
    design = description.design
    shown_passages, passages = [], {}
    for passage in description.passages:
        here = {s.method: s for s in stimuli if s.passage == passage.name}
        reference = here.pop(_OPEN_REFERENCE, None)
        name = _make_random_name("passage", *(stimulus.name for stimulus in here.values()))
        shown_passages.append(
            {
                "id": name,
                "stimuli": sorted(stimulus.name for stimulus in here.values()),
                "reference": reference.name if reference else None,
            }
        )
        methods = {stimulus.name: method for method, stimulus in here.items()}
        passages[name] = PassageKey(name=passage.name, methods=methods)
    training = {s.method: s.name for s in stimuli if s.passage == _TRAINING}
    config: dict[str, Any] = {
        "title": design.title,
        "instructions": [p.strip() for p in design.instructions.split("\n\n") if p.strip()],
        "type": design.kind,
        "question": design.asked_question,
        "words": design.shown_words,
        "aspects": design.asked_aspects,
        "scale": asdict(SCALES[design.kind]),
        "sampleRate": sample_rate,
        "seed": design.seed,
        "questions": [asdict(question) for question in description.questions],
        "mostCharacters": MOST_CHARACTERS,
        "training": [training[_GOOD], training[_POOR]] if training else None,
        "passages": sorted(shown_passages, key=lambda passage: str(passage["id"])),
    }
    test = _make_random_name("test", json.dumps(config))
    key = Key(
        test=test,
        title=design.title,
        kind=design.kind,
        aspects=design.asked_aspects,
        questions={question.name: question.choices for question in description.questions},
        required=tuple(q.name for q in description.questions if q.required),
        passages=passages,
        reference=design.reference,
        audio=tuple(stimulus.name for stimulus in stimuli),
        made_from={stimulus.name: _record(stimulus) for stimulus in stimuli},
    )
    return {"test": test, **config}, key


def _record(stimulus: Stimulus) -> dict[str, Any]:
    excerpt = stimulus.excerpt
    return {
        "passage": stimulus.passage.replace("\0", ""),
        "method": stimulus.method.replace("\0", ""),
        "file": printable(excerpt.path),
        "sha256": stimulus.sha256,
        "start_s": excerpt.start / excerpt.sample_rate,
        "duration_s": excerpt.frames / excerpt.sample_rate,
        "gain_db": round(excerpt.gain_db, 3),
    }


def _encode_flac(excerpt: StimulusExcerpt, bits: str) -> bytes:
    """Encodes an excerpt as a FLAC file, which all browsers decode without loss."""
    with report_write_failures(Path("temporary folder")), tempfile.TemporaryFile() as file:
        encode(file.fileno(), excerpt, choose_format("stimulus.flac", bits), dither=True, seed=0)
        file.seek(0)
        return file.read()


def _remove_others(folder: Path, key: Key) -> None:
    """Removes the audio of a test that was there before; files with other names are not its."""
    for path in folder.glob("*.js"):
        if path.stem not in key.audio and _RANDOM_NAME.fullmatch(path.stem):
            with report_write_failures(path):
                path.unlink()
