"""What listeners ask of a mix in their own words: references, and macro controls."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from automix.errors import InputError, UsageError
from automix.files.disk import sha256
from automix.files.names import printable
from automix.plan.macros import Macros

if TYPE_CHECKING:
    from automix.reference.goal import Goal


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The options as they were given; see `automix.cli.options`."""

    references: Sequence[Path] = ()
    weights: Sequence[float] = ()
    amount: float = 100.0
    vocals: float | None = None
    reverb: str | None = None
    width: str | None = None
    brightness: float | None = None

    def goal(self, device: str) -> "Goal | None":
        """The references; none where there are none.

        Raises:
            InputError: One is not there.
            UsageError: There is not one weight for each of them.
        """
        if not self.references:
            if self.weights:
                raise UsageError("--reference-weight goes with --reference")
            return None
        if self.weights and (len(self.weights) != len(self.references) or not any(self.weights)):
            raise UsageError("--reference-weight: give one for each --reference, not all of them 0")
        for path in self.references:
            if not path.is_file():
                raise InputError(f"--reference {printable(path)}: is not a file")
        from automix.reference.goal import Goal

        return Goal(
            files=tuple(self.references),
            weights=tuple(self.weights),
            amount=self.amount,
            device=device,
        )

    def macros(self) -> Macros:
        """The macro controls.

        Raises:
            UsageError: One is not a number, or out of range.
        """
        given = {
            "vocals_db": ("--vocals", self.vocals),
            "reverb_percent": ("--reverb", _percent("--reverb", self.reverb)),
            "width_percent": ("--width", _percent("--width", self.width)),
            "brightness_db": ("--brightness", self.brightness),
        }
        macros = Macros()
        for field, (option, value) in given.items():
            if value is not None:
                try:
                    macros = replace(macros, **{field: value})
                except UsageError as error:
                    raise UsageError(f"{option}: {error}") from error
        return macros

    def with_more(self, macros: Macros) -> "Wishes":
        """With macro controls over these."""
        own = self.macros()
        added = {field: getattr(own, field) + getattr(macros, field) for field in asdict(macros)}
        return replace(
            self,
            vocals=added["vocals_db"],
            reverb=str(added["reverb_percent"]),
            width=str(added["width_percent"]),
            brightness=added["brightness_db"],
        )

    def told(self) -> list[object]:
        """What another mix would be asked differently, for its fingerprint; nothing by default."""
        macros = self.macros().described()
        if not self.references:
            return [macros] if macros else []
        files = [sha256(path) for path in self.references]
        return [macros, files, list(self.weights), self.amount]


def _percent(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text.strip().removesuffix("%"))
    except ValueError:
        raise UsageError(
            f"{option} {printable(text)}: write a percentage, as +20% or -30%"
        ) from None
