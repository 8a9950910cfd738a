"""What rides do, in figures and in words: how far, how fast, when, and how two of them differ."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from automix.plan.model import MASTER, MixPlan
from automix.plan.parameters import follow
from automix.plan.positions import describe_position
from automix.plan.rides import Ridable, Ride, find_ridable, find_ride
from automix.plan.settings import Bus, ChannelStrip, Master

Part = ChannelStrip | Bus | Master

_MOST_MOVES = 3
_AS_FAR = 0.05


@dataclass(frozen=True, kw_only=True)
class RideMove:
    """A stretch of a ride in which it only rises, or only falls.

    Attributes:
        start_s: When it begins.
        end_s: When it ends.
        change: By how much, in the unit of the setting.
    """

    start_s: float
    end_s: float
    change: float


@dataclass(frozen=True, kw_only=True)
class RideFigures:
    """How far and how fast a ride goes.

    Attributes:
        setting: What it moves, as in the ride.
        unit: The unit of its values; empty for a pan position.
        points: The number of its points.
        lowest: The lowest value.
        highest: The highest value.
        farthest: The largest distance from where the setting rests: from 0 dB, or from the setting
            that the line stands in the place of.
        fastest_per_s: The steepest part of the line, in units per second.
        fastest_at_s: Where that part begins.
        moves: The largest moves, the largest first.
    """

    setting: str
    unit: str
    points: int
    lowest: float
    highest: float
    farthest: float
    fastest_per_s: float
    fastest_at_s: float
    moves: tuple[RideMove, ...]

    def goes_as_far_as(self, farthest: float) -> bool:
        """Whether the ride may be the one that a rule drew, which said how far it goes."""
        return abs(self.farthest - abs(farthest)) <= _AS_FAR


@dataclass(frozen=True, kw_only=True)
class RideChange:
    """How one line differs from another.

    Attributes:
        largest: The new line over the old one where they are farthest apart.
        at_s: Where that is.
        mean: The mean of the new line over the old one, from the first point of either to the last.
    """

    largest: float
    at_s: float
    mean: float


def list_parts(plan: MixPlan) -> list[tuple[str, Part]]:
    """The strips, the buses and the master of a plan with their names."""
    parts: list[tuple[str, Part]] = [(strip.name, strip) for strip in plan.tracks]
    parts += [(bus.name, bus) for bus in plan.buses]
    return [*parts, (MASTER, plan.master)]


def list_rides(plan: MixPlan) -> Iterator[tuple[str, Part, int, Ride]]:
    """Every ride of a plan: the name of its owner, the owner, its number from 1, and the ride."""
    for owner, part in list_parts(plan):
        for number, ride in enumerate(part.rides, 1):
            yield owner, part, number, ride


def find_value(ride: Ride, time_s: float) -> float:
    """The value of a ride at a time."""
    after = bisect_right(ride.times_s, time_s)
    if after == 0 or after == len(ride.times_s):
        return ride.values[max(after - 1, 0)]
    start_s, stop_s = ride.times_s[after - 1 : after + 1]
    before, value = ride.values[after - 1 : after + 1]
    return before + (value - before) * (time_s - start_s) / (stop_s - start_s)


def measure_ride(part: Part, ride: Ride) -> RideFigures:
    """Measures a ride of a strip, a bus or the master."""
    ridable, legal = find_ridable(part, ride.setting)
    rest = _find_rest(part, ride.setting, ridable)
    slopes = [
        (abs(after - before) / (stop_s - start_s), start_s)
        for (start_s, before), (stop_s, after) in pairwise(
            zip(ride.times_s, ride.values, strict=True)
        )
    ]
    fastest_per_s, fastest_at_s = max(slopes, key=lambda slope: slope[0], default=(0.0, 0.0))
    moves = sorted(_find_moves(ride), key=lambda move: -abs(move.change))
    return RideFigures(
        setting=ride.setting,
        unit=legal.unit,
        points=len(ride.values),
        lowest=min(ride.values),
        highest=max(ride.values),
        farthest=max(abs(value - rest) for value in ride.values),
        fastest_per_s=fastest_per_s,
        fastest_at_s=fastest_at_s,
        moves=tuple(moves[:_MOST_MOVES]),
    )


def compare_rides(first: Part, second: Part, setting: str) -> RideChange:
    """Compares how a setting moves in two strips, buses or masters, one of which rides it at least.

    Where there is no ride, the setting rests.
    """
    old, new = (find_ride(part.rides, setting) for part in (first, second))
    ridable, _ = find_ridable(second if old is None else first, setting)
    before = old or _hold(first, setting, ridable)
    after = new or _hold(second, setting, ridable)
    times_s = sorted({time_s for ride in (old, new) if ride for time_s in ride.times_s})
    changes = [find_value(after, time_s) - find_value(before, time_s) for time_s in times_s]
    largest = max(range(len(changes)), key=lambda point: abs(changes[point]))
    span_s = times_s[-1] - times_s[0]
    area = sum(
        (stop_s - start_s) * (change + next_change) / 2.0
        for (start_s, change), (stop_s, next_change) in pairwise(zip(times_s, changes, strict=True))
    )
    return RideChange(
        largest=changes[largest],
        at_s=times_s[largest],
        mean=area / span_s if span_s else changes[0],
    )


def _hold(part: Part, setting: str, ridable: Ridable) -> Ride:
    """The line that a setting keeps to without a ride."""
    return Ride(setting=setting, values=(_find_rest(part, setting, ridable),))


def _find_rest(part: Part, setting: str, ridable: Ridable) -> float:
    """Where a setting rests that no ride moves, on the scale of its rides."""
    return 0.0 if ridable.is_added else float(follow(part, setting.split("."))[1])


def _find_moves(ride: Ride) -> Iterator[RideMove]:
    """The stretches in which a ride rises or falls all the time."""
    points = zip(ride.times_s, ride.values, strict=True)
    start_s = end_s = change = 0.0
    for (time_s, before), (next_s, after) in pairwise(points):
        step = after - before
        if change and step * change <= 0.0:
            yield RideMove(start_s=start_s, end_s=end_s, change=change)
            change = 0.0
        if not change:
            start_s = time_s
        end_s, change = next_s, change + step
    if change:
        yield RideMove(start_s=start_s, end_s=end_s, change=change)


def name_ridden(part: Part, setting: str) -> str:
    """What a ride moves, in words of a desk, such as ``fader`` or ``send to room``."""
    head, *rest = setting.split(".")
    if isinstance(part, ChannelStrip) and head == "sends":
        return f"send to {part.sends[int(rest[0]) - 1].bus}"
    return setting.removesuffix("_db").replace(".", " ").replace("_", " ")


def describe_range(part: Part, ride: Ride) -> str:
    """From where to where a ride goes, such as ``-3.0 … +2.0 dB``."""
    figures = measure_ride(part, ride)
    if not figures.unit:
        ends = (describe_position(figures.lowest), describe_position(figures.highest))
        return " … ".join(dict.fromkeys(ends))
    if figures.lowest == figures.highest:
        return f"{figures.lowest:+.1f} {figures.unit}"
    return f"{figures.lowest:+.1f} … {figures.highest:+.1f} {figures.unit}"


def describe_ride(part: Part, ride: Ride) -> str:
    """A ride in one line: what, how far, how many points, how fast, and its largest moves."""
    figures = measure_ride(part, ride)
    points = f"{figures.points} point{'s' if figures.points > 1 else ''}"
    said = f"{name_ridden(part, ride.setting)} {describe_range(part, ride)} in {points}"
    if not figures.moves:
        return said
    scale, unit = (1.0, figures.unit) if figures.unit else (200.0, "%")
    moves = ", ".join(
        f"{scale * move.change:+.1f} {unit} at {format_time(move.start_s)}"
        for move in figures.moves
    )
    return f"{said}, at most {scale * figures.fastest_per_s:.3g} {unit}/s; {moves}"


def format_time(time_s: float) -> str:
    """A time in minutes and seconds, such as ``1:05.3``."""
    tenths = round(10.0 * time_s)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"
