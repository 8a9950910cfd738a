"""The settings of every processor, and the strip, the bus and the master that hold them.

Names, units, ranges and neutral values are declared here, once. Settings say when they do anything;
what plays them, and where, is in `automix.dsp.processors`. Ranges of the channel strip: Steinmetz
2020, section 4.3; of the reverberator: the FdnReverb plug-in that Li & Lerch used.
"""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from automix.plan.parameters import OnlyIfSet, Range, Settings
from automix.plan.rides import Ridable, Ride, check_rides, find_ride

BandKind = Literal["high_pass", "low_shelf", "peak", "high_shelf"]
Space = Literal["small room", "medium room", "large room", "hall", "plate"]
Order = Literal["ecr", "erc", "cer", "cre", "rec", "rce"]

RIDDEN_GAIN, RIDDEN_POSITION = Ridable(is_added=True), Ridable(is_added=False)


@dataclass(frozen=True, kw_only=True)
class ProcessorSettings(Settings):
    """Base of the settings of one processor of a strip, a bus or the master.

    Attributes:
        title: The processor's name for people.
    """

    title: ClassVar[str]

    @property
    def is_active(self) -> bool:
        """Whether a processor with these settings changes what goes through it."""
        return not self.is_neutral

    @property
    def resting_gain_db(self) -> float:
        """Gain while a processor that turns down what is loud or quiet turns nothing down."""
        return 0.0


@dataclass(frozen=True, kw_only=True)
class EqualizerBand(Settings):
    """One biquad of the parametric equalizer (RBJ audio EQ cookbook)."""

    kind: Annotated[BandKind, "shape"] = "peak"
    frequency_hz: Annotated[float, Range(20, 20000, "Hz", "log"), "center or corner frequency"] = (
        1000.0
    )
    gain_db: Annotated[float, Range(-24, 24, "dB"), "boost or cut; a high pass has none"] = 0.0
    q: Annotated[float, Range(0.1, 10, "", "log"), "center frequency over bandwidth"] = 0.707

    @property
    def is_active(self) -> bool:
        """Whether the band changes anything: a high pass always, others unless their gain is 0."""
        return self.kind == "high_pass" or self.gain_db != 0.0


@dataclass(frozen=True, kw_only=True)
class EqualizerSettings(ProcessorSettings):
    """Parametric equalizer: any number of bands in series."""

    title = "equalizer"

    bands: Annotated[tuple[EqualizerBand, ...], "in signal order"] = ()

    @property
    def is_active(self) -> bool:
        """Whether any band does anything."""
        return any(band.is_active for band in self.bands)


@dataclass(frozen=True, kw_only=True)
class GateSettings(ProcessorSettings):
    """Turns a track down while it is below a threshold: a gate or a downward expander."""

    title = "gate"

    threshold_db: Annotated[float, Range(-80, 0, "dB"), "peak level that opens it"] = -40.0
    range_db: Annotated[float, Range(0, 80, "dB"), "deepest attenuation; 0 is off"] = 0.0
    hysteresis_db: Annotated[float, Range(0, 12, "dB"), "how far below the threshold it closes"] = (
        4.0
    )
    attack_ms: Annotated[float, Range(0.05, 50, "ms", "log"), "time constant of opening"] = 1.0
    hold_ms: Annotated[float, Range(0, 500, "ms"), "stays open so long after the level fell"] = 50.0
    release_ms: Annotated[float, Range(5, 3000, "ms", "log"), "time constant of closing"] = 150.0

    @property
    def is_active(self) -> bool:
        """Whether it attenuates anything."""
        return self.range_db > 0.0


@dataclass(frozen=True, kw_only=True)
class DeEsserSettings(ProcessorSettings):
    """Turns the treble down while sibilance dominates the voice."""

    title = "de-esser"

    frequency_hz: Annotated[float, Range(2000, 12000, "Hz", "log"), "sibilance above this"] = 5500.0
    threshold_db: Annotated[
        float, Range(-30, 12, "dB"), "level of the treble relative to the whole that triggers"
    ] = -6.0
    max_reduction_db: Annotated[float, Range(0, 18, "dB"), "deepest cut; 0 is off"] = 0.0

    @property
    def is_active(self) -> bool:
        """Whether there is a cut that it could make."""
        return self.max_reduction_db > 0.0


@dataclass(frozen=True, kw_only=True)
class CompressorSettings(ProcessorSettings):
    """Feed-forward compressor with a hard knee."""

    title = "compressor"

    threshold_db: Annotated[float, Range(-60, 0, "dB"), "gain falls above this; 0 is off"] = 0.0
    ratio: Annotated[float, Range(1, 10, "", "log"), "input over output, in dB above threshold"] = (
        2.0
    )
    attack_ms: Annotated[float, Range(0.03, 30, "ms", "log"), "time constant of more reduction"] = (
        2.0
    )
    release_ms: Annotated[float, Range(50, 3000, "ms", "log"), "time constant of recovery"] = 50.0
    makeup_db: Annotated[float, Range(-12, 12, "dB"), "gain after compression"] = 0.0

    @property
    def is_active(self) -> bool:
        """Whether it compresses or has a makeup gain."""
        return self.compresses or self.makeup_db != 0.0

    @property
    def compresses(self) -> bool:
        """Whether it does more than its makeup gain."""
        return self.threshold_db < 0.0 and self.ratio > 1.0

    @property
    def resting_gain_db(self) -> float:
        """The makeup gain."""
        return self.makeup_db


@dataclass(frozen=True, kw_only=True)
class SaturationSettings(ProcessorSettings):
    """Rounds peaks off with a soft, odd curve, which adds odd harmonics."""

    title = "saturation"

    drive_db: Annotated[float, Range(0, 24, "dB"), "how far into the curve; 0 is off"] = 0.0
    mix: Annotated[float, Range(0, 1), "0 is the input, 1 is saturated alone"] = 1.0

    @property
    def is_active(self) -> bool:
        """Whether it bends anything."""
        return self.drive_db > 0.0 and self.mix > 0.0


@dataclass(frozen=True, kw_only=True)
class FdnReverbSettings(ProcessorSettings):
    """Feedback delay network reverberator with the ten parameters of Li & Lerch."""

    title = "reverb"

    reverberation_time_s: Annotated[float, Range(0.1, 9, "s", "log"), "T60 between the shelves"] = (
        1.595
    )
    fade_in_time_s: Annotated[
        float, Range(0, 9, "s"), "T60 of the network that is subtracted; 0 is none"
    ] = 0.0
    room_size: Annotated[float, Range(1, 30), "spreads the delay lines"] = 14.54
    dry_wet: Annotated[float, Range(0, 1), "0 is dry, 1 is reverberation alone"] = 0.0
    low_cutoff_hz: Annotated[float, Range(20, 20000, "Hz", "log"), "corner of the low shelf"] = (
        101.77
    )
    low_q: Annotated[float, Range(0.01, 0.9), "Q of the low shelf"] = 0.53
    low_gain_db_s: Annotated[float, Range(-80, 6, "dB/s"), "extra decay of the lows"] = -2.13
    high_cutoff_hz: Annotated[float, Range(20, 20000, "Hz", "log"), "corner of the high shelf"] = (
        11858.54
    )
    high_q: Annotated[float, Range(0.01, 0.9), "Q of the high shelf"] = 0.77
    high_gain_db_s: Annotated[float, Range(-80, 4, "dB/s"), "extra decay of the highs"] = -16.02
    lines: Annotated[Literal["16", "32", "64"], "number of delay lines"] = "64"

    @property
    def is_active(self) -> bool:
        """Whether any of what comes out is wet."""
        return self.dry_wet > 0.0


@dataclass(frozen=True, kw_only=True)
class SpaceSettings(ProcessorSettings):
    """Convolution with one of five synthetic spaces (Steinmetz 2020, section 4.2.4)."""

    title = "space"

    space: Annotated[Space, "which response"] = "small room"
    decay: Annotated[float, Range(0.1, 1), "shortens the response; 1 leaves it whole"] = 1.0
    wet: Annotated[float, Range(0, 1), "0 is dry, 1 is reverberation alone"] = 0.0

    @property
    def is_active(self) -> bool:
        """Whether any of what comes out is wet."""
        return self.wet > 0.0


@dataclass(frozen=True, kw_only=True)
class WidenerSettings(ProcessorSettings):
    """Adds sides made of the middle by a short noise; they cancel in mono."""

    title = "widener"

    side_db: Annotated[
        float,
        Range(-60, 0, "dB"),
        RIDDEN_GAIN,
        "level of the added sides against the middle; -60 is off",
    ] = -60.0
    corner_hz: Annotated[float, Range(20, 2000, "Hz", "log"), "sides are added above this"] = 200.0

    @property
    def is_active(self) -> bool:
        """Whether sides are added."""
        return self.side_db > -60.0


@dataclass(frozen=True, kw_only=True)
class DelaySettings(ProcessorSettings):
    """Echoes: each repeat goes through the low and the high cut once more."""

    title = "delay"

    time_ms: Annotated[float, Range(10, 2000, "ms", "log"), "from one repeat to the next"] = 250.0
    feedback: Annotated[float, Range(0, 0.9), "level of a repeat against the one before"] = 0.3
    low_cut_hz: Annotated[float, Range(20, 2000, "Hz", "log"), "high pass; 20 is none"] = 20.0
    high_cut_hz: Annotated[float, Range(500, 20000, "Hz", "log"), "low pass; 20000 is none"] = (
        20000.0
    )
    ping_pong: Annotated[bool, "the mean of the sides alternates between them, left first"] = False
    wet: Annotated[float, Range(0, 1), "0 is dry, 1 is echoes alone"] = 0.0

    @property
    def is_active(self) -> bool:
        """Whether any of what comes out is wet."""
        return self.wet > 0.0

    @property
    def cuts_lows(self) -> bool:
        """Whether there is a low cut."""
        return self.low_cut_hz > 20.0

    @property
    def cuts_highs(self) -> bool:
        """Whether there is a high cut."""
        return self.high_cut_hz < 20000.0


@dataclass(frozen=True, kw_only=True)
class LimiterSettings(ProcessorSettings):
    """Look-ahead true-peak limiter; the neutral ceiling of +24 dBTP switches it off."""

    title = "limiter"

    ceiling_dbtp: Annotated[float, Range(-20, 24, "dBTP"), "highest true peak"] = 24.0
    release_ms: Annotated[float, Range(10, 1000, "ms", "log"), "time constant of recovery"] = 100.0

    @property
    def is_active(self) -> bool:
        """Whether there is a ceiling."""
        return self.ceiling_dbtp < 24.0


@dataclass(frozen=True, kw_only=True)
class Send(Settings):
    """A post-fader, post-pan send from a strip to a bus."""

    bus: Annotated[str, "name of the bus"] = ""
    gain_db: Annotated[float, Range(-60, 24, "dB"), RIDDEN_GAIN, "level of the send"] = 0.0


STRIP_IDENTITY = (
    "name",
    "file",
    "right_file",
    "stream",
    "channel",
    "right_channel",
    "sha256",
)
"""Fields of a strip that say which track it is."""


@dataclass(frozen=True, kw_only=True)
class ChannelStrip(Settings):
    """One track, from its input gain to its sends.

    gain → polarity → delay_ms → gate → [equalizer and de-esser, compressor and saturation, reverb,
    space and delay, in any order of the three] → widener → fader → pan → sends; the last four can
    be ridden.

    `automix.dsp.processors` has a row for the field of every processor here, in `Bus` and in
    `Master`, which says where in the signal flow it is.
    """

    name: Annotated[str, "name of the track"] = ""
    role: Annotated[str, "what the track is"] = "other"
    file: Annotated[str, "audio file, relative to this plan where possible"] = ""
    right_file: Annotated[str, "its right side, where that is a file of its own"] = ""
    channel: Annotated[
        int | None, Range(1, 64), "of a file that holds several tracks, the one that this is"
    ] = None
    right_channel: Annotated[int | None, Range(1, 64), "its right side, likewise"] = None
    stream: Annotated[int | None, Range(1, 64), "of audio, in a file that holds several"] = None
    sha256: Annotated[str, "of the file, or of both, that the plan was made from"] = ""
    start_s: Annotated[
        float, Range(0, 86400, "s"), OnlyIfSet(), "time of the song at which the file begins"
    ] = 0.0
    input_gain_db: Annotated[float, Range(-60, 60, "dB"), "before all processing"] = 0.0
    fold: Annotated[bool, "make a stereo track mono, by the mean of its sides"] = False
    invert_polarity: Annotated[bool, "multiply by −1"] = False
    delay_ms: Annotated[
        float, Range(-20, 20, "ms"), OnlyIfSet(), "how much later it plays; negative is earlier"
    ] = 0.0
    gate: GateSettings = GateSettings()
    equalizer: EqualizerSettings = EqualizerSettings()
    de_esser: DeEsserSettings = DeEsserSettings()
    compressor: CompressorSettings = CompressorSettings()
    saturation: SaturationSettings = SaturationSettings()
    reverb: FdnReverbSettings = FdnReverbSettings()
    space: SpaceSettings = SpaceSettings()
    delay: DelaySettings = DelaySettings()
    widener: WidenerSettings = WidenerSettings()
    order: Annotated[
        Order,
        "e equalizer, de-esser; c compressor, saturation; r reverb, space, delay",
    ] = "ecr"
    fader_db: Annotated[float, Range(-60, 60, "dB"), RIDDEN_GAIN, "after all processing"] = 0.0
    pan: Annotated[float, Range(0, 1), RIDDEN_POSITION, "0 left, 0.5 center, 1 right"] = 0.5
    mute: Annotated[bool, "leave the track out"] = False
    sends: tuple[Send, ...] = ()
    rides: tuple[Ride, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rides(self, self.rides)

    def keep_sends_to(self, *buses: str) -> "ChannelStrip":
        """A copy that sends to no other buses; rides of the sends that stay go with them."""
        sends: list[Send] = []
        rides = [ride for ride in self.rides if not ride.setting.startswith("sends.")]
        for number, send in enumerate(self.sends, 1):
            if send.bus in buses:
                sends.append(send)
                ride = find_ride(self.rides, f"sends.{number}.gain_db")
                if ride is not None:
                    rides.append(replace(ride, setting=f"sends.{len(sends)}.gain_db"))
        return replace(self, sends=tuple(sends), rides=tuple(rides))


@dataclass(frozen=True, kw_only=True)
class Bus(Settings):
    """Shared processing: sends → pre-delay → equalizer → compressor → reverb → gain → mix.

    With a wet delay the reverb is that delay; else, with a wet space, that space; else it is the
    feedback delay network. What is sent is folded to mono for it. A parallel bus has no reverb and
    stays stereo.
    """

    name: Annotated[str, "name of the bus"] = ""
    parallel: Annotated[bool, "no reverb, and both sides are kept, as to compress in parallel"] = (
        False
    )
    pre_delay_ms: Annotated[float, Range(0, 500, "ms"), "before the reverb"] = 0.0
    equalizer: EqualizerSettings = EqualizerSettings()
    compressor: CompressorSettings = CompressorSettings()
    reverb: FdnReverbSettings = FdnReverbSettings()
    space: SpaceSettings = SpaceSettings()
    delay: DelaySettings = DelaySettings()
    gain_db: Annotated[float, Range(-60, 48, "dB"), RIDDEN_GAIN, "level of the return"] = 0.0
    rides: tuple[Ride, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rides(self, self.rides)


@dataclass(frozen=True, kw_only=True)
class Master(Settings):
    """The sum of all strips and returns: equalizer → compressor → gain → limiter."""

    equalizer: EqualizerSettings = EqualizerSettings()
    compressor: CompressorSettings = CompressorSettings()
    gain_db: Annotated[float, Range(-60, 60, "dB"), RIDDEN_GAIN, "level of the mix"] = 0.0
    limiter: LimiterSettings = LimiterSettings()
    rides: tuple[Ride, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rides(self, self.rides)
