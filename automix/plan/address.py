"""Addresses of settings, as ``--set`` takes them: ``vocal.equalizer.bands.1.gain_db``."""

from dataclasses import replace
from typing import Any, TypeVar

from automix.errors import PlanError, UsageError
from automix.plan.assignment import Change
from automix.plan.model import MixPlan
from automix.plan.parameters import Parameter, Settings, follow, parameters
from automix.plan.rides import find_ridable, find_ride
from automix.plan.settings import STRIP_IDENTITY, Bus, ChannelStrip, Master

Named = TypeVar("Named", bound=ChannelStrip | Bus)


def look_up(plan: MixPlan, address: str) -> tuple[Parameter, Any]:
    """Declaration and value of a setting, or of a group of them.

    Args:
        plan: The plan.
        address: Where the setting is, written as for `change_setting`.

    Raises:
        PlanError: The address leads nowhere.
    """
    parts: dict[str, Settings] = {strip.name: strip for strip in plan.tracks}
    parts |= {bus.name: bus for bus in plan.buses}
    owner = max((name for name in parts if address.startswith(name + ".")), key=len, default="")
    path = (address[len(owner) + 1 :] if owner else address).split(".")
    try:
        return follow(parts.get(owner, plan), path)
    except UsageError as error:
        raise PlanError(f"{address!r} leads nowhere: {error}") from None


def change_setting(plan: MixPlan, address: str, change: Change) -> MixPlan:
    """A copy of the plan in which one setting is changed.

    Args:
        plan: The plan.
        address: ``TRACK.setting``, ``BUS.setting`` or ``master.setting``; nested settings are
            joined by dots, list entries counted from 1: ``lead vocal.equalizer.bands.2.gain_db``.
        change: New value from old value.

    Raises:
        PlanError: The address leads nowhere, or the new value is not legal there; or it is about a
            ride, or about a setting that stands still because a ride takes its place.
    """
    if address == "pan_law":
        changed: MixPlan = _change_at(plan, [address], address, change)
        return changed
    named = [*(strip.name for strip in plan.tracks), *(bus.name for bus in plan.buses)]
    owner = max((n for n in named if address.startswith(n + ".")), key=len, default="")
    path = address[len(owner) + 1 :].split(".")
    if owner and path[0] in STRIP_IDENTITY:
        raise PlanError(f"{address!r} says which track it is and is not a setting; edit the plan")
    if owner and owner in (strip.name for strip in plan.tracks):
        return replace(plan, tracks=_change_part(plan.tracks, owner, path, address, change))
    if owner:
        return replace(plan, buses=_change_part(plan.buses, owner, path, address, change))
    if address.startswith("master."):
        path = address.removeprefix("master.").split(".")
        return replace(plan, master=_change_at(plan.master, path, address, change))
    raise PlanError(
        f"{address!r}: no track or bus of that name; there are: {', '.join([*named, 'master'])}"
    )


def _refuse_rides(part: ChannelStrip | Bus | Master, field: str, address: str) -> None:
    """Refuses what one value cannot change.

    Raises:
        PlanError: The field is the rides, or a setting that a ride takes the place of.
    """
    if field == "rides":
        level = "fader_db" if isinstance(part, ChannelStrip) else "gain_db"
        owner = address.partition(".rides")[0]
        raise PlanError(
            f"{address!r}: a ride is a line of points, which one value does not change; edit the"
            f" plan, or move the whole line of the level by --set '{owner}.{level}+=1'"
        )
    if find_ride(part.rides, field) and not find_ridable(part, field)[0].is_added:
        raise PlanError(
            f"{address!r} has no effect, as a ride of the {field} takes its place; edit the values"
            " of the ride in the plan, or take the ride out"
        )


def _change_part(
    parts: tuple[Named, ...], name: str, path: list[str], address: str, change: Change
) -> tuple[Named, ...]:
    changed = list(parts)
    index = [part.name for part in parts].index(name)
    changed[index] = _change_at(parts[index], path, address, change)
    return tuple(changed)


def _change_at(value: Any, path: list[str], address: str, change: Change) -> Any:
    head, *rest = path
    if isinstance(value, tuple):
        entries = [str(number) for number in range(1, len(value) + 1)]
        if head not in entries:
            raise PlanError(f"{address!r}: {head!r} is not one of the {len(value)} entries")
        if not rest:
            raise PlanError(f"{address!r} is a group of settings; name one of them")
        index = entries.index(head)
        entry = _change_at(value[index], rest, address, change)
        return (*value[:index], entry, *value[index + 1 :])
    if not isinstance(value, Settings):
        raise PlanError(f"{address!r} goes on after a plain value")
    known = parameters(type(value))
    if head not in known:
        raise PlanError(f"{address!r}: no setting {head!r}; there are: {', '.join(known)}")
    old = getattr(value, head)
    if isinstance(value, ChannelStrip | Bus | Master):
        _refuse_rides(value, head, address)
    if not rest and isinstance(old, Settings | tuple):
        raise PlanError(f"{address!r} is a group of settings; name one of them")
    try:
        return replace(
            value, **{head: _change_at(old, rest, address, change) if rest else change(old)}
        )
    except PlanError:
        raise
    except UsageError as error:
        raise PlanError(f"{address!r}: {error}") from error
