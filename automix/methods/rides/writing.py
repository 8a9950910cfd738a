"""Hears a mix as it is planned, and writes the rides that it needs into its plan."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from automix.analysis.hops import HOPS_PER_SECOND
from automix.analysis.loudness import Energies, integrated_lufs
from automix.consoles.exact import ExactConsole
from automix.methods.rides.hearing import (
    FINE_HOPS_PER_SECOND,
    HeardMix,
    hear_mix,
    to_meter_hops,
)
from automix.methods.rides.kinds import RideKind
from automix.methods.rides.lifts import draw_lifts, find_lifts
from automix.methods.rides.lines import GainLine, add_lines, make_ride
from automix.methods.rides.rider import RiddenVoice, ride_voice
from automix.methods.rides.sections import STEP_S, SongSection, find_sections
from automix.methods.rides.silences import MUTED_ROLES, Silence, draw_mutes, find_silences
from automix.plan.rides import MOST_POINTS
from automix.plan.roles import ROLE_FAMILIES, Family, Role
from automix.plan.writer import PlanWriter
from automix.units import format_clock


@dataclass(kw_only=True)
class _Riding:
    """What moves the fader of one track, and why.

    Attributes:
        lines: They add up.
        rules: The rule of each.
        reasons: Likewise.
        figures: What the rules looked at.
        trim_lu: What the fader gives back, as noise in rests had been taken for soft singing.
    """

    lines: list[GainLine] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    trim_lu: float = 0.0

    def add(self, line: GainLine, rule: str, reason: str, **figures: float) -> None:
        """Takes one more line."""
        self.lines.append(line)
        self.rules.append(rule)
        self.reasons.append(reason)
        self.figures |= figures


def write_rides(
    console: ExactConsole,
    writer: PlanWriter,
    kinds: Collection[RideKind],
    *,
    asked: bool = False,
) -> None:
    """Renders the plan of a writer once, and adds the rides of its faders.

    A track has one ride of its fader, in which what several rules want adds up, and one decision,
    ``TRACK.rides.N``, with the furthest move in dB as its value.

    Args:
        console: Of the session.
        writer: Holds the plan, and takes the rides and the reasons.
        kinds: Which are wanted.
        asked: Whether somebody has asked for them: then it is said where there is no lead to ride.
    """
    roles: dict[str, Role] = {track.name: track.role for track in console.session.tracks}
    leads = [name for name, role in roles.items() if role == "lead vocal"]
    if not kinds or all(strip.mute for strip in writer.plan.tracks):
        return
    if asked and "vocal" in kinds and not leads:
        writer.warn("--rides: no track is a lead vocal; --role TRACK='lead vocal' says which is")
    apart = leads if "vocal" in kinds else []  # the rider follows sections already
    families = {
        strip.name: ROLE_FAMILIES[roles[strip.name]]
        for strip in writer.plan.tracks
        if not strip.mute and strip.name not in apart
    }
    in_sections = "sections" in kinds and len(set(families.values())) > 1
    heard = hear_mix(console, writer.plan, leads, with_spectrum=in_sections)
    riding = {name: _Riding() for name in heard.tracks}
    rest = heard.rest
    if in_sections and heard.spectrum is not None:
        rest = _raise_rest(heard, _lift(heard, heard.spectrum, families, riding), leads)
    if "vocal" in kinds and any(name in heard.tracks for name in leads):
        voice = ride_voice(heard.leads, rest)
        if voice is not None:
            for name in leads:
                _explain_rider(riding[name], voice)
    if "mutes" in kinds:
        _mute(heard, roles, riding)
    for name in sorted(riding):
        if riding[name].lines:
            _write(writer, name, riding[name])


def _lift(
    heard: HeardMix,
    spectrum: NDArray[np.float32],
    families: Mapping[str, Family],
    riding: Mapping[str, _Riding],
) -> dict[str, GainLine]:
    """Raises what sections bury; gives the line of each track that is raised."""
    per_step = round(STEP_S * FINE_HOPS_PER_SECOND)
    steps = len(heard.rest) // per_step
    groups: dict[Family, Energies] = {}
    for name, family in families.items():
        energies = heard.tracks[name][: steps * per_step].reshape(steps, per_step).mean(axis=1)
        groups[family] = groups.get(family, 0.0) + energies
    sections = find_sections(spectrum[:steps], groups)
    lines: dict[str, GainLine] = {}
    for family, raised in find_lifts(sections, groups).items():
        line = draw_lifts(sections, raised)
        if line.is_flat:
            continue
        most = max(raised, key=lambda label: raised[label])
        for name in (name for name, of in families.items() if of == family):
            lines[name] = line
            riding[name].add(
                line,
                "section",
                f"{family} {raised[most]:+.1f} dB in {_describe(sections, most)}, where the others"
                " cover it more than usual"
                + (f"; less in {len(raised) - 1} more" if len(raised) > 1 else ""),
                sections=len(sections),
                most_raised_db=raised[most],
            )
    return lines


def _describe(sections: list[SongSection], label: str) -> str:
    """A section for people, by its letter and the time of its first part."""
    of_label = [section for section in sections if section.label == label]
    times = ", ".join(format_clock(section.start_s) for section in of_label[:3])
    return f"section {label} ({times}{' …' if len(of_label) > 3 else ''})"


def _raise_rest(heard: HeardMix, lines: Mapping[str, GainLine], leads: Collection[str]) -> Energies:
    """The energies of all but the leads when lines move some of them."""
    if not lines:
        return heard.rest
    times_s = (np.arange(len(heard.rest)) + 0.5) / FINE_HOPS_PER_SECOND
    before, after = np.zeros(len(times_s)), np.zeros(len(times_s))
    for name, energies in heard.tracks.items():
        if name not in leads:
            before += energies
            gain = 10.0 ** (lines[name].at(times_s) / 10.0) if name in lines else 1.0
            after += energies * gain
    scale = np.divide(after, before, out=np.ones(len(times_s)), where=before > 0.0)
    return heard.rest * scale


def _explain_rider(riding: _Riding, voice: RiddenVoice) -> None:
    moved = int(np.count_nonzero(voice.gains_db))
    riding.add(
        voice.line,
        "vocal rider",
        f"{moved} of {len(voice.phrases)} phrases moved by up to"
        f" {float(np.abs(voice.gains_db).max()):.1f} dB, so that the voice stands"
        f" {voice.target_lu:+.1f} LU against the rest: its spread goes from"
        f" {voice.spread_before_lu:.1f} to {voice.spread_after_lu:.1f} LU",
        phrases=len(voice.phrases),
        moved=moved,
        spread_before_lu=voice.spread_before_lu,
        spread_after_lu=voice.spread_after_lu,
        relative_loudness_lu=voice.target_lu,
        limit_db=voice.limit_db,
    )


def _mute(heard: HeardMix, roles: Mapping[str, Role], riding: Mapping[str, _Riding]) -> None:
    """Fades rests that hold noise out."""
    whole = np.sum(list(heard.tracks.values()), axis=0)
    mix_lufs = integrated_lufs(to_meter_hops(heard.leads + heard.rest))
    if not np.isfinite(mix_lufs):
        return
    for name, energies in heard.tracks.items():
        if roles[name] not in MUTED_ROLES:
            continue
        silences = find_silences(energies, np.maximum(whole - energies, 0.0), mix_lufs)
        if silences:
            line = draw_mutes(silences, heard.duration_s)
            if ROLE_FAMILIES[roles[name]] == "vocal":
                riding[name].trim_lu = _measure_trim(energies, riding[name].lines, line)
            riding[name].add(
                line,
                "silence",
                _describe_silences(silences),
                silences=len(silences),
                silent_s=sum(silence.end_s - silence.start_s for silence in silences),
                noise_lufs=max(silence.noise_lufs for silence in silences),
            )


def _measure_trim(energies: Energies, lines: Sequence[GainLine], mutes: GainLine) -> float:
    """By how much a voice is measured louder once noise in its rests does not lower the gate.

    Its level was set with that noise, so without it the voice would stand further out than was
    meant (the relative gate of ITU-R BS.1770 hangs from all that is above the absolute one).
    """
    hops = to_meter_hops(energies)
    times_s = np.asarray((np.arange(len(hops)) + 0.5) / HOPS_PER_SECOND, np.float64)
    for line in lines:
        hops = hops * 10.0 ** (line.at(times_s) / 10.0)
    trim_lu = integrated_lufs(hops) - integrated_lufs(hops * 10.0 ** (mutes.at(times_s) / 10.0))
    return trim_lu if np.isfinite(trim_lu) and abs(trim_lu) >= _LEAST_TRIM_LU else 0.0


_LEAST_TRIM_LU = 0.05


def _describe_silences(silences: list[Silence]) -> str:
    seconds = sum(silence.end_s - silence.start_s for silence in silences)
    rests = "1 rest" if len(silences) == 1 else f"{len(silences)} rests"
    loudest = max(silence.noise_lufs for silence in silences)
    return f"{rests}, {seconds:.0f} s in all, hold noise of {loudest:.0f} LUFS and are faded out"


def _write(writer: PlanWriter, name: str, riding: _Riding) -> None:
    line = add_lines(riding.lines)
    if line.is_flat:
        return
    if len(line.times_s) > MOST_POINTS:
        writer.warn(f"{name}: is not ridden: that would take more than {MOST_POINTS} points")
        return
    rides = (*writer.plan.strip(name).rides, make_ride(line))
    writer.change(name, rides=rides)
    furthest = float(line.values_db[np.argmax(np.abs(line.values_db))])
    writer.decide(
        f"{name}.rides.{len(rides)}",
        furthest,
        " + ".join(riding.rules),
        "; ".join(riding.reasons),
        **riding.figures,
    )
    if riding.trim_lu:
        fader_db = writer.plan.strip(name).fader_db + riding.trim_lu
        reason = (
            f"{riding.trim_lu:+.1f} LU, as noise in its rests had lowered the gate of its loudness"
        )
        writer.revise(f"{name}.fader_db", fader_db, "silence", reason)
