"""The server: what it gives, what it refuses, and that it loses nothing."""

import contextlib
import http.client
import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from automix.errors import InputError, OutputError, UsageError
from automix.listening.key import Key, load_key
from automix.listening.results import MOST_BYTES
from automix.listening.server import ListeningServer
from automix.listening.store import ResultStore, read_documents
from tests.listening.listening_tests import make, post, result, served, write_mixes

PARTICIPANTS = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    make(write_mixes(folder / "mixes"), folder / "test", duration_s=0.6)
    return folder / "test"


@pytest.fixture
def key(folder: Path) -> Key:
    return load_key(folder)


@pytest.fixture
def server(folder: Path, tmp_path: Path) -> Iterator[ListeningServer]:
    with served(folder, tmp_path / "results.sqlite") as server:
        yield server


def get(
    server: ListeningServer, path: str, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and body for the path as it is: no client in between tidies it."""
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=30)
    with contextlib.closing(connection):
        connection.putrequest(method, path)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


def test_it_listens_to_this_computer_only_unless_told_otherwise(server: ListeningServer) -> None:
    assert server.is_local
    assert server.url == f"http://127.0.0.1:{server.server_address[1]}/"


def test_it_gives_the_whole_page_and_nothing_else(server: ListeningServer, folder: Path) -> None:
    page = folder / "page"
    files = [path for path in page.rglob("*") if path.is_file()]
    for path in files:
        status, _, body = get(server, f"/{path.relative_to(page)}")
        assert (status, body) == (200, path.read_bytes())
    assert get(server, "/?participant=p1")[2] == (page / "index.html").read_bytes()
    assert len(files) == 6 + 8


@pytest.mark.parametrize(
    "path",
    [
        "/key.json",
        "/../key.json",
        "/page/../../key.json",
        "/audio/../../key.json",
        "/%2e%2e/key.json",
        "/..%2fkey.json",
        "/audio/..%5c..%5ckey.json",
        "//key.json",
        "/results.sqlite",
        "/results",
        "/audio/",
        "/audio/nothing.js",
        "/index.html/",
        "/index.html%00.js",
        "http://elsewhere/../key.json",
        "/etc/passwd",
        "//etc/passwd",
        "/" + "a" * 60000,
    ],
)
def test_no_path_leads_out_of_the_page(server: ListeningServer, path: str) -> None:
    status, _, body = get(server, path)
    assert status in (404, 414, 421)
    assert set(json.loads(body)) == {"ok", "message"}


def test_answers_carry_the_security_headers(server: ListeningServer) -> None:
    for path, status in (("/", 200), ("/nothing", 404)):
        answered, headers, _ = get(server, path)
        assert answered == status
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Python" not in headers["Server"]
    assert get(server, "/", "HEAD")[2] == b""
    assert get(server, "/", "DELETE")[0] == 501


def test_twenty_participants_at_once_lose_nothing(
    server: ListeningServer, key: Key, tmp_path: Path
) -> None:
    together = threading.Barrier(PARTICIPANTS)

    def take_part(number: int) -> int:
        body = encoded(result(key, number))
        together.wait()
        return post(server.url, body)[0]

    with ThreadPoolExecutor(PARTICIPANTS) as pool:
        assert list(pool.map(take_part, range(PARTICIPANTS))) == [200] * PARTICIPANTS
    kept = sorted(
        map(json.loads, read_documents(server.store.path)), key=lambda d: d["participant"]
    )
    assert kept == [result(key, number) for number in range(PARTICIPANTS)]


def test_a_result_that_is_sent_again_counts_once(server: ListeningServer, key: Key) -> None:
    body = encoded(result(key, 1))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(server.url, body)[0], range(8)))
    assert answers == [200] * 8
    assert server.store.count() == 1
    status, answer = post(server.url, encoded(result(key, 2, submission="submission-1")))
    assert (status, answer["ok"]) == (400, False)
    assert server.store.count() == 1


def changed(key: Key, change: str) -> object:
    document = result(key, 3)
    passage = document["passages"][0]
    stimulus = passage["stimuli"][0]
    match change:
        case "a list":
            return [document]
        case "another test":
            document["test"] = "0" * 16
        case "a path for a name":
            document["participant"] = "../../etc/passwd"
        case "a field more":
            document["admin"] = True
        case "a field less":
            del document["finished"]
        case "no time":
            document["started"] = "yesterday"
        case "too high":
            stimulus["rating"] = 1.001
        case "not a number":
            stimulus["rating"] = float("nan")
        case "true":
            stimulus["rating"] = True
        case "a text":
            stimulus["rating"] = "0.5"
        case "one stimulus twice":
            passage["stimuli"][1] = stimulus
        case "a stimulus less":
            passage["stimuli"].pop()
        case "a passage twice":
            document["passages"][1] = passage
        case "no passage":
            document["passages"] = []
        case "an unhashable name":
            passage["passage"] = {"a": 1}
        case "an aspect":
            stimulus["aspects"] = {"level": 0.5}
        case "not among the choices":
            document["answers"]["age"] = "1000"
        case "not answered":
            del document["answers"]["age"]
        case "a long answer":
            document["answers"]["remarks"] = "a" * 4001
        case "an answer unasked":
            document["answers"]["income"] = "much"
    return document


CHANGES = [
    "a list", "another test", "a path for a name", "a field more", "a field less", "no time",
    "too high", "not a number", "true", "a text", "one stimulus twice", "a stimulus less",
    "a passage twice", "no passage", "an unhashable name", "an aspect", "not among the choices",
    "not answered", "a long answer", "an answer unasked",
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_result_is_refused(server: ListeningServer, key: Key, change: str) -> None:
    document = changed(key, change)
    assert document != result(key, 3)
    status, answer = post(server.url, encoded(document))
    assert (status, answer["ok"]) == (400, False)
    assert answer["message"]
    assert server.store.count() == 0


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100000, "application/json", 400),
        (b'{"a": 1' + b"0" * 5000 + b"}", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
    ],
)
def test_bodies_that_are_no_json_are_refused(
    server: ListeningServer, body: bytes, kind: str, status: int
) -> None:
    assert post(server.url, body, kind)[0] == status
    assert server.store.count() == 0


def test_a_body_too_large_is_refused_before_it_is_read(server: ListeningServer) -> None:
    for length, status in ((MOST_BYTES + 1, 413), (10**30, 413), ("-1", 411), ("x", 411)):
        with socket.create_connection(server.server_address[:2], timeout=30) as client:
            head = "POST /results HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            client.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
            assert f" {status} ".encode() in client.recv(100)


def test_clients_that_stop_halfway_keep_nobody_waiting(server: ListeningServer, key: Key) -> None:
    idle = [socket.create_connection(server.server_address[:2]) for _ in range(50)]
    for client in idle[:25]:
        client.sendall(b"POST /results HTTP/1.1\r\nContent-Length: 100\r\n")
    assert post(server.url, encoded(result(key)))[0] == 200
    for client in idle:
        client.close()


def send(server: ListeningServer, text: str) -> str:
    """What the server answers to a request as it is."""
    with socket.create_connection(server.server_address[:2], timeout=30) as client:
        client.sendall(text.encode())
        return client.makefile("rb").readline().decode()


def request(body: str = "", **headers: str) -> str:
    head = {
        "Host": "127.0.0.1:8000",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if value)
    return f"POST /results HTTP/1.1\r\n{lines}Connection: close\r\n\r\n{body}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "LOCALHOST"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Host": "evil.example:8000"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "evil.example@127.0.0.1.x"}, 421),
        ({"Host": "[127.0.0.1"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://127.0.0.1:8000"}, 200),
        ({"Origin": "https://proxy.example", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:9000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[127.0.0.1"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Origin": "http://127.0.0.1:8000", "Sec_Fetch_Site": "same-site"}, 403),
        ({"Transfer_Encoding": "chunked"}, 400),
        ({"Transfer_Encoding": "identity", "Content_Length": ""}, 400),
        ({"Content_Length": "5\r\nContent-Length: 6"}, 400),
        ({"Content_Length": "9" * 5000}, 413),
        ({"Content_Length": "+5"}, 411),
    ],
)
def test_only_the_page_of_the_test_sends_results_and_in_one_reading(
    server: ListeningServer, key: Key, headers: dict[str, str], status: int
) -> None:
    body = json.dumps(result(key))
    assert f" {status} " in send(server, request(body, **headers))
    assert server.store.count() == (status == 200)


def test_a_page_that_only_this_computer_can_reach_has_no_other_name(
    server: ListeningServer,
) -> None:
    for host, status in (("127.0.0.1", 200), ("localhost:1", 200), ("evil.example", 421)):
        assert f" {status} " in send(server, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
    body = "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nGET /"
    assert " 400 " in send(server, body)
    assert " 404 " in send(server, "GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n")


@pytest.mark.slow
def test_slow_connections_are_cut_off(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automix.listening.server._REQUEST_S", 0.5)
    monkeypatch.setattr("automix.listening.server._ANSWER_S", 0.5)
    with served(folder, tmp_path / "results.sqlite") as server:
        address = server.server_address[:2]
        for start in (b"", b"POST /results HTTP/1.1\r\nX: ", request("{" + 1000 * " ").encode()):
            with socket.create_connection(address, timeout=10) as client:
                client.sendall(start[:-900] if len(start) > 900 else start)
                began = time.monotonic()
                with contextlib.suppress(OSError):
                    while time.monotonic() - began < 10:
                        client.sendall(b" ")  # never silent for long
                        client.settimeout(0.1)
                        with contextlib.suppress(TimeoutError):
                            if not client.recv(1000):
                                break
                assert time.monotonic() - began < 5
        audio = next(path for path in server.files if path.startswith("/audio/"))
        with socket.socket() as client:  # one that takes nothing of what it is sent
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(address)
            client.settimeout(10)
            asked = f"GET {audio} HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200
            with contextlib.suppress(OSError):
                client.sendall(asked.encode())
            deadline = time.monotonic() + 5
            while server._deadlines and time.monotonic() < deadline:
                time.sleep(0.05)
            assert not server._deadlines
        assert post(server.url, encoded(result(load_key(folder))))[0] == 200


def test_half_a_character_in_a_remark_is_kept_as_text(server: ListeningServer, key: Key) -> None:
    document = result(key)
    document["answers"]["remarks"] = "good \ud83d"
    assert post(server.url, encoded(document))[0] == 200
    (kept,) = read_documents(server.store.path)
    assert json.loads(kept)["answers"]["remarks"] == "good \\ud83d"


def test_pages_that_were_replaced_after_the_start_are_not_served(tmp_path: Path) -> None:
    make(write_mixes(tmp_path / "mixes", passages=1), tmp_path / "test", duration_s=0.6)
    page, secret = tmp_path / "test" / "page", tmp_path / "secret.js"
    secret.write_text("secret")
    warnings: list[str] = []
    with served(tmp_path / "test", warn=warnings.append) as server:
        assert get(server, "/page.js")[0] == 200
        (page / "page.js").unlink()
        (page / "page.js").symlink_to(secret)
        (page / "page.css").unlink()
        os.link(secret, page / "page.css")
        (page / "player.js").unlink()
        os.mkfifo(page / "player.js")
        (page / "audio").rename(page / "old")
        (page / "audio").symlink_to(tmp_path)
        audio = next(path for path in server.files if path.startswith("/audio/"))
        (tmp_path / audio.rpartition("/")[2]).write_text("secret")
        for path in ("/page.js", "/page.css", "/player.js", audio):
            status, _, body = get(server, path)
            assert (status, b"secret" in body) == (404, False)
        assert len(warnings) == 4
        assert "page.js: was replaced; serve the test anew" in warnings[0]
        assert get(server, "/")[0] == 200


def test_the_key_and_the_results_are_for_their_owner_alone(tmp_path: Path) -> None:
    make(write_mixes(tmp_path / "mixes", passages=1), tmp_path / "test", duration_s=0.6)
    with served(tmp_path / "test") as server:
        assert post(server.url, encoded(result(load_key(tmp_path / "test"))))[0] == 200
        private = [tmp_path / "test" / "key.json", *(tmp_path / "test").glob("results.sqlite*")]
        assert len(private) >= 2
        assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert (tmp_path / "test" / "page" / "index.html").stat().st_mode & 0o004


def test_results_survive_a_new_server(folder: Path, key: Key, tmp_path: Path) -> None:
    for number in range(2):
        with served(folder, tmp_path / "results.sqlite") as server:
            assert post(server.url, encoded(result(key, number)))[0] == 200
    assert len(read_documents(tmp_path / "results.sqlite")) == 2


def test_a_full_disk_is_told_to_the_page_and_to_who_serves_it(
    folder: Path, key: Key, tmp_path: Path
) -> None:
    warnings: list[str] = []
    with served(folder, tmp_path / "results.sqlite", warn=warnings.append) as server:
        with sqlite3.connect(server.store.path) as connection:
            connection.execute("ALTER TABLE submissions RENAME TO elsewhere")
        connection.close()
        assert post(server.url, encoded(result(key)))[0] == 503
    assert len(warnings) == 1
    assert "a result could not be kept: " in warnings[0]
    assert "results.sqlite" in warnings[0]


def test_what_cannot_be_served_is_named(folder: Path, tmp_path: Path) -> None:
    def serve(test: Path, results: Path, **changes: object) -> None:
        options = {"host": "127.0.0.1", "port": 0, "received": lambda count: None, **changes}
        ListeningServer(test, results=results, **options)

    with pytest.raises(InputError, match="is not a listening test"):
        serve(tmp_path, tmp_path / "results.sqlite")
    with pytest.raises(OutputError, match=r"results\.sqlite"):
        serve(folder, tmp_path / "nowhere" / "results.sqlite")
    (tmp_path / "text.sqlite").write_text("not a database, but long enough to be read as one" * 9)
    with pytest.raises(OutputError, match=r"text\.sqlite"):
        serve(folder, tmp_path / "text.sqlite")
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UsageError, match="choose another --port"),
    ):
        serve(folder, tmp_path / "r.sqlite", port=taken.getsockname()[1])
    with pytest.raises(UsageError, match="cannot listen at no such host"):
        serve(folder, tmp_path / "r.sqlite", host="no such host")


def test_a_damaged_test_is_named(folder: Path, tmp_path: Path) -> None:
    make(write_mixes(tmp_path / "mixes", passages=1), tmp_path / "test", duration_s=0.6)
    audio = next((tmp_path / "test" / "page" / "audio").iterdir())
    audio.unlink()
    audio.symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="is missing; make the test again"):
        ListeningServer(
            tmp_path / "test",
            host="127.0.0.1",
            port=0,
            results=tmp_path / "r.sqlite",
            received=lambda count: None,
        )
    for text in ("", "{", "[]", '{"format": 1}', '{"format": 2}'):
        (tmp_path / "test" / "key.json").write_text(text)
        with pytest.raises(InputError, match=r"key\.json"):
            load_key(tmp_path / "test")


def test_reading_results_changes_nothing(tmp_path: Path) -> None:
    store = ResultStore(tmp_path / "results?#%.sqlite")
    assert store.count() == 0
    before = store.path.read_bytes()
    assert read_documents(store.path) == []
    assert store.path.read_bytes() == before
