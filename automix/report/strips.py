"""The cards of tracks, buses and master, and the table of all settings."""

import html
import math
from collections.abc import Iterator, Mapping, Sequence

from automix.dsp.processors import (
    COMPRESSOR,
    DE_ESSER,
    EQUALIZER,
    REVERB,
    SPACE,
    Part,
    Processor,
    active_at,
    active_inserts,
    describe_return,
    describe_settings,
)
from automix.plan.decision import Decision
from automix.plan.model import MixPlan
from automix.plan.parameters import Settings, parameters
from automix.plan.positions import describe_position
from automix.plan.ride_figures import describe_range, describe_ride, list_parts
from automix.plan.rides import Ride, find_ride
from automix.plan.settings import Bus, ChannelStrip, CompressorSettings, EqualizerSettings, Master
from automix.report import diagrams
from automix.report.reductions import Reduction

_NOTHING_DB = 0.05


def track_card(
    strip: ChannelStrip, plan: MixPlan, levels: Mapping[str, float], curves: Sequence[str]
) -> str:
    """A track: where it is in the mix, its curves, and why.

    Args:
        strip: Settings.
        plan: The plan of the strip.
        levels: Loudness in the mix by track, in LUFS.
        curves: Its rides, see `automix.report.rides`, and what its processors take away, see
            `draw_reductions`.
    """
    level = levels.get(strip.name, -math.inf)
    facts = [
        strip.role,
        f"{level:.1f} LUFS in the mix" if math.isfinite(level) else "silent",
        f"fader {strip.fader_db:+.1f} dB{_ridden(strip, 'fader_db')}",
        _describe_place(strip),
    ]
    facts += ["muted"] if strip.mute else []
    facts += [f"begins at {strip.start_s:.3f} s"] if strip.start_s else []
    facts += ["polarity inverted"] if strip.invert_polarity else []
    facts += [f"delay {strip.delay_ms:+.2f} ms"] if strip.delay_ms else []
    if strip.space.is_active:
        facts.append(f"{strip.space.space}, {100 * strip.space.wet:.0f} % wet")
    if strip.reverb.is_active:
        time_s = strip.reverb.reverberation_time_s
        facts.append(f"reverb {time_s:.1f} s, {100 * strip.reverb.dry_wet:.0f} % wet")
    facts += _processors(strip, active_inserts(strip))
    facts += [
        f"send to {send.bus} {send.gain_db:+.1f} dB{_ridden(strip, f'sends.{number}.gain_db')}"
        for number, send in enumerate(strip.sends, 1)
    ]
    drawn = _curves(strip.equalizer, strip.compressor, plan.sample_rate_hz, strip.name)
    return _card(strip.name, facts, [*drawn, *curves], _decisions(plan, strip.name))


def _ridden(part: Part, setting: str) -> str:
    """What a ride adds to a setting, in words; empty without a ride."""
    ride = find_ride(part.rides, setting)
    return "" if ride is None else f", ridden {describe_range(part, ride)}"


def _describe_place(strip: ChannelStrip) -> str:
    ride = find_ride(strip.rides, "pan")
    return describe_position(strip.pan) if ride is None else f"ridden {describe_range(strip, ride)}"


def bus_card(bus: Bus, plan: MixPlan, rides: Sequence[str] = ()) -> str:
    """A bus, with its rides as `automix.report.rides` draws them."""
    facts = [
        "bus",
        describe_return(bus),
        f"pre-delay {bus.pre_delay_ms:.0f} ms",
        f"return {bus.gain_db:+.1f} dB{_ridden(bus, 'gain_db')}",
    ]
    facts += _processors(bus, active_at(bus, "before", "after"))
    drawn = _curves(bus.equalizer, bus.compressor, plan.sample_rate_hz, bus.name)
    return _card(bus.name, facts, [*drawn, *rides], _decisions(plan, bus.name))


def master_card(plan: MixPlan, curves: Sequence[str]) -> str:
    """The master, with its rides and what its processors take away; see `track_card`."""
    master: Master = plan.master
    facts = [f"gain {master.gain_db:+.1f} dB{_ridden(master, 'gain_db')}"]
    facts += _processors(master, active_at(master, "filter", "gain"))
    if master.limiter.is_active:
        facts.append(f"limiter at {master.limiter.ceiling_dbtp:.1f} dBTP")
    drawn = _curves(master.equalizer, master.compressor, plan.sample_rate_hz, "master")
    return _card("master", facts, [*drawn, *curves], _decisions(plan, "master"))


def draw_reductions(reductions: Sequence[Reduction], duration_s: float, name: str) -> list[str]:
    """How far each processor turns a track or the mix down, in figures and over time."""
    return [_draw_reduction(reduction, duration_s, name) for reduction in reductions]


def _draw_reduction(reduction: Reduction, duration_s: float, name: str) -> str:
    measured = reduction.measured
    title = html.escape(reduction.title)
    if measured.deepest_db < _NOTHING_DB:
        return f"<div class=reduction><p>{title}: no gain reduction</p></div>"
    figures = f"deepest {measured.deepest_db:.1f} dB"
    if math.isfinite(measured.median_db):
        figures = (
            f"median {measured.median_db:.1f} dB, 95th percentile {measured.high_db:.1f} dB,"
            f" {figures}"
        )
    svg = diagrams.reduction_curve(measured.curve_db, duration_s, f"{reduction.title} of {name}")
    return f"<div class=reduction>{svg}<p>{title}, gain reduction: {figures}</p></div>"


def settings_table(plan: MixPlan) -> str:
    """Every setting that is not neutral, with unit, range and meaning."""
    rows = "".join(
        f"<tr><td>{html.escape(address)}</td><td>{html.escape(value)}</td>"
        f"<td>{html.escape(about)}</td></tr>"
        for name, owner in list_parts(plan)
        for address, value, about in (*_list_changes(owner, name), *_list_ridden(owner, name))
    )
    return (
        "<details><summary>What differs from neutral</summary><div class=scroll><table><thead><tr>"
        f"<th>setting<th>value<th>meaning</thead><tbody>{rows}</tbody></table></div></details>"
    )


def _card(name: str, facts: list[str], drawn: list[str], decisions: list[Decision]) -> str:
    listed = "".join(f"<li>{html.escape(fact)}</li>" for fact in facts)
    why = "".join(
        f"<li><b>{html.escape(d.rule)}</b> {html.escape(d.reason)}</li>"
        for d in {(d.rule, d.reason): d for d in decisions}.values()
    )
    reasons = f"<details open><summary>Why</summary><ul>{why}</ul></details>" if why else ""
    curves = f"<div class=curves>{''.join(drawn)}</div>" if drawn else ""
    return (
        f"<article><h3>{html.escape(name)}</h3><ul class=facts>{listed}</ul>{curves}{reasons}"
        "</article>"
    )


def _curves(
    equalizer: EqualizerSettings, compressor: CompressorSettings, sample_rate: int, name: str
) -> list[str]:
    drawn = {
        "equalizer": diagrams.equalizer_curve(equalizer, sample_rate, name),
        "compressor": diagrams.compressor_curve(compressor, name),
    }
    return [f"<div class={kind}>{svg}</div>" for kind, svg in drawn.items() if svg is not None]


def _processors(part: Part, active: list[Processor]) -> list[str]:
    """The processors that the card does not draw or describe in words of their own.

    A de-esser is in the reasons of the card and in the table of settings.
    """
    told = (EQUALIZER, DE_ESSER, COMPRESSOR, REVERB, SPACE)
    return [f"{row.title}: {describe_settings(row.of(part))}" for row in active if row not in told]


def _decisions(plan: MixPlan, name: str) -> list[Decision]:
    others = [s.name for s in plan.tracks] + [b.name for b in plan.buses]
    longer = tuple(f"{other}." for other in others if other.startswith(f"{name}."))
    return [
        decision
        for decision in plan.decisions
        if (decision.setting.startswith(f"{name}.") and not decision.setting.startswith(longer))
        or decision.setting == name
    ]


def _list_changes(settings: Settings, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Address, value and meaning of every setting that differs from its default."""
    for name, parameter in parameters(type(settings)).items():
        value = getattr(settings, name)
        address = f"{prefix}.{name}"
        if issubclass(parameter.kind, Ride):
            continue
        if isinstance(value, Settings):
            yield from _list_changes(value, address)
        elif isinstance(value, tuple) and value and isinstance(value[0], Settings):
            for number, entry in enumerate(value, 1):
                yield from _list_changes(entry, f"{address}.{number}")
        elif value != parameter.default and name != "name":
            unit = parameter.range.unit if parameter.range else ""
            shown = f"{value:.4g} {unit}".rstrip() if isinstance(value, float) else str(value)
            yield address, shown, parameter.about


def _list_ridden(part: Part, name: str) -> Iterator[tuple[str, str, str]]:
    """The rides: a row each, instead of all their points."""
    for ride in part.rides:
        yield f"{name}.rides.{ride.setting}", describe_range(part, ride), describe_ride(part, ride)
