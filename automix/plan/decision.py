"""Why a setting of a plan has its value."""

from dataclasses import dataclass


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
