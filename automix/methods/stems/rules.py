"""Rules for stems, from documented practice; the rules themselves are in the modules beside this.

basic: level and pan. full: also tone, dynamics, width and space, each of which can be left out.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.analysis.octave_bands import CENTERS_HZ
from automix.analysis.tempo import Tempo, TempoEstimator
from automix.audio.blocks import fold_block, pad
from automix.audio.streams import prefetch
from automix.consoles.exact import ExactConsole
from automix.dsp.pan import pan_gains
from automix.dsp.processors import active_inserts
from automix.errors import UsageError
from automix.methods.conditions import report_takes
from automix.methods.stems.advice import Advice, scale_cut_db, scale_pan, scale_ratio
from automix.methods.stems.alignment import apply_arrival, line_up
from automix.methods.stems.dynamics import (
    choose_compression,
    choose_gate,
    choose_glue,
)
from automix.methods.stems.filters import LOWEST_HZ, Cut, high_pass_hz, masking_cuts
from automix.methods.stems.hearing import (
    EQUAL_LUFS,
    NOISE_BELOW_LU,
    HeardTrack,
    describe_takes,
    hear_stems,
    parts,
)
from automix.methods.stems.levels import choose_pans, level_offsets, median_crest_db
from automix.methods.stems.rawness import LEAST, Rawness, song_rawness
from automix.methods.stems.sends import OFF_LU, SongFacts, add_buses, find_senders
from automix.methods.stems.settings import StemsRules
from automix.methods.stems.sources import find_sources, sum_lufs
from automix.methods.stems.tone import choose_tones
from automix.methods.stems.widths import CORNER_HZ, FINISHED_DB, choose_widths
from automix.methods.vocal.level_balance import gain_db_to_reach
from automix.parallel.workers import Workers, run_in_parallel
from automix.plan.model import MixPlan
from automix.plan.roles import ROLE_FAMILIES, Role
from automix.plan.settings import (
    EqualizerBand,
    SaturationSettings,
    WidenerSettings,
)
from automix.plan.writer import PlanWriter
from automix.units import db_to_gain, db_to_power, gain_to_db

NO_ADVICE: Mapping[str, Advice] = {}

_PROCESSED = (
    "most tracks are as wide as stems that were processed already, so full sets only levels and"
    " pans; with processed_side_db = 0 in a file given to --config it processes them once more"
)
_MOSTLY_RAW = 0.5
"""Songs that are less raw are ridden already, as far as their engineer wanted them to be."""

_MOST_CORRECTION_LU, _LEAST_CORRECTION_LU = 4.0, 0.1
_FADER_LIMIT_DB = 11.0
_FADER_REACH_DB = 7.0
"""Levels further from the others' are set by the input gain, so that faders stay within reach."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedSong:
    """What the steps of the rules share.

    Attributes:
        console: Of the session.
        writer: Takes the settings and the reasons.
        rules: Constants.
        heard: The audible tracks.
        roles: Role of each track.
        advice: How far to depart from the rules, for each audible track.
    """

    console: ExactConsole
    writer: PlanWriter
    rules: StemsRules
    heard: Mapping[str, HeardTrack]
    roles: Mapping[str, Role]
    advice: Mapping[str, Advice]

    def level_db(self, name: str) -> float:
        """Gain that a track has in the mix as it is planned now, before its processing."""
        strip = self.writer.plan.strip(name)
        return strip.input_gain_db + strip.fader_db

    def loudness_lufs(self) -> dict[str, float]:
        """Loudness of each audible track in the mix."""
        return {name: track.lufs + self.level_db(name) for name, track in self.heard.items()}


def write_plan(console: ExactConsole, writer: PlanWriter, rules: StemsRules) -> None:
    """Listens to the tracks and writes the plan.

    Args:
        console: Of the session.
        writer: Takes the settings and the reasons.
        rules: Constants, and the mode.
    """
    heard = hear_stems(console.session)
    line_up(console, writer, rules, heard)
    write_rules(console, writer, rules, heard)


def write_rules(
    console: ExactConsole,
    writer: PlanWriter,
    rules: StemsRules,
    heard: Mapping[str, HeardTrack],
    advice: Mapping[str, Advice] = NO_ADVICE,
) -> None:
    """Writes the plan from what was heard of the tracks of a session.

    Args:
        console: Of the session.
        writer: Takes the settings and the reasons.
        rules: Constants, and the mode.
        heard: What was measured of each track, by name; see `hear_stems`.
        advice: How far to depart from the rules, by track; for the others, not at all.

    Raises:
        UsageError: A track that is to stand out or back is not there.
    """
    names = [track.name for track in console.session.tracks]
    for name in rules.importances():
        if name not in names:
            raise UsageError(f"no track is named {name!r}; there are: {', '.join(names)}")
    report_takes(writer, describe_takes(console.session, heard))
    roles: dict[str, Role] = {track.name: track.role for track in console.session.tracks}
    # In the order of their names, so that the order of tracks cannot change a rounding.
    audible = dict(sorted(parts(heard).items()))
    if not audible:
        return
    song = PlannedSong(
        console=console,
        writer=writer,
        rules=rules,
        heard=audible,
        roles=roles,
        advice={name: advice.get(name, Advice()) for name in audible},
    )
    _set_levels(song)
    _leave_noise(song, heard)
    _set_pans(song)
    adds_up_otherwise = _adds_up_otherwise(song)
    if rules.mode == "full":
        raw = song_rawness(audible, roles, rules.processed_side_db)
        writer.is_finished = all(track.song < _MOSTLY_RAW for track in raw.values())
        if any(track.song >= LEAST for track in raw.values()):
            _process(song, raw, adds_up_otherwise)
            return
        writer.warn(_PROCESSED)
    if adds_up_otherwise:
        _correct_lead(song, _hear_sum(song, writer.plan, adds_up_otherwise).lead_lu)


def _process(song: PlannedSong, raw: Mapping[str, Rawness], adds_up_otherwise: bool) -> None:
    """Sets everything that is not level and pan, and the lead by how the tracks add up."""
    rules, writer = song.rules, song.writer
    levels = song.loudness_lufs()  # later, faders also make up for what processors take
    importances = rules.importances()
    senders = {} if rules.no_space else find_senders(raw, song.roles, song.advice, importances)
    with Workers(2) as workers:
        # Of the plan as it is now, beside what follows.
        is_wanted = bool(senders) or adds_up_otherwise
        hear_sum = partial(_hear_sum, song, adds_up_otherwise=adds_up_otherwise)
        summed = workers.start(hear_sum, writer.plan) if is_wanted else None
        if not rules.no_tone:
            _filter(song, raw)
            _set_tones(song, raw)
        if not rules.no_dynamics:
            _set_dynamics(song, raw)
        if not rules.no_width:
            _widen(song, raw)
        _restore_levels(song)
    heard_sum = summed() if summed is not None else _Sum(tempo=None, lead_lu=0.0)
    _correct_lead(song, heard_sum.lead_lu)
    drums = {} if rules.no_dynamics else _find_parallel(song, raw)
    facts = SongFacts(
        tempo=heard_sum.tempo,
        kit_lufs=sum_lufs(song.heard, list(drums), levels),
    )
    add_buses(song.console, writer, senders, drums, rules, facts)
    if not rules.no_dynamics:
        _glue(song, raw, sum_lufs(song.heard, list(levels), levels))


def _adds_up_otherwise(song: PlannedSong) -> bool:
    """Whether tracks of one source may add up to another loudness than unrelated tracks do."""
    if not any(song.roles[name] == "lead vocal" for name in song.heard):
        return False
    return len(find_sources(song.heard, song.roles)) < len(song.heard)


def _set_levels(song: PlannedSong) -> None:
    heard, writer = song.heard, song.writer
    median_db = median_crest_db(heard)
    for name, offset in level_offsets(heard, song.roles, song.rules).items():
        advice = song.advice[name]
        reason = offset.reason
        if advice.level_lu:
            reason += f", {advice.level_lu:+.1f} LU {advice.source}"
        wanted = offset.sum_lu + advice.level_lu
        on_fader = float(np.clip(wanted, -_FADER_REACH_DB, _FADER_REACH_DB))
        track = heard[name]
        staged_lufs = EQUAL_LUFS + wanted - on_fader
        input_db = gain_db_to_reach(track.energies, staged_lufs)
        writer.set(
            name,
            "input_gain_db",
            input_db,
            "gain staging",
            f"to {staged_lufs:.1f} LUFS before the processors and the fader",
            track_lufs=track.lufs,
        )
        writer.set(
            name,
            "fader_db",
            gain_db_to_reach(track.energies, EQUAL_LUFS + wanted) - input_db,
            "level",
            reason,
            crest_db=track.crest_db,
            median_crest_db=median_db,
        )


def _leave_noise(song: PlannedSong, heard: Mapping[str, HeardTrack]) -> None:
    """Keeps what is no part of the song as far below the others as it was."""
    writer = song.writer
    change_db = float(np.median([song.level_db(name) for name in song.heard]))
    for name, track in heard.items():
        if name in song.heard or track.is_silent:
            continue
        reason = "taken for noise: moved as much as the other tracks"
        writer.set(name, "input_gain_db", change_db, "level", reason, track_lufs=track.lufs)
        writer.warn(
            f"{name}: {track.lufs:.0f} LUFS, over {NOISE_BELOW_LU:.0f} LU below the other tracks,"
            f" is taken for noise and not raised; --set '{name}.fader_db=…' raises it"
        )


def _set_pans(song: PlannedSong) -> None:
    heard, writer = song.heard, song.writer
    for name, position in choose_pans(heard, song.roles, song.rules).items():
        reason = "mirrored with its neighbor in frequency, further out the higher"
        advice = song.advice[name]
        if advice.width != 1.0:
            position = scale_pan(position, advice.width)
            reason += f"; × {advice.width:.2f} {advice.source}"
        if position != 0.5:
            writer.set(
                name,
                "pan",
                position,
                "panning",
                reason,
                centroid_octaves=heard[name].centroid_octaves,
                low_share=heard[name].low_share,
            )


@dataclass(frozen=True, kw_only=True)
class _Sum:
    """What was heard of the sum of all tracks at their levels.

    Attributes:
        tempo: If one was found.
        lead_lu: By how much the lead must rise to stand where it is meant to: microphones of one
            source and doubles add up to more, or less, than unrelated tracks do.
    """

    tempo: Tempo | None
    lead_lu: float


def _hear_sum(song: PlannedSong, plan: MixPlan, adds_up_otherwise: bool) -> _Sum:
    """Hears the sum of the tracks at the gains of a plan, none of them panned.

    The lead is corrected only where tracks may add up otherwise than unrelated ones do.
    """
    session = song.console.session
    strips = {name: plan.strip(name) for name in song.heard}  # in the order of their names
    gains = {
        name: db_to_gain(strip.input_gain_db + strip.fader_db) for name, strip in strips.items()
    }
    leads = {name for name in gains if song.roles[name] == "lead vocal"}
    estimator = TempoEstimator(session.sample_rate)
    meters = [LoudnessMeter(session.sample_rate, 2) for _ in (0, 1)]  # of the others, of the lead
    sources = {name: apply_arrival(session.track(name).source, strips[name]) for name in gains}
    flows = {name: pad(source, session.frames).blocks() for name, source in sources.items()}
    for blocks in prefetch(zip(*flows.values(), strict=True)):
        sums = np.zeros((2, 2, blocks[0].shape[1]), np.float32)
        for name, block in zip(flows, blocks, strict=True):
            gain = gains[name] / math.sqrt(2 / len(block))  # mono is as loud on two sides
            sums[int(name in leads)] += np.float32(gain) * block
        if adds_up_otherwise:
            for meter, signal in zip(meters, sums, strict=True):
                meter.add(signal)
        if song.rules.mode == "full":
            estimator.add(fold_block(sums[0] + sums[1]))
    lead_lu = 0.0
    if adds_up_otherwise and len(leads) < len(gains):
        levels = {name: song.heard[name].lufs + gain_to_db(gain) for name, gain in gains.items()}
        others = [name for name in gains if name not in leads]
        meant = sum_lufs(song.heard, list(leads), levels) - sum_lufs(song.heard, others, levels)
        found = integrated_lufs(meters[1].energies) - integrated_lufs(meters[0].energies)
        if math.isfinite(meant) and math.isfinite(found):
            lead_lu = float(np.clip(meant - found, -_MOST_CORRECTION_LU, _MOST_CORRECTION_LU))
    tempo = estimator.estimate() if song.rules.mode == "full" else None
    return _Sum(tempo=tempo, lead_lu=lead_lu)


def _correct_lead(song: PlannedSong, lead_lu: float) -> None:
    """Moves the lead to where it stands against the sum of the others as that sounds."""
    if abs(lead_lu) < _LEAST_CORRECTION_LU:
        return
    writer = song.writer
    for name in song.heard:
        if song.roles[name] == "lead vocal":
            before = writer.decision(f"{name}.fader_db")
            writer.set(
                name,
                "fader_db",
                writer.plan.strip(name).fader_db + lead_lu,
                before.rule,
                f"{before.reason}, {lead_lu:+.1f} LU for how the others add up",
                **{**dict(before.figures), "added_up_lu": lead_lu},
            )


def _filter(song: PlannedSong, raw: Mapping[str, Rawness]) -> None:
    """High passes, and cuts that make way for other tracks."""
    heard, writer = song.heard, song.writer
    names = sorted(heard)
    cuts_of = find_cuts(heard, song.roles, {name: song.level_db(name) for name in names})
    for name in names:
        if raw[name].share < LEAST:
            continue
        figures = {"side_db": raw[name].side_db, "rawness": raw[name].share}
        corner = high_pass_hz(song.roles[name], heard[name].band_powers)
        if corner is not None:
            corner_hz, because = corner
            amount, why = raw[name].amount(Advice())
            corner_hz = LOWEST_HZ * (corner_hz / LOWEST_HZ) ** amount
            path = writer.add_band(name, EqualizerBand(kind="high_pass", frequency_hz=corner_hz))
            reason = f"{because}{why}"
            writer.decide(f"{path}.frequency_hz", corner_hz, "high pass", reason, **figures)
        amount, why = raw[name].amount(song.advice[name])
        for cut in cuts_of[name]:
            center_hz = CENTERS_HZ[cut.band]
            gain_db = scale_cut_db(cut.gain_db, amount)
            band = EqualizerBand(frequency_hz=center_hz, gain_db=gain_db, q=1.0)
            writer.decide(
                f"{writer.add_band(name, band)}.gain_db",
                gain_db,
                "unmasking",
                f"gives way to {names[cut.masked]}, for which this band is essential{why}",
                center_hz=center_hz,
                excess_db=cut.excess_db,
                **figures,
            )


def find_cuts(
    heard: Mapping[str, HeardTrack], roles: Mapping[str, Role], levels_db: Mapping[str, float]
) -> dict[str, list[Cut]]:
    """Cuts by track, in which ``masked`` counts the names in alphabetical order.

    Args:
        heard: Measurements of the audible tracks.
        roles: Role of each.
        levels_db: Gain of each in the mix.
    """
    names = sorted(heard)
    with np.errstate(divide="ignore"):
        matrix = np.array(
            [10 * np.log10(heard[name].band_powers) + levels_db[name] for name in names]
        )
    return dict(zip(names, masking_cuts(matrix, [roles[name] for name in names]), strict=True))


def _set_tones(song: PlannedSong, raw: Mapping[str, Rawness]) -> None:
    heard, writer, rules = song.heard, song.writer, song.rules
    strips = {name: writer.plan.strip(name) for name in heard}
    brighter = f"; {rules.brightness_db:+g} dB of brightness" if rules.brightness_db else ""
    for tone in choose_tones(heard, song.roles, strips, rules.tone, rules.brightness_db):
        for name in tone.names:
            amount, why = raw[name].amount(Advice())
            if amount < LEAST:
                continue
            for band in tone.bands:
                lacking_db = tone.lacking_at(band.frequency_hz)
                gain_db = band.gain_db * min(amount, 1.0)
                path = writer.add_band(name, replace(band, gain_db=gain_db))
                writer.decide(
                    f"{path}.gain_db",
                    gain_db,
                    "tone",
                    f"{abs(lacking_db):.0f} dB {'less' if lacking_db > 0.0 else 'more'} around"
                    f" {_frequency(band.frequency_hz)} than in the {tone.kind} of finished songs"
                    f"{brighter}{why}",
                    lacking_db=lacking_db,
                    rawness=raw[name].share,
                )


def _frequency(hertz: float) -> str:
    return f"{hertz / 1000:.2g} kHz" if hertz >= 1000.0 else f"{hertz:.0f} Hz"


def _set_dynamics(song: PlannedSong, raw: Mapping[str, Rawness]) -> None:
    writer, rules = song.writer, song.rules
    for name, track in song.heard.items():
        if raw[name].share < LEAST:
            continue
        role = song.roles[name]
        staged_lufs = track.lufs + writer.plan.strip(name).input_gain_db
        gate = choose_gate(role, track, staged_lufs)
        if gate is not None:
            settings, noise = gate
            writer.change(name, gate=settings)
            for field in ("threshold_db", "range_db"):
                writer.decide(
                    f"{name}.gate.{field}",
                    getattr(settings, field),
                    "gate",
                    f"noise or bleed {noise.below_db:.0f} dB below the track in"
                    f" {100 * noise.resting:.0f} % of the time",
                    noise_below_db=noise.below_db,
                    rawness=raw[name].share,
                )
        amount, why = raw[name].amount(song.advice[name])
        compressor = choose_compression(role, track.crest_db, rules.compression)
        if compressor is not None:
            compressor = replace(
                compressor,
                threshold_db=min(compressor.threshold_db + staged_lufs - EQUAL_LUFS, -1.0),
                ratio=scale_ratio(compressor.ratio, amount),
            )
            writer.change(name, compressor=compressor)
            reason = f"crest factor {track.crest_db:.1f} dB"
            for field in ("threshold_db", "ratio", "attack_ms", "release_ms"):
                writer.decide(
                    f"{name}.compressor.{field}",
                    getattr(compressor, field),
                    "compression",
                    reason + why if field == "ratio" else reason,
                    crest_db=track.crest_db,
                    loudness_range_lu=track.loudness_range_lu,
                    side_db=raw[name].side_db,
                    rawness=raw[name].share,
                )
        family = ROLE_FAMILIES[role]
        if rules.saturation_db > 0.0 and family in ("bass", "drums"):
            drive_db = rules.saturation_db * min(amount, 1.0)
            writer.change(name, saturation=SaturationSettings(drive_db=drive_db, mix=0.5))
            writer.decide(f"{name}.saturation.drive_db", drive_db, "saturation", f"for {family}")


def _widen(song: PlannedSong, raw: Mapping[str, Rawness]) -> None:
    writer, rules = song.writer, song.rules
    widths = choose_widths(
        song.heard,
        {name: writer.plan.strip(name) for name in song.heard},
        song.roles,
        writer.plan.pan_law,
        rules.sides_db,
        OFF_LU if rules.no_space else rules.sends_below_mix_lu,
    )
    before_db, after_db, finished_db = (
        float(np.median(levels[2:]))  # above 250 Hz
        for levels in (widths.before_db, widths.after_db, FINISHED_DB)
    )
    for name, side_db in widths.side_db.items():
        side_db += gain_to_db(raw[name].song) + gain_to_db(song.advice[name].width)
        if side_db < -30.0:
            continue
        side_db = min(side_db, 0.0)
        writer.change(name, widener=WidenerSettings(side_db=side_db, corner_hz=CORNER_HZ))
        writer.decide(
            f"{name}.widener.side_db",
            side_db,
            "width",
            f"so that the sides of the mix against its middle come from {before_db:.0f} to"
            f" {after_db:.0f} dB; finished mixes: {finished_db:.0f} dB",
            side_db=raw[name].side_db,
        )


def _find_parallel(song: PlannedSong, raw: Mapping[str, Rawness]) -> dict[str, float]:
    """The drums that are compressed in parallel, with the share of each that is raw."""
    if song.rules.compression == 0.0:
        return {}
    found = {
        name: raw[name].share * min(song.advice[name].processing, 1.0)
        for name in song.heard
        if ROLE_FAMILIES[song.roles[name]] == "drums" and raw[name].share >= 0.25
    }
    return {name: share for name, share in found.items() if share >= 0.25}


def _glue(song: PlannedSong, raw: Mapping[str, Rawness], mix_lufs: float) -> None:
    """A gentle compressor on the master."""
    share = next(iter(raw.values())).song
    settings = choose_glue(mix_lufs, share * song.rules.compression)
    if settings is None:
        return
    writer = song.writer
    writer.plan = replace(writer.plan, master=replace(writer.plan.master, compressor=settings))
    for field in ("threshold_db", "ratio"):
        writer.decide(
            f"master.compressor.{field}",
            getattr(settings, field),
            "bus compression",
            f"holds the mix ({mix_lufs:.1f} LUFS) together",
            mix_lufs=mix_lufs,
        )


def _restore_levels(song: PlannedSong) -> None:
    """Gives back the loudness that the processors have changed."""
    console, writer, heard = song.console, song.writer, song.heard

    def process(name: str) -> NDArray[np.float64] | None:
        strip = writer.plan.strip(name)
        if not active_inserts(strip):
            return None
        source = console.inserted(strip, writer.plan.pan_law)
        meter = LoudnessMeter(source.sample_rate, source.channels)
        for block in source.blocks():
            meter.add(block)
        if source.channels == console.source(strip).channels:
            return meter.energies
        # Two sides that the inserts made have the level of the pan law's center already.
        return meter.energies / (2.0 * pan_gains(0.5, writer.plan.pan_law)[0] ** 2)

    for (name, track), energies in zip(heard.items(), run_in_parallel(process, heard), strict=True):
        if energies is None:
            continue
        wanted_lufs = integrated_lufs(track.energies * db_to_power(song.level_db(name)))
        before = writer.decision(f"{name}.fader_db")
        fader_db = gain_db_to_reach(energies, wanted_lufs)
        compressor = writer.plan.strip(name).compressor
        excess_db = fader_db - float(np.clip(fader_db, -_FADER_LIMIT_DB, _FADER_LIMIT_DB))
        if excess_db and compressor.compresses:
            writer.change(name, compressor=replace(compressor, makeup_db=excess_db))
            reason = "what is beyond the reach of the fader"
            writer.decide(f"{name}.compressor.makeup_db", excess_db, "compression", reason)
            fader_db -= excess_db
        writer.set(
            name,
            "fader_db",
            fader_db,
            before.rule,
            f"{before.reason}, after the processors",
            **dict(before.figures),
            processed_lufs=integrated_lufs(energies),
        )
