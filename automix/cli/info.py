"""`automix info`: what this installation is and can do."""

from typing import Any

from automix.cli import options
from automix.cli.output import Printer, reported


@reported
def info(plugins: options.Plugins = None, json: options.Json = False) -> None:
    """Show versions, devices, methods, models and plug-ins.

    For example: automix info --json
    """
    from automix.information import installation

    found = installation(plugins)
    if json:
        Printer(json=True).document(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    import sys

    from rich import box
    from rich.console import Console
    from rich.table import Table

    from automix.files import shown

    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=False)
    for name, text in found["machine"].items():
        table.add_row(name, text)
    for device in found["devices"]:
        used = "  (used by --device auto)" if device["name"] == found["device"] else ""
        table.add_row(device["name"], device["description"] + used)
    table.add_row("packages", " · ".join(f"{k} {v}" for k, v in found["packages"].items()))
    for command, methods in found["methods"].items():
        for method in methods:
            table.add_row(f"{command} --method {method['name']}", method["summary"])
    for model in found["models"]:
        size = f"{model['parameters'] / 1e6:.1f} million parameters"
        heard = f"hears {model['receptive_field'] / model['sample_rate_hz']:.2f} s"
        weights = model["weights"] or "no weights shipped"
        table.add_row(model["name"], f"{model['summary']}; {size}; {heard}; {weights}")
    for name, path in found["plugins"].items():
        table.add_row(name, shown(path))
    console.print(table)
