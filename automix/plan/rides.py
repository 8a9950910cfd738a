"""Rides: settings that move in time, as a hand on a fader does.

A ride is a line through points. Between two points it is straight in the setting's own scale: in dB
where the setting is in dB. Before the first point and after the last it is constant. The line of a
gain is added to the setting, as desks do with trim and ride, so that a change of the setting moves
the whole line; the line of a pan stands in the place of the setting.

`Ridable` in the annotation of a setting says that it can be ridden; a strip, a bus or the master
holds the rides of its settings and of those below it, such as ``sends.1.gain_db``.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from automix.errors import UsageError
from automix.plan.parameters import IllegalSetting, Parameter, Range, Settings, follow, parameters

MOST_POINTS = 20_000
"""Of one ride."""

RIDE_RANGE = Range(-60.0, 24.0)
"""Of the values, where they are added to a setting; a line in the place of one keeps to its."""


@dataclass(frozen=True, slots=True)
class Ridable:
    """Marks a setting that a ride can move.

    Args:
        is_added: Whether the line is added to the setting, or stands in its place.
    """

    is_added: bool


@dataclass(frozen=True, kw_only=True)
class Ride(Settings):
    """How one setting moves.

    Raises:
        UsageError: There is no point, too many, or as many times as values; or times do not rise.
    """

    setting: Annotated[str, "what moves: fader_db, pan, sends.1.gain_db, …"] = "fader_db"
    times_s: Annotated[tuple[float, ...], Range(0, 86400, "s"), "of the points, rising"] = (0.0,)
    values: Annotated[
        tuple[float, ...],
        RIDE_RANGE,
        "at those times, straight between them; dB are added to the setting",
    ] = (0.0,)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.times_s) != len(self.values):
            raise IllegalSetting(
                f"the ride of {self.setting} has {len(self.times_s)} times_s and"
                f" {len(self.values)} values; it needs as many",
                ("values",),
            )
        if not 1 <= len(self.times_s) <= MOST_POINTS:
            raise IllegalSetting(
                f"the ride of {self.setting} has {len(self.times_s)} points; legal are 1 …"
                f" {MOST_POINTS}",
                ("times_s",),
            )
        for before, after in pairwise(self.times_s):
            if before >= after:
                raise IllegalSetting(
                    f"times_s of the ride of {self.setting} must rise, but {after:g} follows"
                    f" {before:g}",
                    ("times_s",),
                )


def check_rides(part: Settings, rides: tuple[Ride, ...]) -> None:
    """Checks the rides of a strip, a bus or the master against the settings that they move.

    Raises:
        UsageError: A ride moves what is not there or cannot be ridden, or has an illegal value; or
            two move the same setting.
    """
    seen: set[str] = set()
    for number, ride in enumerate(rides):
        here = ("rides", number)
        try:
            ridable, allowed = find_ridable(part, ride.setting)
        except UsageError as error:
            raise IllegalSetting(str(error), (*here, "setting")) from None
        if ride.setting in seen:
            raise IllegalSetting(f"{ride.setting} has two rides", (*here, "setting"))
        seen.add(ride.setting)
        if ridable.is_added or (min(ride.values) in allowed and max(ride.values) in allowed):
            continue
        outside = next(value for value in ride.values if value not in allowed)
        raise IllegalSetting(
            f"a value of the ride of {ride.setting}, {outside:g}, is outside {allowed}",
            (*here, "values"),
        )


def find_ridable(part: Settings, setting: str) -> tuple[Ridable, Range]:
    """Finds how a setting is ridden, and its range.

    Args:
        part: A strip, a bus or the master.
        setting: As after the owner's name in ``--set``, such as ``sends.1.gain_db``.

    Raises:
        UsageError: There is no such setting, or it cannot be ridden.
    """
    try:
        parameter, _ = follow(part, setting.split("."))
    except UsageError as error:
        raise UsageError(f"a ride cannot move {setting!r}: {error}") from None
    note = _read_note(parameter)
    if note is None or parameter.range is None:
        raise UsageError(f"{setting!r} cannot be ridden")
    return note, parameter.range


def find_ridables(settings: type[Settings]) -> dict[str, Ridable]:
    """The settings of a class that can be ridden, not of those below it."""
    notes = {name: _read_note(parameter) for name, parameter in parameters(settings).items()}
    return {name: note for name, note in notes.items() if note is not None}


def _read_note(parameter: Parameter) -> Ridable | None:
    return next((note for note in parameter.notes if isinstance(note, Ridable)), None)


def find_ride(rides: tuple[Ride, ...], setting: str) -> Ride | None:
    """The ride of a setting, if there is one."""
    return next((ride for ride in rides if ride.setting == setting), None)
