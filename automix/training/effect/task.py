"""Trains neural audio effects (Steinmetz 2020, chapter 4)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from automix.evaluation.metrics import esr
from automix.networks import losses
from automix.networks.checkpoints import save_weights
from automix.networks.effect_description import RATE_HZ
from automix.networks.effects import FAMILY, EffectNetwork, make_effect
from automix.networks.tcn import Tcn
from automix.training.effect.examples import ChannelExamples, EffectExample, PairExamples
from automix.training.effect.first_weights import let_reverberate, load_first_weights
from automix.training.effect.settings import EffectTraining
from automix.training.effect.sources import DryAudio, EffectSource
from automix.training.example_loading import VALIDATION, ExampleMaker, make_examples
from automix.training.run import TrainingRun

_FLOOR = 5e-3  # of the mean magnitude that a relative error is relative to: −46 dBFS


class EffectTask:
    """An effect that is trained; see `automix.training.loop.TrainingTask`.

    Args:
        settings: Settings of the training.
        network: The network, with its first weights.
        training: Examples to learn from.
        validation: Examples of other audio.
        device: Device that the network is trained on.
    """

    def __init__(
        self,
        settings: EffectTraining,
        network: EffectNetwork,
        training: ExampleMaker,
        validation: ExampleMaker,
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
        """Yields lists of examples, batch by batch."""
        workers = self._settings.loop.workers
        yield from make_examples(self._training, list(numbers), workers=workers, audio=True)

    def loss(self, batch: Sequence[EffectExample]) -> Tensor:
        """The mean error of the examples of a batch."""
        prediction, target = self._predict(batch)
        return self._errors(prediction, target).mean()

    def _predict(self, batch: Sequence[EffectExample]) -> tuple[Tensor, Tensor]:
        """Outputs of the network and the targets of examples, both ``(batch, 1, samples)``."""

        def stack(name: str) -> Tensor:
            rows = [torch.from_numpy(getattr(example, name)) for example in batch]
            return torch.stack(rows).to(self._device)

        prediction: Tensor = self.network(stack("audio"), stack("conditioning"))
        return prediction.float(), stack("target")

    def _errors(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The error of each example ``(batch, 1)`` as the settings define it."""
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
        """Mean errors of the held-out examples, and those of their dry input (bypass)."""
        rows: list[dict[str, float]] = []
        for example in self._held:
            prediction, target = self._predict([example])
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


def make_task(
    settings: EffectTraining,
    sources: tuple[EffectSource, EffectSource],
    run: TrainingRun,
) -> EffectTask:
    """Makes the task of a run, with its first weights.

    Args:
        settings: Settings of the training.
        sources: Audio as `open_sources` finds it.
        run: Names the device and the weights to begin with.

    Raises:
        DeviceError: The weights to begin with cannot be used.
    """
    torch.manual_seed(settings.loop.seed)
    network = make_effect(settings.model)
    for name, module in network.named_modules():
        if isinstance(module, nn.PReLU) and not name.startswith("film."):
            nn.init.constant_(module.weight, settings.first_slope)
    if (start := run.start_path) is not None:
        added = load_first_weights(network, start)
        if settings.tail_gain > 0.0 and isinstance(network, Tcn):
            let_reverberate(network, added, settings.tail_gain)
    training, validation = (
        _make_examples(settings, source, network, disturbed=disturbed)
        for source, disturbed in zip(sources, (True, False), strict=True)
    )
    return EffectTask(settings, network, training, validation, run.device)


def _make_examples(
    settings: EffectTraining,
    source: EffectSource,
    network: EffectNetwork,
    *,
    disturbed: bool,
) -> ExampleMaker:
    """Examples of the length that the network needs."""
    before, after = network.before, network.after
    if isinstance(source, DryAudio):
        return ChannelExamples(source, settings, before, after, disturbed=disturbed)
    return PairExamples(source, settings, before, after, disturbed=disturbed)
