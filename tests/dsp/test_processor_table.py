"""The table of processors is whole, and a new row is seen by everything that walks it."""

from dataclasses import replace

import numpy as np
import pytest

from automix.analysis.program import measure
from automix.audio.blocks import collect
from automix.audio.samples import Audio
from automix.consoles.differentiable import from_plan
from automix.consoles.exact import ExactConsole
from automix.consoles.neural import NeuralConsole
from automix.consoles.plugin.console import PluginConsole
from automix.dsp.pan import pan_gains
from automix.dsp.processors import (
    PROCESSORS,
    Plugin,
    Twin,
    active_inserts,
    load,
    processors_of,
)
from automix.errors import PluginError, UsageError
from automix.explanation.provenance import actions
from automix.mixing.spine import render_plan
from automix.plan.address import change_setting
from automix.plan.assignment import parse_assignment
from automix.plan.difference import plan_difference
from automix.plan.model import MixPlan
from automix.plan.parameters import parameters
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    GateSettings,
    Master,
    ProcessorSettings,
    SaturationSettings,
    Send,
    SpaceSettings,
)
from automix.plan.toml import dumps
from automix.plan.vector import SLOTS, vector
from automix.report import report_page
from automix.session.tracks import Session, Track
from tests.dsp import clipper
from tests.networks.effect_networks import identity

RATE = 44_100
CENTER = pan_gains(0.5, "constant-power")[0]
PARTS = (ChannelStrip, Bus, Master)


def test_every_field_has_a_row_and_every_row_a_field():
    for part in PARTS:
        held = {
            name: parameter.kind
            for name, parameter in parameters(part).items()
            if issubclass(parameter.kind, ProcessorSettings)
        }
        assert held == {row.name: row.settings for row in processors_of(part)}


@pytest.mark.parametrize("row", PROCESSORS, ids=lambda row: row.name)
def test_rows_name_things_that_exist(row):
    names = [row.exact, row.latency, row.wet, row.tail]
    names += [row.twin.function] if isinstance(row.twin, Twin) else []
    names += [row.plugin.parameters] if isinstance(row.plugin, Plugin) else []
    names += [row.device.writer] if row.device else []
    assert all(callable(load(name)) for name in names if name)
    assert row.summary.endswith(".")
    assert not row.settings().is_active  # neutral settings do nothing


def test_the_slots_of_the_vector_are_those_of_the_rows():
    words = [word for row in PROCESSORS for word in row.conditioning]
    slots = [slot.name.partition(".")[0] for slot in SLOTS]
    assert list(dict.fromkeys(slots)) == words


def test_a_latency_is_for_strips_only():
    row = next(row for row in PROCESSORS if row.latency)
    with pytest.raises(ValueError, match="only strips make up for a latency"):
        replace(row, bus="after")
    assert row.latency_frames(ChannelStrip(), RATE) == 0  # while it is off


def test_signal_order_follows_the_strip():
    strip = ChannelStrip(
        gate=GateSettings(range_db=20.0),
        saturation=SaturationSettings(drive_db=6.0),
        equalizer=EqualizerSettings(bands=(EqualizerBand(gain_db=1.0),)),
        de_esser=DeEsserSettings(max_reduction_db=3.0),
        compressor=CompressorSettings(makeup_db=1.0),
        space=SpaceSettings(wet=0.5),
    )
    names = {
        order: [row.name for row in active_inserts(replace(strip, order=order))]
        for order in ("ecr", "rce")
    }
    assert names["ecr"] == ["gate", "equalizer", "de_esser", "compressor", "saturation", "space"]
    assert names["rce"] == ["gate", "space", "compressor", "saturation", "equalizer", "de_esser"]


# A clipper that no code of automix knows, in every place of a strip.

LOUD_DB = 6.0


@pytest.fixture(params=["before", "e", "c", "r", "after"])
def place(request, monkeypatch):
    clipper.register(monkeypatch, strip=request.param, bus="after")
    return request.param


@pytest.fixture
def group(monkeypatch):
    clipper.register(monkeypatch, strip="c", bus="after")


def session(frames=4_000):
    samples = np.random.default_rng(0).uniform(-0.4, 0.4, (1, frames)).astype(np.float32)
    return Session(tracks=(Track(name="a", role="other", source=Audio(samples, RATE)),))


def strip(**settings):
    return ChannelStrip(name="a", clipper=clipper.ClipperSettings(ceiling=0.1), **settings)


def mix(console, plan):
    return collect(console.premaster(plan)).samples


def test_the_exact_console_plays_it_in_its_place(place):
    a_session = session()
    given = a_session.track("a").source.samples
    plan = MixPlan(tracks=(strip(compressor=CompressorSettings(makeup_db=LOUD_DB)),))
    made = mix(ExactConsole(a_session), plan)[0] / CENTER
    gain = 10.0 ** (LOUD_DB / 20.0)
    before = gain * np.clip(given[0], -0.1, 0.1)
    after = np.clip(gain * given[0], -0.1, 0.1)
    wanted = before if place in ("before", "e") else after
    np.testing.assert_allclose(made, wanted, atol=1e-6)


def test_the_exact_console_plays_it_in_a_bus(group):
    plain = Bus(name="room", space=SpaceSettings(wet=1.0))
    made = []
    for bus in (plain, replace(plain, clipper=clipper.ClipperSettings(ceiling=0.02))):
        sending = ChannelStrip(name="a", sends=(Send(bus="room"),))
        flows = ExactConsole(session()).flow(MixPlan(tracks=(sending,), buses=(bus,)))
        made.append(np.hstack([flow.returns["room"] for flow in flows]))
    assert np.abs(made[0]).max() > 0.02
    np.testing.assert_array_equal(made[1], np.clip(made[0], -0.02, 0.02))


def test_the_differentiable_console_refuses_it(place):
    with pytest.raises(UsageError, match="no hard clipper: its gradient"):
        from_plan(MixPlan(tracks=(strip(),)), session())
    sent = Bus(name="room", clipper=clipper.ClipperSettings(ceiling=0.1))
    with pytest.raises(UsageError, match="'room'.*no hard clipper"):
        from_plan(MixPlan(tracks=(ChannelStrip(name="a"),), buses=(sent,)), session())
    from_plan(MixPlan(tracks=(ChannelStrip(name="a"),)), session())  # while it is off


def test_the_neural_console_plays_it_exactly_or_refuses_it(place):
    """The network, which changes nothing, stands for the equalizer, compressor and space."""
    a_session = session()
    network = identity(network="tcn-8", causal=True)
    console = NeuralConsole(a_session, network)
    pressed = strip(compressor=CompressorSettings(threshold_db=-20.0))
    if place == "c":  # between equalizer and space
        with pytest.raises(UsageError, match="no hard clipper; switch it off"):
            mix(console, MixPlan(tracks=(pressed,)))
        return
    made = mix(console, MixPlan(tracks=(pressed,)))
    np.testing.assert_allclose(
        made, mix(ExactConsole(a_session), MixPlan(tracks=(strip(),))), atol=1e-6
    )
    assert console.warnings == [
        "a: hard clipper is exact, not neural: the network has no settings for that"
    ]


def test_the_console_of_plugins_plays_it_exactly_and_not_in_a_bus(place):
    a_session = session()
    plan = MixPlan(tracks=(strip(),))
    console = PluginConsole(a_session, {}, loader="no_such:loader")
    np.testing.assert_array_equal(mix(console, plan), mix(ExactConsole(a_session), plan))
    bus = Bus(name="room", clipper=clipper.ClipperSettings(ceiling=0.1))
    sending = MixPlan(tracks=(ChannelStrip(name="a", sends=(Send(bus="room"),)),), buses=(bus,))
    with pytest.raises(PluginError, match="the hard clipper of a bus"):
        mix(console, sending)


def test_the_vector_refuses_it(group):
    with pytest.raises(UsageError, match="'a'.*no hard clipper"):
        vector(strip())


def test_plans_hold_it(group):
    plan = MixPlan(tracks=(strip(),))
    text = dumps(plan)
    assert "[tracks.clipper]\nceiling = 0.1  # 0.01 … 2; largest sample; 2 is off" in text
    assert MixPlan.from_toml(text) == plan
    assert "clipper" not in dumps(MixPlan(tracks=(ChannelStrip(name="a"),)))
    changed = change_setting(plan, *parse_assignment("a.clipper.ceiling+=0.2"))
    (difference,) = plan_difference(plan, changed).settings
    assert (difference.setting, difference.old) == ("a.clipper.ceiling", 0.1)
    assert difference.new == pytest.approx(0.3)
    with pytest.raises(UsageError, match=r"0\.01 … 2"):
        change_setting(plan, *parse_assignment("a.clipper.ceiling=3"))


def test_it_is_explained_and_reported(place):
    plan = MixPlan(tracks=(strip(),))
    (action,) = actions(plan)
    assert (action.owner, action.part, action.rule) == ("a", "hard clipper", "by hand")
    assert [setting.address for setting in action.settings] == ["a.clipper.ceiling"]
    a_session = session(2 * RATE)
    made = render_plan(a_session, plan)
    page = report_page("mix", made, plan, a_session, measure(made.audio), ())
    assert "<li>hard clipper: ceiling 0.1</li>" in page
    assert "<td>a.clipper.ceiling</td><td>0.1</td><td>largest sample; 2 is off</td>" in page
