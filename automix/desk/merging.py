"""Merges what two people did to one plan, setting by setting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from automix.errors import UsageError
from automix.plan.decision import Decision
from automix.plan.model import MASTER, MixPlan
from automix.plan.parameters import Parameter, Settings, parameters
from automix.plan.plain import to_plain
from automix.plan.rides import Ride
from automix.plan.settings import Bus, ChannelStrip

Side = Literal["mine", "theirs"]
Choices = Mapping[str, Side]
"""By the address of a conflict, whose value to take; mine where nothing is said."""

WHOLE_PLAN = "plan"
"""The address of the one conflict of plans that no setting can be taken from without the rest."""

Named = TypeVar("Named", bound=ChannelStrip | Bus)

_OF_FILES = ("mix_sha256", "stems_sha256", "report_sha256", "plan_sha256", "request")
"""What a plan says about files beside it: who wrote the plan's file last knows best."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """What two people changed, each in another way.

    Attributes:
        address: Of the setting, as in ``--set``; ``vocal.rides.fader_db`` is a ride, whatever its
            place among the rides is; the name of a track or a bus is all of it.
        base: Its value before both, as plain as `to_plain` makes it; none if it was not there.
        mine: My value, likewise.
        theirs: Their value, likewise.
    """

    address: str
    base: Any
    mine: Any
    theirs: Any


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Outcome of a merge.

    Attributes:
        plan: The merged plan, which is always a legal one.
        conflicts: What was changed on both sides; the plan holds what was chosen.
    """

    plan: MixPlan
    conflicts: tuple[Conflict, ...]


def merge_plans(
    base: MixPlan, mine: MixPlan, theirs: MixPlan, choices: Choices | None = None
) -> Merge:
    """Merges two plans that come from one: what only one of them changed is taken from it.

    Bands of equalizers and sends are merged one by one where all three plans have as many, and to
    the same buses; else they are one setting. A decision goes with its setting.

    Args:
        base: The plan that both began with.
        mine: One of the two plans.
        theirs: The other one.
        choices: Whose value to take where both changed one.
    """
    merger = _Merger(choices or {})
    try:
        plan = merger.plan(base, mine, theirs)
    except UsageError:  # such as a track and a bus that were given one name
        merger.conflicts.clear()
        plan = merger.choose(WHOLE_PLAN, base, mine, theirs, spell=lambda plan: None)
    return Merge(plan=plan, conflicts=tuple(merger.conflicts))


class _Merger:
    """A merge at work.

    Attributes:
        conflicts: Those found so far.
    """

    def __init__(self, choices: Choices) -> None:
        self.conflicts: list[Conflict] = []
        self._choices = choices

    def choose(
        self,
        address: str,
        base: Any,
        mine: Any,
        theirs: Any,
        *,
        spell: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Takes what one side changed; where both did, there is a conflict."""
        if mine == theirs or theirs == base:
            return mine
        if mine == base:
            return theirs
        spell = spell or _spell
        self.conflicts.append(
            Conflict(address=address, base=spell(base), mine=spell(mine), theirs=spell(theirs))
        )
        return theirs if self._choices.get(address) == "theirs" else mine

    def plan(self, base: MixPlan, mine: MixPlan, theirs: MixPlan) -> MixPlan:
        fields: dict[str, Any] = {}
        for name in parameters(MixPlan):
            three = getattr(base, name), getattr(mine, name), getattr(theirs, name)
            if name in ("tracks", "buses"):
                fields[name] = self._named_parts(*three)
            elif name == MASTER:
                fields[name] = self._part(MASTER, *three)
            elif name == "decisions":
                fields[name] = self._decisions(*three)
            elif name in _OF_FILES:
                fields[name] = three[1] if three[2] == three[0] else three[2]
            else:
                fields[name] = self.choose(name, *three)
        self._keep_buses(fields, base, mine, theirs)
        return replace(mine, **fields)

    def _named_parts(
        self, base: Sequence[Named], mine: Sequence[Named], theirs: Sequence[Named]
    ) -> tuple[Named, ...]:
        """The tracks, or the buses."""
        sides = [{part.name: part for part in side} for side in (base, mine, theirs)]
        merged = []
        for name in _merge_order(*map(list, sides)):
            three = [side.get(name) for side in sides]
            part = self.choose(name, *three) if None in three else self._part(name, *three)
            if part is not None:
                merged.append(part)
        return tuple(merged)

    def _part(self, name: str, base: Any, mine: Any, theirs: Any) -> Any:
        """A strip, a bus or the master; all of it from one side where the sides do not mix."""
        count = len(self.conflicts)
        try:
            return self._settings(name, base, mine, theirs)
        except UsageError:  # such as a ride of what only the other side still has
            del self.conflicts[count:]
            return self.choose(name, base, mine, theirs)

    def _settings(self, address: str, base: Any, mine: Any, theirs: Any) -> Any:
        if mine == theirs or theirs == base:
            return mine
        if mine == base:
            return theirs
        fields: dict[str, Any] = {}
        for name, parameter in parameters(type(mine)).items():
            three = [getattr(side, name) for side in (base, mine, theirs)]
            if not issubclass(parameter.kind, Ride) and name != "sends":
                fields[name] = self._field(f"{address}.{name}", parameter, *three)
        if isinstance(mine, ChannelStrip):
            fields |= self._sends_and_rides(address, base, mine, theirs)
        elif "rides" in parameters(type(mine)):
            fields["rides"] = self._rides(address, base.rides, mine.rides, theirs.rides)
        return replace(mine, **fields)

    def _field(self, address: str, parameter: Parameter, base: Any, mine: Any, theirs: Any) -> Any:
        if not issubclass(parameter.kind, Settings):
            return self.choose(address, base, mine, theirs)
        if not parameter.many:
            return self._settings(address, base, mine, theirs)
        if not len(base) == len(mine) == len(theirs):
            return self.choose(address, base, mine, theirs)
        return tuple(
            self._settings(f"{address}.{number}", *entries)
            for number, entries in enumerate(zip(base, mine, theirs, strict=True), 1)
        )

    def _sends_and_rides(
        self, address: str, base: ChannelStrip, mine: ChannelStrip, theirs: ChannelStrip
    ) -> dict[str, Any]:
        """Sends and rides, which say the places of the sends that they move."""
        sides = base, mine, theirs
        declared = parameters(ChannelStrip)["sends"]
        if _have_same_buses(*sides):
            sends = [side.sends for side in sides]
            return {
                "sends": self._field(f"{address}.sends", declared, *sends),
                "rides": self._rides(address, *(side.rides for side in sides)),
            }
        whole = [(side.sends, _split_rides(side)[0]) for side in sides]
        sends, rides = self.choose(f"{address}.sends", *whole, spell=lambda pair: _spell(pair[0]))
        others = [_split_rides(side)[1] for side in sides]
        return {"sends": sends, "rides": (*self._rides(address, *others), *rides)}

    def _rides(
        self, address: str, base: Sequence[Ride], mine: Sequence[Ride], theirs: Sequence[Ride]
    ) -> tuple[Ride, ...]:
        sides = [{ride.setting: ride for ride in side} for side in (base, mine, theirs)]
        merged = [
            self.choose(f"{address}.rides.{setting}", *(side.get(setting) for side in sides))
            for setting in _merge_order(*map(list, sides))
        ]
        return tuple(ride for ride in merged if ride is not None)

    def _decisions(
        self, base: Sequence[Decision], mine: Sequence[Decision], theirs: Sequence[Decision]
    ) -> tuple[Decision, ...]:
        """Decisions, which are no settings: whose is taken is said by the choice of its setting."""
        sides = [_number_decisions(side) for side in (base, mine, theirs)]
        merged = []
        for key in _merge_order(*map(list, sides)):
            was, own, other = (side.get(key) for side in sides)
            if other == was:
                decision = own
            elif own == was or self._choices.get(key[0]) == "theirs":
                decision = other
            else:
                decision = own
            if decision is not None:
                merged.append(decision)
        return tuple(merged)

    def _keep_buses(
        self, fields: dict[str, Any], base: MixPlan, mine: MixPlan, theirs: MixPlan
    ) -> None:
        """Decides about buses that one side took out, and that a send of the other leads to."""
        wanted = {send.bus for strip in fields["tracks"] for send in strip.sends}
        for name in sorted(wanted - {bus.name for bus in fields["buses"]}):
            three = [_find_bus(plan, name) for plan in (base, mine, theirs)]
            self.conflicts = [found for found in self.conflicts if found.address != name]
            self.conflicts.append(
                Conflict(
                    address=name,
                    **dict(zip(("base", "mine", "theirs"), map(_spell, three), strict=True)),
                )
            )
            kept = three[2] if self._choices.get(name) == "theirs" else three[1]
            if kept is not None:
                fields["buses"] = (*fields["buses"], kept)
                continue
            left = [bus for bus in wanted if bus != name]
            fields["tracks"] = tuple(strip.keep_sends_to(*left) for strip in fields["tracks"])


def _find_bus(plan: MixPlan, name: str) -> Bus | None:
    return next((bus for bus in plan.buses if bus.name == name), None)


def _number_decisions(decisions: Sequence[Decision]) -> dict[tuple[str, int], Decision]:
    """Decisions by their setting, and which of the decisions about it they are."""
    numbered: dict[tuple[str, int], Decision] = {}
    counts: dict[str, int] = {}
    for decision in decisions:
        counts[decision.setting] = counts.get(decision.setting, 0) + 1
        numbered[decision.setting, counts[decision.setting]] = decision
    return numbered


def _have_same_buses(*sides: ChannelStrip) -> bool:
    return len({tuple(send.bus for send in side.sends) for side in sides}) == 1


def _split_rides(strip: ChannelStrip) -> tuple[tuple[Ride, ...], tuple[Ride, ...]]:
    """The rides of sends, and the others."""
    of_sends = tuple(ride for ride in strip.rides if ride.setting.startswith("sends."))
    return of_sends, tuple(ride for ride in strip.rides if ride not in of_sends)


Key = TypeVar("Key")


def _merge_order(base: list[Key], mine: list[Key], theirs: list[Key]) -> list[Key]:
    """All that mine and theirs hold, in the order of the side that changed it.

    What only the other side holds follows what it follows there.
    """
    first, second = (theirs, mine) if mine == base else (mine, theirs)
    order = list(first)
    known = set(order)
    for place, key in enumerate(second):
        if key not in known:
            known.add(key)
            order.insert(order.index(second[place - 1]) + 1 if place else 0, key)
    return order


def _spell(value: Any) -> Any:
    if isinstance(value, Settings):
        return to_plain(value)
    return [_spell(entry) for entry in value] if isinstance(value, tuple) else value
