"""What is wrong with an input, said to the user and mended in the plan."""

from automix.analysis.conditions import Conditions
from automix.plan.settings import EqualizerBand
from automix.plan.writer import PlanWriter


def report_conditions(
    writer: PlanWriter, track: str, conditions: Conditions, *, repair: bool = True
) -> None:
    """Warns of what is wrong with an input, and filters a constant offset away.

    Args:
        writer: Takes the warnings and the filter.
        track: Name of the input's track.
        conditions: The faults that were found in the input.
        repair: Whether an offset is filtered away, or only reported.
    """
    writer.warnings += [f"{track}: {message}" for message in conditions.messages()]
    if conditions.has_offset and repair:
        path = writer.add_band(track, EqualizerBand(kind="high_pass", frequency_hz=20.0))
        writer.decide(
            f"{path}.frequency_hz",
            20.0,
            "offset removal",
            "the recording has a constant (DC) offset",
            offset_db=max(conditions.offset_db),
        )
