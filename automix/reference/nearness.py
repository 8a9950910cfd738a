"""How near a mix is to its references, and what a descent towards them makes small."""

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
"""Distances are told apart down to this, or else to half a dB; the pull wins below."""
_FURTHEST_DB = 12.0
"""No feature is followed further than this in one go."""
_GUARD = 1.0
"""What going away from the references by as much as can be told apart costs at first."""
_MINDED = 3.0
_MARGIN_DB = TOLERANCE / 2
"""Nearer by this than it must be, for what the excerpts do not tell."""


class Nearness:
    """The distances of a mix from its references, by what is heard of some excerpts.

    Excerpts are a part of the song, and are heard before the limiter. So what the whole song is
    like is taken from its exact mix, and from the excerpts how it has changed since then. Each
    feature is guarded: from where it gets further away than it was without references, that costs.

    Args:
        aim: Of the references.
        start: Of the mix from which a descent begins; distances count in shares of its.
        before: Of the mix without references.
        device: For the gradients.
    """

    def __init__(self, aim: Figures, start: Figures, before: Figures, device: torch.device) -> None:
        self._device = device
        known = _tensors(aim, device)
        first, plain = (_tensors(figures, device) for figures in (start, before))
        self._aim = {
            name: known[name]
            for name in FEATURES
            if bool((known[name] + first[name] + plain[name]).isfinite().any())
        }
        self._start_db = {
            name: max(distance_db, audible_db(name))
            for name, distance_db in self._distances(first).items()
        }
        self._most_db = {
            name: max(distance_db, TOLERANCE) - _MARGIN_DB
            for name, distance_db in self._distances(plain).items()
        }
        self._guards = {name: _GUARD for name in self._aim if name != "dynamics"}

    def _distances(self, whole: Features) -> dict[Feature, float]:
        """Mean distance in dB from the references, of each feature that they have."""
        return {name: float((whole[name] - aim).abs().nanmean()) for name, aim in self._aim.items()}

    def score(self, whole: Figures) -> float:
        """How far a whole mix is from the references, by weight; at the start the weights' sum."""
        distances = self._distances(_tensors(whole, self._device))
        return sum(
            _WEIGHTS[name] * distance_db / self._start_db[name]
            for name, distance_db in distances.items()
        )

    def calibrate(self, excerpts: Features, whole: Figures) -> None:
        """Says what excerpts sound like in a mix that is like this as a whole."""
        found = _tensors(whole, self._device)
        self._factors, self._offsets = {}, {}
        self._goals: Features = {}
        for name, aim in self._aim.items():
            factor = found[name].new_tensor(1.0)
            if name == "loudness range":  # of excerpts it is smaller, as are its changes
                factor = (found[name] / excerpts[name].clamp_min(0.5)).clamp(0.25, 4.0)
            self._factors[name] = factor
            self._offsets[name] = found[name] - factor * excerpts[name]
            change = (aim - found[name]).clamp(-_FURTHEST_DB, _FURTHEST_DB)
            self._goals[name] = found[name] + change

    def follow(self, excerpts: Features) -> None:
        """Takes the same excerpts of a reference for what is wanted: it is of the same song."""
        self._factors = {name: excerpts[name].new_tensor(1.0) for name in self._aim}
        self._offsets = {name: torch.zeros_like(excerpts[name]) for name in self._aim}
        self._goals = {name: excerpts[name] for name in self._aim}
        self._guards = {}

    def mind(self, names: Collection[str]) -> None:
        """Guards these features more than before."""
        for name in self._guards:
            if name in names:
                self._guards[name] *= _MINDED

    def loss(self, excerpts: Features) -> Tensor:
        """What is to become small, with gradients."""
        total = torch.zeros((), device=self._device)
        for name, aim in self._aim.items():
            found = self._factors[name] * excerpts[name] + self._offsets[name]
            known = (found + aim).detach().isfinite()
            if not bool(known.any()):
                continue
            distance = torch.nn.functional.smooth_l1_loss(
                found[known], self._goals[name][known], beta=audible_db(name)
            )
            total = total + _WEIGHTS[name] * distance / self._start_db[name]
            if name in self._guards:
                excess_db = (found - aim)[known].abs().mean() - self._most_db[name]
                total = total + self._guards[name] * excess_db.clamp_min(0.0) / audible_db(name)
        return total


def audible_db(name: Feature) -> float:
    """Below this distance nothing is gained."""
    return _AUDIBLE_DB.get(name, 0.5)


def _tensors(figures: Figures, device: torch.device) -> Features:
    return {
        name: torch.tensor(figures[name], dtype=torch.float32, device=device) for name in FEATURES
    }
