"""What rides are written from: the energies of all channels as they stand in the mix.

One pass over the rendered channels; only numbers per hop are kept, whatever the length of the song.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from automix.analysis.hops import HOPS_PER_SECOND
from automix.analysis.loudness import Energies, LoudnessMeter
from automix.analysis.third_octaves import ThirdOctaveMeter
from automix.audio.streams import prefetch
from automix.consoles.exact import ExactConsole
from automix.dsp.pan import pan_gains
from automix.parallel.workers import Workers
from automix.plan.model import MixPlan
from automix.plan.rides import find_ride

FINE_HOPS_PER_SECOND = 50
"""Hops of 20 ms: a phrase and a fade begin and end to within a consonant."""

_FINE_HOPS = FINE_HOPS_PER_SECOND // HOPS_PER_SECOND


@dataclass(frozen=True, kw_only=True, eq=False)
class HeardMix:
    """A mix before its master, as energies (K-weighted mean squares) per hop of 20 ms.

    The returns are left out: they lie far below the channels, rise and fall with them, and cost as
    much as all else together.

    Attributes:
        tracks: Of each audible track after fader and pan ``(hops,)``, by name.
        leads: Of the sum of the leads ``(hops,)``; zeros where there are none.
        rest: Of the sum of all other tracks ``(hops,)``.
        spectrum: Mean squares of the middle of the mix per 200 ms and third of an octave
            ``(steps, 30)``; none where it was not asked for.
    """

    tracks: dict[str, Energies]
    leads: Energies
    rest: Energies
    spectrum: NDArray[np.float32] | None

    @property
    def duration_s(self) -> float:
        """Length of what was heard."""
        return len(self.rest) / FINE_HOPS_PER_SECOND


def hear_mix(
    console: ExactConsole, plan: MixPlan, leads: Collection[str], *, with_spectrum: bool = True
) -> HeardMix:
    """Renders the channels of a plan once and measures them.

    Args:
        console: Of the session.
        plan: The plan; an audible track at least.
        leads: Names of the lead vocals.
        with_spectrum: Whether the spectrum is wanted.

    Raises:
        InputError: A file changed while it was read.
    """
    rate = console.session.sample_rate
    names = sorted(strip.name for strip in plan.tracks if not strip.mute)
    sides = {name: _choose_sides(console, plan, name) for name in names}
    meters = {n: LoudnessMeter(rate, s.channels, FINE_HOPS_PER_SECOND) for n, s in sides.items()}
    groups = ([n for n in names if n in leads], [n for n in names if n not in leads])
    sums = [LoudnessMeter(rate, 2, FINE_HOPS_PER_SECOND) for _ in groups]
    thirds = ThirdOctaveMeter(rate, 2) if with_spectrum else None
    dry = replace(plan, buses=(), tracks=tuple(strip.keep_sends_to() for strip in plan.tracks))
    with Workers(len(names) + 3) as workers:
        for channels, _ in prefetch(console.fed(dry)):
            measured: list[Callable[[], None]] = [
                partial(_add, meters[n], channels[n][sides[n].chosen]) for n in names
            ]
            added = [_sum(channels, group) for group in groups]
            for meter, group, block in zip(sums, groups, added, strict=True):
                if len(group) != 1:  # one track is its own sum
                    measured.append(partial(_add, meter, block))
            if thirds is not None:
                measured.append(partial(_add, thirds, added[0] + added[1]))
            workers.map(lambda work: work(), measured)
    tracks = {name: meter.energies * sides[name].factor for name, meter in meters.items()}
    of_leads, of_rest = (
        tracks[group[0]] if len(group) == 1 else meter.energies
        for meter, group in zip(sums, groups, strict=True)
    )
    return HeardMix(
        tracks=tracks,
        leads=of_leads,
        rest=of_rest,
        spectrum=None if thirds is None else thirds.finish(len(of_rest) // _FINE_HOPS)[0],
    )


@dataclass(frozen=True, kw_only=True)
class _Sides:
    """The sides of a channel that are measured.

    Attributes:
        chosen: Which.
        channels: How many these are.
        factor: Energy of both sides over that of those.
    """

    chosen: slice
    channels: int
    factor: float


def _choose_sides(console: ExactConsole, plan: MixPlan, name: str) -> _Sides:
    """The louder side of a mono track that is panned, which tells the other; else both."""
    strip = plan.strip(name)
    moves = find_ride(strip.rides, "pan") is not None
    if moves or console.inserted(strip, plan.pan_law).channels > 1:
        return _Sides(chosen=slice(0, 2), channels=2, factor=1.0)
    gains = pan_gains(strip.pan, plan.pan_law)
    louder = gains.index(max(gains))
    factor = sum(gain**2 for gain in gains) / max(gains) ** 2
    return _Sides(chosen=slice(louder, louder + 1), channels=1, factor=factor)


def to_meter_hops(energies: Energies) -> Energies:
    """The energies of the usual hops of 100 ms from those of 20 ms."""
    whole = len(energies) // _FINE_HOPS * _FINE_HOPS
    means: Energies = energies[:whole].reshape(-1, _FINE_HOPS).mean(axis=1)
    return means


def _add(meter: LoudnessMeter | ThirdOctaveMeter, block: NDArray[np.float64]) -> None:
    meter.add(np.asarray(block, np.float32))


def _sum(blocks: Mapping[str, NDArray[np.float64]], names: Iterable[str]) -> NDArray[np.float64]:
    total = np.zeros_like(next(iter(blocks.values())))
    for name in names:
        total += blocks[name]
    return total
