"""What the page is told is enough to play a plan as the exact console does."""

import json
from dataclasses import replace

import numpy as np
import pytest

from automix.audio.blocks import collect
from automix.consoles.exact import ExactConsole, apply_master
from automix.desk.renders import Renders, find_session
from automix.desk.sound import (
    LONGEST_RESPONSE_S,
    describe_sound,
    find_response,
    find_unheard,
    make_bus_response,
    name_response,
)
from automix.plan.model import MixPlan
from automix.plan.settings import Bus, ChannelStrip, DelaySettings, FdnReverbSettings, Send
from tests.consoles.differentiable_plans import random_plan, with_rides
from tests.desk.playing import difference_db, make_session, play
from tests.dsp.clipper import register

NAMES = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 16))]
)
def test_the_pages_way_nulls_against_the_exact_console(tmp_path, seed):
    session = make_session(seed)
    plan = random_plan(seed, NAMES, session.sample_rate, dynamics=True)
    plan = with_rides(plan, seed, 2.0)
    renders = Renders(session, tmp_path)
    renders.follow(plan)
    played = play(plan, session, renders)
    renders.close()
    exact = ExactConsole(find_session(renders.session, plan))
    wanted = collect(apply_master(exact.premaster(plan), plan.master)).samples
    assert played.shape == wanted.shape
    assert difference_db(played, wanted) < -100.0


def test_a_response_is_long_enough_for_echoes_that_repeat_for_long(tmp_path):
    session = make_session(5, frames=30_000)
    echo = DelaySettings(time_ms=90.0, feedback=0.85, ping_pong=True, wet=1.0)
    strips = [ChannelStrip(name=name, mute=name != "b", fader_db=-60.0) for name in NAMES]
    strips[1] = replace(strips[1], sends=(Send(bus="echo", gain_db=24.0),))
    plan = MixPlan(tracks=tuple(strips), buses=(Bus(name="echo", delay=echo, gain_db=24.0),))
    renders = Renders(session, tmp_path)
    renders.follow(plan)
    played = play(plan, session, renders)
    renders.close()
    wanted = collect(ExactConsole(session).premaster(plan)).samples
    assert wanted.shape[1] > 4 * session.sample_rate
    assert difference_db(played, wanted) < -95.0
    assert find_unheard(plan, session.sample_rate) == []


def test_a_response_that_is_cut_is_said():
    endless = DelaySettings(time_ms=2000.0, feedback=0.9, wet=1.0)
    plan = MixPlan(buses=(Bus(name="echo", delay=endless),))
    response = make_bus_response(plan, "echo", 8000)
    assert response.shape[1] <= LONGEST_RESPONSE_S * 8000
    assert find_unheard(plan, 8000) == [
        "echo: what it returns after 30 s is not heard on the desk, only in the render"
    ]


def test_buses_that_reverberate_alike_share_a_response():
    short = FdnReverbSettings(reverberation_time_s=0.2, lines="16")
    plan = MixPlan(
        buses=(
            Bus(name="one", reverb=short),
            Bus(name="two", reverb=short, gain_db=3.0, pre_delay_ms=20.0),
            Bus(name="three", reverb=replace(short, room_size=4.0)),
            Bus(name="press", parallel=True),
        )
    )
    one, two, three, press = (name_response(bus, 44100) for bus in plan.buses)
    assert one == two != three
    assert press == ""
    found = find_response([MixPlan(), plan], three, 44100)
    assert np.array_equal(found, make_bus_response(plan, "three", 44100))
    assert not np.array_equal(found, find_response([plan], one, 44100))
    with pytest.raises(KeyError):
        find_response([plan], press, 44100)


def test_a_processor_that_the_page_cannot_play_is_said(monkeypatch, tmp_path):
    register(monkeypatch, strip="c", bus="before")
    clip = {"clipper": type(ChannelStrip.clipper)(ceiling=0.5)}
    plan = MixPlan(
        tracks=tuple(ChannelStrip(name=name, **clip) for name in NAMES),
        buses=(Bus(name="press", parallel=True, **clip),),
    )
    session = make_session(1, frames=20_000)
    renders = Renders(session, tmp_path)
    renders.follow(plan)
    told = json.loads(json.dumps(describe_sound(plan, session, renders)))
    played = renders.read(0, [told["tracks"]["a"]["key"]])
    renders.close()
    assert told["buses"]["press"]["before"] == []
    assert find_unheard(plan, 44100) == [
        "press: the hard clipper is not heard on the desk, only in the render"
    ]
    assert np.abs(np.frombuffer(played, "<f4")).max() == 0.5  # in a strip it is heard
