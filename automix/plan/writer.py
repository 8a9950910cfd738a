"""Collects a plan, the reasons for its settings, and warnings, while a method works."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

from automix.plan.address import change_setting, look_up
from automix.plan.decision import Decision
from automix.plan.model import MASTER, MixPlan
from automix.plan.parameters import parameters
from automix.plan.settings import Bus, ChannelStrip, EqualizerBand, EqualizerSettings, Master


@dataclass
class PlanWriter:
    """A plan in the making.

    Attributes:
        plan: As it is now.
        warnings: What the user should know.
        reserved: Names that no bus may have, such as those of tracks that the plan gets later.
        is_finished: Whether the tracks seem to be finished stems, which have rides of their own in
            them.
    """

    plan: MixPlan
    warnings: list[str] = field(default_factory=list)
    reserved: frozenset[str] = frozenset()
    is_finished: bool = False

    def warn(self, message: str) -> None:
        """Something the user should know."""
        self.warnings.append(message)

    def change(self, track: str, **settings: Any) -> None:
        """Replaces settings of a strip."""
        self.plan = self.plan.with_strip(track, **settings)

    def add_band(self, track: str, band: EqualizerBand) -> str:
        """Adds an equalizer band to a strip and returns its address."""
        bands = (*self.plan.strip(track).equalizer.bands, band)
        self.change(track, equalizer=EqualizerSettings(bands=bands))
        return f"{track}.equalizer.bands.{len(bands)}"

    def find_free_name(self, name: str) -> str:
        """The name, or with a word added where a track or a bus has it already, which is said."""
        wanted = name
        taken = {MASTER, *self.reserved, *(strip.name for strip in self.plan.tracks)}
        taken |= {bus.name for bus in self.plan.buses}
        while name in taken:
            name += " bus"
        if name != wanted:
            self.warn(f"a track is called {wanted!r}: the bus that would be is {name!r}")
        return name

    def add_bus(self, bus: Bus) -> None:
        """Adds a bus."""
        self.plan = replace(self.plan, buses=(*self.plan.buses, bus))

    def decide(
        self, setting: str, value: float | bool, rule: str, reason: str, **figures: float
    ) -> None:
        """Records why a setting has its value; the last word counts."""
        finite = tuple(
            (name, float(figure)) for name, figure in figures.items() if math.isfinite(figure)
        )
        decision = Decision(setting=setting, value=value, rule=rule, reason=reason, figures=finite)
        others = (other for other in self.plan.decisions if other.setting != setting)
        self.plan = replace(self.plan, decisions=(*others, decision))

    def decision(self, setting: str) -> Decision:
        """What was recorded of a setting."""
        return next(found for found in self.plan.decisions if found.setting == setting)

    def set(
        self, owner: str, setting: str, value: float, rule: str, reason: str, **figures: float
    ) -> None:
        """Sets a number of a strip, a bus or the master, within its range, and records why."""
        address = f"{owner}.{setting}"
        kinds = {"master": Master, **dict.fromkeys((bus.name for bus in self.plan.buses), Bus)}
        legal = parameters(kinds.get(owner, ChannelStrip))[setting].range
        if legal is not None and value not in legal:
            self.warn(f"{address}: {value:.1f} is outside {legal} and was limited")
            value = legal.clamp(value)
        self.plan = change_setting(self.plan, address, lambda _: value)
        self.decide(address, value, rule, reason, **figures)

    def revise(
        self, address: str, value: float, rule: str, reason: str, *, old: float | None = None
    ) -> None:
        """Sets any number of the plan, within its range, and keeps why it was what it was.

        Args:
            address: Address of the setting, as in ``--set``.
            value: Its new value.
            rule: Name of the rule that revises it.
            reason: One sentence for people.
            old: Its value before, if that is not what the plan says.
        """
        declared, found = look_up(self.plan, address)
        if declared.range is not None:
            value = declared.range.clamp(value)
        earlier = next((d for d in self.plan.decisions if d.setting == address), None)
        self.plan = change_setting(self.plan, address, lambda _: value)
        before = f"before: {found if old is None else old:.4g}"
        if earlier is not None:
            before += f", {earlier.rule}: {earlier.reason}"
        figures = dict(earlier.figures) if earlier else {}
        self.decide(address, value, rule, f"{reason}; {before}", **figures)
