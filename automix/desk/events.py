"""What the pages that look at the desk are told: every change, to all of them, as it happens."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

_HEARTBEAT_S = 10.0  # by which either side notices that the other is gone
_MOST_LISTENERS = 32
_MOST_WAITING = 512  # events that one page has not taken
_MOST_WAITING_BYTES = 16 << 20
_HELLO = b"retry: 1000\n\n"
_HEARTBEAT = b": still here\n\n"


class Events:
    """Sends events from any thread to the pages that listen, as server-sent events.

    A page that does not take its events is dropped: it connects again and asks for the state.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: set[_Listener] = set()
        self._is_closed = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the event loop in which the pages are served."""
        self._loop = loop

    def send(self, name: str, data: Any) -> None:
        """Sends an event to all pages; may be called in any thread, and does not wait.

        Args:
            name: Name of the event, such as ``plan``.
            data: What JSON has words for.
        """
        text = f"event: {name}\ndata: {json.dumps(data, allow_nan=False)}\n\n"
        self._call(self._deliver, text.encode())

    def close(self) -> None:
        """Tells the pages that the desk closes, and ends their streams."""
        self.send("closing", {})
        self._call(self._end)

    @property
    def are_full(self) -> bool:
        """Whether as many pages listen as may."""
        return len(self._listeners) >= _MOST_LISTENERS

    async def listen(self) -> AsyncIterator[bytes]:
        """Yields the stream of one page, until it is dropped or the desk closes."""
        listener = _Listener()
        if self._is_closed:
            return
        self._listeners.add(listener)
        try:
            yield _HELLO
            while (piece := await listener.take()) is not None:
                yield piece
        finally:
            self._listeners.discard(listener)

    def _call(self, work: Callable[..., None], *given: bytes) -> None:
        """Has something done in the event loop, unless nothing is served yet or any more."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it is closed, perhaps just now
                self._loop.call_soon_threadsafe(work, *given)

    def _deliver(self, event: bytes) -> None:
        for listener in list(self._listeners):
            listener.put(event)
            if listener.has_ended:
                self._listeners.discard(listener)

    def _end(self) -> None:
        self._is_closed = True
        for listener in self._listeners:
            listener.end()


class _Listener:
    """Events that wait for one page."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self.has_ended = False
        self._came = asyncio.Event()

    def put(self, event: bytes) -> None:
        self._waiting.append(event)
        self._bytes += len(event)
        if len(self._waiting) > _MOST_WAITING or self._bytes > _MOST_WAITING_BYTES:
            self._waiting.clear()
            self.end()
        self._came.set()

    def end(self) -> None:
        self.has_ended = True
        self._came.set()

    async def take(self) -> bytes | None:
        """The next event, or a heartbeat if none comes; none once the stream has ended."""
        if not self._waiting and not self.has_ended:
            self._came.clear()
            try:
                await asyncio.wait_for(self._came.wait(), _HEARTBEAT_S)
            except TimeoutError:
                return _HEARTBEAT
        if not self._waiting:
            return None
        event = self._waiting.popleft()
        self._bytes -= len(event)
        return event
