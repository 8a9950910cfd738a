"""How far a controller wants to depart from the rules, for one track."""

from dataclasses import dataclass

WIDEST = 0.45
"""Largest distance from the center that advice can lead to: no track is panned hard."""

MOST_PROCESSING = 2.0
"""Largest factor that advice on processing can be."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """Advice for one track; the default is none.

    Attributes:
        level_lu: Loudness on top of that of the rules.
        width: Factor on the distance from the center.
        processing: Factor on how much is processed: depth of cuts, compression, reverb.
        source: Who says so, for the reasons in the plan.
    """

    level_lu: float = 0.0
    width: float = 1.0
    processing: float = 1.0
    source: str = ""

    def widened(self, pan: float) -> float:
        """A pan position with the advice applied."""
        distance = (pan - 0.5) * self.width
        return 0.5 + min(max(distance, -WIDEST), WIDEST)
