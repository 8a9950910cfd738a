"""The processors of one strip, bus or master in signal order, streaming, float64 inside."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from automix.dsp import spaces
from automix.dsp.convolution import Convolver
from automix.dsp.fdn_reverb import impulse_response
from automix.dsp.pan import balance_gains, pan_gains
from automix.dsp.processors import (
    Leveler,
    Processor,
    Stage,
    active_at,
    active_inserts,
    load,
    reverb_of,
)
from automix.dsp.rides import Curve, open_line
from automix.dsp.time_shift import TimeShift, latency_frames
from automix.plan.model import PanLaw
from automix.plan.settings import Bus, ChannelStrip, FdnReverbSettings, SpaceSettings
from automix.units import db_to_gain, ms_to_samples


class Reverb:
    """Streaming reverberator on stereo: (1 − w)·dry + w·network.

    Args:
        settings: With a dry/wet of 0 nothing is done.
        sample_rate: Frames per second.
        channels: The number of sides; two.
    """

    def __init__(self, settings: FdnReverbSettings, sample_rate: int, channels: int = 2) -> None:
        self._wet = settings.dry_wet
        self._convolver = (
            Convolver(impulse_response(settings, sample_rate)) if self._wet > 0.0 else None
        )

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(2, n)``."""
        if self._convolver is None:
            return block
        return (1.0 - self._wet) * block + self._wet * self._convolver.process(block)


class _Sides:
    """Gives mono two equal sides."""

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(2, n)`` of the next block ``(1, n)``."""
        return np.repeat(block, 2, axis=0)


class SpaceReverb:
    """Streaming convolution with a space, on stereo: (1 − w)·dry + w·response.

    The mean of the two sides feeds the response, as in a bus; the dry part stays as it is.

    Args:
        settings: With a wet of 0 nothing is done.
        sample_rate: Frames per second.
        channels: The number of sides; two.
    """

    def __init__(self, settings: SpaceSettings, sample_rate: int, channels: int = 2) -> None:
        self._wet = settings.wet
        self._convolver = (
            Convolver(spaces.impulse_response(settings, sample_rate)) if self._wet > 0.0 else None
        )

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(2, n)``."""
        if self._convolver is None:
            return block
        wet = self._convolver.process(block.mean(axis=0, keepdims=True))
        return (1.0 - self._wet) * block + self._wet * wet


class Inserts:
    """Everything of a strip before its fader, in the strip's order.

    A mono track gets two sides at its reverb, or whatever else makes it stereo. They leave at the
    level that the pan law's center gives them, so that switching the reverb on does not change the
    dry level; until then they have the level of the track, so that it does not change what a
    compressor after the reverb does.

    What comes out is late by the latencies of the processors; `automix.consoles.exact` makes up for
    them.

    Args:
        strip: Settings.
        channels: How many the track has.
        sample_rate: Frames per second.
        pan_law: The pan law of the plan, which sets the level of a mono track made stereo.
        watch: Is given what enters each processor, block by block.
    """

    def __init__(
        self,
        strip: ChannelStrip,
        channels: int,
        sample_rate: int,
        pan_law: PanLaw,
        watch: Callable[[Processor, NDArray[np.float64]], None] | None = None,
    ) -> None:
        self._watch = watch
        self._gain = db_to_gain(strip.input_gain_db) * (-1.0 if strip.invert_polarity else 1.0)
        self._shift = TimeShift(strip.delay_ms, sample_rate, channels) if strip.delay_ms else None
        self._center = pan_gains(0.5, pan_law)[0]
        self._stages: list[tuple[Processor | None, Stage]] = []
        late = latency_frames(strip.delay_ms, sample_rate)
        for processor in active_inserts(strip):
            if processor.makes_stereo and channels == 1:
                self._stages.append((None, _Sides()))
                channels = 2
            stage = processor.make(strip, sample_rate, channels, late=late)
            self._stages.append((processor, stage))
            late += processor.latency_frames(strip, sample_rate)

    def process(self, block: NDArray[np.floating]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``; two channels come back where a processor makes them."""
        signal = block.astype(np.float64) * self._gain
        if self._shift is not None:
            signal = self._shift.process(signal)
        for processor, stage in self._stages:
            if self._watch is not None and processor is not None:
                self._watch(processor, signal)
            signal = stage.process(signal)
        return signal if len(signal) == len(block) else self._center * signal


class Fader:
    """Streaming fader and pan with their rides.

    Args:
        strip: Settings.
        channels: How many the track has.
        sample_rate: Frames per second.
        pan_law: The pan law of the plan.
        is_centered: Whether the inserts made two sides of a mono track: they have the level of the
            center already.
    """

    def __init__(
        self,
        strip: ChannelStrip,
        channels: int,
        sample_rate: int,
        pan_law: PanLaw,
        *,
        is_centered: bool = False,
    ) -> None:
        self._is_mono, self._law = channels == 1, pan_law
        self._level = db_to_gain(strip.fader_db)
        self._center = pan_gains(0.5, pan_law)[0] if is_centered else 1.0
        self._gains = self._make_gains(strip.pan)
        self._level_line = open_line(strip.rides, "fader_db", sample_rate)
        self._pan_line = open_line(strip.rides, "pan", sample_rate)

    def _make_gains(self, pan: Curve) -> NDArray[np.float64]:
        """Gains ``(2, 1)`` of a position, or ``(2, n)`` of that of each frame."""
        find_gains = pan_gains if self._is_mono else balance_gains
        sides = find_gains(pan, self._law) if isinstance(pan, float) else find_gains(pan, self._law)
        return np.array(sides).reshape(2, -1) * self._level / self._center

    def process(self, block: NDArray[np.floating]) -> NDArray[np.float64]:
        """The two sides ``(2, n)`` of the next block ``(channels, n)``."""
        gains = self._gains
        if self._pan_line is not None:
            gains = self._make_gains(self._pan_line.next_values(block.shape[1]))
        if self._level_line is not None:
            gains = gains * self._level_line.next_gains(block.shape[1])
        placed: NDArray[np.float64] = gains * block
        return placed


def make_network_return(settings: FdnReverbSettings, sample_rate: int) -> Convolver:
    """The feedback delay network of a bus.

    It is fed on one line, which excites all others evenly, and without its pass-through: the direct
    sound is in the channel already, and would return as an echo after the pre-delay.
    """
    return Convolver(impulse_response(settings, sample_rate, channels=1, direct=False))


def make_space_return(settings: SpaceSettings, sample_rate: int) -> Convolver:
    """The space of a bus."""
    return Convolver(spaces.impulse_response(settings, sample_rate))


class Return:
    """A bus: feed → pre-delay → what comes before the reverb → reverb → what comes after → gain.

    The feed of a reverb is the mono fold of what is sent, and all of what it returns is wet,
    whatever its settings say. A parallel bus keeps both sides and has no reverb.

    A compressor is not linear, yet what the tracks return one by one is to add up to what they
    return together. So the shares of all of them get the gain curves of the whole, which another
    object of the same bus finds.
    """

    def __init__(self, bus: Bus, sample_rate: int) -> None:
        self._bus, self._rate = bus, sample_rate
        channels = 2 if bus.parallel else 1
        self._delayed = np.zeros((channels, ms_to_samples(bus.pre_delay_ms, sample_rate)))
        self._before = [row.make(bus, sample_rate, channels) for row in active_at(bus, "before")]
        self._after = [row.make(bus, sample_rate, 2) for row in active_at(bus, "after")]
        self._gain = db_to_gain(bus.gain_db)
        self._line = open_line(bus.rides, "gain_db", sample_rate)

    @cached_property
    def _reverb(self) -> Stage | None:
        reverb = reverb_of(self._bus)
        if reverb is None:
            return None
        return cast(Stage, load(reverb.wet)(reverb.of(self._bus), self._rate))

    @property
    def has_levelers(self) -> bool:
        """Whether any of its processors has a gain curve."""
        return _have_levelers([*self._before, *self._after])

    def process(
        self, block: NDArray[np.float64], gains: Sequence[Curve] | None = None
    ) -> NDArray[np.float64]:
        """The return ``(2, n)`` of the next block ``(2, n)`` of what is sent.

        Args:
            block: All of what is sent; with ``gains``, a share of it.
            gains: What `find_gains` of another object gives for the same block of the whole.
        """
        left = None if gains is None else iter(gains)
        signal, _ = _process_stages(self._before, self._feed(block), left)
        if self._reverb is not None:
            signal = self._reverb.process(signal)
        signal, _ = _process_stages(self._after, signal, left)
        gain: Curve = self._gain
        if self._line is not None:
            gain = gain * self._line.next_gains(block.shape[1])
        return gain * signal

    def find_gains(self, block: NDArray[np.float64]) -> list[Curve]:
        """The gains of its levelers for the next block ``(2, n)`` of the whole that is sent.

        The object goes on as after `process`, and does no more than the levelers need.
        """
        signal, gains = _process_stages(self._before, self._feed(block), None)
        if _have_levelers(self._after):
            if self._reverb is not None:
                signal = self._reverb.process(signal)
            gains += _process_stages(self._after, signal, None)[1]
        return gains

    def _feed(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The delayed feed: of one side, or of two in a parallel bus."""
        signal = block if self._bus.parallel else block.mean(axis=0, keepdims=True)
        if self._delayed.shape[1]:
            joined = np.concatenate([self._delayed, signal], axis=1)
            signal, self._delayed = joined[:, : block.shape[1]], joined[:, block.shape[1] :]
        return signal


def _have_levelers(stages: Sequence[Stage]) -> bool:
    return any(isinstance(stage, Leveler) for stage in stages)


def _process_stages(
    stages: Sequence[Stage], signal: NDArray[np.float64], gains: Iterator[Curve] | None
) -> tuple[NDArray[np.float64], list[Curve]]:
    """A block through processors, and the gains of the levelers among them.

    Args:
        stages: The processors in signal order.
        signal: The block ``(channels, n)``.
        gains: Those that the levelers are to apply; none where they find their own.
    """
    used: list[Curve] = []
    for stage in stages:
        if isinstance(stage, Leveler):
            used.append(stage.gain(signal) if gains is None else next(gains))
            signal = signal * used[-1]
        else:
            signal = stage.process(signal)
    return signal, used
