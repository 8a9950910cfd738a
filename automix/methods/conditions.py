"""What is wrong with an input, said to the user and mended in the plan."""

from collections.abc import Mapping, Sequence

from automix.analysis.conditions import Conditions
from automix.checking.catalog import check_takes
from automix.checking.takes import HeardTake
from automix.plan.settings import EqualizerBand
from automix.plan.writer import PlanWriter

_MOST = 3


def report_takes(
    writer: PlanWriter, takes: Sequence[HeardTake], *, repair: bool = True, most: int | None = _MOST
) -> None:
    """Warns of the worst that is wrong with the inputs, and filters constant offsets away.

    Args:
        writer: Takes the warnings and the filters.
        takes: What was measured of the inputs.
        repair: Whether an offset is filtered away, or only reported.
        most: How many findings are told, none for all; of the others, only how many there are.
    """
    wrong = [finding for finding in check_takes(takes) if finding.severity != "information"]
    writer.warnings += [finding.message() for finding in wrong[:most]]
    if most is not None and len(wrong) > most:
        more = "1 more is" if len(wrong) == most + 1 else f"{len(wrong) - most} more are"
        writer.warn(f"{more} wrong with the takes: automix check lists everything")
    for take in takes:
        if take.conditions.has_offset and repair:
            _remove_offset(writer, take.name, take.conditions)


def report_conditions(
    writer: PlanWriter, conditions: Mapping[str, Conditions], *, repair: bool = True
) -> None:
    """Warns of all that is wrong with a few inputs, as `report_takes` does.

    Args:
        writer: Takes the warnings and the filters.
        conditions: What was found in each input, by name of the track.
        repair: Whether an offset is filtered away, or only reported.
    """
    takes = [HeardTake(name=name, role="other", conditions=c) for name, c in conditions.items()]
    report_takes(writer, takes, repair=repair, most=None)


def _remove_offset(writer: PlanWriter, track: str, conditions: Conditions) -> None:
    path = writer.add_band(track, EqualizerBand(kind="high_pass", frequency_hz=20.0))
    writer.decide(
        f"{path}.frequency_hz",
        20.0,
        "offset removal",
        "the recording has a constant (DC) offset",
        offset_db=max(conditions.offset_db),
    )
