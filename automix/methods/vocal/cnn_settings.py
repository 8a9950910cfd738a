"""What can be chosen of the vocal networks. Imports no torch."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from automix.methods.vocal.settings import VocalRules

Decider = Literal["network", "rules"]


@dataclass(frozen=True, kw_only=True)
class VocalNetworks(VocalRules):
    """Constants of the rules, and which stages the networks decide in their place."""

    equalization_by: Annotated[Decider, "who equalizes"] = "network"
    compression_by: Annotated[Decider, "who sets the loudness range"] = "network"
    reverb_by: Annotated[Decider, "who sets the reverb"] = "network"
    level_by: Annotated[Decider, "who sets the level"] = "network"
    reverb_reading: Annotated[
        Literal["heard", "wanted"],
        "heard: the network tells what reverb the vocal has, and what is missing is added; wanted:"
        " its answer is applied as it is, as in the paper",
    ] = "heard"
    weights: Annotated[str, "wide, paper, or a folder of automix train vocal --task all"] = "wide"
    device: Annotated[str, "of the networks"] = "auto"

    @classmethod
    def over(cls, rules: VocalRules, **chosen: Any) -> "VocalNetworks":
        """The constants of some rules, and what is chosen beside them."""
        constants = {field.name: getattr(rules, field.name) for field in fields(VocalRules)}
        return cls(**constants, **chosen)
