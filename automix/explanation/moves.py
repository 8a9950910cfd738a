"""How settings of other tracks move when a track is left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from automix.plan.positions import describe_position

Unit = Literal["dB", ""]

_SMALLEST = {"dB": 0.1, "": 0.02}

Values = Mapping[tuple[str, str], float]
"""By track and setting."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """How one setting moves.

    Attributes:
        track: The track whose setting it is.
        setting: ``fader``, ``pan``, or a cut such as ``cut at 500 Hz``.
        before: The value while the other track is there.
        after: Without it.
        unit: ``dB``; empty for a pan position from 0 to 1.
    """

    track: str
    setting: str
    before: float
    after: float
    unit: Unit

    @property
    def change(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def weight(self) -> float:
        """How much it matters: dB, or a tenth of the way from left to right."""
        return abs(self.change) * (1.0 if self.unit else 10.0)


def find_moves(before: Values, after: Values) -> tuple[Move, ...]:
    """What differs of the tracks that are still there, the largest first."""
    there = {track for track, _ in after}
    all_moves = [
        Move(
            track=track,
            setting=setting,
            before=before.get((track, setting), 0.0),
            after=after.get((track, setting), 0.0),
            unit="" if setting == "pan" else "dB",
        )
        for track, setting in {**before, **after}
        if track in there
    ]
    counted = [move for move in all_moves if abs(move.change) >= _SMALLEST[move.unit]]
    return tuple(sorted(counted, key=lambda move: (-move.weight, move.track, move.setting)))


def with_unit(move: Move) -> str:
    """A move in words, such as ``keys +1.2 dB`` or ``hats from 40 % left to center``."""
    what = "" if move.setting == "fader" else f" {move.setting}"
    if move.unit:
        return f"{move.track}{what} {move.change:+.1f} dB"
    return f"{move.track} from {describe_position(move.before)} to {describe_position(move.after)}"
