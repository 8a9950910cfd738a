"""The spine: session → method → plan → console → master."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Annotated, Any

import numpy as np

from automix.analysis.loudness import LoudnessMeter, integrated_lufs
from automix.analysis.program import Loudness, ProgramMeter, measure
from automix.audio import Audio, AudioSource, Samples
from automix.consoles.exact import ExactConsole, Flow, mastered
from automix.methods.catalog import Entry
from automix.methods.writing import PlanWriter, blank_plan
from automix.parameters import Range, Settings
from automix.plan import Change, Master, MixPlan, change_setting
from automix.settings import LimiterSettings
from automix.streams import prefetched

PEAK_MARGIN_DB = 0.1
"""True-peak meters may differ by this much: the mix stays below its ceiling on all of them."""
LOUDNESS_TOLERANCE_LU = 0.1
_LIMITER_ROUNDS = 10
_SATURATED_SLOPE = 0.1  # LU per dB: more gain would only distort


@dataclass(frozen=True, kw_only=True)
class Finish(Settings):
    """How loud the mix leaves."""

    loudness_lufs: Annotated[
        float | None, Range(-60, 0, "LUFS"), "integrated loudness; else it is left as it comes"
    ] = None
    true_peak_dbtp: Annotated[float, Range(-20, 0, "dBTP"), "the true peak stays below this"] = -1.0


@dataclass(frozen=True, kw_only=True)
class MixRequest:
    """What is asked of a mix.

    Attributes:
        method: Row of the catalog.
        preset: Name of the preset that `options` started from.
        options: What the method's function takes, such as `VocalRules`.
        finish: Output loudness and peak.
        changes: Address and change of settings, applied to the method's plan in order.
        seed: Of methods that draw at random.
    """

    method: Entry
    preset: str
    options: Settings
    finish: Finish = Finish()
    changes: Sequence[tuple[str, Change]] = ()
    seed: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Mix:
    """A plan and the audio that it makes.

    Attributes:
        plan: Everything that was decided.
        audio: The finished mix; computed while it is read.
        levels: Integrated loudness in LUFS before the master of each track (with the reverb that it
            alone feeds) and of each shared return.
        sum_lufs: Integrated loudness of their sum.
        warnings: For the user.
        stems: What each audible track contributes to the finished mix, by name.
    """

    plan: MixPlan
    audio: AudioSource
    levels: dict[str, float]
    sum_lufs: float
    warnings: tuple[str, ...]
    stems: dict[str, AudioSource]

    def levels_at(self, mix_lufs: float) -> dict[str, float]:
        """The levels when the master brings the mix to a loudness."""
        change_lu = mix_lufs - self.sum_lufs
        return {
            name: level + change_lu if math.isfinite(change_lu) else level
            for name, level in self.levels.items()
        }


Report = Callable[[str], None]


def mix_session(
    console: ExactConsole,
    request: MixRequest,
    *,
    renderer: ExactConsole | None = None,
    report: Report = lambda stage: None,
) -> Mix:
    """Lets a method write a plan, applies the user's changes, and finishes the mix.

    Args:
        console: Of a session that suits the method.
        request: What is asked.
        renderer: Console that renders the plan, if not the one that the method listens through.
        report: Called with the name of each stage as it begins.

    Raises:
        InputError: A file changed while it was read, or the session does not suit the method.
        PlanError: A change leads nowhere or is out of range.
    """
    report("listening")
    blank = blank_plan(
        console.session, method=request.method.name, preset=request.preset, seed=request.seed
    )
    writer = PlanWriter(blank)
    write_plan = getattr(import_module(request.method.module), request.method.function)
    write_plan(console, writer, request.options)
    on_master = [change for change in request.changes if change[0].startswith("master.")]
    _apply(writer, [change for change in request.changes if change not in on_master])
    report("mixing")
    renderer = renderer or console
    premaster, levels = _premaster(renderer, writer.plan)
    _finish(writer, premaster, request.finish)
    _apply(writer, on_master)
    return _mix(renderer, writer, premaster, levels)


def render(console: ExactConsole, plan: MixPlan, report: Report = lambda stage: None) -> Mix:
    """Renders a plan as it is.

    Raises:
        InputError: A file changed while it was read.
    """
    report("mixing")
    premaster, levels = _premaster(console, plan)
    return _mix(console, PlanWriter(plan), premaster, levels)


@dataclass(frozen=True)
class _Levels:
    tracks: dict[str, float]
    sum_lufs: float


def _mix(console: ExactConsole, writer: PlanWriter, premaster: AudioSource, levels: _Levels) -> Mix:
    plan = writer.plan
    return Mix(
        plan=plan,
        audio=mastered(premaster, plan.master),
        levels=levels.tracks,
        sum_lufs=levels.sum_lufs,
        warnings=(*writer.warnings, *console.warnings),
        stems={s.name: console.stem(plan, s.name, premaster) for s in plan.tracks if not s.mute},
    )


def _apply(writer: PlanWriter, changes: Sequence[tuple[str, Change]]) -> None:
    for address, change in changes:
        writer.plan = change_setting(writer.plan, address, change)


def _premaster(console: ExactConsole, plan: MixPlan) -> tuple[AudioSource, _Levels]:
    """The sum before the master, kept in memory where the session is, and what it is made of."""
    rate = console.session.sample_rate
    source: AudioSource = console.premaster(plan)
    kept = np.empty((2, source.frames), np.float32) if console.in_memory else None
    whole = LoudnessMeter(rate, 2)
    meters: dict[str, LoudnessMeter] = {}
    position = 0
    for flow in prefetched(console.flow(plan)):
        for name, block in _attributed(plan, flow).items():
            meters.setdefault(name, LoudnessMeter(rate, 2)).add(block.astype(np.float32))
        mix = flow.sum().astype(np.float32)
        whole.add(mix)
        if kept is not None:
            kept[:, position : position + mix.shape[1]] = mix
            position += mix.shape[1]
    tracks = {name: integrated_lufs(meter.energies) for name, meter in meters.items()}
    levels = _Levels(tracks, integrated_lufs(whole.energies))
    return (source if kept is None else Audio(kept, rate)), levels


def _attributed(plan: MixPlan, flow: Flow) -> dict[str, Any]:
    """Channels with the returns that they alone feed, and the returns that are shared."""
    signals = dict(flow.channels)
    for bus, block in flow.returns.items():
        feeding = [s.name for s in plan.tracks if any(send.bus == bus for send in s.sends)]
        sole = feeding[0] if len(feeding) == 1 and feeding[0] in signals else None
        signals[sole or bus] = signals[sole] + block if sole else block
    return signals


def _finish(writer: PlanWriter, premaster: AudioSource, finish: Finish) -> None:
    """Sets the master's gain, and its limiter where a loudness is asked that needs one."""
    unleveled = replace(writer.plan.master, gain_db=0.0, limiter=LimiterSettings())
    # A neutral master passes everything: measure without the detour.
    loudness = measure(premaster if unleveled == Master() else mastered(premaster, unleveled))
    ceiling_dbtp = finish.true_peak_dbtp - PEAK_MARGIN_DB
    if not math.isfinite(loudness.true_peak_dbtp):
        writer.warn("the mix is silent")
        return
    figures = {
        "mix_lufs": loudness.integrated_lufs,
        "mix_true_peak_dbtp": loudness.true_peak_dbtp,
        "ceiling_dbtp": finish.true_peak_dbtp,
    }
    if finish.loudness_lufs is not None and math.isfinite(loudness.integrated_lufs):
        _reach_loudness(writer, premaster, finish.loudness_lufs, finish.true_peak_dbtp, loudness)
        return
    if not math.isfinite(loudness.integrated_lufs):
        writer.warn("the mix is too short or too quiet for its loudness to be measured")
    gain_db = min(0.0, ceiling_dbtp - loudness.true_peak_dbtp)
    reason = (
        f"true peak {loudness.true_peak_dbtp:+.2f} dBTP is below the ceiling already"
        if gain_db == 0.0
        else f"true peak {loudness.true_peak_dbtp:+.2f} → {ceiling_dbtp:+.2f} dBTP by gain alone"
    )
    writer.set("master", "gain_db", gain_db, "headroom", reason, **figures)


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
        "loudness",
        f"{loudness.integrated_lufs:.1f} → {target_lufs:g} LUFS"
        + (" through the limiter" if limited else ""),
        target_lufs=target_lufs,
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
        trial = measure(mastered(premaster, replace(master, gain_db=gain_db, limiter=limiter)))
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


class Metered:
    """A source that measures itself on its way through.

    Attributes:
        loudness: Of the last whole pass; none before that.
    """

    def __init__(self, source: AudioSource) -> None:
        self._source = source
        self.sample_rate = source.sample_rate
        self.channels = source.channels
        self.frames = source.frames
        self.loudness: Loudness | None = None

    def blocks(self) -> Iterator[Samples]:
        """See `AudioSource.blocks`."""
        return prefetched(self._measured())

    def _measured(self) -> Iterator[Samples]:
        meter = ProgramMeter(self.sample_rate, self.channels)
        for block in self._source.blocks():
            meter.add(block)
            yield block
        self.loudness = meter.result()
