"""Pans tracks: leads and lows in the middle, doubles opposite each other, the rest in pairs."""

from collections.abc import Sequence

import numpy as np

from automix.synthesis import conventions
from automix.synthesis.recording import RawTrack


def place_tracks(tracks: Sequence[RawTrack], rng: np.random.Generator) -> dict[str, float]:
    """Chooses the pan of every track.

    Args:
        tracks: All tracks of a song.
        rng: Generator that draws the engineer's taste.

    Returns:
        Pan by name of the track, 0 (left) … 1 (right).
    """
    positions = dict.fromkeys((track.name for track in tracks), 0.5)
    doubles = [track for track in tracks if track.double_of is not None]
    paired = {name for track in doubles for name in (track.name, track.double_of)}
    for track in doubles:
        if track.role in ("lead vocal", "bass") or track.double_of is None:
            continue
        width = float(rng.uniform(0.28, 0.5))
        positions[track.double_of] = 0.5 - width
        positions[track.name] = 0.5 + width + float(rng.normal(0.0, 0.01))
    movable = [
        track
        for track in tracks
        if track.audio.channels == 1
        and track.name not in paired
        and track.role not in conventions.CENTERED
        and not track.lead
    ]
    side = 1.0 if rng.random() < 0.5 else -1.0
    order = rng.permutation(len(movable))
    for place, index in enumerate(order):
        last_alone = place == len(order) - 1 and len(order) % 2 == 1
        if place % 2 == 0:  # the next two stand as far apart from the middle, on both sides
            width = float(rng.uniform(0.02, 0.12) if last_alone else rng.uniform(0.1, 0.4))
        jitter = float(rng.normal(0.0, 0.015))
        positions[movable[int(index)].name] = 0.5 + side * width + jitter
        side = -side
    return {name: float(np.clip(position, 0.0, 1.0)) for name, position in positions.items()}
