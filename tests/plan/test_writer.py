"""What a plan in the making knows of names."""

import pytest

from automix.plan.model import MixPlan
from automix.plan.settings import Bus, ChannelStrip
from automix.plan.writer import PlanWriter


def writer(tracks=(), buses=()):
    return PlanWriter(
        MixPlan(
            sample_rate_hz=44100,
            tracks=tuple(ChannelStrip(name=name) for name in tracks),
            buses=tuple(Bus(name=name) for name in buses),
        )
    )


@pytest.mark.parametrize(
    ("tracks", "buses", "wanted", "found"),
    [
        ((), (), "reverb", "reverb"),
        (("vocal",), ("room",), "reverb", "reverb"),
        (("reverb",), (), "reverb", "reverb bus"),
        ((), ("reverb",), "reverb", "reverb bus"),
        (("reverb",), ("reverb bus",), "reverb", "reverb bus bus"),
        ((), (), "master", "master bus"),
    ],
)
def test_a_free_name_is_that_of_no_track_no_bus_and_not_the_master(tracks, buses, wanted, found):
    assert writer(tracks, buses).find_free_name(wanted) == found


def test_a_free_name_can_be_given_again_and_again():
    making = writer(("delay",))
    for _ in range(3):
        making.add_bus(Bus(name=making.find_free_name("delay")))
    names = [bus.name for bus in making.plan.buses]
    assert names == ["delay bus", "delay bus bus", "delay bus bus bus"]
