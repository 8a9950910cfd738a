"""How loud a mix leaves: headroom by gain alone, or a loudness with a true-peak limiter."""

import math
from dataclasses import replace

from automix.analysis.program import measure
from automix.analysis.readings import Loudness
from automix.audio.samples import AudioSource
from automix.consoles.exact import apply_master
from automix.plan.loudness import LoudnessTarget
from automix.plan.model import MixPlan
from automix.plan.settings import LimiterSettings, Master
from automix.plan.writer import PlanWriter

PEAK_MARGIN_DB = 0.1
"""True-peak meters may differ by this much: the mix stays below its ceiling on all of them."""
LOUDNESS_TOLERANCE_LU = 0.1
_HEADROOM, _LOUDNESS = _RULES = ("headroom", "loudness")
_LIMITER_ROUNDS = 10
_SATURATED_SLOPE = 0.1  # LU per dB: more gain would only distort


def reach_target(
    writer: PlanWriter, premaster: AudioSource, measured: Loudness, target: LoudnessTarget
) -> None:
    """Sets the master's gain, and its limiter where a loudness is asked that needs one.

    Args:
        writer: Takes the settings and the reasons.
        premaster: The mix before its master.
        measured: What `automix.analysis.program.measure` says of it.
        target: Loudness and true peak that are wanted.
    """
    unleveled = replace(writer.plan.master, gain_db=0.0, limiter=LimiterSettings())
    loudness = measured if unleveled == Master() else measure(apply_master(premaster, unleveled))
    ceiling_dbtp = target.true_peak_dbtp - PEAK_MARGIN_DB
    if not math.isfinite(loudness.true_peak_dbtp):
        writer.warn("the mix is silent")
        return
    figures = {
        "mix_lufs": loudness.integrated_lufs,
        "mix_true_peak_dbtp": loudness.true_peak_dbtp,
        "ceiling_dbtp": target.true_peak_dbtp,
    }
    if target.loudness_lufs is not None and math.isfinite(loudness.integrated_lufs):
        _reach_loudness(writer, premaster, target.loudness_lufs, target.true_peak_dbtp, loudness)
        return
    if not math.isfinite(loudness.integrated_lufs):
        writer.warn("the mix is too short or too quiet for its loudness to be measured")
    gain_db = min(0.0, ceiling_dbtp - loudness.true_peak_dbtp)
    reason = (
        f"true peak {loudness.true_peak_dbtp:+.2f} dBTP is below the ceiling already"
        if gain_db == 0.0
        else f"true peak {loudness.true_peak_dbtp:+.2f} → {ceiling_dbtp:+.2f} dBTP by gain alone"
    )
    writer.set("master", "gain_db", gain_db, _HEADROOM, reason, **figures)


def find_target(plan: MixPlan) -> LoudnessTarget | None:
    """Finds the target by which the master of a plan was finished.

    Returns:
        None if the gain or the limiter of the master was set by somebody, and not by
        `reach_target`.
    """
    decisions = {decision.setting: decision for decision in plan.decisions}
    made, limiter = decisions.get("master.gain_db"), plan.master.limiter
    limited = decisions.get("master.limiter.ceiling_dbtp")
    if made is None or made.rule not in _RULES or made.value != plan.master.gain_db:
        return None
    if limiter != (LimiterSettings(ceiling_dbtp=limited.value) if limited else LimiterSettings()):
        return None
    figures = dict(made.figures)
    # Plans of earlier versions do not say the ceiling where they say the loudness.
    ceiling_dbtp = limiter.ceiling_dbtp + PEAK_MARGIN_DB if limiter.is_active else -1.0
    return LoudnessTarget(
        loudness_lufs=figures.get("target_lufs"),
        true_peak_dbtp=figures.get("ceiling_dbtp", min(ceiling_dbtp, 0.0)),
    )


def finish_again(
    writer: PlanWriter, premaster: AudioSource, measured: Loudness, target: LoudnessTarget
) -> None:
    """Does what `reach_target` does, for a plan whose master was finished before."""
    writer.plan = replace(
        writer.plan,
        master=replace(writer.plan.master, gain_db=0.0, limiter=LimiterSettings()),
        decisions=tuple(
            d for d in writer.plan.decisions if not d.setting.startswith("master.limiter.")
        ),
    )
    reach_target(writer, premaster, measured, target)


def _reach_loudness(
    writer: PlanWriter,
    premaster: AudioSource,
    target_lufs: float,
    peak_dbtp: float,
    loudness: Loudness,
) -> None:
    gain_db = target_lufs - loudness.integrated_lufs
    limited = loudness.true_peak_dbtp + gain_db > peak_dbtp - PEAK_MARGIN_DB
    if limited:
        gain_db, ceiling_dbtp, reached_lufs = _through_limiter(
            premaster, writer.plan.master, target_lufs, gain_db, peak_dbtp
        )
        limiter = LimiterSettings(ceiling_dbtp=ceiling_dbtp)
        writer.plan = replace(writer.plan, master=replace(writer.plan.master, limiter=limiter))
        writer.decide("master.limiter.ceiling_dbtp", ceiling_dbtp, "headroom", "true-peak limiter")
        if abs(reached_lufs - target_lufs) > LOUDNESS_TOLERANCE_LU:
            writer.warn(
                f"the limiter holds the mix at {reached_lufs:.1f} LUFS; {target_lufs:g} LUFS would"
                " need a higher --true-peak"
            )
    writer.set(
        "master",
        "gain_db",
        gain_db,
        _LOUDNESS,
        f"{loudness.integrated_lufs:.1f} → {target_lufs:g} LUFS"
        + (" through the limiter" if limited else ""),
        target_lufs=target_lufs,
        ceiling_dbtp=peak_dbtp,
        mix_lufs=loudness.integrated_lufs,
        mix_true_peak_dbtp=loudness.true_peak_dbtp,
    )


def _through_limiter(
    premaster: AudioSource, master: Master, target_lufs: float, gain_db: float, peak_dbtp: float
) -> tuple[float, float, float]:
    """Gain and ceiling with which the limited mix has its loudness and its true peak.

    Limiting takes some loudness away, which more gain gives back; and a limiter's own peak estimate
    may be a little off, which a lower ceiling mends.

    Returns:
        Gain in dB, ceiling in dBTP, and the loudness that they give.
    """
    ceiling_dbtp = peak_dbtp - PEAK_MARGIN_DB
    before: tuple[float, float] | None = None
    slope = 1.0
    for _ in range(_LIMITER_ROUNDS):
        limiter = LimiterSettings(ceiling_dbtp=ceiling_dbtp)
        trial = measure(apply_master(premaster, replace(master, gain_db=gain_db, limiter=limiter)))
        short_lu = target_lufs - trial.integrated_lufs
        excess_db = trial.true_peak_dbtp - (peak_dbtp - PEAK_MARGIN_DB / 2)
        if abs(short_lu) < LOUDNESS_TOLERANCE_LU / 2 and excess_db <= 0.0:
            break
        if before is not None and gain_db > before[0]:
            slope = (trial.integrated_lufs - before[1]) / (gain_db - before[0])
            if slope < _SATURATED_SLOPE and excess_db <= 0.0:
                break
        before = (gain_db, trial.integrated_lufs)
        ceiling_dbtp -= max(0.0, excess_db)
        gain_db += short_lu / min(max(slope, 0.25), 1.0)
    return gain_db, ceiling_dbtp, trial.integrated_lufs
