"""How far a mix is from another of the same song, moment by moment."""

import numpy as np
import torch
from torch import Tensor

from automix.reference.bands import BandAnalysis, Frames
from automix.reference.hearing import Figures

_AUDIBLE_DB = 0.5


class Course:
    """What the levels of a reference do over time.

    Args:
        analysis: Of all frames.
        aim: Of which bands, and whether of both sides, the reference says anything.
        reference: Its excerpts.
        mix: The same excerpts of the mix as it is at first.
    """

    def __init__(
        self,
        analysis: BandAnalysis,
        aim: Figures,
        reference: Frames,
        mix: Frames,
    ) -> None:
        self._analysis = analysis
        self._bands = torch.from_numpy(np.isfinite(aim["spectrum"])).to(reference.left.device)
        self._stereo = bool(np.isfinite(aim["width"]).any())
        levels_db, self._active = analysis.course(reference, stereo=self._stereo)
        self._levels_db = levels_db[self._active][..., self._bands]
        self._before_db = 1.0
        self._before_db = max(float(self.distance(mix)), _AUDIBLE_DB)

    def distance(self, mix: Frames) -> Tensor:
        """Mean difference in dB, as a share of what it was at first; with gradients."""
        levels_db, _ = self._analysis.course(mix, stereo=self._stereo)
        found_db = levels_db[self._active][..., self._bands]
        distance_db = torch.nn.functional.smooth_l1_loss(
            found_db, self._levels_db, beta=_AUDIBLE_DB
        )
        return distance_db / self._before_db
