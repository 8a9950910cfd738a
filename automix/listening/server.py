"""Serves the page of a test and takes results in. It knows no file but those of the page."""

import json
import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfileobj
from typing import Any
from urllib.parse import urlsplit

from automix.errors import InputError, OutputError, UsageError
from automix.files.names import printable
from automix.listening.key import AUDIO_FOLDER, PAGE_FOLDER, STATIC_FILES, TEST_FILE, Key, load_key
from automix.listening.results import MOST_BYTES, read_submission
from automix.listening.store import ResultStore

_PATIENCE_S = 30.0  # for a client that sends nothing
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
RESULTS_PATH = "/results"


class ListeningServer(ThreadingHTTPServer):
    """A server that listens from when it is made; `serve_forever` answers.

    Args:
        folder: Folder of the test.
        host: Address or name to listen at.
        port: Port to listen at; 0 takes any that is free.
        results: File of the results; made if it is not there.
        received: Called with the number of results after each new one, in the thread that took it.

    Raises:
        InputError: ``folder`` is no test, or a file of its page is missing.
        OutputError: The results cannot be written.
        UsageError: Nothing can listen there.
    """

    daemon_threads = True  # a client that is slow does not keep the program from ending
    request_queue_size = 128

    def __init__(
        self, folder: Path, *, host: str, port: int, results: Path, received: Callable[[int], None]
    ) -> None:
        self.key = load_key(folder)
        self.files = list_page_files(folder, self.key)
        self.store = ResultStore(results)
        self.received = received
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


def list_page_files(folder: Path, key: Key) -> dict[str, Path]:
    """Lists the files of the page by the path of their address: all that can ever be read.

    Raises:
        InputError: A file is missing, or is a link that leads elsewhere.
    """
    page = folder / PAGE_FOLDER
    names = [*STATIC_FILES, TEST_FILE, *(f"{AUDIO_FOLDER}/{name}.js" for name in key.audio)]
    files = {f"/{name}": page / name for name in names}
    inside = page.resolve()
    for path in files.values():
        if not path.is_file() or not path.resolve().is_relative_to(inside):
            raise InputError(f"{printable(path)}: is missing; make the test again")
    return {"/": files["/index.html"], **files}


class _Handler(BaseHTTPRequestHandler):
    server: ListeningServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "automix", ""
    timeout = _PATIENCE_S

    def do_GET(self) -> None:
        path = self.server.files.get(urlsplit(self.path).path)
        if path is None:
            self._answer(HTTPStatus.NOT_FOUND, "there is no such page")
            return
        try:
            file = path.open("rb")
        except OSError:
            self._answer(HTTPStatus.NOT_FOUND, "the page is gone")
            return
        with file:
            size = file.seek(0, 2)
            file.seek(0)
            is_audio = path.parent.name == AUDIO_FOLDER
            self._begin(
                HTTPStatus.OK,
                _TYPES[path.suffix],
                size,
                "private, max-age=86400, immutable" if is_audio else "no-cache",
            )
            if self.command != "HEAD":
                copyfileobj(file, self.wfile)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        if urlsplit(self.path).path != RESULTS_PATH:
            self._answer(HTTPStatus.NOT_FOUND, "results go to /results")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self._answer(HTTPStatus.LENGTH_REQUIRED, "say how long the result is")
        elif int(length) > MOST_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the result is too large")
        elif self.headers.get_content_type() != "application/json":
            self._answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON")
        else:
            self._take(self.rfile.read(int(length)), int(length))

    def _take(self, body: bytes, length: int) -> None:
        try:
            if len(body) < length:
                raise InputError("the result broke off")
            document = json.loads(body.decode("utf-8"))
            submission = read_submission(document, self.server.key)
            text = json.dumps(document, ensure_ascii=True, sort_keys=True)
            is_new = self.server.store.add(submission, self.server.key.test, text)
        except (ValueError, RecursionError):
            self._answer(HTTPStatus.BAD_REQUEST, "is not JSON")
        except InputError as error:
            self._answer(HTTPStatus.BAD_REQUEST, str(error))
        except OutputError as error:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "the result could not be kept")
            self.log_error("%s", error)
        else:
            if is_new:
                self.server.received(self.server.store.count())
            self._answer(HTTPStatus.OK, "kept", ok=True)

    def _answer(self, status: HTTPStatus, message: str, *, ok: bool = False) -> None:
        body = json.dumps({"ok": ok, "message": message}).encode()
        self.close_connection = not ok  # what is left of the request is not read
        self._begin(status, "application/json", len(body), "no-store")
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, size: int, caching: str) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(size),
            "Cache-Control": caching,
            **_HEADERS,
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
