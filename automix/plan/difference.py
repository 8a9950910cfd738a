"""What differs between two plans: their settings, and what they were made with and from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from automix.plan.model import MASTER, MixPlan
from automix.plan.parameters import Settings, parameters
from automix.plan.ride_figures import Part, RideChange, compare_rides
from automix.plan.rides import Ride, find_ridable, find_ride
from automix.plan.settings import STRIP_IDENTITY, Bus, ChannelStrip

Value = float | int | bool | str | None
Named = TypeVar("Named", bound=ChannelStrip | Bus)

_PROVENANCE = (
    "method",
    "preset",
    "taste",
    "automix_version",
    "seed",
    "weights",
    "sample_rate_hz",
    "bits",
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that differs.

    Attributes:
        setting: Address as in ``--set``, such as ``lead vocal.equalizer.bands.2.gain_db``.
        old: Value in the first plan; `None` where it has no such entry of a list.
        new: Value in the second plan, likewise.
        unit: Of a number, such as ``"dB"``.
    """

    setting: str
    old: Value
    new: Value
    unit: str = ""

    @property
    def change(self) -> float | None:
        """New minus old; none unless both are numbers."""
        if not (_is_number(self.old) and _is_number(self.new)):
            return None
        return self.new - self.old  # type: ignore[operator]


@dataclass(frozen=True, kw_only=True)
class RideDifference:
    """A ride that differs, or that one of two plans lacks.

    Attributes:
        setting: ``TRACK.rides.SETTING``, such as ``lead vocal.rides.fader_db``, whatever its place
            among the rides is.
        old: The ride of the first plan; none where it has none.
        new: That of the second plan, likewise.
        unit: The unit of its values; empty for a pan position.
        change: How the new line differs from the old one; without a ride the setting rests.
    """

    setting: str
    old: Ride | None
    new: Ride | None
    unit: str
    change: RideChange

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """What became of the ride."""
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"


@dataclass(frozen=True, kw_only=True)
class PlanDifference:
    """What differs between two plans; what was decided why is not compared.

    Attributes:
        settings: Settings that differ, in the order of the first plan.
        rides: Rides that differ, in that order, too.
        provenance: Method, preset, seed, weights, version of automix, rate and depth of the mix.
        inputs: Tracks made from other audio: the digests of their files.
        only_in_first: Names of tracks and buses, as ``track kick``.
        only_in_second: Likewise.
    """

    settings: tuple[Difference, ...]
    rides: tuple[RideDifference, ...]
    provenance: tuple[Difference, ...]
    inputs: tuple[Difference, ...]
    only_in_first: tuple[str, ...]
    only_in_second: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return any(
            (
                self.settings,
                self.rides,
                self.provenance,
                self.inputs,
                self.only_in_first,
                self.only_in_second,
            )
        )


def plan_difference(first: MixPlan, second: MixPlan) -> PlanDifference:
    """Compares two plans exactly; tracks and buses are matched by name, whatever their order.

    Where the files are is not compared, so that a moved folder makes no difference; what they hold
    is, by their digests where both plans have one.
    """
    settings = _compare("", _named_values(first, ("pan_law",)), _named_values(second, ("pan_law",)))
    inputs: list[Difference] = []
    rides: list[RideDifference] = []
    for strip, other in _match(first.tracks, second.tracks):
        settings += _compare(f"{strip.name}.", _values(strip), _values(other))
        rides += _compare_rides(strip.name, strip, other)
        if strip.sha256 and other.sha256 and strip.sha256 != other.sha256:
            digests = {"old": strip.sha256, "new": other.sha256}
            inputs.append(Difference(setting=f"{strip.name}.sha256", **digests))
    for bus, other_bus in _match(first.buses, second.buses):
        settings += _compare(f"{bus.name}.", _values(bus), _values(other_bus))
        rides += _compare_rides(bus.name, bus, other_bus)
    settings += _compare("master.", _values(first.master), _values(second.master))
    rides += _compare_rides(MASTER, first.master, second.master)
    return PlanDifference(
        settings=tuple(settings),
        rides=tuple(rides),
        provenance=tuple(
            _compare("", _named_values(first, _PROVENANCE), _named_values(second, _PROVENANCE))
        ),
        inputs=tuple(inputs),
        only_in_first=tuple(_only_in(first, second)),
        only_in_second=tuple(_only_in(second, first)),
    )


Values = dict[str, tuple[Value, str]]
"""Value and unit by address within its owner."""


def _values(settings: Settings) -> Values:
    return dict(_walk(settings, ""))


def _walk(settings: Settings, prefix: str) -> Iterator[tuple[str, tuple[Value, str]]]:
    for name, parameter in parameters(type(settings)).items():
        value, address = getattr(settings, name), prefix + name
        if issubclass(parameter.kind, Ride):
            continue
        if issubclass(parameter.kind, Settings):
            if not parameter.many:
                yield from _walk(value, f"{address}.")
                continue
            for number, entry in enumerate(value, 1):
                yield from _walk(entry, f"{address}.{number}.")
        elif prefix or name not in STRIP_IDENTITY:
            yield address, (value, parameter.range.unit if parameter.range else "")


def _named_values(plan: MixPlan, names: Sequence[str]) -> Values:
    declared = parameters(MixPlan)
    ranges = {name: declared[name].range for name in names}
    return {
        name: (getattr(plan, name), legal.unit if legal else "") for name, legal in ranges.items()
    }


def _compare(owner: str, first: Values, second: Values) -> list[Difference]:
    """Where two sets of values differ; what only one of them has differs from `None`."""
    found = []
    for address in [*first, *(address for address in second if address not in first)]:
        old, unit = first.get(address, (None, ""))
        new, other_unit = second.get(address, (None, ""))
        if old != new:
            setting = owner + address
            found.append(Difference(setting=setting, old=old, new=new, unit=unit or other_unit))
    return found


def _compare_rides(owner: str, first: Part, second: Part) -> Iterator[RideDifference]:
    """Where the rides of two strips, buses or masters differ, matched by what they move."""
    for setting in dict.fromkeys(ride.setting for ride in (*first.rides, *second.rides)):
        old, new = find_ride(first.rides, setting), find_ride(second.rides, setting)
        if old != new:
            yield RideDifference(
                setting=f"{owner}.rides.{setting}",
                old=old,
                new=new,
                unit=find_ridable(second if old is None else first, setting)[1].unit,
                change=compare_rides(first, second, setting),
            )


def _match(first: Sequence[Named], second: Sequence[Named]) -> Iterator[tuple[Named, Named]]:
    others = {part.name: part for part in second}
    return ((part, others[part.name]) for part in first if part.name in others)


def _only_in(plan: MixPlan, other: MixPlan) -> Iterator[str]:
    for kind, parts, others in (
        ("track", plan.tracks, other.tracks),
        ("bus", plan.buses, other.buses),
    ):
        known = {part.name for part in others}
        yield from (f"{kind} {part.name}" for part in parts if part.name not in known)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
