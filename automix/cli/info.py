"""`automix info`: what this installation is and can do."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from automix.cli import options
from automix.cli.output import Printer, report_errors


class Section(StrEnum):
    """What to show."""

    all = "all"
    models = "models"


@report_errors
def info(
    section: Annotated[
        Section, typer.Argument(help="models: only the networks, with sizes and weights.")
    ] = Section.all,
    plugins: options.Plugins = None,
    json: options.Json = False,
) -> None:
    """Show versions, devices, methods, models and plug-ins.

    For example: automix info --json
    """
    from automix.benchmark.installation import describe_installation, describe_models

    found = describe_models() if section == Section.models else describe_installation(plugins)
    if json:
        Printer(json=True).document(found)
    else:
        _print(found)
    _warn_of_what_does_not_load()


def _warn_of_what_does_not_load() -> None:
    from automix.networks.torchaudio_pair import find_pair_problem

    if problem := find_pair_problem():
        Printer().warn(problem)


def _print(found: dict[str, Any]) -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table

    from automix.files.names import printable

    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False, markup=False)
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
