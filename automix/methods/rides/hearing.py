"""What rides are written from: the energies of all channels as they stand in the mix.

One pass over the rendered channels; only numbers per hop are kept, whatever the length of the song.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from automix.analysis.hops import HOPS_PER_SECOND
from automix.analysis.loudness import Energies, LoudnessMeter
from automix.analysis.third_octaves import ThirdOctaveMeter
from automix.audio.streams import prefetch
from automix.consoles.exact import ExactConsole
from automix.parallel.workers import Workers
from automix.plan.model import MixPlan

FINE_HOPS_PER_SECOND = 50
"""Hops of 20 ms: a phrase and a fade begin and end to within a consonant."""

_FINE_HOPS = FINE_HOPS_PER_SECOND // HOPS_PER_SECOND


@dataclass(frozen=True, kw_only=True, eq=False)
class HeardMix:
    """A mix before its master, as energies (K-weighted mean squares) per hop of 20 ms.

    Attributes:
        tracks: Of each audible track after fader and pan ``(hops,)``, by name.
        leads: Of the sum of the leads without returns ``(hops,)``; zeros where there are none.
        rest: Of the sum of all else ``(hops,)``, without the returns that leads alone feed: these
            move with them.
        spectrum: Mean squares of the middle of the mix per 200 ms and third of an octave
            ``(steps, 30)``.
    """

    tracks: dict[str, Energies]
    leads: Energies
    rest: Energies
    spectrum: NDArray[np.float32]

    @property
    def duration_s(self) -> float:
        """Length of what was heard."""
        return len(self.rest) / FINE_HOPS_PER_SECOND


def hear_mix(console: ExactConsole, plan: MixPlan, leads: Sequence[str]) -> HeardMix:
    """Renders a plan once and measures it.

    Args:
        console: Of the session.
        plan: The plan, without rides.
        leads: Names of the lead vocals.

    Raises:
        InputError: A file changed while it was read.
    """
    rate = console.session.sample_rate
    names = sorted(strip.name for strip in plan.tracks if not strip.mute)
    meters = {name: LoudnessMeter(rate, 2, FINE_HOPS_PER_SECOND) for name in names}
    sums = [LoudnessMeter(rate, 2, FINE_HOPS_PER_SECOND) for _ in (0, 1)]
    thirds = ThirdOctaveMeter(rate, 2)
    sung = [name for name in names if name in leads]
    own = _find_own_returns(plan, sung)
    with Workers(len(names) + 3) as workers:
        for flow in prefetch(console.flow(plan)):
            blocks = flow.channels | {n: b for n, b in flow.returns.items() if n not in own}
            lead = _sum(blocks, sung)
            rest = _sum(blocks, [name for name in blocks if name not in sung])
            measured: list[Callable[[], None]] = [
                partial(_add, sums[0], lead),
                partial(_add, sums[1], rest),
                partial(_add, thirds, lead + rest),
                *(partial(_add, meters[name], flow.channels[name]) for name in names),
            ]
            workers.map(lambda work: work(), measured)
    of_leads, of_rest = (meter.energies for meter in sums)
    return HeardMix(
        tracks={name: meter.energies for name, meter in meters.items()},
        leads=of_leads,
        rest=of_rest,
        spectrum=thirds.finish(len(of_rest) // _FINE_HOPS)[0],
    )


def to_meter_hops(energies: Energies) -> Energies:
    """The energies of the usual hops of 100 ms from those of 20 ms."""
    whole = len(energies) // _FINE_HOPS * _FINE_HOPS
    means: Energies = energies[:whole].reshape(-1, _FINE_HOPS).mean(axis=1)
    return means


def _add(meter: LoudnessMeter | ThirdOctaveMeter, block: NDArray[np.float64]) -> None:
    meter.add(np.asarray(block, np.float32))


def _find_own_returns(plan: MixPlan, leads: Sequence[str]) -> list[str]:
    """The buses that leads alone feed: their returns move with them."""
    return [
        bus.name
        for bus in plan.buses
        if {s.name for s in plan.tracks if any(send.bus == bus.name for send in s.sends)}
        <= set(leads)
    ]


def _sum(blocks: Mapping[str, NDArray[np.float64]], names: Iterable[str]) -> NDArray[np.float64]:
    total = np.zeros_like(next(iter(blocks.values())))
    for name in names:
        total += blocks[name]
    return total
