"""Trains the four networks of Li & Lerch; the losses are their equations 2 and 3."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from automix.methods.vocal.settings import PAPER
from automix.networks.checkpoints import save_weights
from automix.networks.vocal_cnn import FAMILY, VocalCnn, largest, scale_blocks
from automix.networks.vocal_cnn_description import GAINS_DB, REVERB_FIELDS, output_ranges
from automix.training.vocal.disturbance import disturb_blocks, draw_gain_rows_db, equalizer_db
from automix.training.vocal.examples import Views, make_views
from automix.training.vocal.settings import VocalTraining
from automix.training.vocal.songs import VocalSong

_VALIDATION = 400
_HELD_REVERBS = 100
_AT_A_TIME = 64
_REVERB_WEIGHTS = {"dry_wet": 10.0, "reverberation_time_s": 5.0, "room_size": 5.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class VocalBatch:
    """What a network hears, and what is wanted of it.

    Attributes:
        blocks: As the network is given them ``(batch, 2, 128, frames)``.
        wanted: Positions 0…1 ``(batch, outputs)``.
    """

    blocks: Tensor
    wanted: Tensor


class VocalTask:
    """See `automix.training.loop.TrainingTask`.

    Args:
        settings: Of the training.
        views: To learn from.
        held: Of other songs, to validate with.
        device: Where the network is.

    Attributes:
        network: That is trained.
        views: As given.
        held: Examples of the views to validate with.
    """

    def __init__(
        self, settings: VocalTraining, views: Views, held: Views, device: torch.device
    ) -> None:
        self._settings = settings
        self._device = device
        self._task = settings.model.task
        torch.manual_seed(settings.loop.seed)
        self.network = VocalCnn(settings.model).to(device)
        self.network.trust.fill_(settings.trust)
        # What is drawn evenly has its median in the middle, where the constant is.
        if self._task == "level":
            (legal,) = output_ranges(self._task)
            self.network.constant.fill_(legal.to_unit(PAPER.relative_loudness_lu))
        elif self._task == "compression" and views.wanted is not None:
            self.network.constant = views.wanted.median(0).values.to(device)
        self.views = views
        self.held = _undisturbed(held, settings)
        self._mean = torch.zeros(()) if views.wanted is None else views.wanted.mean(0)

    @classmethod
    def of_songs(
        cls,
        settings: VocalTraining,
        training: Sequence[VocalSong],
        validation: Sequence[VocalSong],
        device: torch.device,
        report: Callable[[str], None] = lambda stage: None,
    ) -> "VocalTask":
        """Makes the views first.

        Args:
            settings: Of the training.
            training: Songs to learn from.
            validation: Other songs.
            device: Where the network is.
            report: Called with what is being made.
        """
        seed = settings.loop.seed
        fewer = replace(
            settings,
            views=min(settings.views, _VALIDATION),
            reverbs=min(settings.reverbs, _HELD_REVERBS),
        )
        views = make_views(training, settings, seed, report)
        return cls(settings, views, make_views(validation, fewer, seed + 1, report), device)

    def batches(self, numbers: Iterator[Sequence[int]]) -> Iterator[VocalBatch]:
        """Batches whose first number decides what is drawn."""
        for batch in numbers:
            seed = hash((self._settings.loop.seed, batch[0])) % 2**63
            yield self._batch(len(batch), torch.Generator().manual_seed(seed))

    def _batch(self, count: int, draw: torch.Generator) -> VocalBatch:
        views = self.views
        taken = torch.randint(len(views.blocks), (count,), generator=draw)
        gains = None
        if views.wanted is None:
            gains = draw_gain_rows_db(count, draw)
            wanted = _positions(gains)
        else:
            wanted = views.wanted[taken]
        blocks = disturb_blocks(views.blocks[taken], self._settings, draw, gains)
        return VocalBatch(blocks=scale_blocks(blocks, self._settings.model), wanted=wanted)

    def loss(self, batch: VocalBatch) -> Tensor:
        """Equation 2 for the reverb, 3 for the equalizer, else the mean squared error."""
        said = self.network(batch.blocks.to(self._device))
        wanted = batch.wanted.to(self._device)
        delta = self._settings.huber
        if self._task == "equalization":
            return equalizer_loss(said, wanted, self._settings.unchanged_weight, delta)
        if self._task == "reverb":
            return reverb_loss(said, wanted, self._settings.rest_weight, delta)
        return _error(said, wanted, delta).mean()

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Mean absolute errors on held-out songs, of the network and of a constant.

        The constant is no gain for the equalizer, else the mean of what is learned from. Of the
        reverb, the first two figures are means over the ten parameters, relative to the constant.
        """
        said, wanted = self.network.trusted(self.said()).cpu(), self.held.wanted
        ranges = output_ranges(self._task)
        scale = torch.tensor([legal.high - legal.low for legal in ranges])
        errors = (said.clamp(0, 1) - wanted).abs().mean(0) * scale
        if self._task == "equalization":
            gains = _gains_db(wanted)
            applied = largest(_gains_db(said.clamp(0, 1)))
            return {
                "error_db": float((applied - gains).abs().mean()),
                "zero_error_db": float(gains.abs().mean()),
            }
        constant = (self._mean - wanted).abs().mean(0) * scale
        if self._task == "reverb":
            named = dict(zip(REVERB_FIELDS, errors.tolist(), strict=True))
            return {"error": float((errors / constant).mean()), "mean_error": 1.0, **named}
        return {"error_lu": float(errors), "mean_error_lu": float(constant)}

    @torch.inference_mode()
    def said(self) -> Tensor:
        """Positions ``(views, outputs)`` of the held-out views, wholly trusted."""
        self.network.eval()
        parts = torch.split(self.held.blocks, _AT_A_TIME)
        return torch.cat([self.network(part.to(self._device)) for part in parts])

    def save(self, path: Path) -> None:
        """Writes the weights with the description of the network."""
        save_weights(path, FAMILY, self._settings.model, self.network.state_dict())


def _undisturbed(views: Views, settings: VocalTraining) -> VocalBatch:
    """Views as examples, with an equalizer where that is wanted, and nothing else."""
    if views.wanted is not None:
        return VocalBatch(blocks=scale_blocks(views.blocks, settings.model), wanted=views.wanted)
    gains = draw_gain_rows_db(len(views.blocks), torch.Generator().manual_seed(1))
    blocks = views.blocks.clone()
    blocks[:, 0] *= 10.0 ** (equalizer_db(gains)[..., None] / 10.0)
    return VocalBatch(blocks=scale_blocks(blocks, settings.model), wanted=_positions(gains))


def _positions(gains_db: Tensor) -> Tensor:
    return (gains_db - GAINS_DB.low) / (GAINS_DB.high - GAINS_DB.low)


def _gains_db(positions: Tensor) -> Tensor:
    return GAINS_DB.low + (GAINS_DB.high - GAINS_DB.low) * positions


def _error(said: Tensor, wanted: Tensor, delta: float) -> Tensor:
    """Squared errors; Huber's, scaled alike, where ``delta`` is above 0."""
    if delta == 0.0:
        return (said - wanted).square()
    return 2.0 * nn.functional.huber_loss(said, wanted, reduction="none", delta=delta)


def equalizer_loss(
    said: Tensor, wanted: Tensor, unchanged_weight: float = 0.1, delta: float = 0.0
) -> Tensor:
    """L_changed + 0.1 · L_unchanged (eq. 3), by positions ``(batch, 9)``; 0.5 is no change."""
    error = _error(said, wanted, delta)
    changed = (wanted != 0.5).float()
    of_changed = (error * changed).sum() / changed.sum().clamp_min(1.0)
    of_others = (error * (1.0 - changed)).sum() / (1.0 - changed).sum().clamp_min(1.0)
    return of_changed + unchanged_weight * of_others


def reverb_loss(
    said: Tensor, wanted: Tensor, rest_weight: float = 1.0, delta: float = 0.0
) -> Tensor:
    """10·l_DW + 5·l_RT + 5·l_RS + l_rest (eq. 2), by positions ``(batch, 10)``."""
    errors = _error(said, wanted, delta).mean(0)
    named = [_REVERB_WEIGHTS.get(name, 0.0) for name in REVERB_FIELDS]
    weights = torch.tensor(named, device=errors.device)
    return (weights * errors).sum() + rest_weight * errors[weights == 0.0].mean()
