"""What the page needs to know to play a plan by itself, from the kept renders on.

The page plays a track's render at the gains of its fader and pan, adds up what is sent to each bus,
and does what a bus and the master do: stages that a row of the table of processors describes (see
`automix.dsp.processors.Processor.live`), and the response of a bus's reverb, which is linear.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import BLOCK_FRAMES
from automix.desk.renders import Renders, mix_frames
from automix.dsp.processors import (
    Place,
    Processor,
    active_at,
    load,
    reverb_of,
)
from automix.plan.model import MASTER, MixPlan
from automix.plan.settings import Bus, Master, ProcessorSettings
from automix.session.tracks import Session
from automix.units import ms_to_samples, seconds_to_samples

LONGEST_RESPONSE_S = 30.0
"""What a bus still returns after that is not heard on the desk."""

_WHOLE_DB = 100.0  # a response ends where the energy of the rest is that far below the whole
_TAIL_SHARE = 1.75  # a tail ends 60 dB down, these tails more than 100 dB


def describe_sound(plan: MixPlan, session: Session, renders: Renders) -> dict[str, Any]:
    """Describes how the page plays a plan.

    Args:
        plan: The plan.
        session: Its tracks, opened with none of them muted.
        renders: The renders of the same session.
    """
    rate = session.sample_rate
    tracks = {
        name: {
            "key": render.key,
            "channels": render.channels,
            "is_mono": render.is_mono,
            "ready": render.ready,
        }
        for name, render in renders.describe(plan).items()
    }
    return {
        "length": mix_frames(session, plan),
        "tracks": tracks,
        "buses": {bus.name: _describe_bus(bus, rate) for bus in plan.buses},
        "master": {"stages": _describe_stages(plan.master, rate, "filter", "gain")},
    }


def _describe_bus(bus: Bus, rate: int) -> dict[str, Any]:
    return {
        "key": name_response(bus, rate),
        "parallel": bus.parallel,
        "channels": 2 if bus.parallel else 1,
        "delay": ms_to_samples(bus.pre_delay_ms, rate),
        "before": _describe_stages(bus, rate, "before"),
        "response": reverb_of(bus) is not None,
        "after": _describe_stages(bus, rate, "after"),
    }


def _describe_stages(part: Bus | Master, rate: int, *places: Place) -> list[dict[str, Any]]:
    return [load(row.live)(row.of(part), rate) for row in active_at(part, *places) if row.live]


def find_unheard(plan: MixPlan, sample_rate: int) -> list[str]:
    """Says what of a plan the page cannot play while faders are moved; the render has it all."""
    found = []
    parts: list[tuple[str, Bus | Master]] = [(MASTER, plan.master)]
    parts += [(bus.name, bus) for bus in plan.buses]
    for name, part in parts:
        places: tuple[Place, ...] = ("before", "after")
        if isinstance(part, Master):
            places = ("filter", "gain")
        found += [
            f"{name}: the {row.title} is not heard on the desk, only in the render"
            for row in active_at(part, *places)
            if not row.live
        ]
    for bus in plan.buses:
        row = reverb_of(bus)
        if row is not None and row.whole_tail_s(bus) > LONGEST_RESPONSE_S:
            found.append(
                f"{bus.name}: what it returns after {LONGEST_RESPONSE_S:g} s is not heard on the"
                " desk, only in the render"
            )
    return found


def name_response(bus: Bus, sample_rate: int) -> str:
    """The key of a bus's response: the same for buses that reverberate alike; or nothing."""
    row = reverb_of(bus)
    if row is None:
        return ""
    told = repr((row.name, row.of(bus), sample_rate))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def find_response(plans: Iterable[MixPlan], key: str, sample_rate: int) -> NDArray[np.float32]:
    """The response ``(2, n)`` of a key, for which a bus of some plans is looked up.

    Raises:
        KeyError: No bus has such a response.
    """
    for plan in plans:
        for bus in plan.buses:
            if key and name_response(bus, sample_rate) == key:
                return make_bus_response(plan, bus.name, sample_rate)
    raise KeyError(key)


def make_bus_response(plan: MixPlan, bus_name: str, rate: int) -> NDArray[np.float32]:
    """What the reverb of a bus makes of one frame of full scale, ``(2, n)``.

    It ends where the energy of the rest is 100 dB down, or after `LONGEST_RESPONSE_S`. Without a
    reverb it is one frame.
    """
    bus = plan.bus(bus_name)
    row = reverb_of(bus)
    if row is None:
        return np.ones((2, 1), np.float32)
    tail_s = min(_TAIL_SHARE * row.whole_tail_s(bus) + 1.0, LONGEST_RESPONSE_S)
    return _make_response(row, row.of(bus), tail_s, rate)


@lru_cache(maxsize=16)
def _make_response(
    row: Processor, settings: ProcessorSettings, tail_s: float, rate: int
) -> NDArray[np.float32]:
    stage = load(row.wet)(settings, rate)
    left = seconds_to_samples(tail_s, rate)
    blocks = []
    block = np.zeros((1, min(left, BLOCK_FRAMES)))
    block[0, 0] = 1.0
    while left > 0:
        blocks.append(stage.process(block).astype(np.float32))
        left -= block.shape[1]
        block = np.zeros((1, min(left, BLOCK_FRAMES)))
    response = np.concatenate(blocks, axis=1)
    energies = (response.astype(np.float64) ** 2).sum(axis=0)
    rest = np.cumsum(energies[::-1])[::-1]
    length = max(1, int((rest > rest[0] * 10.0 ** (-_WHOLE_DB / 10.0)).sum()))
    response = response[:, :length].copy()
    response.flags.writeable = False
    return response
