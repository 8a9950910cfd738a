"""What every track of a plan does in the mix, measured in one pass over its audio."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from automix.analysis.features import BARK_EDGES_HZ
from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.analysis.program import measure
from automix.audio.streams import prefetch
from automix.consoles.exact import Block, ExactConsole, Flow, apply_master
from automix.dsp.rides import RideLine, open_line
from automix.parallel.workers import Workers
from automix.plan.model import MixPlan
from automix.plan.settings import Master
from automix.units import db_to_power, power_to_db

BANDS = tuple(zip(BARK_EDGES_HZ, BARK_EDGES_HZ[1:], strict=False))
"""Edges in Hz of the critical bands that everything here is measured in."""

Cells = NDArray[np.float32]
"""Mean squares ``(cells, 2, 24)``: about 0.1 s, side, critical band; before the master."""

_FRAME_S = 0.093
_FRAMES_PER_CELL = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Signal:
    """A track with the reverb that it alone feeds, or a shared return.

    Attributes:
        in_mix: Whether it is heard; a muted track is measured as if it were on.
        lufs: Integrated loudness before the master; −inf for silence.
        cells: Power over time, side and critical band.
        changed_lufs: Integrated loudness of the mix before the master without it; of a muted
            track, with it.
        changed_width_db: Width of that mix, as in `MeasuredMix`.
    """

    in_mix: bool
    lufs: float
    cells: Cells
    changed_lufs: float
    changed_width_db: float


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredMix:
    """All signals of a plan, and their sum before the master.

    Attributes:
        signals: By name of track or bus, in the order of the names.
        lufs: Integrated loudness of the sum.
        finished_lufs: Integrated loudness behind the master.
        width_db: Power of left − right over that of left + right, of the sum.
    """

    signals: Mapping[str, Signal]
    lufs: float
    finished_lufs: float
    width_db: float


def measure_mix(console: ExactConsole, plan: MixPlan) -> MeasuredMix:
    """Renders a plan once, and measures every signal in it and the mix without it.

    A shared return is taken as a signal of its own. What a track feeds it goes with the track as
    far as the loudness of the mix without it is concerned: by its share of the power that is sent
    there.

    Raises:
        InputError: A file changed while it was read.
    """
    rate = console.session.sample_rate
    muted = {strip.name for strip in plan.tracks if strip.mute}
    heard = replace(
        plan,
        tracks=tuple(
            replace(s.keep_sends_to(), mute=False) if s.mute else s
            for s in sorted(plan.tracks, key=lambda strip: strip.name)
        ),
    )
    desk = _Desk(heard, rate, muted)
    whole, sums = LoudnessMeter(rate, 2), _StereoSums()
    with Workers(len(heard.tracks) + len(heard.buses)) as workers:
        for flow in prefetch(console.flow(heard)):
            signals = desk.signals(flow)
            mix = sum_of([block for name, block in signals.items() if name not in muted], flow)
            whole.add(mix.astype(np.float32))
            sums.add(mix)
            workers.map(lambda work: work(), desk.work(signals, flow, mix))
    mix_lufs = integrated_lufs(whole.energies)
    return MeasuredMix(
        signals={name: desk.result(name) for name in sorted(desk.meters)},
        lufs=mix_lufs,
        finished_lufs=_finished_lufs(console, plan, mix_lufs),
        width_db=sums.width_db,
    )


def sum_of(blocks: Sequence[Block], like: Flow) -> Block:
    """The sum of blocks ``(2, n)``; silence where there is none."""
    first = next(iter(like.channels.values()))
    mix: Block = np.zeros_like(first, dtype=np.float64)
    for block in blocks:
        mix += block
    return mix


def _finished_lufs(console: ExactConsole, plan: MixPlan, mix_lufs: float) -> float:
    if replace(plan.master, gain_db=0.0) == Master() or not np.isfinite(mix_lufs):
        return mix_lufs + plan.master.gain_db
    return measure(apply_master(console.premaster(plan), plan.master)).integrated_lufs


class _Desk:
    """The meters of all signals, and which of them belong together."""

    def __init__(self, plan: MixPlan, rate: int, muted: set[str]) -> None:
        self._rate, self._muted = rate, muted
        self._sends: dict[str, list[tuple[str, float, RideLine | None]]] = {
            bus.name: [] for bus in plan.buses
        }
        for strip in plan.tracks:
            for number, send in enumerate(strip.sends, 1):
                line = open_line(strip.rides, f"sends.{number}.gain_db", rate)
                self._sends[send.bus].append((strip.name, db_to_power(send.gain_db), line))
        self._fed = {bus: {name: 0.0 for name, _, _ in sends} for bus, sends in self._sends.items()}
        self.meters: dict[str, _SignalMeter] = {}

    def signals(self, flow: Flow) -> dict[str, Block]:
        """Blocks by name: a return that one track alone feeds is part of the track."""
        signals = dict(flow.channels)
        for bus, block in flow.returns.items():
            feeding = list(self._fed[bus])
            if len(feeding) == 1:
                signals[feeding[0]] = signals[feeding[0]] + block
            elif feeding:
                signals[bus] = block
        for name in signals:
            if name not in self.meters:
                self.meters[name] = _SignalMeter(self._rate)
        for bus, sends in self._sends.items():
            for name, power, line in sends:
                sent = flow.channels[name]
                if line is not None:
                    sent = line.next_gains(sent.shape[1]) * sent
                self._fed[bus][name] += power * float(np.square(sent).sum())
        return signals

    def work(self, signals: Mapping[str, Block], flow: Flow, mix: Block) -> list["_Work"]:
        """What is to be measured of this block, to be done in parallel."""
        return [
            _Work(self.meters[name], block, mix, self._return_of(name, flow), name in self._muted)
            for name, block in signals.items()
        ]

    def _return_of(self, name: str, flow: Flow) -> Block | None:
        """What goes from the shared returns along with a track."""
        leaves: Block | None = None
        for bus, fed in self._fed.items():
            total = sum(fed.values())
            if len(fed) > 1 and total > 0.0 and fed.get(name, 0.0) > 0.0:
                part = (1.0 - np.sqrt(max(1.0 - fed[name] / total, 0.0))) * flow.returns[bus]
                leaves = part if leaves is None else leaves + part
        return leaves

    def result(self, name: str) -> Signal:
        """The figures of one signal, when all blocks are through."""
        meter = self.meters[name]
        return Signal(
            in_mix=name not in self._muted,
            lufs=integrated_lufs(meter.own.energies),
            cells=meter.cells.result(),
            changed_lufs=integrated_lufs(meter.changed.energies),
            changed_width_db=meter.sums.width_db,
        )


class _SignalMeter:
    def __init__(self, rate: int) -> None:
        self.own, self.changed = LoudnessMeter(rate, 2), LoudnessMeter(rate, 2)
        self.sums, self.cells = _StereoSums(), CellMeter(rate)


@dataclass(frozen=True)
class _Work:
    meter: _SignalMeter
    block: Block
    mix: Block
    returns: Block | None
    muted: bool

    def __call__(self) -> None:
        own = self.block.astype(np.float32)
        self.meter.own.add(own)
        self.meter.cells.add(own)
        changed = self.mix + self.block if self.muted else self.mix - self.block
        if self.returns is not None:
            changed -= self.returns
        self.meter.changed.add(changed.astype(np.float32))
        self.meter.sums.add(changed)


class _StereoSums:
    """Powers of the sum and of the difference of two sides."""

    def __init__(self) -> None:
        self._mid = self._side = 0.0

    def add(self, block: Block) -> None:
        # Not by dot products: the threads of BLAS and ours would wait for each other.
        left, right = block
        self._mid += float(np.square(left + right).sum())
        self._side += float(np.square(left - right).sum())

    @property
    def width_db(self) -> float:
        if self._mid <= 0.0 or self._side < 1e-12 * self._mid:  # what rounding leaves of mono
            return -np.inf if self._side < 1e-12 or self._mid > 0.0 else np.inf
        return power_to_db(self._side / self._mid)


class CellMeter:
    """Streaming: powers per cell of about 0.1 s, side and critical band.

    Args:
        sample_rate: Frames per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._frame = 1 << round(np.log2(_FRAME_S * sample_rate))
        window = np.hanning(self._frame + 1)[:-1]
        self._window = window.astype(np.float32)
        frequencies_hz = np.arange(self._frame // 2 + 1) * np.float64(sample_rate / self._frame)
        self._scale = np.float32(2.0 / (self._frame * float(np.square(window).sum())))
        # Whole bins: a matrix product would let its threads and ours wait for each other.
        self._edges = np.searchsorted(frequencies_hz, BARK_EDGES_HZ)
        self._pending = np.zeros((2, 0), np.float32)
        self._frames: list[NDArray[np.float32]] = []

    def add(self, block: NDArray[np.float32]) -> None:
        """Takes the next block ``(2, n)``."""
        pending = np.concatenate([self._pending, block], axis=1)
        hop = self._frame // 2
        count = max(0, (pending.shape[1] - self._frame) // hop + 1)
        if count:
            views = np.lib.stride_tricks.sliding_window_view(pending, self._frame, axis=1)
            self._hear(views[:, : count * hop : hop])
        self._pending = pending[:, count * hop :].copy()

    def _hear(self, frames: NDArray[np.float32]) -> None:
        from scipy.fft import rfft  # in single precision, unlike NumPy's

        spectra = rfft(frames * self._window)
        powers = np.square(spectra.real) + np.square(spectra.imag)
        bands = np.zeros((*powers.shape[:2], len(BANDS)), np.float32)
        for band, (first, last) in enumerate(zip(self._edges, self._edges[1:], strict=False)):
            powers[:, :, first:last].sum(axis=2, out=bands[:, :, band])
        self._frames.append(np.moveaxis(self._scale * bands, 1, 0))

    def result(self) -> Cells:
        """Everything so far; at least one cell."""
        if not self._frames:
            short = self._frame - self._pending.shape[1]
            around = (short // 2, short - short // 2)  # the window is 0 at its ends
            self._hear(np.pad(self._pending, ((0, 0), around))[:, np.newaxis])
        frames = np.concatenate(self._frames)
        count = max(1, len(frames) // _FRAMES_PER_CELL)
        whole = frames[: count * _FRAMES_PER_CELL]
        return np.asarray(
            np.stack([piece.mean(0) for piece in np.array_split(whole, count)]), np.float32
        )
