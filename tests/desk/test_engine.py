"""The page's engine in real Chromium, against the exact console."""

from collections.abc import Iterator

import numpy as np
import pytest

from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DelaySettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    Master,
    Send,
    SpaceSettings,
    WidenerSettings,
)
from tests.browser.chromium import Browser, Page
from tests.desk.engine_songs import Bench, Song, js, open_bench

LAWS = ("linear", "constant-power", "compromise")
RATES = (44_100, 48_000, 96_000)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with open_bench() as bench:
        yield bench


@pytest.fixture(scope="module")
def page(browser: Browser, bench: Bench) -> Iterator[Page]:
    with browser.page(bench.url) as page:
        yield page
        assert page.complaints == []


def run(page: Page, script: str) -> object:
    """The value of the body of an async function that has the helpers as ``bench``."""
    return page.run(f'import("/engine_bench.js").then(async (bench) => {{ {script} }})')


def render(page: Page, bench: Bench, told: dict, frames: int, changes: str = "[]") -> np.ndarray:
    run(page, f"return bench.render('out', {js(told)}, {frames}, {changes})")
    return bench.results["out"].astype(np.float64)


def residue_db(got: np.ndarray, expected: np.ndarray) -> float:
    """The highest difference against the highest sample."""
    worst = np.abs(got - expected).max() / np.abs(expected).max()
    return float(20 * np.log10(worst + 1e-15))


def draw_ride(rng: np.random.Generator, setting: str, seconds: float, low: float, high: float) -> Ride:
    points = int(rng.integers(1, 6))
    times = np.sort(rng.uniform(0, seconds, points)) + 1e-6 * np.arange(points)
    values = rng.uniform(low, high, points)
    return Ride(setting=setting, times_s=tuple(map(float, times)), values=tuple(map(float, values)))


def draw_equalizer(rng: np.random.Generator) -> EqualizerSettings:
    kinds = ("high_pass", "low_shelf", "peak", "high_shelf")
    bands = tuple(
        EqualizerBand(
            kind=kinds[int(rng.integers(4))],
            frequency_hz=float(rng.uniform(60, 12_000)),
            gain_db=float(rng.uniform(-9, 9)),
            q=float(rng.uniform(0.3, 4)),
        )
        for _ in range(int(rng.integers(1, 4)))
    )
    return EqualizerSettings(bands=bands)


def draw_compressor(rng: np.random.Generator) -> CompressorSettings:
    return CompressorSettings(
        threshold_db=float(rng.uniform(-40, -10)),
        ratio=float(rng.uniform(1.5, 8)),
        attack_ms=float(rng.uniform(0.1, 20)),
        release_ms=float(rng.uniform(50, 400)),
        makeup_db=float(rng.uniform(-3, 6)),
    )


def draw_bus(rng: np.random.Generator, name: str, seconds: float) -> Bus:
    kind = ("network", "space", "delay", "parallel")[int(rng.integers(4))]
    processors: dict[str, object] = {}
    if kind == "network":
        processors["reverb"] = FdnReverbSettings(
            reverberation_time_s=float(rng.uniform(0.2, 0.8)), dry_wet=1.0, lines="16"
        )
    elif kind == "space":
        processors["space"] = SpaceSettings(space="plate", decay=float(rng.uniform(0.2, 1)), wet=1.0)
    elif kind == "delay":
        processors["delay"] = DelaySettings(
            time_ms=float(rng.uniform(20, 200)),
            feedback=float(rng.uniform(0, 0.4)),
            low_cut_hz=float(rng.choice([20.0, 200.0])),
            ping_pong=bool(rng.integers(2)),
            wet=1.0,
        )
    if rng.random() < 0.5:
        processors["equalizer"] = draw_equalizer(rng)
    if rng.random() < 0.5:
        processors["compressor"] = draw_compressor(rng)
    rides = (draw_ride(rng, "gain_db", seconds, -12, 6),) if rng.random() < 0.4 else ()
    return Bus(
        name=name,
        parallel=kind == "parallel",
        pre_delay_ms=float(rng.uniform(0, 80)) if rng.random() < 0.6 else 0.0,
        gain_db=float(rng.uniform(-12, 3)),
        rides=rides,
        **processors,
    )


def draw_song(seed: int, rate: int, seconds: float = 1.7) -> Song:
    """Noises that come and go, and a plan with a little of all that the page does itself."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * rate)
    buses = tuple(draw_bus(rng, f"bus {n}", seconds) for n in range(int(rng.integers(1, 4))))
    tracks, strips = {}, []
    for number in range(int(rng.integers(3, 7))):
        name = f"track {number}"
        channels = int(rng.integers(1, 3))
        envelope = np.interp(
            np.arange(frames), np.linspace(0, frames, 9), rng.uniform(0, 0.3, 9) ** 2
        )
        tracks[name] = (envelope * rng.standard_normal((channels, frames))).astype(np.float32)
        sends = tuple(
            Send(bus=bus.name, gain_db=float(rng.uniform(-15, 0)))
            for bus in buses
            if rng.random() < 0.7
        )
        rides = []
        if rng.random() < 0.5:
            rides.append(draw_ride(rng, "fader_db", seconds, -20, 6))
        if rng.random() < 0.4:
            rides.append(draw_ride(rng, "pan", seconds, 0, 1))
        if sends and rng.random() < 0.4:
            rides.append(draw_ride(rng, f"sends.{len(sends)}.gain_db", seconds, -20, 6))
        widener = WidenerSettings(side_db=-6.0) if rng.random() < 0.3 else WidenerSettings()
        strips.append(
            ChannelStrip(
                name=name,
                fader_db=float(rng.uniform(-12, 3)),
                pan=float(rng.choice([0.0, 0.5, 1.0, rng.random()])),
                mute=number > 0 and rng.random() < 0.15,
                fold=channels == 2 and rng.random() < 0.2,
                invert_polarity=bool(rng.integers(2)),
                widener=widener,
                sends=sends,
                rides=tuple(rides),
            )
        )
    master = Master(
        equalizer=draw_equalizer(rng) if rng.random() < 0.5 else EqualizerSettings(),
        compressor=draw_compressor(rng) if rng.random() < 0.5 else CompressorSettings(),
        gain_db=float(rng.uniform(-6, 6)),
        rides=(draw_ride(rng, "gain_db", seconds, -12, 3),) if rng.random() < 0.5 else (),
    )
    plan = MixPlan(
        sample_rate_hz=rate,
        pan_law=LAWS[seed % 3],
        tracks=tuple(strips),
        buses=buses,
        master=master,
    )
    return Song(plan=plan, tracks=tracks, rate=rate)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_page_plays_what_the_console_renders(page: Page, bench: Bench, seed: int) -> None:
    song = draw_song(seed, RATES[seed % 3])
    expected = song.expect()
    got = render(page, bench, bench.add(song), expected.shape[1])
    assert np.abs(expected).max() > 0.01
    assert residue_db(got, expected) < -100
