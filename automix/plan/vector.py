"""The bracket of a strip as the vector that a network reads or writes (Steinmetz 2020, 4.2.5).

Equalizer → compressor → reverb in 25 numbers from −1 to 1: 13 of a five-band equalizer, 5 of the
compressor, 7 of the space. Six more say in which order the three follow each other. Frequencies,
times, ratio and Q are logarithmic, as the ear is. `table` prints all slots.

A choice (the space, the order) has one slot per word: 1 for the word chosen and −1 for the others;
a network may answer anything between, and the largest wins. Gain, polarity, fader, pan and sends
are not in the vector.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import cast, get_args

from automix.errors import UsageError
from automix.plan.parameters import Range, Settings, parameters
from automix.plan.settings import (
    BandKind,
    ChannelStrip,
    CompressorSettings,
    DeEsserSettings,
    EqualizerBand,
    EqualizerSettings,
    FdnReverbSettings,
    Order,
    ProcessorSettings,
    Space,
    SpaceSettings,
)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One number of the vector.

    Attributes:
        name: Such as ``peak_2.gain_db``; for a choice, its word: ``space.hall``.
        range: What −1 and 1 stand for, and the scale between.
        neutral: Value of a neutral strip.
        choice: Whether it is one word of a choice.
    """

    name: str
    range: Range
    neutral: float
    choice: bool = False

    def position(self, value: float) -> float:
        """Where a value lies, −1…1."""
        return 2.0 * self.range.to_unit(value) - 1.0

    def value(self, position: float) -> float:
        """The value at a position; those outside −1…1 are clamped. Exact at the neutral one."""
        if position == self.position(self.neutral):
            return self.neutral
        return self.range.from_unit(0.5 * (position + 1.0))


@dataclass(frozen=True, kw_only=True)
class BandSlots:
    """The slots of one equalizer band: frequency, gain, and Q where it is not fixed."""

    kind: BandKind
    slots: tuple[Slot, ...]
    fixed_q: float | None

    def fits(self, band: EqualizerBand) -> bool:
        """Whether the slots can express a band."""
        return (
            band.kind == self.kind
            and band.frequency_hz in self.slots[0].range
            and (self.fixed_q is None or math.isclose(band.q, self.fixed_q))
        )

    def values(self, band: EqualizerBand) -> list[float]:
        """The value of each slot."""
        return [band.frequency_hz, band.gain_db, band.q][: len(self.slots)]

    def band(self, values: Sequence[float]) -> EqualizerBand:
        """The inverse of `values`."""
        q = self.fixed_q if self.fixed_q is not None else values[2]
        return EqualizerBand(kind=self.kind, frequency_hz=values[0], gain_db=values[1], q=q)


SHELF_Q = 0.707


def _band_slots(
    name: str, kind: BandKind, low_hz: float, high_hz: float, neutral_hz: float
) -> BandSlots:
    q_range, gain_range = (_range(EqualizerBand, field) for field in ("q", "gain_db"))
    frequency_range = Range(low_hz, high_hz, "Hz", "log")
    slots = [
        Slot(name=f"{name}.frequency_hz", range=frequency_range, neutral=neutral_hz),
        Slot(name=f"{name}.gain_db", range=gain_range, neutral=0.0),
    ]
    if kind == "peak":
        slots.append(Slot(name=f"{name}.q", range=q_range, neutral=0.7))
    return BandSlots(kind=kind, slots=tuple(slots), fixed_q=None if kind == "peak" else SHELF_Q)


def _range(settings: type[Settings], field: str) -> Range:
    return cast(Range, parameters(settings)[field].range)


def _plain_slots(name: str, settings: type[Settings]) -> tuple[Slot, ...]:
    """Slots of all numbers of a settings class."""
    return tuple(
        Slot(name=f"{name}.{field}", range=parameter.range, neutral=parameter.default)
        for field, parameter in parameters(settings).items()
        if parameter.range is not None
    )


def _choice_slots(name: str, words: Iterable[str], neutral: str) -> tuple[Slot, ...]:
    return tuple(
        Slot(name=f"{name}.{word}", range=Range(0, 1), neutral=float(word == neutral), choice=True)
        for word in words
    )


SPACES: tuple[Space, ...] = get_args(Space)
ORDERS: tuple[Order, ...] = get_args(Order)
BANDS = (
    _band_slots("low_shelf", "low_shelf", 20, 1000, 80),
    _band_slots("peak_1", "peak", 200, 5000, 400),
    _band_slots("peak_2", "peak", 500, 6000, 1000),
    _band_slots("peak_3", "peak", 2000, 10000, 5000),
    _band_slots("high_shelf", "high_shelf", 8000, 20000, 10000),
)
"""The narrower bands of the thesis's implementation; a plan's own equalizer may have any."""

SLOTS: tuple[Slot, ...] = (
    *(slot for band in BANDS for slot in band.slots),
    *_plain_slots("compressor", CompressorSettings),
    *_choice_slots("space", SPACES, SpaceSettings().space),
    *_plain_slots("space", SpaceSettings),
)
"""The 25 slots in order."""

ORDER_SLOTS = _choice_slots("order", ORDERS, ChannelStrip().order)
"""The six slots that follow where the order varies."""

NEUTRAL = tuple(slot.position(slot.neutral) for slot in SLOTS)
"""The vector of a neutral strip; its equalizer has no bands."""


def vector(strip: ChannelStrip) -> tuple[float, ...]:
    """The 25 numbers of a strip's bracket.

    Bands without gain that do not fit are left out; they do nothing.

    Raises:
        UsageError: The vector cannot express the strip: a band that fits no free slot, a processor
            without slots (a de-esser, a feedback delay network), or another order than equalizer,
            compressor, reverb.
    """
    if strip.order != ChannelStrip().order:
        raise UsageError(
            f"{_of(strip)}the 25 values stand for the order {ChannelStrip().order!r}, not"
            f" {strip.order!r}; use the 31 with the order"
        )
    return _bracket(strip)


def vector_with_order(strip: ChannelStrip) -> tuple[float, ...]:
    """The 31 numbers: those of `vector`, and the order.

    Raises:
        UsageError: The strip cannot be told in a vector; see `vector`. Any order will do.
    """
    return (*_bracket(strip), *(1.0 if strip.order == order else -1.0 for order in ORDERS))


def from_vector(values: Sequence[float], strip: ChannelStrip) -> ChannelStrip:
    """A strip with the bracket of a vector: the inverse of `vector` and `vector_with_order`.

    Args:
        values: 25 or 31 numbers; those outside −1…1 are clamped. 25 give the order ``ecr``.
        strip: Gives all that is not in the vector. Its equalizer, de-esser, compressor, feedback
            delay network, space and order are replaced; other processors stay.

    Returns:
        All five bands in their order, or none where all of them are at their neutral values.

    Raises:
        ValueError: There are neither 25 nor 31 values, or one of them is NaN.
    """
    slots = (*SLOTS, *ORDER_SLOTS)[: len(values)]
    if len(values) not in (len(SLOTS), len(SLOTS) + len(ORDER_SLOTS)):
        raise ValueError(f"a conditioning vector has 25 or 31 values, not {len(values)}")
    if any(math.isnan(value) for value in values):
        raise ValueError("a conditioning vector holds NaN")
    position = {slot.name: float(value) for slot, value in zip(slots, values, strict=True)}
    plain = {slot.name: slot.value(position[slot.name]) for slot in slots}
    bands = [band.band([plain[slot.name] for slot in band.slots]) for band in BANDS]
    compressor = {field: plain[f"compressor.{field}"] for field in parameters(CompressorSettings)}
    space = max(SPACES, key=lambda word: position[f"space.{word}"])
    order = max(ORDERS, key=lambda word: position.get(f"order.{word}", -1.0))
    return replace(
        strip,
        equalizer=EqualizerSettings(bands=() if bands == _NEUTRAL_BANDS else tuple(bands)),
        de_esser=DeEsserSettings(),
        compressor=CompressorSettings(**compressor),
        reverb=FdnReverbSettings(),
        space=SpaceSettings(space=space, decay=plain["space.decay"], wet=plain["space.wet"]),
        order=order,
    )


def table() -> str:
    """The slots as a Markdown table: number, name, range, unit, scale, neutral."""
    lines = ["| # | name | range | unit | scale | neutral |", "|---|---|---|---|---|---|"]
    for number, slot in enumerate((*SLOTS, *ORDER_SLOTS), 1):
        scale = "choice" if slot.choice else slot.range.scale
        low, high, neutral = (f"{x:.10g}" for x in (slot.range.low, slot.range.high, slot.neutral))
        lines.append(
            f"| {number} | {slot.name} | {low} … {high} | {slot.range.unit} | {scale}"
            f" | {neutral} ({slot.position(slot.neutral):+.3f}) |"
        )
    return "\n".join(lines) + "\n"


_SLOTTED = ("equalizer", "compressor", "space")
_NEUTRAL_BANDS = [band.band([slot.neutral for slot in band.slots]) for band in BANDS]


def _bracket(strip: ChannelStrip) -> tuple[float, ...]:
    for name, parameter in parameters(ChannelStrip).items():
        if name in _SLOTTED or not issubclass(parameter.kind, ProcessorSettings):
            continue
        settings: ProcessorSettings = getattr(strip, name)
        if settings.is_active:
            title = "feedback delay network" if name == "reverb" else settings.title
            advice = "use a space" if name == "reverb" else "switch it off"
            raise UsageError(f"{_of(strip)}the conditioning vector has no {title}; {advice}")
    plain = [value for slots, band in _place_bands(strip) for value in slots.values(band)]
    plain += [getattr(strip.compressor, field) for field in parameters(CompressorSettings)]
    plain += [float(strip.space.space == space) for space in SPACES]
    plain += [strip.space.decay, strip.space.wet]
    return tuple(slot.position(value) for slot, value in zip(SLOTS, plain, strict=True))


def _place_bands(strip: ChannelStrip) -> list[tuple[BandSlots, EqualizerBand]]:
    """The band in each of the five places; a neutral one where the strip has none.

    The order of bands does not matter to the sound, so that any free place will do; among those
    that fit, the nearest to their neutral frequencies are taken.
    """
    bands = strip.equalizer.bands
    if len(bands) == len(BANDS) and all(
        place.fits(band) for place, band in zip(BANDS, bands, strict=True)
    ):
        return list(zip(BANDS, bands, strict=True))
    active = [band for band in bands if band.kind == "high_pass" or band.gain_db != 0.0]
    for band in active:
        _check_fits_somewhere(band, strip)
    seatings = [
        seating
        for seating in permutations(BANDS, len(active))
        if all(place.fits(band) for place, band in zip(seating, active, strict=True))
    ]
    if not seatings:
        raise UsageError(
            f"{_of(strip)}the conditioning vector has one low shelf, three peaks and one high"
            f" shelf ({_ranges('peak')}); the {len(active)} bands of the equalizer do not fit"
        )
    seating = min(seatings, key=lambda places: _distance(places, active))
    taken = {place.slots[0].name: band for place, band in zip(seating, active, strict=True)}
    return [
        (place, taken.get(place.slots[0].name, neutral))
        for place, neutral in zip(BANDS, _NEUTRAL_BANDS, strict=True)
    ]


def _distance(places: tuple[BandSlots, ...], bands: list[EqualizerBand]) -> float:
    return sum(
        abs(math.log(band.frequency_hz / place.slots[0].neutral))
        for place, band in zip(places, bands, strict=True)
    )


def _check_fits_somewhere(band: EqualizerBand, strip: ChannelStrip) -> None:
    if any(place.fits(band) for place in BANDS):
        return
    if not any(place.kind == band.kind for place in BANDS):
        why = f"has no {band.kind}"
    elif not any(band.frequency_hz in p.slots[0].range for p in BANDS if p.kind == band.kind):
        why = f"has a {band.kind} only at {_ranges(band.kind)}, not at {band.frequency_hz:g} Hz"
    else:
        why = f"has a {band.kind} only with a Q of {SHELF_Q}, not of {band.q:g}"
    raise UsageError(f"{_of(strip)}the conditioning vector {why}; change or remove that band")


def _ranges(kind: str) -> str:
    return " or ".join(str(place.slots[0].range) for place in BANDS if place.kind == kind)


def _of(strip: ChannelStrip) -> str:
    return f"track {strip.name!r}: " if strip.name else ""
