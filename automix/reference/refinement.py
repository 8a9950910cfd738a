"""Refines a plan so that its mix is nearer to a reference, by gradients through the console.

What a reference can say is said of the whole mix. So the processing of single tracks stays as the
method set it; levels, positions, returns and the master move, and a pull holds them to their start.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from automix.consoles.differentiable import DifferentiableConsole, to_plan
from automix.consoles.exact import ExactConsole
from automix.networks.bounds import clamp_to_learn
from automix.plan.model import MixPlan
from automix.plan.settings import CompressorSettings, EqualizerBand, EqualizerSettings
from automix.reference.bands import BandAnalysis, Feature
from automix.reference.excerpts import LEAD_IN_S, cut_song, list_audible, read_bare_values
from automix.reference.hearing import Figures
from automix.reference.moment_distance import MomentDistance
from automix.reference.same_song import SameSong
from automix.reference.target_distance import TargetDistance, audible_db
from automix.units import power_to_db

MASTER_BANDS = (
    EqualizerBand(kind="low_shelf", frequency_hz=100.0, q=0.7),
    EqualizerBand(frequency_hz=300.0, q=0.7),
    EqualizerBand(frequency_hz=1000.0, q=0.7),
    EqualizerBand(frequency_hz=3500.0, q=0.7),
    EqualizerBand(kind="high_shelf", frequency_hz=9000.0, q=0.7),
)
_COMPRESSOR = CompressorSettings(ratio=1.0, attack_ms=20.0, release_ms=200.0)
_THRESHOLD_OVER_RMS_DB = 3.0

_SCALES = {
    "fader_db": 3.0,
    "pan": 0.15,
    "bus.gain_db": 3.0,
    "master.equalizer.gain_db": 3.0,
    "master.compressor.ratio": 1.0,
}
"""Settings that may move, and by how much at the price of 1 in the pull."""
_LARGEST = 4.0
_LARGEST_FADER = 1.0
"""Limits of the moves in units of the scales, approached and never reached. Another song says
little of the balance of this one, and moves its faders by less than 3 dB."""

_MOMENTS_WEIGHT = 4.0
"""Weight of the distance moment by moment, as much as all others together."""
_PULL = 0.1
_PULL_IN_SAME_SONG = 0.03
"""Weight of the pull of the start: moments of the same song say more than all of another song."""
_HOLD = 0.3
"""Weight by which a correction keeps what was found before it."""
_LEAST_RATIO = 1.02
_DENSITY: tuple[Feature, ...] = ("crest factor", "loudness range")
"""Features by which a reference may be denser, so that it needs the compressor."""

_RATES = (0.15, 0.05, 0.015)
_MOST_STEPS = 150
_PATIENCE = 8
_LEAST_GAIN = 0.002

Changes = dict[str, Tensor]
"""Difference of each value from where it began, by name."""


class Descent:
    """A gradient descent from a plan towards references.

    It hears excerpts of the song, and looks for as much of a change as the whole song needs.

    Args:
        console: Console that renders what comes before the faders.
        plan: Plan to begin with; its master is neutral.
        start: Figures of its mix, finished as the references ask.
        before: Figures of the mix as it would be without references.
        target: Figures of the references.
        same: Place of the mix in the reference, if that is a mix of this very song; else none.
        analysis: Analysis at the sample rate of the session.
        device: Device of the gradients.

    Raises:
        InputError: The file behind a track changed or cannot be read.
    """

    def __init__(
        self,
        console: ExactConsole,
        plan: MixPlan,
        start: Figures,
        before: Figures,
        target: Figures,
        same: SameSong | None,
        analysis: BandAnalysis,
        device: torch.device,
    ) -> None:
        equalizer = EqualizerSettings(bands=MASTER_BANDS)
        plan = replace(plan, master=replace(plan.master, equalizer=equalizer))
        layout, values = read_bare_values(console, plan)
        self._values = {name: value.to(device) for name, value in values.items()}
        self._analysis = analysis
        audio, starts = cut_song(console, plan, of_every_track=same is not None)
        self._audio = audio.to(device)
        self._console = DifferentiableConsole(analysis.sample_rate, layout)
        # What is in the center is meant to be there.
        self._pans = torch.tensor([strip.pan != 0.5 for strip in list_audible(plan)], device=device)
        with torch.no_grad():
            mix = self._mix({})
            frames = analysis.frames(mix)
        compressor = _make_compressor(mix)
        for field in ("threshold_db", "ratio", "attack_ms", "release_ms"):
            name = f"master.compressor.{field}"
            self._values[name] = torch.full_like(self._values[name], getattr(compressor, field))
        self._start = replace(plan, master=replace(plan.master, compressor=compressor))
        self._skipped = 0
        self._found: dict[str, Tensor] = {}
        self._distance = TargetDistance(target, start, before, device)
        self._distance.calibrate(analysis.features(frames), start)
        self._moments: MomentDistance | None = None
        if same is not None:
            moments = same.cut_moments(starts, self._audio.shape[-1])
            moments_frames = analysis.frames(moments[..., self._lead_in() :].to(device))
            self._distance.follow(analysis.features(moments_frames))
            self._moments = MomentDistance(analysis, target, moments_frames, frames)
        denser = any(
            float(target[name][0]) < float(start[name][0]) - audible_db(name) for name in _DENSITY
        )
        self._positions = {
            name: torch.zeros_like(self._values[name]).requires_grad_()
            for name in _SCALES
            if self._values.get(name, torch.empty(0)).numel()
            and (denser or name != "master.compressor.ratio")
        }

    def score(self, whole: Figures) -> float:
        """Scores how far a whole song is from the references, and the plan from its start."""
        return float(self._pull().detach()) + self._distance.score(whole)

    def correct(self, whole: Figures, away: Collection[str]) -> None:
        """Makes up for what the excerpts do not tell, before another `run`.

        Args:
            whole: Figures of the whole song with the plan as it is now.
            away: Features that went away from the references.
        """
        self._distance.guard(away)
        self._found = {name: p.detach().clone() for name, p in self._positions.items()}
        with torch.no_grad():
            mix = self._mix(self._changes())
            heard = self._analysis.features(self._analysis.frames(mix))
        self._distance.calibrate(heard, whole)

    def changes(self) -> Changes:
        """Returns the difference of each value from where it began."""
        return {name: change.detach().clone() for name, change in self._changes().items()}

    def plan(self, changes: Changes, share: float = 1.0) -> MixPlan:
        """Makes the plan that is a share of the way, 0 … 1, along the changes."""
        moved = {name: self._values[name] + share * change for name, change in changes.items()}
        plan = to_plan(moved, self._start)
        if plan.master.compressor.ratio > _LEAST_RATIO:
            return plan
        return replace(plan, master=replace(plan.master, compressor=CompressorSettings()))

    def _changes(self) -> Changes:
        largest = dict.fromkeys(_SCALES, _LARGEST)
        if self._moments is None:
            largest["fader_db"] = _LARGEST_FADER
        moved = {
            name: _SCALES[name] * largest[name] * torch.tanh(position / largest[name])
            for name, position in self._positions.items()
        }
        moved["pan"] = moved["pan"] * self._pans
        return moved

    def _mix(self, changes: Mapping[str, Tensor]) -> Tensor:
        values = dict(self._values)
        for name, change in changes.items():
            values[name] = values[name] + change
        if "pan" in changes:
            values["pan"] = clamp_to_learn(values["pan"], 0.0, 1.0)
        if "master.compressor.ratio" not in changes:
            values = {n: v for n, v in values.items() if not n.startswith("master.compressor.")}
        return self._console.mix(self._audio, values)[..., self._lead_in() :]

    def _lead_in(self) -> int:
        """Counts the frames at the beginning of each excerpt that are not judged."""
        return min(round(LEAD_IN_S * self._analysis.sample_rate), self._audio.shape[-1] // 4)

    def _loss(self) -> Tensor:
        frames = self._analysis.frames(self._mix(self._changes()))
        total = self._distance.loss(self._analysis.features(frames))
        if self._moments is not None:
            total = total + _MOMENTS_WEIGHT * self._moments.measure(frames)
        for name, found in self._found.items():
            total = total + _HOLD * (self._positions[name] - found).square().sum()
        return total + self._pull()

    def _pull(self) -> Tensor:
        squares = [
            (position - position.mean() if name == "fader_db" else position).square().sum()
            for name, position in self._positions.items()
        ]
        pull = _PULL if self._moments is None else _PULL_IN_SAME_SONG
        return pull * torch.stack(squares).sum()

    def run(self, report: Callable[[int], None] = lambda step: None) -> int:
        """Takes steps that become smaller until nothing is gained any more; stays at the best.

        At first only the tracks move: the master makes up for what they cannot, not the reverse.

        Args:
            report: Called with the number of each step.

        Returns:
            The number of steps.
        """
        of_tracks = [p for name, p in self._positions.items() if not name.startswith("master.")]
        phases = [(of_tracks, _RATES[0]), *((list(self._positions.values()), r) for r in _RATES)]
        best, step = math.inf, 0
        kept: dict[str, Tensor] = {}
        for positions, rate in phases[self._skipped :]:
            optimizer = torch.optim.Adam(positions, lr=rate)
            self._move(kept)
            waiting = 0
            while waiting < _PATIENCE and step < _MOST_STEPS:
                step, waiting = step + 1, waiting + 1
                optimizer.zero_grad()
                loss = self._loss()
                value = float(loss.detach())
                report(step)
                if value < best * (1.0 - _LEAST_GAIN):
                    waiting = 0
                if value < best:
                    best = value
                    kept = {name: p.detach().clone() for name, p in self._positions.items()}
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                if (ratio := self._positions.get("master.compressor.ratio")) is not None:
                    ratio.data.clamp_(min=0.0)
        self._move(kept)
        self._skipped = len(phases) - len(_RATES) + 1
        return step

    def _move(self, positions: Mapping[str, Tensor]) -> None:
        for name, position in positions.items():
            self._positions[name].data.copy_(position)


def _make_compressor(mix: Tensor) -> CompressorSettings:
    """Makes a neutral compressor with a threshold that the mix is above where it is loud."""
    rms_db = power_to_db(max(float(mix.square().mean()), 1e-6))
    threshold_db = min(max(rms_db + _THRESHOLD_OVER_RMS_DB, -60.0), -1.0)
    return replace(_COMPRESSOR, threshold_db=threshold_db)
