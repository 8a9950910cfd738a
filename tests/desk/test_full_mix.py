"""The mix that is listened to is the one that is written."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from automix.analysis.program import measure
from automix.audio.blocks import collect
from automix.consoles.exact import ExactConsole, apply_master
from automix.desk.full_mix import FullMix, make_full_mix, measure_plan
from automix.desk.renders import Renders
from automix.mixing.loudness_target import find_target, reach_target
from automix.mixing.premaster import premaster
from automix.mixing.spine import render_plan
from automix.plan.loudness import LoudnessTarget
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip, EqualizerBand, EqualizerSettings, LimiterSettings
from automix.plan.writer import PlanWriter
from tests.desk.playing import make_session, read_render

NAMES = ("a", "b", "c", "d")
LUFS = -6.5


@pytest.fixture(scope="module")
def session():
    return make_session(3, frames=150_000)


@pytest.fixture(scope="module")
def finished(session):
    """A plan whose master a rule has brought to a loudness, through the limiter."""
    band = EqualizerSettings(bands=(EqualizerBand(gain_db=4.0, frequency_hz=300.0),))
    strips = (ChannelStrip(name=name, fader_db=-8.0, equalizer=band) for name in NAMES)
    writer = PlanWriter(MixPlan(tracks=tuple(strips)))
    summed = premaster(ExactConsole(session), writer.plan)
    target = LoudnessTarget(loudness_lufs=LUFS, true_peak_dbtp=-1.0)
    reach_target(writer, summed.source, summed.loudness, target)
    assert writer.plan.master.limiter.is_active
    return writer.plan


@pytest.fixture
def renders(session, tmp_path):
    with_renders = Renders(session, tmp_path)
    yield with_renders
    with_renders.close()


def read_mix(renders, mix):
    return read_render(renders, mix.key, 2, mix.length)


def test_a_changed_mix_is_finished_again_as_render_does(session, finished, renders):
    changed = finished.with_strip("a", fader_db=2.0)
    shares = []
    mix = make_full_mix(renders, changed, progressed=shares.append)
    rendered = render_plan(session, changed, target=find_target(changed))
    assert mix.plan.master == rendered.plan.master != changed.master
    assert mix.plan.decisions == rendered.plan.decisions
    assert find_target(mix.plan) == find_target(changed)  # may be finished again later
    assert np.array_equal(read_mix(renders, mix), rendered.audio.samples)
    assert mix.loudness == rendered.loudness
    assert mix.loudness.integrated_lufs == pytest.approx(LUFS, abs=0.1)
    assert mix.loudness.true_peak_dbtp <= -1.0
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0, abs=0.02)


def test_a_master_that_somebody_set_stays(finished, renders, session):
    by_hand = replace(finished, master=replace(finished.master, gain_db=1.0))
    mix = make_full_mix(renders, by_hand)
    assert mix.plan == by_hand
    wanted = render_plan(session, by_hand).audio.samples
    assert np.array_equal(read_mix(renders, mix), wanted)


def test_a_mix_that_was_rendered_before_is_taken(finished, renders, tmp_path, session):
    first = make_full_mix(renders, finished)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob(f"{first.key}*")}
    assert len(files) == 1
    renders.close()
    again = Renders(session, tmp_path)
    second = make_full_mix(again, finished)
    assert second == first
    assert read_mix(again, second).any()
    (path,) = files
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    with pytest.raises(KeyError):  # so that the page asks for it again
        read_mix(again, second)
    third = make_full_mix(again, finished)
    assert third == first
    assert read_mix(again, third).any()
    again.close()


@pytest.mark.parametrize("share", [0.0, 0.6, 0.9])
def test_a_mix_that_is_given_up_leaves_nothing(finished, renders, tmp_path, share):
    stop = threading.Event()

    def look(done):
        if done >= share:
            stop.set()

    assert make_full_mix(renders, finished, stop=stop, progressed=look) is None
    for _ in range(200):
        left = [path for path in tmp_path.iterdir() if path.suffix != ".render"]
        if not left:
            break
        time.sleep(0.01)  # a block of a track is ended first
    assert left == []
    assert len(list(tmp_path.iterdir())) <= len(NAMES)  # tracks alone


def test_a_mix_that_begins_takes_the_place_of_the_one_before(finished, renders):
    ends = []
    done = threading.Event()

    def finish(mix):
        ends.append(mix)
        done.set()

    full = FullMix(renders, finished=finish, failed=pytest.fail)
    full.start(finished.with_strip("a", fader_db=3.0))
    full.start(finished)
    assert done.wait(20)
    full.cancel()
    assert [mix.plan.strip("a").fader_db for mix in ends] == [-8.0]


def test_what_cannot_be_rendered_is_said(finished, renders):
    said = []
    done = threading.Event()

    def fail(message):
        said.append(message)
        done.set()

    full = FullMix(renders, failed=fail)
    full.start(
        replace(finished, tracks=tuple(replace(strip, mute=True) for strip in finished.tracks))
    )
    assert done.wait(20)
    full.cancel()
    assert said == ["every track of the plan is muted; unmute one"]


def test_plans_are_compared_as_the_page_plays_them(finished, renders, session):
    found = measure_plan(renders, finished)
    master = replace(finished.master, limiter=LimiterSettings())
    console = ExactConsole(session)
    wanted = measure(apply_master(console.premaster(finished), master)).integrated_lufs
    assert found == wanted
    limited = collect(apply_master(console.premaster(finished), finished.master))
    assert found > measure(limited).integrated_lufs
    stop = threading.Event()
    stop.set()
    assert measure_plan(renders, finished, stop) is None
