"""The inspector in real Chromium, on a real desk: what is drawn or pressed is in the plan."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
import soundfile

from automix.desk.desk import open_desk
from automix.dsp.equalizer import response_db
from automix.dsp.processors import processors_of
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    Send,
)
from tests.browser.chromium import Browser, Page

RATE, SECONDS = 16000, 12
BASS = "bässe"
FIRST_DB = 0.12345678901  # as no hand would write it: it stays to the last bit

# The inspector alone, with an engine that makes no sound and notes what it is told.
MOUNT = """(async () => {
  const base = %s;
  const [{ Model }, { showInspector }] = await Promise.all(
    ["model.js", "inspector.js"].map((name) => import(base + name)));
  document.head.append(...["desk.css", "inspector.css"].map((href) =>
    Object.assign(document.createElement("link"), { rel: "stylesheet", href })));
  class Silent extends EventTarget {
    position = 0;
    playing = false;
    loop = null;
    readings = {};
    seek(frame) { this.position = frame; this.dispatchEvent(new Event("state")); }
    setLoop(start, end) { this.loop = end === null ? null : { start, end }; }
  }
  const element = document.createElement("main");
  document.body.replaceChildren(element);
  window.model = await Model.open();
  window.engine = new Silent();
  window.said = [];
  model.addEventListener("message", ({ detail }) => said.push(detail.text));
  model.select(%s);
  window.parts = showInspector(element, model, engine);
  await new Promise((done) => setTimeout(done, 300));
})()"""


def make_plan(folder: Path) -> MixPlan:
    rng = np.random.default_rng(3)
    for name in ("bass.wav", "voice.wav"):
        noise = 0.2 * rng.standard_normal(RATE * SECONDS)
        soundfile.write(folder / name, noise, RATE, "PCM_24")
    bass = ChannelStrip(
        name=BASS,
        file=str(folder / "bass.wav"),
        equalizer=EqualizerSettings(
            bands=(
                EqualizerBand(frequency_hz=200.0, gain_db=-3.0, q=1.0),
                EqualizerBand(kind="high_shelf", frequency_hz=4000.0, gain_db=2.0),
            )
        ),
        compressor=CompressorSettings(threshold_db=-24.0, ratio=3.0),
        sends=(Send(bus="hall", gain_db=-12.0),),
    )
    voice = ChannelStrip(
        name="voice",
        file=str(folder / "voice.wav"),
        rides=(Ride(setting="fader_db", times_s=(1.0, 2.0, 6.0), values=(FIRST_DB, 3.0, -2.0)),),
    )
    decision = Decision(
        setting=f"{BASS}.compressor.ratio",
        value=3.0,
        rule="compression",
        reason="crest factor 14.3 dB",
        figures=(("crest_db", 14.3), ("mix_lufs", -14.2)),
    )
    return MixPlan(
        sample_rate_hz=RATE,
        tracks=(bass, voice),
        buses=(Bus(name="hall"),),
        decisions=(decision,),
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
            self.url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def saved(self) -> MixPlan:
        self.post("save", {})
        return MixPlan.load(self.file)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("inspector")
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


@pytest.fixture(scope="module")
def mounted(browser: Browser, desk: Desk) -> Iterator[Page]:
    with browser.page(desk.url, 1280, 900) as page:
        page.run(MOUNT % (json.dumps(desk.url), json.dumps(BASS)))
        page.wait("document.querySelector('.wave-shape')?.width > 300")
        yield page


@pytest.fixture
def page(mounted: Page, desk: Desk) -> Iterator[Page]:
    """The page as it was opened, with the bass selected."""
    desk.post("snapshot/use", {"name": "as opened"})
    mounted.run(f"model.refresh().then(() => model.select({json.dumps(BASS)}))")
    yield mounted
    assert mounted.run("said.splice(0)") == []


def settle(page: Page) -> None:
    """Until the desk has answered for every edit of the page."""
    page.run(
        "model.post('curve', { bands: [] }).then(() => new Promise((d) => setTimeout(d, 150)))"
    )


def box(page: Page, selector: str) -> tuple[float, float, float, float]:
    x, y, width, height = page.run(
        f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
        " e.scrollIntoView({block: 'nearest'}); const b = e.getBoundingClientRect();"
        " return [b.x, b.y, b.width, b.height]; })()"
    )
    return x, y, width, height


def seconds(desk: Desk) -> float:
    state = desk.state()
    return float(state["sound"]["length"] / state["rate"])


def test_a_ride_drawn_with_the_pencil_is_in_the_file(desk: Desk, page: Page) -> None:
    page.click(".wave-pencil")
    left, top, width, height = box(page, ".wave-points")
    page.drag((left + 200, top + 40), (left + 700, top + 110))
    page.click(".wave-pencil")
    settle(page)
    (ride,) = desk.saved().tracks[0].rides
    assert ride.setting == "fader_db"
    # The grid beside an empty line goes from +12 to −18 dB, 8 pixels from the edges.
    a_pixel_s = seconds(desk) / width
    a_pixel_db = 30.0 / (height - 16)
    drawn = {
        time: 12.0 - (y - 8) * a_pixel_db
        for time, y in (((200 * a_pixel_s), 40), ((700 * a_pixel_s), 110))
    }
    for time, value in drawn.items():
        at = int(np.argmin(np.abs(np.array(ride.times_s) - time)))
        assert ride.times_s[at] == pytest.approx(time, abs=a_pixel_s)
        assert ride.values[at] == pytest.approx(value, abs=a_pixel_db)
    middle = np.interp(450 * a_pixel_s, ride.times_s, ride.values)
    assert middle == pytest.approx(12.0 - (75 - 8) * a_pixel_db, abs=1.5 * a_pixel_db)
    assert (ride.values[0], ride.values[-1]) == (0.0, 0.0)  # before and after, nothing changes
    assert desk.state()["undo"] is not None
    desk.post("undo", {"tab": ""})
    assert desk.state()["plan"]["tracks"][0]["rides"] == []  # one gesture is one step


def test_points_are_moved_walked_and_deleted_by_keys(desk: Desk, page: Page) -> None:
    page.run("model.select('voice')")
    page.run("document.querySelector('.wave-points').focus()")
    spoken = (
        "document.getElementById(document.querySelector('.wave-points')"
        ".getAttribute('aria-activedescendant')).textContent"
    )
    page.press("ArrowRight")
    assert page.run(spoken) == "0:02.00, +3.0 dB"
    page.press("ArrowUp")
    page.press("ArrowUp")
    assert page.run(spoken) == "0:02.00, +4.0 dB"
    page.press("End")
    assert page.run(spoken) == "0:06.00, −2.0 dB"
    page.press("Delete")
    settle(page)
    (ride,) = desk.saved().tracks[1].rides
    assert (ride.times_s, ride.values) == ((1.0, 2.0), (FIRST_DB, 4.0))
    page.run("engine.seek(4 * model.state.rate)")
    page.press("Enter")
    settle(page)
    (ride,) = desk.saved().tracks[1].rides
    assert (ride.times_s, ride.values) == ((1.0, 2.0, 4.0), (FIRST_DB, 4.0, 4.0))


def test_a_ride_is_removed_and_comes_back_as_the_plan_was_opened(desk: Desk, page: Page) -> None:
    page.run("model.select('voice')")
    page.click(".wave-tools [aria-label='Remove this ride']")
    settle(page)
    assert desk.state()["plan"]["tracks"][1]["rides"] == []
    page.wait("document.querySelector('[aria-label^=\"As opened\"]:not([hidden])')")
    page.click("[aria-label^='As opened']")
    settle(page)
    (ride,) = desk.saved().tracks[1].rides
    assert (ride.times_s, ride.values) == ((1.0, 2.0, 6.0), (FIRST_DB, 3.0, -2.0))


def test_the_ruler_seeks_and_loops(desk: Desk, page: Page) -> None:
    left, top, width, _ = box(page, ".wave-ruler-hit")
    page.drag((left + 300, top + 10), (left + 300, top + 10))
    a_pixel = seconds(desk) * RATE / width
    assert page.run("engine.position") == pytest.approx(300 * a_pixel, abs=a_pixel)
    page.drag((left + 600, top + 10), (left + 200, top + 10))
    loop = page.run("engine.loop")
    assert loop["start"] == pytest.approx(200 * a_pixel, abs=a_pixel)
    assert loop["end"] == pytest.approx(600 * a_pixel, abs=a_pixel)


def test_a_band_is_dragged_on_its_curve(desk: Desk, page: Page) -> None:
    left, top, width, height = box(page, ".eq-layer")
    per_db = (height / 2 - 12) / 12
    x = left + width * np.log(200 / 20) / np.log(1000)
    y = top + height / 2 + 3.0 * per_db
    page.drag((x, y), (x + 100, y - 5 * per_db))
    settle(page)
    band = desk.saved().tracks[0].equalizer.bands[0]
    wanted_hz = 200.0 * 1000.0 ** (100 / width)
    assert band.frequency_hz == pytest.approx(wanted_hz, rel=1000.0 ** (1 / width) - 1)
    assert band.gain_db == pytest.approx(2.0, abs=1 / per_db)
    assert (band.q, band.kind) == (1.0, "peak")
    settings = desk.saved().tracks[0].equalizer
    curve = page.run("parts.equalizer.curve")
    expected = response_db(settings, np.array(curve["frequencies_hz"]), RATE)
    np.testing.assert_allclose(curve["db"], expected, atol=1e-6)


def test_bands_are_added_turned_by_keys_and_deleted(desk: Desk, page: Page) -> None:
    page.click(".eq-add")
    page.press("ArrowUp")
    page.press("ArrowUp")
    page.press("ArrowRight")
    settle(page)
    band = desk.saved().tracks[0].equalizer.bands[2]
    assert band.gain_db == 1.0
    assert band.frequency_hz == pytest.approx(1000.0 * 2 ** (1 / 12), abs=1.0)
    page.press("Delete")
    settle(page)
    assert len(desk.saved().tracks[0].equalizer.bands) == 2


def test_a_compressor_is_switched_off_and_on_as_it_was(desk: Desk, page: Page) -> None:
    switch = "[role='switch'][aria-label='compressor']"
    before = desk.saved().tracks[0].compressor
    page.click(switch)
    settle(page)
    assert not desk.saved().tracks[0].compressor.is_active
    assert page.run(f'document.querySelector("{switch}").ariaChecked') == "false"
    page.click(switch)
    settle(page)
    assert desk.saved().tracks[0].compressor == before


def test_what_is_off_is_switched_on_so_that_it_does_something(desk: Desk, page: Page) -> None:
    strip = desk.saved().tracks[0]
    off = [row for row in processors_of(ChannelStrip) if not row.is_active(strip)]
    assert len(off) > 5
    for row in off:
        page.click(f"[role='switch'][aria-label='{row.title}']")
    settle(page)
    strip = desk.saved().tracks[0]
    assert [row.name for row in off if not row.is_active(strip)] == []


def test_why_says_the_reason_and_returns_to_the_method(desk: Desk, page: Page) -> None:
    page.run(
        f"model.edit([{{ owner: {json.dumps(BASS)}, setting: 'compressor.ratio', value: 5 }}])"
    )
    page.run("document.querySelector('.inspector-why').open = true")
    page.wait("document.querySelector('.why-chip')")
    page.click(".why-chip")
    text = page.run("document.querySelector('.why-bubble').innerText")
    assert "Crest factor 14.3 dB" in text
    assert "mix −14.2 LUFS" in text
    assert "crest 14.3 dB" in text
    page.press("Escape")
    assert page.run("document.querySelector('.why-bubble')") is None
    assert page.run("document.activeElement.className").startswith("why-chip")
    page.press("Enter")
    page.click(".why-return")
    settle(page)
    assert desk.saved().tracks[0].compressor.ratio == 3.0


def test_the_masker_is_the_sum_of_the_other_tracks(desk: Desk, page: Page) -> None:
    page.wait("parts.hearing.of('voice') && parts.hearing.of('hall') === undefined")
    sums = page.run(
        "import(document.baseURI + 'hearing.js').then(({ sumSpectra, feedersOf }) => {"
        " const all = sumSpectra(parts.hearing, feedersOf(model, 'master'));"
        " return [parts.hearing.of('voice').spectrum.db, parts.hearing.of(model.selected)"
        ".spectrum.db, all.db]; })"
    )
    voice, bass, both = (10.0 ** (np.array(levels) / 10) for levels in sums)
    np.testing.assert_allclose(voice + bass, both, rtol=1e-3)


def test_points_are_moved_chosen_by_a_box_and_added_with_the_mouse(desk: Desk, page: Page) -> None:
    page.run("model.select('voice')")
    left, top, width, height = box(page, ".wave-points")
    a_pixel_s, a_pixel_db = seconds(desk) / width, 30.0 / (height - 16)

    def place(time_s: float, value: float) -> tuple[float, float]:
        return left + time_s / a_pixel_s, top + 8 + (12.0 - value) / a_pixel_db

    x, y = place(2.0, 3.0)
    page.drag((x, y), (x + 60, y + 25))
    settle(page)
    (ride,) = desk.saved().tracks[1].rides
    assert ride.times_s[1] == pytest.approx(2.0 + 60 * a_pixel_s, abs=a_pixel_s)
    assert ride.values[1] == pytest.approx(3.0 - 25 * a_pixel_db, abs=a_pixel_db)
    assert (ride.times_s[::2], ride.values[::2]) == ((1.0, 6.0), (FIRST_DB, -2.0))

    page.drag(place(6.0, -2.0), (left + 2, place(6.0, -2.0)[1]))  # no further than its neighbor
    settle(page)
    (ride,) = desk.saved().tracks[1].rides
    assert ride.times_s[2] == pytest.approx(ride.times_s[1] + 0.001)

    page.drag(place(9.0, -2.0), place(9.0, -6.0))  # the line itself: a new point
    settle(page)
    (ride,) = desk.saved().tracks[1].rides
    assert ride.times_s[3] == pytest.approx(9.0, abs=a_pixel_s)
    assert ride.values[3] == pytest.approx(-6.0, abs=a_pixel_db)

    page.drag(place(0.5, 9.0), place(4.0, -5.0))
    page.press("Delete")
    settle(page)
    (ride,) = desk.saved().tracks[1].rides
    assert len(ride.times_s) == 1
    page.press("Delete")
    settle(page)
    assert desk.saved().tracks[1].rides == ()


def test_points_are_copied_to_the_playhead(desk: Desk, page: Page) -> None:
    page.run("model.select('voice')")
    page.run("document.querySelector('.wave-points').focus()")
    page.run("engine.seek(8 * model.state.rate)")
    for key in "acvl":
        page.run(
            "document.querySelector('.wave-points').dispatchEvent(new KeyboardEvent('keydown',"
            f" {{ key: '{key}', ctrlKey: {str(key != 'l').lower()}, bubbles: true }}))"
        )
    settle(page)
    (ride,) = desk.saved().tracks[1].rides
    at = [ride.times_s.index(time) for time in (1.0, 2.0, 6.0, 8.0, 9.0)]
    assert [ride.values[place] for place in at] == pytest.approx(
        [FIRST_DB, 3.0, -2.0, FIRST_DB, 3.0], abs=0.0005
    )
    assert page.run("engine.loop") == {"start": 8 * RATE, "end": pytest.approx(13 * RATE, abs=RATE)}


def test_a_ride_of_the_pan_stands_in_the_place_of_the_pan(desk: Desk, page: Page) -> None:
    page.run(
        "(() => { const choice = document.querySelector('.wave-choice'); choice.value = 'pan';"
        " choice.dispatchEvent(new Event('change')); })()"
    )
    page.run("document.querySelector('.wave-points').focus()")
    for key in ("Enter", "ArrowUp"):
        page.press(key)
    settle(page)
    (ride,) = desk.saved().tracks[0].rides
    assert (ride.setting, ride.values) == ("pan", (0.52,))


def test_thinned_lines_stay_within_their_tolerance_and_times_rise(page: Page) -> None:
    raw, thinned, drawn = page.run(
        """import(document.baseURI + "ridelines.js").then(({ thin, drawOver, legalize }) => {
          let state = 1;
          const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
          const times = Array.from({ length: 500 }, (_, at) => 3 + at / 50);
          let value = 0;
          const values = times.map(() => (value += random() - 0.5));
          const thinned = thin({ times, values }, 50, 6, 0.75);
          const line = { times: [1, 3.001, 5, 12.98, 12.99, 20], values: [0, 1, 2, 3, 4, 5] };
          const over = drawOver(line, thinned, 0);
          return [{ times, values }, thinned, legalize(over, { low: -60, high: 24 })];
        })"""
    )
    assert len(thinned["times"]) < len(raw["times"])
    found = np.interp(raw["times"], thinned["times"], thinned["values"])
    assert np.max(np.abs(found - raw["values"])) <= 0.75 / 6 * np.hypot(1, 3)  # across the slope
    assert (np.diff(drawn["times"]) > 0).all()
    assert (drawn["times"][0], drawn["times"][-1]) == (1, 20)
    assert (drawn["values"][0], drawn["values"][-1]) == (0, 5)
    inside = np.interp(thinned["times"], drawn["times"], drawn["values"])
    np.testing.assert_allclose(inside, thinned["values"], atol=0.001)


@pytest.mark.parametrize(("owner", "name"), [("master", "limiter"), ("master", "compressor")])
def test_the_master_is_switched_on_too(desk: Desk, page: Page, owner: str, name: str) -> None:
    page.run(f"model.select({json.dumps(owner)})")
    page.click(f"[role='switch'][aria-label='{name}']")
    settle(page)
    assert getattr(desk.saved().master, name).is_active


def test_one_of_the_reverberations_of_a_bus_is_heard(desk: Desk, page: Page) -> None:
    page.run("model.select('hall')")
    page.click("[role='switch'][aria-label='delay']")
    settle(page)
    bus = desk.saved().buses[0]
    assert (bus.delay.is_active, bus.space.is_active) == (True, False)
    assert page.run("document.activeElement.ariaLabel") == "delay"  # the focus stays where it was
    page.click("[role='switch'][aria-label='space']")
    settle(page)
    bus = desk.saved().buses[0]
    assert (bus.delay.is_active, bus.space.is_active) == (False, True)


def test_readings_are_told_in_words_and_the_peak_is_held(desk: Desk, page: Page) -> None:
    page.run(
        """import(document.baseURI + "readings.js").then(({ showReadings }) => {
          window.shown = document.createElement("div");
          document.body.prepend(window.shown);
          showReadings(window.shown, model, engine);
          window.tell = (master) => {
            engine.readings = { master };
            engine.dispatchEvent(new Event("readings"));
          };
          const still = { momentary: -17.26, shortTerm: -18, integrated: -16.4,
            correlation: -0.25 };
          tell({ ...still, truePeak: -0.5 });
          tell({ ...still, truePeak: -9 });
        })"""
    )
    values = (
        "[...document.querySelectorAll('.reading:not([hidden]) .reading-value')]"
        ".map((value) => value.textContent)"
    )
    assert page.run(values) == ["−17.3", "−18.0", "−16.4", "−0.5", "−0.25"]
    page.click("button.reading")
    page.run("tell({ momentary: -Infinity, shortTerm: -90, integrated: null, truePeak: -9 })")
    assert page.run(values) == ["−∞", "−∞", "−∞", "−9.0", "–"]
    page.run("document.querySelector('.readings').remove()")


def test_a_close_view_shows_the_samples_themselves(desk: Desk, page: Page) -> None:
    key = desk.state()["sound"]["tracks"]["voice"]["key"]
    with urllib.request.urlopen(f"{desk.url}sound/0?keys={key}") as answer:
        samples = np.frombuffer(answer.read(), "<f4").astype(np.float64)
    page.wait("parts.hearing.of('voice')")
    view = {"owner": "voice", "from": 1.00002, "to": 1.10002, "width": 200, "length": SECONDS}
    shown = page.run(
        f"""import(document.baseURI + "outline.js").then(async ({{ Outline }}) => {{
          const outline = new Outline(model, parts.hearing, () => {{}});
          outline.columns({json.dumps(view)});
          await new Promise((done) => setTimeout(done, 300));
          const {{ lows, highs }} = outline.columns({json.dumps(view)});
          const {{ low, high }} = parts.hearing.of("voice").overview;
          return [[...lows], [...highs], Math.max(...high, ...low.map((value) => -value)) / 127];
        }})"""
    )
    lows, highs, peak = (np.array(values) for values in shown)
    frames = (RATE * (1.00002 + 0.1 * np.arange(201) / 200)).astype(int)  # of the edges of columns
    for at in range(200):
        stretch = samples[frames[at] : frames[at + 1] + 1] / peak
        assert highs[at] == pytest.approx(min(stretch.max(), 1.0), abs=1e-6)
        assert lows[at] == pytest.approx(max(stretch.min(), -1.0), abs=1e-6)
