"""Cuts the excerpts that a descent hears of a song: its tracks as they arrive at the faders."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automix.analysis.hops import HOPS_PER_SECOND
from automix.analysis.loudness import measure_energies
from automix.audio.samples import AudioSource, Samples
from automix.consoles.differentiable import ConsoleLayout, from_plan
from automix.consoles.exact import ExactConsole
from automix.parallel.workers import run_in_parallel
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.units import db_to_power

LEAD_IN_S = 0.5
"""Seconds at the beginning of each excerpt that are not judged, while reverbs fill up."""

_EXCERPTS = 8
_EXCERPT_S = 4.0
_SHORTEST_EXCERPT_S = 2.0
_STANDS_OUT = 0.3
"""A track stands out from this fraction of the largest share of the mix that it ever has."""
_MOST_SAMPLES = 60_000_000
"""Largest number of samples of all excerpts of all tracks, which bounds the cost of a step."""


def list_audible(plan: MixPlan) -> list[ChannelStrip]:
    """Lists the strips that are not muted."""
    return [strip for strip in plan.tracks if not strip.mute]


def read_bare_values(
    console: ExactConsole, plan: MixPlan
) -> tuple[ConsoleLayout, dict[str, Tensor]]:
    """Reads a plan as the differentiable console sees it after the inserts.

    Returns:
        Layout of the tracks and buses, and the values of all settings that remain.
    """
    strips = tuple(
        ChannelStrip(name=s.name, fader_db=s.fader_db, pan=s.pan, sends=s.sends, mute=s.mute)
        for s in plan.tracks
    )
    layout, values = from_plan(replace(plan, tracks=strips), console.session)
    inserted = {s.name: console.inserted(s, plan.pan_law).channels for s in list_audible(plan)}
    tracks = tuple(replace(track, mono=inserted[track.name] == 1) for track in layout.tracks)
    return replace(layout, tracks=tracks), values


def cut_song(
    console: ExactConsole, plan: MixPlan, *, of_every_track: bool = False
) -> tuple[Tensor, NDArray[np.int64]]:
    """Cuts excerpts of what arrives at the faders of a plan, evenly over the song.

    Args:
        console: Console of the session.
        plan: Plan of the mix.
        of_every_track: Whether to add some where tracks stand out that are hardly heard in those.

    Returns:
        Audio ``(excerpts, tracks, 2, samples)`` float32, with mono on both sides; and the frames
        at which the excerpts begin.

    Raises:
        InputError: The file behind a track changed or cannot be read.
    """
    rate, frames = console.session.sample_rate, console.session.frames
    strips = list_audible(plan)
    most_s = _MOST_SAMPLES / (2 * len(strips) * _EXCERPTS * rate) - LEAD_IN_S
    length_s = LEAD_IN_S + max(_SHORTEST_EXCERPT_S, min(_EXCERPT_S, most_s))
    length = min(round(length_s * rate), frames)
    count = min(_EXCERPTS, math.ceil(frames / length))
    starts = np.linspace(0, frames - length, count).round().astype(np.int64)
    inserted = [console.inserted(strip, plan.pan_law) for strip in strips]
    if of_every_track:
        starts = _add_every_track(
            strips, run_in_parallel(measure_energies, inserted), starts, length, rate
        )
    found = run_in_parallel(lambda source: cut_excerpts(source, starts, length), inserted)
    return torch.from_numpy(np.stack(found, axis=1)), starts


def _add_every_track(
    strips: Sequence[ChannelStrip],
    energies: Sequence[NDArray[np.float64]],
    starts: NDArray[np.int64],
    length: int,
    rate: int,
) -> NDArray[np.int64]:
    hops = max(len(of_track) for of_track in energies)
    at_faders = np.zeros((len(strips), hops))
    for row, strip, of_track in zip(at_faders, strips, energies, strict=True):
        row[: len(of_track)] = db_to_power(strip.fader_db) * of_track
    hop = rate / HOPS_PER_SECOND
    more = _find_standing_out(at_faders, (starts / hop).astype(np.int64), round(length / hop))
    return np.sort(np.append(starts, np.array(more) * hop).round().astype(np.int64))


def _find_standing_out(
    energies: NDArray[np.float64], starts: NDArray[np.int64], length: int
) -> list[int]:
    """Finds where else to listen, so that no track is left out; places that serve many come first.

    Args:
        energies: Energies of the tracks ``(tracks, hops)``.
        starts: Hops at which the excerpts that there are begin.
        length: Length of an excerpt in hops.

    Returns:
        Hops at which further excerpts begin.
    """
    hops = energies.shape[1]
    if hops <= length:
        return []
    sums = np.cumsum(np.pad(energies, ((0, 0), (1, 0))), axis=1)
    within = sums[:, length:] - sums[:, :-length]
    shares = within / np.maximum(within.sum(0), 1e-12)
    highest = shares.max(1, keepdims=True)
    relative = shares / np.maximum(highest, 1e-6)
    relative[relative < _STANDS_OUT] = 0.0
    heard = relative[:, np.minimum(starts, relative.shape[1] - 1)].any(1)
    missing = ~heard & (highest[:, 0] > 1e-6)
    found: list[int] = []
    while missing.any() and len(found) < _EXCERPTS:
        found.append(int(relative[missing].sum(0).argmax()))
        missing &= relative[:, found[-1]] == 0.0
    return found


def cut_excerpts(source: AudioSource, starts: NDArray[np.int64], length: int) -> Samples:
    """Cuts excerpts ``(excerpts, 2, length)``; silence lies around a source.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    found = np.zeros((len(starts), 2, length), np.float32)
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
