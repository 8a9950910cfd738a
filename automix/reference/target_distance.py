"""Measures how far a mix is from its target, and what a descent towards it makes small."""

from collections.abc import Collection

import torch
from torch import Tensor

from automix.reference.bands import FEATURES, Feature, Features
from automix.reference.comparison import TOLERANCE
from automix.reference.hearing import Figures

_WEIGHTS: dict[Feature, float] = {
    "spectrum": 1.0,
    "dynamics": 1.0,
    "loudness range": 0.03,
    "crest factor": 0.3,
    "width": 0.3,
    "width by band": 0.5,
    "imbalance": 0.4,
    "imbalance by band": 0.3,
}
_AUDIBLE_DB: dict[Feature, float] = {
    "loudness range": 0.2,
    "imbalance": 0.1,
    "imbalance by band": 0.1,
}
"""Least distance that counts where it is not half a dB; below it the pull of the start wins."""
_FURTHEST_DB = 12.0
"""Largest change of a feature that one round of the descent asks for."""
_GUARD = 1.0
"""Cost, at first, of going away from the target by as much as can be told apart."""
_GUARDED_MORE = 3.0
_MARGIN_DB = TOLERANCE / 2
"""A feature has to be nearer by this than it must, for what the excerpts do not tell."""


class TargetDistance:
    """Measures the distance of a mix from its target by what is heard of some excerpts.

    Excerpts are a part of the song, and are heard before the limiter. So what the whole song is
    like is taken from its exact mix, and from the excerpts how it has changed since then. Each
    feature is guarded: from where it gets further away than it was without references, that costs.

    Args:
        target: Figures of the references.
        start: Figures of the mix from which a descent begins; distances count as shares of its.
        before: Figures of the mix without references.
        device: Device of the gradients.
    """

    def __init__(
        self, target: Figures, start: Figures, before: Figures, device: torch.device
    ) -> None:
        self._device = device
        known = _to_tensors(target, device)
        first, plain = (_to_tensors(figures, device) for figures in (start, before))
        self._target = {
            name: known[name]
            for name in FEATURES
            if bool((known[name] + first[name] + plain[name]).isfinite().any())
        }
        self._start_db = {
            name: max(distance_db, audible_db(name))
            for name, distance_db in self._measure(first).items()
        }
        self._most_db = {
            name: max(distance_db, TOLERANCE) - _MARGIN_DB
            for name, distance_db in self._measure(plain).items()
        }
        self._guards = {name: _GUARD for name in self._target if name != "dynamics"}

    def _measure(self, whole: Features) -> dict[Feature, float]:
        """Measures the mean distance in dB from the target, of each feature that it has."""
        return {
            name: float((whole[name] - target).abs().nanmean())
            for name, target in self._target.items()
        }

    def score(self, whole: Figures) -> float:
        """Scores how far a whole mix is from the target; the start has the sum of the weights."""
        distances = self._measure(_to_tensors(whole, self._device))
        return sum(
            _WEIGHTS[name] * distance_db / self._start_db[name]
            for name, distance_db in distances.items()
        )

    def calibrate(self, excerpts: Features, whole: Figures) -> None:
        """Relates what excerpts sound like to what the whole mix sounds like.

        Args:
            excerpts: Features of the excerpts.
            whole: Figures of the whole mix.
        """
        found = _to_tensors(whole, self._device)
        self._factors, self._offsets = {}, {}
        self._goals: Features = {}
        for name, target in self._target.items():
            factor = found[name].new_tensor(1.0)
            if name == "loudness range":  # of excerpts it is smaller, as are its changes
                factor = (found[name] / excerpts[name].clamp_min(0.5)).clamp(0.25, 4.0)
            self._factors[name] = factor
            self._offsets[name] = found[name] - factor * excerpts[name]
            change = (target - found[name]).clamp(-_FURTHEST_DB, _FURTHEST_DB)
            self._goals[name] = found[name] + change

    def follow(self, excerpts: Features) -> None:
        """Takes the same excerpts of a reference of the same song for the target."""
        self._factors = {name: excerpts[name].new_tensor(1.0) for name in self._target}
        self._offsets = {name: torch.zeros_like(excerpts[name]) for name in self._target}
        self._goals = {name: excerpts[name] for name in self._target}
        self._guards = {}

    def guard(self, names: Collection[str]) -> None:
        """Makes it cost more than before when these features go away from the target."""
        for name in self._guards:
            if name in names:
                self._guards[name] *= _GUARDED_MORE

    def loss(self, excerpts: Features) -> Tensor:
        """Computes what is to become small, with gradients."""
        total = torch.zeros((), device=self._device)
        for name, target in self._target.items():
            found = self._factors[name] * excerpts[name] + self._offsets[name]
            known = (found + target).detach().isfinite()
            if not bool(known.any()):
                continue
            distance = torch.nn.functional.smooth_l1_loss(
                found[known], self._goals[name][known], beta=audible_db(name)
            )
            total = total + _WEIGHTS[name] * distance / self._start_db[name]
            if name in self._guards:
                excess_db = (found - target)[known].abs().mean() - self._most_db[name]
                total = total + self._guards[name] * excess_db.clamp_min(0.0) / audible_db(name)
        return total


def audible_db(name: Feature) -> float:
    """Returns the distance of a feature below which nothing is gained."""
    return _AUDIBLE_DB.get(name, 0.5)


def _to_tensors(figures: Figures, device: torch.device) -> Features:
    return {
        name: torch.tensor(figures[name], dtype=torch.float32, device=device) for name in FEATURES
    }
