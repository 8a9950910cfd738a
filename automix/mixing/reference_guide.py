"""Mixing towards references: from the plan of a method to one whose mix is nearer to them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from automix.analysis.features import measure_features
from automix.audio.samples import AudioSource
from automix.consoles.exact import ExactConsole, apply_master
from automix.mixing.loudness_target import PEAK_MARGIN_DB, Finish, finish
from automix.mixing.premaster import Premaster, premaster
from automix.networks.device import choose_device, leave_one_processor
from automix.plan.address import look_up
from automix.plan.model import MixPlan
from automix.plan.writer import PlanWriter
from automix.reference.bands import BandAnalysis
from automix.reference.comparison import TOLERANCE, Compared, compare_features, figures, gone_away
from automix.reference.goal import Goal, aim_of
from automix.reference.hearing import Figures, hear_source
from automix.reference.refinement import Changes, Descent
from automix.reference.same_song import same_song

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
        away: By how much features have gone away from the references.
    """

    summed: Premaster
    limiting: float
    figures: Figures
    away: dict[str, float]


class Towards:
    """A mix on its way to references.

    Args:
        console: Of the session.
        goal: What the mix is to be like.

    Raises:
        DeviceError: There is no such device.
        InputError: A reference cannot be used.
    """

    def __init__(self, console: ExactConsole, goal: Goal) -> None:
        self._console, self._goal = console, goal
        self._device = choose_device(goal.device)
        self._analysis = BandAnalysis(console.session.sample_rate, self._device)
        self._aim = aim_of(goal, self._analysis)
        self._before = self._aim.figures

    def move(
        self, writer: PlanWriter, aim: Finish, report: Callable[[str], None] = lambda stage: None
    ) -> Finish:
        """Moves the plan of a writer, and says how the mix is to be finished.

        Args:
            writer: Takes the settings and the reasons.
            aim: How the mix would be finished without references.
            report: Called with what is done.
        """
        report("reference")
        for note in self._aim.notes:
            writer.warn(note)
        summed = premaster(self._console, writer.plan)
        if not math.isfinite(summed.loudness.integrated_lufs):
            writer.warn("the mix is silent or too short to be compared with a reference")
            return aim
        self._before = self._heard(writer.plan, summed, aim)
        start = self._tried(writer.plan, summed, aim)
        same = same_song(self._goal.files, summed.source)
        if same is not None:
            writer.warn(f"{self._goal.names}: is a mix of this song, and followed moment by moment")
        descent = Descent(
            self._console,
            writer.plan,
            start.figures,
            self._before,
            self._aim.figures,
            same,
            self._analysis,
            self._device,
        )
        with leave_one_processor():
            rounds = 1 if same else _ROUNDS
            best, changes = self._descended(descent, start.limiting, aim, rounds, report)
        share = self._goal.amount / 100.0
        before, writer.plan = writer.plan, descent.plan(changes, share)
        _explain(writer, before, self._goal.names)
        return self._finish(writer.plan, best.summed, aim, share, best.limiting)

    def _descended(
        self,
        descent: Descent,
        limiting: float,
        aim: Finish,
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
            trial = self._tried(plan, premaster(self._console, plan), aim, limiting)
            merit = (sum(trial.away.values()), descent.score(trial.figures))
            if merit < least:
                least, best = merit, (trial, changes)
            if not trial.away:
                break
            descent.correct(trial.figures, trial.away)
        return self._given_back(descent, best, aim) if rounds > 1 else best

    def _given_back(
        self, descent: Descent, best: tuple[_Trial, Changes], aim: Finish
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
            trial = self._limited(plan, summed, aim, limiting * best[0].limiting)
        return trial, changes

    def compared(self, mix: AudioSource) -> list[Compared]:
        """How near the mix is to the references, and how near it was without them."""
        after = figures(measure_features(mix))
        return compare_features(self._before, after, self._aim.figures)

    def _tried(
        self, plan: MixPlan, summed: Premaster, aim: Finish, limiting: float = 1.0
    ) -> _Trial:
        """A mix with as much limiting as leaves it its loudness range, if that is what takes it."""
        most = self._limited(plan, summed, aim, limiting)
        if _RANGE not in most.away or aim.loudness_lufs is not None:
            return most
        least = self._limited(plan, summed, aim, 0.0)
        if _RANGE in least.away:
            return most
        for less in _LIMITING:
            trial = self._limited(plan, summed, aim, limiting * less)
            if _RANGE not in trial.away:
                return trial
        return least

    def _limited(self, plan: MixPlan, summed: Premaster, aim: Finish, limiting: float) -> _Trial:
        found = self._heard(plan, summed, self._finish(plan, summed, aim, 1.0, limiting))
        away = gone_away(compare_features(self._before, found, self._aim.figures))
        if aim.loudness_lufs is not None:  # as the user wants it
            away.pop("loudness", None)
        return _Trial(summed=summed, limiting=limiting, figures=found, away=away)

    def _heard(self, plan: MixPlan, summed: Premaster, aim: Finish) -> Figures:
        """Figures of the whole song, finished; the limiter has its part in the crest factor."""
        trial = PlanWriter(plan)
        finish(trial, summed.source, summed.loudness, aim)
        return hear_source(apply_master(summed.source, trial.plan.master), self._analysis)[1]

    def _finish(
        self, plan: MixPlan, summed: Premaster, aim: Finish, share: float, limiting: float
    ) -> Finish:
        """Loudness and peak a share of the way, unless the user has said how loud it is to be.

        The limiter takes as much as the reference is denser than the mix, and no more.
        """
        before_lufs = float(self._before["loudness"][0])
        reference_lufs = float(self._aim.figures["loudness"][0])
        if aim.loudness_lufs is not None or not math.isfinite(before_lufs + reference_lufs):
            return aim
        target_lufs = before_lufs + share * (
            min(max(reference_lufs, QUIETEST_LUFS), LOUDEST_LUFS) - before_lufs
        )
        mix = measure_features(apply_master(summed.source, replace(plan.master, gain_db=0.0)))
        denser_db = mix.crest_db - float(self._aim.figures["crest factor"][0])
        denser_db = share * limiting * min(max(denser_db, 0.0), MOST_LIMITING_DB)
        above_loudness_db = mix.loudness.true_peak_dbtp - mix.loudness.integrated_lufs - denser_db
        highest_dbtp = aim.true_peak_dbtp - PEAK_MARGIN_DB
        target_lufs = min(target_lufs, max(highest_dbtp - above_loudness_db, before_lufs))
        ceiling_dbtp = min(target_lufs + above_loudness_db + PEAK_MARGIN_DB, aim.true_peak_dbtp)
        return replace(aim, loudness_lufs=target_lufs, true_peak_dbtp=max(ceiling_dbtp, -20.0))


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
