"""`automix info`: what this installation is and can do."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors

if TYPE_CHECKING:
    from rich.console import Console


class Section(StrEnum):
    """What to show."""

    all = "all"
    models = "models"
    processors = "processors"


@report_errors
def info(
    section: Annotated[
        Section,
        typer.Argument(
            help="models: only the networks, with sizes and weights. processors: those of a strip,"
            " a bus and the master, with ranges, neutral values, and which consoles can do them;"
            " and which settings rides can move."
        ),
    ] = Section.all,
    plugins: options.Plugins = None,
    json: options.Json = False,
) -> None:
    """Show versions, devices, methods, models, processors and plug-ins.

    For example: automix info --json
    """
    from automix.benchmark.installation import (
        describe_installation,
        describe_models,
        describe_processors,
    )

    if section == Section.processors:
        found = describe_processors()
    else:
        found = describe_models() if section == Section.models else describe_installation(plugins)
    if json:
        Printer(json=True).document(found)
    elif section == Section.processors:
        _print_processors(found["processors"])
        _print_ridable(found["rides"])
    else:
        _print(found)
    _warn_of_what_does_not_load()


def _warn_of_what_does_not_load() -> None:
    from automix.networks.torchaudio_pair import find_pair_problem

    if problem := find_pair_problem():
        Printer().warn(problem)


def _print_processors(processors: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    console = _console()
    for processor in processors:
        title, name = processor["title"], processor["name"]
        head = title if title == name else f"{title} ({name})"
        console.print(f"{head}: {processor['summary']}")
        places = "; ".join(_PLACES[part][processor[part]] for part in _PLACES if processor[part])
        console.print(f"  where: {places}")
        console.print(
            "  " + "; ".join(f"{name}: {can}" for name, can in processor["consoles"].items())
        )
        table = Table(box=box.SIMPLE, pad_edge=True, show_edge=False)
        for column in ("setting", "range", "neutral", "what it is"):
            table.add_column(column)
        for setting in processor["settings"]:
            legal = ", ".join(setting["choices"])
            if setting["low"] is not None:
                scale = ", logarithmic" if setting["scale"] == "log" else ""
                unit = f" {setting['unit']}" if setting["unit"] else ""
                legal = f"{setting['low']:.10g} … {setting['high']:.10g}{unit}{scale}"
            neutral = setting["neutral"]
            shown = f"{neutral:.10g}" if isinstance(neutral, float) else str(neutral)
            table.add_row(setting["name"], legal, shown, setting["about"])
        console.print(table)
        console.print()


def _print_ridable(rides: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    console = _console()
    console.print("rides: what can move in time, by [[tracks.rides]] and the like in a plan")
    table = Table(box=box.SIMPLE, pad_edge=True, show_edge=False)
    for column in ("of a", "setting", "range", "what it is", "the line"):
        table.add_column(column)
    for ride in rides:
        legal = f"{ride['low']:g} … {ride['high']:g} {ride['unit']}".rstrip()
        how = "is added to it" if ride["added"] else "takes its place"
        table.add_row(ride["owner"], ride["setting"], legal, ride["about"], how)
    console.print(table)


_PLACES: dict[str, dict[str, str]] = {
    "strip": {
        "before": "strip, before e, c and r",
        **{place: f"strip, {place} of the order" for place in "ecr"},
        "after": "strip, after e, c and r",
    },
    "bus": {
        "before": "bus, before its reverb",
        "reverb": "bus, as its reverb",
        "after": "bus, after its reverb",
    },
    "master": {
        "filter": "master, first",
        "gain": "master, after the filters",
        "limiter": "master, last",
    },
}
"""The places of `automix.dsp.processors` in words."""


def _console() -> "Console":
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 100, highlight=False, markup=False)


def _print(found: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    from automix.files.names import printable

    console = _console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=False)
    for name, text in found.get("machine", {}).items():
        table.add_row(name, text)
    for device in found.get("devices", ()):
        used = "  (used by --device auto)" if device["name"] == found["device"] else ""
        table.add_row(device["name"], device["description"] + used)
    if "packages" in found:
        table.add_row("packages", " · ".join(f"{k} {v}" for k, v in found["packages"].items()))
    for command, methods in found.get("methods", {}).items():
        for method in methods:
            table.add_row(f"{command} --method {method['name']}", method["summary"])
    for model in found["models"]:
        size = f"{model['parameters'] / 1e6:.1f} million parameters"
        weights = "weights shipped" if model["weights"] else "no weights shipped"
        table.add_row(
            model["name"],
            f"{model['summary']}; {size}; {_describe_field(model)}; {weights}",
        )
    for name, path in found.get("plugins", {}).items():
        table.add_row(name, printable(path))
    console.print(table)


def _describe_field(model: dict[str, Any]) -> str:
    """How much one output hears, in words."""
    samples, rate_hz = model["receptive_field"], model["sample_rate_hz"]
    if samples is None:
        return "hears whole songs"
    if rate_hz is None:
        return f"hears {samples} samples"
    return f"hears {samples / rate_hz:.2f} s ({samples} samples)"
