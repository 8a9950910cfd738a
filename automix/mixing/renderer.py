"""The console that a request wants its plan rendered by."""

from collections.abc import Callable

from automix.consoles.exact import ExactConsole
from automix.mixing.request import SongRequest
from automix.session.tracks import Session

Renderer = Callable[[Session], ExactConsole]
"""Makes the console of a session."""


def open_renderer(request: SongRequest) -> Renderer | None:
    """What makes the console that renders; none for the exact one that methods listen through.

    Raises:
        PluginError: The folder lacks a plug-in.
        DeviceError: The network or the device cannot be used.
    """
    if request.console != "exact":
        from automix.consoles.neural import open_console

        return open_console(request.console, request.device)
    if request.plugins is None:
        return None
    from automix.consoles.plugin.console import PluginConsole, find_plugins

    found = find_plugins(request.plugins)
    skip_errors = request.on_plugin_error == "skip"
    return lambda session: PluginConsole(session, found, skip_errors=skip_errors)
