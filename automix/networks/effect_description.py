"""The description of a neural audio effect: network, task and settings. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from automix.errors import UsageError
from automix.plan.parameters import Range, Settings
from automix.plan.vector import ORDER_SLOTS, SLOTS, Slot

NetworkName = Literal["tcn-8", "tcn-10", "tcn-20", "tcn-30", "wave-u-net-6-8", "wave-u-net-6-16"]
EffectName = Literal["channel", "equalizer", "compressor", "reverb", "la2a"]
OrderName = Literal["static", "variable"]

RATE_HZ = 44_100
"""Sample rate that all effects are trained at."""

LA2A_SLOTS = (
    Slot(name="limit", range=Range(0, 1), neutral=0.0, choice=True),
    Slot(name="peak_reduction", range=Range(0, 100), neutral=0.0),
)
"""The two controls of the LA-2A: the switch (0 compress, 1 limit) and the knob."""

_PREFIXES: dict[EffectName, tuple[str, ...]] = {
    "channel": ("",),
    "equalizer": ("low_shelf.", "peak_", "high_shelf."),
    "compressor": ("compressor.",),
    "reverb": ("space.",),
    "la2a": ("",),
}


@dataclass(frozen=True, kw_only=True)
class EffectDescription(Settings):
    """A neural audio effect (Steinmetz 2020, chapter 4).

    Raises:
        UsageError: The options do not go together.
    """

    network: Annotated[NetworkName, "which network"] = "tcn-20"
    effect: Annotated[EffectName, "what it imitates"] = "channel"
    order: Annotated[OrderName, "static: equalizer, compressor, reverb; variable: any"] = "static"
    causal: Annotated[bool, "TCN: an output hears only what came before it"] = False
    resize: Annotated[bool, "Wave-U-Net: nearest-neighbor upsampling and convolution"] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order == "variable" and self.effect != "channel":
            raise UsageError(f"order = 'variable' is for the effect 'channel', not {self.effect!r}")
        tcn = self.network.startswith("tcn")
        if self.causal and not tcn:
            raise UsageError(f"causal is for a TCN, not for {self.network}")
        if self.resize and tcn:
            raise UsageError(f"resize is for a Wave-U-Net, not for {self.network}")

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The meaning of the values of the conditioning vector: 25, 31, or two for the LA-2A.

        The vector of a single processor has all 25, the others being neutral.
        """
        if self.effect == "la2a":
            return LA2A_SLOTS
        return (*SLOTS, *ORDER_SLOTS) if self.order == "variable" else SLOTS

    @property
    def settable(self) -> tuple[Slot, ...]:
        """The members of `slots` that the effect was trained with."""
        return tuple(slot for slot in self.slots if slot.name.startswith(_PREFIXES[self.effect]))

    @property
    def film_width(self) -> int:
        """Number of values of each of the two vectors that all blocks share."""
        return 32 if self.effect == "la2a" else 128

    def conditioning(self, values: Mapping[str, str]) -> tuple[float, ...]:
        """The conditioning vector of settings as a user writes them; what is not named is neutral.

        Args:
            values: Values by name of the slot, in its unit: ``compressor.threshold_db`` to ``-24``.
                For a choice, the word: ``space`` to ``hall``, ``order`` to ``cer``.

        Raises:
            UsageError: The effect has no such setting, or not that value.
        """
        positions = {slot.name: slot.position(slot.neutral) for slot in self.slots}
        for name, value in values.items():
            positions |= self._parse(name, value)
        return tuple(positions.values())

    def _parse(self, name: str, value: str) -> dict[str, float]:
        """Positions of the slots that one setting of a user stands for."""
        words = [s.name for s in self.settable if s.choice and s.name.startswith(f"{name}.")]
        if words:
            if f"{name}.{value}" not in words:
                known = ", ".join(word.partition(".")[2] for word in words)
                raise UsageError(f"{name} = {value}: there are {known}")
            return {word: 1.0 if word == f"{name}.{value}" else -1.0 for word in words}
        slot = next((s for s in self.settable if s.name == name), None)
        if slot is None or (slot.choice and "." in name):
            raise UsageError(f"no setting {name!r}; the {self.effect} has {self._list_settings()}")
        try:
            number = float(value)
        except ValueError as error:
            raise UsageError(f"{name} = {value}: is not a number; {slot.range}") from error
        if number not in slot.range or (slot.choice and number not in (0.0, 1.0)):
            legal = "0 or 1" if slot.choice else str(slot.range)
            raise UsageError(f"{name} = {value} is outside {legal}")
        return {name: slot.position(number)}

    def _list_settings(self) -> str:
        """All settings with their ranges, for people."""
        groups: dict[str, list[str]] = {}
        names = []
        for slot in self.settable:
            group, _, word = slot.name.partition(".")
            if slot.choice and word:
                if group not in groups:
                    names.append(group)
                groups.setdefault(group, []).append(word)
            else:
                names.append(f"{slot.name} ({'0 or 1' if slot.choice else slot.range})")
        return ", ".join(f"{n} ({', '.join(groups[n])})" if n in groups else n for n in names)
