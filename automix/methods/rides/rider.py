"""The vocal rider: what an engineer's hand on the fader of the voice does, phrase by phrase.

Engineers keep a lead vocal in its place by riding its fader before and beside compression (De Man &
Reiss, "A knowledge-engineered autonomous mixing system", AES 135, 2013; Senior, Mixing Secrets for
the Small Studio, 2011). Here the figure that is held is the loudness of the voice against that of
all else while it sings (loudness differences as the variable of automatic faders: Perez Gonzalez &
Reiss, "Automatic gain and fader control for live mixing", WASPAA 2009), measured as EBU R 128
weighs it, over a phrase instead of a fixed window. What happens within a phrase is the
compressor's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automix.analysis.hops import HOPS_PER_SECOND
from automix.analysis.loudness import Energies, energy_to_lufs, integrated_lufs
from automix.methods.rides.hearing import FINE_HOPS_PER_SECOND, to_meter_hops
from automix.methods.rides.lines import GainLine, Hold, make_line
from automix.methods.rides.phrases import Phrase, find_phrases

MOST_RIDE_DB = 4.0
"""The furthest that a phrase is moved, up or down, where that halves the spread of the phrases."""

LIMITS_DB = (MOST_RIDE_DB, 4.5, 5.0, 5.5, 6.0)
"""Where it does not, the least of these that does, or the last."""

WINDOW_LU = 0.3
"""What is within this of the target stays; what is beyond is brought to the edge."""

FASTEST_DB_S = 11.0
"""How fast the line moves, so that nobody hears it move."""

SHORTEST_MOVE_S = 0.15

LONG_REST_S = 1.5
"""In longer rests the line returns to 0 dB, so that no noise of them is raised."""

FEWEST_PHRASES = 4
LEAST_SPREAD_LU = 1.0
"""A voice that is steadier against its backing is left alone."""

_ALONE_LU = -25.0
"""A backing this far below its own loudness covers nothing: the voice is on its own there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RiddenVoice:
    """The rides of a voice.

    Attributes:
        line: How its fader moves; 0 dB in long rests.
        phrases: What was heard of it.
        relative_lu: Loudness of each phrase minus that of the rest meanwhile ``(phrases,)``; NaN
            where the voice is on its own.
        gains_db: By how much each phrase is moved ``(phrases,)``.
        target_lu: What the rides bring the phrases to.
        limit_db: The furthest that they may move one.
    """

    line: GainLine
    phrases: Sequence[Phrase]
    relative_lu: NDArray[np.float64]
    gains_db: NDArray[np.float64]
    target_lu: float
    limit_db: float

    @property
    def spread_before_lu(self) -> float:
        """Standard deviation over the accompanied phrases, without rides."""
        return float(np.nanstd(self.relative_lu))

    @property
    def spread_after_lu(self) -> float:
        """The same with rides."""
        return float(np.nanstd(self.relative_lu + self.gains_db))


def ride_voice(leads: Energies, rest: Energies) -> RiddenVoice | None:
    """Finds the line that keeps a voice steady against all else.

    The target is the level at which the voice as a whole is as loud as without rides.

    Args:
        leads: Energies of the dry sum of the leads as they stand in the mix, per 20 ms ``(hops,)``.
        rest: Energies of all else ``(hops,)``.

    Returns:
        None where there are too few phrases to tell what is usual, or the voice is steady already.
    """
    phrases = find_phrases(leads)
    relative = measure_phrases(phrases, rest)
    if np.count_nonzero(np.isfinite(relative)) < FEWEST_PHRASES:
        return None
    if float(np.nanstd(relative)) < LEAST_SPREAD_LU:
        return None
    for limit_db in LIMITS_DB:
        voice = _ride(leads, phrases, relative, limit_db)
        if voice.spread_after_lu <= 0.5 * voice.spread_before_lu:
            break
    return voice


def _ride(
    leads: Energies, phrases: Sequence[Phrase], relative: NDArray[np.float64], limit_db: float
) -> RiddenVoice:
    """Rides phrases by up to a limit, towards the target that keeps the voice as loud as it is."""
    meter_hops = to_meter_hops(leads)
    times_s = np.asarray((np.arange(len(meter_hops)) + 0.5) / HOPS_PER_SECOND, np.float64)
    before = integrated_lufs(meter_hops)
    duration_s = len(leads) / FINE_HOPS_PER_SECOND

    def ride(target_lu: float) -> tuple[GainLine, NDArray[np.float64]]:
        gains = choose_gains(relative, target_lu, limit_db)
        holds = [
            Hold(start_s=phrase.start_s, end_s=phrase.end_s, value_db=float(gain))
            for phrase, gain in zip(phrases, gains, strict=True)
        ]
        return draw_line(holds, duration_s), gains

    low, high = float(np.nanmin(relative)) - limit_db, float(np.nanmax(relative)) + limit_db
    for _ in range(_HALVINGS):  # the higher the target, the louder the voice
        target = (low + high) / 2.0
        line, gains = ride(target)
        ridden = np.asarray(meter_hops * 10.0 ** (line.at(times_s) / 10.0), np.float64)
        louder = integrated_lufs(ridden) > before
        low, high = (low, target) if louder else (target, high)
    return RiddenVoice(
        line=line,
        phrases=phrases,
        relative_lu=relative,
        gains_db=gains,
        target_lu=target,
        limit_db=limit_db,
    )


_HALVINGS = 14


def measure_phrases(phrases: Sequence[Phrase], rest: Energies) -> NDArray[np.float64]:
    """Loudness of each phrase minus that of all else meanwhile, in LU ``(phrases,)``.

    Returns:
        NaN where all else is as good as silent for most of the phrase.
    """
    usual = integrated_lufs(to_meter_hops(rest))
    found = []
    for phrase in phrases:
        energies = rest[phrase.hops()]
        covering = [
            energy_to_lufs(float(part.mean())) > usual + _ALONE_LU
            for part in np.array_split(energies, max(len(energies) // _PART_HOPS, 1))
        ]
        lufs = energy_to_lufs(float(energies.mean()))
        found.append(phrase.lufs - lufs if 2 * sum(covering) > len(covering) else np.nan)
    return np.array(found)


_PART_HOPS = 20  # the 400 ms of a momentary loudness


def choose_gains(
    relative_lu: NDArray[np.float64], target_lu: float, limit_db: float = MOST_RIDE_DB
) -> NDArray[np.float64]:
    """The gain in dB of each phrase that brings it into the window around the target.

    Args:
        relative_lu: Of each phrase; NaN leaves it where it is.
        target_lu: Center of the window.
        limit_db: The furthest that a phrase is moved.
    """
    away = np.nan_to_num(target_lu - relative_lu)
    beyond = np.sign(away) * np.maximum(np.abs(away) - WINDOW_LU, 0.0)
    gains: NDArray[np.float64] = np.clip(beyond, -limit_db, limit_db)
    return gains


def draw_line(holds: Sequence[Hold], duration_s: float) -> GainLine:
    """The line through phrases, each at its own value, that moves in the rests between them.

    In short rests it moves once: up as late as it can, or down as early, so that a breath is as
    soft as the softer of both sides leaves it. Where a rest is too short for the way, the move
    takes what it needs of both phrases. In long rests it returns to 0 dB.

    Args:
        holds: Of the phrases, in their order.
        duration_s: Length of the song.
    """
    points: list[tuple[float, float]] = []
    before = Hold(start_s=-_FAR_S, end_s=-_FAR_S, value_db=0.0)
    after = Hold(start_s=duration_s + _FAR_S, end_s=duration_s + _FAR_S, value_db=0.0)
    for first, second in zip([before, *holds], [*holds, after], strict=True):
        points += _move(first, second)
    # The song may begin within a move.
    times_s, values_db = (np.array(column) for column in zip(*points, strict=True))
    at_start = float(np.interp(0.0, times_s, values_db))
    return make_line([(0.0, at_start), *(point for point in points if point[0] > 0.0)])


_FAR_S = 10.0


def _move(first: Hold, second: Hold) -> list[tuple[float, float]]:
    """The points between two phrases."""
    rest_s = second.start_s - first.end_s
    if rest_s >= LONG_REST_S and (first.value_db or second.value_db):
        return [
            (first.end_s, first.value_db),
            (first.end_s + _time_for(first.value_db), 0.0),
            (second.start_s - _time_for(second.value_db), 0.0),
            (second.start_s, second.value_db),
        ]
    change_db = second.value_db - first.value_db
    if change_db == 0.0:
        return []
    move_s = _time_for(change_db)
    start_s = second.start_s - move_s if change_db > 0.0 else first.end_s
    if move_s > rest_s:
        start_s = (first.end_s + second.start_s - move_s) / 2.0
    return [(start_s, first.value_db), (start_s + move_s, second.value_db)]


def _time_for(change_db: float) -> float:
    return max(SHORTEST_MOVE_S, abs(change_db) / FASTEST_DB_S)
