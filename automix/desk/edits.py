"""Edits of a plan, as the desk's page sends them: several at once, all of them or none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from automix.errors import PlanError, UsageError
from automix.files.names import printable
from automix.plan.model import MASTER, MixPlan
from automix.plan.parameters import IllegalSetting, Parameter, Settings, parameters
from automix.plan.plain import KeyPath, SettingFault, read_field, read_plain, read_settings
from automix.plan.rides import Ride, find_ridable, find_ride
from automix.plan.settings import STRIP_IDENTITY, Bus, ChannelStrip, Master, Send

Part = ChannelStrip | Bus | Master


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingEdit:
    """A new value of one setting, or of a list or table of settings as a whole.

    Attributes:
        owner: The name of a track or a bus, or ``"master"``.
        setting: Names of fields and positions in lists, from 1, joined by dots, such as
            ``equalizer.bands.2.gain_db``.
        value: A plain value, see `automix.plan.plain`.
    """

    owner: str
    setting: str
    value: Any

    @property
    def address(self) -> str:
        """The setting with its owner, as ``--set`` takes it."""
        return f"{self.owner}.{self.setting}"


def read_edits(value: Any) -> tuple[SettingEdit, ...]:
    """Reads edits from a list of tables with ``owner``, ``setting`` and ``value``.

    Args:
        value: A plain value; it may be anything.

    Raises:
        PlanError: It is no such list.
    """
    if not isinstance(value, list):
        raise PlanError("edits must be a list")
    edits = []
    for entry in value:
        match entry:
            case {"owner": str(owner), "setting": str(setting), "value": new, **rest} if not rest:
                edits.append(SettingEdit(owner=owner, setting=setting, value=new))
            case _:
                raise PlanError("an edit is a table with owner, setting and value")
    return tuple(edits)


def apply_edits(plan: MixPlan, edits: Iterable[SettingEdit]) -> MixPlan:
    """A copy of the plan with all of the edits made, one after the other.

    What the edits make of a track, a bus or the master has to be legal only once all are made.
    Where the list of a track's sends is replaced, the rides of sends stay with their buses.

    Args:
        plan: The plan, which stays as it is.
        edits: The edits.

    Raises:
        PlanError: An edit leads nowhere, has an illegal value, is about what says which track it
            is, or about a setting that a ride takes the place of; or the outcome is no legal plan.
    """
    edits = tuple(edits)
    parts = parts_of(plan)
    drafts: dict[str, _Draft] = {}
    for edit in edits:
        if edit.owner not in parts:
            raise PlanError(f"there is no track or bus named {printable(edit.owner)!r}")
        draft = drafts.setdefault(edit.owner, _Draft(parts[edit.owner]))
        with _Naming(edit.owner):
            _make_edit(draft, edit)
    changed: dict[str, Part] = {}
    for owner, draft in drafts.items():
        with _Naming(owner):
            part = draft.build(())
            for edit in edits:
                if edit.owner == owner:
                    _refuse_ridden(part, edit.setting)
        if part is not parts[owner]:
            changed[owner] = part
    moved: dict[str, str | None] = {}
    for owner, part in changed.items():
        moved |= _find_moved_entries(owner, parts[owner], part)
    return _move_decisions(replace_parts(plan, changed), moved)


def parts_of(plan: MixPlan) -> dict[str, Part]:
    """The strips, the buses and the master of a plan, by the names that edits give them."""
    parts: dict[str, Part] = {strip.name: strip for strip in plan.tracks}
    parts |= {bus.name: bus for bus in plan.buses}
    parts[MASTER] = plan.master
    return parts


def replace_parts(plan: MixPlan, changed: Mapping[str, Part]) -> MixPlan:
    """A copy of the plan in which tracks, buses or the master are others of the same names.

    Args:
        plan: The plan.
        changed: Strips, buses and the master by name.

    Raises:
        PlanError: They are no legal plan together.
    """
    if not changed:
        return plan
    fields: dict[str, Any] = {}
    if any(strip.name in changed for strip in plan.tracks):
        fields["tracks"] = tuple(changed.get(strip.name, strip) for strip in plan.tracks)
    if any(bus.name in changed for bus in plan.buses):
        fields["buses"] = tuple(changed.get(bus.name, bus) for bus in plan.buses)
    if MASTER in changed:
        fields["master"] = changed[MASTER]
    return replace(plan, **fields)


def read_parts(plan: MixPlan, changed: Mapping[str, Any]) -> MixPlan:
    """A copy of the plan in which tracks, buses or the master are read anew.

    Args:
        plan: The plan.
        changed: Plain values of strips, buses and the master by name; they may be anything.

    Raises:
        PlanError: They are not that, or no legal plan together.
    """
    known = parts_of(plan)
    parts: dict[str, Part] = {}
    for name, value in changed.items():
        if name not in known:
            raise PlanError(f"there is no track or bus named {printable(name)!r}")
        part = read_plain(type(known[name]), value, name)
        if not isinstance(part, Master) and part.name != name:
            raise PlanError(f"what is to be {printable(name)!r} has another name")
        parts[name] = part
    return replace_parts(plan, parts)


class _Naming:
    """Turns a fault inside into a sentence that names the owner and the setting."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, SettingFault):
            where = ".".join(str(p + 1) if isinstance(p, int) else p for p in error.path)
            raise PlanError(printable(f"{self._owner}.{where}: {error}")) from error


def _make_edit(draft: "_Draft", edit: SettingEdit) -> None:
    path = edit.setting.split(".")
    if path[0] in STRIP_IDENTITY:
        raise SettingFault(
            "says which track or bus it is, and is not changed on the desk", (path[0],)
        )
    if path == ["sends"]:
        before, rides = draft.current("sends"), draft.current("rides")
        draft.set(path, edit.value, ())
        draft.fields["rides"] = _follow_sends(rides, before, draft.current("sends"))
    else:
        draft.set(path, edit.value, ())


def _refuse_ridden(part: Part, setting: str) -> None:
    """Refuses a setting that stands still.

    Raises:
        SettingFault: A ride takes its place.
    """
    if find_ride(part.rides, setting) and not find_ridable(part, setting)[0].is_added:
        raise SettingFault("a ride takes its place; change the ride, or take it out", (setting,))


def _follow_sends(
    rides: Sequence[Ride], before: Sequence[Send], after: Sequence[Send]
) -> tuple[Ride, ...]:
    """The rides, those of sends at the new places of their buses, and without those that left."""
    places = _number_sends(after)
    moved = {
        f"sends.{number}.gain_db": places.get(send)
        for send, number in _number_sends(before).items()
    }
    kept = []
    for ride in rides:
        if ride.setting not in moved:
            kept.append(ride)
        elif place := moved[ride.setting]:
            setting = f"sends.{place}.gain_db"
            kept.append(ride if ride.setting == setting else replace(ride, setting=setting))
    return tuple(kept)


def _number_sends(sends: Sequence[Send]) -> dict[tuple[str, int], int]:
    """The places of sends, from 1, by their bus and which of the sends to that bus they are."""
    places: dict[tuple[str, int], int] = {}
    counts: dict[str, int] = {}
    for place, send in enumerate(sends, 1):
        counts[send.bus] = counts.get(send.bus, 0) + 1
        places[send.bus, counts[send.bus]] = place
    return places


def _find_moved_entries(owner: str, before: Part, after: Part) -> dict[str, str | None]:
    """Addresses of the entries of lists that have other places now; none of those that are gone.

    Where a list is as long as before, its entries were changed where they are.
    """
    lists: list[tuple[str, list[object], list[object]]] = [
        (
            f"{owner}.rides",
            [ride.setting for ride in before.rides],
            [ride.setting for ride in after.rides],
        ),
        (
            f"{owner}.equalizer.bands",
            list(before.equalizer.bands),
            list(after.equalizer.bands),
        ),
    ]
    if isinstance(before, ChannelStrip) and isinstance(after, ChannelStrip):
        sends = [[send.bus for send in strip.sends] for strip in (before, after)]
        lists.append((f"{owner}.sends", [*sends[0]], [*sends[1]]))
    moved: dict[str, str | None] = {}
    for address, old, new in lists:
        if len(old) == len(new):
            continue
        places: dict[int, int] = {}
        for match in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
            places |= {match.a + n: match.b + n for n in range(match.size)}
        for place in range(len(old)):
            at = places.get(place)
            if at != place:
                moved[f"{address}.{place + 1}"] = None if at is None else f"{address}.{at + 1}"
    return moved


def _move_decisions(plan: MixPlan, moved: Mapping[str, str | None]) -> MixPlan:
    """The plan with the decisions about entries of lists at the entries' new places."""
    if not moved:
        return plan
    decisions = []
    for decision in plan.decisions:
        entry = next((a for a in moved if f"{decision.setting}.".startswith(f"{a}.")), None)
        if entry is None:
            decisions.append(decision)
        elif (place := moved[entry]) is not None:
            setting = place + decision.setting.removeprefix(entry)
            decisions.append(replace(decision, setting=setting))
    return replace(plan, decisions=tuple(decisions))


class _Draft:
    """Settings that are being changed: they are built, and checked, once all changes are known.

    Attributes:
        fields: What was changed: a value, a draft of settings, or a list of settings and drafts.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.fields: dict[str, Any] = {}

    def set(self, path: Sequence[str], value: Any, here: KeyPath) -> None:
        """Changes what a path leads to.

        Raises:
            SettingFault: The path leads nowhere, or the value is not legal there.
        """
        head, *rest = path
        parameter = parameters(type(self._settings)).get(head)
        if parameter is None:
            known = ", ".join(parameters(type(self._settings)))
            raise SettingFault(f"there is no such setting; there are: {known}", (*here, head))
        here = (*here, head)
        if not rest:
            self.fields[head] = read_field(parameter, value, here)
        elif parameter.many:
            self._set_entry(parameter, rest, value, here)
        elif issubclass(parameter.kind, Settings):
            self._thaw(head).set(rest, value, here)
        else:
            raise SettingFault("goes on after a plain value", (*here, *rest))

    def _set_entry(
        self, parameter: Parameter, path: Sequence[str], value: Any, here: KeyPath
    ) -> None:
        number, *rest = path
        entries = list(self.fields.get(parameter.name, getattr(self._settings, parameter.name)))
        places = {str(place + 1): place for place in range(len(entries))}
        if number not in places:
            raise SettingFault(
                f"there is no entry {printable(number)!r} among the {len(entries)}", here
            )
        place = places[number]
        here = (*here, place)
        if rest:
            if not isinstance(entries[place], Settings | _Draft):
                raise SettingFault("goes on after a plain value", (*here, *rest))
            if isinstance(entries[place], Settings):
                entries[place] = _Draft(entries[place])
            entries[place].set(rest, value, here)
        elif issubclass(parameter.kind, Settings):
            entries[place] = read_settings(parameter.kind, value, here)
        else:
            (entries[place],) = read_field(parameter, [value], here)
        self.fields[parameter.name] = entries

    def _thaw(self, name: str) -> "_Draft":
        value = self.fields.get(name, getattr(self._settings, name))
        draft = value if isinstance(value, _Draft) else _Draft(value)
        self.fields[name] = draft
        return draft

    def current(self, name: str) -> Any:
        """The value of a field as it is now.

        Raises:
            SettingFault: There is no such field, or what it holds does not go together yet.
        """
        if name not in parameters(type(self._settings)):
            raise SettingFault("there is no such setting", (name,))
        if name not in self.fields:
            return getattr(self._settings, name)
        return _build(self.fields[name], (name,))

    def build(self, here: KeyPath) -> Any:
        """The settings with all changes.

        Raises:
            SettingFault: They do not go together.
        """
        fields = {name: _build(value, (*here, name)) for name, value in self.fields.items()}
        if all(fields[name] is getattr(self._settings, name) for name in fields):
            return self._settings
        try:
            return replace(self._settings, **fields)
        except UsageError as error:
            deeper = error.path if isinstance(error, IllegalSetting) else ()
            raise SettingFault(str(error), (*here, *deeper)) from error


def _build(value: Any, here: KeyPath) -> Any:
    if isinstance(value, _Draft):
        return value.build(here)
    if isinstance(value, list):
        return tuple(_build(entry, (*here, place)) for place, entry in enumerate(value))
    return value
