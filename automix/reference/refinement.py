"""From a plan to one whose mix is nearer to a reference, by gradients through the console.

What a reference can say is said of the whole mix. So the processing of single tracks stays as the
method set it; levels, positions, returns and the master move, and a pull holds them to their start.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from automix.consoles.differentiable import DifferentiableConsole, to_plan
from automix.consoles.exact import ExactConsole
from automix.plan import MixPlan
from automix.reference.aims import Aim
from automix.reference.bands import BandAnalysis, Feature, Features
from automix.reference.course import Course
from automix.reference.excerpts import LEAD_IN_S, audible, bare_values, excerpts
from automix.reference.same_song import SameSong
from automix.settings import CompressorSettings, EqualizerBand, EqualizerSettings
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
"""What may move, and by how much at the price of 1 in the pull."""
_LARGEST = 4.0
"""In units of the scales; approached, never reached."""

_WEIGHTS: dict[Feature, float] = {
    "spectrum": 1.0,
    "dynamics": 1.0,
    "range": 0.03,
    "crest": 0.3,
    "width": 0.3,
    "band_width": 0.5,
    "imbalance": 0.4,
    "band_imbalance": 0.3,
}
_COURSE_WEIGHT = 4.0
"""As much as all others, where the reference is a mix of this very song."""
_AUDIBLE_DB: dict[Feature, float] = {"range": 0.2, "imbalance": 0.1, "band_imbalance": 0.1}
"""Distances are told apart down to this, or else to half a dB; the pull wins below."""
_FURTHEST_DB = 12.0
"""No feature is followed further than this in one go."""
_PULL = 0.03
_PENALTY_FOR_WORSE = 5.0
_MINDED = 3.0
_LEAST_RATIO = 1.02

_RATES = (0.15, 0.05, 0.015)
_MOST_STEPS = 150
_PATIENCE = 8
_LEAST_GAIN = 0.002


class Descent:
    """The way from a plan towards references.

    It hears excerpts of the song, and aims for as much of a change as the whole song needs.

    Args:
        console: Renders what comes before the faders.
        plan: To begin with; its master is neutral.
        whole: Features of its mix before the master, of the whole song.
        aim: Of the references.
        same: Where the reference is a mix of this very song.
        analysis: At the rate of the session.
        device: For the gradients.

    Raises:
        InputError: The file behind a track changed or cannot be read.
    """

    def __init__(
        self,
        console: ExactConsole,
        plan: MixPlan,
        whole: Features,
        aim: Aim,
        same: SameSong | None,
        analysis: BandAnalysis,
        device: torch.device,
    ) -> None:
        equalizer = EqualizerSettings(bands=MASTER_BANDS)
        plan = replace(plan, master=replace(plan.master, equalizer=equalizer))
        layout, values = bare_values(console, plan)
        self._values = {name: value.to(device) for name, value in values.items()}
        self._analysis, self._aim = analysis, aim
        audio, starts = excerpts(console, plan, of_every_track=same is not None)
        self._audio = audio.to(device)
        self._console = DifferentiableConsole(analysis.sample_rate, layout)
        # What is in the center is meant to be there.
        self._pans = torch.tensor([strip.pan != 0.5 for strip in audible(plan)], device=device)
        with torch.no_grad():
            mix = self._mix({})
            first = analysis.features(analysis.frames(mix))
        compressor = _compressor(mix)
        for field in ("threshold_db", "ratio", "attack_ms", "release_ms"):
            name = f"master.compressor.{field}"
            self._values[name] = torch.full_like(self._values[name], getattr(compressor, field))
        self._start = replace(plan, master=replace(plan.master, compressor=compressor))
        self._weights = dict(_WEIGHTS)
        self._skipped = 0
        self._distances = self.distances(whole)
        self._set_aims(first, whole)
        self._course: Course | None = None
        if same is not None:
            moments = same.moments(starts, self._audio.shape[-1])
            frames = analysis.frames(moments[..., self._lead_in() :].to(device))
            heard = analysis.features(frames)
            self._aims = {name: heard[name] for name in self._distances}
            self._course = Course(analysis, aim.known, frames, analysis.frames(mix))
        denser = any(
            bool((aim.known[name] & (aim.features[name] < whole[name] - _audible_db(name))).any())
            for name in ("crest", "range")
        )
        self._positions = {
            name: torch.zeros_like(self._values[name]).requires_grad_()
            for name in _SCALES
            if self._values.get(name, torch.empty(0)).numel()
            and (denser or name != "master.compressor.ratio")
        }

    def distances(self, whole: Features) -> dict[Feature, float]:
        """Mean distance in dB from the references, of each feature that they have."""
        known = {name: known for name, known in self._aim.known.items() if bool(known.any())}
        return {
            name: float((whole[name] - self._aim.features[name])[of_name].abs().mean())
            for name, of_name in known.items()
        }

    def _set_aims(self, heard: Features, whole: Features) -> None:
        """Aims for the excerpts, from what is heard of them and of the whole song."""
        self._aims = {
            name: heard[name]
            + (self._aim.features[name] - whole[name]).clamp(-_FURTHEST_DB, _FURTHEST_DB)
            for name in self._distances
        }
        if "range" in self._aims:  # of excerpts it is smaller, as are its changes
            change = self._aim.features["range"] / whole["range"].clamp_min(0.5)
            self._aims["range"] = heard["range"] * change.clamp(0.25, 4.0)

    def score(self, whole: Features) -> float:
        """How far a whole song is from the references and the plan from its start: the loss."""
        distances = self.distances(whole)
        return float(self._pull().detach()) + sum(
            weight * self._penalized(torch.tensor(distances[name]), name).item()
            for name, weight in _WEIGHTS.items()
            if name in distances
        )

    def _penalized(self, distance: Tensor, name: Feature) -> Tensor:
        """A distance, relative to what it was; to become worse costs more."""
        share = distance / max(self._distances[name], _audible_db(name))
        return share + _PENALTY_FOR_WORSE * (share - 1.0).clamp_min(0.0)

    def correct(self, whole: Features) -> bool:
        """Makes up for what the excerpts do not tell, where something has become worse.

        Args:
            whole: Features of the whole song with the plan as it is now.

        Returns:
            Whether there is anything to make up for, so that another `run` is worth it.
        """
        if self._course is not None:
            return False
        distances = self.distances(whole)
        worse = [n for n in distances if distances[n] > max(self._distances[n], _audible_db(n))]
        for name in worse:
            self._weights[name] *= _MINDED
        with torch.no_grad():
            mix = self._mix(self._changes())
            self._set_aims(self._analysis.features(self._analysis.frames(mix)), whole)
        return bool(worse)

    def plan(self, share: float = 1.0) -> MixPlan:
        """The plan a share of the way, 0 … 1."""
        moved = {
            name: (self._values[name] + share * change).detach()
            for name, change in self._changes().items()
        }
        plan = to_plan(moved, self._start)
        if plan.master.compressor.ratio > _LEAST_RATIO:
            return plan
        return replace(plan, master=replace(plan.master, compressor=CompressorSettings()))

    def _changes(self) -> dict[str, Tensor]:
        """How far each value is from where it began."""
        moved = {
            name: _SCALES[name] * _LARGEST * torch.tanh(position / _LARGEST)
            for name, position in self._positions.items()
        }
        moved["pan"] = moved["pan"] * self._pans
        return moved

    def _mix(self, changes: Mapping[str, Tensor]) -> Tensor:
        values = dict(self._values)
        for name, change in changes.items():
            values[name] = values[name] + change
        if "pan" in changes:
            values["pan"] = values["pan"].clamp(0.0, 1.0)
        if "master.compressor.ratio" not in changes:
            values = {n: v for n, v in values.items() if not n.startswith("master.compressor.")}
        return self._console.mix(self._audio, values)[..., self._lead_in() :]

    def _lead_in(self) -> int:
        """Frames at the beginning of each excerpt that are not judged, while reverbs fill up."""
        return min(round(LEAD_IN_S * self._analysis.sample_rate), self._audio.shape[-1] // 4)

    def _loss(self) -> Tensor:
        frames = self._analysis.frames(self._mix(self._changes()))
        found = self._analysis.features(frames)
        total = torch.zeros((), device=self._audio.device)
        if self._course is not None:
            total = total + _COURSE_WEIGHT * self._course.distance(frames)
        for name, aim in self._aims.items():
            known = self._aim.known[name]
            distance = _distance(found[name][known], aim[known], _audible_db(name))
            total = total + self._weights[name] * self._penalized(distance, name)
        return total + self._pull()

    def _pull(self) -> Tensor:
        squares = [
            (position - position.mean() if name == "fader_db" else position).square().sum()
            for name, position in self._positions.items()
        ]
        return _PULL * torch.stack(squares).sum()

    def run(self, report: Callable[[int], None] = lambda step: None) -> int:
        """Steps that become smaller until nothing is gained any more; stays at the best.

        At first only the tracks move: the master makes up for what they cannot, not the reverse.
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


def _audible_db(name: Feature) -> float:
    return _AUDIBLE_DB.get(name, 0.5)


def _distance(found: Tensor, aim: Tensor, audible_db: float) -> Tensor:
    """Mean difference in dB, smooth at 0."""
    return torch.nn.functional.smooth_l1_loss(found, aim, beta=audible_db)


def _compressor(mix: Tensor) -> CompressorSettings:
    """Neutral, with a threshold that the mix is above where it is loud."""
    rms_db = power_to_db(max(float(mix.square().mean()), 1e-6))
    threshold_db = min(max(rms_db + _THRESHOLD_OVER_RMS_DB, -60.0), -1.0)
    return replace(_COMPRESSOR, threshold_db=threshold_db)
