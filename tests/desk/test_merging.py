"""Three-way merges: nothing that one side did is lost, and what both did is named."""

from dataclasses import replace

import pytest

from automix.desk.edits import apply_edits, parts_of
from automix.desk.merging import WHOLE_PLAN, merge_plans
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.plain import to_plain
from automix.plan.rides import Ride
from automix.plan.settings import Bus, ChannelStrip, EqualizerBand, Send
from automix.plan.toml import dumps
from tests.desk.plans import PLAN, EditDraw, edit, part_of


def edited(*changes):
    return apply_edits(PLAN, [edit(address, value) for address, value in changes])


def test_settings_of_both_sides():
    mine = edited(("a.b.c: fader_db", 1.0), ("lead vocal: compressor.ratio", 4.0))
    theirs = edited(("a.b.c: pan", 0.2), ("lead vocal: compressor.threshold_db", -9.0))
    theirs = replace(theirs, pan_law="linear")
    merge = merge_plans(PLAN, mine, theirs)
    assert merge.conflicts == ()
    wanted = edited(
        ("a.b.c: fader_db", 1.0),
        ("a.b.c: pan", 0.2),
        ("lead vocal: compressor", {"ratio": 4.0, "threshold_db": -9.0}),
    )
    assert merge.plan == replace(wanted, pan_law="linear")


def test_a_setting_that_both_changed():
    mine = edited(("a.b.c: fader_db", 1.0), ("plate: gain_db", 1.0))
    theirs = edited(("a.b.c: fader_db", 2.0), ("plate: gain_db", 2.0))
    merge = merge_plans(PLAN, mine, theirs)
    assert merge.plan == mine
    found = {c.address: (c.base, c.mine, c.theirs) for c in merge.conflicts}
    assert found == {"a.b.c.fader_db": (-2.0, 1.0, 2.0), "plate.gain_db": (-10.0, 1.0, 2.0)}
    merge = merge_plans(PLAN, mine, theirs, {"a.b.c.fader_db": "theirs"})
    assert merge.plan == edited(("a.b.c: fader_db", 2.0), ("plate: gain_db", 1.0))
    assert merge_plans(PLAN, mine, mine).conflicts == ()


def test_bands_one_by_one_while_there_are_as_many():
    mine = edited(("lead vocal: equalizer.bands.1.gain_db", 1.0))
    theirs = edited(("lead vocal: equalizer.bands.2.gain_db", 2.0))
    merge = merge_plans(PLAN, mine, theirs)
    assert [band.gain_db for band in merge.plan.tracks[0].equalizer.bands] == [1.0, 2.0]
    assert merge.conflicts == ()
    theirs = edited(("lead vocal: equalizer.bands", [{"gain_db": 2}]))
    merge = merge_plans(PLAN, mine, theirs)
    (conflict,) = merge.conflicts
    assert conflict.address == "lead vocal.equalizer.bands"
    assert conflict.theirs == [to_plain(EqualizerBand(gain_db=2.0))]
    merge = merge_plans(PLAN, mine, theirs, {conflict.address: "theirs"})
    assert merge.plan == theirs
    mine = edited(("lead vocal: equalizer.bands", [{"gain_db": 1}]))
    (conflict,) = merge_plans(PLAN, mine, theirs).conflicts
    assert conflict.address == "lead vocal.equalizer.bands"


def test_rides_are_merged_by_what_they_move():
    rides = [to_plain(ride) for ride in PLAN.tracks[0].rides]
    pan = {"setting": "pan", "times_s": [0.0], "values": [0.3]}
    side = {"setting": "widener.side_db", "times_s": [0.0], "values": [1.0]}
    mine = edited(("lead vocal: rides", [pan, *rides]))
    theirs = edited(("lead vocal: rides", [rides[0], rides[2], side]))
    merge = merge_plans(PLAN, mine, theirs)
    assert merge.conflicts == ()
    moved = {ride.setting for ride in merge.plan.tracks[0].rides}
    assert moved == {"pan", "fader_db", "sends.2.gain_db", "widener.side_db"}
    theirs = edited(("lead vocal: rides", [pan | {"values": [0.7]}, *rides]))
    (conflict,) = merge_plans(PLAN, mine, theirs).conflicts
    assert conflict.address == "lead vocal.rides.pan"
    assert conflict.base is None
    assert (conflict.mine["values"], conflict.theirs["values"]) == ([0.3], [0.7])


def test_rides_of_sends_stay_with_their_sends():
    mine = edited(("lead vocal: sends", [{"bus": "plate"}]))
    theirs = edited(("lead vocal: rides.1.values", [1.0, 1.0]))
    merge = merge_plans(PLAN, mine, theirs)
    lead = merge.plan.tracks[0]
    assert {ride.setting: ride.values for ride in lead.rides} == {
        "fader_db": (1.0, 1.0),
        "sends.1.gain_db": (3.0,),
    }
    assert merge.conflicts == ()
    theirs = edited(("lead vocal: rides.2.values", [1.0]))
    merge = merge_plans(PLAN, mine, theirs)
    assert [conflict.address for conflict in merge.conflicts] == ["lead vocal.sends"]
    assert merge.plan == mine
    choices = {"lead vocal.sends": "theirs"}
    assert part_of(merge_plans(PLAN, mine, theirs, choices).plan, "lead vocal") == theirs.tracks[0]


def test_tracks_that_came_and_went():
    new, other = ChannelStrip(name="new"), ChannelStrip(name="other")
    mine = replace(PLAN, tracks=(PLAN.tracks[0], new, *PLAN.tracks[1:]))
    theirs = replace(PLAN, tracks=(*PLAN.tracks[1:], other))
    merge = merge_plans(PLAN, mine, theirs)
    assert merge.conflicts == ()
    assert [strip.name for strip in merge.plan.tracks] == ["new", "a.b.c", "Gesäng 歌", "other"]


def test_a_track_that_one_took_out_and_the_other_changed():
    mine = edited(("a.b.c: fader_db", 1.0))
    theirs = replace(PLAN, tracks=(PLAN.tracks[0], PLAN.tracks[2]))
    merge = merge_plans(PLAN, mine, theirs)
    (conflict,) = merge.conflicts
    assert (conflict.address, conflict.theirs) == ("a.b.c", None)
    assert conflict.mine["fader_db"] == 1.0
    assert merge.plan == mine
    assert merge_plans(PLAN, mine, theirs, {"a.b.c": "theirs"}).plan == theirs


def test_a_bus_that_one_took_out_and_the_other_sends_to():
    mine = edited(("Gesäng 歌: sends", [{"bus": "plate"}]))
    left = PLAN.tracks[0].keep_sends_to("hall")
    theirs = replace(PLAN, tracks=(left, *PLAN.tracks[1:]), buses=PLAN.buses[:1])
    merge = merge_plans(PLAN, mine, theirs)
    assert [conflict.address for conflict in merge.conflicts] == ["plate"]
    assert [bus.name for bus in merge.plan.buses] == ["hall", "plate"]
    assert part_of(merge.plan, "Gesäng 歌").sends == (Send(bus="plate"),)
    assert part_of(merge.plan, "lead vocal") == left
    assert merge_plans(PLAN, mine, theirs, {"plate": "theirs"}).plan == theirs


def test_a_ride_of_a_send_that_the_other_took_out():
    mine = edited(("lead vocal: sends", [{"bus": "hall"}, {"bus": "plate"}, {"bus": "hall"}]))
    ride = Ride(setting="sends.3.gain_db", values=(1.0,))
    mine = mine.with_strip("lead vocal", rides=(ride,))
    theirs = edited(("lead vocal: sends", []))
    for choice in ("mine", "theirs"):
        merge = merge_plans(PLAN, mine, theirs, {"lead vocal.sends": choice})
        side = {"mine": mine, "theirs": theirs}[choice].tracks[0]
        assert merge.plan.tracks[0].sends == side.sends


def test_plans_that_cannot_be_mixed():
    mine = replace(PLAN, tracks=(*PLAN.tracks, ChannelStrip(name="choir")))
    theirs = replace(PLAN, buses=(*PLAN.buses, Bus(name="choir")))
    merge = merge_plans(PLAN, mine, theirs)
    assert [conflict.address for conflict in merge.conflicts] == [WHOLE_PLAN]
    assert merge.plan == mine
    assert merge_plans(PLAN, mine, theirs, {WHOLE_PLAN: "theirs"}).plan == theirs


def test_decisions_and_digests_go_with_whoever_wrote_them():
    decision = Decision(setting="a.b.c.fader_db", value=-2.0, rule="r", reason="why")
    base = replace(PLAN, decisions=(decision,), mix_sha256="1")
    mine = apply_edits(base, [edit("a.b.c: fader_db", 1.0)])
    again = replace(decision, value=3.0)
    theirs = replace(base, decisions=(again,), mix_sha256="2", plan_sha256="2")
    merge = merge_plans(base, mine, theirs)
    assert merge.conflicts == ()
    assert merge.plan == replace(mine, decisions=(again,), mix_sha256="2", plan_sha256="2")


@pytest.mark.parametrize("seed", range(5))
def test_random_merges(seed):
    draw = EditDraw(seed)
    for _ in range(12):
        base = draw.draw.plan()
        sides = [base, base]
        for _ in range(draw.random.randrange(1, 6)):
            side = draw.random.randrange(2)
            sides[side] = draw.legal_edits(sides[side], apply_edits)[1]
        mine, theirs = sides
        merge = merge_plans(base, mine, theirs)
        assert MixPlan.from_toml(dumps(merge.plan)) == merge.plan  # legal, that is
        # The other way round, the same settings are in conflict, and the default is the other one.
        turned = merge_plans(base, theirs, mine)
        addresses = {conflict.address for conflict in merge.conflicts}
        assert {conflict.address for conflict in turned.conflicts} == addresses
        chosen = merge_plans(base, mine, theirs, dict.fromkeys(addresses, "theirs"))
        assert sort_rides(chosen.plan) == sort_rides(turned.plan)
        for name, part in parts_of(merge.plan).items():
            was, own, other = (parts_of(plan)[name] for plan in (base, mine, theirs))
            if own == was:
                assert part == other
            if other == was:
                assert part == own
        assert merge_plans(base, base, theirs).plan == theirs
        assert merge_plans(base, mine, base).plan == mine
        assert merge_plans(base, mine, mine).plan == mine
        assert merge_plans(mine, mine, merge.plan).plan == merge.plan


def sort_rides(plan):
    """The plan with the rides of each part in one order, which says nothing."""
    return [
        replace(part, rides=tuple(sorted(part.rides, key=lambda ride: ride.setting)))
        for part in parts_of(plan).values()
    ]
