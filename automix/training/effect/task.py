"""Trains neural audio effects (Steinmetz 2020, chapter 4)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from automix.evaluation.metrics import esr
from automix.networks import losses
from automix.networks.checkpoints import save_weights
from automix.networks.effect_description import RATE_HZ
from automix.networks.effects import FAMILY, EffectNetwork
from automix.networks.tcn import Tcn
from automix.training.effect.examples import EffectExample
from automix.training.effect.settings import EffectTraining
from automix.training.numbered import VALIDATION, Numbered, make_examples

_FLOOR = 5e-3  # of the mean magnitude that a relative error is relative to: −46 dBFS


class EffectTask:
    """See `automix.training.loop.TrainingTask`.

    Args:
        settings: Of the training.
        network: To be trained.
        training: Examples to learn from.
        validation: Examples of other audio.
        device: Where the network is.
    """

    def __init__(
        self,
        settings: EffectTraining,
        network: EffectNetwork,
        training: Numbered,
        validation: Numbered,
        device: torch.device,
    ) -> None:
        self._settings, self._device, self._training = settings, device, training
        self.network = network.to(device)
        if isinstance(network, Tcn):
            network.statistics, network.settle = settings.statistics, settings.settle
        numbers = range(VALIDATION, VALIDATION + settings.held_examples)
        workers = settings.loop.workers
        self._held = list(make_examples(validation, numbers, workers=workers, audio=True))

    def batches(self, numbers: Iterator[Sequence[int]]) -> Iterator[list[EffectExample]]:
        """Examples, batch by batch."""
        workers = self._settings.loop.workers
        yield from make_examples(self._training, list(numbers), workers=workers, audio=True)

    def loss(self, batch: Sequence[EffectExample]) -> Tensor:
        """The mean error of a batch."""
        prediction, target = self._passed(batch)
        return self._errors(prediction, target).mean()

    def _passed(self, batch: Sequence[EffectExample]) -> tuple[Tensor, Tensor]:
        """What the network makes of examples, and what it should ``(batch, 1, samples)``."""

        def stacked(name: str) -> Tensor:
            rows = [torch.from_numpy(getattr(example, name)) for example in batch]
            return torch.stack(rows).to(self._device)

        prediction: Tensor = self.network(stacked("audio"), stacked("conditioning"))
        return prediction.float(), stacked("target")

    def _errors(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``(batch, 1)``."""
        kind = self._settings.loss
        total = torch.zeros(prediction.shape[:2], device=prediction.device)
        with torch.autocast(prediction.device.type, enabled=False):
            if "l1" in kind:
                error = losses.l1(prediction, target)
                if self._settings.relative:
                    error = error / target.abs().mean(-1).clamp_min(_FLOOR)
                total = total + error
            if "mr-stft" in kind:
                weight = self._settings.spectral_weight if "l1" in kind else 1.0
                total = total + weight * losses.mr_stft(prediction, target)
            if self._settings.mel_weight > 0.0:
                distance = losses.log_mel(prediction, target, RATE_HZ)
                total = total + self._settings.mel_weight * distance
        return total

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Mean errors of the held-out examples, and those of bypass, the input itself."""
        rows: list[dict[str, float]] = []
        for example in self._held:
            prediction, target = self._passed([example])
            dry = torch.from_numpy(example.dry)[None].to(self._device)
            row = {"error": float(self._errors(prediction, target))}
            for name, signal in (("", prediction), ("bypass_", dry)):
                row[f"{name}mae"] = float(losses.l1(signal, target))
                row[f"{name}esr"] = esr(signal[0].cpu().numpy(), target[0].cpu().numpy())
                row[f"{name}mr_stft"] = float(losses.mr_stft(signal, target))
            rows.append(row)
        return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}

    def save(self, path: Path) -> None:
        """Writes the weights with the description of the network."""
        save_weights(path, FAMILY, self._settings.model, self.network.state_dict())
