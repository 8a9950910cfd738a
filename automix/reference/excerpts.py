"""What a descent hears of a song: excerpts of the tracks as they arrive at the faders."""

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from automix.audio import Samples
from automix.consoles.differentiable import Layout, from_plan
from automix.consoles.exact import ExactConsole
from automix.plan import ChannelStrip, MixPlan
from automix.workers import in_parallel

LEAD_IN_S = 0.5
"""At the beginning of each excerpt, while reverbs fill up."""

_EXCERPTS = 8
_EXCERPT_S = 4.0
_SHORTEST_EXCERPT_S = 2.0
_MOST_SAMPLES = 60_000_000
"""Of all excerpts of all tracks: what a step may cost."""


def audible(plan: MixPlan) -> list[ChannelStrip]:
    """The strips that are not muted."""
    return [strip for strip in plan.tracks if not strip.mute]


def bare_values(console: ExactConsole, plan: MixPlan) -> tuple[Layout, dict[str, Tensor]]:
    """The plan as the differentiable console sees it after the inserts."""
    strips = tuple(
        ChannelStrip(name=s.name, fader_db=s.fader_db, pan=s.pan, sends=s.sends, mute=s.mute)
        for s in plan.tracks
    )
    layout, values = from_plan(replace(plan, tracks=strips), console.session)
    inserted = {s.name: console.inserted(s, plan.pan_law).channels for s in audible(plan)}
    tracks = tuple(replace(track, mono=inserted[track.name] == 1) for track in layout.tracks)
    return replace(layout, tracks=tracks), values


def excerpts(console: ExactConsole, plan: MixPlan) -> Tensor:
    """Excerpts of what is at the faders of a plan, evenly over the song.

    Returns:
        ``(excerpts, tracks, 2, samples)`` float32; mono comes twice.

    Raises:
        InputError: The file behind a track changed or cannot be read.
    """
    rate, frames = console.session.sample_rate, console.session.frames
    strips = audible(plan)
    most_s = _MOST_SAMPLES / (2 * len(strips) * _EXCERPTS * rate) - LEAD_IN_S
    length_s = LEAD_IN_S + max(_SHORTEST_EXCERPT_S, min(_EXCERPT_S, most_s))
    length = min(round(length_s * rate), frames)
    count = min(_EXCERPTS, math.ceil(frames / length))
    starts = np.linspace(0, frames - length, count).round().astype(int)

    def cut(strip: ChannelStrip) -> Samples:
        source = console.inserted(strip, plan.pan_law)
        found = np.zeros((count, 2, length), np.float32)
        position = 0
        for block in source.blocks():
            stop = position + block.shape[1]
            for excerpt, start in zip(found, starts, strict=True):
                first, last = max(start, position), min(start + length, stop)
                if first < last:
                    excerpt[:, first - start : last - start] = block[
                        :, first - position : last - position
                    ]
            position = stop
        return found

    return torch.from_numpy(np.stack(list(in_parallel(cut, strips)), axis=1))
