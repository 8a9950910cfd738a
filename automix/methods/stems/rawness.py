"""How raw tracks are: what their width, density and rests tell of what was done to them before.

Raw tracks are mono but for a few pairs of microphones; stems that come out of a mixing desk are
stereo, and have its equalizers, compressors and effects in them (so the raw tracks and the stems of
MedleyDB: Bittner et al. 2014). Processing such stems once more leads away from their mix.

A mono track can be finished too. Then it is as dense as tracks of finished songs are, and silent
between its phrases: a raw recording has peaks to spare, or noise of a room, an amplifier or a tape.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np

from automix.methods.stems.advice import Advice
from automix.methods.stems.dynamics import measure_excess
from automix.methods.stems.hearing import HeardTrack
from automix.plan.roles import Role
from automix.units import db_to_power, power_to_db

LEAST = 0.05
"""What is less raw is left as it is: the rest of the processing could not be heard."""


@dataclass(frozen=True, kw_only=True)
class Rawness:
    """How raw a track is, 0…1.

    Attributes:
        track: Rawness of the track, judged by its own width.
        song: Rawness of the song, judged by the width of its middle track; the same for all.
        finish: How far a mono track seems finished, by its density and its rests.
        side_db: Power of the track's sides over that of the whole.
    """

    track: float
    song: float
    finish: float = 0.0
    side_db: float

    @property
    def share(self) -> float:
        """Of the usual processing that the track gets."""
        return self.track * self.song * (1.0 - self.finish)

    def amount(self, advice: Advice) -> tuple[float, str]:
        """Factor on the processing, and its reason as it follows upon others."""
        reason = ""
        if self.share < 0.995:
            reason = (
                f"; × {self.share:.2f}: by its width the track is {_percent(self.track)} raw,"
                f" the song {_percent(self.song)}"
            )
            if self.finish >= LEAST:
                reason += f", and {_percent(self.finish)} finished by its density and its rests"
        if advice.processing != 1.0:
            reason += f"; × {advice.processing:.2f} {advice.source}"
        return self.share * advice.processing, reason


def rawness(side_share: float, processed_side_db: float) -> float:
    """From 1 for a mono track to 0 for one with as much space as the reverb of the rules gives it.

    Between these it is the gain of a reverb that adds what is missing.

    Args:
        side_share: Power of the difference of the channels over that of both.
        processed_side_db: Where it is 0. A mono track with a reverb return 16 dB below it has sides
            of −19 dB: half of the power of a reverb lies there. With 0 dB every track is raw.
    """
    if processed_side_db == 0.0:
        return 1.0
    return math.sqrt(max(1.0 - side_share / db_to_power(processed_side_db), 0.0))


_MONO_BY_NATURE = frozenset[Role]({"lead vocal", "bass", "kick", "snare"})
_SILENT_DB = -85.0
_SILENT_PERCENTILE = 5


def song_rawness(
    heard: Mapping[str, HeardTrack], roles: Mapping[str, Role], processed_side_db: float
) -> dict[str, Rawness]:
    """Rawness of the audible tracks of a song.

    That of the song is the median, which neither the stereo pairs of a raw session nor the mono
    tracks among ready stems change by much. Voices, basses, kicks and snares do not count where
    there are others: they are mono in finished songs as well.

    Args:
        heard: The tracks, at least one; none is silent.
        roles: Role of each track.
        processed_side_db: Level of the sides, in dB, from which a track counts as processed.
    """
    tracks = {name: rawness(track.side_share, processed_side_db) for name, track in heard.items()}
    telling = [share for name, share in tracks.items() if roles[name] not in _MONO_BY_NATURE]
    song = median(telling or tracks.values())
    return {
        name: Rawness(
            track=share,
            song=song,
            finish=0.0 if processed_side_db == 0.0 else measure_finish(heard[name], roles[name]),
            side_db=power_to_db(heard[name].side_share),
        )
        for name, share in tracks.items()
    }


def measure_finish(track: HeardTrack, role: Role) -> float:
    """How far a track seems finished, 0…1, whatever its width.

    It is as far as it is dense, if there is digital silence in its rests, and 0 if there is not.
    """
    active = float(track.energies[track.active].mean())
    quietest = float(np.percentile(track.energies, _SILENT_PERCENTILE))
    if quietest > active * db_to_power(_SILENT_DB):
        return 0.0
    return 1.0 - measure_excess(role, track.crest_db)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
