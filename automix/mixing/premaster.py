"""The sum of a plan's channels and returns before the master, and how loud each of them is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.analysis.conditions import Spike, SpikeScan
from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.analysis.program import ProgramMeter
from automix.analysis.readings import Loudness
from automix.audio.samples import Audio, AudioSource
from automix.audio.streams import prefetch
from automix.consoles.exact import ExactConsole, Flow
from automix.parallel.workers import Workers
from automix.plan.model import MixPlan


@dataclass(frozen=True, kw_only=True, eq=False)
class Premaster:
    """A mix before its master.

    Attributes:
        source: Kept in memory where the session is.
        levels: Integrated loudness in LUFS of each track (with the reverb that it alone feeds) and
            of each shared return.
        loudness: Of the sum.
        spike: A sample of the sum that stands alone above all others, if there is one.
    """

    source: AudioSource
    levels: dict[str, float]
    loudness: Loudness
    spike: Spike | None


def premaster(console: ExactConsole, plan: MixPlan) -> Premaster:
    """Renders a plan up to its master.

    Raises:
        InputError: A file changed while it was read.
        PlanError: Every track is muted.
    """
    rate = console.session.sample_rate
    source: AudioSource = console.premaster(plan)
    kept = np.empty((2, source.frames), np.float32) if console.in_memory else None
    whole, spikes = ProgramMeter(rate, 2), SpikeScan(rate)
    meters: dict[str, LoudnessMeter] = {}

    def add(meter: LoudnessMeter | ProgramMeter | SpikeScan, block: NDArray[np.floating]) -> None:
        meter.add(np.asarray(block, np.float32))

    position = 0
    with Workers(len(plan.tracks) + len(plan.buses)) as workers:
        for flow in prefetch(console.flow(plan)):
            mix = flow.sum().astype(np.float32)
            measured: list[Callable[[], None]] = [
                partial(add, whole, mix),
                partial(add, spikes, mix),
            ]
            for name, block in _attribute_returns(plan, flow).items():
                meter = meters.setdefault(name, LoudnessMeter(rate, 2))
                measured.append(partial(add, meter, block))
            workers.map(lambda work: work(), measured)
            if kept is not None:
                kept[:, position : position + mix.shape[1]] = mix
                position += mix.shape[1]
    return Premaster(
        source=source if kept is None else Audio(kept, rate),
        levels={name: integrated_lufs(meter.energies) for name, meter in meters.items()},
        loudness=whole.result(),
        spike=spikes.result(),
    )


def _attribute_returns(plan: MixPlan, flow: Flow) -> dict[str, Any]:
    """Channels with the returns that they alone feed, and the returns that are shared."""
    signals = dict(flow.channels)
    for bus, block in flow.returns.items():
        feeding = [s.name for s in plan.tracks if any(send.bus == bus for send in s.sends)]
        sole = feeding[0] if len(feeding) == 1 and feeding[0] in signals else None
        signals[sole or bus] = signals[sole] + block if sole else block
    return signals
