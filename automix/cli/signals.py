"""What Ctrl-C, SIGTERM and SIGHUP do: end the program within a second, with nothing left behind."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

GRACE_S = 0.6
SAME_S = 0.1
"""A signal to a group of processes comes again from the parent, which ends its workers."""

_unfinished: list[Callable[[], object]] = []
_first: list[tuple[float, "Ended"]] = []


class Ended(BaseException):
    """A signal asked the program to end; unwinding removes what is unfinished."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
        cause = "interrupted" if number == signal.SIGINT else signal.Signals(number).name
        self.message = f"automix: {cause}: nothing unfinished was kept; run it again"


def handle_signals() -> None:
    """From now on, signals raise `Ended`; those that the caller ignores, as nohup does, do not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


@contextlib.contextmanager
def remove_when_ended(remove: Callable[[], object]) -> Iterator[None]:
    """Has ``remove`` called if a signal ends the program while the context is open."""
    _unfinished.append(remove)
    try:
        yield
    finally:
        _unfinished.remove(remove)


def _end(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if _first:
        first_time, ended = _first[0]
        if now - first_time > SAME_S:  # asked twice
            _leave(ended)
        return
    ended = Ended(number)
    _first.append((now, ended))
    threading.Thread(target=_leave_after_grace, args=(ended,), daemon=True).start()
    raise ended


def _leave_after_grace(ended: Ended) -> NoReturn:
    """Unwinding may have to wait for threads that read long files: this does not."""
    time.sleep(GRACE_S)
    _leave(ended)


def _leave(ended: Ended) -> NoReturn:
    for remove in reversed(_unfinished):  # a folder goes after what is in it
        with contextlib.suppress(Exception):
            remove()
    show_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
    with contextlib.suppress(OSError):
        os.write(2, f"{show_cursor}{ended.message}\n".encode())
    os._exit(ended.exit_code)
