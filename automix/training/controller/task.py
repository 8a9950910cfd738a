"""Trains the controller of the mixing console (Steinmetz et al. 2021)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from automix.networks.checkpoints import save_weights
from automix.networks.dmc import Dmc, combine_opinions, value_at
from automix.networks.dmc_description import outputs
from automix.networks.encoders import CompactEncoder, stack_summaries
from automix.training.controller.examples import MixExample, MixExamples, open_examples
from automix.training.controller.mix import example_loss
from automix.training.controller.neural_console import open_strip
from automix.training.controller.settings import DmcTraining
from automix.training.example_loading import VALIDATION, make_examples
from automix.training.first_weights import load_first_weights
from automix.training.run import TrainingRun
from automix.training.songs import Songs

_HUBER_DB = 3.0
_PAN_SCALE = 10.0
_MIXED = 24
"""Validation examples that are mixed: their audio stays in memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ControllerBatch:
    """Examples side by side, filled up with zeros to one number of tracks.

    Attributes:
        summaries: Input of the encoder ``(batch, tracks, ...)``.
        mask: 1 where there is a track, else 0, ``(batch, tracks)``.
        base_lu: Loudness ``(batch, tracks)`` that the outputs depart from.
        wanted_lu: Loudness ``(batch, tracks)`` in the human mix.
        base_pan: Pan positions ``(batch, tracks)`` that the outputs depart from.
        wanted_distance: Distance from the center ``(batch, tracks)`` in the human mix; NaN where
            nothing is known of it.
        songs: Numbers ``(batch,)`` of the songs that the examples are cut from.
        examples: The examples themselves, if they are to be mixed.
    """

    summaries: Tensor
    mask: Tensor
    base_lu: Tensor
    wanted_lu: Tensor
    base_pan: Tensor
    wanted_distance: Tensor
    songs: Tensor
    examples: tuple[MixExample, ...]

    def to(self, device: torch.device) -> "ControllerBatch":
        """The same batch on a device."""
        moved = {name: value.to(device) for name, value in vars(self).items() if name != "examples"}
        return ControllerBatch(**moved, examples=self.examples)


def collate(examples: Sequence[MixExample], keep: bool) -> ControllerBatch:
    """Makes a batch of examples; ``keep`` says whether it holds their audio as well."""

    def rows(name: str) -> Tensor:
        found = [getattr(example, name).float() for example in examples]
        return nn.utils.rnn.pad_sequence(found, batch_first=True)

    summaries = stack_summaries([example.summaries for example in examples])
    counts = torch.tensor([len(example.summaries) for example in examples])
    mask = (torch.arange(summaries.shape[1]) < counts[:, None]).float()
    return ControllerBatch(
        summaries=summaries,
        mask=mask,
        base_lu=rows("base_lu"),
        wanted_lu=rows("wanted_lu"),
        base_pan=rows("base_pan"),
        wanted_distance=rows("wanted_distance"),
        songs=torch.tensor([example.song for example in examples]),
        examples=tuple(examples) if keep else (),
    )


class DmcTask:
    """A controller that is trained; see `automix.training.loop.TrainingTask`.

    Args:
        settings: Settings of the training.
        training: Examples to learn from.
        validation: Examples of other songs.
        device: Device that the network is trained on.
        report: Called with how many examples have been made, where they are made beforehand.
    """

    def __init__(
        self,
        settings: DmcTraining,
        training: MixExamples,
        validation: MixExamples,
        device: torch.device,
        report: Callable[[int], None] = lambda made: None,
    ) -> None:
        self._settings = settings
        self._device = device
        self._training = training
        torch.manual_seed(settings.loop.seed)
        self.network = Dmc(settings.model).to(device)
        self._slots = outputs(settings.model)
        name = settings.neural_strip
        self._strip = open_strip(name, settings.model, device) if name else None
        self._mixed = settings.audio_weight > 0.0
        self._made: list[MixExample] = []
        count = max(64, settings.examples // 10)
        held = range(VALIDATION, VALIDATION + count)
        workers = settings.loop.workers
        self._held = list(
            make_examples(validation, held, workers=workers, audio=False, report=report)
        )
        mixed = held[:_MIXED] if self._mixed else range(0)
        self._held_mixes = list(make_examples(validation, mixed, workers=workers, audio=True))
        if settings.examples and not self._mixed:
            numbers = range(settings.examples)
            self._made = list(
                make_examples(training, numbers, workers=workers, audio=False, report=report)
            )
        seen = self._made or [training[n] for n in range(32)]
        for controller in self.network.controllers:
            if isinstance(controller.encoder, CompactEncoder):
                rows = torch.cat([example.summaries for example in seen])
                controller.encoder.standardize(rows.to(device))
        if settings.kept_outputs:
            _freeze_first_outputs(self.network, settings.kept_outputs)
        # The Bayesian bootstrap (Rubin 1981): each member weighs the songs in its own way.
        members, songs = settings.model.members, training.count
        draw = np.random.default_rng(settings.loop.seed)
        weights = draw.exponential(size=(members, songs)) if members > 1 else np.ones((1, songs))
        self._weights = torch.tensor(weights, dtype=torch.float32, device=device)

    def batches(self, numbers: Iterator[Sequence[int]]) -> Iterator[ControllerBatch]:
        """Yields batches of examples, which are made now where they were not made beforehand."""
        if self._made:
            for batch in numbers:
                order = [self._deal(number) for number in batch]
                yield collate([self._made[n] for n in order], keep=False)
            return
        workers = self._settings.loop.workers
        for examples in make_examples(
            self._training, list(numbers), workers=workers, audio=self._mixed
        ):
            yield collate(examples, keep=self._mixed)

    def _deal(self, number: int) -> int:
        """The place of the example that stands for a number: each once a round, in random order."""
        round_, place = divmod(number, len(self._made))
        generator = torch.Generator().manual_seed(self._settings.loop.seed * 7919 + round_)
        return int(torch.randperm(len(self._made), generator=generator)[place])

    def loss(self, batch: ControllerBatch) -> Tensor:
        """The error of levels and pans, and of the mix where the settings ask for it."""
        batch = batch.to(self._device)
        opinions = self.network(batch.summaries, batch.mask)
        total = self._settings.parameter_weight * self.parameter_loss(opinions, batch)
        if self._settings.model.base == "rules":
            advice = (opinions.square() * batch.mask[..., None]).sum() / batch.mask.sum()
            total = total + self._settings.shrink * advice / len(opinions)
        if self._mixed:
            positions = opinions.mean(0)
            mixed = [
                example_loss(example, position, self._settings, self._strip)
                for example, position in zip(batch.examples, positions, strict=True)
            ]
            total = total + self._settings.audio_weight * torch.stack(mixed).mean()
        return total

    def parameter_loss(self, opinions: Tensor, batch: ControllerBatch) -> Tensor:
        """The error of loudness (Huber, less what all tracks have in common) and of pan.

        Args:
            opinions: Outputs of each member ``(members, batch, tracks, outputs)`` in −1…1.
            batch: The examples.
        """
        level, pan = self._slots[:2]
        error = level_errors(value_at(opinions[..., 0], level), batch)
        zeros = torch.zeros_like(error)
        huber = nn.functional.huber_loss(error, zeros, reduction="none", delta=_HUBER_DB)
        per_example = (huber * batch.mask).sum(-1) / batch.mask.sum(-1) / _HUBER_DB
        output = value_at(opinions[..., 1], pan)
        if self._settings.model.base == "rules":
            distance = (batch.base_pan - 0.5).abs() * output
        else:
            distance = (output - 0.5).abs()
        known = batch.mask.bool() & ~batch.wanted_distance.isnan()
        wanted = torch.where(known, batch.wanted_distance, 0.0)
        panned = ((distance - wanted).square() * known).sum(-1) / known.sum(-1).clamp_min(1)
        return ((per_example + _PAN_SCALE * panned) * self._weights[:, batch.songs]).mean()

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Mean errors on held-out songs, of the network and of the base that it departs from.

        They are the error of the mix, where that is learned from, and the mean absolute error of
        the levels of the tracks in dB.
        """
        found: dict[str, list[float]] = {"level_error_db": [], "base_level_error_db": []}
        for first in range(0, len(self._held), 64):
            batch = collate(self._held[first : first + 64], keep=False).to(self._device)
            opinion = combine_opinions(self.network(batch.summaries, batch.mask))
            output = value_at(opinion[..., 0], self._slots[0])
            for name, level in (("level_error_db", output), ("base_level_error_db", 0.0 * output)):
                for row, mask in zip(level_errors(level, batch), batch.mask.bool(), strict=True):
                    found[name].append(float((row[mask] - row[mask].median()).abs().mean()))
        distances = {"distance": 1.0, "base_distance": 0.0} if self._mixed else {}
        mixes = {name: self._distance(share) for name, share in distances.items()}
        return mixes | {name: sum(errors) / len(errors) for name, errors in found.items()}

    def _distance(self, share: float) -> float:
        """The mean error of the held-out mixes, with a share 0…1 of the network's outputs."""
        total = 0.0
        for example in self._held_mixes:
            batch = collate([example], keep=False).to(self._device)
            opinion = combine_opinions(self.network(batch.summaries, batch.mask))[0]
            total += float(example_loss(example, share * opinion, self._settings, self._strip))
        return total / len(self._held_mixes)

    def save(self, path: Path) -> None:
        """Writes the weights with the description of the network."""
        save_weights(path, "dmc", self._settings.model, self.network.state_dict())


def _freeze_first_outputs(network: Dmc, outputs: int) -> None:
    """Lets only the last layer of each controller learn, and of that not the first outputs."""

    def without_first(gradient: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(gradient[:outputs]), gradient[outputs:]])

    network.requires_grad_(False)
    for controller in network.controllers:
        last = [layer for layer in controller.post_processor if isinstance(layer, nn.Linear)][-1]
        for parameter in last.parameters():
            parameter.requires_grad_(True)
            parameter.register_hook(without_first)  # type: ignore[no-untyped-call]


def level_errors(level_lu: Tensor, batch: ControllerBatch) -> Tensor:
    """Loudness errors in LU ``(..., batch, tracks)``, less their mean over the tracks.

    Args:
        level_lu: Loudness ``(..., batch, tracks)`` that is added to that of the base.
        batch: The examples.
    """
    error = (batch.base_lu + level_lu - batch.wanted_lu) * batch.mask
    mean = error.sum(-1, keepdim=True) / batch.mask.sum(-1, keepdim=True)
    return (error - mean) * batch.mask


def make_task(settings: DmcTraining, songs: Songs, run: TrainingRun) -> DmcTask:
    """Makes the task of a run, with its first weights.

    Args:
        settings: Settings of the training.
        songs: Songs as `open_songs` finds them.
        run: Names the device and the weights to begin with.

    Raises:
        AutomixError: An example cannot be made, or the weights cannot be used.
    """
    training, validation = open_examples(songs, settings)
    task = DmcTask(settings, training, validation, run.device, run.report_example)
    if (start := run.start_path) is not None:
        load_first_weights(task.network, start)
    return task
