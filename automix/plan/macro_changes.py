"""What macro controls change of a plan: one wish of a listener, as changes to many settings."""

from dataclasses import replace

from automix.plan.macros import Macros
from automix.plan.ride_figures import measure_ride
from automix.plan.rides import Ride, find_ride
from automix.plan.roles import ROLE_TRAITS
from automix.plan.settings import Bus, ChannelStrip, EqualizerBand, EqualizerSettings
from automix.plan.writer import PlanWriter
from automix.units import gain_to_db

_BRIGHTNESS = EqualizerBand(kind="high_shelf", frequency_hz=4000.0, q=0.7)


def apply_macros(writer: PlanWriter, macros: Macros) -> None:
    """Changes the plan of a writer, and records each change with its macro.

    A macro that finds nothing to change is a warning, not an error.
    """
    if macros.vocals_db:
        _set_vocals(writer, macros.vocals_db)
    if macros.reverb_percent:
        _set_reverb(writer, 1.0 + macros.reverb_percent / 100.0, _name(macros, "reverb_percent"))
    if macros.width_percent:
        _set_width(writer, 1.0 + macros.width_percent / 100.0, _name(macros, "width_percent"))
    if macros.brightness_db:
        band = replace(_BRIGHTNESS, gain_db=macros.brightness_db)
        bands = (*writer.plan.master.equalizer.bands, band)
        master = replace(writer.plan.master, equalizer=EqualizerSettings(bands=bands))
        writer.plan = replace(writer.plan, master=master)
        address = f"master.equalizer.bands.{len(bands)}.gain_db"
        writer.decide(address, band.gain_db, "macro", _name(macros, "brightness_db"))


def _name(macros: Macros, field: str) -> str:
    return Macros(**{field: getattr(macros, field)}).described()


def _set_vocals(writer: PlanWriter, change_db: float) -> None:
    said = Macros(vocals_db=change_db).described()
    vocals = [strip for strip in writer.plan.tracks if _is_vocal(strip)]
    if not vocals:
        writer.warn(f"{said}: no track is a vocal; --role TRACK='lead vocal' says which is")
    for strip in vocals:
        writer.revise(f"{strip.name}.fader_db", strip.fader_db + change_db, "macro", said)


def _is_vocal(strip: ChannelStrip) -> bool:
    traits = ROLE_TRAITS.get(strip.role)  # type: ignore[call-overload]
    return traits is not None and traits.family == "vocal"


def _set_reverb(writer: PlanWriter, factor: float, said: str) -> None:
    """Scales the amplitude of all that is wet."""
    parts: list[ChannelStrip | Bus] = [*writer.plan.tracks, *writer.plan.buses]
    before = writer.plan
    for part in parts:
        if isinstance(part, Bus):
            if part.parallel:
                continue
            change_db = gain_to_db(factor) if factor > 0.0 else -60.0
            writer.revise(f"{part.name}.gain_db", part.gain_db + change_db, "macro", said)
            continue
        for processor, share in (
            ("reverb.dry_wet", part.reverb.dry_wet),
            ("space.wet", part.space.wet),
            ("delay.wet", part.delay.wet),
        ):
            if share > 0.0:
                writer.revise(f"{part.name}.{processor}", share * factor, "macro", said)
    if writer.plan == before:
        writer.warn(f"{said}: the plan has no reverb")


def _set_width(writer: PlanWriter, factor: float, said: str) -> None:
    before = writer.plan
    for strip in before.tracks:
        ride = find_ride(strip.rides, "pan")
        if ride is not None:
            _scale_pan_ride(writer, strip, ride, factor, said)
        elif strip.pan != 0.5:
            writer.revise(f"{strip.name}.pan", _scale_pan(strip.pan, factor), "macro", said)
    if writer.plan == before:
        writer.warn(f"{said}: every track is in the center, or brings a width of its own")


def _scale_pan(pan: float, factor: float) -> float:
    return min(max(0.5 + factor * (pan - 0.5), 0.0), 1.0)


def _scale_pan_ride(
    writer: PlanWriter, strip: ChannelStrip, ride: Ride, factor: float, said: str
) -> None:
    """Scales the points of a ride, and the position where it rests."""
    scaled = replace(ride, values=tuple(_scale_pan(value, factor) for value in ride.values))
    if scaled == ride:
        return
    place = strip.rides.index(ride)
    rides = (*strip.rides[:place], scaled, *strip.rides[place + 1 :])
    writer.change(strip.name, rides=rides, pan=_scale_pan(strip.pan, factor))
    address = f"{strip.name}.rides.{place + 1}"
    farthest = measure_ride(writer.plan.strip(strip.name), scaled).farthest
    earlier = next((d for d in writer.plan.decisions if d.setting == address), None)
    why = f"; before: {earlier.rule}: {earlier.reason}" if earlier else ""
    writer.decide(address, farthest, "macro", f"{said} of a ride{why}")
