"""Serves the page of a test and takes results in. It knows no file but those of the page."""

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from automix.errors import InputError, OutputError, UsageError
from automix.files.names import printable
from automix.files.text import parse_json
from automix.listening.key import AUDIO_FOLDER, PAGE_FOLDER, STATIC_FILES, TEST_FILE, Key, load_key
from automix.listening.local_pages import (
    OWN_HOSTS,
    PAGE_HEADERS,
    PAGE_TYPES,
    is_from_another_page,
    split_address,
)
from automix.listening.results import MOST_BYTES, read_submission
from automix.listening.store import ResultStore

_PATIENCE_S = 30.0  # for a client that sends nothing
_REQUEST_S = 60.0  # for one that sends a request, in all
_ANSWER_S = 600.0  # for one that takes an answer, in all
_PIECE_BYTES = 1 << 16
RESULTS_PATH = "/results"


class ListeningServer(ThreadingHTTPServer):
    """A server that listens from when it is made; `serve_forever` answers.

    Args:
        folder: Folder of the test.
        host: Address or name to listen at.
        port: Port to listen at; 0 takes any that is free.
        results: File of the results; made if it is not there.
        received: Called with the number of results after each new one, in the thread that took it.
        warn: Called with what the person who serves should know, in any thread.

    Raises:
        InputError: ``folder`` is no test, or a file of its page is missing.
        OutputError: The results cannot be written.
        UsageError: Nothing can listen there.
    """

    daemon_threads = True  # a client that is slow does not keep the program from ending
    request_queue_size = 128

    def __init__(
        self,
        folder: Path,
        *,
        host: str,
        port: int,
        results: Path,
        received: Callable[[int], None],
        warn: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.key = load_key(folder)
        self.files = list_page_files(folder, self.key)
        self.store = ResultStore(results)
        self.received = received
        self.warn = warn
        self.host = host
        self._deadlines: dict[socket.socket, float] = {}
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            self.address_family = found[0]
            super().__init__((str(found[4][0]), port), _Handler)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"cannot listen at {host}, port {port}: {reason}; choose another --port (0 takes"
                " any that is free) or --host"
            ) from error

    def server_bind(self) -> None:
        """Binds without looking up the name of this computer, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def give_time(self, connection: socket.socket, seconds: float) -> None:
        """Sets the time from now after which a connection is cut off, whatever it is at."""
        self._deadlines[connection] = time.monotonic() + seconds

    def shutdown_request(self, request: Any) -> None:
        """Closes a connection."""
        self._deadlines.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cuts off connections whose time is up; `serve_forever` calls this again and again."""
        now = time.monotonic()
        for connection, deadline in list(self._deadlines.items()):
            if now > deadline:
                self._deadlines.pop(connection, None)
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def answers_to(self, host: str) -> bool:
        """Tells whether a request that was sent to ``host`` is meant for this server.

        A page that only this computer can reach has the names of this computer alone: another
        page may not come to it by a name of its own that leads here.
        """
        own = (self.host.lower(), *OWN_HOSTS)
        return not self.is_local or split_address(f"//{host}").hostname in own

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores errors of a connection: a client that goes away is no error of ours."""

    @property
    def url(self) -> str:
        """Address of the page."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    @property
    def is_local(self) -> bool:
        """Whether only this computer can reach the page."""
        host = str(self.server_address[0])
        return host == "::1" or host.startswith("127.")


@dataclass(frozen=True)
class PageFile:
    """A file of the page as it was when the server started.

    Attributes:
        path: The file.
        identity: Device and inode, by which another file under its name is told.
    """

    path: Path
    identity: tuple[int, int]

    def open(self) -> int | None:
        """Opens the file for reading; none if it is gone or another."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        status = os.fstat(descriptor)
        if (status.st_dev, status.st_ino) == self.identity:
            return descriptor
        os.close(descriptor)
        return None


def list_page_files(folder: Path, key: Key) -> dict[str, PageFile]:
    """Lists the files of the page by the path of their address: all that can ever be read.

    Raises:
        InputError: A file is missing, or is a link that leads elsewhere.
    """
    page = folder / PAGE_FOLDER
    names = [*STATIC_FILES, TEST_FILE, *(f"{AUDIO_FOLDER}/{name}.js" for name in key.audio)]
    inside = page.resolve()
    files = {}
    for name in names:
        path = page / name
        if not path.is_file() or not path.resolve().is_relative_to(inside):
            raise InputError(f"{printable(path)}: is missing; make the test again")
        status = path.stat()
        files[f"/{name}"] = PageFile(path, (status.st_dev, status.st_ino))
    return {"/": files["/index.html"], **files}


class _Handler(BaseHTTPRequestHandler):
    server: ListeningServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "automix", ""
    timeout = _PATIENCE_S

    def handle_one_request(self) -> None:
        """Handles a request, which has to come within a time."""
        self.server.give_time(self.connection, _REQUEST_S)
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Reads the head of a request, and refuses one that is not meant for this server."""
        if not super().parse_request():
            return False
        lengths = self.headers.get_all("Content-Length", [])
        has_body = self.command == "POST"
        if "Transfer-Encoding" in self.headers or len(lengths) > has_body:
            # Programs in between might read it in two ways, as one request or as several.
            self._answer(HTTPStatus.BAD_REQUEST, "say the length of the request once")
        elif not self.server.answers_to(self.headers.get("Host", "")):
            where = f"open this page as {self.server.url}"
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, where)
        elif has_body and self._is_foreign():
            self._answer(HTTPStatus.FORBIDDEN, "results are taken from the page of the test only")
        else:
            return True
        return False

    def _is_foreign(self) -> bool:
        """Whether a browser says that another page sent the request."""
        said = (self.headers.get(name) for name in ("Sec-Fetch-Site", "Origin", "Host"))
        return is_from_another_page(*said)

    def do_GET(self) -> None:
        page = self.server.files.get(split_address(self.path).path)
        if page is None:
            self._answer(HTTPStatus.NOT_FOUND, "there is no such page")
            return
        descriptor = page.open()
        if descriptor is None:
            self.server.warn(f"{printable(page.path)}: was replaced; serve the test anew")
            self._answer(HTTPStatus.NOT_FOUND, "the page is gone")
            return
        try:
            self._send_file(page.path, descriptor)
        finally:
            os.close(descriptor)

    do_HEAD = do_GET

    def _send_file(self, path: Path, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        is_audio = path.parent.name == AUDIO_FOLDER
        caching = "private, max-age=86400, immutable" if is_audio else "no-cache"
        self._begin(HTTPStatus.OK, PAGE_TYPES[path.suffix], size, caching)
        sent = 0
        while self.command != "HEAD" and sent < size:
            piece = os.pread(descriptor, min(_PIECE_BYTES, size - sent), sent)
            if not piece:  # the file was cut off
                self.close_connection = True
                return
            self.wfile.write(piece)
            sent += len(piece)

    def do_POST(self) -> None:
        if split_address(self.path).path != RESULTS_PATH:
            self._answer(HTTPStatus.NOT_FOUND, "results go to /results")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self._answer(HTTPStatus.LENGTH_REQUIRED, "say how long the result is")
        elif len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the result is too large")
        elif self.headers.get_content_type() != "application/json":
            self._answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON")
        else:
            self._take(self.rfile.read(int(length)), int(length))

    def _take(self, body: bytes, length: int) -> None:
        try:
            if len(body) < length:
                raise InputError("the result broke off")
            document = parse_json(body.decode("utf-8"), "the result")
            submission = read_submission(document, self.server.key)
            text = json.dumps(document, ensure_ascii=True, sort_keys=True)
            is_new = self.server.store.add(submission, self.server.key.test, text)
        except UnicodeDecodeError:
            self._answer(HTTPStatus.BAD_REQUEST, "is not JSON in UTF-8")
        except InputError as error:
            self._answer(HTTPStatus.BAD_REQUEST, str(error))
        except OutputError as error:
            self.server.warn(f"a result could not be kept: {error}")
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "the result could not be kept")
        else:
            if is_new:
                self._tell()
            self._answer(HTTPStatus.OK, "kept", ok=True)

    def _tell(self) -> None:
        try:
            self.server.received(self.server.store.count())
        except OutputError as error:
            self.server.warn(str(error))

    def _answer(self, status: HTTPStatus, message: str, *, ok: bool = False) -> None:
        body = json.dumps({"ok": ok, "message": message}).encode()
        self.close_connection = not ok  # what is left of the request is not read
        self._begin(status, "application/json", len(body), "no-store")
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, size: int, caching: str) -> None:
        self.server.give_time(self.connection, _ANSWER_S)
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(size),
            "Cache-Control": caching,
            **PAGE_HEADERS,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers requests that cannot be understood."""
        self.close_connection = True
        self._answer(HTTPStatus(code), message or "cannot be understood")

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing: only the command line prints."""
