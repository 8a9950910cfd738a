"""The mix plan: everything that a console needs to know, as plain values.

Signal flow: tracks → strips → (sends → buses) → sum → master. A method writes a plan, a person may
edit it, a console renders it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeVar

from automix.errors import PlanError, UsageError
from automix.parameters import Parameter, Range, Settings, parameters
from automix.settings import (
    CompressorSettings,
    DeEsserSettings,
    EqualizerSettings,
    FdnReverbSettings,
    LimiterSettings,
    SpaceSettings,
)

Depth = Literal["16", "24", "32f"]
Order = Literal["ecr", "erc", "cer", "cre", "rec", "rce"]
PanLaw = Literal["linear", "constant-power", "compromise"]


@dataclass(frozen=True, kw_only=True)
class Send(Settings):
    """A post-fader, post-pan send from a strip to a bus."""

    bus: Annotated[str, "name of the bus"] = ""
    gain_db: Annotated[float, Range(-60, 24, "dB"), "level of the send"] = 0.0


@dataclass(frozen=True, kw_only=True)
class ChannelStrip(Settings):
    """One track: gain → polarity → equalizer → de-esser → compressor → reverb → fader → pan."""

    name: Annotated[str, "name of the track"] = ""
    role: Annotated[str, "what the track is"] = "other"
    file: Annotated[str, "audio file, relative to this plan where possible"] = ""
    right_file: Annotated[str, "its right side, where that is a file of its own"] = ""
    sha256: Annotated[str, "of the file, or of both, that the plan was made from"] = ""
    input_gain_db: Annotated[float, Range(-60, 60, "dB"), "before all processing"] = 0.0
    fold: Annotated[bool, "make a stereo track mono, by the mean of its sides"] = False
    invert_polarity: Annotated[bool, "multiply by −1"] = False
    equalizer: EqualizerSettings = EqualizerSettings()
    de_esser: DeEsserSettings = DeEsserSettings()
    compressor: CompressorSettings = CompressorSettings()
    reverb: FdnReverbSettings = FdnReverbSettings()
    space: SpaceSettings = SpaceSettings()
    order: Annotated[Order, "e equalizer and de-esser, c compressor, r reverb and space"] = "ecr"
    fader_db: Annotated[float, Range(-60, 60, "dB"), "after all processing"] = 0.0
    pan: Annotated[float, Range(0, 1), "0 left, 0.5 center, 1 right"] = 0.5
    mute: Annotated[bool, "leave the track out"] = False
    sends: tuple[Send, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bus(Settings):
    """A shared reverberation: sends → pre-delay → equalizer → reverb → return gain → mix.

    With a wet space the bus is that space; else it is the feedback delay network.
    """

    name: Annotated[str, "name of the bus"] = ""
    pre_delay_ms: Annotated[float, Range(0, 500, "ms"), "before the reverb"] = 0.0
    equalizer: EqualizerSettings = EqualizerSettings()
    reverb: FdnReverbSettings = FdnReverbSettings()
    space: SpaceSettings = SpaceSettings()
    gain_db: Annotated[float, Range(-60, 48, "dB"), "level of the return"] = 0.0


@dataclass(frozen=True, kw_only=True)
class Master(Settings):
    """The sum of all strips and returns: equalizer → compressor → gain → limiter."""

    equalizer: EqualizerSettings = EqualizerSettings()
    compressor: CompressorSettings = CompressorSettings()
    gain_db: Annotated[float, Range(-60, 60, "dB"), "level of the mix"] = 0.0
    limiter: LimiterSettings = LimiterSettings()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Why one setting has its value.

    Attributes:
        setting: Address as in ``--set``, such as ``vocal.compressor.ratio``.
        value: What the rule set; the plan itself may have been edited since.
        rule: Name of the rule or network output.
        reason: One sentence for people.
        figures: The measured numbers that the rule looked at, with units in their names.
    """

    setting: str
    value: float | bool
    rule: str
    reason: str
    figures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class MixPlan(Settings):
    """A whole mix. Equality is exact, so two equal plans render to the same bytes.

    Attributes:
        decisions: Provenance of the settings.
    """

    method: Annotated[str, "what wrote the plan"] = ""
    preset: Annotated[str, "variant of the method"] = ""
    automix_version: Annotated[str, "that wrote it"] = ""
    seed: Annotated[int | None, Range(0, 2**32 - 1), "of methods that draw at random"] = None
    weights: Annotated[str, "hash of the network's weights; empty for rules"] = ""
    request: Annotated[str, "fingerprint of the command's settings, for --skip-existing"] = ""
    sample_rate_hz: Annotated[int, Range(8000, 192000, "Hz"), "of the session and the mix"] = 44100
    bits: Annotated[Depth, "of the mix file where its format has a choice"] = "24"
    pan_law: Annotated[PanLaw, "gain of the two sides against pan"] = "constant-power"
    tracks: tuple[ChannelStrip, ...] = ()
    buses: tuple[Bus, ...] = ()
    master: Master = Master()
    decisions: tuple[Decision, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        names = ["master", *(s.name for s in self.tracks), *(bus.name for bus in self.buses)]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise PlanError(
                f"two of the tracks, buses and the master are named {sorted(doubled)[0]!r}"
            )
        if "" in names:
            raise PlanError("a track or a bus has no name")
        known = {bus.name for bus in self.buses}
        for strip in self.tracks:
            for send in strip.sends:
                if send.bus not in known:
                    raise PlanError(f"track {strip.name!r} sends to an unknown bus {send.bus!r}")

    def strip(self, name: str) -> ChannelStrip:
        """The strip of a track.

        Raises:
            PlanError: There is none of that name.
        """
        for strip in self.tracks:
            if strip.name == name:
                return strip
        raise PlanError(f"the plan has no track named {name!r}")

    def with_strip(self, name: str, **changes: Any) -> "MixPlan":
        """A copy in which fields of one strip are replaced."""
        self.strip(name)
        tracks = tuple(
            replace(strip, **changes) if strip.name == name else strip for strip in self.tracks
        )
        return replace(self, tracks=tracks)

    def bus(self, name: str) -> Bus:
        """The bus of a name; the plan holds every bus that it sends to."""
        return next(bus for bus in self.buses if bus.name == name)


_IDENTITY = ("name", "file", "right_file", "sha256")

Change = Callable[[Any], Any]
Named = TypeVar("Named", bound=ChannelStrip | Bus)


def look_up(plan: MixPlan, address: str) -> tuple[Parameter, Any]:
    """Declaration and value of a setting, or of a group of them.

    Args:
        plan: The plan.
        address: As for `change_setting`.

    Raises:
        PlanError: The address leads nowhere.
    """
    parts: dict[str, Settings] = {strip.name: strip for strip in plan.tracks}
    parts |= {bus.name: bus for bus in plan.buses}
    owner = max((name for name in parts if address.startswith(name + ".")), key=len, default="")
    path = (address[len(owner) + 1 :] if owner else address).split(".")
    value: Any = parts.get(owner, plan)
    declared: Parameter | None = None
    for head in path:
        if isinstance(value, tuple):
            if not head.isdecimal() or not 1 <= int(head) <= len(value):
                raise PlanError(f"{address!r}: there is no entry {head!r}")
            value = value[int(head) - 1]
            continue
        declared = parameters(type(value)).get(head) if isinstance(value, Settings) else None
        if declared is None:
            raise PlanError(f"{address!r} leads nowhere")
        value = getattr(value, head)
    if declared is None:
        raise PlanError(f"{address!r} leads nowhere")
    return declared, value


def change_setting(plan: MixPlan, address: str, change: Change) -> MixPlan:
    """A copy of the plan in which one setting is changed.

    Args:
        plan: The plan.
        address: ``TRACK.setting``, ``BUS.setting`` or ``master.setting``; nested settings are
            joined by dots, list entries counted from 1: ``lead vocal.equalizer.bands.2.gain_db``.
        change: New value from old value.

    Raises:
        PlanError: The address leads nowhere, or the new value is not legal there.
    """
    if address == "pan_law":
        changed: MixPlan = _changed(plan, [address], address, change)
        return changed
    named = [*(strip.name for strip in plan.tracks), *(bus.name for bus in plan.buses)]
    owner = max((n for n in named if address.startswith(n + ".")), key=len, default="")
    path = address[len(owner) + 1 :].split(".")
    if owner and path[0] in _IDENTITY:
        raise PlanError(f"{address!r} says which track it is and is not a setting; edit the plan")
    if owner and owner in (strip.name for strip in plan.tracks):
        return replace(plan, tracks=_with_changed(plan.tracks, owner, path, address, change))
    if owner:
        return replace(plan, buses=_with_changed(plan.buses, owner, path, address, change))
    if address.startswith("master."):
        path = address.removeprefix("master.").split(".")
        return replace(plan, master=_changed(plan.master, path, address, change))
    raise PlanError(
        f"{address!r}: no track or bus of that name; there are: {', '.join([*named, 'master'])}"
    )


def _with_changed(
    parts: tuple[Named, ...], name: str, path: list[str], address: str, change: Change
) -> tuple[Named, ...]:
    changed = list(parts)
    index = [part.name for part in parts].index(name)
    changed[index] = _changed(parts[index], path, address, change)
    return tuple(changed)


def _changed(value: Any, path: list[str], address: str, change: Change) -> Any:
    head, *rest = path
    if isinstance(value, tuple):
        entries = [str(number) for number in range(1, len(value) + 1)]
        if head not in entries:
            raise PlanError(f"{address!r}: {head!r} is not one of the {len(value)} entries")
        if not rest:
            raise PlanError(f"{address!r} is a group of settings; name one of them")
        index = entries.index(head)
        entry = _changed(value[index], rest, address, change)
        return (*value[:index], entry, *value[index + 1 :])
    if not isinstance(value, Settings):
        raise PlanError(f"{address!r} goes on after a plain value")
    known = parameters(type(value))
    if head not in known:
        raise PlanError(f"{address!r}: no setting {head!r}; there are: {', '.join(known)}")
    old = getattr(value, head)
    if not rest and isinstance(old, Settings | tuple):
        raise PlanError(f"{address!r} is a group of settings; name one of them")
    try:
        return replace(
            value, **{head: _changed(old, rest, address, change) if rest else change(old)}
        )
    except PlanError:
        raise
    except UsageError as error:
        raise PlanError(f"{address!r}: {error}") from error
