"""The part of a mix that has no gradient: bands, orders, delay networks, buses and the pan law."""

from dataclasses import dataclass

from automix.plan.model import PanLaw
from automix.plan.settings import (
    BandKind,
    DelaySettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    Order,
)

FIVE_BANDS = EqualizerSettings(
    bands=(
        EqualizerBand(kind="low_shelf", frequency_hz=80.0),
        EqualizerBand(kind="peak", frequency_hz=400.0, q=0.7),
        EqualizerBand(kind="peak", frequency_hz=1000.0, q=0.7),
        EqualizerBand(kind="peak", frequency_hz=5000.0, q=0.7),
        EqualizerBand(kind="high_shelf", frequency_hz=10000.0),
    )
)
"""The equalizer of the channel strip (Steinmetz 2020, section 4.2.2), neutral."""

_FIVE_KINDS = tuple(band.kind for band in FIVE_BANDS.bands)


RideTimes = tuple[tuple[str, tuple[float, ...]], ...]
"""Settings that are ridden, and the times of their points in seconds."""


@dataclass(frozen=True, kw_only=True)
class TrackLayout:
    """The part of a strip that has no gradient.

    Attributes:
        name: The name of the track, where a plan is behind it.
        mono: Whether the track is mono, even if its audio comes in two equal channels; none leaves
            it to the audio.
        fold: Whether the audio is the mean of the sides of a stereo track, see `session_audio`.
        bands: Shapes of the equalizer's bands.
        order: The order of the three groups of processors.
        reverb: A feedback delay network, of which only `dry_wet` has a gradient; none is off.
        delay: A delay, of which the time and the ping-pong count here; none is off.
        rides: The settings that move; ``sends.1`` is the send to the second bus.
    """

    name: str = ""
    mono: bool | None = None
    fold: bool = False
    bands: tuple[BandKind, ...] = _FIVE_KINDS
    order: Order = "ecr"
    reverb: FdnReverbSettings | None = None
    delay: DelaySettings | None = None
    rides: RideTimes = ()


@dataclass(frozen=True, kw_only=True)
class BusLayout:
    """The part of a bus that has no gradient.

    Attributes:
        name: The name of the bus, where a plan is behind it.
        bands: Shapes of the equalizer's bands.
        pre_delay_ms: Rounded to samples.
        parallel: Whether it keeps both sides and has no reverb.
        reverb: A feedback delay network; none makes the bus a space.
        delay: A delay in place of both; its time and its ping-pong count here.
        rides: The settings that move.
    """

    name: str = ""
    bands: tuple[BandKind, ...] = ()
    pre_delay_ms: float = 0.0
    parallel: bool = False
    reverb: FdnReverbSettings | None = None
    delay: DelaySettings | None = None
    rides: RideTimes = ()


@dataclass(frozen=True, kw_only=True)
class ConsoleLayout:
    """The part of a mix that has no gradient.

    Attributes:
        tracks: One for each track, or none where all are as the default says.
        buses: The buses in the order of the sends' last axis.
        master_bands: Shapes of the bands of the master's equalizer.
        master_rides: The settings of the master that move.
        pan_law: The pan law of all strips.
    """

    tracks: tuple[TrackLayout, ...] = ()
    buses: tuple[BusLayout, ...] = ()
    master_bands: tuple[BandKind, ...] = _FIVE_KINDS
    master_rides: RideTimes = ()
    pan_law: PanLaw = "constant-power"
