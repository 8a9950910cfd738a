"""Reads descriptions of tests: a folder of passages, or a TOML file that says everything."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automix.errors import InputError, UsageError
from automix.files.extensions import AUDIO_EXTENSIONS
from automix.files.names import find_file, printable, spell_bytes
from automix.files.text import read_toml
from automix.listening.design import (
    MOST_FILES,
    MOST_STIMULI,
    QUESTIONNAIRE,
    Design,
    Passage,
    Question,
    TestDescription,
)
from automix.plan.parameters import Settings, parameters


def read_test_description(source: Path, changes: Mapping[str, Any]) -> TestDescription:
    """Reads a folder ``passage/method.wav``, or a TOML file.

    A TOML file holds the fields of `Design` (``type`` for ``kind``), ``folder`` or ``[[passage]]``
    tables with ``name``, ``start_s`` and ``[passage.mixes]`` (method = file), ``[[question]]``
    tables in place of the usual questionnaire, and ``[training]`` with ``good``, ``poor`` and
    ``start_s``. Files are relative to it.

    Args:
        source: Folder or TOML file.
        changes: Fields of `Design` that overrule those of the description; ``training`` (two
            paths) and ``questions`` as in `TestDescription`.

    Raises:
        InputError: A file is missing or the folder holds no passages.
        UsageError: A setting cannot be; the message names the file and the key.
    """
    if os.path.isdir(source):
        document: dict[str, Any] = {"folder": "."}
        folder = source
    elif source.suffix.lower() == ".toml":
        document, folder = read_toml(source, refuse=UsageError), source.parent
    else:
        raise InputError(f"{printable(source)}: is neither a folder of passages nor a TOML file")
    try:
        description = _describe(document, folder, dict(changes))
        _check(description)
    except UsageError as error:
        raise UsageError(f"{printable(source)}: {error}") from error
    return description


def _describe(document: dict[str, Any], folder: Path, changes: dict[str, Any]) -> TestDescription:
    passages = document.pop("passage", None)
    mixes = document.pop("folder", None)
    questions = document.pop("question", None)
    training = document.pop("training", None)
    if "type" in document:
        document["kind"] = document.pop("type")
    trained = changes.pop("training", None)
    asked = changes.pop("questions", None)
    given = {name: value for name, value in changes.items() if value is not None}
    design = _build(Design, {**document, **given}, "the test")
    start_s = given.get("start_s")
    if (passages is None) == (mixes is None):
        raise UsageError("give either [[passage]] tables or `folder`")
    if mixes is not None:
        found = _find_passages(folder / _check_text(mixes, "folder"), design.start_s)
    else:
        found = [
            _read_passage(table, number, folder, design.start_s, start_s)
            for number, table in enumerate(_check_tables(passages, "passage"), 1)
        ]
    if asked is None:
        asked = QUESTIONNAIRE
        if questions is not None:
            tables = _check_tables(questions, "question")
            asked = tuple(_build(Question, t, f"question {n}") for n, t in enumerate(tables, 1))
    training_start_s = design.start_s
    if trained is None and training is not None:
        trained, training_start_s = _read_training(training, folder, design.start_s, start_s)
    return TestDescription(
        design=design,
        passages=tuple(found),
        training=trained,
        training_start_s=training_start_s,
        questions=asked,
    )


def _find_passages(folder: Path, start_s: float) -> list[Passage]:
    """Finds passages: each folder in ``folder`` is one; audio right in it is a single passage."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        folders = {entry.name: sorted(entry.iterdir()) for entry in entries if entry.is_dir()}
    except OSError as error:
        where = printable(error.filename or folder)
        raise InputError(f"{where}: cannot be read: {error.strerror}") from error
    passages = {name: _find_mixes(paths) for name, paths in folders.items()}
    passages = {name: mixes for name, mixes in passages.items() if mixes}
    if not passages and (mixes := _find_mixes(entries)):
        passages = {folder.resolve().name: mixes}
    if not passages:
        raise InputError(
            f"{printable(folder)}: no mixes; put those of each passage in a folder of its own,"
            " named"
            " by their methods: verse/rules.wav, verse/human.wav, …"
        )
    return [
        Passage(name=spell_bytes(name), mixes=mixes, start_s=start_s)
        for name, mixes in passages.items()
    ]


def _find_mixes(paths: list[Path]) -> dict[str, Path]:
    audio = [
        path
        for path in paths
        if path.suffix.lower() in AUDIO_EXTENSIONS and path.is_file() and path.name[0] != "."
    ]
    mixes: dict[str, Path] = {}
    for path in audio:
        method = spell_bytes(path.stem)
        if method in mixes:
            raise UsageError(
                f"{printable(path)} and {printable(mixes[method])}: one method, two files"
            )
        mixes[method] = path
    return mixes


def _read_passage(
    table: dict[str, Any], number: int, folder: Path, default_s: float, start_s: float | None
) -> Passage:
    where = f"passage {number}"
    if unknown := table.keys() - {"name", "start_s", "mixes"}:
        raise UsageError(f"{where}: unknown key {sorted(unknown)[0]!r}")
    mixes = table.get("mixes")
    if not isinstance(mixes, dict) or not mixes:
        raise UsageError(f"{where}: needs a table [passage.mixes] with method = file")
    if start_s is None:
        start_s = _read_start(table, where, default_s)
    return Passage(
        name=_check_text(table.get("name", f"passage {number}"), f"{where}: name"),
        mixes={
            method: Path(find_file(folder, _check_text(file, f"{where}: {method}")))
            for method, file in mixes.items()
        },
        start_s=start_s,
    )


def _read_training(
    table: Any, folder: Path, default_s: float, start_s: float | None
) -> tuple[tuple[Path, Path], float]:
    if not isinstance(table, dict) or not {"good", "poor"} <= table.keys():
        raise UsageError("[training] needs `good` and `poor`")
    if unknown := table.keys() - {"good", "poor", "start_s"}:
        raise UsageError(f"[training]: unknown key {sorted(unknown)[0]!r}")
    good, poor = (
        Path(find_file(folder, _check_text(table[key], f"training: {key}")))
        for key in ("good", "poor")
    )
    return (good, poor), _read_start(table, "training", default_s) if start_s is None else start_s


def _read_start(table: dict[str, Any], where: str, default_s: float) -> float:
    try:
        return float(parameters(Design)["start_s"].check(table.get("start_s", default_s)))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _check_text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where} must be a text")
    return value


def _check_tables(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        raise UsageError(f"write each {name} as a table [[{name}]]")
    return value


def _build(kind: type[Any], values: dict[str, Any], where: str) -> Any:
    declared = parameters(kind)
    if unknown := values.keys() - declared.keys():
        known = ", ".join("type" if name == "kind" else name for name in declared)
        raise UsageError(f"{where}: unknown key {sorted(unknown)[0]!r}; there are: {known}")
    try:
        built: Settings = kind(**values)
    except TypeError as error:
        raise UsageError(f"{where}: needs `name` and `text`") from error
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
    return built


def _check(description: TestDescription) -> None:
    """Refuses what no test can be made of.

    Raises:
        UsageError: No test can be made of the description; names the passage or the question.
    """
    design, names = description.design, [passage.name for passage in description.passages]
    if len(set(names)) < len(names):
        raise UsageError("two passages have one name")
    for passage in description.passages:
        extra = len(design.made_anchors_hz)
        if not 2 <= len(passage.mixes) + extra <= MOST_STIMULI:
            raise UsageError(
                f"passage {passage.name!r}: has {len(passage.mixes)} mixes;"
                f" a test takes 2 to {MOST_STIMULI - extra}"
            )
        if design.reference is not None and design.reference not in passage.mixes:
            raise UsageError(
                f"passage {passage.name!r}: has no reference {design.reference!r};"
                f" there are: {', '.join(passage.mixes)}"
            )
    if sum(len(passage.mixes) + 2 for passage in description.passages) > MOST_FILES:
        raise UsageError(f"a test takes up to {MOST_FILES} mixes; make two of it")
    questions = [question.name for question in description.questions]
    if len(set(questions)) < len(questions) or {"participant", "finished"} & set(questions):
        raise UsageError("questions need different names, other than participant and finished")
