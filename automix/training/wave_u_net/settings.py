"""What can be chosen for the training of a Mix-Wave-U-Net."""

from dataclasses import dataclass, field
from typing import Annotated

from automix.networks.dmc_description import DmcDescription
from automix.networks.mix_wave_u_net_description import MixWaveUNetDescription
from automix.plan.parameters import Range, Settings
from automix.training.controller.settings import Augmentation, DmcTraining
from automix.training.settings import AudioLoss, LoopSettings


@dataclass(frozen=True, kw_only=True)
class WaveUNetTraining(Settings):
    """How a Mix-Wave-U-Net is trained."""

    model: MixWaveUNetDescription = field(default_factory=MixWaveUNetDescription)
    loop: LoopSettings = field(default_factory=LoopSettings)
    augmentation: Augmentation = field(default_factory=Augmentation)
    patch_s: Annotated[float, Range(1, 60, "s"), "of what is mixed"] = 5.0
    audio_loss: Annotated[AudioLoss, "error of the mix"] = "stereo"

    def example_settings(self) -> DmcTraining:
        """Settings for `MixExamples` with at most eight tracks, their audio, and no controller."""
        return DmcTraining(
            model=DmcDescription(base="none"),
            loop=self.loop,
            augmentation=self.augmentation,
            longest_s=max(10.0, self.patch_s),
            patch_s=self.patch_s,
            tracks=8,
            audio_weight=1.0,
        )
