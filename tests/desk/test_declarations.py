"""What the page is told of the settings that there are."""

import json

from automix.desk.declarations import declare_parts
from automix.dsp.processors import PROCESSORS
from automix.plan.plain import describe_parameters
from automix.plan.settings import Bus, ChannelStrip, Master


def test_the_groups_that_the_order_arranges_hold_every_processor_with_a_group():
    declared = json.loads(json.dumps(declare_parts()))
    places = declared["strip"]["order"].pop("places")
    assert {tuple(sorted(places))} == {
        tuple(sorted(order)) for order in declared["strip"]["order"]["choices"]
    }
    assert places["e"] == ["equalizer", "de_esser"]
    for processor in PROCESSORS:
        groups = [group for group, names in places.items() if processor.name in names]
        assert groups == ([processor.strip] if processor.strip in places else [])
        if groups:
            assert declared["strip"][processor.name]["title"] == processor.title
    kinds = {"strip": ChannelStrip, "bus": Bus, "master": Master}
    assert declared == {name: describe_parameters(kind) for name, kind in kinds.items()}
