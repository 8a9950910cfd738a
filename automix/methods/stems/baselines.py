"""The baselines that every mixing system is compared with (Steinmetz et al. 2021)."""

import math

import numpy as np

from automix.consoles.exact import ExactConsole
from automix.dsp.pan import pan_gains
from automix.methods.conditions import report_takes
from automix.methods.stems.hearing import EQUAL_LUFS, HeardTrack, describe_takes, hear_stems
from automix.methods.stems.settings import StemsRules
from automix.methods.vocal.level_balance import gain_db_to_reach
from automix.plan.writer import PlanWriter
from automix.units import gain_to_db

_RANDOM_GAIN_DB = 12.0


def write_mono_plan(console: ExactConsole, writer: PlanWriter, rules: StemsRules) -> None:
    """Every track in the center as it is; a stereo track is folded."""
    for track in console.session.tracks:
        writer.change(track.name, fold=track.source.channels == 2)
        center_db = gain_to_db(pan_gains(0.5, writer.plan.pan_law)[0])
        writer.set(track.name, "fader_db", -center_db, "mono", "both sides at unity")


def write_random_plan(console: ExactConsole, writer: PlanWriter, rules: StemsRules) -> None:
    """Gains uniform within ±12 dB and uniform pan (Steinmetz 2020, section 5.5).

    Drawn in the order of the names, so that the order of the tracks does not matter.
    """
    draw = np.random.default_rng(writer.plan.seed)
    for name in sorted(track.name for track in console.session.tracks):
        gain_db = float(draw.uniform(-_RANDOM_GAIN_DB, _RANDOM_GAIN_DB))
        writer.set(name, "fader_db", gain_db, "random", "uniform within ±12 dB")
        writer.set(name, "pan", float(draw.uniform()), "random", "uniform")


def write_equal_loudness_plan(console: ExactConsole, writer: PlanWriter, rules: StemsRules) -> None:
    """Every track at the same integrated loudness in the mix (Perez Gonzalez & Reiss 2009)."""
    heard = hear_stems(console.session)
    report_takes(writer, describe_takes(console.session, heard))
    for name, track in heard.items():
        set_loudness(writer, name, track, 0.0, "equal loudness", "the same loudness for all")


def set_loudness(
    writer: PlanWriter,
    name: str,
    heard: HeardTrack,
    offset_lu: float,
    rule: str,
    reason: str,
    **figures: float,
) -> None:
    """Sets the fader that brings a track to −23 LUFS plus an offset, or leaves silence alone."""
    if not math.isfinite(heard.lufs):
        return
    writer.set(
        name,
        "fader_db",
        gain_db_to_reach(heard.energies, EQUAL_LUFS + offset_lu),
        rule,
        reason,
        track_lufs=heard.lufs,
        **figures,
    )
