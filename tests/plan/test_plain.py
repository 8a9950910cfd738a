"""Settings as plain values: exact both ways, through JSON too; faults name their address."""

import json
import math
import re

import pytest

from automix.errors import PlanError
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings, parameters
from automix.plan.plain import describe_parameters, read_plain, to_plain
from automix.plan.settings import Bus, ChannelStrip, EqualizerSettings, Master


def test_random_plans_come_back_exactly_through_json(drawn_plan):
    text = json.dumps(to_plain(drawn_plan), allow_nan=False)
    # Unlike equality, the spelling tells 0 from −0, whole numbers from others, and true from 1.
    assert repr(read_plain(MixPlan, json.loads(text))) == repr(drawn_plan)


def test_every_field_is_there():
    plain = to_plain(ChannelStrip(name="vocal"))
    assert list(plain) == list(parameters(ChannelStrip))
    assert plain["compressor"]["ratio"] == 2.0
    assert plain["equalizer"] == {"bands": []}
    assert plain["stream"] is None
    assert read_plain(ChannelStrip, {"name": "vocal"}) == ChannelStrip(name="vocal")


def test_figures_that_json_has_no_words_for():
    figures = ("a", math.inf), ("b", -math.inf), ("c", math.nan), ("d", -0.0), ("e", True)
    decision = Decision(setting="s", value=-math.inf, rule="r", reason="", figures=figures)
    plain = json.loads(json.dumps(to_plain(decision), allow_nan=False))
    assert plain["value"] == "-inf"
    assert repr(read_plain(Decision, plain)) == repr(decision)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"compressor": {"ratio": 11}},
            "vocal.compressor.ratio: ratio = 11 is outside 1 … 10",
        ),
        (
            {"equalizer": {"bands": [{}, {"q": "wide"}]}},
            "vocal.equalizer.bands.2.q: q must be a number",
        ),
        ({"equalizer": {"bands": 3}}, "vocal.equalizer.bands: bands must be"),
        ({"sends": [3]}, "vocal.sends.1: 0 must be a table"),
        ({"loudness": 3}, "vocal.loudness: unknown key 'loudness'; known are: name, role,"),
        ({"mute": 1}, "vocal.mute: mute must be true or false"),
        ({"fader_db": math.nan}, "vocal.fader_db: fader_db must be finite"),
        ({"fader_db": None}, "vocal.fader_db: fader_db must be a number"),
        (
            {"rides": [{"setting": "fader_db", "times_s": [2, 1], "values": [0, 0]}]},
            "vocal.rides.1.times_s: times_s of the ride of fader_db must rise",
        ),
        ([], "vocal: the value must be a table"),
        (None, "vocal: the value must be a table"),
    ],
)
def test_a_fault_names_its_address(value, message):
    with pytest.raises(PlanError, match=f"^{re.escape(message)}"):
        read_plain(ChannelStrip, value, "vocal")


@pytest.mark.parametrize(
    "wrong", [{"value": [1]}, {"value": {}}, {"figures": {"a": []}}, {"rule": 1}, {"more": 1}]
)
def test_a_decision_that_is_none_is_refused(wrong):
    plain = {"setting": "s", "value": 1, "rule": "r", "reason": "", "figures": {}}
    assert read_plain(Decision, plain).value == 1
    with pytest.raises(PlanError):
        read_plain(Decision, plain | wrong)


@pytest.mark.parametrize("kind", [ChannelStrip, Bus, Master])
def test_declarations_are_those_of_the_settings(kind):
    compare_with_declarations(json.loads(json.dumps(describe_parameters(kind))), kind)


def compare_with_declarations(described, kind):
    assert list(described) == list(parameters(kind))
    for name, parameter in parameters(kind).items():
        found = described[name]
        assert found["about"] == parameter.about
        assert found["choices"] == list(parameter.choices)
        if parameter.range:
            legal = found["low"], found["high"], found["unit"], found["scale"]
            declared = parameter.range
            assert legal == (declared.low, declared.high, declared.unit, declared.scale)
        if issubclass(parameter.kind, Settings):
            assert found["kind"] == ("list" if parameter.many else "table")
            compare_with_declarations(found["fields"], parameter.kind)


def test_what_a_page_needs_to_know_of_a_setting():
    strip = describe_parameters(ChannelStrip)
    assert strip["de_esser"]["title"] == "de-esser"
    assert strip["equalizer"]["default"] == to_plain(EqualizerSettings())
    assert strip["fader_db"]["ridable"] == {"is_added": True}
    assert strip["pan"]["ridable"] == {"is_added": False}
    assert strip["sends"]["fields"]["gain_db"]["ridable"] == {"is_added": True}
    assert strip["input_gain_db"]["ridable"] is None
    assert strip["stream"]["optional"]
    assert not strip["pan"]["optional"]
    assert [strip[name]["kind"] for name in ("pan", "mute", "order", "role")] == [
        "number",
        "boolean",
        "choice",
        "text",
    ]
