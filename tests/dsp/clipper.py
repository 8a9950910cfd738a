"""A processor that automix does not have, and how a test registers it."""

from dataclasses import dataclass, fields, make_dataclass
from typing import Annotated

import numpy as np

from automix.dsp import processors
from automix.plan import parameters
from automix.plan.parameters import Range, Settings
from automix.plan.settings import Bus, ChannelStrip, ProcessorSettings


@dataclass(frozen=True, kw_only=True)
class ClipperSettings(ProcessorSettings):
    """Holds samples at a ceiling."""

    title = "hard clipper"

    ceiling: Annotated[float, Range(0.01, 2), "largest sample; 2 is off"] = 2.0


class Clipper:
    def __init__(self, settings, sample_rate, channels):
        self.ceiling = settings.ceiling

    def process(self, block):
        return np.clip(block, -self.ceiling, self.ceiling)


def register(monkeypatch, **places):
    """Does what a field of strip and bus and a row of the table do, until the test ends."""
    for owner in (ChannelStrip, Bus):
        _add_field(monkeypatch, owner, "clipper", ClipperSettings)
    row = processors.Processor(
        name="clipper",
        settings=ClipperSettings,
        exact="tests.dsp.clipper:Clipper",
        twin="its gradient is 0 above the ceiling",
        **places,
    )
    monkeypatch.setattr(processors, "PROCESSORS", (*processors.PROCESSORS, row))


def _add_field(monkeypatch, owner, name, settings):
    declared = [(field.name, field.type, field.default) for field in fields(owner)]
    declared.append((name, settings, settings()))
    wider = make_dataclass(owner.__name__, declared, bases=(Settings,), frozen=True, kw_only=True)
    for attribute in ("__init__", "__eq__", "__hash__", "__repr__", "__dataclass_fields__"):
        monkeypatch.setattr(owner, attribute, getattr(wider, attribute))
    monkeypatch.setattr(owner, "__annotations__", wider.__annotations__)
    monkeypatch.setattr(owner, name, settings(), raising=False)
    monkeypatch.setitem(parameters._DECLARED, owner, parameters._read_fields(owner))
