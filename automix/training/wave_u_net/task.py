"""Trains the Mix-Wave-U-Net, the baseline that has no settings (Steinmetz 2020, section 5.2)."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from automix.networks.checkpoints import save_weights
from automix.networks.mix_wave_u_net import MixWaveUNet
from automix.training.audio_losses import AUDIO_LOSSES
from automix.training.controller.examples import MixExamples, open_examples
from automix.training.example_loading import VALIDATION, make_examples
from automix.training.first_weights import load_first_weights
from automix.training.run import TrainingRun
from automix.training.songs import Songs
from automix.training.wave_u_net.examples import stack_examples
from automix.training.wave_u_net.settings import WaveUNetTraining

_HELD_EXAMPLES = 24


class WaveUNetTask:
    """A Mix-Wave-U-Net that is trained; see `automix.training.loop.TrainingTask`.

    Args:
        settings: Settings of the training.
        training: Examples to learn from, with audio.
        validation: Examples of other songs.
        device: Device that the network is trained on.
        report: Called with how many validation examples have been made.
    """

    def __init__(
        self,
        settings: WaveUNetTraining,
        training: MixExamples,
        validation: MixExamples,
        device: torch.device,
        report: Callable[[int], None] = lambda made: None,
    ) -> None:
        self._settings, self._device, self._training = settings, device, training
        torch.manual_seed(settings.loop.seed)
        self.network = MixWaveUNet(settings.model).to(device)
        numbers = range(VALIDATION, VALIDATION + _HELD_EXAMPLES)
        workers = settings.loop.workers
        self._held = list(
            make_examples(validation, numbers, workers=workers, audio=True, report=report)
        )

    def batches(self, numbers: Iterator[Sequence[int]]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields tracks ``(batch, 8, samples)`` and human mixes ``(batch, 2, samples)``."""
        workers = self._settings.loop.workers
        for examples in make_examples(self._training, list(numbers), workers=workers, audio=True):
            yield stack_examples(examples)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """The mean error of the mixes."""
        tracks, human = (part.to(self._device) for part in batch)
        return AUDIO_LOSSES[self._settings.audio_loss](self.network(tracks), human).mean()

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Mean errors of held-out mixes, of the network and of the plain sum of the tracks."""
        errors, sums = [], []
        loss = AUDIO_LOSSES[self._settings.audio_loss]
        for example in self._held:
            tracks, human = (part.to(self._device) for part in stack_examples([example]))
            errors.append(float(loss(self.network(tracks), human)))
            plain = tracks.sum(1, keepdim=True).expand(-1, 2, -1)
            sums.append(float(loss(plain, human)))
        return {"distance": sum(errors) / len(errors), "sum_distance": sum(sums) / len(sums)}

    def save(self, path: Path) -> None:
        """Writes the weights with the description of the network."""
        save_weights(path, "mix-wave-u-net", self._settings.model, self.network.state_dict())


def make_task(settings: WaveUNetTraining, songs: Songs, run: TrainingRun) -> WaveUNetTask:
    """Makes the task of a run, with its first weights.

    Args:
        settings: Settings of the training.
        songs: Songs as `open_songs` finds them.
        run: Names the device and the weights to begin with.

    Raises:
        AutomixError: An example cannot be made, or the weights cannot be used.
    """
    training, validation = open_examples(songs, settings.example_settings())
    task = WaveUNetTask(settings, training, validation, run.device, run.report_example)
    if (start := run.start_path) is not None:
        load_first_weights(task.network, start)
    return task
