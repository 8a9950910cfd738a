"""Writes the target mix: a plan by `automix.synthesis.conventions`, with the spread of people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from automix.analysis.loudness import Energies, LoudnessMeter, integrated_lufs
from automix.analysis.program import measure
from automix.audio.blocks import collect
from automix.audio.samples import Audio, AudioSource
from automix.consoles.exact import ExactConsole
from automix.plan.model import MixPlan
from automix.plan.roles import Role
from automix.plan.settings import (
    Bus,
    CompressorSettings,
    EqualizerBand,
    EqualizerSettings,
    Master,
    Send,
    Space,
    SpaceSettings,
)
from automix.synthesis import conventions
from automix.synthesis.panning import place_tracks
from automix.synthesis.recording import RawTrack
from automix.units import db_to_power, gain_to_db, power_to_db

BUS = "reverb"
_ACTIVE_LU = 30.0  # hops further below the loudest are rests
_SPACES: tuple[tuple[Space, tuple[float, float]], ...] = (
    ("hall", (0.25, 0.55)),
    ("plate", (0.5, 1.0)),
    ("large room", (0.6, 1.0)),
    ("medium room", (0.5, 0.9)),
)


@dataclass(frozen=True)
class _Levels:
    """Measured levels of a track.

    Attributes:
        energies: Energies of its hops ``(hops,)``.
        lufs: Integrated loudness, or the RMS level where it is too short for that.
        crest_db: Crest factor while it sounds.
    """

    energies: Energies
    lufs: float
    crest_db: float


def write_target(
    console: ExactConsole,
    blank: MixPlan,
    tracks: Sequence[RawTrack],
    style_levels_db: Mapping[str, float],
    rng: np.random.Generator,
) -> tuple[MixPlan, Audio]:
    """Decides on a mix.

    Args:
        console: Console of the session of the recorded tracks.
        blank: Plan in which every track passes unchanged.
        tracks: The recorded tracks.
        style_levels_db: Decibels that the style adds to the level of a role.
        rng: Generator that draws the engineer's taste.

    Returns:
        The plan, and the sum of the tracks before its master.
    """
    plan = blank
    for track in tracks:
        plan = plan.with_strip(track.name, **_inserts(console, track, plan, rng))
    heard = {t.name: _measure(console.inserted(plan.strip(t.name), plan.pan_law)) for t in tracks}
    levels = _choose_levels(tracks, heard, style_levels_db, rng)
    pans = place_tracks(tracks, rng)
    for track in tracks:
        name = track.name
        plan = plan.with_strip(
            name, fader_db=_limit_gain(levels[name] - heard[name].lufs), pan=pans[name]
        )
    plan = _add_reverb(console, plan, tracks, rng)
    premaster = collect(console.premaster(plan))
    loudness = measure(premaster)
    aim_lufs = rng.normal(conventions.MIX_LUFS, conventions.MIX_SPREAD_LU)
    gain_db = min(
        aim_lufs - loudness.integrated_lufs, conventions.MIX_PEAK_DBTP - loudness.true_peak_dbtp
    )
    return replace(plan, master=Master(gain_db=_limit_gain(gain_db))), premaster


def _limit_gain(gain_db: float) -> float:
    return float(np.clip(gain_db, -60.0, 60.0))


def _measure(source: AudioSource) -> _Levels:
    meter = LoudnessMeter(source.sample_rate, source.channels)
    peak, powers = 0.0, []
    hop = source.sample_rate // 10
    for block in source.blocks():
        meter.add(block)
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        whole = block[:, : block.shape[1] // hop * hop]
        squares = np.square(whole, dtype=np.float64).reshape(len(whole), -1, hop)
        powers.append(squares.mean(axis=(0, 2)))
    power = np.concatenate(powers)
    active = power > power.max(initial=0.0) * db_to_power(-_ACTIVE_LU)
    rms_db = power_to_db(float(power[active].mean())) if active.any() else gain_to_db(peak)
    lufs = integrated_lufs(meter.energies)
    if not np.isfinite(lufs):
        lufs = rms_db
    return _Levels(meter.energies, lufs, gain_to_db(peak) - rms_db)


def _inserts(
    console: ExactConsole, track: RawTrack, plan: MixPlan, rng: np.random.Generator
) -> dict[str, object]:
    """Decides on gain staging, equalizer and compressor of a track."""
    source = console.source(plan.strip(track.name))
    raw = _measure(source)
    staging_db = _limit_gain(conventions.STAGED_LUFS - raw.lufs)
    bands = [*_high_pass(track.role, rng), *_corrections(track, rng)]
    settings: dict[str, object] = {
        "role": track.role,
        "input_gain_db": staging_db,
        "invert_polarity": track.inverted,
        "equalizer": EqualizerSettings(bands=tuple(bands)),
    }
    usual = conventions.COMPRESSION.get(track.role, conventions.OTHER_COMPRESSION)
    drawn = rng.uniform(size=5)
    if drawn[0] < usual.probability:
        peak = max(float(np.abs(block).max(initial=0.0)) for block in source.blocks())
        rms_db = gain_to_db(peak) - raw.crest_db + staging_db

        def between(edges: tuple[float, float], share: float) -> float:
            return float(edges[0] + (edges[1] - edges[0]) * share)

        settings["compressor"] = CompressorSettings(
            threshold_db=float(np.clip(rms_db + between(usual.above_rms_db, drawn[1]), -60.0, 0.0)),
            ratio=between(usual.ratio, drawn[2]),
            attack_ms=between(usual.attack_ms, drawn[3]),
            release_ms=between(usual.release_ms, drawn[4]),
        )
    return settings


def _high_pass(role: Role, rng: np.random.Generator) -> list[EqualizerBand]:
    corner = rng.uniform()
    if role not in conventions.HIGH_PASS_HZ:
        return []
    low, high = conventions.HIGH_PASS_HZ[role]
    return [EqualizerBand(kind="high_pass", frequency_hz=low * (high / low) ** corner)]


def _corrections(track: RawTrack, rng: np.random.Generator) -> list[EqualizerBand]:
    """Undoes most of the recording's coloration, and adds a move of taste."""
    bands = [
        replace(band, gain_db=float(-band.gain_db * rng.uniform(0.7, 1.0)))
        for band in track.coloration
    ]
    if rng.random() < 0.35:
        bands.append(
            EqualizerBand(
                kind="high_shelf",
                frequency_hz=float(rng.uniform(6000.0, 11000.0)),
                gain_db=float(rng.uniform(-2.0, 3.0)),
            )
        )
    return bands


def _choose_levels(
    tracks: Sequence[RawTrack],
    heard: Mapping[str, _Levels],
    style_levels_db: Mapping[str, float],
    rng: np.random.Generator,
) -> dict[str, float]:
    """Chooses the loudness of every track in LUFS, around `conventions.STAGED_LUFS`."""
    median_db = float(np.median([heard[track.name].crest_db for track in tracks]))
    doubled = {track.double_of for track in tracks}
    levels = {}
    for track in tracks:
        crest_lu = conventions.CREST_SLOPE * (median_db - heard[track.name].crest_db)
        limit = conventions.CREST_LIMIT_LU
        level = conventions.STAGED_LUFS + float(np.clip(crest_lu, -limit, limit))
        level += conventions.LEVELS_LU.get(track.role, 0.0)
        level += style_levels_db.get(track.role, 0.0)
        level += float(rng.normal(0.0, conventions.SPREAD_DB))
        if track.double_of or track.name in doubled:
            level += conventions.PAIR_LU
        if track.second:
            level += conventions.SECOND_MICROPHONE_LU
        if track.lead and track.role != "lead vocal":
            level += conventions.SOLOIST_LU
        levels[track.name] = level
    lead = next((t.name for t in tracks if t.lead and t.role == "lead vocal"), None)
    others = [track.name for track in tracks if track.role != "lead vocal"]
    if lead is not None and others:
        levels[lead] = _lead_level(lead, others, levels, heard, rng)
        levels[lead] += style_levels_db.get("lead vocal", 0.0)
        for track in tracks:  # a voice that doubles the lead supports it
            if track.role == "lead vocal" and track.name != lead:
                levels[track.name] = levels[lead] - float(rng.uniform(5.0, 9.0))
    return levels


def _lead_level(
    lead: str,
    others: Sequence[str],
    levels: Mapping[str, float],
    heard: Mapping[str, _Levels],
    rng: np.random.Generator,
) -> float:
    """Chooses the level of the lead vocal, against all others together and above their median."""
    rest = np.zeros_like(heard[lead].energies)
    for name in others:  # different tracks are hardly correlated: their energies add up
        energies = heard[name].energies[: rest.size]
        rest[: energies.size] += energies * db_to_power(levels[name] - heard[name].lufs)
    below_lu = rng.normal(conventions.LEAD_BELOW_REST_LU, conventions.LEAD_SPREAD_LU)
    median = float(np.median([levels[name] for name in others]))
    return max(integrated_lufs(rest) + below_lu, median + conventions.LEAD_ABOVE_MEDIAN_LU)


def _add_reverb(
    console: ExactConsole, plan: MixPlan, tracks: Sequence[RawTrack], rng: np.random.Generator
) -> MixPlan:
    """Adds one shared space, with its return at the usual distance below the mix."""
    space, (shortest, longest) = _SPACES[int(rng.integers(len(_SPACES)))]
    bus = Bus(
        name=BUS,
        pre_delay_ms=float(rng.uniform(5.0, 45.0)),
        equalizer=EqualizerSettings(
            bands=(EqualizerBand(kind="high_pass", frequency_hz=float(rng.uniform(150.0, 300.0))),)
        ),
        space=SpaceSettings(space=space, decay=float(rng.uniform(shortest, longest)), wet=1.0),
    )
    below_lu = rng.normal(conventions.RETURN_BELOW_MIX_LU, conventions.RETURN_SPREAD_LU)
    sent = []
    for track in tracks:
        strip = plan.strip(track.name)
        if track.role in conventions.SENDS_DB:
            send_db = conventions.SENDS_DB[track.role] + float(rng.normal(0.0, 2.0))
            strip = replace(strip, sends=(Send(bus=BUS, gain_db=send_db),))
        sent.append(strip)
    if not any(strip.sends for strip in sent):
        return plan
    plan = replace(plan, tracks=tuple(sent), buses=(bus,))
    dry, wet = (LoudnessMeter(console.session.sample_rate, 2) for _ in range(2))
    for flow in console.flow(plan):
        wet.add(flow.returns[BUS].astype(np.float32))
        dry.add((flow.sum() - flow.returns[BUS]).astype(np.float32))
    gain_db = integrated_lufs(dry.energies) + below_lu - integrated_lufs(wet.energies)
    if not np.isfinite(gain_db):
        return plan
    return replace(plan, buses=(replace(bus, gain_db=float(np.clip(gain_db, -60.0, 48.0))),))
