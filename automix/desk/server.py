"""Serves the desk's page and what it asks for, to this computer alone.

Everything lies under a token in the address, which only who was told it knows. Requests that
another page sends, or that are meant for another host, are refused; what a client may send, keep
waiting for and not take is bounded. What is answered is the work of `automix.desk.actions`.
"""

import asyncio
import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import anyio.to_thread
import h11
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from automix.desk.actions import Actions, NotRenderedYet, RequestRefused
from automix.errors import AutomixError, UsageError
from automix.files.text import parse_json
from automix.listening.local_pages import (
    OWN_HOSTS,
    PAGE_HEADERS,
    PAGE_TYPES,
    is_from_another_page,
)

HOST = "127.0.0.1"
PAGE = Path(__file__).with_name("page")
MOST_BODY_BYTES = 1 << 20
_MOST_DRAINED_BYTES = 16 << 20  # of a body that is too large, so that the answer is heard
_MOST_HEAD_BYTES = 64 << 10  # addresses of sound name all tracks
_MOST_CONNECTIONS = 128
_MOST_SOUNDS = 6  # that are in memory until they are taken
_PIECE_BYTES = 1 << 18
_SOUND_S, _HEARING_S = 20.0, 60.0  # that a page waits for what is being rendered
_LOOK_S = 0.05
_REQUEST_S = 20.0  # within which a request has to come as a whole
_TAKING_S = 60.0  # within which a client has to take a piece of an answer
_IDLE_S = 75  # that a connection is kept without a request
_LEAVE_S = 0.3  # in which answers may come to their end when the desk closes
_TOKEN_BYTES = 24
_TICKET_S = 60.0  # in which a browser has to be there
_Result = TypeVar("_Result")


class DeskServer:
    """A server that listens from when it is made; `start` answers, until `stop`.

    Args:
        actions: What the page may ask for.
        port: Port to listen at; 0 takes any that is free.
        warn: Called with what the person at the terminal should know, in any thread.

    Raises:
        UsageError: Nothing can listen there.
    """

    def __init__(self, actions: Actions, *, port: int, warn: Callable[[str], None]) -> None:
        self._socket = _listen(port)
        self._port: int = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self.url = f"http://{HOST}:{self._port}/{token}/"
        self._actions = actions
        self._warn = warn
        application = make_application(actions)
        self._guard = Guard(application, token=token, port=self._port, warn=warn)
        config = Config(
            self._guard,
            http=_Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level=logging.CRITICAL + 1,  # what fails is told in one sentence, by `warn`
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=_MOST_HEAD_BYTES,
        )
        self._server = Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="desk server", daemon=True)
        self._is_up = threading.Event()

    def make_ticket(self) -> str:
        """An address that leads to the page once, and soon.

        It is for the command that opens a browser, which everybody on this computer can see.
        """
        return f"http://{HOST}:{self._port}/{self._guard.make_ticket()}"

    def start(self) -> None:
        """Begins to answer, in a thread of its own."""
        self._thread.start()
        self._is_up.wait()

    def stop(self) -> None:
        """Tells the pages that the desk closes, and ends within a second."""
        self._actions.events.close()
        self._server.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._loop.call_later, _LEAVE_S, self._cut_off)
            self._thread.join(timeout=2.0)
        self._socket.close()

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._is_up.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._report)
        self._actions.events.attach(self._loop)
        self._is_up.set()
        await self._server.serve(sockets=[self._socket])

    def _report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):  # a client that goes away is no error of ours
            self._warn(f"the desk's server: {error or context['message']}")

    def _cut_off(self) -> None:
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_MOST_CONNECTIONS)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"cannot listen at {HOST}, port {port}: {reason}; choose another --port (0 takes any"
            " that is free)"
        ) from error
    return listener


class _Connection(H11Protocol):
    """A connection that is cut off if it takes its time, and one too many at once."""

    _deadline: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()
        else:
            self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._judge()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.trailing_data[0]:  # of the next request; else the time of idling runs
            self._judge()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._taking):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking = self.loop.call_later(_TAKING_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._taking is not None:
            self._taking.cancel()

    def _judge(self) -> None:
        """Sets the time for a request that has begun to come, unless it runs already."""
        if self.conn.their_state in (h11.DONE, h11.MUST_CLOSE):
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = None
        elif self._deadline is None:
            self._wait_for_request()

    def _wait_for_request(self) -> None:
        self._deadline = self.loop.call_later(_REQUEST_S, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Answers what is no request, as everything else is answered."""
        body = _spell({"message": "cannot be understood"})
        headers = {
            **_all_headers(),
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        answer = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
        with suppress(h11.LocalProtocolError):  # an answer has begun: nothing can be said any more
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class Guard:
    """Lets only requests through that know the token and come from the desk's own page.

    Args:
        application: What answers them; it sees the path below the token.
        token: The token.
        port: Port of the server.
        warn: Told what fails.
    """

    def __init__(
        self, application: ASGIApp, *, token: str, port: int, warn: Callable[[str], None]
    ) -> None:
        self._application = application
        self._token = token
        self._tickets: dict[str, float] = {}
        self._warn = warn
        hosts = [f"[{name}]" if ":" in name else name for name in OWN_HOSTS]
        self._hosts = {f"{host}:{port}" for host in hosts}
        if port == 80:
            self._hosts |= set(hosts)  # browsers leave the port out

    def make_ticket(self) -> str:
        """What may stand in the place of the token once, and is answered with where to go."""
        ticket = secrets.token_urlsafe(_TOKEN_BYTES)
        self._tickets[ticket] = time.monotonic() + _TICKET_S
        return ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or refuses it."""
        if scope["type"] != "http":
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), v.encode()) for name, v in _all_headers().items()]
                given = {name for name, _ in message["headers"]}
                message["headers"] += [pair for pair in own if pair[0] not in given]
            await send(message)

        token, slash, rest = scope["path"].removeprefix("/").partition("/")
        below = {**scope, "path": f"/{rest}", "raw_path": quote(f"/{rest}").encode()}
        refusal = self._refuse(scope, token)
        if refusal is None and not slash:
            refusal = RedirectResponse(f"/{self._token}/", status_code=308)
        try:
            await (refusal or self._application)(below, receive, answer)
        except ClientDisconnect:
            return
        except Exception as error:
            path = below["path"].removeprefix("/")
            self._warn(f"the desk could not answer {path!r}: {type(error).__name__}: {error}")
            raise  # the connection is closed if an answer has begun

    def _refuse(self, scope: Scope, token: str) -> Response | None:
        """Why a request is refused, or where it has to go; none if it is neither."""
        request = Request(scope)
        said = request.headers
        host = said.get("host", "").lower()
        if host not in self._hosts:
            return _say(HTTPStatus.MISDIRECTED_REQUEST, "this is not the host that is asked for")
        if request.method == "GET" and self._tickets.pop(token, 0.0) > time.monotonic():
            return RedirectResponse(f"/{self._token}/", status_code=HTTPStatus.SEE_OTHER)
        if not secrets.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            return _say(HTTPStatus.NOT_FOUND, NO_SUCH_PAGE)
        is_read = request.method in ("GET", "HEAD") and not scope["path"].endswith("/events")
        site, origin = said.get("sec-fetch-site"), said.get("origin")
        if not is_read and (
            is_from_another_page(site, None, host) or is_from_another_page(None, origin, host)
        ):
            return _say(HTTPStatus.FORBIDDEN, "only the desk's own page may ask for this")
        return None


NO_SUCH_PAGE = "there is no such page"


def make_application(actions: Actions) -> Starlette:
    """Makes the application: the page's files, and a route for each thing that it may ask for.

    Args:
        actions: What the page may ask for.
    """
    quick, measuring = _Lane(8, most_waiting=64), _Lane(4, most_waiting=64)
    reading = _Lane(_MOST_SOUNDS, most_waiting=_MOST_CONNECTIONS)
    slots = anyio.Semaphore(_MOST_SOUNDS)

    def read(work: Callable[..., Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return _json(await quick.run(partial(work, *request.path_params.values())))

        return answer

    def post(work: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            body = await _read_body(request)
            return _json(await quick.run(partial(work, body)))

        return answer

    async def events(request: Request) -> Response:
        if actions.events.are_full:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages are open")
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return StreamingResponse(actions.events.listen(), media_type="text/event-stream")

    async def sound(request: Request) -> Response:
        keys = [key for key in request.query_params.get("keys", "").split(",") if key]
        work = partial(actions.sound, request.path_params["chunk"], keys)
        return await _wait_until_rendered(partial(give, work), request, _SOUND_S)

    async def response(request: Request) -> Response:
        return await give(partial(actions.response, request.path_params["key"]))

    async def heard(request: Request) -> Response:
        work = partial(measuring.run, partial(actions.heard, request.path_params["key"]))
        return _json(await _wait_until_rendered(work, request, _HEARING_S))

    async def loudness(request: Request) -> Response:
        return _json(await measuring.run(actions.measure))

    async def give(work: Callable[[], bytes]) -> Response:
        await slots.acquire()
        try:
            return _Sound(await reading.run(work), taken=slots.release)
        except BaseException:
            slots.release()
            raise

    def fail(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestRefused):
            return _json({**error.more, "message": str(error)}, error.status)
        if isinstance(error, AutomixError):
            is_asked = isinstance(error, UsageError)
            return _say(HTTPStatus.BAD_REQUEST if is_asked else HTTPStatus(500), str(error))
        if isinstance(error, HTTPException):
            known = error.status_code == HTTPStatus.NOT_FOUND
            message = NO_SUCH_PAGE if known else error.detail
            return _say(HTTPStatus(error.status_code), message, error.headers)
        return _say(HTTPStatus.INTERNAL_SERVER_ERROR, "the desk could not do this; see its window")

    routes = [
        *(Route(path, read_file) for path, read_file in _list_page_files()),
        Route("/state", read(actions.state)),
        Route("/events", events),
        Route("/loudness", loudness),
        Route("/snapshot/{name:path}", read(actions.read_snapshot), methods=["GET"]),
        Route("/sound/{chunk:int}", sound),
        Route("/response/{key}", response),
        Route("/heard/{key}", heard),
        *(Route(f"/{name}", post(work), methods=["POST"]) for name, work in actions.posts.items()),
    ]
    kinds: tuple[type[Exception], ...] = (HTTPException, AutomixError, Exception)
    application = Starlette(routes=routes, exception_handlers=dict.fromkeys(kinds, fail))
    application.router.redirect_slashes = False
    return application


def _list_page_files() -> Iterator[tuple[str, Callable[[Request], Any]]]:
    """The files of the page by the path of their address: all that can ever be read."""
    for path in sorted(PAGE.iterdir()):
        if path.suffix in PAGE_TYPES:
            yield f"/{path.name}", _give_file(path)
            if path.name == "index.html":
                yield "/", _give_file(path)


def _give_file(path: Path) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            body = path.read_bytes()
        except OSError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND) from error
        headers = {"Content-Type": PAGE_TYPES[path.suffix], "Cache-Control": "no-cache"}
        return Response(body, headers=headers)

    return answer


class _Lane:
    """Threads for work that blocks, of which only a bounded number waits."""

    def __init__(self, threads: int, *, most_waiting: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self._most_waiting = most_waiting
        self._waiting = 0

    async def run(self, work: Callable[[], _Result]) -> _Result:
        if self._waiting >= self._most_waiting:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "the desk is busy; try again")
        self._waiting += 1
        try:
            return await anyio.to_thread.run_sync(
                work, limiter=self._limiter, abandon_on_cancel=True
            )
        finally:
            self._waiting -= 1


async def _wait_until_rendered(
    work: Callable[[], Awaitable[_Result]], request: Request, patience_s: float
) -> _Result:
    """Tries again and again; nothing is held meanwhile, and who has gone is not waited for."""
    end = time.monotonic() + patience_s
    while True:
        try:
            return await work()
        except NotRenderedYet:
            if time.monotonic() > end or await request.is_disconnected():
                raise
        await asyncio.sleep(_LOOK_S)


async def _read_body(request: Request) -> dict[str, Any]:
    """The body of a request: a table in JSON, of a bounded size."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON")
    too_large = HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the request is too large", {"Connection": "close"}
    )
    if int(request.headers.get("content-length", 0)) > _MOST_DRAINED_BYTES:
        raise too_large
    body, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= MOST_BODY_BYTES:
            body += piece
        elif size > _MOST_DRAINED_BYTES:
            break
    if size > MOST_BODY_BYTES:
        raise too_large
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the request is not UTF-8") from error
    content = parse_json(text, "the request", refuse=UsageError)
    if not isinstance(content, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the request must be a table")
    return content


class _Sound(StreamingResponse):
    """Sound, given piece by piece as it is taken.

    Args:
        body: All of it.
        taken: Called when it is taken, or is not wanted any more.
    """

    def __init__(self, body: bytes, taken: Callable[[], None]) -> None:
        headers = {
            "Content-Length": str(len(body)),
            "Cache-Control": "private, max-age=31536000, immutable",  # a key names what it holds
        }
        super().__init__(_cut(body), headers=headers, media_type="application/octet-stream")
        self._taken = taken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Gives it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._taken()


async def _cut(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]


def _all_headers() -> dict[str, str]:
    return {**PAGE_HEADERS, "Cache-Control": "no-store"}


def _say(status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return _json({"message": message}, status, headers)


def _json(
    content: Any, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(_spell(content), status, headers, media_type="application/json")


def _spell(content: Any) -> bytes:
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
