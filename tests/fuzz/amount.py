"""How much is tried: little by default, and as much as AUTOMIX_FUZZ says.

``AUTOMIX_FUZZ="audio=20000 texts=5000 kills=200 seed=1"`` asks for that many damaged audio files
and texts, and that many kills. What it does not name is as by default.
"""

import os
from dataclasses import dataclass, replace

VARIABLE = "AUTOMIX_FUZZ"


@dataclass(frozen=True)
class Amount:
    """How much is tried.

    Attributes:
        audio: Number of damaged audio files.
        texts: Number of damaged texts and weights.
        kills: Number of kills.
        seed: Another seed is other inputs and other moments.
        seconds: After so many, no other input is begun.
        jobs: Number of processes that share the inputs.
    """

    audio: int = 1200
    texts: int = 280
    kills: int = 28
    seed: int = 0
    seconds: float = 50.0
    jobs: int = 1


def read_amount() -> Amount:
    """What `VARIABLE` asks for."""
    wanted = dict(word.split("=", 1) for word in os.environ.get(VARIABLE, "").split())
    if not wanted:
        return Amount()
    whole = Amount(seconds=1e9, jobs=os.cpu_count() or 1)
    return replace(whole, **{name: int(number) for name, number in wanted.items()})
