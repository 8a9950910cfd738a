"""From what a network hears of reverb to the reverb of the plan.

The networks that ship have learned to hear a known reverb in a vocal. As with the equalizer, what
is heard is not what is applied: a vocal that is wet enough gets none, a dry one that of the rules,
and one between gets the rest, in a room like the one that is heard.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from automix.methods.vocal.cnn_settings import VocalNetworks
from automix.methods.vocal.hearing import HeardVocal
from automix.methods.vocal.tempo_reverb import BUS, add_tempo_reverb
from automix.plan.parameters import parameters
from automix.plan.settings import FdnReverbSettings
from automix.plan.writer import PlanWriter

WET_ENOUGH = 0.5
"""Dry/wet from which on nothing is missing: direct sound and network are equally strong."""

_LEAST_MISSING = 0.05


@dataclass(frozen=True, kw_only=True)
class HeardReverb:
    """What a network says of the ten parameters.

    Attributes:
        network: Name of the network, for people.
        values: Value of each field of `FdnReverbSettings`, by name.
    """

    network: str
    values: Mapping[str, float]


def apply_reverb(writer: PlanWriter, name: str, heard: HeardReverb) -> None:
    """Sets the vocal's reverb to what the network says, as in the paper."""
    reverb = FdnReverbSettings(**_legal(heard.values))
    writer.change(name, reverb=reverb)
    for field in heard.values:
        writer.decide(
            f"{name}.reverb.{field}",
            getattr(reverb, field),
            heard.network,
            "predicted by the network",
            said=heard.values[field],
        )


def add_what_is_missing(
    writer: PlanWriter, name: str, backing: HeardVocal, options: VocalNetworks, heard: HeardReverb
) -> VocalNetworks:
    """Adds the rules' reverb as far as the vocal lacks it.

    Returns:
        The options with the level of the return that is left to be set.
    """
    share = min(max(heard.values["dry_wet"] / WET_ENOUGH, 0.0), 1.0)
    missing = 1.0 - share
    why = f"{100 * heard.values['dry_wet']:.0f} % wet is heard, {100 * missing:.0f} % is missing"
    if missing < _LEAST_MISSING:
        writer.decide(
            f"{name}.reverb.dry_wet", 0.0, heard.network, why, heard=heard.values["dry_wet"]
        )
        return replace(options, return_below_mix_lu=None)
    add_tempo_reverb(writer, name, backing, options)
    is_send = options.return_below_mix_lu is not None
    path = f"{BUS if is_send else name}.reverb"
    own = writer.plan.bus(BUS).reverb if is_send else writer.plan.strip(name).reverb
    values = _blend(own, heard.values, share)
    values["dry_wet"] = own.dry_wet if is_send else own.dry_wet * missing
    if not own.fade_in_time_s:  # a return that is measured has none to be blended
        values["fade_in_time_s"] = 0.0
    reverb = FdnReverbSettings(**values)
    _set(writer, name, reverb, is_send=is_send)
    for field in values:
        writer.decide(
            f"{path}.{field}",
            getattr(reverb, field),
            heard.network,
            why
            if field == "dry_wet"
            else f"{why}: rule {_number(own, field)}, heard {heard.values[field]:.4g}",
            heard=heard.values[field],
            share=share,
        )
    if options.return_below_mix_lu is None:
        return options
    below_lu = min(options.return_below_mix_lu - 20.0 * math.log10(missing), 60.0)
    return replace(options, return_below_mix_lu=below_lu)


def _number(reverb: FdnReverbSettings, field: str) -> str:
    return f"{getattr(reverb, field):.4g}"


def _set(writer: PlanWriter, name: str, reverb: FdnReverbSettings, *, is_send: bool) -> None:
    if not is_send:
        writer.change(name, reverb=reverb)
        return
    buses = tuple(
        replace(bus, reverb=reverb) if bus.name == BUS else bus for bus in writer.plan.buses
    )
    writer.plan = replace(writer.plan, buses=buses)


def _blend(own: FdnReverbSettings, heard: Mapping[str, float], share: float) -> dict[str, Any]:
    """Parameters between those of the rules and those heard, along their own scales."""
    declared = parameters(FdnReverbSettings)
    values: dict[str, Any] = {}
    for field, value in heard.items():
        legal = declared[field].range
        if legal is None:
            raise RuntimeError(f"{field} has no range")
        places = legal.to_unit(getattr(own, field)), legal.to_unit(value)
        values[field] = legal.from_unit((1.0 - share) * places[0] + share * places[1])
    return values


def _legal(values: Mapping[str, float]) -> dict[str, Any]:
    declared = parameters(FdnReverbSettings)
    return {
        field: legal.clamp(value) if (legal := declared[field].range) else value
        for field, value in values.items()
    }
