"""Rules for stems, from documented practice; the rules themselves are in the modules beside this.

basic: level and pan. full: also high pass, masking equalizer, compressor, and a shared reverb.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from automix.analysis.loudness import EnergyMatrixMeter, LoudnessMeter, integrated_lufs
from automix.analysis.tempo import Tempo, TempoEstimator
from automix.consoles.exact import ExactConsole
from automix.files import mono_fold
from automix.methods.level_balance import gain_db_to_reach, lufs
from automix.methods.stems_advice import Advice
from automix.methods.stems_baselines import set_loudness
from automix.methods.stems_hearing import HeardTrack, hear_stems
from automix.methods.stems_levels import level_offsets, median_crest_db, panned
from automix.methods.stems_processing import (
    HIGHEST_RATIO,
    LARGEST_CUT_DB,
    SENDS_DB,
    compression,
    high_pass_hz,
    masking_cuts,
)
from automix.methods.stems_settings import StemsRules
from automix.methods.tempo_reverb import reverberation_time_s
from automix.methods.vocal_settings import PAPER
from automix.methods.writing import PlanWriter
from automix.plan import Bus, Send
from automix.roles import Role
from automix.settings import EqualizerBand, EqualizerSettings, FdnReverbSettings
from automix.streams import prefetched
from automix.units import db_to_gain, db_to_power, gain_to_db
from automix.workers import in_parallel

BUS = "reverb"
_DRY_SIDE_SHARE = 1e-2


NO_ADVICE: Mapping[str, Advice] = {}


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
        heard: See `hear_stems`.
        advice: How far to depart from the rules, by track; for the others, not at all.
    """
    for name, track in heard.items():
        writer.report_conditions(name, track.conditions)
    roles: dict[str, Role] = {track.name: track.role for track in console.session.tracks}
    audible = {name: track for name, track in heard.items() if not track.is_silent}
    if not audible:
        return
    advice = {name: advice.get(name, Advice()) for name in audible}
    _set_levels(writer, audible, roles, rules, advice)
    _set_pans(writer, audible, roles, rules, advice)
    if rules.mode == "full":
        tempo = _tempo(console, writer)
        _equalize(writer, audible, advice)
        _compress(writer, audible, advice)
        _restore_levels(console, writer, audible)
        _reverberate(console, writer, audible, roles, rules, tempo, advice)


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


def _set_pans(
    writer: PlanWriter,
    heard: Mapping[str, HeardTrack],
    roles: Mapping[str, Role],
    rules: StemsRules,
    advice: Mapping[str, Advice],
) -> None:
    for name, position in panned(heard, roles, rules).items():
        reason = "mirrored with its neighbor in frequency, further out the higher"
        if advice[name].width != 1.0:
            position = advice[name].widened(position)
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


def _tempo(console: ExactConsole, writer: PlanWriter) -> Tempo | None:
    estimator = TempoEstimator(console.session.sample_rate)
    for flow in prefetched(console.flow(writer.plan)):
        estimator.add(mono_fold(flow.sum().astype(np.float32)))
    return estimator.estimate()


def _equalize(
    writer: PlanWriter, heard: Mapping[str, HeardTrack], advice: Mapping[str, Advice]
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
        corner_hz = high_pass_hz(heard[name].band_powers, heard[name].centers_hz)
        if corner_hz is not None:
            path = writer.add_band(name, EqualizerBand(kind="high_pass", frequency_hz=corner_hz))
            reason = "an octave below the track's lowest strong band"
            writer.decide(f"{path}.frequency_hz", corner_hz, "high pass", reason)
        for cut in cuts:
            center_hz = heard[name].centers_hz[cut.band]
            gain_db = max(cut.gain_db * advice[name].processing, -LARGEST_CUT_DB)
            band = EqualizerBand(frequency_hz=center_hz, gain_db=gain_db, q=1.0)
            writer.decide(
                f"{writer.add_band(name, band)}.gain_db",
                gain_db,
                "unmasking",
                f"gives way to {names[cut.masked]}, for which this band is essential",
                center_hz=center_hz,
                excess_db=cut.excess_db,
            )


def _compress(
    writer: PlanWriter, heard: Mapping[str, HeardTrack], advice: Mapping[str, Advice]
) -> None:
    for name, track in heard.items():
        peak_db = gain_to_db(track.conditions.sample_peak)
        settings = compression(track.crest_db, track.loudness_range_lu, peak_db)
        if settings is None:
            continue
        ratio = min(1.0 + (settings.ratio - 1.0) * advice[name].processing, HIGHEST_RATIO)
        settings = replace(settings, ratio=ratio)
        writer.change(name, compressor=settings)
        for field in ("threshold_db", "ratio", "attack_ms", "release_ms"):
            writer.decide(
                f"{name}.compressor.{field}",
                getattr(settings, field),
                "compression",
                f"loudness range {track.loudness_range_lu:.1f} LU, crest {track.crest_db:.1f} dB",
                loudness_range_lu=track.loudness_range_lu,
                crest_db=track.crest_db,
                peak_db=peak_db,
            )


def _restore_levels(
    console: ExactConsole, writer: PlanWriter, heard: Mapping[str, HeardTrack]
) -> None:
    """Gives back the loudness that equalizer and compressor have changed."""

    def processed(name: str) -> NDArray[np.float64] | None:
        strip = writer.plan.strip(name)
        source = console.inserted(strip, writer.plan.pan_law)
        if source is console.source(strip):
            return None
        meter = LoudnessMeter(source.sample_rate, source.channels)
        for block in source.blocks():
            meter.add(block)
        return meter.energies

    for (name, track), energies in zip(heard.items(), in_parallel(processed, heard), strict=True):
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


def _reverberate(
    console: ExactConsole,
    writer: PlanWriter,
    heard: Mapping[str, HeardTrack],
    roles: Mapping[str, Role],
    rules: StemsRules,
    tempo: Tempo | None,
    advice: Mapping[str, Advice],
) -> None:
    # A track that is wide already brings its own space.
    sending = [
        name
        for name, track in heard.items()
        if roles[name] in SENDS_DB and track.side_share < _DRY_SIDE_SHARE
    ]
    if not sending:
        return
    time_s = PAPER.reverb.reverberation_time_s if tempo is None else reverberation_time_s(tempo.bpm)
    low_cut = EqualizerSettings(bands=(EqualizerBand(kind="high_pass", frequency_hz=200.0),))
    reverb = FdnReverbSettings(reverberation_time_s=time_s, dry_wet=1.0)
    writer.add_bus(Bus(name=BUS, pre_delay_ms=20.0, equalizer=low_cut, reverb=reverb))
    writer.decide(
        f"{BUS}.reverb.reverberation_time_s",
        time_s,
        "tempo reverb",
        "no tempo was found: the mean of published data"
        if tempo is None
        else f"RT = −T/45 + 40/9 at {tempo.bpm:.1f} BPM (measured)",
        **({} if tempo is None else {"tempo_bpm": tempo.bpm, "confidence": tempo.confidence}),
    )
    for name in sending:
        send_db = SENDS_DB[roles[name]]
        writer.change(name, sends=(Send(bus=BUS, gain_db=send_db),))
        writer.decide(f"{name}.sends.1.gain_db", send_db, "send by role", roles[name])
    meter = EnergyMatrixMeter(console.session.sample_rate, 2)
    for flow in prefetched(console.flow(writer.plan)):
        wet = flow.returns[BUS]
        meter.add(np.stack([flow.sum() - wet, wet]))
    _set_return(writer, meter, rules)
    for name in sending:  # only now: the return would make up for what advice takes away
        if advice[name].processing != 1.0:
            send_db = SENDS_DB[roles[name]] + gain_to_db(advice[name].processing)
            writer.change(name, sends=(Send(bus=BUS, gain_db=send_db),))
            reason = f"{roles[name]}; × {advice[name].processing:.2f} {advice[name].source}"
            writer.decide(f"{name}.sends.1.gain_db", send_db, "send by role", reason)


def _set_return(writer: PlanWriter, meter: EnergyMatrixMeter, rules: StemsRules) -> None:
    gain_db = 0.0
    for _ in range(20):
        gain = db_to_gain(gain_db)
        mix, wet = lufs(meter.matrix, (1.0, gain)), lufs(meter.matrix, (0.0, gain))
        if not (math.isfinite(mix) and math.isfinite(wet)):
            return
        gain_db += mix - rules.sends_below_mix_lu - wet
    writer.set(
        BUS,
        "gain_db",
        gain_db,
        "reverb return",
        f"return {rules.sends_below_mix_lu:g} LU below the mix (De Man et al. 2017)",
        below_mix_lu=rules.sends_below_mix_lu,
    )
