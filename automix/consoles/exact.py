"""The exact console: the reference rendering of a plan, block by block in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import collect, fold_to_mono, pad, reblock, skip_frames
from automix.audio.samples import BLOCK_FRAMES, AudioSource, Samples
from automix.audio.streams import Stream, prefetch
from automix.dsp import time_shift
from automix.dsp.limiter import Limiter
from automix.dsp.processors import (
    LIMITER,
    Processor,
    Stage,
    active_at,
    active_inserts,
    makes_stereo,
    processors_of,
    reverb_of,
)
from automix.dsp.rides import Curve, RideLine, open_line
from automix.dsp.strip import Fader, Inserts, Return
from automix.errors import PlanError
from automix.parallel.workers import Workers
from automix.plan.model import MixPlan, PanLaw
from automix.plan.settings import Bus, ChannelStrip, Master
from automix.session.tracks import Session
from automix.units import db_to_gain, ms_to_samples, seconds_to_samples

Block = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One block ``(2, n)`` of each signal that is summed: channels after pan, and bus returns."""

    channels: dict[str, Block]
    returns: dict[str, Block]

    def sum(self) -> Block:
        """Before the master."""
        first, *others = [*self.channels.values(), *self.returns.values()]
        mix = first.copy()
        for block in others:
            mix += block
        return mix


class ExactConsole:
    """Renders plans of one session.

    What a strip's inserts give is kept for the next rendering as long as the session itself is in
    memory, so that a method may try faders, sends and gains without processing again.

    Args:
        session: The tracks.

    Attributes:
        warnings: For the user, from rendering.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.warnings: list[str] = []
        self._kept: dict[str, tuple[ChannelStrip, PanLaw, AudioSource]] = {}
        self.in_memory = session.in_memory

    def source(self, strip: ChannelStrip) -> AudioSource:
        """The track of a strip, folded where the strip says so."""
        source = self.session.track(strip.name).source
        return fold_to_mono(source) if strip.fold else source

    def inserted(self, strip: ChannelStrip, pan_law: PanLaw) -> AudioSource:
        """A track after its strip's inserts, before fader and pan; with the tail of its reverb."""
        source = self.source(strip)
        strip = inserts_of(strip)
        if strip == ChannelStrip(name=strip.name, fold=strip.fold):
            return source
        kept = self._kept.get(strip.name)
        if kept is not None and kept[:2] == (strip, pan_law):
            return kept[2]
        stream = insert_stream(source, strip, pan_law)
        if not self.in_memory or not active_inserts(strip):  # a gain alone is not worth keeping
            return stream
        audio = collect(stream)
        self._kept[strip.name] = (strip, pan_law, audio)
        return audio

    def channel(self, strip: ChannelStrip, pan_law: PanLaw, frames: int) -> Iterator[Block]:
        """Blocks ``(2, n)`` of a strip after fader and pan, padded to ``frames``."""
        source = self.inserted(strip, pan_law)
        channels = self.source(strip).channels
        fader = Fader(
            strip,
            channels,
            source.sample_rate,
            pan_law,
            is_centered=source.channels > channels,
        )
        for block in pad(source, frames).blocks():
            yield fader.process(block)

    def flow(self, plan: MixPlan) -> Iterator[Flow]:
        """Every audible channel and every return before they are summed, block by block."""
        returns = self.returns(plan)
        for channels, feeds in prefetch(self.fed(plan)):
            wet = {name: bus.process(feeds[name]) for name, bus in returns.items()}
            yield Flow(channels=channels, returns=wet)

    def share(self, plan: MixPlan, name: str) -> Iterator[Flow]:
        """One audible channel, and what it has of every return, block by block.

        Where a bus has a compressor, the other tracks that feed it are heard along, for the gain
        curve: nothing has to be kept.
        """
        solo = _mute_others(plan, {name})
        made = {bus.name: Return(bus, self.session.sample_rate) for bus in plan.buses}
        whole = {bus: part for bus, part in made.items() if part.has_levelers}
        sending = {s.name for s in plan.tracks if any(send.bus in whole for send in s.sends)}
        if not sending:
            yield from self.flow(solo)
            return
        returns = self.returns(solo)
        send = _Sends(solo, self.session.sample_rate)
        for channels, feeds in prefetch(self.fed(_mute_others(plan, {name, *sending}))):
            own = {name: channels[name]}
            wet = {}
            for bus, feed in send.next_feeds(own).items():
                part = returns[bus]
                if bus in whole and isinstance(part, Return):
                    wet[bus] = part.process(feed, whole[bus].find_gains(feeds[bus]))
                else:
                    wet[bus] = part.process(feed)
            yield Flow(channels=own, returns=wet)

    def fed(self, plan: MixPlan) -> Iterator[tuple[dict[str, Block], dict[str, Block]]]:
        """Blocks ``(2, n)`` of every audible channel, and of what is sent to every bus."""
        frames = self.frames(plan)
        # In the order of their names, so that the order of tracks cannot change a rounding.
        strips = sorted((s for s in plan.tracks if not s.mute), key=lambda strip: strip.name)
        if not strips:
            raise PlanError("every track of the plan is muted; unmute one")
        for strip in strips:
            self._warn_of_idle_rides(strip)
        names = [strip.name for strip in strips]
        with Workers(len(strips)) as workers:
            # What the first block asks of a strip, such as its impulse response, is parallel too.
            flows = [self.channel(strip, plan.pan_law, frames) for strip in strips]
            sends = _Sends(plan, self.session.sample_rate)
            for _ in range(0, frames, BLOCK_FRAMES):
                channels = dict(zip(names, workers.map(next, flows), strict=True))
                yield channels, sends.next_feeds(channels)

    def _warn_of_idle_rides(self, strip: ChannelStrip) -> None:
        """Says which rides of a strip move nothing, as their processor is off."""
        off = {row.name for row in processors_of(ChannelStrip) if not row.is_active(strip)}
        for ride in strip.rides:
            processor = ride.setting.partition(".")[0]
            warning = f"{strip.name}: the {processor} is off, so that its ride moves nothing"
            if processor in off and warning not in self.warnings:  # every pass asks
                self.warnings.append(warning)

    def returns(self, plan: MixPlan) -> Mapping[str, Stage]:
        """What turns the blocks that are sent to a bus into its return."""
        return {bus.name: Return(bus, self.session.sample_rate) for bus in plan.buses}

    def frames(self, plan: MixPlan) -> int:
        """Length of the mix: the session and the longest tail."""
        return self.session.frames + tail_frames(plan, self.session.sample_rate)

    def premaster(self, plan: MixPlan) -> Stream:
        """The sum of all strips and returns."""
        return Stream(
            sample_rate=self.session.sample_rate,
            channels=2,
            frames=self.frames(plan),
            make_blocks=lambda: (flow.sum().astype(np.float32) for flow in self.flow(plan)),
        )

    def stem(self, plan: MixPlan, name: str, premaster: AudioSource) -> Stream:
        """One audible track as it is in the final mix, with its share of the returns.

        All stems sum to the mix within rounding: reverbs and filters are linear, and the gain
        curves of the buses' compressors and of the master's compressor and limiter are taken from
        the whole mix.

        Args:
            plan: The whole mix.
            name: The name of the track.
            premaster: The whole mix before its master, see `premaster`.
        """
        rate = self.session.sample_rate

        def blocks() -> Iterator[Samples]:
            filters = MasterFilters(plan.master, rate)
            gains = (gain for _, gain in master_flow(premaster, plan.master))
            for flow, gain in zip(self.share(plan, name), gains, strict=True):
                yield (filters.process(flow.sum()) * gain).astype(np.float32)

        return Stream(sample_rate=rate, channels=2, frames=premaster.frames, make_blocks=blocks)


def _mute_others(plan: MixPlan, names: set[str]) -> MixPlan:
    """The plan with all other tracks muted: the length of the mix stays the same."""
    tracks = tuple(
        replace(strip, mute=strip.mute or strip.name not in names) for strip in plan.tracks
    )
    return replace(plan, tracks=tracks)


class _Sends:
    """What the audible tracks of a plan send to its buses, block by block."""

    def __init__(self, plan: MixPlan, sample_rate: int) -> None:
        self._buses = [bus.name for bus in plan.buses]
        self._of: dict[str, list[tuple[str, float, RideLine | None]]] = {
            strip.name: [
                (
                    send.bus,
                    db_to_gain(send.gain_db),
                    open_line(strip.rides, f"sends.{number}.gain_db", sample_rate),
                )
                for number, send in enumerate(strip.sends, 1)
            ]
            for strip in plan.tracks
        }

    def next_feeds(self, channels: Mapping[str, Block]) -> dict[str, Block]:
        """What is sent to every bus ``(2, n)`` of the next block of some channels."""
        frames = next(iter(channels.values())).shape[1]
        feeds = {bus: np.zeros((2, frames)) for bus in self._buses}
        for name, channel in channels.items():
            for bus, level, line in self._of[name]:
                gain: Curve = level
                if line is not None:
                    gain = gain * line.next_gains(frames)
                feeds[bus] += gain * channel
        return feeds


def inserts_of(strip: ChannelStrip) -> ChannelStrip:
    """The strip without all that comes after its inserts."""
    processed: dict[str, Any] = {row.name: row.of(strip) for row in processors_of(ChannelStrip)}
    return ChannelStrip(
        rides=tuple(ride for ride in strip.rides if ride.setting.partition(".")[0] in processed),
        name=strip.name,
        input_gain_db=strip.input_gain_db,
        fold=strip.fold,
        invert_polarity=strip.invert_polarity,
        delay_ms=strip.delay_ms,
        order=strip.order,
        **processed,
    )


def insert_stream(
    source: AudioSource,
    strip: ChannelStrip,
    pan_law: PanLaw,
    watch: Callable[[Processor, Block], None] | None = None,
) -> Stream:
    """A track through a strip's inserts, in time, with the tail of its reverb.

    Args:
        source: The track.
        strip: Settings.
        pan_law: The pan law of the plan.
        watch: Is given what enters each processor, block by block, late by what is before it.
    """
    frames = source.frames + insert_tail_frames(strip, source.sample_rate)
    latency = insert_latency_frames(strip, source.sample_rate)
    whole = pad(source, frames + latency)

    def late_blocks() -> Iterator[Samples]:
        inserts = Inserts(strip, source.channels, source.sample_rate, pan_law, watch)
        for block in whole.blocks():
            yield inserts.process(block).astype(np.float32)

    return Stream(
        sample_rate=source.sample_rate,
        channels=2 if makes_stereo(strip) else source.channels,
        frames=frames,
        make_blocks=lambda: reblock(skip_frames(late_blocks(), latency)),
    )


def insert_latency_frames(strip: ChannelStrip, sample_rate: int) -> int:
    """How many frames late `Inserts` give the audio of a strip."""
    latencies = (row.latency_frames(strip, sample_rate) for row in active_inserts(strip))
    return time_shift.latency_frames(strip.delay_ms, sample_rate) + sum(latencies)


def insert_tail_frames(strip: ChannelStrip, sample_rate: int) -> int:
    """How long a strip's inserts sound on: each goes on with the tail of those before it."""
    tails_s = (row.tail_s(strip) for row in active_inserts(strip))
    tail = sum(seconds_to_samples(tail_s, sample_rate) for tail_s in tails_s)
    return time_shift.tail_frames(strip.delay_ms, sample_rate) + tail


def bus_tail_frames(bus: Bus, sample_rate: int) -> int:
    """How long a bus sounds on after what is sent to it."""
    reverb = reverb_of(bus)
    reverb_s = 0.0 if reverb is None else reverb.whole_tail_s(bus)
    tails_s = [reverb_s, *(row.tail_s(bus) for row in active_at(bus, "before", "after"))]
    pre_delay = ms_to_samples(bus.pre_delay_ms, sample_rate)
    return pre_delay + sum(seconds_to_samples(tail_s, sample_rate) for tail_s in tails_s)


def tail_frames(plan: MixPlan, sample_rate: int) -> int:
    """How much longer the mix is than its session."""
    insert_tail = max((insert_tail_frames(s, sample_rate) for s in plan.tracks), default=0)
    return insert_tail + max((bus_tail_frames(b, sample_rate) for b in plan.buses), default=0)


GainWatch = Callable[[Processor, Block, NDArray[np.float64] | float], None]
"""Is given a processor, a block ``(2, n)`` that enters it, and its gain ``(n,)`` or one number."""


def apply_master(premaster: AudioSource, master: Master, watch: GainWatch | None = None) -> Stream:
    """The mix after the master: filters (equalizer) → gain curves (compressor) → gain → limiter.

    Args:
        premaster: The mix before its master.
        master: Settings.
        watch: Is given the gains of the compressor and the limiter while the mix is read.
    """

    def blocks() -> Iterator[Samples]:
        for block, gain in master_flow(premaster, master, watch):
            yield (block * gain).astype(np.float32)

    return Stream(
        sample_rate=premaster.sample_rate, channels=2, frames=premaster.frames, make_blocks=blocks
    )


class MasterFilters:
    """The linear filters of the master, which stems may go through one by one.

    Args:
        master: Settings.
        sample_rate: Frames per second.
    """

    def __init__(self, master: Master, sample_rate: int) -> None:
        self._stages = [row.make(master, sample_rate, 2) for row in active_at(master, "filter")]

    def process(self, block: Block) -> Block:
        """The next block ``(2, n)``, filtered."""
        for stage in self._stages:
            block = stage.process(block)
        return block


def master_flow(
    premaster: AudioSource, master: Master, watch: GainWatch | None = None
) -> Iterator[tuple[Block, NDArray[np.float64]]]:
    """Filtered blocks ``(2, n)``, and the gain curve ``(n,)`` of all that follows."""
    rate = premaster.sample_rate
    filters = MasterFilters(master, rate)
    line = open_line(master.rides, "gain_db", rate)
    levelers: list[tuple[Processor, Any]] = [
        (row, row.make(master, rate, 2)) for row in active_at(master, "gain")
    ]
    waiting: deque[tuple[Block, NDArray[np.float64]]] = deque()

    def leveled() -> Iterator[Samples]:
        for block in premaster.blocks():
            filtered = filters.process(block.astype(np.float64))
            gain: NDArray[np.float64] | float = 1.0
            for row, leveler in levelers:
                signal = filtered * gain
                own = leveler.gain(signal)
                if watch is not None:
                    watch(row, signal, own)
                gain = gain * own
            gain = gain * db_to_gain(master.gain_db)
            if line is not None:
                gain = gain * line.next_gains(filtered.shape[1])
            curve = np.broadcast_to(gain, filtered.shape[1:])
            waiting.append((filtered, curve))
            yield (filtered * curve).astype(np.float32)

    for limited, limiter_gain in Limiter(master.limiter, rate).gains(leveled()):
        filtered, curve = waiting.popleft()
        if watch is not None and master.limiter.is_active:
            watch(LIMITER, limited.astype(np.float64), limiter_gain)
        yield filtered, curve * limiter_gain
