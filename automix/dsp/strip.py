"""The processors of one strip, bus or master in signal order, streaming, float64 inside."""

import numpy as np
from numpy.typing import NDArray

from automix.dsp.compressor import Compressor
from automix.dsp.convolution import Convolver
from automix.dsp.de_esser import DeEsser
from automix.dsp.equalizer import Equalizer
from automix.dsp.fdn_reverb import impulse_response
from automix.dsp.pan import balance_gains, pan_gains
from automix.plan import Bus, ChannelStrip, PanLaw
from automix.settings import FdnReverbSettings
from automix.units import db_to_gain, ms_to_samples


class Reverb:
    """Streaming reverberator on stereo: (1 − w)·dry + w·network.

    Args:
        settings: With a dry/wet of 0 nothing is done.
        sample_rate: Frames per second.
    """

    def __init__(self, settings: FdnReverbSettings, sample_rate: int) -> None:
        self._wet = settings.dry_wet
        self._convolver = (
            Convolver(impulse_response(settings, sample_rate)) if self._wet > 0.0 else None
        )

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(2, n)``."""
        if self._convolver is None:
            return block
        return (1.0 - self._wet) * block + self._wet * self._convolver.process(block)


class Inserts:
    """Everything of a strip before its fader.

    A mono track stays mono until its reverb, which gives it two sides at the level that the pan
    law's center would give them, so that switching the reverb on does not change the dry level.

    Args:
        strip: Settings.
        channels: Of the track.
        sample_rate: Frames per second.
        pan_law: Of the plan.
    """

    def __init__(
        self, strip: ChannelStrip, channels: int, sample_rate: int, pan_law: PanLaw
    ) -> None:
        self._gain = db_to_gain(strip.input_gain_db) * (-1.0 if strip.invert_polarity else 1.0)
        self._equalizer = Equalizer(strip.equalizer, sample_rate, channels)
        self._de_esser = DeEsser(strip.de_esser, sample_rate, channels)
        self._compressor = Compressor(strip.compressor, sample_rate)
        self._reverb = Reverb(strip.reverb, sample_rate) if strip.reverb.dry_wet > 0.0 else None
        self._center = np.array(pan_gains(0.5, pan_law))[:, np.newaxis]

    def process(self, block: NDArray[np.floating]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``; two channels come back where there is a reverb."""
        signal = block.astype(np.float64) * self._gain
        signal = self._equalizer.process(signal)
        signal = self._de_esser.process(signal)
        signal = self._compressor.process(signal)
        if self._reverb is None:
            return signal
        return self._reverb.process(self._center * signal if len(signal) == 1 else signal)


def fader_gains(strip: ChannelStrip, channels: int, pan_law: PanLaw) -> NDArray[np.float64]:
    """Gains ``(2, 1)`` of fader and pan for a track of ``channels`` channels."""
    sides = (pan_gains if channels == 1 else balance_gains)(strip.pan, pan_law)
    return np.array(sides)[:, np.newaxis] * db_to_gain(strip.fader_db)


class Return:
    """A bus: mono fold → pre-delay → equalizer → reverb → return gain.

    The network is fed on one line, which excites all others evenly, and without its pass-through:
    the direct sound is in the channel already, and would return as an echo after the pre-delay. All
    of it is wet, whatever the dry/wet of its reverb says.
    """

    def __init__(self, bus: Bus, sample_rate: int) -> None:
        self._delayed = np.zeros((1, ms_to_samples(bus.pre_delay_ms, sample_rate)))
        self._equalizer = Equalizer(bus.equalizer, sample_rate, 1)
        self._convolver = Convolver(
            impulse_response(bus.reverb, sample_rate, channels=1, direct=False)
        )
        self._gain = db_to_gain(bus.gain_db)

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The return ``(2, n)`` of the next block ``(2, n)`` of what is sent."""
        signal = block.mean(axis=0, keepdims=True)
        if self._delayed.shape[1]:
            joined = np.concatenate([self._delayed, signal], axis=1)
            signal, self._delayed = joined[:, : block.shape[1]], joined[:, block.shape[1] :]
        return self._gain * self._convolver.process(self._equalizer.process(signal))
