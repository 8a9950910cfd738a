"""What the page is told of the settings that there are: ranges, units, what they are for."""

from typing import Any

from automix.dsp.processors import processors_of
from automix.plan.plain import describe_parameters
from automix.plan.settings import Bus, ChannelStrip, Master

_GROUPS = ("e", "c", "r")


def declare_parts() -> dict[str, dict[str, dict[str, Any]]]:
    """Describes the settings of a ``strip``, a ``bus`` and the ``master``.

    They are described as by `describe_parameters`; the ``order`` of a strip has ``places`` besides,
    the names of the processors in each of the groups that it arranges.
    """
    strip = describe_parameters(ChannelStrip)
    strip["order"]["places"] = {
        group: [row.name for row in processors_of(ChannelStrip) if row.strip == group]
        for group in _GROUPS
    }
    return {
        "strip": strip,
        "bus": describe_parameters(Bus),
        "master": describe_parameters(Master),
    }
