"""One item of a batch, mixed in this process by the command that a user would run for it."""

import contextlib
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import typer

from automix.batch.item import Item
from automix.cli.app import load
from automix.errors import UsageError
from automix.parallel.engine import Job, Outcome


def mix_item(task: Job) -> Outcome:
    """Runs the command of an item; whatever it raises becomes a message."""
    out, err = io.StringIO(), io.StringIO()
    began = time.perf_counter()
    exit_code, error = 0, ""
    kind, *words = task.arguments
    try:
        os.chdir(task.folder)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            load(kind)(words, prog_name=f"automix {kind}")
    except SystemExit as ended:
        exit_code = ended.code if isinstance(ended.code, int) else 1
        if exit_code:
            error = (err.getvalue().strip().splitlines() or [""])[-1].removeprefix("automix: ")
    except Exception as problem:  # a defect of one mix must not end a worker of many
        exit_code, error = 1, f"{type(problem).__name__}: {problem}"
    return Outcome(
        exit_code=exit_code,
        error=error,
        seconds=round(time.perf_counter() - began, 3),
        figures={} if exit_code else _figures(json.loads(out.getvalue())),
    )


def _figures(document: dict[str, Any]) -> dict[str, Any]:
    """What is worth keeping of what the command printed."""
    loudness = document.get("loudness") or {}
    figures = {
        "duration_s": document.get("duration_s"),
        "loudness_lufs": loudness.get("integrated_lufs"),
        "true_peak_dbtp": loudness.get("true_peak_dbtp"),
        "warnings": document.get("warnings"),
        "kept": document.get("skipped"),
    }
    return {name: value for name, value in figures.items() if value not in (None, [])}


def check_item(item: Item) -> None:
    """Has the command of an item parse its options, and looks at what they say.

    Raises:
        UsageError: They are wrong; names where the item was found.
    """
    words = [*item.options, "--", *item.inputs]
    try:
        parsed = load(item.kind).make_context(item.kind, words).params
        _check_settings(item, parsed)
    except typer.TyperException as error:
        reason = error.format_message() if hasattr(error, "format_message") else error
        raise UsageError(f"{item.source}: {reason}") from error
    except UsageError as error:
        raise UsageError(f"{item.source}: {error}") from error


def _check_settings(item: Item, parsed: dict[str, Any]) -> None:
    from automix.cli.layering import apply_layers
    from automix.cli.wishes import Wishes
    from automix.files.formats import output_format
    from automix.methods.stems.settings import DmcOptions, StemsRules
    from automix.methods.vocal.cnn_settings import VocalNetworks
    from automix.methods.vocal.settings import PRESETS
    from automix.plan.address import parse_assignment

    output_format(Path(item.output), parsed["bits"] or "24")
    if item.kind == "vocal":
        flags = {
            "--level": ("relative_loudness_lu", parsed["level"]),
            "--tempo": ("tempo_bpm", parsed["tempo"]),
        }
        rules = PRESETS[parsed["preset"]]
        networks = parsed["method"] == "cnn"
        apply_layers(VocalNetworks.over(rules) if networks else rules, parsed["config"], flags)
    else:
        dmc = parsed["method"] == "dmc"
        apply_layers(DmcOptions() if dmc else StemsRules(), parsed["config"], {})
    if parsed["candidates"]:
        raise UsageError("--candidates goes with one song")
    macros = ("vocals", "reverb", "width", "brightness")
    Wishes(**{name: parsed[name] for name in macros}).macros()
    for change in parsed["set_"] or []:
        parse_assignment(change)
    flags = {
        "--loudness": ("loudness_lufs", parsed["loudness"]),
        "--true-peak": ("true_peak_dbtp", parsed["true_peak"]),
    }
    if any(value is not None for _, value in flags.values()):
        from automix.mixing.loudness_target import Finish  # only now: it loads numba

        apply_layers(Finish(), None, flags)
