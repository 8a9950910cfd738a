"""What is worth knowing about a mix, as sentences, the most important first."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from automix.explanation.provenance import (
    Action,
    RemovedTrack,
    Setting,
    describe_reach,
    format_value,
    frequency,
)
from automix.explanation.tracks import Change, TrackInMix
from automix.plan.positions import describe_position
from automix.plan.roles import ROLE_TRAITS

Kind = Literal["absent", "loud", "quiet", "masked", "edited"]

_LOUD_LU = 6.0
_QUIET_LU = -9.0
_LOUD_LEAD_LU = 1.0  # against the sum; leads of finished songs: −6.3 … −2.9 LU, the middle half
_QUIET_LEAD_LU = -8.0
_EDITED_DB = 1.0
# In a mix of many tracks, most of what accompanies is covered most of the time, and is meant to be.
# With the lead 6.3 LU under the rest, the lower quartile of finished songs, 0.44 and 0.5 of it are
# covered in two sparse finished songs; a wall of guitars covers more.
_MASKED_LEAD = 0.6
_MASKED_OTHER = 0.8
_REGION = 0.15
_HEARD_EFFECT_LU = 0.1
_ALONE_DB = 30.0
_ABSENT = 5.0
_STEPS = {"pan": 10.0, "": 2.0}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that stands out.

    Attributes:
        kind: What it is about.
        track: Whom it is about; empty for the master.
        severity: Roughly the dB that it makes; ranks the findings.
        sentence: For people.
    """

    kind: Kind
    track: str
    severity: float
    sentence: str


def findings(
    tracks: Sequence[TrackInMix], done: Sequence[Action], removed: Sequence[RemovedTrack]
) -> tuple[Finding, ...]:
    """What stands out, ranked; the order of the tracks does not matter.

    An edit that explains how loud a track is becomes part of that finding, and what makes a track
    loud ranks above the tracks that it covers.
    """
    edits = {track.name: _edits(track.name, done) for track in tracks}
    found = [_absent(track, edits[track.name]) for track in tracks if track.state != "in the mix"]
    found += [_removed(track) for track in removed]
    heard = [track for track in tracks if track.state == "in the mix"]
    masked = {track.name: _masked(track) for track in heard}
    levels: list[Finding] = []
    for track in heard:
        level = _level(track, edits[track.name], done)
        if level is not None:
            covered = [
                m.severity
                for other in heard
                if (m := masked[other.name])
                and track.name in ((other.cover.masker,) if level.kind == "loud" else (other.name,))
            ]
            levels.append(_raised(level, max(covered, default=0.0)))
        found += _other_edits(track.name, edits[track.name], without_level=level is not None)
    found += levels
    loud = {finding.track for finding in levels if finding.kind == "loud"}
    for track in heard:
        finding = masked[track.name]
        if finding is not None:
            found.append(_because(finding, track.cover.masker in loud, track.cover.masker))
    owners = {track.name for track in tracks}
    for owner in sorted({action.owner for action in done} - owners):
        found += _other_edits(owner, _edits(owner, done), without_level=False)
    return tuple(sorted(found, key=lambda f: (-round(f.severity, 6), f.kind, f.track, f.sentence)))


def _edits(owner: str, done: Sequence[Action]) -> list[Setting]:
    return [
        setting
        for action in done
        if action.owner == owner
        for setting in action.settings
        if setting.edited
    ]


def _is_level(setting: Setting) -> bool:
    return not setting.is_ride and setting.address.endswith((".fader_db", ".input_gain_db"))


def _absent(track: TrackInMix, edits: Sequence[Setting]) -> Finding:
    if track.state == "silent":
        sentence = f"{track.name} is silent: there is nothing to hear in its file"
        if turned := next((edit for edit in edits if _is_level(edit)), None):
            sentence += f" at this level ({_edit(track.name, turned)})"
        return Finding(kind="absent", track=track.name, severity=3.0, sentence=sentence)
    sentence = f"{track.name} is not in the mix: muted"
    if not math.isfinite(track.lufs):
        sentence += "; its file is silent"
        return Finding(kind="absent", track=track.name, severity=3.0, sentence=sentence)
    sentence += f". With it, {effect(track.change, muted=True)}"
    severity = _ABSENT + 2.0 * min(abs(track.change.mix_lu), 6.0)
    return Finding(kind="absent", track=track.name, severity=severity, sentence=sentence)


def _removed(track: RemovedTrack) -> Finding:
    sentence = f"{track.name} is not in the mix: it was taken out of the plan"
    if track.lufs is not None and track.fader_db is not None:
        sentence += (
            f", where it had {track.lufs:.1f} LUFS before the master, its fader at"
            f" {format_value(track.fader_db, 'dB')}"
        )
    if track.makes_way:
        sentence += f"; still set for it: {', '.join(track.makes_way)}"
    return Finding(kind="absent", track=track.name, severity=2.0 * _ABSENT, sentence=sentence)


def effect(change: Change, *, muted: bool = False) -> str:
    """A sentence's end: what happens without a track, or with one that is muted."""
    if not math.isfinite(change.mix_lu):
        return "there would be no other sound" if muted else "nothing is left"
    parts = []
    if abs(change.mix_lu) >= _HEARD_EFFECT_LU / 2:
        word = "louder" if change.mix_lu > 0 else "softer"
        parts.append(f"the mix is {abs(change.mix_lu):.1f} LU {word}")
    where = band(change.low_hz, change.high_hz)
    if abs(change.band_db) >= _ALONE_DB:
        parts.append(f"{where} is {'new' if change.band_db > 0 else 'empty'}")
    elif abs(change.band_db) >= 0.5:
        parts.append(f"{format_value(change.band_db, 'dB')} at {where}")
    if math.isfinite(change.width_db) and abs(change.width_db) >= 1.0:
        parts.append(
            f"{abs(change.width_db):.1f} dB {'wider' if change.width_db > 0 else 'narrower'}"
        )
    if change.other is not None:
        parts.append(
            f"{change.other} is {100 * change.other_after:.0f} % covered instead of"
            f" {100 * change.other_before:.0f} %"
        )
    return ", ".join(parts) or "the mix hardly changes"


def band(low_hz: float, high_hz: float) -> str:
    """A range of frequencies, such as ``1–3 kHz``."""
    if low_hz >= 1000.0:
        return f"{low_hz / 1000:.2g}–{high_hz / 1000:.2g} kHz"
    if high_hz < 1000.0:
        return f"{low_hz:.0f}–{high_hz:.0f} Hz"
    return f"{frequency(low_hz)} – {high_hz / 1000:.2g} kHz"


def _level(track: TrackInMix, edits: Sequence[Setting], done: Sequence[Action]) -> Finding | None:
    """A track that is louder or softer than the others, or whose level was edited."""
    edited = [setting for setting in edits if _is_level(setting)]
    change_db = math.fsum(setting.change for setting in edited)
    above, loud, quiet, whom = track.over_others_lu, _LOUD_LU, _QUIET_LU, "the other tracks"
    if track.role == "lead vocal" and math.isfinite(track.over_sum_lu):  # not alone
        above, loud, quiet = track.over_sum_lu, _LOUD_LEAD_LU, _QUIET_LEAD_LU
        whom = "all other tracks together"
    kind: Kind | None = None
    if above >= loud or (change_db >= _EDITED_DB and track.over_others_lu > 0.0):
        kind = "loud"
    elif above <= quiet or (change_db <= -_EDITED_DB and track.over_others_lu < 0.0):
        kind = "quiet"
    if kind is None:
        return None
    word = "louder" if above > 0.0 else "softer"
    sentence = f"{track.name} is {abs(above):.1f} LU {word} than {whom}"
    pushed = [s for s in edited if (s.change > 0.0) == (kind == "loud") and s.change != 0.0]
    if pushed:
        sentence += f": {' and '.join(_edit(track.name, setting) for setting in pushed)}"
    else:
        sentence += _level_cause(track.name, done)
    excess = above - loud / 2 if kind == "loud" else quiet / 2 - above
    severity = max(excess, abs(change_db) if pushed else 0.0)
    return Finding(kind=kind, track=track.name, severity=severity, sentence=sentence)


def _level_cause(name: str, done: Sequence[Action]) -> str:
    """Who set the fader, where nobody edited it."""
    settings = {
        setting.address: (action, setting) for action in done for setting in action.settings
    }
    _, ride = settings.get(f"{name}.rides.fader_db", (None, None))
    ridden = f", ridden by up to {describe_reach(ride.value, ride.unit)}" if ride else ""
    action, setting = settings.get(f"{name}.fader_db", (None, None))
    if action and setting and isinstance(setting.value, float):
        by = f"{action.rule}: {action.reason}"
        return f": its fader is at {format_value(setting.value, 'dB')} ({by}){ridden}"
    return f": that is how it was recorded; no rule has set its fader{ridden}"


def _edit(owner: str, setting: Setting) -> str:
    field = setting.address.rpartition(".")[2]
    levels = {"fader_db": "its fader", "input_gain_db": "its input gain", "pan": "its pan"}
    name = levels.get(field, setting.address.removeprefix(f"{owner}."))
    if setting.value is None:
        return "a ride was removed" if name.startswith("rides.") else f"{name} was removed"
    if setting.is_ride:
        words = name.removeprefix("rides.").removesuffix("_db").replace("sends.", "send ")
        name = levels.get(field, f"its {words.replace('.', ' ')}")
        after = describe_reach(setting.value, setting.unit)
        if not setting.decided:
            return f"{name} is ridden by hand, by up to {after}"
        before = describe_reach(setting.decided, setting.unit)
        return f"the ride of {name} was edited: it goes as far as {after}, not {before}"
    if field == "pan" and isinstance(setting.value, float) and isinstance(setting.decided, float):
        before, after = describe_position(setting.decided), describe_position(setting.value)
        return f"its pan was edited from {before} to {after}"
    before = "neutral" if setting.decided is None else format_value(setting.decided, setting.unit)
    return f"{name} was edited from {before} to {format_value(setting.value, setting.unit)}"


def _other_edits(owner: str, edits: Sequence[Setting], *, without_level: bool) -> Iterator[Finding]:
    """Edits that are not part of a finding about the level."""
    for setting in edits:
        field = setting.address.rpartition(".")[2]
        if (without_level and _is_level(setting)) or field == "mute":
            continue
        if setting.unit == "dB":
            severity = min(abs(setting.change), 12.0)
        else:
            severity = min(_STEPS.get(field, 2.0) * abs(setting.change), 5.0)
        if setting.value is None:
            severity = 3.0
        yield Finding(
            kind="edited",
            track=owner,
            severity=severity,
            sentence=f"{owner}: {_edit(owner, setting)}",
        )


def _masked(track: TrackInMix) -> Finding | None:
    cover = track.cover
    lead = track.role == "lead vocal"
    limit = _MASKED_LEAD if lead else _MASKED_OTHER
    if cover.masker is None or cover.low_hz is None or cover.high_hz is None:
        return None
    if cover.share < limit or cover.region_share < _REGION:
        return None
    where = f"between {frequency(cover.low_hz)} and {frequency(cover.high_hz)}"
    sentence = f"{track.name} is masked {where}, mostly by {cover.masker}"
    if cover.ratio_db is not None and math.isfinite(cover.ratio_db):
        sentence += f" ({cover.ratio_db:+.0f} dB)"
    sentence += f"; in all, {100 * cover.share:.0f} % of it is covered"
    severity = 10.0 * cover.share * (1.0 if _is_lead(track.role) else 0.5)
    return Finding(kind="masked", track=track.name, severity=severity, sentence=sentence)


def _is_lead(role: str) -> bool:
    traits = ROLE_TRAITS.get(role)  # type: ignore[call-overload]
    return role == "lead vocal" or (traits is not None and traits.family == "vocal")


def _raised(finding: Finding, above: float) -> Finding:
    """The same, ranked over what it causes."""
    return replace(finding, severity=max(finding.severity, above + 0.5 if above else 0.0))


def _because(finding: Finding, masker_is_loud: bool, masker: str | None) -> Finding:
    if not masker_is_loud:
        return finding
    return replace(finding, sentence=f"{finding.sentence}, because {masker} is so loud")
