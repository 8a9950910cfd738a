"""From a plan to the values of the differentiable console, and back."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from automix.audio.blocks import collect, fold_to_mono, pad
from automix.consoles.differentiable.layout import BusLayout, ConsoleLayout, RideTimes, TrackLayout
from automix.consoles.differentiable.values import SPACES, STRIP_LEVELS, Values, values_of
from automix.dsp.processors import (
    DELAY,
    EQUALIZER,
    REVERB,
    SPACE,
    Part,
    Processor,
    Twin,
    active_at,
    active_inserts,
    list_ridables,
    processors_of,
    reverb_of,
)
from automix.errors import UsageError
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings, parameters
from automix.plan.rides import RIDE_RANGE, Ride, find_ridable, find_ride
from automix.plan.settings import Bus, ChannelStrip, EqualizerBand, Master, Send
from automix.session.tracks import Session
from automix.units import db_to_gain, gain_to_db

SomeSettings = TypeVar("SomeSettings", bound=Settings)
SomePart = TypeVar("SomePart", ChannelStrip, Bus, Master)


def from_plan(plan: MixPlan, session: Session) -> tuple[ConsoleLayout, dict[str, Tensor]]:
    """The layout and the values with which the differentiable console renders a plan.

    Muted tracks are left out, and so is the limiter of the master. Only bands that the plan has can
    change, so give a strip `FIVE_BANDS` where its equalizer is to be found.

    Args:
        plan: The plan.
        session: Tells which tracks are mono.

    Returns:
        The layout, and the values: float64, of one batch entry.

    Raises:
        InputError: The plan has a track that the session has not.
        UsageError: A processor that is on has no twin in torch.
    """
    strips = _find_audible(plan)
    _check_twins(plan, strips)
    layout = ConsoleLayout(
        tracks=tuple(_track_layout(strip, session, plan) for strip in strips),
        buses=tuple(_bus_layout(bus) for bus in plan.buses),
        master_bands=tuple(band.kind for band in plan.master.equalizer.bands),
        master_rides=_ride_times(plan.master.rides),
        pan_law=plan.pan_law,
    )
    values = (
        _read_numbers(strips, "", STRIP_LEVELS) | _read_equalizers(strips) | _read_mixtures(strips)
    )
    values["polarity"] = _tensor([-1.0 if strip.invert_polarity else 1.0 for strip in strips])
    values |= _read_processors(strips, ChannelStrip) | _read_rides(strips, ChannelStrip)
    if plan.buses:
        values["sends_db"] = _tensor([[_send_db(s, bus) for bus in plan.buses] for s in strips])
        values |= _read_send_rides(strips, plan)
        of_buses = _read_numbers(plan.buses, "", ("gain_db",)) | _read_equalizers(plan.buses)
        of_buses |= _read_processors(plan.buses, Bus) | _read_mixtures(plan.buses)
        of_buses |= _read_rides(plan.buses, Bus)
        values |= {f"bus.{name}": value for name, value in of_buses.items()}
    master = (plan.master,)
    of_master = _read_numbers(master, "", ("gain_db",)) | _read_processors(master, Master)
    of_master |= _read_equalizers(master) | _read_rides(master, Master)
    return layout, values | {f"master.{name}": value[:, 0] for name, value in of_master.items()}


def to_plan(values: Values, plan: MixPlan) -> MixPlan:
    """The plan with the values in place of its own, each at the nearest legal value.

    Values that did not change come back to the last bit. A mixture of spaces becomes its largest
    part, a polarity its sign; a send below −60 dB that the plan did not have is left out.

    Args:
        values: Values as `from_plan` makes them, of one batch entry; missing ones stay as they are.
        plan: The plan that they came from.
    """
    single = {name: value.detach().cpu().double()[0] for name, value in values.items()}
    of_buses = _without_prefix(single, "bus.")
    of_master = _without_prefix(single, "master.")
    of_strips = {
        name: value for name, value in single.items() if not name.startswith(("bus.", "master."))
    }
    row = {strip.name: n for n, strip in enumerate(_find_audible(plan))}
    tracks = tuple(
        _change_strip(
            strip, plan, {name: value[row[strip.name]] for name, value in of_strips.items()}
        )
        if strip.name in row
        else strip
        for strip in plan.tracks
    )
    buses = tuple(
        _change_part(bus, {name: value[n] for name, value in of_buses.items()})
        for n, bus in enumerate(plan.buses)
    )
    return replace(plan, tracks=tracks, buses=buses, master=_change_part(plan.master, of_master))


def session_audio(session: Session, layout: ConsoleLayout, frames: int) -> Tensor:
    """The tracks of a layout, padded with silence to ``frames``.

    Returns:
        ``(1, tracks, channels, frames)`` float32; where there are stereo tracks, the mono ones come
        twice.
    """
    sources = []
    for track in layout.tracks:
        source = session.track(track.name).source
        sources.append(pad(fold_to_mono(source) if track.fold else source, frames))
    channels = max(source.channels for source in sources)
    audio = np.empty((1, len(sources), channels, frames), np.float32)
    for n, source in enumerate(sources):
        audio[0, n] = collect(source).samples
    return torch.from_numpy(audio)


def _check_twins(plan: MixPlan, strips: Sequence[ChannelStrip]) -> None:
    """Raises an error that names a processor which this console would drop."""
    active: list[tuple[str, Part, Processor]] = [
        *(
            (f"track {strip.name!r}", strip, row)
            for strip in strips
            for row in active_inserts(strip)
        ),
        *(
            (f"bus {bus.name!r}", bus, row)
            for bus in plan.buses
            for row in active_at(bus, "before")
        ),
        *(("master", plan.master, row) for row in active_at(plan.master, "filter", "gain")),
    ]
    for bus in plan.buses:
        for row in active_at(bus, "after"):
            raise UsageError(
                f"bus {bus.name!r}: the differentiable console has no {row.title} after the reverb"
            )
    for name, part, row in active:
        if not isinstance(row.twin, Twin):
            raise UsageError(
                f"{name}: the differentiable console has no {row.title}: {row.twin}; switch it off"
            )
        if row in (
            EQUALIZER,
            REVERB,
            SPACE,
            DELAY,
        ):  # what of them has no gradient is in the layout
            continue
        settings = row.of(part)
        for field, parameter in parameters(row.settings).items():
            if field not in row.twin.values and getattr(settings, field) != parameter.default:
                raise UsageError(
                    f"{name}: the differentiable console has no {row.title} with another {field}"
                    f" than {parameter.default}"
                )


def _find_audible(plan: MixPlan) -> list[ChannelStrip]:
    return [strip for strip in plan.tracks if not strip.mute]


def _ride_times(rides: Sequence[Ride]) -> RideTimes:
    return tuple((ride.setting, ride.times_s) for ride in rides)


def _bus_of(setting: str, strip: ChannelStrip, plan: MixPlan) -> int | None:
    """The number of the bus to which a send goes that is ridden; none for other settings."""
    if not setting.startswith("sends."):
        return None
    send = strip.sends[int(setting.split(".")[1]) - 1]
    if sum(other.bus == send.bus for other in strip.sends) > 1:
        raise UsageError(
            f"track {strip.name!r} has two sends to {send.bus!r} and rides one: the differentiable"
            " console has one send to a bus"
        )
    return [bus.name for bus in plan.buses].index(send.bus)


def _track_layout(strip: ChannelStrip, session: Session, plan: MixPlan) -> TrackLayout:
    buses = {ride.setting: _bus_of(ride.setting, strip, plan) for ride in strip.rides}
    return TrackLayout(
        name=strip.name,
        mono=strip.fold or session.track(strip.name).source.channels == 1,
        fold=strip.fold,
        bands=tuple(band.kind for band in strip.equalizer.bands),
        order=strip.order,
        reverb=strip.reverb if strip.reverb.dry_wet > 0.0 else None,
        delay=strip.delay if strip.delay.is_active else None,
        rides=tuple(
            (setting if buses[setting] is None else f"sends.{buses[setting]}", times_s)
            for setting, times_s in _ride_times(strip.rides)
        ),
    )


def _bus_layout(bus: Bus) -> BusLayout:
    return BusLayout(
        name=bus.name,
        bands=tuple(band.kind for band in bus.equalizer.bands),
        pre_delay_ms=bus.pre_delay_ms,
        parallel=bus.parallel,
        reverb=bus.reverb if reverb_of(bus) is REVERB else None,
        delay=bus.delay if reverb_of(bus) is DELAY else None,
        rides=_ride_times(bus.rides),
    )


def _tensor(rows: Sequence[Any]) -> Tensor:
    return torch.tensor([rows], dtype=torch.float64)


def _read_numbers(parts: Sequence[Any], processor: str, names: Sequence[str]) -> dict[str, Tensor]:
    owners = [getattr(part, processor) for part in parts] if processor else parts
    prefix = f"{processor}." if processor else ""
    return {prefix + name: _tensor([getattr(owner, name) for owner in owners]) for name in names}


def _read_processors(parts: Sequence[Any], kind: type[Part]) -> dict[str, Tensor]:
    """The values of all processors but the equalizer."""
    values: dict[str, Tensor] = {}
    for row in processors_of(kind):
        if row is not EQUALIZER:
            values |= _read_numbers(parts, row.name, values_of(row, kind))
    return values


def _read_equalizers(parts: Sequence[ChannelStrip | Bus | Master]) -> dict[str, Tensor]:
    """Bands ``(1, parts, bands)``, filled up with neutral ones."""
    most = max((len(part.equalizer.bands) for part in parts), default=0)
    filling = (EqualizerBand(),) * most
    rows = [(*part.equalizer.bands, *filling)[:most] for part in parts]
    return {
        f"equalizer.{name}": _tensor([[getattr(band, name) for band in row] for row in rows])
        for name in values_of(EQUALIZER, ChannelStrip)
    }


def _read_rides(parts: Sequence[SomePart], kind: type[Part]) -> dict[str, Tensor]:
    """Values ``(1, parts, points)`` of the rides of settings that any part rides."""
    values = {}
    for setting in list_ridables(kind):
        found = [find_ride(part.rides, setting) for part in parts]
        if any(ride is not None for ride in found):
            values[f"rides.{setting}"] = _tensor(_fill_up(found))
    return values


def _read_send_rides(strips: Sequence[ChannelStrip], plan: MixPlan) -> dict[str, Tensor]:
    """Values ``(1, tracks, buses, points)`` of the rides of sends, if there are any."""
    found: list[Ride | None] = [None] * (len(strips) * len(plan.buses))
    for n, strip in enumerate(strips):
        for ride in strip.rides:
            bus = _bus_of(ride.setting, strip, plan)
            if bus is not None:
                found[n * len(plan.buses) + bus] = ride
    if not any(found):
        return {}
    values = _tensor(_fill_up(found))
    return {"rides.sends_db": values.view(1, len(strips), len(plan.buses), -1)}


def _fill_up(rides: Sequence[Ride | None]) -> list[list[float]]:
    """The values of rides, as many of each as the longest has, and zeros where there is none."""
    most = max(len(ride.values) for ride in rides if ride is not None)
    return [
        [0.0] * most if ride is None else [*ride.values, *[ride.values[-1]] * most][:most]
        for ride in rides
    ]


def _change_rides(rides: Sequence[Ride], part: SomePart, values: Values) -> tuple[Ride, ...]:
    """Rides with other values of their points, by setting."""
    changed = []
    for ride in rides:
        if ride.setting in values:
            ridable, allowed = find_ridable(part, ride.setting)
            legal = RIDE_RANGE if ridable.is_added else allowed
            points = values[ride.setting][: len(ride.values)].tolist()
            ride = replace(ride, values=tuple(map(legal.clamp, points)))
        changed.append(ride)
    return tuple(changed)


def _read_mixtures(parts: Sequence[ChannelStrip | Bus]) -> dict[str, Tensor]:
    rows = [[float(space == part.space.space) for space in SPACES] for part in parts]
    return {"space.mixture": _tensor(rows)}


def _send_db(strip: ChannelStrip, bus: Bus) -> float:
    """Level of all sends of a strip to a bus; −inf where there is none."""
    levels = [send.gain_db for send in strip.sends if send.bus == bus.name]
    return levels[0] if len(levels) == 1 else gain_to_db(sum(map(db_to_gain, levels)))


def _without_prefix(values: Values, prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def _change_strip(strip: ChannelStrip, plan: MixPlan, values: Mapping[str, Tensor]) -> ChannelStrip:
    changed = _change_part(strip, values)
    if "polarity" in values:
        changed = replace(changed, invert_polarity=float(values["polarity"]) < 0.0)
    if "rides.sends_db" in values:
        buses = [_bus_of(ride.setting, strip, plan) for ride in strip.rides]
        points = {
            ride.setting: values["rides.sends_db"][bus]
            for ride, bus in zip(strip.rides, buses, strict=True)
            if bus is not None
        }
        changed = replace(changed, rides=_change_rides(changed.rides, strip, points))
    if "sends_db" not in values:
        return changed
    sends = list(strip.sends)
    for bus, level in zip(plan.buses, values["sends_db"].tolist(), strict=True):
        before = _send_db(strip, bus)
        if math.isinf(before):
            if level >= -60.0:
                sends.append(_set_values(Send(bus=bus.name), {"gain_db": level}))
        else:
            sends = [
                _set_values(send, {"gain_db": send.gain_db + (level - before)})
                if send.bus == bus.name
                else send
                for send in sends
            ]
    return replace(changed, sends=tuple(sends))


def _change_part(part: SomePart, values: Mapping[str, Tensor]) -> SomePart:
    """A strip, bus or master with the values of its own and of its processors."""
    own: dict[str, Any] = {}
    of_processors: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        processor, _, field = name.partition(".")
        if name == "space.mixture":
            of_processors.setdefault("space", {})["space"] = SPACES[int(value.argmax())]
        elif processor in ("equalizer", "rides"):
            continue
        elif field:
            of_processors.setdefault(processor, {})[field] = float(value)
        elif name in parameters(type(part)):
            own[name] = float(value)
    for processor, fields in of_processors.items():
        own[processor] = _set_values(getattr(part, processor), fields)
    equalizer = _without_prefix(values, "equalizer.")
    if equalizer:
        bands = tuple(
            _set_values(band, {name: float(value[n]) for name, value in equalizer.items()})
            for n, band in enumerate(part.equalizer.bands)
        )
        own["equalizer"] = replace(part.equalizer, bands=bands)
    own["rides"] = _change_rides(part.rides, part, _without_prefix(values, "rides."))
    return _set_values(part, own)


def _set_values(settings: SomeSettings, values: Mapping[str, Any]) -> SomeSettings:
    """Settings with other values, numbers clamped to their ranges."""
    declared = parameters(type(settings))
    legal = {}
    for name, value in values.items():
        allowed = declared[name].range
        is_number = allowed is not None and isinstance(value, float)
        legal[name] = allowed.clamp(value) if allowed is not None and is_number else value
    return replace(settings, **legal)
