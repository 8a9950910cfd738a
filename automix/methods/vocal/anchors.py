"""Anchors to compare vocal mixes with: random settings, and the plain sum."""

from dataclasses import replace

import numpy as np

from automix.analysis.conditions import Conditions, find_conditions
from automix.analysis.octave_bands import band_centers_hz
from automix.consoles.exact import ExactConsole
from automix.dsp.pan import pan_gains
from automix.methods.conditions import report_conditions
from automix.methods.vocal.rules import balance, normalize_peak
from automix.methods.vocal.settings import VocalRules
from automix.plan.parameters import parameters
from automix.plan.settings import CompressorSettings, EqualizerBand, FdnReverbSettings
from automix.plan.writer import PlanWriter
from automix.units import gain_to_db

_EQUALIZER_LIMIT_DB = 15.0
_RELATIVE_LOUDNESS_LIMIT_LU = 6.0


def write_random_plan(console: ExactConsole, writer: PlanWriter, rules: VocalRules) -> None:
    """Settings drawn uniformly from their ranges: the low anchor of Li & Lerch, section IV-C.

    Four of the octave bands get a gain within ±15 dB (the range of the paper's random
    equalization); threshold, ratio and the ten reverb parameters are uniform in their ranges, the
    vocal is within ±6 LU of the backing. The plan's seed decides everything.
    """
    draw = np.random.default_rng(writer.plan.seed)
    name = console.session.with_role("lead vocal").name
    if _report(console, writer, repair=True)[name].silent:
        return
    centers = band_centers_hz(console.session.sample_rate)
    for band in sorted(draw.choice(len(centers), size=min(4, len(centers)), replace=False)):
        gain_db = float(draw.uniform(-_EQUALIZER_LIMIT_DB, _EQUALIZER_LIMIT_DB))
        path = writer.add_band(
            name, EqualizerBand(frequency_hz=centers[band], gain_db=gain_db, q=rules.filter_q)
        )
        writer.decide(f"{path}.gain_db", gain_db, "random", "uniform within ±15 dB")
    normalize_peak(console, writer, name)
    compressor = CompressorSettings(
        threshold_db=_uniform(draw, CompressorSettings, "threshold_db"),
        ratio=_uniform(draw, CompressorSettings, "ratio"),
        attack_ms=30.0,
        release_ms=150.0,
    )
    reverb = FdnReverbSettings(
        reverberation_time_s=_uniform(draw, FdnReverbSettings, "reverberation_time_s"),
        fade_in_time_s=_uniform(draw, FdnReverbSettings, "fade_in_time_s"),
        room_size=_uniform(draw, FdnReverbSettings, "room_size"),
        dry_wet=_uniform(draw, FdnReverbSettings, "dry_wet"),
        low_cutoff_hz=_uniform(draw, FdnReverbSettings, "low_cutoff_hz"),
        low_q=_uniform(draw, FdnReverbSettings, "low_q"),
        low_gain_db_s=_uniform(draw, FdnReverbSettings, "low_gain_db_s"),
        high_cutoff_hz=_uniform(draw, FdnReverbSettings, "high_cutoff_hz"),
        high_q=_uniform(draw, FdnReverbSettings, "high_q"),
        high_gain_db_s=_uniform(draw, FdnReverbSettings, "high_gain_db_s"),
    )
    writer.change(name, compressor=compressor, reverb=reverb)
    for path, settings in (("compressor", compressor), ("reverb", reverb)):
        for field, parameter in parameters(type(settings)).items():
            if getattr(settings, field) != parameter.default:
                value = getattr(settings, field)
                writer.decide(f"{name}.{path}.{field}", value, "random", "uniform in its range")
    relative_lu = float(draw.uniform(-_RELATIVE_LOUDNESS_LIMIT_LU, _RELATIVE_LOUDNESS_LIMIT_LU))
    balance(
        console,
        writer,
        name,
        replace(rules, relative_loudness_lu=relative_lu, return_below_mix_lu=None),
    )


def _uniform(draw: np.random.Generator, settings: type, field: str) -> float:
    legal = parameters(settings)[field].range
    if legal is None:
        raise ValueError(f"{settings.__name__}.{field} has no range")
    return float(draw.uniform(legal.low, legal.high))


def write_sum_plan(console: ExactConsole, writer: PlanWriter, rules: VocalRules) -> None:
    """The two inputs as they are; a mono input goes to both sides at full level."""
    _report(console, writer, repair=False)
    center_db = gain_to_db(pan_gains(0.5, writer.plan.pan_law)[0])
    for track in console.session.tracks:
        if track.source.channels == 1:
            writer.set(
                track.name, "fader_db", -center_db, "sum", "undoes the pan law: both sides at unity"
            )


def _report(console: ExactConsole, writer: PlanWriter, *, repair: bool) -> dict[str, Conditions]:
    found = {track.name: find_conditions(track.source) for track in console.session.tracks}
    report_conditions(writer, found, repair=repair)
    return found
