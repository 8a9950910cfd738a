"""What set the values of a plan: decisions by track and processor, and what was edited since."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from automix.dsp import processors
from automix.dsp.processors import (
    COMPRESSOR,
    DE_ESSER,
    EQUALIZER,
    REVERB,
    SPACE,
    Part,
    Processor,
    active_at,
    active_inserts,
)
from automix.errors import PlanError
from automix.methods.catalog import find_method_of_plan
from automix.plan.address import look_up
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings, parameters
from automix.plan.positions import describe_position
from automix.plan.ride_figures import describe_ride, list_parts, list_rides, measure_ride
from automix.plan.rides import Ride, find_ride
from automix.plan.settings import ChannelStrip

Value = float | int | bool | str

_PARTS = {
    "input_gain_db": "level",
    "fader_db": "level",
    "gain_db": "level",
    "invert_polarity": "polarity",
    "delay_ms": "time",
    "start_s": "time",
    "pan": "pan",
    "mute": "mute",
    "sends": "send",
    "rides": "ride",
    "pre_delay_ms": "reverb",
    "space": "reverb",
    "parallel": "bus",
}
_OFTEN_WITHOUT_REASON = (EQUALIZER, DE_ESSER, COMPRESSOR, REVERB, SPACE)
"""Processors that methods also set without a decision of their own, such as a return's equalizer.

One of them without a reason is not called edited by hand; any other is.
"""
_BY_HAND = ("input_gain_db", "delay_ms", "fader_db", "pan", "mute", "compressor.makeup_db")
"""Settings that every method of the rules gives a reason for where it changes them."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One value of a plan.

    Attributes:
        address: As in ``--set``; of a ride ``TRACK.rides.SETTING``, with the setting that it moves.
        value: What it is, of a ride how far it goes at most; none where it was removed, or where a
            whole processor is meant.
        decided: What the method set; none where no rule set it and it was neutral.
        unit: The unit of a number.
        edited: Whether it was changed after the method was done.
        is_ride: Whether it is a ride of a setting.
    """

    address: str
    value: Value | None
    decided: Value | None
    unit: str = ""
    edited: bool = False
    is_ride: bool = False

    @property
    def change(self) -> float:
        """Value minus what was decided; 0 where either is no number."""
        if isinstance(self.value, float) and isinstance(self.decided, float):
            return self.value - self.decided
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Action:
    """What one rule did to one processor of a track, a bus or the master.

    Attributes:
        owner: The name of the track or bus, or ``master``.
        part: Such as ``level`` or ``equalizer``.
        rule: Name of the rule, of the network, ``reference``, ``macro``, or ``by hand``.
        reason: One sentence.
        figures: What the rule looked at, with units in their names.
        settings: What it set.
    """

    owner: str
    part: str
    rule: str
    reason: str
    figures: tuple[tuple[str, float], ...]
    settings: tuple[Setting, ...]

    @property
    def edited(self) -> bool:
        """Whether any of the settings was edited."""
        return any(setting.edited for setting in self.settings)


@dataclass(frozen=True, kw_only=True)
class RemovedTrack:
    """A track that the plan gives reasons for and no longer has.

    Attributes:
        name: The name of the track.
        fader_db: What its fader was.
        lufs: How loud it would be before the master, if the plan tells.
        makes_way: Settings of other tracks that still make way for it.
    """

    name: str
    fader_db: float | None
    lufs: float | None
    makes_way: tuple[str, ...]


def actions(plan: MixPlan) -> tuple[Action, ...]:
    """What was done, by owner in the order of the plan, then in the order of the decisions."""
    owners = [*(s.name for s in plan.tracks), *(b.name for b in plan.buses), "master"]
    found: dict[tuple[str, str, str, str], Action] = {}
    for decision in plan.decisions:
        owner = _owner(plan, decision)
        if owner is None:
            continue
        setting = _read_setting(plan, owner, decision)
        head = decision.setting[len(owner) + 1 :].partition(".")[0]
        part = _part_of(head)
        key = (owner, part, decision.rule, decision.reason)
        before = found.get(key)
        found[key] = Action(
            owner=owner,
            part=part,
            rule=decision.rule,
            reason=decision.reason,
            figures=decision.figures,
            settings=(*(before.settings if before else ()), setting),
        )
    grouped = [*found.values(), *_find_edits(plan)]
    return tuple(sorted(grouped, key=lambda action: owners.index(action.owner)))


def _part_of(field: str) -> str:
    """The name for people of what a field of a strip, bus or master belongs to."""
    titles = {processor.name: processor.title for processor in processors.PROCESSORS}
    return _PARTS.get(field) or titles.get(field, field)


def _owner(plan: MixPlan, decision: Decision) -> str | None:
    """The longest name that the setting's address begins with."""
    names = [*(s.name for s in plan.tracks), *(b.name for b in plan.buses), "master"]
    fits = (name for name in names if decision.setting.startswith(f"{name}."))
    return max(fits, key=len, default=None)


def _read_setting(plan: MixPlan, owner: str, decision: Decision) -> Setting:
    address, decided = decision.setting, decision.value
    try:
        declared, value = look_up(plan, address)
    except PlanError:
        # The value is gone, such as that of a band that was taken out; or it is about a whole.
        return Setting(address=address, value=None, decided=decided, edited=True)
    if isinstance(value, Ride):
        return _read_ride(plan, owner, value, abs(float(decided)))
    if issubclass(declared.kind, Settings):
        return Setting(address=address, value=None, decided=None)
    unit = declared.range.unit if declared.range else ""
    return Setting(
        address=address, value=value, decided=decided, unit=unit, edited=value != decided
    )


def _read_ride(plan: MixPlan, owner: str, ride: Ride, decided: float) -> Setting:
    """A ride of which a rule says how far it goes at most."""
    figures = measure_ride(dict(list_parts(plan))[owner], ride)
    return Setting(
        address=f"{owner}.rides.{ride.setting}",
        value=figures.farthest,
        decided=decided,
        unit=figures.unit,
        edited=not figures.goes_as_far_as(decided),
        is_ride=True,
    )


def _find_edits(plan: MixPlan) -> Iterator[Action]:
    """Levels, positions, mutes and processors that no rule has set."""
    decided = {decision.setting for decision in plan.decisions}
    row = find_method_of_plan(plan.method, plan.preset)
    by_network = row is not None and row.explained_by == "controller"
    bare = by_network and not any(d.rule == "level" for d in plan.decisions)
    whole = () if bare else tuple(_find_edited_processors(plan))
    yield from whole
    yield from _find_rides_by_hand(plan, decided)
    decided |= {setting.address for action in whole for setting in action.settings}
    for strip in plan.tracks:
        for field in _BY_HAND:
            address = f"{strip.name}.{field}"
            declared, value = look_up(plan, address)
            if value == declared.default or address in decided:
                continue
            if bare and "." in field:  # a network that sets whole strips gives no reasons for it
                continue
            unit = declared.range.unit if declared.range else ""
            yield Action(
                owner=strip.name,
                part=_part_of(field.partition(".")[0]),
                rule="by hand",
                reason="no rule has set it",
                figures=(),
                settings=(
                    Setting(
                        address=address,
                        value=value,
                        decided=declared.default,
                        unit=unit,
                        edited=True,
                    ),
                ),
            )


def _find_rides_by_hand(plan: MixPlan, decided: Collection[str]) -> Iterator[Action]:
    """Rides that no rule has drawn."""
    for owner, _, number, ride in list_rides(plan):
        if f"{owner}.rides.{number}" not in decided:
            setting = replace(_read_ride(plan, owner, ride, 0.0), edited=True)
            yield Action(
                owner=owner,
                part=_part_of("rides"),
                rule="by hand",
                reason="no rule has drawn it",
                figures=(),
                settings=(setting,),
            )


def _find_edited_processors(plan: MixPlan) -> Iterator[Action]:
    """Processors that are on and that no rule has set anything of."""
    decided = [f"{decision.setting}." for decision in plan.decisions]
    used: list[tuple[str, Part, Processor]] = [
        *((strip.name, strip, row) for strip in plan.tracks for row in active_inserts(strip)),
        *(
            (bus.name, bus, row)
            for bus in plan.buses
            for row in active_at(bus, "before", "reverb", "after")
        ),
        *(("master", plan.master, row) for row in active_at(plan.master, "filter", "gain")),
    ]
    for owner, part, row in used:
        address = f"{owner}.{row.name}"
        reasoned = any(setting.startswith(f"{address}.") for setting in decided)
        if not reasoned and row not in _OFTEN_WITHOUT_REASON:
            yield Action(
                owner=owner,
                part=_part_of(row.name),
                rule="by hand",
                reason="no rule has set it",
                figures=(),
                settings=tuple(_changed_settings(row.of(part), address)),
            )


def _changed_settings(settings: Settings, address: str) -> Iterator[Setting]:
    """Every setting that differs from its default, as one that was edited."""
    for name, declared in parameters(type(settings)).items():
        value, default = getattr(settings, name), declared.default
        if declared.many:
            for number, entry in enumerate(value, 1):
                yield from _changed_settings(entry, f"{address}.{name}.{number}")
        elif value != default:
            yield Setting(
                address=f"{address}.{name}",
                value=value,
                decided=default,
                unit=declared.range.unit if declared.range else "",
                edited=True,
            )


def find_removed_tracks(plan: MixPlan) -> tuple[RemovedTrack, ...]:
    """Tracks that decisions are about and that the plan has no more, by name."""
    gone: dict[str, dict[str, Decision]] = {}
    for decision in plan.decisions:
        if _owner(plan, decision) is None and (split := _split_address(decision.setting)):
            gone.setdefault(split[0], {})[split[1]] = decision
    # Every method sets the fader of the tracks that it hears; what has none was a bus.
    return tuple(
        _describe_removed(plan, name, gone[name])
        for name in sorted(gone)
        if "fader_db" in gone[name]
    )


def _describe_removed(plan: MixPlan, name: str, decisions: dict[str, Decision]) -> RemovedTrack:
    fader = decisions.get("fader_db")
    figures = dict(fader.figures) if fader else {}
    if any(setting.startswith("rides.") for setting in decisions):
        figures = {}  # how loud it was with its rides is not known
    lufs = figures.get("processed_lufs", figures.get("track_lufs"))
    way = f"gives way to {name},"
    return RemovedTrack(
        name=name,
        fader_db=None if fader is None else float(fader.value),
        lufs=None if lufs is None or fader is None else lufs + fader.value,
        makes_way=tuple(d.setting for d in plan.decisions if d.reason.startswith(way)),
    )


def _split_address(address: str) -> tuple[str, str] | None:
    """Name and setting of an address whose track is not there: the longest name that makes one."""
    parts = address.split(".")
    for count in range(len(parts) - 1, 0, -1):
        if parts[count] in parameters(ChannelStrip):
            # "gain_db" and "equalizer" alone would also fit a bus or the master.
            return ".".join(parts[:count]), ".".join(parts[count:])
    return None


def describe_action(plan: MixPlan, action: Action) -> str:
    """The settings of an action in words of a desk, such as ``−1.5 dB at 500 Hz``."""
    return ", ".join(
        _describe_ride(plan, action.owner, setting)
        if setting.is_ride
        else _describe_setting(plan, setting)
        for setting in action.settings
    )


def _describe_ride(plan: MixPlan, owner: str, setting: Setting) -> str:
    part = dict(list_parts(plan))[owner]
    ride = find_ride(part.rides, setting.address.removeprefix(f"{owner}.rides."))
    if ride is None:
        raise ValueError(f"{setting.address} is no ride of the plan")
    said = describe_ride(part, ride)
    if setting.edited and setting.decided:
        said += f" (edited, went as far as {describe_reach(setting.decided, setting.unit)})"
    return said


def describe_reach(farthest: Value | None, unit: str) -> str:
    """How far a ride goes from where its setting rests."""
    far = float(farthest or 0.0)
    return f"{far:.1f} {unit}" if unit else f"{200 * far:.0f} %"


def _describe_setting(plan: MixPlan, setting: Setting) -> str:
    if setting.value is None:
        return (
            "–" if setting.decided is None else f"removed; was {format_value(setting.decided, '')}"
        )
    head, _, field = setting.address.rpartition(".")
    say = _describe_pan if field == "pan" else format_value
    value = say(setting.value, setting.unit)
    if setting.edited and setting.decided is not None:
        value += f" (edited, was {say(setting.decided, setting.unit)})"
    if ".equalizer.bands." in f".{head}":
        _, band = look_up(plan, head)
        kind = band.kind.replace("_", " ")
        if field == "frequency_hz":
            return f"{kind} at {value}"
        if field == "gain_db":
            return f"{value} at {frequency(band.frequency_hz)} ({kind})"
        return f"{field} {value} at {frequency(band.frequency_hz)}"
    if ".sends." in head:
        _, send = look_up(plan, head)
        return f"{value} to {send.bus}"
    if field == "pan":
        return value
    word = {"fader_db": "fader", "input_gain_db": "input gain", "gain_db": "gain"}
    name = word.get(field, field.removesuffix(f"_{setting.unit.lower()}").replace("_", " "))
    return f"{name} {value}"


def _describe_pan(value: Value, unit: str) -> str:
    return describe_position(value) if isinstance(value, float) else format_value(value, unit)


def frequency(frequency_hz: float) -> str:
    """In Hz or kHz."""
    if frequency_hz < 1000.0:
        return f"{frequency_hz:.0f} Hz"
    return f"{frequency_hz / 1000:.3g} kHz"


def format_value(value: Value, unit: str) -> str:
    """A value for people."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, float):
        return str(value)
    if unit in ("dB", "LU", "dBTP"):
        return f"{value:+.1f} {unit}"
    return frequency(value) if unit == "Hz" else f"{value:.3g} {unit}".rstrip()
