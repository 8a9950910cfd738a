"""The differentiable console: gradients from a mix to every continuous setting of its plan."""

from automix.consoles.differentiable.console import DifferentiableConsole
from automix.consoles.differentiable.layout import FIVE_BANDS, BusLayout, ConsoleLayout, TrackLayout
from automix.consoles.differentiable.plans import from_plan, session_audio, to_plan
from automix.consoles.differentiable.values import NEUTRAL, SPACES, Values

__all__ = [
    "FIVE_BANDS",
    "NEUTRAL",
    "SPACES",
    "BusLayout",
    "DifferentiableConsole",
    "ConsoleLayout",
    "TrackLayout",
    "Values",
    "from_plan",
    "session_audio",
    "to_plan",
]
