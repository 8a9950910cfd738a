"""The strips in real Chromium, on a real desk: what is dragged, pressed or typed is in the plan."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from queue import Queue
from typing import Any

import numpy as np
import pytest
import soundfile

from automix.desk.desk import open_desk
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import Bus, ChannelStrip, FdnReverbSettings, Send
from tests.browser.chromium import Browser, Page

RATE = 16000
KICK_DB = -6.04321  # finer than what is shown
SEND_DB = -12.34
NAMES = ("kick", "Gesäng 歌", "bass", "loud")

# The strips alone, with an engine that makes no sound and notes who is heard alone.
MOUNT = """(async () => {
  const base = %s;
  const [{ Model }, { Choice }, { showStrips }] = await Promise.all(
    ["model.js", "choice.js", "strips.js"].map((name) => import(base + name)));
  class Silent extends EventTarget {
    position = 0;
    playing = false;
    setSolo(names) { this.solo = [...names]; }
  }
  const element = document.createElement("main");
  document.body.replaceChildren(element);
  window.model = await Model.open();
  window.engine = new Silent();
  window.said = [];
  model.addEventListener("message", ({ detail }) => said.push(detail.text));
  window.controls = await import(base + "controls.js");
  window.values = await import(base + "values.js");
  window.choice = new Choice(model, engine);
  window.strips = showStrips(element, model, engine, choice);
  window.find = (name) => document.querySelector(`[role=slider][aria-label="${name}"]`);
  window.settle = async () => {
    while (model.isBusy) await new Promise((done) => setTimeout(done, 5));
  };
  // A finger: its id, what it does, and where it is, away from the middle of the slider.
  window.touch = (name, kind, id, y, more = {}) => {
    const { left, top, width, height } = find(name).getBoundingClientRect();
    find(name).dispatchEvent(new PointerEvent(`pointer${kind}`, {
      pointerId: id, pointerType: "touch", isPrimary: id === 11, bubbles: true, cancelable: true,
      button: kind === "move" ? -1 : 0, clientX: left + width / 2, clientY: top + height / 2 + y,
      ...more }));
  };
  const capture = Element.prototype.setPointerCapture;
  Element.prototype.setPointerCapture = function (id) {
    if (id < 10) capture.call(this, id); // only real pointers can be captured
  };
})()"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("strips")
    noise = 0.1 * np.random.default_rng(1).standard_normal((2 * RATE, 2))
    soundfile.write(folder / "mono.wav", noise[:, 0], RATE, "PCM_16")
    soundfile.write(folder / "stereo.wav", noise, RATE, "PCM_16")
    kick, voice, bass, loud = (
        ChannelStrip(name=name, file=str(folder / "mono.wav"), role=role)
        for name, role in zip(NAMES, ("kick", "lead vocal", "snare", "other"), strict=True)
    )
    MixPlan(
        sample_rate_hz=RATE,
        tracks=(
            replace(
                kick,
                fader_db=KICK_DB,
                sends=(Send(bus="hall", gain_db=SEND_DB),),
                rides=(Ride(setting="sends.1.gain_db", times_s=(0.0, 1.0), values=(0.0, 3.0)),),
            ),
            replace(
                voice,
                fader_db=-2.0,
                rides=(
                    Ride(setting="pan", times_s=(0.0, 1.0), values=(0.2, 0.8)),
                    Ride(setting="fader_db", times_s=(0.0, 1.0), values=(0.0, 1.0)),
                ),
            ),
            replace(bass, file=str(folder / "stereo.wav")),
            replace(loud, fader_db=20.0),
        ),
        buses=(Bus(name="hall", reverb=FdnReverbSettings(dry_wet=1.0)),),
        decisions=tuple(
            Decision(setting=f"kick.{setting}", value=value, rule="balance", reason="as bass")
            for setting, value in (("fader_db", KICK_DB), ("invert_polarity", False))
        ),
    ).save(folder / "mix.toml")
    urls: Queue[str] = Queue()
    thread = threading.Thread(
        target=open_desk,
        args=(folder / "mix.toml",),
        kwargs={"opened": urls.put, "cache": folder / "kept"},
    )
    thread.start()
    address = urls.get(timeout=30)
    yield address
    ask(address, "quit", {"save": False})
    thread.join(30)


def ask(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def mounted(browser: Browser, url: str) -> Iterator[Page]:
    with browser.page() as page:
        page.send("Network.enable")
        page.send("Network.setBlockedURLs", urls=["*/desk.js"])  # the strips alone are shown
        page.open(url)
        page.run(MOUNT % json.dumps(url))
        before = len(page.complaints)  # of what was blocked
        yield page
        assert page.complaints[before:] == []


@pytest.fixture
def page(mounted: Page, url: str) -> Page:
    """The strips of the plan as it was opened; nothing is soloed, grouped or said."""
    ask(url, "snapshot/use", {"name": "as opened"})
    mounted.run("model.refresh()")
    mounted.wait(f"model.state.revision === {ask(url, 'state')['revision']}")
    mounted.run("choice.clearSolo(); choice.clearGroup(); said.length = 0")
    return mounted


def state(page: Page, url: str) -> Any:
    """What the server has, once all edits have arrived."""
    page.run("settle()")
    return ask(url, "state")


def track(page: Page, url: str, place: int = 0) -> Any:
    return state(page, url)["plan"]["tracks"][place]


def faders(page: Page, url: str) -> list[float]:
    return [track["fader_db"] for track in state(page, url)["plan"]["tracks"]]


def control(owner: str, name: str) -> str:
    return f"[role=slider][aria-label='{owner} {name}']"


def focus(page: Page, owner: str, name: str = "fader") -> None:
    page.run(f"find({json.dumps(f'{owner} {name}')}).focus()")


def press(page: Page, key: str, shift: bool = False) -> None:
    """On what has the focus, as keys are pressed that have more than one sign in their name."""
    options = json.dumps({"key": key, "shiftKey": shift, "bubbles": True, "cancelable": True})
    page.run(f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {options}))")


def test_a_fader_is_dragged_as_one_step(page: Page, url: str) -> None:
    x, y = page.middle(control("bass", "fader"))
    page.drag((x, y), (x, y + 40))
    moved = track(page, url, 2)["fader_db"]
    assert moved < -4
    assert state(page, url)["undo"] == f"bass fader {moved} dB".replace("-", "−")
    ask(url, "undo", {"tab": ""})
    assert track(page, url, 2)["fader_db"] == 0.0


def test_keys_move_faders_in_coarse_and_fine_steps(page: Page, url: str) -> None:
    focus(page, "Gesäng 歌")
    for key in ("ArrowUp", "ArrowUp", "PageDown"):
        press(page, key)
    assert faders(page, url)[1] == -2.0 + 0.5 + 0.5 - 3.0
    press(page, "ArrowDown", shift=True)
    assert faders(page, url)[1] == -4.1
    assert state(page, url)["undo"] == "Gesäng 歌 fader −2.1 dB"  # all of them
    focus(page, "bass", "balance")
    press(page, "ArrowUp")
    assert state(page, url)["undo"] == "bass pan 0.51"
    focus(page, "Gesäng 歌")
    press(page, "ArrowRight")
    assert page.run("document.activeElement.ariaLabel") == "bass fader"
    assert page.run("model.selected") == "bass"


def test_a_field_that_is_left_as_it_was_opened_changes_nothing(page: Page, url: str) -> None:
    before = state(page, url)["revision"]
    for leave in ("Enter", "Escape", None):
        focus(page, "kick")
        press(page, "Enter")
        assert page.run("document.activeElement.value") == "-6.0 dB"
        if leave:
            press(page, leave)
        else:
            page.run("document.activeElement.blur()")
        assert page.run("document.querySelector('.control-field')") is None
    page.run("document.querySelectorAll('.control-value')[0].click()")  # of the send
    page.run("document.activeElement.blur()")
    assert state(page, url)["revision"] == before
    assert faders(page, url)[0] == KICK_DB


def test_a_value_is_typed_and_a_double_click_goes_back_to_the_method(page: Page, url: str) -> None:
    focus(page, "kick")
    press(page, "Enter")
    page.run("document.activeElement.value = '-3.55 dB'; 0")
    press(page, "Enter")
    assert faders(page, url)[0] == -3.55
    page.run("find('kick fader').dispatchEvent(new MouseEvent('dblclick')); 0")
    assert faders(page, url)[0] == KICK_DB


def test_a_digit_or_a_sign_begins_to_type(page: Page, url: str) -> None:
    focus(page, "kick")
    press(page, "-")
    assert page.run("document.activeElement.value") == "-"
    page.run("document.activeElement.value += 'x'; 0")
    press(page, "Enter")
    assert page.run("said") == ["“-x” is no value of the fader"]
    assert page.run("document.activeElement.ariaInvalid") == "true"  # it can be mended
    page.run("document.activeElement.value = '-7,5'; 0")
    press(page, "Enter")
    assert faders(page, url)[0] == -7.5
    focus(page, "kick")
    press(page, "4")
    press(page, "Enter")
    assert faders(page, url)[0] == 4.0


def test_a_fader_reaches_as_far_as_its_value(page: Page, url: str) -> None:
    top = "document.querySelector('[data-owner={}] .fader-figures span').textContent"
    assert page.run(top.format("loud")) == "+24"
    assert page.run(top.format("kick")) == "+12"
    page.run("touch('loud fader', 'down', 11, 0); touch('loud fader', 'move', 11, 6);")
    page.run("touch('loud fader', 'up', 11, 6)")
    assert 17 < faders(page, url)[3] < 20  # it does not jump to +12
    focus(page, "bass")
    press(page, "End")
    assert faders(page, url)[2] == 12.0
    press(page, "ArrowUp")
    assert faders(page, url)[2] == 12.5
    assert page.run(top.format("bass")) == "+24"


def test_a_drag_is_given_back(page: Page, url: str) -> None:
    down = "touch('kick fader', 'down', 11, 0); touch('kick fader', 'move', 11, 30);"
    page.run(down)
    assert faders(page, url)[0] < KICK_DB - 1
    press(page, "Escape")
    assert faders(page, url)[0] == KICK_DB
    page.run("touch('kick fader', 'move', 11, 60)")  # it has ended
    assert faders(page, url)[0] == KICK_DB
    page.run(down)
    page.run("touch('kick fader', 'cancel', 11, 30)")
    assert faders(page, url)[0] == KICK_DB


def test_another_finger_does_not_take_a_drag_over(page: Page, url: str) -> None:
    page.run("touch('kick fader', 'down', 11, 0); touch('kick fader', 'move', 11, 30)")
    moved = faders(page, url)[0]
    page.run("touch('kick fader', 'down', 12, 0); touch('kick fader', 'move', 12, -60)")
    page.run("touch('kick fader', 'up', 12, -60)")
    assert faders(page, url)[0] == moved
    page.run("touch('kick fader', 'move', 11, 60); touch('kick fader', 'up', 11, 60)")
    assert faders(page, url)[0] < moved


def test_shift_is_fine_and_a_click_is_no_drag(page: Page, url: str) -> None:
    page.run("touch('bass fader', 'down', 11, 0); touch('bass fader', 'move', 11, 2)")
    page.run("touch('bass fader', 'up', 11, 2)")
    assert faders(page, url)[2] == 0.0
    shifts = []
    for more in ("{}", "{ shiftKey: true }"):
        page.run(f"touch('bass fader', 'down', 11, 0); touch('bass fader', 'move', 11, 20, {more})")
        shifts.append(faders(page, url)[2])
        press(page, "Escape")
    assert shifts[0] / shifts[1] == pytest.approx(10, rel=0.1)


def test_a_slow_drag_is_fine(page: Page, url: str) -> None:
    page.run("touch('bass fader', 'down', 11, 0); touch('bass fader', 'move', 11, 16)")
    fast = faders(page, url)[2]
    page.run(
        "(async () => { for (let y = 17; y <= 32; y += 1) {"
        " await new Promise((done) => setTimeout(done, 40));"
        " touch('bass fader', 'move', 11, y); } })()"
    )
    slow = faders(page, url)[2] - fast
    page.run("touch('bass fader', 'up', 11, 32)")
    assert 0.1 < slow / fast < 0.75


def test_sends_come_and_go(page: Page, url: str) -> None:
    focus(page, "bass", "send to hall")
    press(page, "ArrowUp")
    assert track(page, url, 2)["sends"] == [{"bus": "hall", "gain_db": -30.0}]
    shown = "find('{}').parentElement.querySelector('.control-value').textContent"
    assert page.run(shown.format("bass send to hall")) == "−30.0"
    press(page, "Home")
    assert track(page, url, 2)["sends"] == []
    assert page.run(shown.format("bass send to hall")) == "off"
    focus(page, "kick", "send to hall")
    press(page, "Enter")
    page.run("document.activeElement.value = 'off'; 0")
    press(page, "Enter")
    assert track(page, url)["sends"] == []


def test_a_send_keeps_its_ride_while_it_is_dragged_through_silence(page: Page, url: str) -> None:
    send = "kick send to hall"
    page.run(f"touch('{send}', 'down', 11, 0); touch('{send}', 'move', 11, 300)")
    assert track(page, url)["sends"] == [{"bus": "hall", "gain_db": -60.0}]
    press(page, "Escape")
    assert track(page, url)["sends"] == [{"bus": "hall", "gain_db": SEND_DB}]
    assert len(track(page, url)["rides"]) == 1
    page.run(f"touch('{send}', 'down', 11, 0); touch('{send}', 'move', 11, 300)")
    page.run(f"touch('{send}', 'up', 11, 300)")
    assert track(page, url)["sends"] == []


def test_a_group_keeps_its_distances_and_stops_where_one_of_it_ends(page: Page, url: str) -> None:
    page.run("choice.toggleGroup('kick'); choice.toggleGroup('Gesäng 歌'); 0")
    page.run("choice.moveFader('Gesäng 歌', -5, {}); 0")
    assert faders(page, url) == [pytest.approx(KICK_DB - 3, abs=1e-3), -5.0, 0.0, 20.0]
    assert state(page, url)["undo"] == "kick, Gesäng 歌 fader −3 dB"
    page.run("choice.moveFader('Gesäng 歌', -60, {}); 0")
    assert faders(page, url)[:2] == [-60.0, pytest.approx(-60 - KICK_DB - 2, abs=1e-3)]
    page.click("[aria-label='Mute kick']")
    assert [track(page, url, at)["mute"] for at in range(3)] == [True, True, False]
    assert state(page, url)["undo"] == "kick, Gesäng 歌 mute on"


def test_a_group_comes_back_to_where_its_drag_began(page: Page, url: str) -> None:
    page.run("choice.toggleGroup('kick'); choice.toggleGroup('bass'); 0")
    page.run("touch('bass fader', 'down', 11, 0); touch('bass fader', 'move', 11, 25)")
    assert faders(page, url)[0] < KICK_DB - 1
    press(page, "Escape")
    assert faders(page, url)[:3] == [KICK_DB, -2.0, 0.0]


def test_the_role_groups_the_family_and_buttons_end_group_and_solo(page: Page, url: str) -> None:
    page.click("[data-owner=kick] .strip-role")
    assert page.run("[...choice.group]") == ["kick", "bass"]  # a kick and a snare
    page.click("[aria-label='Solo kick']")
    assert page.run("engine.solo") == ["kick", "bass"]
    shown = "[...document.querySelectorAll('.strip-master .gathered button:not([hidden])')]"
    assert page.run(f"{shown}.map((button) => button.innerText)") == [
        "2 solo ×",
        "2 in the group ×",
    ]
    page.click(".strip-master .gathered-solo")
    page.click(".strip-master .gathered-group")
    assert page.run("[engine.solo.length, choice.group.size]") == [0, 0]
    assert page.run(f"{shown}.length") == 0


def test_a_ridden_pan_is_not_moved_and_says_why(page: Page, url: str) -> None:
    focus(page, "Gesäng 歌", "pan")
    press(page, "ArrowUp")
    assert page.run("said") == ["the pan of Gesäng 歌 follows its ride; remove the ride to set it"]
    assert track(page, url, 1)["pan"] == 0.5
    told = "find('{}').getAttribute('aria-valuetext')"
    assert page.run(told.format("Gesäng 歌 pan")) == "follows its ride"
    assert page.run(told.format("Gesäng 歌 fader")) == "−2.0 dB, and a ride is added"
    assert page.run(told.format("bass balance")) == "C"  # of a stereo track


def test_what_was_decided_says_why(page: Page, url: str) -> None:
    page.run("model.plan.decisions.push({ setting: 'kick.order', value: 'ecr' })")
    hidden = page.run(
        "['kick', 'bass'].flatMap((owner) => [['makeToggle', 'invert_polarity'],"
        " ['makeChoice', 'order'], ['makeSlider', 'fader_db']].map(([make, setting]) =>"
        " controls[make](model, { owner, setting, label: setting })"
        ".querySelector('.control-why').hidden))"
    )
    assert hidden == [False] * 3 + [True] * 3


def test_solo_is_no_edit(page: Page, url: str) -> None:
    before = state(page, url)["revision"]
    page.click("[aria-label='Solo bass']")
    assert page.run("engine.solo") == ["bass"]
    assert state(page, url)["revision"] == before


def test_a_bus_says_what_it_is_and_who_sends_to_it(page: Page, url: str) -> None:
    told = "document.querySelector('.strip-bus').innerText.split('\\n').slice(0, 5)"
    assert page.run(told) == ["hall", "reverb 1.6 s", "from", "kick", "−12.3"]


def test_what_has_the_focus_is_not_behind_the_master(page: Page, url: str) -> None:
    style = "document.querySelector('.strip-row').style.width"
    page.run(f"{style} = '30rem'")
    focus(page, "loud")
    press(page, "ArrowRight")
    right, left = page.run(
        "['.strip-bus', '.strip-master'].map((name) =>"
        " document.querySelector(name).getBoundingClientRect())"
        ".map(({ right, left }, at) => (at ? left : right))"
    )
    page.run(f"{style} = ''")
    assert left < 480  # over what is scrolled
    assert right <= left


def test_a_low_window_leaves_room_for_the_inspector(page: Page, url: str) -> None:
    heights = []
    for height in (600, 900, 1200):
        page.resize(1280, height)
        heights.append(page.run("document.querySelector('.strip').offsetHeight") / height)
    page.resize(1280, 900)
    assert max(heights) < 0.55


LEVEL = {"kind": "number", "unit": "dB", "low": -60, "high": 12}
FREQUENCY = {"kind": "number", "unit": "Hz", "low": 20, "high": 20000}
TIME = {"kind": "number", "unit": "ms", "low": 0, "high": 5000}
PAN = {"kind": "number", "unit": "", "low": 0, "high": 1, "about": "0 left, 0.5 center, 1 right"}
SHARE = {"kind": "number", "unit": "", "low": 0, "high": 1, "about": "0 is dry"}
RATIO = {"kind": "number", "unit": "", "low": 1, "high": 10}
THRESHOLD = {"kind": "number", "unit": "dB", "low": -60, "high": 0, "about": "0 is off"}
READ: list[tuple[dict[str, Any], str, float | None]] = [
    (LEVEL, "−3 dB", -3),
    (LEVEL, "-99", -60),
    (LEVEL, "loud", None),
    (LEVEL, "", None),
    (LEVEL, "3 Hz", None),
    (LEVEL, "1k", None),
    (LEVEL, "-inf", -60),
    (LEVEL, "−∞ dB", -60),
    (LEVEL, "off", -60),
    (LEVEL, "1e1", 10),
    (LEVEL, "+2,5dB", 2.5),
    (THRESHOLD, "off", 0),
    (FREQUENCY, "1.2k", 1200),
    (FREQUENCY, "1,2 kHz", 1200),
    (FREQUENCY, "off", None),
    (TIME, "1.5 s", 1500),
    (TIME, "15 ms", 15),
    (PAN, "L20", 0.4),
    (PAN, "C", 0.5),
    (PAN, "100 r", 1),
    (PAN, "l", 0),
    (PAN, "R", 1),
    (PAN, "-20", 0.4),
    (SHARE, "20 %", 0.2),
    (SHARE, "0.2", 0.2),
    (SHARE, "20", 0.2),
    (RATIO, "3:1", 3),
]
WRITTEN: list[tuple[dict[str, Any], float, str]] = [
    (LEVEL, -0.04, "0.0 dB"),
    (LEVEL, -3.33, "−3.3 dB"),
    (LEVEL, 1.5, "+1.5 dB"),
    (THRESHOLD, -24.0, "−24.0 dB"),
    (PAN, 0.26, "L48"),
    (PAN, 0.5, "C"),
    (PAN, 0.74, "R48"),
    (FREQUENCY, 2500, "2.5 kHz"),
    (SHARE, 0.3, "30 %"),
    (TIME, 12.34, "12.3 ms"),
]


def test_values_are_read_and_written_with_their_units(page: Page) -> None:
    for name, cases in (("parseValue", READ), ("formatValue", WRITTEN)):
        given = json.dumps([[declared, value] for declared, value, _ in cases])
        found = page.run(f"{given}.map(([declared, value]) => values.{name}(declared, value))")
        for (_, value, wanted), got in zip(cases, found, strict=True):
            close = pytest.approx(wanted) if isinstance(wanted, int | float) else wanted
            assert got == close, value
