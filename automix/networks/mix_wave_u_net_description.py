"""The shape of a Mix-Wave-U-Net. Imports no torch."""

from dataclasses import dataclass
from typing import Annotated

from automix.plan.parameters import Range, Settings


@dataclass(frozen=True, kw_only=True)
class MixWaveUNetDescription(Settings):
    """The shape of a Mix-Wave-U-Net; the default has about the published 83 million parameters."""

    levels: Annotated[int, Range(1, 8), "of down- and upsampling by four"] = 6
    channels: Annotated[int, Range(2, 256), "of the first level; each has twice as many"] = 62
