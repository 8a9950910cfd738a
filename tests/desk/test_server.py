"""The desk's server over raw sockets: what it gives, to whom, and what it does not put up with."""

import contextlib
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from automix.desk import server as served
from automix.desk.actions import NotRenderedYet, RequestRefused
from automix.desk.events import Events
from automix.desk.server import MOST_BODY_BYTES, DeskServer
from automix.errors import OutputError, UsageError


class FakeActions:
    """Answers without a mix; remembers what was asked."""

    def __init__(self) -> None:
        self.events = Events()
        self.asked: list[dict[str, Any]] = []
        self.gate = threading.Event()
        self.looks = 0
        self.posts = {
            "edit": self.edit,
            "fail": self.fail,
            "save": self.save,
            "wait": self.wait,
            "undo": self.refuse,
            "quit": self.break_disk,
        }

    def state(self) -> dict[str, Any]:
        return {"revision": 1}

    def edit(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        return {"revision": 2}

    def fail(self, body: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("a defect")

    def save(self, body: dict[str, Any]) -> dict[str, Any]:
        raise RequestRefused("it changed", status=409, conflicts=[1])

    def refuse(self, body: dict[str, Any]) -> dict[str, Any]:
        raise UsageError("there is nothing to undo")

    def break_disk(self, body: dict[str, Any]) -> dict[str, Any]:
        raise OutputError("the disk is full")

    def wait(self, body: dict[str, Any]) -> dict[str, Any]:
        self.gate.wait(20)
        return {}

    def read_snapshot(self, name: str) -> dict[str, Any]:
        return {"name": name}

    def sound(self, chunk: int, keys: list[str]) -> bytes:
        self.looks += 1
        if "never" in keys or ("soon" in keys and not self.gate.is_set()):
            raise NotRenderedYet
        if "gone" in keys:
            raise RequestRefused("there is no such render", status=404)
        return b"".join(bytes([chunk]) * (4 * 65536) for _ in keys)

    def response(self, key: str) -> bytes:
        return b"1234" * 10

    def heard(self, key: str) -> dict[str, Any]:
        return {"lufs": None}


class Desk:
    """A server with fake actions, and what it warned of."""

    def __init__(self) -> None:
        self.actions = FakeActions()
        self.warnings: list[str] = []
        self.server = DeskServer(self.actions, port=0, warn=self.warnings.append)  # type: ignore[arg-type]
        self.server.start()
        self.host = self.server.url.split("/")[2]
        self.path = "/" + self.server.url.split("/", 3)[3]
        self.port = int(self.host.rpartition(":")[2])

    def close(self) -> None:
        self.actions.gate.set()
        self.server.stop()
        assert not self.server.is_running

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for exactly this path."""
        said = {"Host": self.host, "Connection": "close"}
        if body is not None:
            said |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
            said |= {"Origin": f"http://{self.host}"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in said.items() if v)]
        with self.connect() as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + (body or b""))
            return parse(read_all(connection))

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return self.ask("GET", self.path + path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, _, answer = self.ask("POST", self.path + path, data, **headers)
        return status, json.loads(answer)


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(1 << 16):
        data += piece
    return data


def read_rest(connection: socket.socket) -> bytes:
    """What comes until the connection is closed or cut off."""
    try:
        return read_all(connection)
    except ConnectionError:
        return b""


def parse(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


@pytest.fixture(scope="module")
def shared() -> Iterator[Desk]:
    with contextlib.closing(Desk()) as desk:
        yield desk


@pytest.fixture
def desk(shared: Desk) -> Desk:
    """A desk that other tests ask too."""
    shared.actions.asked.clear()
    shared.warnings.clear()
    return shared


@pytest.fixture
def own_desk() -> Iterator[Desk]:
    """A desk for one test alone."""
    with contextlib.closing(Desk()) as desk:
        yield desk


def test_the_address_is_this_computers_and_cannot_be_guessed(desk: Desk) -> None:
    token = desk.path.strip("/")
    assert desk.server.url == f"http://127.0.0.1:{desk.port}/{token}/"
    assert len(token) * 6 >= 128
    with pytest.raises(ConnectionRefusedError):  # of this computer too, it has one address only
        socket.create_connection(("127.0.0.2", desk.port), timeout=5)


def test_two_desks_have_two_tokens(desk: Desk) -> None:
    other = Desk()
    other.server.stop()
    assert other.path != desk.path


def test_it_gives_the_files_of_the_page_and_nothing_else(desk: Desk) -> None:
    names = [path.name for path in served.PAGE.iterdir() if path.suffix in (".html", ".css", ".js")]
    assert "index.html" in names
    for name in names:
        status, headers, body = desk.get(name)
        assert (status, body) == (200, (served.PAGE / name).read_bytes())
        assert headers["cache-control"] == "no-cache"
    assert desk.get("")[2] == (served.PAGE / "index.html").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "../server.py",
        "..%2fserver.py",
        "%2e%2e/server.py",
        "..%5cserver.py",
        "index.html%00.js",
        "index.html/",
        "/etc/passwd",
        "//etc/passwd",
        "./index.html",
        "page/index.html",
        "nothing",
        "sound/x?keys=a",
        "sound/-1?keys=a",
        "a" * 30000,
    ],
)
def test_no_path_leads_elsewhere(desk: Desk, path: str) -> None:
    status, _, body = desk.get(path)
    assert status == 404
    assert set(json.loads(body)) == {"message"}


def test_without_the_token_there_is_nothing(desk: Desk) -> None:
    below = desk.get("nothing")
    for path in ("/", "/state", f"{desk.path[:-2]}/state", f"{desk.path[:-1]}x/state", "/x/state"):
        status, headers, body = desk.ask("GET", path)
        assert (status, body) == (404, below[2])  # not even a hint that the token is wrong
        assert "location" not in headers
    assert desk.ask("POST", "/x/edit", b"{}")[0] == 404
    status, headers, _ = desk.ask("GET", desk.path.rstrip("/"))
    assert (status, headers["location"]) == (308, desk.path.lower())


def test_a_ticket_leads_to_the_page_once_and_soon(
    own_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _, ticket = own_desk.server.make_ticket().rpartition("/")
    assert address == f"http://{own_desk.host}"
    assert ticket not in own_desk.path
    assert own_desk.ask("GET", f"/{ticket}", Host="evil.example")[0] == 421
    assert own_desk.ask("POST", f"/{ticket}", b"{}")[0] == 404
    status, headers, _ = own_desk.ask("GET", f"/{ticket}")
    assert (status, headers["location"]) == (303, own_desk.path.lower())
    assert headers["cache-control"] == "no-store"
    assert own_desk.ask("GET", f"/{ticket}")[0] == 404
    assert own_desk.ask("GET", f"/{ticket}/state")[0] == 404
    monkeypatch.setattr(served, "_TICKET_S", 0.0)
    late = own_desk.server.make_ticket().rpartition("/")[2]
    assert own_desk.ask("GET", f"/{late}")[0] == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:PORT", 200),
        ("localhost:PORT", 200),
        ("LOCALHOST:PORT", 200),
        ("[::1]:PORT", 200),
        ("127.0.0.1", 421),
        ("127.0.0.1:1", 421),
        ("evil.example:PORT", 421),
        ("127.0.0.1.evil.example:PORT", 421),
        ("evil.example@127.0.0.1:PORT", 421),
        ("127.0.0.2:PORT", 421),
        ("", 400),
    ],
)
def test_only_its_own_names_are_answered(desk: Desk, host: str, status: int) -> None:
    host = host.replace("PORT", str(desk.port))
    assert desk.get("state", Host=host)[0] == status
    assert desk.ask("GET", "/", Host=host)[0] == (404 if status == 200 else status)


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({}, True),
        ({"Origin": "", "Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://evil.example", "Sec_Fetch_Site": "same-origin"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://[127.0.0.1"}, False),
    ],
)
def test_what_changes_or_tells_something_is_for_its_own_page(
    desk: Desk, headers: dict[str, str], is_own: bool
) -> None:
    status, _ = desk.post("edit", {"edits": []}, **headers)
    assert status == (200 if is_own else 403)
    assert len(desk.actions.asked) == is_own
    assert desk.ask("HEAD", f"{desk.path}events", **headers)[0] == (200 if is_own else 403)


def test_every_answer_carries_the_headers(desk: Desk) -> None:
    answers = [desk.get(path) for path in ("", "state", "nothing", "sound/0?keys=a", "heard/k")]
    answers += [desk.ask("GET", "/"), desk.get("state", Host="evil"), desk.ask("TRACE", "/")]
    answers += [desk.ask("POST", f"{desk.path}fail", b"{}"), desk.ask("G ET", "/")]
    for _, headers, _ in answers:
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "server" not in headers
        assert not any(name.startswith("access-control") for name in headers)
    assert answers[1][1]["cache-control"] == "no-store"
    assert "immutable" in answers[3][1]["cache-control"]


def test_bodies_are_bounded_and_json(desk: Desk) -> None:
    fits = json.dumps({"text": "x" * (MOST_BODY_BYTES - 20)}).encode()
    assert desk.post("edit", fits)[0] == 200
    assert desk.post("edit", fits + b" " * 30)[0] == 413
    assert desk.post("edit", b"", Content_Length="9" * 30)[0] in (400, 413)
    assert desk.post("edit", {}, Content_Type="text/plain")[0] == 415
    assert desk.post("edit", {}, Content_Type="application/x-www-form-urlencoded")[0] == 415
    assert desk.post("edit", {}, Content_Type="application/json; charset=utf-8")[0] == 200
    for body in (b"", b"{", b"[]", b"3", b"\xff\xfe", b"[" * 100000):
        assert desk.post("edit", body)[0] == 400
    assert len(desk.actions.asked) == 2


def test_a_body_without_a_length_is_bounded_too(desk: Desk) -> None:
    head = (
        f"POST {desk.path}edit HTTP/1.1\r\nHost: {desk.host}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with desk.connect() as connection:
        connection.sendall(head.encode())
        piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(20):
            connection.sendall(piece)
        connection.sendall(b"0\r\n\r\n")
        assert read_until(connection, b"}").startswith(b"HTTP/1.1 413")
    with desk.connect() as connection:
        connection.sendall(head.encode())
        with pytest.raises(ConnectionError):  # it is not listened to any more
            connection.sendall(piece * 1000)


def test_methods(desk: Desk) -> None:
    status, headers, body = desk.ask("HEAD", f"{desk.path}state")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) == len(desk.get("state")[2])
    assert desk.ask("DELETE", f"{desk.path}state", Origin=f"http://{desk.host}")[0] == 405
    assert desk.get("edit")[0] == 405
    assert desk.post("state", {})[0] == 405
    assert desk.ask("OPTIONS", f"{desk.path}edit")[0] == 405


def test_names_in_addresses_arrive_as_they_are(desk: Desk) -> None:
    assert json.loads(desk.get("snapshot/a%2Fb%20%C3%A4")[2]) == {"name": "a/b ä"}


def test_sound_is_streamed_with_its_length(desk: Desk) -> None:
    status, headers, body = desk.get("sound/3?keys=a,b")
    assert status == 200
    assert headers["content-type"] == "application/octet-stream"
    assert body == b"\x03" * (2 * 4 * 65536)
    assert desk.get("sound/0?keys=a,gone")[0] == 404


def test_sound_that_is_not_there_yet_is_waited_for(
    own_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    threading.Timer(0.3, own_desk.actions.gate.set).start()
    assert own_desk.get("sound/0?keys=soon")[0] == 200
    assert own_desk.actions.looks > 1
    monkeypatch.setattr(served, "_SOUND_S", 0.2)
    status, headers, body = own_desk.get("sound/0?keys=never")
    assert (status, headers["cache-control"]) == (503, "no-store")
    assert "not rendered yet" in json.loads(body)["message"]


def test_who_waits_for_sound_and_who_has_left_keep_nobody_from_it(own_desk: Desk) -> None:
    asked = f"GET {own_desk.path}sound/0?keys=never HTTP/1.1\r\nHost: {own_desk.host}\r\n\r\n"
    waiting = [own_desk.connect() for _ in range(40)]
    for connection in waiting:
        connection.sendall(asked.encode())
    started = time.monotonic()
    assert own_desk.get("sound/0?keys=a")[0] == 200
    assert time.monotonic() - started < 5
    for connection in waiting:
        connection.close()
    while True:  # nobody asks any more
        looks = own_desk.actions.looks
        time.sleep(0.3)
        if own_desk.actions.looks == looks:
            break
        assert time.monotonic() - started < 15


def test_errors_are_sentences(desk: Desk) -> None:
    assert desk.post("undo", {}) == (400, {"message": "there is nothing to undo"})
    assert desk.post("save", {}) == (409, {"message": "it changed", "conflicts": [1]})
    assert desk.post("quit", {}) == (500, {"message": "the disk is full"})
    assert desk.warnings == []


def test_a_defect_is_one_sentence_here_and_there(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    status, body = desk.post("fail", {})
    assert status == 500
    assert set(body) == {"message"}
    assert "defect" not in body["message"]
    (warning,) = desk.warnings
    assert warning == "the desk could not answer 'fail': RuntimeError: a defect"
    assert desk.get("state")[0] == 200
    assert capfd.readouterr() == ("", "")


def open_events(desk: Desk) -> socket.socket:
    connection = desk.connect()
    asked = f"GET {desk.path}events HTTP/1.1\r\nHost: {desk.host}\r\nConnection: close\r\n\r\n"
    connection.sendall(asked.encode())
    read_until(connection, b"retry: 1000\n\n")
    return connection


def read_until(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        piece = connection.recv(1 << 16)
        assert piece, data
        data += piece
    return data


def test_events_reach_all_pages_and_closing_ends_them(own_desk: Desk) -> None:
    pages = [open_events(own_desk) for _ in range(3)]
    own_desk.actions.events.send("plan", {"revision": 7})
    for page in pages:
        assert b'event: plan\ndata: {"revision": 7}\n\n' in read_until(page, b"}\n\n")
    started = time.monotonic()
    own_desk.server.stop()
    assert time.monotonic() - started < 1.0
    for page in pages:
        with page:
            assert b"event: closing\n" in read_all(page)


def test_events_have_a_heartbeat(own_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automix.desk.events._HEARTBEAT_S", 0.05)
    with open_events(own_desk) as page:
        read_until(page, b": still here\n\n")


def test_a_page_that_takes_nothing_is_dropped_and_the_others_are_not(own_desk: Desk) -> None:
    text = "x" * 100_000
    with open_events(own_desk) as slow, open_events(own_desk) as quick:
        got = 0
        for number in range(400):  # 40 MB; what the system keeps of it is far less
            own_desk.actions.events.send("plan", {"n": number, "text": text})
            got += len(read_until(quick, b'"}\n\n'))
        assert got > 400 * len(text)
        wait_for_listeners(own_desk, 1)
        data = read_all(slow)
        assert len(data) < 40_000_000


def wait_for_listeners(desk: Desk, count: int) -> None:
    for _ in range(1000):
        if len(desk.actions.events._listeners) == count:
            return
        time.sleep(0.01)
    raise AssertionError(desk.actions.events._listeners)


def test_pages_that_are_gone_are_forgotten(own_desk: Desk) -> None:
    pages = [open_events(own_desk) for _ in range(32)]
    assert own_desk.get("events")[0] == 503
    for page in pages:
        page.close()
    wait_for_listeners(own_desk, 0)
    open_events(own_desk).close()


def test_who_takes_ages_to_ask_is_cut_off(own_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "_REQUEST_S", 0.3)
    whole = f"POST {own_desk.path}edit HTTP/1.1\r\nHost: {own_desk.host}\r\n"
    body = f"{whole}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    for begun in ("", "GET / HT", whole, body):
        with own_desk.connect() as connection:
            connection.sendall(begun.encode())
            started = time.monotonic()
            try:
                while time.monotonic() - started < 10:
                    time.sleep(0.02)
                    connection.sendall(b"a" if begun != whole else b"a: b\r\n")
            except OSError:
                pass
            assert time.monotonic() - started < 5
    assert own_desk.actions.asked == []
    assert own_desk.get("state")[0] == 200


def test_who_takes_nothing_of_an_answer_is_cut_off(
    own_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_TAKING_S", 0.2)
    keys = ",".join("k" for _ in range(100))
    with own_desk.connect() as connection:
        asked = f"GET {own_desk.path}sound/0?keys={keys} HTTP/1.1\r\nHost: {own_desk.host}\r\n\r\n"
        connection.sendall(asked.encode())
        time.sleep(1.0)
        assert len(read_rest(connection)) < 100 * 4 * 65536


def test_connections_are_bounded_and_the_page_works_on(
    own_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_MOST_CONNECTIONS", 8)
    open_ones = [own_desk.connect() for _ in range(8)]
    for connection in open_ones:
        connection.sendall(
            f"GET {own_desk.path}state HTTP/1.1\r\nHost: {own_desk.host}\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    with own_desk.connect() as one_more:
        assert read_rest(one_more) == b""
    open_ones[0].close()
    for _ in range(200):
        try:
            if own_desk.get("state")[0] == 200:
                break
        except (OSError, ValueError, IndexError):
            time.sleep(0.02)
    else:
        raise AssertionError("it does not answer any more")
    for connection in open_ones:
        connection.close()


def test_work_that_waits_is_bounded(own_desk: Desk) -> None:
    waiting = []
    body = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    for _ in range(70):
        connection = own_desk.connect()
        asked = f"POST {own_desk.path}wait HTTP/1.1\r\nHost: {own_desk.host}\r\n{body}"
        connection.sendall(asked.encode())
        waiting.append(connection)
    first: list[socket.socket] = []
    while len(first) < 70 - 64:
        first, _, _ = select.select(waiting, [], [], 10)
        assert first
    assert len(first) == 70 - 64
    assert all(c.recv(100).startswith(b"HTTP/1.1 503") for c in first)
    own_desk.actions.gate.set()
    done = [c for c in waiting if c not in first]
    assert all(c.recv(100).startswith(b"HTTP/1.1 200") for c in done)
    for connection in waiting:
        connection.close()


def test_a_port_that_is_taken_is_refused_in_a_sentence(desk: Desk) -> None:
    with pytest.raises(UsageError, match=f"port {desk.port}: .*--port"):
        DeskServer(FakeActions(), port=desk.port, warn=print)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="port 99999"):
        DeskServer(FakeActions(), port=99999, warn=print)  # type: ignore[arg-type]
