"""The report: its curves are physics, its players play the mix, and it survives hostile names."""

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile

from automix.analysis.finished_music import (
    WIDTH_BANDS_HZ,
    WIDTH_LOWER_QUARTILE_DB,
    WIDTH_UPPER_QUARTILE_DB,
)
from automix.analysis.program import measure
from automix.audio.samples import Audio
from automix.mixing.spine import render_plan
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.rides import Ride
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    LimiterSettings,
    Master,
    Send,
)
from automix.report import diagrams, report_page
from automix.report.drawing import Axis, Diagram, frequency_axis
from automix.report.hearing import hear_mix, loudest_part
from automix.report.rides import LevelMeter
from automix.session.tracks import Session, Track

RATE = 44_100


def music(seconds=4.0, seed=0, channels=2):
    rng = np.random.default_rng(seed)
    frames = round(seconds * RATE)
    beat = np.exp(-(np.arange(frames) % 20_000) / 5_000)
    return (0.2 * beat * rng.standard_normal((channels, frames))).astype(np.float32)


def page_of(tracks, plan=None, warnings=(), notes=()):
    session = Session(
        tracks=tuple(
            Track(name=name, role="other", source=Audio(samples, RATE))
            for name, samples in tracks.items()
        )
    )
    plan = plan or MixPlan(tracks=tuple(ChannelStrip(name=name) for name in tracks))
    mix = replace(render_plan(session, plan), warnings=tuple(warnings))
    return report_page("my mix", mix, plan, session, measure(mix.source), notes), mix


class Page(HTMLParser):
    """Tags, attributes, and the text between."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def numbers(path):
    return np.array(
        [list(map(float, point.split())) for point in re.findall(r"[ML]([^ML]+)", path)]
    )


def curve(svg, kind):
    (path,) = re.findall(rf'class="curve {kind}" d="([^"]+)"', svg)
    return numbers(path)


def test_a_curve_goes_through_its_points():
    axis = Axis(low=0.0, high=10.0, ticks=(0, 10))
    diagram = Diagram(title="a", x=frequency_axis(10.0, 1000.0), y=axis, width=168.0, height=134.0)
    points = diagram.points(np.array([10.0, 100.0, 1000.0]), np.array([0.0, 5.0, 99.0]))
    assert points == [(52.0, 108.0), (102.0, 58.0), (152.0, 8.0)]


def test_the_equalizer_curve_shows_the_gain_where_it_is():
    band = EqualizerBand(frequency_hz=1000.0, gain_db=6.0, q=2.0)
    svg = diagrams.equalizer_curve(EqualizerSettings(bands=(band,)), RATE, "a")
    points = curve(svg, "after")
    top = points[points[:, 1].argmin()]
    # ±6 dB from the bottom, 124, to the top, 8; 1 kHz at log(50)/log(1000) of 272
    assert top[1] == pytest.approx(8.0, abs=0.2)
    assert top[0] == pytest.approx(52 + 272 * np.log(50) / np.log(1000), abs=1.5)
    assert points[0, 1] == pytest.approx(66.0, abs=0.5)
    assert diagrams.equalizer_curve(EqualizerSettings(), RATE, "a") is None


def test_the_compressor_curve_bends_at_the_threshold():
    settings = CompressorSettings(threshold_db=-30.0, ratio=4.0)
    points = curve(diagrams.compressor_curve(settings, "a"), "after")
    across, up = points.T
    level, output = (across - 52) / 122 * 60 - 60, (124 - up) / 116 * 60 - 60
    np.testing.assert_allclose(
        output, np.where(level < -30, level, -30 + (level + 30) / 4), atol=0.2
    )
    assert diagrams.compressor_curve(CompressorSettings(), "a") is None


def test_the_width_stands_before_the_range_of_finished_mixes():
    before, after = np.full(8, -np.inf), np.linspace(-35.0, 0.0, 8)
    svg = diagrams.width(before, after)
    # 0 dB at 8, −40 dB at 194; 20 Hz … 16 kHz from 52 to 704
    across, up = curve(svg, "after").T
    np.testing.assert_allclose(up[::2], 8 - after / 40 * 186, atol=0.1)
    edges = np.log(np.ravel(WIDTH_BANDS_HZ) / 20) / np.log(800)
    np.testing.assert_allclose(across, 52 + 652 * edges, atol=0.1)
    assert set(curve(svg, "before")[:, 1]) == {194.0}
    (corners,) = re.findall(r'class="usual" points="([^"]+)"', svg)
    heights = [float(corner.split(",")[1]) for corner in corners.split()]
    wanted = [*np.repeat(WIDTH_UPPER_QUARTILE_DB, 2), *np.repeat(WIDTH_LOWER_QUARTILE_DB, 2)[::-1]]
    np.testing.assert_allclose(heights, 8 - np.array(wanted) / 40 * 186, atol=0.1)


def reductions_of(page):
    """By card, the processors and their figures."""
    cards = re.findall(r"<article><h3>(.*?)</h3>(.*?)</article>", page, re.DOTALL)
    told = r"<p>([^<]+), gain reduction: median ([\d.]+) dB, 95th percentile ([\d.]+) dB"
    return {
        name: {title: (float(a), float(b)) for title, a, b in re.findall(told, card)}
        for name, card in cards
    }


def test_the_cards_tell_how_far_processors_turn_down():
    level = np.full((1, 4 * RATE), 0.25, np.float32)
    level[0, ::2] *= -1  # −12.04 dB at every sample, all of it above every corner
    level[0, -RATE:] = 0.0
    hard = CompressorSettings(threshold_db=-32.04, ratio=2.0, attack_ms=0.1, makeup_db=5.0)
    de_esser = DeEsserSettings(frequency_hz=4_000.0, threshold_db=-6.0, max_reduction_db=4.0)
    plan = MixPlan(
        tracks=(
            ChannelStrip(name="a", de_esser=de_esser, compressor=hard, order="cer", fader_db=-3.0),
            ChannelStrip(name="b", fader_db=-60.0),
            ChannelStrip(name="c", compressor=hard, mute=True),
            ChannelStrip(
                name="d", compressor=CompressorSettings(threshold_db=-1.0), fader_db=-60.0
            ),
        ),
        master=Master(
            compressor=CompressorSettings(threshold_db=-40.0, ratio=4.0, attack_ms=0.1),
            gain_db=20.0,
            limiter=LimiterSettings(ceiling_dbtp=-6.0),
        ),
    )
    page, mix = page_of(dict.fromkeys("abcd", level), plan)
    found = reductions_of(page)
    assert list(found["a"]) == ["compressor", "de-esser"]
    assert found["a"]["compressor"] == pytest.approx((10.0, 10.0), abs=0.15)  # half of 20 dB
    assert found["a"]["de-esser"] == pytest.approx((4.0, 4.0), abs=0.15)
    assert found["b"] == found["c"] == found["d"] == {}
    assert "compressor: no gain reduction" in page
    # What enters the master: −12.04 −10 +5 −4 −3 −3 (pan) dB, and tracks of −75 dB and less beside.
    over_db = -27.05 + 40.0
    assert list(found["master"]) == ["compressor", "limiter"]
    assert found["master"]["compressor"][0] == pytest.approx(0.75 * over_db, abs=0.2)
    enters_db = -27.05 - 0.75 * over_db + 20.0
    assert found["master"]["limiter"][0] == pytest.approx(max(0.0, enters_db + 6.0), abs=0.3)
    assert mix.source.frames == 4 * RATE


def test_a_fold_and_a_reverb_before_the_compressor_are_heard():
    samples = np.full((2, 2 * RATE), 0.25, np.float32)
    samples[1] *= -1.0  # nothing is left of it in mono
    samples[:, :RATE] = 0.25
    hard = CompressorSettings(threshold_db=-32.04, ratio=2.0, attack_ms=0.1)
    wet = FdnReverbSettings(reverberation_time_s=0.2, dry_wet=0.5)
    plan = MixPlan(
        tracks=(
            ChannelStrip(name="a", fold=True, compressor=hard),
            ChannelStrip(name="b", reverb=wet, compressor=hard, order="rec"),
        )
    )
    found = reductions_of(page_of({"a": samples, "b": np.ascontiguousarray(samples[:1])}, plan)[0])
    assert found["a"]["compressor"][0] == pytest.approx(10.0, abs=0.15)
    assert found["b"]["compressor"][0] > 1.0


def test_a_ride_is_drawn_through_its_points_above_the_level():
    ride = Ride(times_s=(1.0, 3.0), values=(-6.0, 3.0))
    level_db = np.array([-np.inf, -20.0, 0.0, -40.0, -60.0])
    svg = diagrams.ride_curve(ride, level_db, 4.0, unit="dB", name="a")
    # 4 s from 52 to 524, and −6 … +3 dB from 104 to 8; constant before and after the points
    assert curve(svg, "after").tolist() == [[52, 104], [170, 104], [406, 8], [524, 8]]
    assert curve(svg, "line").tolist() == [[52, 40], [524, 40]]  # 0 dB
    (corners,) = re.findall(r'class="level" points="([^"]+)"', svg)
    heights = [float(corner.split(",")[1]) for corner in corners.split()]
    assert heights[:5] == [104, 56, 8, 104, 104]  # 40 dB high


def test_a_ride_of_many_points_keeps_its_extremes():
    values = np.random.default_rng(3).uniform(-1.0, 1.0, 20_000)
    values[[7_123, 15_001]] = -12.0, 9.0
    times_s = np.arange(20_000) * 0.01 + 0.005
    ride = Ride(times_s=tuple(times_s), values=tuple(values))
    svg = diagrams.ride_curve(ride, None, 200.0, unit="dB", name="a")
    points = curve(svg, "after")
    assert len(points) <= 4 * 480 + 2
    across, up = points.T
    assert (up.min(), up.max()) == (8, 104)
    assert across[up.argmax()] == pytest.approx(52 + 472 * times_s[7_123] / 200.0, abs=0.1)
    assert (np.diff(across) >= 0).all()


def test_levels_are_those_of_each_part_of_the_mix():
    meter = LevelMeter(4 * RATE)
    samples = np.zeros((2, 3 * RATE), np.float32)
    samples[:, :RATE], samples[0, RATE : 2 * RATE] = 0.5, 0.05
    for block in np.array_split(samples, 17, axis=1):
        meter.add(block)
    levels = meter.result()
    np.testing.assert_allclose(levels[:120], 0.0, atol=1e-6)
    np.testing.assert_allclose(levels[120:240], -20.0 - 10 * np.log10(2), atol=1e-3)
    assert (levels[240:] == -np.inf).all()
    silent = LevelMeter(10)
    silent.add(np.zeros((1, 10), np.float32))
    assert (silent.result() == -np.inf).all()


def test_cards_and_settings_tell_of_rides():
    line = Ride(times_s=(1.0, 2.0), values=(0.0, -3.0))
    strip = ChannelStrip(
        name=HOSTILE,
        fader_db=-2.0,
        sends=(Send(bus="</article>", gain_db=-6.0),),
        rides=(
            line,
            Ride(setting="pan", times_s=(1.0, 2.0), values=(0.25, 0.5)),
            replace(line, setting="sends.1.gain_db"),
        ),
    )
    gain = replace(line, setting="gain_db")
    plan = MixPlan(
        tracks=(strip, ChannelStrip(name="still")),
        buses=(Bus(name="</article>", parallel=True, rides=(gain,)),),
        master=Master(rides=(gain,)),
    )
    page, _ = page_of({HOSTILE: music(), "still": music(channels=1)}, plan)
    assert page.count("<div class=ride><svg") == 5
    parsed = Page(page)
    assert [tag for tag, _ in parsed.tags].count("script") == 2
    text = "".join(parsed.texts)
    for told in (
        "fader -2.0 dB, ridden -3.0 … +0.0 dB",
        "ridden 50 % left … center",
        "send to </article> -6.0 dB, ridden -3.0 … +0.0 dB",
        "return +0.0 dB, ridden -3.0 … +0.0 dB",
        "gain +0.0 dB, ridden -3.0 … +0.0 dB",
        "fader -3.0 … +0.0 dB in 2 points, at most 3 dB/s; -3.0 dB at 0:01.0",
        f"{HOSTILE}.rides.sends.1.gain_db",
    ):
        assert told in text, told
    assert "times_s" not in text
    assert not re.search("nan|inf", "".join(re.findall(r"<svg.*?</svg>", page)))


class CountedAudio(Audio):
    """Counts how often it is read."""

    passes = 0

    def blocks(self):
        type(self).passes += 1
        return super().blocks()


def test_measuring_reductions_and_levels_reads_no_track_once_more():
    passes = []
    for threshold_db in (0.0, -30.0):
        source = CountedAudio(music(), RATE)
        session = Session(tracks=(Track(name="a", role="other", source=source),))
        strip = ChannelStrip(
            name="a",
            compressor=CompressorSettings(threshold_db=threshold_db),
            rides=(Ride(values=(-threshold_db / 10.0,)),) if threshold_db else (),
        )
        plan = MixPlan(tracks=(strip,))
        mix = render_plan(session, plan)
        loudness = measure(mix.source)
        CountedAudio.passes = 0
        report_page("mine", mix, plan, session, loudness, [])
        passes.append(CountedAudio.passes)
    assert passes[1] <= passes[0]


def test_the_waveform_holds_the_extremes():
    samples = np.zeros((2, RATE), np.float32)
    samples[0, RATE // 4], samples[1, RATE // 2] = 0.75, -0.5
    heard = hear_mix(Audio(samples, RATE))
    assert heard.high[len(heard.high) // 4] == 0.75
    assert heard.low[len(heard.low) // 2] == -0.5
    assert np.count_nonzero(heard.high) == np.count_nonzero(heard.low) == 1


def test_the_loudest_part_is_found():
    levels = np.full(600, -40.0)
    levels[300:340] = -10.0
    start_s, stop_s = loudest_part(levels, 60.0, 5.0)
    assert start_s <= 30.0
    assert stop_s >= 34.0
    assert loudest_part(levels[:20], 2.0, 5.0) == (0.0, 2.0)


def test_the_players_hold_the_mix_and_the_inputs_at_one_loudness():
    sweep = np.sin(
        2 * np.pi * (200 + 400 * np.arange(4 * RATE) / RATE) * np.arange(4 * RATE) / RATE
    )
    tracks = {"a": np.float32(0.3 * sweep)[None].repeat(2, 0), "b": np.float32(0.03 * sweep)[None]}
    page, mix = page_of(tracks)
    (content,) = re.findall(r"id=excerpts>(.*?)</script>", page)
    excerpts = json.loads(content)
    assert len(excerpts) == 4  # mix, sum, a, b
    played = []
    for excerpt in excerpts:
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(excerpt["mp3"])), always_2d=True)
        assert rate == RATE
        played.append(excerpt["gain"] * samples)
    wanted = np.concatenate(list(mix.source.blocks()), axis=1)[0]
    found = played[0][:, 0]
    lag = np.argmax(np.correlate(found[:RATE], wanted[: RATE // 2], "valid"))
    length = min(len(found) - lag, len(wanted))
    assert np.corrcoef(found[lag:][:length], wanted[:length])[0, 1] > 0.9
    levels = [measure(Audio(x.T.astype(np.float32), RATE)).integrated_lufs for x in played]
    assert max(levels) - min(levels) < 0.5


HOSTILE = '<script>alert("x")</script> & \'"'


def test_names_and_messages_are_text_and_nothing_else():
    plan = MixPlan(
        tracks=(
            ChannelStrip(
                name=HOSTILE,
                sends=(Send(bus="</article>"),),
                equalizer=EqualizerSettings(bands=(EqualizerBand(gain_db=3.0),)),
            ),
        ),
        buses=(Bus(name="</article>", reverb=FdnReverbSettings(reverberation_time_s=0.2)),),
        decisions=(
            Decision(setting=f"{HOSTILE}.fader_db", value=0.0, rule="<b>", reason="</script>"),
        ),
    )
    page, _ = page_of({HOSTILE: music()}, plan, warnings=["<img src=x>"], notes=["</main>"])
    parsed = Page(page)
    assert [tag for tag, _ in parsed.tags].count("script") == 2  # excerpts, and the player
    assert "img" not in [tag for tag, _ in parsed.tags]
    assert [tag for tag, _ in parsed.tags].count("article") == 3
    text = "".join(parsed.texts)
    for shown in (HOSTILE, "</article>", "<img src=x>", "</main>"):
        assert shown in text


def test_it_needs_no_network():
    page = re.sub(r"id=excerpts>.*?<", "", page_of({"a": music()})[0])
    assert not re.search(r"(?:src|href|action)\s*=|url\(|@import|//[a-z]", page)


def test_the_same_mix_gives_the_same_page():
    assert page_of({"a": music()})[0] == page_of({"a": music()})[0]


@pytest.mark.parametrize("frames", [1, 400, RATE])
def test_silent_and_short_mixes_have_a_page(frames):
    page, _ = page_of({"a": np.zeros((1, frames), np.float32)})
    assert "nan" not in "".join(Page(page).texts).lower().split()
    assert "−∞ LUFS" in page


def test_forty_tracks_stay_a_page_of_some_megabytes():
    page, _ = page_of({f"track {n}": music(2.0, n, 1) for n in range(40)})
    assert [tag for tag, _ in Page(page).tags].count("article") == 41
    assert len(page) < 10e6


def test_chromium_decodes_and_plays_every_excerpt(tmp_path, browser):
    page, _ = page_of({"a": music(), "b": music(seed=3, channels=1)})
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    with browser.page(f"file://{tmp_path}/page.html") as shown:
        shown.click("#play")
        shown.wait("document.getElementById('play').textContent === 'Stop'")
        shown.click("[data-source='2']")
        pressed = "[...document.querySelectorAll('[aria-pressed=true]')].map(b => b.textContent)"
        assert shown.run(pressed) == ["input a"]
        shown.press("2")
        assert shown.run(pressed) == ["inputs, summed"]
        shown.resize(390, 800, phone=True)
        assert shown.run("document.documentElement.scrollWidth") == 390
        assert shown.complaints == []
