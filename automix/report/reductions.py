"""How far the processors of a mix turn it down, for the cards of the report.

Every processor that has ``gain(block)`` is measured, whichever it is; see the table of processors.
Tracks are measured on the way of the inputs into their sum, and the master on the way of the mix,
so that nothing is decoded twice. Strips are measured as the exact console plays them.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.analysis.gain_reduction import GainReduction, GainReductionMeter
from automix.audio.blocks import fold_block
from automix.audio.samples import Samples
from automix.dsp.processors import Processor, active_inserts
from automix.dsp.strip import Inserts
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip, Master
from automix.session.tracks import Session

Block = NDArray[np.float64]

_COLUMNS = 240


@dataclass(frozen=True, kw_only=True, eq=False)
class Reduction:
    """What one processor of a strip or of the master takes away.

    Attributes:
        title: The processor's name for people.
        measured: How far, and when.
    """

    title: str
    measured: GainReduction


class StripReductions:
    """Measures the processors of one strip that have a gain, on the blocks of its track.

    Args:
        strip: Settings.
        plan: The plan of the strip.
        channels: How many the track has.
        frames: Length of the mix, over which the curves are spread.
    """

    def __init__(self, strip: ChannelStrip, plan: MixPlan, channels: int, frames: int) -> None:
        self._strip, self._rate, self._frames = strip, plan.sample_rate_hz, frames
        rows = active_inserts(strip)
        while rows and not rows[-1].has_gain:
            rows.pop()
        after = [row for row in active_inserts(strip) if row not in rows]
        neutral: Any = {row.name: row.settings() for row in after}  # a reverb costs much
        self._folds = strip.fold and channels > 1
        self._inserts = (
            Inserts(
                replace(strip, **neutral),
                1 if self._folds else channels,
                self._rate,
                plan.pan_law,
                self._measure,
            )
            if rows
            else None
        )
        self._measuring: dict[str, tuple[Processor, Any, GainReductionMeter]] = {}

    def add(self, block: Samples) -> None:
        """Takes the next block of the track ``(channels, n)``."""
        if self._inserts is not None:
            self._inserts.process(fold_block(block)[np.newaxis] if self._folds else block)

    def result(self) -> list[Reduction]:
        """Returns what the processors took away, in signal order."""
        return [
            Reduction(title=row.title, measured=meter.result())
            for row, _, meter in self._measuring.values()
        ]

    def _measure(self, row: Processor, block: Block) -> None:
        """Measures the gain on a stage of its own: that of the strip must not hear audio twice."""
        if not row.has_gain:
            return
        if row.name not in self._measuring:
            stage = row.make(self._strip, self._rate, len(block))
            meter = _make_meter(row, self._strip, self._rate, self._frames)
            self._measuring[row.name] = (row, stage, meter)
        _, stage, meter = self._measuring[row.name]
        meter.add(block, stage.gain(block))


class MasterReductions:
    """Measures the compressor and the limiter of a master while its mix is read.

    Args:
        master: Settings.
        sample_rate: Frames per second.
        frames: Length of the mix.
    """

    def __init__(self, master: Master, sample_rate: int, frames: int) -> None:
        self._master, self._rate, self._frames = master, sample_rate, frames
        self._meters: dict[str, tuple[Processor, GainReductionMeter]] = {}

    def watch(self, row: Processor, block: Block, gain: Block | float) -> None:
        """Takes what enters a processor, and its gain; see `automix.consoles.exact.GainWatch`."""
        if row.name not in self._meters:
            meter = _make_meter(row, self._master, self._rate, self._frames)
            self._meters[row.name] = (row, meter)
        self._meters[row.name][1].add(block, gain)

    def result(self) -> list[Reduction]:
        """Returns what they took away, in signal order."""
        return [
            Reduction(title=row.title, measured=meter.result())
            for row, meter in self._meters.values()
        ]


def make_strip_reductions(
    plan: MixPlan, session: Session, frames: int
) -> dict[str, StripReductions]:
    """Makes what measures each audible strip, by the name of its track.

    Args:
        plan: The plan.
        session: Its tracks.
        frames: Length of the mix.
    """
    channels = {track.name: track.source.channels for track in session.tracks}
    return {
        strip.name: StripReductions(strip, plan, channels[strip.name], frames)
        for strip in plan.tracks
        if strip.name in channels and not strip.mute
    }


def _make_meter(
    row: Processor, part: ChannelStrip | Master, sample_rate: int, frames: int
) -> GainReductionMeter:
    return GainReductionMeter(sample_rate, frames, _COLUMNS, row.of(part).resting_gain_db)
