"""Mixing towards references: from the plan of a method to one whose mix is nearer to them."""

import math
from collections.abc import Callable
from dataclasses import replace

from automix.analysis.features import measure_features
from automix.audio import AudioSource
from automix.consoles.exact import ExactConsole, mastered
from automix.finishing import PEAK_MARGIN_DB, Finish, finish
from automix.methods.writing import PlanWriter
from automix.nn.device import chosen_device, one_processor_left
from automix.plan import MixPlan, look_up
from automix.premaster import Premaster, premaster
from automix.reference.aims import Goal, aim_of
from automix.reference.bands import BandAnalysis, Features
from automix.reference.comparison import Compared, compared, figures
from automix.reference.refinement import Descent
from automix.reference.same_song import same_song

LOUDEST_LUFS = -8.0
"""No reference makes a mix louder than this; `--loudness` does."""

QUIETEST_LUFS = -60.0
MOST_LIMITING_DB = 6.0
"""However dense the reference is."""

_ROUNDS = 4


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
        self._device = chosen_device(goal.device)
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
        plain = PlanWriter(writer.plan)
        finish(plain, summed.source, summed.loudness, aim)
        self._before = figures(measure_features(mastered(summed.source, plain.plan.master)))
        finished = self._finish(writer.plan, summed, aim, 1.0)
        whole = self._heard(writer.plan, summed, finished)
        same = same_song(self._goal.files, summed.source)
        if same is not None:
            writer.warn(f"{self._goal.names}: is a mix of this song, and followed moment by moment")
        descent = Descent(
            self._console, writer.plan, whole, self._aim, same, self._analysis, self._device
        )
        share = self._goal.amount / 100.0
        with one_processor_left():
            summed, plan = self._descend(writer, descent, summed, aim, share, report)
        before, writer.plan = writer.plan, plan
        _explain(writer, before, self._goal.names)
        return self._finish(plan, summed, aim, share)

    def _descend(
        self,
        writer: PlanWriter,
        descent: Descent,
        summed: Premaster,
        aim: Finish,
        share: float,
        report: Callable[[str], None],
    ) -> tuple[Premaster, MixPlan]:
        """Goes down in rounds, each checked on the whole song; the best of them."""
        best, plan = math.inf, writer.plan
        for _ in range(_ROUNDS):
            descent.run(lambda step: report(f"reference, {step} steps") if step % 10 == 0 else None)
            trial = descent.plan()
            moved = premaster(self._console, trial)
            whole = self._heard(trial, moved, self._finish(trial, moved, aim, 1.0))
            if descent.score(whole) < best:
                best, summed = descent.score(whole), moved
                plan = descent.plan(share)
            if not descent.correct(whole):
                break
        return summed, plan

    def compared(self, mix: AudioSource) -> list[Compared]:
        """How near the mix is to the references, and how near it was without them."""
        after = figures(measure_features(mix))
        return compared(self._before, after, self._aim.figures)

    def _heard(self, plan: MixPlan, summed: Premaster, aim: Finish) -> Features:
        """Features of the whole song, finished; the limiter has its part in the crest factor."""
        trial = PlanWriter(plan)
        finish(trial, summed.source, summed.loudness, aim)
        mix = mastered(summed.source, trial.plan.master)
        return self._analysis.features(self._analysis.whole(mix))

    def _finish(self, plan: MixPlan, summed: Premaster, aim: Finish, share: float) -> Finish:
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
        mix = measure_features(mastered(summed.source, replace(plan.master, gain_db=0.0)))
        denser_db = mix.crest_db - float(self._aim.figures["crest factor"][0])
        denser_db = share * min(max(denser_db, 0.0), MOST_LIMITING_DB)
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
