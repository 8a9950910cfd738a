"""The table of processors: one row each, which every console, export and report walks.

To add a processor, write its settings in `automix.plan.settings`, with a field of that type in the
strip, bus or master there; a file of this folder that processes audio; and a row here; a twin in
torch if networks are to learn it. Nothing else names processors one by one: a console that cannot
do an active row refuses it or warns.

The field is a line of its own, not made from the row: a plan must be readable without any audio
code, and people and type checkers see what a strip holds. Field and row have the same name.

Only the standard library and the plan are imported here. What a row needs beyond that is named as
``module:function`` and imported where it is used, see `load`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, runtime_checkable

from automix.errors import PlanError
from automix.plan.parameters import Parameter, Settings, parameters
from automix.plan.rides import Ridable, find_ridables, find_ride
from automix.plan.settings import (
    Bus,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    DelaySettings,
    EqualizerSettings,
    FdnReverbSettings,
    GateSettings,
    LimiterSettings,
    Master,
    ProcessorSettings,
    SaturationSettings,
    SpaceSettings,
    WidenerSettings,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

StripPlace = Literal["before", "e", "c", "r", "after"]
"""In a strip: before the three groups whose order the strip says, in one of them, or after them."""

BusPlace = Literal["before", "reverb", "after"]
"""In a bus: on the feed, as its reverberation, or on the stereo return.

The feed is mono, but for a parallel bus, which has no reverberation. Several processors may be the
reverberation; see `reverb_of`.
"""

MasterPlace = Literal["filter", "gain", "limiter"]
"""On the master: a linear filter, then what has a gain curve, then the limiter.

Each stem goes through the filters and gets the gain curve of the whole mix, so that stems sum to
the mix. A processor that is neither has no place on the master.
"""

Part = ChannelStrip | Bus | Master
Place = StripPlace | BusPlace | MasterPlace


@dataclass(frozen=True, kw_only=True)
class Twin:
    """A processor in torch, for the differentiable console.

    Attributes:
        function: Takes the signal ``(batch, tracks, channels, samples)``, a `ConsolePart` with the
            values, and the sample rate; returns the signal. The console calls that of `equalizer`,
            `reverb`, `space` and `delay` itself, because their layout has no gradient.
        values: The settings that have gradients. The others must be neutral, but for those four.
        flat: Those of the values whose gradient is 0, because they only move the moment of a
            decision, such as a hold time.
        switch: The setting whose neutral value switches the processor off: strips where it is
            neutral do not go through the function. None where the function itself leaves neutral
            strips unchanged to the last bit.
    """

    function: str
    values: tuple[str, ...]
    flat: tuple[str, ...] = ()
    switch: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A VST3 plug-in that does the same.

    Attributes:
        name: The name of its file.
        parameters: Function from the settings to the plug-in's parameters.
    """

    name: str
    parameters: str


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device of the DAWproject format.

    Attributes:
        name: The name of its element.
        writer: Function that writes the device's parameters: takes the open project, the element,
            the settings, and how many dB louder the device's input is than the plan's.
    """

    name: str
    writer: str


@dataclass(frozen=True, kw_only=True)
class Processor:
    """One row of the table.

    Attributes:
        name: The field of the strip, bus or master that holds its settings.
        settings: Their class, which also says when the processor does anything.
        strip: Its place in a strip; none if it has none. Rows of one place follow each other in
            the order of the table.
        bus: Its place in a bus, likewise.
        master: Its place on the master, likewise.
        exact: Takes the settings, the sample rate and the number of channels; returns an object
            with ``process(block)``, see `Stage`. What turns audio down for a while has
            ``gain(block)`` besides, the gain of each frame, which the report shows; in a bus it
            follows what the whole mix sends there. What is to have the master's place ``gain`` must
            have it, and be nothing but that gain; the limiter has ``gains(blocks)`` instead.
        wet: For the place ``reverb`` of a bus. Takes the settings and the sample rate; returns an
            object with ``process(block)`` that makes the return ``(2, n)`` of a mono feed
            ``(1, n)``, all of it wet.
        latency: Function from the settings and the sample rate to how many frames its output comes
            late; none if it is in time. Whoever plays a strip feeds so many frames more and drops
            the first ones, see `automix.consoles.exact.insert_stream`.
        tail: Function from the settings to how many seconds it sounds on; none if it does not.
        makes_stereo: Whether a mono track has two sides from here on.
        twin: Its twin in torch, or why there is none.
        conditioning: First words of its slots in the 25-value vector (see `automix.plan.vector`);
            none if it has no slot.
        plugin: A plug-in; ``"exact"`` where the console of plug-ins does it exactly, ``"refused"``
            where it does not do it.
        device: A device of a DAW; none where it is printed into the audio.
        live: How the page of the desk plays it in a bus or on the master by itself, while faders
            are moved: function from the settings and the sample rate to a description of its stage,
            see `automix.desk.sound`. Empty where the page cannot: the desk says so.
    """

    name: str
    settings: type[ProcessorSettings]
    strip: StripPlace | None = None
    bus: BusPlace | None = None
    master: MasterPlace | None = None
    exact: str
    wet: str = ""
    latency: str | None = None
    tail: str | None = None
    makes_stereo: bool = False
    twin: Twin | str
    conditioning: tuple[str, ...] = ()
    plugin: Plugin | Literal["exact", "refused"] = "exact"
    device: Device | None = None
    live: str = ""

    def __post_init__(self) -> None:
        if self.makes_stereo and self.strip == "before":
            raise ValueError(f"{self.name}: what comes before the groups keeps a track mono")
        if (self.bus == "reverb") != bool(self.wet):
            raise ValueError(f"{self.name}: the reverberation of a bus is what has a wet part")
        if self.latency is not None and (self.bus or self.master):
            raise ValueError(f"{self.name}: only strips make up for a latency")

    @property
    def title(self) -> str:
        """The name for people."""
        return self.settings.title

    @property
    def summary(self) -> str:
        """One line about what it does."""
        return (self.settings.__doc__ or "").partition("\n")[0]

    def place_in(self, part: type[Part]) -> Place | None:
        """Its place in strips, in buses or on the master; none if it has none there."""
        places: dict[type[Part], Place | None] = {
            ChannelStrip: self.strip,
            Bus: self.bus,
            Master: self.master,
        }
        return places[part]

    def of(self, part: Part) -> ProcessorSettings:
        """The settings that a strip, bus or master has for it."""
        return cast(ProcessorSettings, getattr(part, self.name))

    def is_active(self, part: Part) -> bool:
        """Whether it does anything in a strip, bus or master."""
        return self.of(part).is_active

    @property
    def has_gain(self) -> bool:
        """Whether it tells by how much it turns audio down: by ``gain(block)``, of each frame.

        The report shows it. ``gain`` takes the place of ``process``: a block goes through one.
        """
        return hasattr(load(self.exact), "gain")

    def make(self, part: Part, sample_rate: int, channels: int, *, late: int = 0) -> "Stage":
        """The processor with the settings of a strip, bus or master, ready for its first block.

        Args:
            part: The strip, bus or master.
            sample_rate: Frames per second.
            channels: How many the signal has here.
            late: How many frames late it is here, which rides of the settings make up for.
        """
        stage = load(self.exact)(self.of(part), sample_rate, channels)
        for field in self.ridable:
            ride = find_ride(part.rides, f"{self.name}.{field}")
            if ride is not None:
                line = load("automix.dsp.rides:RideLine")(ride, sample_rate, late)
                stage.ride(field, line)
        return cast(Stage, stage)

    @property
    def ridable(self) -> list[str]:
        """The settings that can be ridden; its exact class then has ``ride(field, line)``."""
        return list(find_ridables(self.settings))

    def latency_frames(self, part: Part, sample_rate: int) -> int:
        """How many frames its output comes late; 0 where it is not active."""
        if self.latency is None or not self.is_active(part):
            return 0
        return int(load(self.latency)(self.of(part), sample_rate))

    def tail_s(self, part: Part) -> float:
        """How many seconds it sounds on after its input; 0 where it is not active."""
        return self.whole_tail_s(part) if self.is_active(part) else 0.0

    def whole_tail_s(self, part: Part) -> float:
        """How many seconds it sounds on where it is used whether or not its settings are on."""
        return 0.0 if self.tail is None else float(load(self.tail)(self.of(part)))


class Stage(Protocol):
    """A processor of one signal."""

    def process(self, block: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """The next block ``(channels, n)``."""


@runtime_checkable
class Leveler(Protocol):
    """A processor that multiplies the signal by a gain curve, which another one may get too."""

    def gain(self, block: "NDArray[np.float64]") -> "NDArray[np.float64] | float":
        """Linear gain for the next block ``(channels, n)``: ``(n,)``, or one number."""


GATE = Processor(
    name="gate",
    settings=GateSettings,
    strip="before",
    exact="automix.dsp.gate:Gate",
    twin=Twin(
        function="automix.consoles.differentiable.gate:gate",
        values=(
            "threshold_db",
            "range_db",
            "hysteresis_db",
            "attack_ms",
            "hold_ms",
            "release_ms",
        ),
        flat=("hysteresis_db", "hold_ms"),
        switch="range_db",
    ),
)
EQUALIZER = Processor(
    name="equalizer",
    settings=EqualizerSettings,
    strip="e",
    bus="before",
    master="filter",
    exact="automix.dsp.equalizer:Equalizer",
    twin=Twin(
        function="automix.consoles.differentiable.processors:equalize",
        values=("frequency_hz", "gain_db", "q"),
    ),
    conditioning=("low_shelf", "peak_1", "peak_2", "peak_3", "high_shelf"),
    plugin=Plugin(name="MultiEQ", parameters="automix.consoles.plugin.mapping:multi_eq"),
    device=Device(name="Equalizer", writer="automix.export.dawproject_xml:write_equalizer"),
    live="automix.dsp.equalizer:describe_stage",
)
DE_ESSER = Processor(
    name="de_esser",
    settings=DeEsserSettings,
    strip="e",
    exact="automix.dsp.de_esser:DeEsser",
    twin=Twin(
        function="automix.consoles.differentiable.processors:de_ess",
        values=("frequency_hz", "threshold_db", "max_reduction_db"),
        switch="max_reduction_db",
    ),
)
COMPRESSOR = Processor(
    name="compressor",
    settings=CompressorSettings,
    strip="c",
    bus="before",
    master="gain",
    exact="automix.dsp.compressor:Compressor",
    twin=Twin(
        function="automix.consoles.differentiable.processors:compress",
        values=("threshold_db", "ratio", "attack_ms", "release_ms", "makeup_db"),
    ),
    conditioning=("compressor",),
    plugin=Plugin(
        name="OmniCompressor", parameters="automix.consoles.plugin.mapping:omni_compressor"
    ),
    device=Device(name="Compressor", writer="automix.export.dawproject_xml:write_compressor"),
    live="automix.dsp.compressor:describe_stage",
)
SATURATION = Processor(
    name="saturation",
    settings=SaturationSettings,
    strip="c",
    exact="automix.dsp.saturation:Saturation",
    latency="automix.dsp.saturation:latency_frames",
    twin=Twin(
        function="automix.consoles.differentiable.saturation:saturate",
        values=("drive_db", "mix"),
        switch="drive_db",
    ),
)
REVERB = Processor(
    name="reverb",
    settings=FdnReverbSettings,
    strip="r",
    bus="reverb",
    exact="automix.dsp.strip:Reverb",
    wet="automix.dsp.strip:make_network_return",
    tail="automix.dsp.fdn_reverb:tail_s",
    makes_stereo=True,
    twin=Twin(
        function="automix.consoles.differentiable.responses:network_response",
        values=("dry_wet",),
        switch="dry_wet",
    ),
    plugin=Plugin(name="FdnReverb", parameters="automix.consoles.plugin.mapping:fdn_reverb"),
)
SPACE = Processor(
    name="space",
    settings=SpaceSettings,
    strip="r",
    bus="reverb",
    exact="automix.dsp.strip:SpaceReverb",
    wet="automix.dsp.strip:make_space_return",
    tail="automix.dsp.spaces:tail_s",
    makes_stereo=True,
    twin=Twin(
        function="automix.consoles.differentiable.responses:space_responses",
        values=("decay", "wet"),
        switch="wet",
    ),
    conditioning=("space",),
    plugin="refused",
)
DELAY = Processor(
    name="delay",
    settings=DelaySettings,
    strip="r",
    bus="reverb",
    exact="automix.dsp.delay:Delay",
    wet="automix.dsp.delay:Echoes",
    tail="automix.dsp.delay:tail_s",
    makes_stereo=True,
    twin=Twin(
        function="automix.consoles.differentiable.processors:repeat",
        values=("feedback", "low_cut_hz", "high_cut_hz", "wet"),
        switch="wet",
    ),
)
WIDENER = Processor(
    name="widener",
    settings=WidenerSettings,
    strip="after",
    exact="automix.dsp.widener:Widener",
    tail="automix.dsp.widener:tail_s",
    makes_stereo=True,
    twin=Twin(
        function="automix.consoles.differentiable.processors:widen",
        values=("side_db", "corner_hz"),
        switch="side_db",
    ),
)
LIMITER = Processor(
    name="limiter",
    settings=LimiterSettings,
    master="limiter",
    exact="automix.dsp.limiter:Limiter",
    twin="it works on the finished mix; training and matching come before it",
    device=Device(name="Limiter", writer="automix.export.dawproject_xml:write_limiter"),
)

PROCESSORS: tuple[Processor, ...] = (
    GATE,
    EQUALIZER,
    DE_ESSER,
    COMPRESSOR,
    SATURATION,
    REVERB,
    SPACE,
    DELAY,
    WIDENER,
    LIMITER,
)
"""Every processor."""


def processors_of(part: type[Part]) -> list[Processor]:
    """The processors that strips, buses or the master have, in the order of the table."""
    return [processor for processor in PROCESSORS if processor.place_in(part) is not None]


def list_ridables(part: type[Part]) -> dict[str, Ridable]:
    """What strips, buses or the master can ride, but for the sends of strips."""
    ridables = dict(find_ridables(part))
    for row in processors_of(part):
        ridables |= {
            f"{row.name}.{name}": note for name, note in find_ridables(row.settings).items()
        }
    return ridables


def places_in_order(order: str) -> tuple[StripPlace, ...]:
    """The places of a strip in signal order; ``order`` is that of the groups, such as ``"ecr"``."""
    return ("before", *cast(tuple[StripPlace, ...], tuple(order)), "after")


def active_at(part: Part, *places: Place) -> list[Processor]:
    """The processors that do anything at some places of a strip, bus or master, in signal order."""
    return [
        processor
        for place in places
        for processor in PROCESSORS
        if processor.place_in(type(part)) == place and processor.is_active(part)
    ]


def reverb_of(bus: Bus) -> Processor | None:
    """What reverberates in a bus: the last of the table that is on, else the first.

    None in a parallel bus.

    Raises:
        PlanError: A parallel bus has a reverb that is on.
    """
    rows = [row for row in processors_of(Bus) if row.bus == "reverb"]
    active = [row for row in rows if row.is_active(bus)]
    if not bus.parallel:
        return [rows[0], *active][-1]
    if active:
        raise PlanError(
            f"bus {bus.name!r} is parallel, which leaves no place for its {active[0].title};"
            " switch one of the two off"
        )
    return None


def active_inserts(strip: ChannelStrip) -> list[Processor]:
    """The processors that do anything in a strip, in signal order."""
    return active_at(strip, *places_in_order(strip.order))


def makes_stereo(strip: ChannelStrip) -> bool:
    """Whether a mono track has two sides behind the inserts."""
    return any(processor.makes_stereo for processor in active_inserts(strip))


def neutral_inserts() -> dict[str, ProcessorSettings]:
    """The fields of a strip in which no processor does anything."""
    return {processor.name: processor.settings() for processor in processors_of(ChannelStrip)}


def declare_settings(settings: type[Settings]) -> Iterator[tuple[str, Parameter]]:
    """Every single setting of a processor; those of a list are named ``bands.N.gain_db``."""
    for name, parameter in parameters(settings).items():
        if issubclass(parameter.kind, Settings):
            for inner, declared in declare_settings(parameter.kind):
                yield f"{name}.N.{inner}" if parameter.many else f"{name}.{inner}", declared
        else:
            yield name, parameter


def describe_settings(settings: ProcessorSettings) -> str:
    """What differs from neutral, such as ``max reduction 6 dB, threshold -9 dB``."""
    shown = []
    for name, parameter in parameters(type(settings)).items():
        value = getattr(settings, name)
        if value == parameter.default or parameter.many:
            continue
        unit = parameter.range.unit if parameter.range else ""
        word = name.removesuffix(f"_{unit.lower()}").replace("_", " ")
        text = f"{value:.4g} {unit}".rstrip() if isinstance(value, float) else str(value)
        shown.append(f"{word} {text}")
    return ", ".join(shown)


def describe_return(bus: Bus) -> str:
    """What makes the return of a bus, such as ``reverberation time 1.60 s``."""
    reverb = reverb_of(bus)
    if reverb is None:
        return "parallel"
    if reverb is REVERB:
        return f"reverberation time {bus.reverb.reverberation_time_s:.2f} s"
    if reverb is SPACE:
        return f"{bus.space.space}, decay {bus.space.decay:.2g}"
    if reverb is DELAY:
        return f"delay {bus.delay.time_ms:.4g} ms, feedback {bus.delay.feedback:.2g}"
    settings = reverb.of(bus)
    return f"{reverb.title}: {describe_settings(settings)}"


@cache
def load(name: str) -> Any:
    """What ``module:function`` names; imported at the first use."""
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)
