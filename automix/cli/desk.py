"""`automix desk`: a plan as a mixing desk in the browser."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from automix.cli import options
from automix.cli.declaration import from_fields
from automix.cli.output import Printer, report_errors
from automix.cli.signals import Ended, remove_when_ended
from automix.mixing.request import PlanRequest

_NOT_ABOUT_READING = (
    *("changes", "vocals", "reverb", "width", "brightness", "loudness", "true_peak", "no_rides"),
    *("console", "device", "plugins", "on_plugin_error"),
)


@report_errors
@from_fields(without={"request": _NOT_ABOUT_READING})
def desk(
    request: PlanRequest,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="0 takes any that is free.")
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address and open no browser.")
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where rendered tracks are kept for the next time.  [default: automix/desk in"
            " ~/.cache]",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Open a mix as a mixing desk in the browser.

    Faders, pans, sends and mutes are heard at once, changes of equalizers, compressors and reverbs
    as soon as that track is rendered. Saving writes the plan, rendering the mix beside it. What is
    not saved is kept beside the plan, and offered again. Only this computer can reach the page.
    Ctrl-C ends it.

    For example: automix desk mix.toml
    """
    printer = Printer(json=json, quiet=quiet)
    run_desk(request, printer, port=port, opens_browser=not no_browser, cache=cache)


def run_desk(
    request: PlanRequest,
    printer: Printer,
    *,
    port: int = 0,
    opens_browser: bool = True,
    cache: Path | None = None,
) -> None:
    """Opens the desk, prints its address, and ends with it.

    Args:
        request: The plan, and how its files are read.
        printer: Where messages go.
        port: Port to listen at; 0 takes any that is free.
        opens_browser: Whether a browser is opened where there is a display.
        cache: Where rendered tracks are kept.
    """
    from automix.desk.desk import open_desk

    opens_browser = opens_browser and not printer.json and _has_display()

    def tell(url: str) -> None:
        if printer.json:
            printer.document({"url": url, "plan": str(request.plan)})
        elif not (printer.quiet and opens_browser):  # there is no other way to the page
            print(url)
        sys.stdout.flush()

    def browse(url: str) -> None:
        if opens_browser:
            _open_browser(url)

    def tell_unsaved(count: int, are_kept: bool) -> None:
        sentence = _describe_unsaved(count, are_kept, request.plan)
        ended = sys.exception()
        if isinstance(ended, Ended):
            ended.message = f"automix: {sentence}"  # at once: the grace may be over soon
        elif count:
            printer.note(sentence)

    open_desk(
        request,
        port=port,
        cache=cache,
        opened=tell,
        browse=browse,
        warn=printer.warn,
        closing=tell_unsaved,
        guard=remove_when_ended,
    )


def _describe_unsaved(count: int, are_kept: bool, plan: Path | None) -> str:
    from automix.files.names import printable

    if not count:
        return "the desk is closed; everything is saved"
    name = shlex.quote(printable(plan or ""))
    edits, again = ("1 edit is", "it") if count == 1 else (f"{count} edits are", "them")
    if not are_kept:
        return f"{edits} not saved, and may be lost: nothing can be written beside {name}"
    return f"{edits} not saved; automix desk {name} offers {again} again"


def _has_display() -> bool:
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER")
    )


def _open_browser(url: str) -> None:
    import threading
    import webbrowser

    # Some browsers that run in the terminal come back only when they are closed.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
