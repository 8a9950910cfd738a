"""Rules for stems, from documented practice; the rules themselves are in the modules beside this.

basic: level and pan. full: also high pass, masking equalizer, compressor, and a shared reverb.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.analysis.tempo import Tempo, TempoEstimator
from automix.audio.blocks import fold_block
from automix.audio.streams import prefetch
from automix.consoles.exact import ExactConsole
from automix.methods.conditions import report_conditions
from automix.methods.stems.advice import Advice, scale_cut_db, scale_pan, scale_ratio
from automix.methods.stems.baselines import set_loudness
from automix.methods.stems.hearing import NOISE_BELOW_LU, HeardTrack, hear_stems, parts
from automix.methods.stems.levels import choose_pans, level_offsets, median_crest_db
from automix.methods.stems.processing import (
    LOWEST_HZ,
    compression,
    high_pass_hz,
    masking_cuts,
)
from automix.methods.stems.rawness import LEAST, Rawness, song_rawness
from automix.methods.stems.reverb import add_shared_reverb, senders
from automix.methods.stems.settings import StemsRules
from automix.methods.vocal.level_balance import gain_db_to_reach
from automix.parallel.workers import Workers, run_in_parallel
from automix.plan.model import MixPlan
from automix.plan.roles import Role
from automix.plan.settings import EqualizerBand
from automix.plan.writer import PlanWriter
from automix.units import db_to_power, gain_to_db

NO_ADVICE: Mapping[str, Advice] = {}

_PROCESSED = (
    "most tracks are as wide as stems that were processed already, so full sets only levels and"
    " pans; with processed_side_db = 0 in a file given to --config it processes them once more"
)


def write_plan(console: ExactConsole, writer: PlanWriter, rules: StemsRules) -> None:
    """Listens to the tracks and writes the plan.

    Args:
        console: Of the session.
        writer: Takes the settings and the reasons.
        rules: Constants, and the mode.
    """
    heard = hear_stems(console.session)
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
    """
    for name, track in heard.items():
        report_conditions(writer, name, track.conditions)
    roles: dict[str, Role] = {track.name: track.role for track in console.session.tracks}
    audible = parts(heard)
    if not audible:
        return
    advice = {name: advice.get(name, Advice()) for name in audible}
    _set_levels(writer, audible, roles, rules, advice)
    _leave_noise(writer, heard, audible)
    _set_pans(writer, audible, roles, rules, advice)
    if rules.mode == "full":
        raw = song_rawness(audible, rules.processed_side_db)
        if all(track.song < LEAST for track in raw.values()):
            writer.warn(_PROCESSED)
        sending = senders(raw, roles, advice)
        with Workers(2) as workers:
            # Of the plan as it is now, beside what follows.
            tempo = workers.start(partial(_tempo, console), writer.plan) if sending else None
            _equalize(writer, audible, raw, advice)
            _compress(writer, audible, raw, advice)
            _restore_levels(console, writer, audible)
        if tempo is not None:
            add_shared_reverb(console, writer, sending, rules.sends_below_mix_lu, tempo())


def _set_levels(
    writer: PlanWriter,
    heard: Mapping[str, HeardTrack],
    roles: Mapping[str, Role],
    rules: StemsRules,
    advice: Mapping[str, Advice],
) -> None:
    median_db = median_crest_db(heard)
    for name, offset in level_offsets(heard, roles, rules).items():
        reason = f"{offset.crest_lu:+.1f} LU for its crest factor"
        if offset.lead_lu:
            reason += f", {offset.lead_lu:+.1f} LU as the lead vocal"
        if advice[name].level_lu:
            reason += f", {advice[name].level_lu:+.1f} LU {advice[name].source}"
        set_loudness(
            writer,
            name,
            heard[name],
            offset.sum_lu + advice[name].level_lu,
            "level",
            reason,
            crest_db=heard[name].crest_db,
            median_crest_db=median_db,
        )


def _leave_noise(
    writer: PlanWriter, heard: Mapping[str, HeardTrack], audible: Mapping[str, HeardTrack]
) -> None:
    """Keeps what is no part of the song as far below the others as it was."""
    change_db = float(np.median([writer.plan.strip(name).fader_db for name in audible]))
    for name, track in heard.items():
        if name in audible or track.is_silent:
            continue
        reason = "taken for noise: moved as much as the other tracks"
        writer.set(name, "fader_db", change_db, "level", reason, track_lufs=track.lufs)
        writer.warn(
            f"{name}: {track.lufs:.0f} LUFS, over {NOISE_BELOW_LU:.0f} LU below the other tracks,"
            f" is taken for noise and not raised; --set '{name}.fader_db=…' raises it"
        )


def _set_pans(
    writer: PlanWriter,
    heard: Mapping[str, HeardTrack],
    roles: Mapping[str, Role],
    rules: StemsRules,
    advice: Mapping[str, Advice],
) -> None:
    for name, position in choose_pans(heard, roles, rules).items():
        reason = "mirrored with its neighbor in frequency, further out the higher"
        if advice[name].width != 1.0:
            position = scale_pan(position, advice[name].width)
            reason += f"; × {advice[name].width:.2f} {advice[name].source}"
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


def _tempo(console: ExactConsole, plan: MixPlan) -> Tempo | None:
    estimator = TempoEstimator(console.session.sample_rate)
    for flow in prefetch(console.flow(plan)):
        estimator.add(fold_block(flow.sum().astype(np.float32)))
    return estimator.estimate()


def _equalize(
    writer: PlanWriter,
    heard: Mapping[str, HeardTrack],
    raw: Mapping[str, Rawness],
    advice: Mapping[str, Advice],
) -> None:
    names = sorted(heard)
    bands = min(len(heard[name].centers_hz) for name in names)
    with np.errstate(divide="ignore"):
        levels_db = np.array(
            [
                10 * np.log10(heard[name].band_powers[:bands]) + writer.plan.strip(name).fader_db
                for name in names
            ]
        )
    for name, cuts in zip(names, masking_cuts(levels_db), strict=True):
        if raw[name].share < LEAST:
            continue
        figures = {"side_db": raw[name].side_db, "rawness": raw[name].share}
        corner_hz = high_pass_hz(heard[name].band_powers, heard[name].centers_hz)
        if corner_hz is not None:
            amount, why = raw[name].amount(Advice())
            corner_hz = LOWEST_HZ * (corner_hz / LOWEST_HZ) ** amount
            path = writer.add_band(name, EqualizerBand(kind="high_pass", frequency_hz=corner_hz))
            reason = f"an octave below the track's lowest strong band{why}"
            writer.decide(f"{path}.frequency_hz", corner_hz, "high pass", reason, **figures)
        amount, why = raw[name].amount(advice[name])
        for cut in cuts:
            center_hz = heard[name].centers_hz[cut.band]
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


def _compress(
    writer: PlanWriter,
    heard: Mapping[str, HeardTrack],
    raw: Mapping[str, Rawness],
    advice: Mapping[str, Advice],
) -> None:
    for name, track in heard.items():
        peak_db = gain_to_db(track.conditions.sample_peak)
        settings = compression(track.crest_db, track.loudness_range_lu, peak_db)
        if settings is None or raw[name].share < LEAST:
            continue
        amount, why = raw[name].amount(advice[name])
        settings = replace(settings, ratio=scale_ratio(settings.ratio, amount))
        writer.change(name, compressor=settings)
        reason = f"loudness range {track.loudness_range_lu:.1f} LU, crest {track.crest_db:.1f} dB"
        for field in ("threshold_db", "ratio", "attack_ms", "release_ms"):
            writer.decide(
                f"{name}.compressor.{field}",
                getattr(settings, field),
                "compression",
                reason + why if field == "ratio" else reason,
                loudness_range_lu=track.loudness_range_lu,
                crest_db=track.crest_db,
                peak_db=peak_db,
                side_db=raw[name].side_db,
                rawness=raw[name].share,
            )


def _restore_levels(
    console: ExactConsole, writer: PlanWriter, heard: Mapping[str, HeardTrack]
) -> None:
    """Gives back the loudness that equalizer and compressor have changed."""

    def process(name: str) -> NDArray[np.float64] | None:
        strip = writer.plan.strip(name)
        source = console.inserted(strip, writer.plan.pan_law)
        if source is console.source(strip):
            return None
        meter = LoudnessMeter(source.sample_rate, source.channels)
        for block in source.blocks():
            meter.add(block)
        return meter.energies

    for (name, track), energies in zip(heard.items(), run_in_parallel(process, heard), strict=True):
        if energies is None:
            continue
        strip = writer.plan.strip(name)
        aim_lufs = integrated_lufs(track.energies * db_to_power(strip.fader_db))
        before = writer.decision(f"{name}.fader_db")
        writer.set(
            name,
            "fader_db",
            gain_db_to_reach(energies, aim_lufs),
            before.rule,
            f"{before.reason}, after equalizer and compressor",
            **dict(before.figures),
            processed_lufs=integrated_lufs(energies),
        )
