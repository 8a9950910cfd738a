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
from automix.plan.settings import Bus, ChannelStrip, Send
from tests.browser.chromium import Browser, Page

RATE = 16000
NAMES = ("kick", "Gesäng 歌", "bass")

# The strips alone, with an engine that makes no sound and notes who is heard alone.
MOUNT = """(async () => {
  const base = %s;
  const [{ Model }, { Choice }, { showStrips }] = await Promise.all(
    ["model.js", "choice.js", "strips.js"].map((name) => import(base + name)));
  document.head.append(Object.assign(
    document.createElement("link"), { rel: "stylesheet", href: "desk.css" }));
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
  window.choice = new Choice(model, engine);
  window.strips = showStrips(element, model, engine, choice);
  await new Promise((done) => setTimeout(done, 300));
})()"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("strips")
    noise = 0.1 * np.random.default_rng(1).standard_normal(2 * RATE)
    soundfile.write(folder / "noise.wav", noise, RATE, "PCM_16")
    kick, voice, bass = (ChannelStrip(name=name, file=str(folder / "noise.wav")) for name in NAMES)
    MixPlan(
        sample_rate_hz=RATE,
        tracks=(
            replace(kick, fader_db=-6.0, sends=(Send(bus="hall", gain_db=-12.0),)),
            replace(
                voice,
                fader_db=-2.0,
                rides=(Ride(setting="pan", times_s=(0.0, 1.0), values=(0.2, 0.8)),),
            ),
            bass,
        ),
        buses=(Bus(name="hall"),),
        decisions=(
            Decision(setting="kick.fader_db", value=-6.0, rule="balance", reason="as loud as bass"),
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


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    ask(url, "snapshot/use", {"name": "as opened"})
    with browser.page(url, 1280, 900) as page:
        page.run(MOUNT % json.dumps(url))
        before = len(page.complaints)  # of the page itself, which is not what is tested here
        yield page
        assert page.complaints[before:] == []


def track(page: Page, url: str, place: int = 0) -> Any:
    """A track as the server has it, once all edits have arrived."""
    page.run(
        "new Promise((done) => setTimeout(done, 60)).then(() => model.post('curve', { bands: [] }))"
        ".then(() => new Promise((done) => setTimeout(done, 150)))"
    )
    return ask(url, "state")["plan"]["tracks"][place]


def control(owner: str, name: str) -> str:
    return f"[role=slider][aria-label='{owner} {name}']"


def test_a_fader_is_dragged_as_one_step(page: Page, url: str) -> None:
    x, y = page.middle(control("bass", "fader"))
    page.drag((x, y), (x, y + 40))
    assert track(page, url, 2)["fader_db"] < -4
    ask(url, "undo", {"tab": ""})
    assert track(page, url, 2)["fader_db"] == 0.0


def test_keys_move_faders_in_coarse_and_fine_steps(page: Page, url: str) -> None:
    page.run(f'document.querySelector("{control("kick", "fader")}").focus()')
    page.press("ArrowUp")
    page.press("ArrowUp")
    page.press("PageDown")
    assert track(page, url)["fader_db"] == -6.0 + 0.5 + 0.5 - 3.0
    page.press("ArrowRight")
    assert page.run("document.activeElement.ariaLabel") == "Gesäng 歌 fader"
    assert page.run("model.selected") == "Gesäng 歌"


def test_a_value_is_typed_and_a_double_click_goes_back_to_the_method(page: Page, url: str) -> None:
    fader = control("kick", "fader")
    page.run(f'document.querySelector("{fader}").focus()')
    page.press("Enter")
    page.run("document.querySelector('.control-field').value = '-3.5 dB'")
    page.press("Enter")
    assert track(page, url)["fader_db"] == -3.5
    double = "dispatchEvent(new MouseEvent('dblclick'))"
    page.run(f'document.querySelector("{fader}").{double}')
    assert track(page, url)["fader_db"] == -6.0


def test_sends_come_and_go(page: Page, url: str) -> None:
    page.run(f'document.querySelector("{control("bass", "send to hall")}").focus()')
    page.press("ArrowUp")
    assert track(page, url, 2)["sends"] == [{"bus": "hall", "gain_db": -30.0}]
    page.press("Home")
    assert track(page, url, 2)["sends"] == []


def test_a_group_keeps_its_distances_and_stops_where_one_of_it_ends(page: Page, url: str) -> None:
    page.run("choice.toggleGroup('kick'); choice.toggleGroup('Gesäng 歌'); 0")
    page.run("choice.moveFader('kick', -9, {}); 0")
    assert [track(page, url, at)["fader_db"] for at in range(3)] == [-9.0, -5.0, 0.0]
    page.run("choice.moveFader('Gesäng 歌', -60, {}); 0")
    assert [track(page, url, at)["fader_db"] for at in range(3)] == [-60.0, -56.0, 0.0]
    page.click("[aria-label='Mute kick']")
    assert [track(page, url, at)["mute"] for at in range(3)] == [True, True, False]


def test_a_ridden_pan_is_not_moved_and_says_why(page: Page, url: str) -> None:
    page.run(f'document.querySelector("{control("Gesäng 歌", "pan")}").focus()')
    page.press("ArrowUp")
    assert page.run("said") == ["the pan of Gesäng 歌 follows its ride; remove the ride to set it"]
    assert ask(url, "state")["plan"]["tracks"][1]["pan"] == 0.5


def test_solo_is_no_edit(page: Page, url: str) -> None:
    before = ask(url, "state")["revision"]
    page.click("[aria-label='Solo bass']")
    assert page.run("engine.solo") == ["bass"]
    assert ask(url, "state")["revision"] == before


VALUES: list[tuple[dict[str, Any], str, float | None]] = [
    ({"unit": "dB", "low": -60, "high": 12}, "−3 dB", -3),
    ({"unit": "dB", "low": -60, "high": 12}, "-99", -60),
    ({"unit": "dB", "low": -60, "high": 12}, "loud", None),
    ({"unit": "Hz", "low": 20, "high": 20000}, "1.2k", 1200),
    ({"unit": "Hz", "low": 20, "high": 20000}, "1,2 kHz", 1200),
    ({"unit": "ms", "low": 0, "high": 5000}, "1.5 s", 1500),
    ({"unit": "ms", "low": 0, "high": 5000}, "15 ms", 15),
    ({"unit": "", "low": 0, "high": 1, "about": "0 left, 1 right"}, "L20", 0.4),
    ({"unit": "", "low": 0, "high": 1, "about": "0 left, 1 right"}, "C", 0.5),
    ({"unit": "", "low": 0, "high": 1, "about": "0 left, 1 right"}, "100 r", 1),
]


def test_values_are_read_with_their_units(page: Page, url: str) -> None:
    cases = json.dumps([[declared, text] for declared, text, _ in VALUES])
    read = f"({{ parseValue }}) => {cases}.map(([declared, text]) => parseValue(declared, text))"
    found = page.run(f"import('{url}controls.js').then({read})")
    assert found == pytest.approx([value for _, _, value in VALUES])
