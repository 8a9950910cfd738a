"""`automix desk` as a program: what it prints, saves and renders, how it ends, what it refuses."""

import contextlib
import http.client
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import automix
from automix.plan.address import change_setting
from automix.plan.model import read_plan
from automix.plan.toml import dumps
from tests.cli.conftest import ROOT, Song

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def mixed(song: Song, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a mix, its plan and its files, not to be changed."""
    folder = tmp_path_factory.mktemp("mixed")
    shutil.copy(song.vocal, folder / "vox.wav")
    shutil.copy(song.beat, folder / "beat.wav")
    command = [sys.executable, "-m", "automix", "vocal", "vox.wav", "beat.wav", "-q"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=120)
    return folder


@pytest.fixture
def plan(mixed: Path, tmp_path: Path) -> Path:
    for path in mixed.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path / "mix.toml"


class Page:
    """What a page does, without a browser."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        self.process = process
        self.url = process.stdout.readline().decode().strip()
        assert self.url.startswith("http://127.0.0.1:"), process.communicate(timeout=20)
        _, _, self.host, token, _ = self.url.split("/")
        self.path = f"/{token}/"
        self.listeners: list[Listener] = []

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.host, timeout=60)
        headers = {} if body is None else {"Content-Type": "application/json"}
        headers["Origin"] = f"http://{self.host}"
        data = None if body is None else json.dumps(body)
        connection.request(method, self.path + path, data, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        is_json = answer.headers["Content-Type"] == "application/json"
        return answer.status, json.loads(content) if is_json else content

    def get(self, path: str) -> Any:
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def post(self, path: str, **body: Any) -> Any:
        status, answer = self.ask("POST", path, body)
        assert status == 200, answer
        return answer

    def edit(self, owner: str, setting: str, value: Any, gesture: str = "") -> Any:
        edits = [{"owner": owner, "setting": setting, "value": value}]
        return self.post("edit", tab="t", number=1, gesture=gesture, label="", edits=edits)

    def quit(self, *, save: bool) -> tuple[bytes, bytes]:
        self.post("quit", save=save)
        output = self.process.communicate(timeout=20)
        assert self.process.returncode == 0
        return output

    def listen(self) -> "Listener":
        self.listeners.append(Listener(self))
        return self.listeners[-1]

    def close(self) -> None:
        for listener in self.listeners:
            listener.close()


class Listener:
    """The events that a page gets."""

    def __init__(self, page: Page) -> None:
        host, _, port = page.host.partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        asked = f"GET {page.path}events HTTP/1.1\r\nHost: {page.host}\r\nConnection: close\r\n\r\n"
        self._socket.sendall(asked.encode())
        self._answer = http.client.HTTPResponse(self._socket)
        self._answer.begin()
        assert self._answer.status == 200
        assert self._next_block() == ["retry: 1000"]

    def close(self) -> None:
        self._answer.close()
        self._socket.close()

    def _next_block(self) -> list[str]:
        lines = []
        while line := self._answer.readline().decode().rstrip("\n"):
            lines.append(line)
        return lines

    def wait_for(self, name: str, is_it: Callable[[Any], bool] = lambda data: True) -> Any:
        """The data of the next event of a name that is the one."""
        while block := self._next_block():
            if block[0] == f"event: {name}":
                data = json.loads(block[1].removeprefix("data: "))
                if is_it(data):
                    return data
        raise AssertionError(f"no event {name} came")


@pytest.fixture
def desk(start: Start, plan: Path, tmp_path_factory) -> Iterator[Callable[[], Page]]:
    """Opens the plan as a desk."""
    cache = tmp_path_factory.mktemp("cache")
    pages: list[Page] = []

    def begin() -> Page:
        pages.append(Page(start("desk", plan, "--no-browser", "--cache", cache)))
        return pages[-1]

    yield begin
    for page in pages:
        page.close()


def read_fader(plan: Path, name: str = "vocal") -> float:
    tracks = tomllib.loads(plan.read_text())["tracks"]
    return next(track["fader_db"] for track in tracks if track["name"] == name)


def test_an_edit_is_heard_saved_and_rendered(
    desk: Callable[[], Page], plan: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    page = desk()
    events = page.listen()
    assert b"<html" in page.get("")
    state = page.get("state")
    assert {"vocal", "beat"} == set(state["sound"]["tracks"])
    assert (state["is_saved"], state["undo"], state["recovery"]) == (True, None, None)
    key = state["sound"]["tracks"]["vocal"]["key"]
    channels = state["sound"]["tracks"]["vocal"]["channels"]
    assert len(page.get(f"sound/0?keys={key}")) == 4 * channels * state["chunk_frames"]
    assert page.ask("GET", "sound/0?keys=gone")[0] == 404
    assert page.get(f"heard/{key}")["lufs"] < 0

    before = read_fader(plan)
    answer = page.edit("vocal", "fader_db", -3.5)
    assert (answer["revision"], answer["is_saved"]) == (1, False)
    assert answer["owners"]["vocal"]["fader_db"] == -3.5
    told = events.wait_for("plan")
    assert told == answer
    assert read_fader(plan) == before
    status, refused = page.ask(
        "POST", "edit", {"edits": [{"owner": "vocal", "setting": "fader_db", "value": 900}]}
    )
    assert status == 400
    assert "vocal.fader_db" in refused["message"]

    assert page.post("save")["saved"]
    assert read_fader(plan) == -3.5
    assert page.get("state")["is_saved"]
    assert page.post("undo", tab="t")["owners"]["vocal"]["fader_db"] == before
    assert page.post("redo", tab="t")["owners"]["vocal"]["fader_db"] == -3.5

    status, refused = page.ask("POST", "render", {"overwrite": False})
    assert (status, refused["exists"]) == (409, True)
    old_mix = (tmp_path / "mix.wav").read_bytes()
    page.post("render", overwrite=True)
    rendered = events.wait_for("rendered")
    assert rendered["file"].endswith("mix.wav")
    assert rendered["true_peak_dbtp"] < -1.0
    assert (tmp_path / "mix.wav").read_bytes() != old_mix
    out, err = page.quit(save=False)
    assert (out, err) == (b"", b"")
    command = [sys.executable, "-m", "automix", "render", "mix.toml", "-o", "again.wav", "-q"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=60)
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_what_is_edited_while_it_is_rendered_is_not_in_the_mix(
    desk: Callable[[], Page], plan: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    page = desk()
    events = page.listen()
    page.edit("beat", "fader_db", 6.0)
    page.post("render", overwrite=True)
    page.edit("vocal", "fader_db", -30.0)
    assert events.wait_for("rendered")["true_peak_dbtp"] < -1.0
    assert read_fader(plan) > -30.0
    assert not page.get("state")["is_saved"]
    command = [sys.executable, "-m", "automix", "render", "mix.toml", "-o", "again.wav", "-q"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=60)
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / "mix.wav").read_bytes()
    before = tomllib.loads(plan.read_text())["master"]["gain_db"]
    page.post("render", overwrite=True)
    events.wait_for("rendered")
    assert read_fader(plan) == -30.0
    assert tomllib.loads(plan.read_text())["master"]["gain_db"] != before
    page.quit(save=False)


@pytest.mark.slow
def test_quitting_with_saving_saves(desk: Callable[[], Page], plan: Path, tmp_path: Path) -> None:
    page = desk()
    page.edit("vocal", "fader_db", -7.25)
    assert page.quit(save=True) == (b"", b"")
    assert read_fader(plan) == -7.25
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
    ],
)
def test_a_signal_ends_it_within_a_second_and_loses_nothing(
    desk: Callable[[], Page], plan: Path, number: signal.Signals, code: int
) -> None:
    page = desk()
    events = page.listen()
    before = plan.read_bytes()
    for gesture, value in (("a", -1.0), ("a", -2.0), ("b", -3.0), ("c", -4.0)):
        page.edit("vocal", "fader_db", value, gesture)
    sent = time.monotonic()
    page.process.send_signal(number)
    assert events.wait_for("closing") == {}
    out, err = page.process.communicate(timeout=20)
    assert time.monotonic() - sent < 1.5
    assert (page.process.returncode, out) == (code, b"")
    assert err.decode() == (
        f"automix: 3 edits are not saved; automix desk {plan} offers them again\n"
    )
    assert plan.read_bytes() == before

    page = desk()
    assert page.get("state")["recovery"]["edits"] == 3
    page.post("recover", accept=True)
    state = page.get("state")
    assert state["recovery"] is None
    assert state["plan"]["tracks"][0]["fader_db"] == -4.0
    page.quit(save=True)
    assert read_fader(plan) == -4.0


@pytest.mark.slow
def test_a_desk_that_is_shot_offers_its_edits_again(
    desk: Callable[[], Page], plan: Path, tmp_path: Path
) -> None:
    page = desk()
    page.edit("vocal", "fader_db", -1.0)
    page.edit("beat", "pan", 0.25)
    page.process.kill()
    page.process.wait(timeout=20)
    page = desk()
    assert page.get("state")["recovery"]["edits"] == 2
    out, err = page.quit(save=False)  # without a decision, they are offered once more
    assert b"2 edits are not saved" in err
    page = desk()
    page.post("recover", accept=False)
    assert page.get("state")["is_saved"]
    assert page.quit(save=False) == (b"", b"")
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_a_signal_without_edits_says_that_all_is_saved(desk: Callable[[], Page]) -> None:
    page = desk()
    page.process.send_signal(signal.SIGINT)
    _, err = page.process.communicate(timeout=20)
    assert page.process.returncode == 130
    assert err == b"automix: the desk is closed; everything is saved\n"


@pytest.mark.slow
def test_two_desks_on_one_plan(desk: Callable[[], Page], start: Start, plan: Path) -> None:
    desk()
    second = start("desk", plan, "--no-browser")
    out, err = second.communicate(timeout=30)
    assert (second.returncode, out) == (4, b"")
    assert b"is open on another desk" in err


@pytest.mark.slow
def test_the_plan_that_another_program_changed(desk: Callable[[], Page], plan: Path) -> None:
    page = desk()
    events = page.listen()
    page.edit("vocal", "fader_db", -5.0)
    changed = dumps(change_setting(read_plan(plan), "vocal.pan", lambda pan: 0.25))
    plan.write_text(changed)
    assert events.wait_for("file") == {"changed": True}
    status, refused = page.ask("POST", "save", {})
    assert (status, refused["conflicts"]) == (409, [])
    assert "was changed" in refused["message"]
    assert plan.read_text() == changed
    assert page.ask("POST", "save", {"force": "at once"})[0] == 400
    page.post("save", force="merge")
    assert read_fader(plan) == -5.0
    assert tomllib.loads(plan.read_text())["tracks"][0]["pan"] == 0.25
    page.quit(save=False)


@pytest.mark.slow
def test_a_plan_of_other_tracks_is_opened_anew_or_refused(
    desk: Callable[[], Page], plan: Path
) -> None:
    page = desk()
    opened = read_plan(plan)
    vocal = replace(opened.strip("vocal"), file="gone.wav", sha256="")
    plan.write_text(dumps(replace(opened, tracks=(vocal, *opened.tracks[1:]))))
    status, refused = page.ask("POST", "reload", {})
    assert status == 400
    assert "gone.wav" in refused["message"]
    state = page.get("state")
    assert state["plan"]["tracks"][0]["file"] == "vox.wav"
    shutil.copy(plan.parent / "beat.wav", plan.parent / "gone.wav")
    page.post("reload")
    state = page.get("state")
    assert state["plan"]["tracks"][0]["file"] == "gone.wav"
    tracks = state["sound"]["tracks"]
    first = page.get(f"sound/0?keys={tracks['vocal']['key']}")
    assert len(first) == 4 * tracks["vocal"]["channels"] * state["chunk_frames"]
    page.quit(save=False)


@pytest.mark.slow
def test_the_finished_mix_is_rendered_to_listen_to(desk: Callable[[], Page]) -> None:
    page = desk()
    events = page.listen()
    page.post("master")
    ready = events.wait_for("master", lambda data: data["state"] != "working")
    assert ready["state"] == "ready"
    assert ready["loudness"]["true_peak_dbtp"] < -1.0
    chunk = page.get(f"sound/0?keys={ready['key']}")
    assert len(chunk) == 4 * 2 * page.get("state")["chunk_frames"]
    page.quit(save=False)


@pytest.mark.slow
def test_snapshots_are_kept_measured_and_used(desk: Callable[[], Page]) -> None:
    page = desk()
    events = page.listen()
    page.edit("vocal", "fader_db", -20.0)
    page.post("snapshot", name="quiet")
    found = events.wait_for("snapshots", lambda all_: all(one["lufs"] for one in all_))
    lufs = {one["name"]: one["lufs"] for one in found}
    assert lufs["quiet"] < lufs["as opened"]
    assert page.get("snapshot/quiet")["plan"]["tracks"][0]["fader_db"] == -20.0
    assert page.ask("GET", "snapshot/none")[0] == 404
    page.post("snapshot/use", name="as opened")
    assert page.get("state")["plan"]["tracks"][0]["fader_db"] != -20.0
    page.post("snapshot/drop", name="quiet")
    assert [one["name"] for one in page.get("state")["snapshots"]] == ["as opened"]
    page.quit(save=False)


@pytest.mark.slow
def test_a_browser_is_started_with_an_address_that_works_once(
    start: Start, plan: Path, tmp_path: Path
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\necho "$1" > {tmp_path}/new && mv {tmp_path}/new {browser}.url\n'
    )
    browser.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BROWSER": f"{browser} %s"}
    page = Page(start("desk", plan, "--cache", tmp_path / "cache", env=environment))
    told = tmp_path / "browser.url"
    while not told.exists():
        assert page.process.poll() is None
    url = told.read_text().strip()
    assert page.path.strip("/") not in url
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.url == page.url
        assert b"<html" in answer.read()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(url, timeout=20)
    page.quit(save=False)


@pytest.mark.slow
def test_who_opens_no_browser_is_told_the_address_however_quiet(
    start: Start, plan: Path, tmp_path: Path
) -> None:
    page = Page(start("desk", plan, "-q", "--no-browser", "--cache", tmp_path / "cache"))
    assert page.get("state")["is_saved"]
    assert page.quit(save=False) == (b"", b"")


@pytest.mark.slow
def test_json_has_the_address(start: Start, plan: Path, tmp_path: Path) -> None:
    process = start("desk", plan, "--json", "--cache", tmp_path / "cache")
    assert process.stdout is not None
    text = ""
    while "}" not in text:
        text += process.stdout.readline().decode()
    assert json.loads(text)["url"].startswith("http://127.0.0.1:")
    process.kill()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["desk"], 2, "Missing argument"),
        (["desk", "."], 2, "automix stems . --desk"),
        (["desk", "mix.wav"], 2, "automix desk mix.toml"),
        (["desk", "vox.wav"], 2, "automix stems . --desk"),
        (["desk", "gone.toml"], 2, "gone.toml: no such file"),
        (["desk", "broken.toml"], 2, "broken.toml: not valid TOML"),
        (["desk", "mix.toml", "--port", "70000"], 2, "--port"),
        (["desk", "mix.toml", "--set", "vocal.pan=0"], 2, "--set"),
        (["vocal", "vox.wav", "beat.wav", "--desk", "--no-plan"], 2, "--no-plan"),
        (["vocal", "vox.wav", "beat.wav", "--desk", "--dry-run"], 2, "--dry-run"),
        (["vocal", "vox.wav", "beat.wav", "--desk", "--candidates", "2"], 2, "--candidates"),
        (["vocal", "vox.wav", "beat.wav", "--desk", "--json"], 2, "--json"),
        (["stems", ".", "--desk", "--method", "wave-u-net", "--weights", "w"], 2, "makes none"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_a_line(
    cli, plan: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "broken.toml").write_text("= 3\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = cli(*arguments)
    assert done.exit_code == code, done.output
    assert words in done.stderr
    assert done.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_taken_port_is_refused(cli, plan: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cli("desk", plan, "--port", port)
    assert done.exit_code == 2
    assert f"port {port}" in done.stderr
    assert not list(plan.parent.glob(".*"))


@pytest.mark.slow
def test_vocal_opens_the_plan_that_it_wrote(start: Start, song: Song, tmp_path: Path) -> None:
    cache = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        cache.pop(name, None)
    process = start("vocal", song.vocal, song.beat, "-o", "new.wav", "--desk", env=cache)
    assert process.stdout is not None
    lines = []
    while not lines or not lines[-1].startswith("http://"):
        lines.append(process.stdout.readline().decode())
        assert lines[-1], process.communicate(timeout=20)
    assert any("written" in line and "new.wav" in line for line in lines)
    assert (tmp_path / "new.toml").is_file()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 143


@pytest.mark.slow
def test_a_signal_while_the_mix_is_written_leaves_the_old_one_or_all_of_the_new(
    desk: Callable[[], Page], plan: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    page = desk()
    old = (tmp_path / "mix.wav").read_bytes()
    page.edit("vocal", "fader_db", -30.0)
    page.post("render", overwrite=True)
    while not list(tmp_path.glob(".automix-*")):
        assert page.process.poll() is None
    page.process.send_signal(signal.SIGINT)
    page.process.communicate(timeout=20)
    assert page.process.returncode == 130
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["beat.wav", "mix.toml", "mix.wav", "vox.wav"]
    assert read_fader(plan) == -30.0
    command = [sys.executable, "-m", "automix", "render", "mix.toml", "-o", "new.wav", "-q"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=60)
    new = (tmp_path / "new.wav").read_bytes()
    assert (tmp_path / "mix.wav").read_bytes() in (old, new)
    assert old != new


@pytest.mark.slow
def test_rendering_never_writes_over_an_input(
    start: Start, plan: Path, tmp_path: Path, tmp_path_factory
) -> None:
    plan = plan.rename(tmp_path / "vox.toml")
    cache = tmp_path_factory.mktemp("cache")
    page = Page(start("desk", plan, "--no-browser", "--cache", cache))
    with contextlib.closing(page.listen()) as events:
        vocal = (tmp_path / "vox.wav").read_bytes()
        page.post("render", overwrite=True)
        told = events.wait_for("rendered")
    assert "vox.wav" in told["message"]
    assert (tmp_path / "vox.wav").read_bytes() == vocal
    page.quit(save=False)


def test_a_script_opens_a_desk_too(plan: Path, tmp_path_factory) -> None:
    urls: queue.Queue[str] = queue.Queue()
    left: list[tuple[int, bool]] = []
    cache = tmp_path_factory.mktemp("cache")
    with ThreadPoolExecutor(1) as pool:
        desk = pool.submit(
            automix.open_desk,
            plan,
            cache=cache,
            opened=urls.put,
            closing=lambda *told: left.append(told),
        )
        url = urls.get(timeout=60)
        request = urllib.request.Request(
            f"{url}quit", b'{"save": false}', {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 200
        desk.result(timeout=20)
    assert left == [(0, True)]
    with pytest.raises(automix.AutomixError, match=r"is a folder.*automix stems"):
        automix.open_desk(plan.parent)
