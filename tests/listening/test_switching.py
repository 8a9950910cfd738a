"""The page's own player in real Chromium: what leaves the audio graph when stimuli are switched."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
from numpy.typing import NDArray

from automix.listening.key import PAGE_FOLDER
from tests.browser.chromium import Browser, Page
from tests.listening.listening_tests import make, write_mixes

RATE = 48000
SAMPLES = NDArray[np.float64]

RENDER = """
async ({tones, events, seconds, rate}) => {
  const offline = new OfflineAudioContext(1, seconds * rate, rate);
  const buffers = new Map(Object.entries(tones).map(([name, [frequency, gain]]) => {
    const buffer = new AudioBuffer({length: rate, sampleRate: rate});
    const samples = buffer.getChannelData(0);
    const angle = 2 * Math.PI * frequency / rate;
    for (let n = 0; n < rate; n += 1) samples[n] = gain * Math.sin(angle * n);
    return [name, buffer];
  }));
  const own = new Player(offline);
  own.load(buffers);
  own.play(Object.keys(tones)[0]);
  const fades = [];
  const fade = own.fade.bind(own);
  own.fade = (name, curve, when) => {
    fades.push([name, curve === RISE, when]);
    fade(name, curve, when);
  };
  for (const [time, calls] of events) {
    offline.suspend(time).then(() => {
      for (const [method, ...values] of calls) own[method](...values);
      offline.resume();
    });
  }
  const rendered = await offline.startRendering();
  const bytes = new Uint8Array(rendered.getChannelData(0).buffer);
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return [btoa(text), fades, FADE_S, START_S];
}
"""


TAPPED = """(() => {
  const samples = new Float32Array(tap.fftSize);
  tap.getFloatTimeDomainData(samples);
  return Array.from(samples);
})()"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test of four noises."""
    folder = tmp_path_factory.mktemp("switching")
    rng = np.random.default_rng(1)
    for method in "abcd":
        path = folder / "mixes" / "song" / f"{method}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal((16000 * 3, 2)), 16000, "PCM_24")
    make(folder / "mixes", folder / "test", questions=(), duration_s=1.3)
    return folder / "test"


@pytest.fixture(scope="module")
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    with browser.page((folder / PAGE_FOLDER / "index.html").as_uri()) as page:
        yield page
        assert page.complaints == []


def render(
    page: Page,
    tones: dict[str, tuple[float, float]],
    events: list[tuple[float, list[list[object]]]],
    seconds: float = 1.0,
) -> tuple[SAMPLES, list[tuple[str, bool, float]], float, float]:
    """Output of the page's player: samples, fades (name, rising, when), their length, the start."""
    given = {"tones": tones, "events": events, "seconds": seconds, "rate": RATE}
    text, fades, fade_s, start_s = page.run(f"({RENDER})({json.dumps(given)})")
    samples = np.frombuffer(base64.b64decode(text), np.float32).astype(float)
    return samples, [tuple(fade) for fade in fades], fade_s, start_s


def sine(frequency_hz: float, gain: float, start_s: float, seconds: float = 1.0) -> SAMPLES:
    times = np.arange(round(seconds * RATE)) / RATE - start_s
    return np.where(times >= 0, gain * np.sin(2 * np.pi * frequency_hz * times), 0.0)


def decibels(samples: SAMPLES, reference: float) -> float:
    return 20 * np.log10(np.abs(samples).max() / reference + 1e-12)


def test_what_two_stimuli_share_goes_on_as_if_there_were_no_switch(page: Page) -> None:
    tones = {"a": (440.0, 0.5), "b": (440.0, 0.5), "c": (440.0, 0.5)}
    events = [
        (0.3, [["switchTo", "b"]]),
        (0.5, [["switchTo", "c"], ["switchTo", "a"], ["switchTo", "b"]]),  # frantic
        (0.51, [["switchTo", "c"]]),
    ]
    samples, fades, fade_s, start_s = render(page, tones, events)
    assert len(fades) == 2 * 5
    steady = slice(round((start_s + fade_s) * RATE) + 1, None)
    residual = samples - sine(440, 0.5, start_s)
    assert decibels(residual[steady], 0.5) < -60
    assert decibels(residual[steady], 0.5) < -110  # what 32-bit floats leave


def test_unlike_stimuli_are_crossfaded_and_nothing_else_is_heard(page: Page) -> None:
    tones = {"a": (300.0, 0.5), "b": (1130.0, 0.05)}
    samples, fades, fade_s, start_s = render(page, tones, [(0.4321, [["switchTo", "b"]])])
    (_, falls, when), (_, rises, also) = fades
    assert (falls, rises, when) == (False, True, also)
    assert 0.01 <= fade_s <= 0.02
    assert 0.4321 < when < 0.4321 + 0.05  # heard at once
    times = np.arange(RATE) / RATE
    share = 0.5 - 0.5 * np.cos(np.pi * np.clip((times - when) / fade_s, 0, 1))
    first, second = sine(300, 0.5, start_s), sine(1130, 0.05, start_s)
    expected = (1 - share) * first + share * second
    steady = slice(round((start_s + fade_s) * RATE) + 1, None)
    assert decibels((samples - expected)[steady], 0.5) < -60
    before, after = (
        slice(steady.start, int(when * RATE)),
        slice(int((when + fade_s) * RATE) + 2, None),
    )
    assert decibels((samples - first)[before], 0.5) < -110
    assert decibels((samples - second)[after], 0.5) < -110


@pytest.mark.parametrize(
    "calls", [[["switchTo", "b"]], [["pause"]], [["seek", 0.3217]]], ids=lambda calls: calls[0][0]
)
def test_no_click_rises_above_minus_60_db(page: Page, calls: list[list[object]]) -> None:
    """Nothing of two low tones lies above 4 kHz; what does at a switch is the click."""
    tones = {"a": (300.0, 0.5), "b": (470.0, 0.1)}
    samples, fades, _, start_s = render(page, tones, [(0.4321, calls)])
    high = scipy.signal.butter(8, 4000, "highpass", fs=RATE, output="sos")
    click = scipy.signal.sosfilt(high, samples)
    assert decibels(click, 0.5) < -60
    at = round(fades[0][2] * RATE)
    hard = sine(300, 0.5, start_s)
    hard[at:] = sine(470, 0.1, start_s)[at:]
    hard[: round((start_s + 0.1) * RATE)] = 0
    assert decibels(scipy.signal.sosfilt(high, hard)[at - 9 :], 0.5) > -40  # the test can fail


def test_all_stimuli_play_and_switching_keeps_the_position(page: Page, folder: Path) -> None:
    """The samples on their way to the loudspeakers, by a tap in the live audio graph."""
    page.click(".next")
    page.wait("document.querySelector('.knob')")
    page.run(
        "globalThis.tap = new AnalyserNode(context, {fftSize: 32768});"
        "tap.connect(context.destination); player.output = tap"
    )
    assert page.run("context.sampleRate") == 16000
    heard = []
    for key in "1324":
        page.press(key)
        page.run("new Promise((resolve) => setTimeout(resolve, 350))")
        heard.append(page.run("player.heard"))
    tapped = np.array(page.run(TAPPED))
    stimuli = {
        name: np.array(
            page.run(
                f"buffers.get({json.dumps(name)}).then((b) => Array.from("
                "b.getChannelData(0), (x, n) => (x + b.getChannelData(1)[n]) / 2))"
            )
        )
        for name in heard
    }
    assert len(set(heard)) == 4
    length = len(stimuli[heard[0]])
    assert length == round(1.3 * 16000)
    offsets = []
    position = len(tapped)
    for name in reversed(heard):  # the tap ends with what was heard last
        offset, run = _longest_match(tapped[:position], stimuli[name])
        assert run.stop - run.start > 0.2 * 16000
        offsets.append(offset)
        position = run.start
    assert len(set(offsets)) == 1  # one clock for all of them, to the sample


def _longest_match(tapped: SAMPLES, stimulus: SAMPLES) -> tuple[int, slice]:
    """Where in the tap the looped stimulus lies, exactly, and at which offset."""
    length = len(stimulus)
    probe = tapped[-3000:-1500]
    looped = np.concatenate([stimulus, stimulus])
    products = scipy.signal.correlate(looped, probe, "valid")[:length]
    start = int(np.argmax(products))
    offset = (start - (len(tapped) - 3000)) % length
    expected = stimulus[(np.arange(len(tapped)) + offset) % length]
    same = np.abs(tapped - expected) < 1e-6
    breaks = np.flatnonzero(~same[: len(tapped) - 1500])
    first = int(breaks[-1]) + 1 if len(breaks) else 0
    return offset, slice(first, len(tapped) - 1500)


def test_no_switch_clicks_in_the_live_graph_either(browser: Browser, tmp_path: Path) -> None:
    """A page that is held up between two orders may click; a player that does, does so always."""
    mixes = write_mixes(tmp_path / "mixes", 1, methods="ab")  # 300 and 470 Hz
    make(mixes, tmp_path / "test", questions=(), bits="24")
    high = scipy.signal.butter(8, 3000, "highpass", fs=16000, output="sos")
    clicks_db: list[float] = []
    with browser.page((tmp_path / "test" / "page" / "index.html").as_uri()) as page:
        page.click(".next")
        page.wait("document.querySelector('.knob')")
        page.run(
            "globalThis.tap = new AnalyserNode(context, {fftSize: 16384});"
            "tap.connect(context.destination); player.output = tap"
        )
        page.press("1")
        while len(clicks_db) < 3 and min(clicks_db, default=0) >= -60:
            page.run(
                "(async () => { for (let n = 0; n < 30; n += 1) {"
                "await new Promise((resolve) => setTimeout(resolve, 37));"
                "player.switchTo(order[0].stimuli[(n + 1) % 2]); } })()"
            )
            tapped = np.array(page.run(TAPPED))
            assert np.abs(tapped).max() > 0.02
            click = scipy.signal.sosfilt(high, tapped)[1000:]
            clicks_db.append(decibels(click, np.abs(tapped).max()))
    assert min(clicks_db) < -60


def test_pausing_keeps_the_position_too(page: Page) -> None:
    page.press(" ")
    page.wait("!player.playing")
    position = page.run("player.position")
    assert page.run("new Promise((r) => setTimeout(() => r(player.position), 80))") == position
    page.press(" ")
    page.wait("player.playing")
    assert page.run("player.offset") == position


def test_stimuli_reach_the_graph_bit_for_bit(browser: Browser, tmp_path: Path) -> None:
    """Decoded in the page, a stimulus is the FLAC file that was written."""
    make(write_mixes(tmp_path / "mixes", 1), tmp_path / "test", questions=(), bits="24")
    name = next((tmp_path / "test" / "page" / "audio").iterdir()).stem
    text = (tmp_path / "test" / "page" / "audio" / f"{name}.js").read_text()
    samples, _ = soundfile.read(io.BytesIO(base64.b64decode(text.split('"')[3])))
    with browser.page((tmp_path / "test" / "page" / "index.html").as_uri()) as page:
        page.click(".next")
        page.wait("document.querySelector('.knob')")
        for channel in (0, 1):
            decoded = page.run(
                f"buffers.get('{name}').then((b) => Array.from(b.getChannelData({channel})))"
            )
            assert np.abs(np.array(decoded) - samples[:, channel]).max() < 2**-23
