"""Macro controls: one wish of a listener, as changes to many settings of a plan."""

from dataclasses import dataclass, fields
from typing import Annotated

from automix.plan.parameters import Range, Settings


@dataclass(frozen=True, kw_only=True)
class Macros(Settings):
    """What a listener asks for, over a plan."""

    vocals_db: Annotated[float, Range(-24, 24, "dB"), "level of all vocals"] = 0.0
    reverb_percent: Annotated[float, Range(-100, 300, "%"), "more or less of all reverbs"] = 0.0
    width_percent: Annotated[float, Range(-100, 300, "%"), "tracks further out, or further in"] = (
        0.0
    )
    brightness_db: Annotated[float, Range(-12, 12, "dB"), "of the mix, from about 4 kHz"] = 0.0

    def described(self) -> str:
        """As options of the command line; empty where nothing is asked for."""
        return " ".join(
            f"--{field.name.rpartition('_')[0]} {value:+g}{'%' * field.name.endswith('percent')}"
            for field in fields(self)
            if (value := getattr(self, field.name))
        )
