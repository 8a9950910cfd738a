"""The page of the desk in real Chromium, on a real desk: all of it, as a person uses it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
import soundfile

from automix.desk.desk import open_desk
from automix.plan.model import MixPlan
from automix.plan.settings import Bus, ChannelStrip, Send
from tests.browser.chromium import Browser, Page

RATE, SECONDS = 16000, 12
CTRL, SHIFT = 2, 8
KEYS = {" ": 32, "Home": 36, "End": 35, "Escape": 27, ",": 188, ".": 190, "ArrowUp": 38}


def make_plan(folder: Path) -> MixPlan:
    rng = np.random.default_rng(4)
    for name, seconds in (("bass", SECONDS), ("voice", SECONDS - 1)):
        noise = 0.1 * rng.standard_normal(RATE * seconds)
        soundfile.write(folder / f"{name}.wav", noise, RATE, "PCM_24")
    return MixPlan(
        sample_rate_hz=RATE,
        tracks=(
            ChannelStrip(name="bass", file=str(folder / "bass.wav")),
            ChannelStrip(
                name="voice",
                file=str(folder / "voice.wav"),
                sends=(Send(bus="hall", gain_db=-12.0),),
            ),
        ),
        buses=(Bus(name="hall"),),
    )


class Desk:
    """A desk that is open, and what can be asked of it."""

    def __init__(self, url: str, file: Path) -> None:
        self.url = url
        self.file = file

    def state(self) -> Any:
        with urllib.request.urlopen(self.url + "state") as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def edit(self, owner: str, setting: str, value: Any) -> None:
        self.post("edit", {"edits": [{"owner": owner, "setting": setting, "value": value}]})

    def value(self, owner: str, setting: str) -> Any:
        plan = self.state()["plan"]
        parts = {part["name"]: part for part in (*plan["tracks"], *plan["buses"])}
        return {**parts, "master": plan["master"]}[owner][setting]

    def until(self, owner: str, setting: str, value: Any) -> None:
        wait_for(lambda: self.value(owner, setting) == value)


def wait_for(condition: Callable[[], Any]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, "never true"
        time.sleep(0.02)


@contextlib.contextmanager
def open_in_process(file: Path) -> Iterator[tuple[Desk, "subprocess.Popen[str]"]]:
    """A desk as a program of its own, which can be quit and killed."""
    command = [sys.executable, "-m", "automix", "desk", str(file), "--no-browser"]
    process = subprocess.Popen(
        [*command, "--cache", str(file.parent / "kept")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Desk(process.stdout.readline().strip(), file), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def press(page: Page, key: str, modifiers: int = 0) -> None:
    """Presses a key as a person would: the browser sees it first."""
    text = {"Enter": "\r"}.get(key, key if len(key) == 1 and not modifiers & CTRL else "")
    code = KEYS.get(key) or {"Enter": 13, "Tab": 9}.get(key) or ord(key[0].upper())
    named = key.upper() if modifiers & SHIFT and len(key) == 1 else key
    common = {"key": named, "windowsVirtualKeyCode": code, "modifiers": modifiers}
    page.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
    page.send("Input.dispatchKeyEvent", type="keyUp", **common)


def type_text(page: Page, text: str) -> None:
    page.send("Input.insertText", text=text)


def text(page: Page, selector: str) -> str:
    found = page.run(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")
    return str(found)


def seconds(page: Page) -> float:
    """The position that is shown."""
    minutes, rest = page.run("document.querySelector('.time').value").split(":")
    return 60 * int(minutes) + float(rest)


def reading(page: Page, name: str) -> float:
    found = page.run(
        "[...document.querySelectorAll('.reading')].find((reading) =>"
        f" reading.firstChild.textContent === {json.dumps(name)})"
        ".querySelector('.reading-value').textContent"
    )
    return float(found.replace("−∞", "-inf").replace("−", "-"))


def choose(page: Page, label: str) -> None:
    """Presses a button of the open dialog."""
    page.wait("document.querySelector('dialog[open]')")
    page.run(
        "[...document.querySelectorAll('dialog[open] button')]"
        f".find((button) => button.textContent === {json.dumps(label)}).click()"
    )


def wait_until_open(page: Page) -> None:
    page.wait("document.querySelector('#play') && document.querySelector('.inspector-title')")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("page")
    file = folder / "mix.toml"
    make_plan(folder).save(file)
    urls: Queue[str] = Queue()
    thread = threading.Thread(
        target=open_desk, args=(file,), kwargs={"opened": urls.put, "cache": folder / "kept"}
    )
    thread.start()
    desk = Desk(urls.get(timeout=30), file)
    yield desk
    desk.post("quit", {"save": False})
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    """The page, with the plan as it was opened."""
    desk.post("snapshot/use", {"name": "as opened"})
    desk.post("save", {"force": "overwrite"})
    with browser.page(desk.url, 1280, 900) as page:
        wait_until_open(page)
        yield page
        # That a request is answered with a conflict is part of saving; browsers write it down.
        assert [found for found in page.complaints if "409 (Conflict)" not in found] == []


def test_the_page_names_the_plan_and_its_parts(page: Page) -> None:
    assert page.run("document.title") == "mix – automix desk"
    assert text(page, "h1") == "mix: mixing desk"
    unnamed = page.run(
        "[...document.querySelectorAll('#top button, #top input, #top select, [role=slider]')]"
        ".filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim()))"
        ".map((e) => e.outerHTML.slice(0, 80))"
    )
    assert unnamed == []


def test_space_plays_and_the_readings_move(page: Page) -> None:
    assert reading(page, "M") == -np.inf
    press(page, " ")
    page.wait("document.querySelector('.time').value >= '0:01.0'")
    # Two tracks of white noise of -20 dB RMS, in the middle of a constant-power law.
    assert -30 < reading(page, "M") < -10
    press(page, " ")
    page.wait("document.querySelector('#play').title.startsWith('Play')")
    assert 1.0 <= seconds(page) < 6.0


def test_a_typed_time_the_overview_and_keys_seek(page: Page) -> None:
    page.click(".time")
    type_text(page, "0:07.5")
    press(page, "Enter")
    page.run("document.activeElement.blur()")
    assert seconds(page) == 7.5
    press(page, ",")
    wait_for(lambda: seconds(page) == 2.5)
    press(page, "Home")
    wait_for(lambda: seconds(page) == 0.0)
    page.click(".overview")  # in its middle
    length = desk_length(page)
    wait_for(lambda: seconds(page) == pytest.approx(length / 2, abs=0.15))


def desk_length(page: Page) -> float:
    minutes, rest = text(page, ".time-total").removeprefix("/ ").split(":")
    return 60 * int(minutes) + float(rest)


@pytest.mark.slow
def test_a_drag_on_the_overview_loops_what_it_covers(page: Page) -> None:
    x, y = page.middle(".overview")
    width = page.run("document.querySelector('.overview').clientWidth")
    page.drag((x - 0.25 * width, y), (x - 0.15 * width, y))
    start, end = 0.25 * desk_length(page), 0.35 * desk_length(page)
    assert page.run("document.querySelector('.loop').getAttribute('aria-pressed')") == "true"
    press(page, "Home")
    press(page, " ")
    seen = []
    until = time.monotonic() + 7
    while time.monotonic() < until:
        seen.append(seconds(page))
    press(page, " ")
    assert max(seen) < end + 0.15
    assert min(seen[seen.index(max(seen)) :]) == pytest.approx(start, abs=0.5)
    press(page, "l")
    assert page.run("document.querySelector('.loop').getAttribute('aria-pressed')") == "false"


def test_keys_mute_undo_and_redo(page: Page, desk: Desk) -> None:
    press(page, "m")
    desk.until("bass", "mute", True)
    page.wait("document.title.startsWith('• ')")
    press(page, "z", CTRL)
    desk.until("bass", "mute", False)
    press(page, "z", CTRL | SHIFT)
    desk.until("bass", "mute", True)
    press(page, "z", CTRL)
    desk.until("bass", "mute", False)
    press(page, "y", CTRL)
    desk.until("bass", "mute", True)
    page.wait("document.querySelector('.undo').title.includes('mute')")


def test_letters_that_are_typed_are_text(page: Page, desk: Desk) -> None:
    page.click(".time")
    for key in ("m", "s", " ", "?"):
        press(page, key)
    assert page.run("document.querySelector('.time').value") == "ms ?"
    assert desk.value("bass", "mute") is False
    assert not page.run("document.querySelector('dialog[open]')")
    assert page.run("document.querySelector('#play').title") == "Play (space)"


def test_space_plays_after_a_click_and_presses_what_tab_reached(page: Page) -> None:
    page.click(".loop")
    press(page, " ")
    page.wait("document.querySelector('#play').title.startsWith('Pause')")
    assert page.run("document.querySelector('.loop').getAttribute('aria-pressed')") == "true"
    press(page, " ")
    page.wait("document.querySelector('#play').title.startsWith('Play')")
    press(page, "Tab")
    press(page, "Tab", SHIFT)
    assert page.run("document.activeElement.matches('.loop')")
    press(page, " ")
    page.wait("document.querySelector('.loop').getAttribute('aria-pressed') === 'false'")
    assert page.run("document.querySelector('#play').title") == "Play (space)"


def test_single_keys_can_be_switched_off(page: Page, desk: Desk) -> None:
    press(page, "?", SHIFT)
    page.wait("document.querySelector('.check input')")
    page.run("document.querySelector('.check input').click()")
    press(page, "m")  # in the dialog, where it means nothing
    press(page, "Escape")
    page.wait("document.querySelector('dialog') === null")
    desk.edit("bass", "fader_db", -1.0)
    press(page, "m")
    press(page, "z", CTRL)
    page.wait("document.querySelector('.top-status').textContent.startsWith('Undone: bass fader')")
    assert desk.value("bass", "fader_db") == 0.0
    assert desk.value("bass", "mute") is False


def test_what_may_be_wrong_is_told_once(page: Page, desk: Desk) -> None:
    told = "document.querySelectorAll('.message.warning')"
    page.wait(f"{told}.length === 1")
    assert "1.00 s shorter" in text(page, ".message.warning p")
    page.click(".message-close")
    desk.edit("bass", "fader_db", -1.0)
    page.wait("document.querySelector('.save-state').textContent === 'not saved'")
    assert page.run(f"{told}.length") == 0
    page.click(".notes")
    page.wait("document.querySelector('dialog[open] li')")
    assert "1.00 s shorter" in text(page, "dialog li")


@pytest.mark.slow
def test_an_edit_that_is_not_answered_is_told(page: Page, desk: Desk) -> None:
    page.run(
        "(() => { const ask = window.fetch; window.fetch = (path, ...more) => path === 'edit'"
        " ? new Promise((go) => { window.answer = go; }).then(() => ask(path, ...more))"
        " : ask(path, ...more); })()"
    )
    press(page, "m")
    page.wait("document.querySelector('#messages').textContent.includes('does not answer')")
    assert text(page, ".save-state") == "not saved"
    page.run("window.answer()")
    desk.until("bass", "mute", True)


@pytest.mark.slow
def test_a_mix_too_quiet_to_have_a_loudness(page: Page, desk: Desk) -> None:
    desk.edit("bass", "fader_db", -60.0)
    desk.edit("voice", "fader_db", -60.0)
    press(page, "b")
    page.wait("document.querySelector('.banner-text').textContent.includes('not matched')")
    press(page, "n")
    page.run(
        "[...document.querySelectorAll('button')].find((b) => b.innerText === 'Master').click()"
    )
    page.wait("document.querySelector('.banner-text').textContent.includes('finished master')")
    page.wait("document.querySelector('#top').textContent.includes('finished mix')")


def test_a_key_saves_the_plan(page: Page, desk: Desk) -> None:
    press(page, "m")
    desk.until("bass", "mute", True)
    press(page, "s", CTRL)
    page.wait("document.querySelector('.save-state').textContent === 'saved'")
    assert [strip.mute for strip in MixPlan.load(desk.file).tracks] == [True, False]
    page.wait("document.title === 'mix – automix desk'")


def test_two_pages_follow_each_other(page: Page, browser: Browser, desk: Desk) -> None:
    fader = "document.querySelector('#strips [role=slider][aria-label=\"bass fader\"]')"
    with browser.page(desk.url, 1280, 900) as other:
        wait_until_open(other)
        page.run(f"{fader}.focus()")
        press(page, "ArrowUp")
        there = f"{fader}.getAttribute('aria-valuenow')"
        other.wait(f"Number({there}) > 0")
        assert float(page.run(there)) == float(other.run(there)) == desk.value("bass", "fader_db")
        other.wait("document.querySelector('.save-state').textContent === 'not saved'")
        press(other, "z", CTRL)
        page.wait(f"Number({there}) === 0")
        assert other.complaints == []


def test_a_file_that_changed_is_merged_as_chosen(page: Page, desk: Desk) -> None:
    desk.edit("bass", "fader_db", -3.0)
    desk.edit("voice", "fader_db", -4.0)
    desk.edit("hall", "gain_db", -5.0)
    plan = MixPlan.load(desk.file)
    bass, voice = plan.tracks
    theirs = replace(
        plan,
        tracks=(replace(bass, fader_db=1.0, pan=0.25), replace(voice, fader_db=2.0)),
    )
    theirs.save(desk.file, overwrite=True)
    page.wait("document.querySelector('.save-state').textContent === 'not saved'")
    press(page, "s", CTRL)
    page.wait("document.querySelector('.conflicts')")
    rows = page.run(
        "[...document.querySelectorAll('.conflicts tbody tr')].map((row) => [row.dataset.address,"
        " ...[...row.querySelectorAll('code')].map((cell) => cell.textContent)])"
    )
    assert rows == [
        ["bass.fader_db", "0.0 dB", "−3.0 dB", "+1.0 dB"],
        ["voice.fader_db", "0.0 dB", "−4.0 dB", "+2.0 dB"],
    ]
    page.run("document.querySelectorAll('.conflicts input[value=theirs]')[1].click()")
    choose(page, "Merge as chosen")
    page.wait("document.querySelector('.save-state').textContent === 'saved'")
    saved = MixPlan.load(desk.file)
    assert [(s.fader_db, s.pan) for s in saved.tracks] == [(-3.0, 0.25), (2.0, 0.5)]
    assert saved.buses[0].gain_db == -5.0
    page.wait("document.querySelector('dialog') === null")


def test_a_file_that_is_no_plan_any_more_can_only_be_written_over(page: Page, desk: Desk) -> None:
    desk.edit("bass", "fader_db", -3.0)
    desk.file.write_text("[[[\n", encoding="utf-8")
    press(page, "s", CTRL)
    page.wait("document.querySelector('dialog[open]')")
    labels = "[...document.querySelectorAll('dialog button')].map((button) => button.textContent)"
    assert page.run(labels) == ["Overwrite it with mine", "Cancel"]
    choose(page, "Overwrite it with mine")
    page.wait("document.querySelector('.save-state').textContent === 'saved'")
    assert MixPlan.load(desk.file).tracks[0].fader_db == -3.0


@pytest.mark.slow
def test_a_conflict_that_is_left_changes_nothing(page: Page, desk: Desk) -> None:
    desk.edit("bass", "fader_db", -3.0)
    plan = MixPlan.load(desk.file)
    replace(plan, master=replace(plan.master, gain_db=-7.0)).save(desk.file, overwrite=True)
    before = desk.file.read_bytes()
    page.run("document.querySelector('.save').focus()")
    press(page, "s", CTRL)
    page.wait("document.querySelector('dialog[open]')")
    press(page, "Escape")
    page.wait("document.querySelector('dialog') === null")
    assert desk.file.read_bytes() == before
    assert desk.value("bass", "fader_db") == -3.0
    assert page.run("document.activeElement.className").startswith("top-button save")
    press(page, "s", CTRL)
    choose(page, "Take what is there")
    desk.until("master", "gain_db", -7.0)
    assert desk.value("bass", "fader_db") == 0.0


def test_a_and_b_are_equally_loud_and_edit_nothing(page: Page, desk: Desk) -> None:
    desk.edit("master", "gain_db", 6.0)
    before = desk.state()
    press(page, " ")
    page.wait("document.querySelector('.time').value >= '0:00.6'")
    loud = reading(page, "M")
    press(page, "b")
    page.wait("document.querySelector('.banner-text').textContent.includes('turned down')")
    assert text(page, ".banner-text") == "You hear B: the mix now, turned down 6.0 dB to match."
    page.run("new Promise((done) => setTimeout(done, 700))")
    softer = reading(page, "M")
    assert loud - softer == pytest.approx(6.0, abs=0.7)  # of noise, 0.4 s long
    press(page, "a")
    page.wait("document.querySelector('.banner-text').textContent.includes('as opened')")
    page.run("new Promise((done) => setTimeout(done, 700))")
    assert reading(page, "M") == pytest.approx(softer, abs=0.7)
    press(page, "n")
    page.wait("document.querySelector('.banner').hidden")
    press(page, " ")
    after = desk.state()
    assert after["revision"] == before["revision"]
    assert after["plan"] == before["plan"]


@pytest.mark.slow
def test_what_is_heard_can_be_used_and_undone(page: Page, desk: Desk) -> None:
    desk.edit("bass", "fader_db", -9.0)
    press(page, "a")
    page.wait("document.querySelector('.banner-text').textContent.includes('as opened')")
    assert desk.value("bass", "fader_db") == -9.0
    page.click(".banner button")
    desk.until("bass", "fader_db", 0.0)
    page.wait("document.querySelector('.banner').hidden")
    press(page, "z", CTRL)
    desk.until("bass", "fader_db", -9.0)


@pytest.mark.slow
def test_snapshots_are_taken_heard_and_dropped(page: Page, desk: Desk) -> None:
    press(page, "t")
    page.wait("document.activeElement.id === 'snapshot-name'")
    page.run("document.activeElement.select()")
    type_text(page, "louder / 2")
    press(page, "Enter")
    page.wait("document.querySelectorAll('.snapshot-list li').length === 2")
    page.wait("!document.querySelector('.snapshot-list').textContent.includes('measuring')")
    page.run("document.querySelector('[aria-label=\"Hear louder / 2\"]').click()")
    page.wait("document.querySelector('.banner-text').textContent.includes('louder / 2')")
    page.run("document.querySelector('[aria-label=\"Drop louder / 2\"]').click()")
    page.wait("document.querySelectorAll('.snapshot-list li').length === 1")
    press(page, "Escape")
    page.wait("document.querySelector('.banner').hidden")
    assert [found["name"] for found in desk.state()["snapshots"]] == ["as opened"]


@pytest.mark.slow
def test_the_master_is_rendered_heard_and_grows_stale(page: Page, desk: Desk) -> None:
    page.run("[...document.querySelectorAll('.switch button')][1].click()")
    page.wait("document.querySelector('.banner-text').textContent.includes('finished master')")
    assert "earlier state" not in text(page, ".banner-text")
    press(page, " ")
    page.wait("document.querySelector('.time').value >= '0:00.8'")
    assert -30 < reading(page, "M") < -10
    press(page, " ")
    desk.edit("bass", "fader_db", -1.0)
    page.wait("document.querySelector('.banner-text').textContent.includes('earlier state')")
    desk.post("undo", {})
    page.wait("!document.querySelector('.banner-text').textContent.includes('earlier state')")
    press(page, "n")
    page.wait("document.querySelector('.banner').hidden")


@pytest.mark.slow
def test_the_mix_is_rendered_and_not_written_over_unasked(page: Page, desk: Desk) -> None:
    mix = desk.file.with_suffix(".wav")
    mix.write_bytes(b"mine")
    page.click(".render")
    page.wait("document.querySelector('dialog[open]')")
    press(page, "Escape")
    page.wait("document.querySelector('dialog') === null")
    assert mix.read_bytes() == b"mine"
    page.click(".render")
    choose(page, "Write over it")
    page.wait("document.querySelector('.message.result')")
    assert "LUFS" in text(page, ".message.result")
    assert soundfile.info(mix).frames >= RATE * SECONDS
    page.run("document.querySelector('.message.result .message-close').click()")


def test_the_page_is_usable_at_390_pixels(page: Page) -> None:
    page.resize(390, 844, phone=True)
    page.wait("getComputedStyle(document.querySelector('.more')).display !== 'none'")
    right = "element.getBoundingClientRect().right"
    wide = f"[...document.querySelectorAll('#top *')].filter((element) => {right} > 391)"
    assert page.run(f"{wide}.length") == 0
    page.click(".more")
    page.wait("document.querySelector('.quit').offsetWidth > 0")
    assert page.run(f"{wide}.length") == 0
    small = page.run(
        "[...document.querySelectorAll('#top button')].filter((e) => e.offsetWidth &&"
        " (e.offsetWidth < 24 || e.offsetHeight < 24)).map((e) => e.outerHTML)"
    )
    assert small == []


@pytest.mark.slow
def test_the_keyboard_alone_mixes_saves_and_quits(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "mix.toml"
    make_plan(tmp_path).save(file)
    with open_in_process(file) as (desk, process), browser.page(desk.url, 1280, 900) as page:
        wait_until_open(page)
        tab_to(page, '[role=slider][aria-label="bass fader"]')
        press(page, "ArrowUp")
        press(page, "ArrowUp")
        wait_for(lambda: desk.value("bass", "fader_db") > 0)
        press(page, "s", CTRL)
        page.wait("document.querySelector('.save-state').textContent === 'saved'")
        fader_db = desk.value("bass", "fader_db")
        assert MixPlan.load(file).tracks[0].fader_db == fader_db
        press(page, "m")
        desk.until("bass", "mute", True)
        tab_to(page, ".quit")
        press(page, "Enter")
        page.wait("document.activeElement.textContent === 'Save and quit'")
        press(page, "Enter")
        page.wait("document.querySelector('dialog h2')?.textContent === 'The desk is closed'")
        assert process.wait(20) == 0
        assert "Everything is saved" in text(page, "dialog")
        assert page.complaints == []
    bass = MixPlan.load(file).tracks[0]
    assert (bass.fader_db, bass.mute) == (fader_db, True)
    assert not list(tmp_path.glob("*journal*"))


def tab_to(page: Page, selector: str) -> None:
    for _ in range(400):
        if page.run(f"document.activeElement.matches({json.dumps(selector)})"):
            return
        press(page, "Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


@pytest.mark.slow
def test_a_desk_that_was_killed_is_told_and_its_edits_are_restored(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "mix.toml"
    make_plan(tmp_path).save(file)
    with open_in_process(file) as (desk, process), browser.page(desk.url, 1280, 900) as page:
        wait_until_open(page)
        press(page, "m")
        desk.until("bass", "mute", True)
        os.kill(process.pid, signal.SIGKILL)
        page.wait("document.querySelector('dialog h2')?.textContent === 'The desk does not answer'")
        assert f"automix desk {file}" in text(page, "dialog")
    assert MixPlan.load(file).tracks[0].mute is False
    with open_in_process(file) as (desk, _), browser.page(desk.url, 1280, 900) as page:
        page.wait("document.querySelector('dialog h2')?.textContent === 'Restore unsaved edits?'")
        assert text(page, "dialog p").startswith("One edit of ")
        choose(page, "Restore")
        desk.until("bass", "mute", True)
        page.wait("document.title.startsWith('• ')")
        assert desk.state()["recovery"] is None
        assert page.complaints == []
