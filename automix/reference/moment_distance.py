"""Measures how far a mix is from another of the same song, moment by moment."""

import numpy as np
import torch
from torch import Tensor

from automix.reference.bands import BandAnalysis, Frames
from automix.reference.hearing import Figures

_AUDIBLE_DB = 0.5


class MomentDistance:
    """Measures the distance of a mix from the levels of a reference over time.

    Args:
        analysis: Analysis that made all frames.
        target: Figures of the reference; they are finite for the bands, and where the width is for
            both sides, of which the reference says anything.
        reference: Frames of the reference's excerpts.
        mix: Frames of the same excerpts of the mix as it is at first.
    """

    def __init__(
        self,
        analysis: BandAnalysis,
        target: Figures,
        reference: Frames,
        mix: Frames,
    ) -> None:
        self._analysis = analysis
        self._bands = torch.from_numpy(np.isfinite(target["spectrum"])).to(reference.left.device)
        self._stereo = bool(np.isfinite(target["width"]).any())
        levels_db, self._active = analysis.levels_over_time(reference, stereo=self._stereo)
        self._levels_db = levels_db[self._active][..., self._bands]
        self._before_db = 1.0
        self._before_db = max(float(self.measure(mix)), _AUDIBLE_DB)

    def measure(self, mix: Frames) -> Tensor:
        """Measures the mean difference as a share of what it was at first; with gradients."""
        levels_db, _ = self._analysis.levels_over_time(mix, stereo=self._stereo)
        found_db = levels_db[self._active][..., self._bands]
        distance_db = torch.nn.functional.smooth_l1_loss(
            found_db, self._levels_db, beta=_AUDIBLE_DB
        )
        return distance_db / self._before_db
