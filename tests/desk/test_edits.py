"""Edits of a plan: what they change, what they leave, and what is refused in one sentence."""

import contextlib
import json
import math
import re
from dataclasses import replace

import pytest

from automix.desk.edits import SettingEdit, apply_edits, parts_of, read_edits
from automix.desk.labels import label_edits
from automix.errors import PlanError
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.plain import to_plain
from automix.plan.rides import Ride
from automix.plan.settings import EqualizerBand, EqualizerSettings, Send
from automix.plan.toml import dumps
from tests.desk.plans import PLAN, EditDraw, edit


def test_a_setting_of_each_kind():
    plan = apply_edits(
        PLAN,
        [
            edit("lead vocal: fader_db", 1),
            edit("lead vocal: equalizer.bands.2.gain_db", -4.5),
            edit("a.b.c: compressor", {"threshold_db": -20.0}),
            edit("Gesäng 歌: equalizer.bands", [{"kind": "high_pass", "frequency_hz": 80}]),
            edit("Gesäng 歌: mute", True),
            edit("plate: gain_db", -3.0),
            edit("master: limiter.ceiling_dbtp", -1.0),
        ],
    )
    lead, beat, song = plan.tracks
    assert lead.fader_db == 1.0
    assert isinstance(lead.fader_db, float)
    assert [band.gain_db for band in lead.equalizer.bands] == [0.0, -4.5]
    assert beat.compressor == replace(beat.compressor, threshold_db=-20.0)
    assert song.equalizer.bands == (EqualizerBand(kind="high_pass", frequency_hz=80.0),)
    assert song.mute
    assert plan.bus("plate").gain_db == -3.0
    assert plan.master.limiter.ceiling_dbtp == -1.0
    assert plan.decisions is PLAN.decisions
    assert plan.plan_sha256 == PLAN.plan_sha256


def test_what_was_not_edited_is_the_same_object():
    plan = apply_edits(PLAN, [edit("a.b.c: fader_db", 3)])
    assert plan.tracks[0] is PLAN.tracks[0]
    assert plan.buses[1] is PLAN.buses[1]
    assert plan.master is PLAN.master
    assert apply_edits(PLAN, []) is PLAN


def test_later_edits_see_earlier_ones():
    plan = apply_edits(
        PLAN,
        [
            edit("a.b.c: equalizer.bands", [{}, {}]),
            edit("a.b.c: equalizer.bands.2.gain_db", 6),
            edit("a.b.c: equalizer.bands.2.q", 2),
            edit("a.b.c: equalizer.bands.1", {"gain_db": 1}),
        ],
    )
    assert plan.tracks[1].equalizer.bands == (
        EqualizerBand(gain_db=1.0),
        EqualizerBand(gain_db=6.0, q=2.0),
    )


def test_sends_take_their_rides_along():
    plan = apply_edits(PLAN, [edit("lead vocal: sends", [{"bus": "plate", "gain_db": -1}])])
    rides = {ride.setting: ride.values for ride in plan.tracks[0].rides}
    assert rides == {"fader_db": (0.0, 2.0), "sends.1.gain_db": (3.0,)}
    turned = [to_plain(send) for send in reversed(PLAN.tracks[0].sends)]
    plan = apply_edits(PLAN, [edit("lead vocal: sends", turned)])
    rides = {ride.setting: ride.values for ride in plan.tracks[0].rides}
    assert rides == {"fader_db": (0.0, 2.0), "sends.1.gain_db": (3.0,), "sends.2.gain_db": (-3.0,)}


def test_two_sends_to_one_bus_keep_their_own_rides():
    sends = Send(bus="hall"), Send(bus="hall", gain_db=-6.0), Send(bus="plate")
    rides = (Ride(setting="sends.2.gain_db", values=(1.0,)), Ride(setting="sends.3.gain_db"))
    plan = PLAN.with_strip("lead vocal", sends=sends, rides=rides)
    after = apply_edits(plan, [edit("lead vocal: sends", [to_plain(s) for s in sends[:2]])])
    assert after.tracks[0].rides == rides[:1]


def test_a_bus_and_its_first_ride_in_one_request():
    point = {"setting": "sends.1.gain_db", "times_s": [0.5], "values": [2.0]}
    plan = apply_edits(
        PLAN, [edit("a.b.c: rides", [point]), edit("a.b.c: sends", [{"bus": "hall"}])][::-1]
    )
    assert plan.tracks[1].rides[0].values == (2.0,)
    with pytest.raises(PlanError, match="ride cannot move 'sends.1.gain_db'"):
        apply_edits(PLAN, [edit("a.b.c: rides", [point])])


def test_reasons_stay_with_what_they_are_about():
    bands = tuple(EqualizerBand(frequency_hz=hz, gain_db=-2.0) for hz in (100.0, 500.0, 2000.0))
    rides = tuple(Ride(setting=name, values=(0.5,)) for name in ("fader_db", "pan"))
    plan = PLAN.with_strip("lead vocal", equalizer=EqualizerSettings(bands=bands), rides=rides)
    settings = [f"lead vocal.equalizer.bands.{n}.gain_db" for n in (1, 2, 3)]
    settings += [f"lead vocal.rides.{n}" for n in (1, 2)] + ["lead vocal.fader_db"]
    plan = replace(
        plan,
        decisions=tuple(
            Decision(setting=setting, value=n, rule="", reason=setting)
            for n, setting in enumerate(settings)
        ),
    )
    kept = [to_plain(band) for band in (bands[0], bands[2])]
    fewer = apply_edits(plan, [edit("lead vocal: equalizer.bands", kept)])
    fewer = apply_edits(fewer, [edit("lead vocal: rides", [to_plain(rides[1])])])
    assert {d.setting: d.reason for d in fewer.decisions} == {
        settings[0]: settings[0],
        settings[1]: settings[2],
        settings[3]: settings[4],
        settings[5]: settings[5],
    }
    more = [to_plain(EqualizerBand(kind="high_pass", frequency_hz=80.0)), *map(to_plain, bands)]
    added = apply_edits(plan, [edit("lead vocal: equalizer.bands", more)])
    assert {d.setting: d.reason for d in added.decisions}[settings[2]] == settings[1]
    moved = apply_edits(plan, [edit("lead vocal: equalizer.bands.1.frequency_hz", 120)])
    assert moved.decisions == plan.decisions


def test_pan_stands_still_while_a_ride_takes_its_place():
    ride = [{"setting": "pan", "times_s": [0.0], "values": [0.2]}]
    ridden = apply_edits(PLAN, [edit("a.b.c: rides", ride)])
    with pytest.raises(PlanError, match=r"^a\.b\.c\.pan: a ride takes its place"):
        apply_edits(ridden, [edit("a.b.c: pan", 0.4)])
    with pytest.raises(PlanError, match="a ride takes its place"):
        apply_edits(PLAN, [edit("a.b.c: pan", 0.4), edit("a.b.c: rides", ride)])
    free = apply_edits(ridden, [edit("a.b.c: pan", 0.4), edit("a.b.c: rides", [])])
    assert free.tracks[1].pan == 0.4
    assert apply_edits(PLAN, [edit("lead vocal: fader_db", 3)]).tracks[0].fader_db == 3.0


@pytest.mark.parametrize(
    ("address", "value", "message"),
    [
        ("a.b.c: fader_db", 61, "a.b.c.fader_db: fader_db = 61 is outside -60 … 60 dB"),
        ("a.b.c: fader_db", "loud", "a.b.c.fader_db: fader_db must be a number"),
        ("a.b.c: fader_db", True, "a.b.c.fader_db: fader_db must be a number"),
        ("a.b.c: fader_db", None, "a.b.c.fader_db: fader_db must be a number"),
        ("a.b.c: fader_db", math.inf, "a.b.c.fader_db: fader_db must be finite"),
        ("a.b.c: fader_db", 10**400, "a.b.c.fader_db: fader_db"),
        ("a.b.c: fader", 1, "a.b.c.fader: there is no such setting; there are: name"),
        ("a.b.c: ", 1, "a.b.c.: there is no such setting"),
        ("a.b.c: fader_db.2", 1, "a.b.c.fader_db.2: goes on after a plain value"),
        ("a.b.c: order", "eee", "a.b.c.order: order must be one of 'ecr'"),
        ("a.b.c: name", "b", "a.b.c.name: says which track or bus it is"),
        ("a.b.c: file", "b.wav", "a.b.c.file: says which track or bus it is"),
        ("hall: name", "b", "hall.name: says which track or bus it is"),
        ("lead vocal: equalizer.bands.0.q", 1, "lead vocal.equalizer.bands: there is no entry '0'"),
        ("lead vocal: equalizer.bands.3.q", 1, "lead vocal.equalizer.bands: there is no entry '3'"),
        ("lead vocal: equalizer.bands.²", {}, "lead vocal.equalizer.bands: there is no entry '²'"),
        ("lead vocal: sends", [{"bus": "x"}], "track 'lead vocal' sends to an unknown bus 'x'"),
        ("lead vocal: sends.1.bus", "x", "track 'lead vocal' sends to an unknown bus 'x'"),
        ("lead vocal: sends", {}, "lead vocal.sends: sends must be"),
        ("hall: sends", [], "hall.sends: there is no such setting"),
        ("lead vocal: rides.9.values", [0], "lead vocal.rides: there is no entry '9' among the 3"),
        ("drums: fader_db", 1, "there is no track or bus named 'drums'"),
        ("Master: gain_db", 1, "there is no track or bus named 'Master'"),
        ("a\n: gain_db", 1, "there is no track or bus named 'a\\\\n'"),
    ],
)
def test_what_is_refused(address, value, message):
    with pytest.raises(PlanError, match=f"^{re.escape(message)}") as refused:
        apply_edits(PLAN, [edit("master: gain_db", 2), edit(address, value)])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("seed", range(6))
def test_random_edits_change_what_they_say_and_nothing_else(seed):
    draw = EditDraw(seed)
    plan = draw.draw.plan()
    for _ in range(25):
        (first, *_), _ = edits, after = draw.legal_edits(plan, apply_edits)
        touched = {edit.owner for edit in edits}
        for name, part in parts_of(after).items():
            if name not in touched:
                assert part is parts_of(plan)[name]
        assert MixPlan.from_toml(dumps(after)) == after
        assert replace(after, tracks=(), buses=(), master=plan.master) == replace(
            plan, tracks=(), buses=(), master=plan.master
        )
        if len(edits) == 1 and first.setting != "sends":
            where, value = to_plain(parts_of(after)[first.owner]), first.value
            for name in first.setting.split("."):
                where = where[int(name) - 1] if isinstance(where, list) else where[name]
            assert where == value
        plan = after


@pytest.mark.parametrize("seed", range(12))
def test_any_json_at_all_is_refused_in_a_sentence_or_makes_a_legal_plan(seed):
    draw = EditDraw(seed)
    odd = [None, True, -1, 1e300, "", "x" * 99, [], {}, [[]], [{}], {"a": {}}, [None], [1, "a"]]
    for _ in range(60):
        wanted = draw.edit(PLAN)
        value = draw.random.choice([*odd, wanted.value])
        with contextlib.suppress(PlanError):  # and nothing else
            plan = apply_edits(PLAN, [replace(wanted, value=json.loads(json.dumps(value)))])
            assert MixPlan.from_toml(dumps(plan)) == plan


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "edits",
        [1],
        [{"owner": "a"}],
        [{"owner": 1, "setting": "a", "value": 1}],
        [{"owner": "a", "setting": "a", "value": 1, "more": 1}],
        [{"owner": "a", "setting": None, "value": 1}],
    ],
)
def test_what_is_no_list_of_edits(value):
    with pytest.raises(PlanError):
        read_edits(value)


def test_edits_are_read_from_plain_values():
    plain = [{"owner": "a", "setting": "pan", "value": 0.5}]
    assert read_edits(plain) == (SettingEdit(owner="a", setting="pan", value=0.5),)


@pytest.mark.parametrize(
    ("edits", "label"),
    [
        ([edit("lead vocal: fader_db", 1.5)], "lead vocal fader +1.5 dB"),
        ([edit("a.b.c: fader_db", -3.25)], "a.b.c fader −1.25 dB"),
        ([edit("master: gain_db", -0.5)], "master gain −0.5 dB"),
        ([edit("a.b.c: pan", 0.25)], "a.b.c pan 0.25"),
        ([edit("a.b.c: mute", True)], "a.b.c mute on"),
        ([edit("a.b.c: compressor.ratio", 4)], "a.b.c compressor ratio 4"),
        ([edit("a.b.c: de_esser.frequency_hz", 6000)], "a.b.c de-esser frequency 6000 Hz"),
        ([edit("a.b.c: order", "cer")], "a.b.c order cer"),
        (
            [edit("lead vocal: equalizer.bands.2.gain_db", 1)],
            "lead vocal equalizer band 2 gain −2 dB",
        ),
        ([edit("lead vocal: sends.1.gain_db", -6)], "lead vocal send to hall +3 dB"),
        ([edit("a.b.c: rides", [{}])], "a.b.c rides"),
        ([edit("a.b.c: fader_db", -1), edit("plate: gain_db", -1)], "a.b.c, plate 2 settings"),
        (
            [edit("lead vocal: fader_db", 1), edit("a.b.c: fader_db", -1)],
            "lead vocal, a.b.c fader +1 dB",
        ),
        (
            [edit("a.b.c: compressor.ratio", 4), edit("a.b.c: compressor.threshold_db", -9)],
            "a.b.c compressor",
        ),
    ],
)
def test_labels(edits, label):
    assert label_edits(PLAN, apply_edits(PLAN, edits), edits) == label
