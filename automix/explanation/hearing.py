"""What a mixing network heard of the tracks of a song, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
"""``(columns, 64)``: 10 ms by mel band; NaN where the network does not listen."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """One output of the network for one track, and what moved it.

    Attributes:
        output: ``level``, ``width`` or ``processing``; without a base, the name of the setting.
        value: LU on top of the rules for the level, a factor for the others, else the setting.
        unit: ``LU``, ``×``, or that of the setting.
        parts: What each fact, the spectrum and the other tracks contribute: dB for the level, and
            dB of the factor for the others. They add up to the advice. Only of networks that are
            told facts.
    """

    output: str
    value: float
    unit: str
    parts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class HeardByNetwork:
    """One track as the network hears it.

    Attributes:
        facts: What it was told, by name: dB, LU, share, dB.
        said: Its outputs.
    """

    facts: tuple[tuple[str, float], ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Saliency:
    """Where a network looks for one output of one track.

    Attributes:
        track: The track whose output is traced.
        output: Which; its unit per unit of the natural logarithm of a mel band's magnitude.
        mel: Log-mel spectrogram of the track.
        own: Absolute gradient with respect to it.
        others: Absolute gradients with respect to all other tracks' spectrograms, summed.
        own_share: Sum of `own` over that of both, 0…1.
        frequencies_hz: Centers of the mel bands.
        hop_s: Duration of a column.
    """

    track: str
    output: str
    mel: Map
    own: Map
    others: Map
    own_share: float
    frequencies_hz: tuple[float, ...]
    hop_s: float = 0.01

    def summary(self) -> dict[str, object]:
        """The sums over time ``(64,)`` of both maps, for programs."""
        rows = (np.nan_to_num(self.own), np.nan_to_num(self.others))
        own, others = (row.sum(0, dtype=np.float64).tolist() for row in rows)
        return {
            "track": self.track,
            "output": self.output,
            "own_share": self.own_share,
            "frequencies_hz": list(self.frequencies_hz),
            "own": own,
            "others": others,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Hearing:
    """What a network heard in a song.

    Attributes:
        tracks: By name.
        saliency: Of one track's first output.
    """

    tracks: Mapping[str, HeardByNetwork]
    saliency: Saliency | None = None
