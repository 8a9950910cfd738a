"""``--set``: expressions, and the settings that they change."""

import pytest

from automix.errors import PlanError
from automix.plan.address import change_setting
from automix.plan.assignment import parse_assignment
from automix.plan.model import MixPlan
from automix.plan.settings import Bus, ChannelStrip, EqualizerBand, EqualizerSettings, Send

PLAN = MixPlan(
    tracks=(
        ChannelStrip(
            name="lead vocal",
            fader_db=-3.0,
            equalizer=EqualizerSettings(bands=(EqualizerBand(), EqualizerBand(gain_db=2.0))),
            sends=(Send(bus="plate 1.5"),),
        ),
        ChannelStrip(name="gtr.left"),
        ChannelStrip(name="gtr"),
        ChannelStrip(name="歌"),
    ),
    buses=(Bus(name="plate 1.5", gain_db=-10.0),),
)


strip = MixPlan.strip


def changed(*expressions, plan=PLAN):
    for expression in expressions:
        plan = change_setting(plan, *parse_assignment(expression))
    return plan


@pytest.mark.parametrize(
    ("expression", "look", "value"),
    [
        ("lead vocal.fader_db=2", lambda p: strip(p, "lead vocal").fader_db, 2.0),
        ("lead vocal.fader_db=-2.5", lambda p: strip(p, "lead vocal").fader_db, -2.5),
        ("lead vocal.fader_db += 2", lambda p: strip(p, "lead vocal").fader_db, -1.0),
        ("lead vocal.fader_db-=2", lambda p: strip(p, "lead vocal").fader_db, -5.0),
        ("lead vocal.fader_db+=-2", lambda p: strip(p, "lead vocal").fader_db, -5.0),
        ("lead vocal.fader_db-=-2e0", lambda p: strip(p, "lead vocal").fader_db, -1.0),
        ("gtr.left.pan=0.25", lambda p: strip(p, "gtr.left").pan, 0.25),
        ("gtr.pan=0.25", lambda p: strip(p, "gtr").pan, 0.25),
        ("歌.mute=true", lambda p: strip(p, "歌").mute, True),
        ("gtr.mute = true", lambda p: strip(p, "gtr").mute, True),
        ("gtr.role=rhythm guitar", lambda p: strip(p, "gtr").role, "rhythm guitar"),
        ('gtr.role="true"', lambda p: strip(p, "gtr").role, "true"),
        ("gtr.role=a=b", lambda p: strip(p, "gtr").role, "a=b"),
        ("gtr.role=1\nb = 2", lambda p: strip(p, "gtr").role, "1\nb = 2"),
        ("gtr.compressor.ratio=4", lambda p: strip(p, "gtr").compressor.ratio, 4.0),
        ('gtr.reverb.lines="16"', lambda p: strip(p, "gtr").reverb.lines, "16"),
        (
            "lead vocal.equalizer.bands.2.gain_db-=0.5",
            lambda p: [b.gain_db for b in strip(p, "lead vocal").equalizer.bands],
            [0.0, 1.5],
        ),
        ("lead vocal.sends.1.gain_db=-6", lambda p: strip(p, "lead vocal").sends[0].gain_db, -6.0),
        ("plate 1.5.gain_db+=1", lambda p: p.bus("plate 1.5").gain_db, -9.0),
        ("plate 1.5.reverb.room_size=20", lambda p: p.bus("plate 1.5").reverb.room_size, 20.0),
        ("master.gain_db=-1", lambda p: p.master.gain_db, -1.0),
        ("master.limiter.ceiling_dbtp=-1", lambda p: p.master.limiter.ceiling_dbtp, -1.0),
        ("pan_law=linear", lambda p: p.pan_law, "linear"),
    ],
)
def test_one_setting_changes_and_nothing_else(expression, look, value):
    plan = changed(expression)
    assert look(plan) == value
    assert type(look(plan)) is type(look(PLAN))
    back = look(PLAN)
    address = parse_assignment(expression)[0]
    if not isinstance(back, list):
        assert change_setting(plan, address, lambda _: back) == PLAN


def test_changes_add_up_in_order():
    plan = changed("gtr.fader_db=1", "gtr.fader_db+=2", "gtr.fader_db-=0.5")
    assert plan.strip("gtr").fader_db == 2.5


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("nonsense", "--set 'nonsense': write NAME.setting=VALUE"),
        ("=3", "write NAME.setting=VALUE"),
        ("gtr.pan=", "write NAME.setting=VALUE"),
        ("gtr.pan+=left", "+= needs a number"),
        ("gtr.pan-=true", "-= needs a number"),
        ("gtr.pan-=[1]", "-= needs a number"),
        ("gtr.pan-=1979-05-27", "-= needs a number"),
        ("gtr.mute+=1", "gtr.mute is not a number"),
        ("gtr.role+=1", "gtr.role is not a number"),
        ("bass.pan=0", "'bass.pan': no track or bus of that name; there are: lead vocal, gtr.left"),
        ("pan=0", "no track or bus of that name"),
        ("fader_db=0", "plate 1.5, master"),
        ("gtr=0", "no track or bus of that name"),
        ("gtr.=0", "no setting ''"),
        ("gtr.volume=0", "'gtr.volume': no setting 'volume'; there are: name, role"),
        ("gtr.compressor.rato=2", "no setting 'rato'; there are: threshold_db, ratio"),
        ("gtr.compressor=2", "'gtr.compressor' is a group of settings"),
        ("master.limiter=0", "'master.limiter' is a group of settings"),
        ("lead vocal.sends=0", "is a group of settings"),
        ("lead vocal.equalizer.bands.1=0", "is a group of settings"),
        ("lead vocal.equalizer.bands.1+=1", "is a group of settings"),
        ("lead vocal.equalizer.bands.0.q=1", "'0' is not one of the 2 entries"),
        ("lead vocal.equalizer.bands.3.q=1", "'3' is not one of the 2 entries"),
        ("lead vocal.equalizer.bands.-1.q=1", "'-1' is not one of the 2 entries"),
        ("lead vocal.equalizer.bands.x.q=1", "'x' is not one of the 2 entries"),
        (f"lead vocal.equalizer.bands.{'9' * 5000}.q=1", "is not one of the 2 entries"),
        ("gtr.pan.left=0", "'gtr.pan.left' goes on after a plain value"),
        ("gtr.pan=1.5", "'gtr.pan': pan = 1.5 is outside 0 … 1"),
        ("gtr.pan+=0.6", "'gtr.pan': pan = 1.1 is outside 0 … 1"),
        ("gtr.pan=nan", "pan must be finite"),
        ("gtr.pan+=inf", "pan must be finite"),
        (f"gtr.pan={'9' * 400}", "pan must be a number"),
        (f"gtr.pan+={'9' * 400}", "pan must be finite"),
        (f"gtr.pan={'9' * 5000}", "pan must be a number"),
        (f"gtr.pan={'[' * 5000}", "pan must be a number"),
        ("gtr.pan=left", "pan must be a number"),
        ("gtr.pan=true", "pan must be a number"),
        ("gtr.mute=1", "mute must be true or false"),
        ("gtr.role=3", "role must be a text"),
        ("gtr.role=caf\udce9", "role must be Unicode text"),
        ("gtr.reverb.lines=32", "lines must be one of '16', '32', '64', not 32"),
        ("pan_law=quadratic", "'pan_law': pan_law must be one of"),
        ("gtr.name=歌", "'gtr.name' says which track it is"),
        ("plate 1.5.name=hall", "'plate 1.5.name' says which track it is"),
    ],
)
def test_an_error_names_the_address(expression, message):
    with pytest.raises(PlanError) as failure:
        changed(expression)
    assert message in str(failure.value)
