"""Mixing towards references: from the plan of a method to one whose mix is nearer to them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from automix.analysis.features import measure_features
from automix.audio.samples import AudioSource
from automix.consoles.exact import ExactConsole, apply_master
from automix.mixing.loudness_target import PEAK_MARGIN_DB, reach_target
from automix.mixing.premaster import Premaster, premaster
from automix.networks.device import choose_device, leave_one_processor
from automix.plan.address import look_up
from automix.plan.loudness import LoudnessTarget
from automix.plan.model import MixPlan
from automix.plan.writer import PlanWriter
from automix.reference.bands import BandAnalysis
from automix.reference.comparison import (
    TOLERANCE,
    FeatureComparison,
    compare_features,
    find_moved_away,
    select_figures,
)
from automix.reference.goal import Goal, measure_target
from automix.reference.hearing import Figures, hear_source
from automix.reference.refinement import Changes, Descent
from automix.reference.same_song import find_same_song

LOUDEST_LUFS = -8.0
"""No reference makes a mix louder than this; `--loudness` does."""

QUIETEST_LUFS = -60.0
MOST_LIMITING_DB = 6.0
"""However dense the reference is."""

_ROUNDS = 6
_LIMITING = (0.5, 0.25)
_RANGE = "loudness range"
_GIVEN_BACK = ((1, 1, 0.5), (0.5, 1, 1), (0, 1, 1), (0, 1, 0), (0, 0.5, 0), (0, 0, 0))
"""Shares of what tracks, master and limiter do; the last is the mix without references, leveled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Trial:
    """A mix on the way, as the exact console makes it of the whole song.

    Attributes:
        summed: Before its master.
        limiting: Share of what the limiter would take to be as dense as the references.
        figures: Of the finished mix.
        away: How much further each feature is from the references than without them.
    """

    summed: Premaster
    limiting: float
    figures: Figures
    away: dict[str, float]


class ReferenceGuide:
    """A mix on its way to references.

    Args:
        console: Of the session.
        goal: The references that the mix is to be like.

    Raises:
        DeviceError: There is no such device.
        InputError: A reference cannot be used.
    """

    def __init__(self, console: ExactConsole, goal: Goal) -> None:
        self._console, self._goal = console, goal
        self._device = choose_device(goal.device)
        self._analysis = BandAnalysis(console.session.sample_rate, self._device)
        self._wanted = measure_target(goal, self._analysis)
        self._before = self._wanted.figures

    def move(
        self,
        writer: PlanWriter,
        target: LoudnessTarget,
        report: Callable[[str], None] = lambda stage: None,
    ) -> LoudnessTarget:
        """Moves the plan of a writer, and says how the mix is to be finished.

        Args:
            writer: Takes the settings and the reasons.
            target: How the mix would be finished without references.
            report: Called with what is done.
        """
        report("reference")
        for note in self._wanted.notes:
            writer.warn(note)
        summed = premaster(self._console, writer.plan)
        if not math.isfinite(summed.loudness.integrated_lufs):
            writer.warn("the mix is silent or too short to be compared with a reference")
            return target
        self._before = self._measure(writer.plan, summed, target)
        start = self._try_limiting(writer.plan, summed, target)
        same = find_same_song(self._goal.files, summed.source)
        if same is not None:
            writer.warn(f"{self._goal.names}: is a mix of this song, and followed moment by moment")
        descent = Descent(
            self._console,
            writer.plan,
            start.figures,
            self._before,
            self._wanted.figures,
            same,
            self._analysis,
            self._device,
        )
        with leave_one_processor():
            rounds = 1 if same else _ROUNDS
            best, changes = self._descend(descent, start.limiting, target, rounds, report)
        share = self._goal.amount / 100.0
        before, writer.plan = writer.plan, descent.plan(changes, share)
        _explain(writer, before, self._goal.names)
        return self._set_target(writer.plan, best.summed, target, share, best.limiting)

    def _descend(
        self,
        descent: Descent,
        limiting: float,
        target: LoudnessTarget,
        rounds: int,
        report: Callable[[str], None],
    ) -> tuple[_Trial, Changes]:
        """Goes down in rounds, each checked on the whole song, until nothing has gone away.

        Returns:
            The round that sends least away, or is nearest; and its changes to the plan.
        """
        least = (math.inf, math.inf)
        for number in range(rounds):
            if number > rounds // 2:  # what the rest cannot make up for
                limiting /= 2.0
            descent.run(lambda step: report(f"reference, {step} steps") if step % 10 == 0 else None)
            changes = descent.changes()
            plan = descent.plan(changes)
            trial = self._try_limiting(plan, premaster(self._console, plan), target, limiting)
            merit = (sum(trial.away.values()), descent.score(trial.figures))
            if merit < least:
                least, best = merit, (trial, changes)
            if not trial.away:
                break
            descent.correct(trial.figures, trial.away)
        return self._give_back(descent, best, target) if rounds > 1 else best

    def _give_back(
        self, descent: Descent, best: tuple[_Trial, Changes], target: LoudnessTarget
    ) -> tuple[_Trial, Changes]:
        """Less of the limiter, the tracks, and the master, where something still has gone away."""
        trial, changes = best
        for tracks, master, limiting in _GIVEN_BACK:
            if max(trial.away.values(), default=0.0) <= TOLERANCE:
                break
            changes = {
                name: (master if name.startswith("master.") else tracks) * change
                for name, change in best[1].items()
            }
            plan = descent.plan(changes)
            summed = premaster(self._console, plan)
            trial = self._try(plan, summed, target, limiting * best[0].limiting)
        return trial, changes

    def compare(self, mix: AudioSource) -> list[FeatureComparison]:
        """How near the mix is to the references, and how near it was without them."""
        after = select_figures(measure_features(mix))
        return compare_features(self._before, after, self._wanted.figures)

    def _try_limiting(
        self, plan: MixPlan, summed: Premaster, target: LoudnessTarget, limiting: float = 1.0
    ) -> _Trial:
        """A mix with as much limiting as leaves it its loudness range, if that is what takes it."""
        most = self._try(plan, summed, target, limiting)
        if _RANGE not in most.away or target.loudness_lufs is not None:
            return most
        least = self._try(plan, summed, target, 0.0)
        if _RANGE in least.away:
            return most
        for less in _LIMITING:
            trial = self._try(plan, summed, target, limiting * less)
            if _RANGE not in trial.away:
                return trial
        return least

    def _try(
        self, plan: MixPlan, summed: Premaster, target: LoudnessTarget, limiting: float
    ) -> _Trial:
        found = self._measure(plan, summed, self._set_target(plan, summed, target, 1.0, limiting))
        away = find_moved_away(compare_features(self._before, found, self._wanted.figures))
        if target.loudness_lufs is not None:  # as the user wants it
            away.pop("loudness", None)
        return _Trial(summed=summed, limiting=limiting, figures=found, away=away)

    def _measure(self, plan: MixPlan, summed: Premaster, target: LoudnessTarget) -> Figures:
        """Figures of the whole song, finished; the limiter has its part in the crest factor."""
        trial = PlanWriter(plan)
        reach_target(trial, summed.source, summed.loudness, target)
        return hear_source(apply_master(summed.source, trial.plan.master), self._analysis)[1]

    def _set_target(
        self,
        plan: MixPlan,
        summed: Premaster,
        target: LoudnessTarget,
        share: float,
        limiting: float,
    ) -> LoudnessTarget:
        """Loudness and peak a share of the way, unless the user has said how loud it is to be.

        The limiter takes as much as the reference is denser than the mix, and no more.
        """
        before_lufs = float(self._before["loudness"][0])
        reference_lufs = float(self._wanted.figures["loudness"][0])
        if target.loudness_lufs is not None or not math.isfinite(before_lufs + reference_lufs):
            return target
        target_lufs = before_lufs + share * (
            min(max(reference_lufs, QUIETEST_LUFS), LOUDEST_LUFS) - before_lufs
        )
        mix = measure_features(apply_master(summed.source, replace(plan.master, gain_db=0.0)))
        denser_db = mix.crest_db - float(self._wanted.figures["crest factor"][0])
        denser_db = share * limiting * min(max(denser_db, 0.0), MOST_LIMITING_DB)
        above_loudness_db = mix.loudness.true_peak_dbtp - mix.loudness.integrated_lufs - denser_db
        highest_dbtp = target.true_peak_dbtp - PEAK_MARGIN_DB
        target_lufs = min(target_lufs, max(highest_dbtp - above_loudness_db, before_lufs))
        ceiling_dbtp = min(target_lufs + above_loudness_db + PEAK_MARGIN_DB, target.true_peak_dbtp)
        return replace(target, loudness_lufs=target_lufs, true_peak_dbtp=max(ceiling_dbtp, -20.0))


def _explain(writer: PlanWriter, before: MixPlan, names: str) -> None:
    """Records how far each setting was moved."""
    after = writer.plan
    settings = [f"{strip.name}.{field}" for strip in after.tracks for field in ("fader_db", "pan")]
    settings += [f"{bus.name}.gain_db" for bus in after.buses]
    moved = [(setting, look_up(before, setting)[1]) for setting in settings]
    bands = range(1, len(after.master.equalizer.bands) + 1)
    moved += [(f"master.equalizer.bands.{number}.gain_db", 0.0) for number in bands]
    if after.master.compressor != before.master.compressor:
        moved.append(("master.compressor.ratio", 1.0))
    for setting, old in moved:
        new = look_up(after, setting)[1]
        unit = " dB" if setting.endswith("_db") else ""
        if new != old:
            reason = f"{new - old:+.2f}{unit} towards {names}"
            writer.revise(setting, new, "reference", reason, old=old)
