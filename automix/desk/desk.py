"""Opens a plan as a desk in the browser, and keeps it open until it is quit."""

import os
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from automix.desk.actions import Actions
from automix.desk.document import Document
from automix.desk.server import DeskServer
from automix.errors import PlanError, UsageError
from automix.files.extensions import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS
from automix.files.names import printable
from automix.inputs import keep_inputs
from automix.mixing.request import PlanRequest
from automix.mixing.song import Guard, unguarded

if TYPE_CHECKING:
    from os import PathLike

_LOOK_S = 1.0  # between two looks at the plan's file


def open_desk(
    plan: "str | PathLike[str] | PlanRequest",
    *,
    port: int = 0,
    cache: "str | PathLike[str] | None" = None,
    opened: Callable[[str], None] = lambda url: None,
    browse: Callable[[str], object] = lambda url: None,
    warn: Callable[[str], None] = lambda sentence: None,
    closing: Callable[[int, bool], None] = lambda unsaved, are_kept: None,
    guard: Guard = unguarded,
) -> None:
    """Opens a plan as a mixing desk in the browser, on this computer alone, until it is quit.

    Returns when the page asks for the end; Ctrl-C ends it too, as a `KeyboardInterrupt`. Nothing is
    lost either way: edits that are not saved stay beside the plan, and are offered again.

    Args:
        plan: File of the plan, or a `PlanRequest`, which says also how strictly its files are read.
        port: Port to listen at; 0 takes any that is free.
        cache: Folder in which rendered tracks are kept for the next time; ``automix/desk`` in the
            user's folder of caches unless given.
        opened: Called with the address of the page once it can be opened. Who knows the address
            can use the desk.
        browse: Opens a browser then, such as `webbrowser.open`. It gets another address, which can
            be opened once only: others on this computer see what a browser is started with.
        warn: Called with what the person at the terminal should know, in any thread.
        closing: Called when the desk begins to close, with the number of edits that are not saved,
            and whether they are kept beside the plan.
        guard: Given what removes an unfinished mix, makes a context in which that is called if a
            signal ends the program.

    Raises:
        AutomixError: The plan or a file of it cannot be used, it is open on another desk, or the
            port is taken; the message says why.

    Example:
        >>> automix.open_desk("mix.toml", browse=webbrowser.open)  # doctest: +SKIP
    """
    request = plan if isinstance(plan, PlanRequest) else PlanRequest(plan=Path(plan))
    if request.plan is None:
        raise UsageError("name the file of the plan")
    _check_is_plan(request.plan)
    with keep_inputs():
        document = Document.open(request.plan)
        try:
            actions = Actions(
                replace(request, plan=None),
                document,
                cache=None if cache is None else Path(cache),
                guard=guard,
            )
        except BaseException:
            document.close()
            raise
        try:
            server = DeskServer(actions, port=port, warn=warn)
            for warning in actions.list_warnings():
                warn(warning)
            server.start()
            try:
                opened(server.url)
                browse(server.make_ticket())
                while server.is_running and not actions.has_quit.wait(_LOOK_S):
                    actions.watch()
            finally:
                closing(document.unsaved_edits, document.keep_edits())
                server.stop()
        finally:
            actions.close()


def _check_is_plan(path: Path) -> None:
    """Refuses what is no plan, with what can be done instead.

    Raises:
        UsageError: It is a folder or an audio file.
        PlanError: It is not there.
    """
    name, quoted = printable(path), shlex.quote(printable(path))
    if path.is_dir():
        raise UsageError(
            f"{name}: is a folder, and the desk opens a plan; mix it first: automix stems"
            f" {quoted} --desk"
        )
    if path.suffix.lower() in AUDIO_EXTENSIONS | VIDEO_EXTENSIONS:
        beside = path.with_suffix(".toml")
        remedy = f"automix stems {shlex.quote(printable(path.parent))} --desk mixes its folder"
        if beside.is_file():
            remedy = f"its plan is beside it: automix desk {shlex.quote(printable(beside))}"
        raise UsageError(f"{name}: is audio, and the desk opens a plan; {remedy}")
    if not os.path.lexists(path):
        raise PlanError(
            f"{name}: no such file; a mix writes its plan beside it: automix stems FOLDER --desk"
        )
