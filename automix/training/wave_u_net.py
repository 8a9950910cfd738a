"""Trains the Mix-Wave-U-Net, the baseline that has no settings (Steinmetz 2020, section 5.2)."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from automix.audio.blocks import collect, fold_to_mono
from automix.errors import InputError
from automix.networks.checkpoints import save_weights
from automix.networks.mix_wave_u_net import MOST_TRACKS, MixWaveUNet
from automix.training.controller.examples import Example, Examples
from automix.training.controller.mix import LOSSES
from automix.training.numbered import VALIDATION, make_examples
from automix.training.settings import WaveUNetTraining

_HELD = 24


class WaveUNetTask:
    """See `automix.training.loop.TrainingTask`.

    Args:
        settings: Of the training.
        training: Examples to learn from, with audio.
        validation: Examples of other songs.
        device: Where the network is.
        report: Called with how many validation examples have been made.
    """

    def __init__(
        self,
        settings: WaveUNetTraining,
        training: Examples,
        validation: Examples,
        device: torch.device,
        report: Callable[[int], None] = lambda made: None,
    ) -> None:
        self._settings, self._device, self._training = settings, device, training
        torch.manual_seed(settings.loop.seed)
        self.network = MixWaveUNet(settings.model).to(device)
        numbers = range(VALIDATION, VALIDATION + _HELD)
        workers = settings.loop.workers
        self._held = list(
            make_examples(validation, numbers, workers=workers, audio=True, report=report)
        )

    def batches(self, numbers: Iterator[Sequence[int]]) -> Iterator[tuple[Tensor, Tensor]]:
        """Tracks ``(batch, 8, samples)`` and human mixes ``(batch, 2, samples)``."""
        workers = self._settings.loop.workers
        for examples in make_examples(self._training, list(numbers), workers=workers, audio=True):
            yield stacks(examples)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """The mean error of the mixes."""
        tracks, human = (part.to(self._device) for part in batch)
        return LOSSES[self._settings.audio_loss](self.network(tracks), human).mean()

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Mean error of held-out mixes: of the network, and of the plain sum of the tracks."""
        errors, sums = [], []
        loss = LOSSES[self._settings.audio_loss]
        for example in self._held:
            tracks, human = (part.to(self._device) for part in stacks([example]))
            errors.append(float(loss(self.network(tracks), human)))
            plain = tracks.sum(1, keepdim=True).expand(-1, 2, -1)
            sums.append(float(loss(plain, human)))
        return {"distance": sum(errors) / len(errors), "sum_distance": sum(sums) / len(sums)}

    def save(self, path: Path) -> None:
        """Writes the weights with the description of the network."""
        save_weights(path, "mix-wave-u-net", self._settings.model, self.network.state_dict())


def stacks(examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """Tracks and human mixes of one length, that of the shortest; missing tracks are zeros.

    Raises:
        InputError: There are more than eight tracks.
    """
    mixes = [torch.from_numpy(e.human) for e in examples if e.human is not None]
    length = min(mix.shape[1] for mix in mixes)
    tracks = torch.zeros(len(mixes), MOST_TRACKS, length)
    for row, example in zip(tracks, examples, strict=True):
        given = example.session.tracks if example.session is not None else ()
        if len(given) > MOST_TRACKS:
            raise InputError(
                f"a song to learn from has {len(given)} tracks, and the Mix-Wave-U-Net takes"
                f" {MOST_TRACKS}; leave it out, or sum some of its tracks"
            )
        for place, track in zip(row, given, strict=False):
            place.copy_(
                torch.from_numpy(collect(fold_to_mono(track.source)).samples[0, :length].copy())
            )
    return tracks, torch.stack([mix[:, :length] for mix in mixes])
