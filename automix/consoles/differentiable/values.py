"""The values that have gradients: their names, their neutral state, and completing them.

Values are tensors by name, as in the addresses of `automix.plan.address`. Those of strips
are ``(batch, tracks)``, those of buses ``(batch, buses)`` and begin with ``bus.``, those of the
master ``(batch,)`` and begin with ``master.``; equalizer bands, spaces and sends add a last axis.
Dimensions of size 1 are repeated, a missing value is neutral. All are in the units of the plan.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast, get_args

import torch
from torch import Tensor

from automix.dsp.processors import (
    EQUALIZER,
    SPACE,
    Part,
    Processor,
    Twin,
    list_ridables,
    processors_of,
)
from automix.plan.parameters import Settings, parameters
from automix.plan.settings import Bus, ChannelStrip, EqualizerBand, Master, Space

Values = Mapping[str, Tensor]

SPACES: tuple[Space, ...] = get_args(Space)
"""The order of the values of a space mixture."""

STRIP_LEVELS = ("input_gain_db", "delay_ms", "fader_db", "pan")


def _neutral(settings: type[Settings], names: tuple[str, ...], group: str = "") -> dict[str, float]:
    declared = parameters(settings)
    return {group + name: float(declared[name].default) for name in names}


def values_of(processor: Processor, part: type[Part]) -> tuple[str, ...]:
    """The settings of a processor that have gradients in strips, in buses or on the master."""
    if not isinstance(processor.twin, Twin):
        return ()
    if processor.place_in(part) == "reverb":  # all of a return is wet
        return tuple(name for name in processor.twin.values if name != processor.twin.switch)
    return processor.twin.values


def _neutral_rides(part: type[Part]) -> dict[str, float]:
    """What is added is 0; a position has its own neutral value."""
    own = parameters(part)
    return {
        f"rides.{name}": 0.0 if note.is_added else float(own[name].default)
        for name, note in list_ridables(part).items()
    }


def _neutral_processors(part: type[Part]) -> dict[str, float]:
    neutral = {}
    for processor in processors_of(part):
        settings = EqualizerBand if processor is EQUALIZER else processor.settings
        if processor is SPACE:
            neutral["space.mixture"] = 1.0
        neutral |= _neutral(settings, values_of(processor, part), f"{processor.name}.")
    return neutral


_STRIP = {
    **_neutral(ChannelStrip, STRIP_LEVELS),
    "polarity": 1.0,
    **_neutral_processors(ChannelStrip),
    "sends_db": -torch.inf,
    **_neutral_rides(ChannelStrip),
    "rides.sends_db": 0.0,
}
_BUS = {**_neutral(Bus, ("gain_db",)), **_neutral_processors(Bus), **_neutral_rides(Bus)}
_MASTER = {
    **_neutral(Master, ("gain_db",)),
    **_neutral_processors(Master),
    **_neutral_rides(Master),
}

NEUTRAL: dict[str, float] = {
    **_STRIP,
    **{f"bus.{name}": value for name, value in _BUS.items()},
    **{f"master.{name}": value for name, value in _MASTER.items()},
}
"""Every value that the console knows, with what it is where it is not given.

``polarity`` is −1…1. ``space.mixture`` ``(…, 5)`` weighs the responses of `SPACES`; where it is
missing, the space is the first. ``sends_db`` ``(batch, tracks, buses)`` of −inf is no send.
Rides ``(…, points)`` hold the values at the times of the layout; the last values of those with
fewer points than others do not count. ``rides.sends_db`` is ``(batch, tracks, buses, points)``.
"""

_OF_ANY_PART = {**_STRIP, **_BUS, **_MASTER}


class ConsolePart:
    """The values of all strips, of all buses, or of the master, complete and in one shape.

    Args:
        values: By name, without the part's prefix.
        shape: ``(batch, parts)``.
        device: Where the audio is.
        lines: What rides add to settings ``(batch, parts, samples)``, by name of the setting.
    """

    def __init__(
        self,
        values: Values,
        shape: tuple[int, int],
        device: torch.device,
        lines: Values = MappingProxyType({}),
    ) -> None:
        self._values = values
        self._shape = shape
        self._device = device
        self.lines = lines

    def get(self, name: str, last: int | None = None) -> Tensor:
        """A value as ``(batch, parts)`` float64, or with the first ``last`` of a last axis."""
        shape = self._shape if last is None else (*self._shape, last)
        if name in self._values:
            value = self._values[name].to(self._device, torch.float64)
            return (value if last is None else value[..., :last]).expand(shape)
        neutral = torch.full(shape, _OF_ANY_PART[name], dtype=torch.float64, device=self._device)
        if name == "space.mixture":
            neutral[..., 1:] = 0.0
        return neutral

    def get_points(self, setting: str, points: int) -> Tensor:
        """The values ``(batch, parts, points)`` of a ride; ``sends.1`` is to the second bus."""
        name, _, bus = setting.partition("sends.")
        if not bus:
            return self.get(f"rides.{name}", points)
        value = self._values.get("rides.sends_db")
        of_bus = {} if value is None else {"rides.sends_db": value[:, :, int(bus)]}
        return ConsolePart(of_bus, self._shape, self._device).get("rides.sends_db", points)

    def with_lines(self, lines: Values) -> "ConsolePart":
        """The same with what rides add to settings."""
        return ConsolePart(self._values, self._shape, self._device, lines)

    def of(self, index: list[int]) -> "ConsolePart":
        """The values of some of the strips or buses, by their positions."""
        chosen = {
            name: value[:, index] if value.shape[1] > 1 else value
            for name, value in self._values.items()
        }
        return ConsolePart(chosen, (self._shape[0], len(index)), self._device)

    def used(self, name: str) -> list[bool]:
        """For each strip or bus, whether a value is other than neutral, or wants a gradient."""
        parts = self._shape[1]
        value = self._values.get(name)
        if value is None or value.requires_grad:
            return [value is not None] * parts
        differs = (value != _OF_ANY_PART[name]).movedim(1, 0).flatten(1).any(1)
        return cast(list[bool], differs.expand(parts).tolist())


def split_values(values: Values) -> tuple[Values, Values, Values]:
    """The values of the strips, of the buses and of the master, without their prefixes.

    Raises:
        ValueError: A value has a name that the console does not know.
    """
    if unknown := sorted(set(values) - set(NEUTRAL)):
        raise ValueError(f"unknown values {', '.join(unknown)}; there are: {', '.join(NEUTRAL)}")
    strips, buses, master = {}, {}, {}
    for name, value in values.items():
        if name.startswith("bus."):
            buses[name.removeprefix("bus.")] = value
        elif name.startswith("master."):
            master[name.removeprefix("master.")] = value.unsqueeze(1)
        else:
            strips[name] = value
    return strips, buses, master
