"""The processors of one strip, bus or master in signal order, streaming, float64 inside."""

import numpy as np
from numpy.typing import NDArray

from automix.dsp import spaces
from automix.dsp.convolution import Convolver
from automix.dsp.fdn_reverb import impulse_response
from automix.dsp.pan import balance_gains, pan_gains
from automix.dsp.processors import Stage, active_at, active_inserts
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

    Args:
        strip: Settings.
        channels: How many the track has.
        sample_rate: Frames per second.
        pan_law: The pan law of the plan, which sets the level of a mono track made stereo.
    """

    def __init__(
        self, strip: ChannelStrip, channels: int, sample_rate: int, pan_law: PanLaw
    ) -> None:
        self._gain = db_to_gain(strip.input_gain_db) * (-1.0 if strip.invert_polarity else 1.0)
        self._center = pan_gains(0.5, pan_law)[0]
        self._stages: list[Stage] = []
        for processor in active_inserts(strip):
            if processor.makes_stereo and channels == 1:
                self._stages.append(_Sides())
                channels = 2
            self._stages.append(processor.make(strip, sample_rate, channels))

    def process(self, block: NDArray[np.floating]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``; two channels come back where a processor makes them."""
        signal = block.astype(np.float64) * self._gain
        for stage in self._stages:
            signal = stage.process(signal)
        return signal if len(signal) == len(block) else self._center * signal


def fader_gains(strip: ChannelStrip, channels: int, pan_law: PanLaw) -> NDArray[np.float64]:
    """Gains ``(2, 1)`` of fader and pan for a track of ``channels`` channels."""
    sides = (pan_gains if channels == 1 else balance_gains)(strip.pan, pan_law)
    return np.array(sides)[:, np.newaxis] * db_to_gain(strip.fader_db)


class Return:
    """A bus: mono fold → pre-delay → equalizer → reverb → what comes after it → return gain.

    The network is fed on one line, which excites all others evenly, and without its pass-through:
    the direct sound is in the channel already, and would return as an echo after the pre-delay. A
    space with a wet above 0 takes the place of the network. All of the return is wet, whatever
    these settings say.
    """

    def __init__(self, bus: Bus, sample_rate: int) -> None:
        self._delayed = np.zeros((1, ms_to_samples(bus.pre_delay_ms, sample_rate)))
        self._before = [row.make(bus, sample_rate, 1) for row in active_at(bus, "before")]
        self._after = [row.make(bus, sample_rate, 2) for row in active_at(bus, "after")]
        self._convolver = Convolver(
            spaces.impulse_response(bus.space, sample_rate)
            if bus.space.wet > 0.0
            else impulse_response(bus.reverb, sample_rate, channels=1, direct=False)
        )
        self._gain = db_to_gain(bus.gain_db)

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The return ``(2, n)`` of the next block ``(2, n)`` of what is sent."""
        signal = block.mean(axis=0, keepdims=True)
        if self._delayed.shape[1]:
            joined = np.concatenate([self._delayed, signal], axis=1)
            signal, self._delayed = joined[:, : block.shape[1]], joined[:, block.shape[1] :]
        for stage in self._before:
            signal = stage.process(signal)
        signal = self._convolver.process(signal)
        for stage in self._after:
            signal = stage.process(signal)
        return self._gain * signal
