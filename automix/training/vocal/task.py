"""Trains the four networks of Li & Lerch; the losses are their equations 2 and 3."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from automix.methods.vocal.settings import PAPER
from automix.networks.checkpoints import load_into, read_tensors, save_weights
from automix.networks.vocal_cnn import FAMILY, VocalCnn, keep_largest, scale_blocks
from automix.networks.vocal_cnn_description import GAINS_DB, REVERB_FIELDS, output_ranges
from automix.training.loop import Training
from automix.training.request import STATE
from automix.training.run import TrainingRun
from automix.training.vocal.disturbance import disturb_blocks, draw_gain_rows_db, equalizer_db
from automix.training.vocal.examples import Stretches, make_stretches
from automix.training.vocal.settings import VocalTraining
from automix.training.vocal.sources import VocalSong
from automix.training.vocal.trust import group_songs, least_error_shares

_VALIDATION = 400
_HELD_REVERBS = 100
_AT_A_TIME = 64
_REVERB_WEIGHTS = {"dry_wet": 10.0, "reverberation_time_s": 5.0, "room_size": 5.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class VocalBatch:
    """Input of a network, and the outputs that are wanted for it.

    Attributes:
        blocks: Scaled blocks ``(batch, 2, rows, frames)``.
        wanted: Positions 0…1 ``(batch, outputs)`` in the ranges of the outputs.
    """

    blocks: Tensor
    wanted: Tensor


class VocalTask:
    """A vocal network that is trained; see `automix.training.loop.TrainingTask`.

    Args:
        settings: Settings of the training.
        stretches: Stretches of songs to learn from.
        held: Stretches of other songs to validate with.
        device: Device that the network is trained on.

    Attributes:
        network: The network.
        stretches: Stretches of songs to learn from, as given.
        held: Input and wanted outputs of the stretches to validate with.
    """

    def __init__(
        self, settings: VocalTraining, stretches: Stretches, held: Stretches, device: torch.device
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
        elif self._task == "compression" and stretches.wanted is not None:
            self.network.constant = stretches.wanted.median(0).values.to(device)
        self.stretches = stretches
        self.held = _make_held(held, settings)
        self._mean = torch.zeros(()) if stretches.wanted is None else stretches.wanted.mean(0)

    @classmethod
    def of_songs(
        cls,
        settings: VocalTraining,
        training: Sequence[VocalSong],
        validation: Sequence[VocalSong],
        device: torch.device,
        report: Callable[[str], None] = lambda stage: None,
    ) -> "VocalTask":
        """Makes the stretches of songs, and the task of learning from them.

        Args:
            settings: Settings of the training.
            training: Songs to learn from.
            validation: Songs to validate with.
            device: Device that the network is trained on.
            report: Called with the name of whatever is being made.
        """
        seed = settings.loop.seed
        fewer = replace(
            settings,
            views=min(settings.views, _VALIDATION),
            reverbs=min(settings.reverbs, _HELD_REVERBS),
        )
        stretches = make_stretches(training, settings, seed, report)
        held = make_stretches(validation, fewer, seed + 1, report)
        return cls(settings, stretches, held, device)

    def batches(self, numbers: Iterator[Sequence[int]]) -> Iterator[VocalBatch]:
        """Yields batches, of which the first number decides what is drawn."""
        for batch in numbers:
            seed = hash((self._settings.loop.seed, batch[0])) % 2**63
            yield self._make_batch(len(batch), torch.Generator().manual_seed(seed))

    def _make_batch(self, count: int, draw: torch.Generator) -> VocalBatch:
        """Draws stretches and disturbs them."""
        stretches = self.stretches
        taken = torch.randint(len(stretches.blocks), (count,), generator=draw)
        gains = None
        if stretches.wanted is None:
            gains = draw_gain_rows_db(count, draw)
            wanted = _gain_positions(gains)
        else:
            wanted = stretches.wanted[taken]
        blocks = disturb_blocks(stretches.blocks[taken], self._settings, draw, gains)
        return VocalBatch(blocks=scale_blocks(blocks, self._settings.model), wanted=wanted)

    def loss(self, batch: VocalBatch) -> Tensor:
        """The error: equation 2 for the reverb, 3 for the equalizer, else mean squared."""
        positions = self.network(batch.blocks.to(self._device))
        wanted = batch.wanted.to(self._device)
        delta = self._settings.huber
        if self._task == "equalization":
            return equalizer_loss(positions, wanted, self._settings.unchanged_weight, delta)
        if self._task == "reverb":
            return reverb_loss(positions, wanted, self._settings.rest_weight, delta)
        return _error(positions, wanted, delta).mean()

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Mean absolute errors on held-out songs, of the network and of a constant.

        The constant is no gain for the equalizer, else the mean of the training set. For the
        reverb, the first two figures are means over the ten parameters, relative to the constant.
        """
        positions = self.network.apply_trust(self.predict_held()).cpu()
        wanted = self.held.wanted
        ranges = output_ranges(self._task)
        scale = torch.tensor([legal.high - legal.low for legal in ranges])
        errors = (positions.clamp(0, 1) - wanted).abs().mean(0) * scale
        if self._task == "equalization":
            gains = _gains_db(wanted)
            applied = keep_largest(_gains_db(positions.clamp(0, 1)))
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
    def predict_held(self) -> Tensor:
        """Outputs ``(stretches, outputs)`` for the held-out stretches, as if wholly trusted."""
        self.network.eval()
        parts = torch.split(self.held.blocks, _AT_A_TIME)
        return torch.cat([self.network(part.to(self._device)) for part in parts])

    def save(self, path: Path) -> None:
        """Writes the weights with the description of the network."""
        save_weights(path, FAMILY, self._settings.model, self.network.state_dict())


def _make_held(stretches: Stretches, settings: VocalTraining) -> VocalBatch:
    """One batch of all stretches, with an equalizer where that is to be found, else as they are."""
    if stretches.wanted is not None:
        blocks = scale_blocks(stretches.blocks, settings.model)
        return VocalBatch(blocks=blocks, wanted=stretches.wanted)
    gains = draw_gain_rows_db(len(stretches.blocks), torch.Generator().manual_seed(1))
    blocks = stretches.blocks.clone()
    blocks[:, 0] *= 10.0 ** (equalizer_db(gains)[..., None] / 10.0)
    return VocalBatch(blocks=scale_blocks(blocks, settings.model), wanted=_gain_positions(gains))


def _gain_positions(gains_db: Tensor) -> Tensor:
    """Positions 0…1 of gains in dB."""
    return (gains_db - GAINS_DB.low) / (GAINS_DB.high - GAINS_DB.low)


def _gains_db(positions: Tensor) -> Tensor:
    """Gains in dB of positions 0…1."""
    return GAINS_DB.low + (GAINS_DB.high - GAINS_DB.low) * positions


def _error(positions: Tensor, wanted: Tensor, delta: float) -> Tensor:
    """Squared errors; Huber's, on the same scale, where ``delta`` is above 0."""
    if delta == 0.0:
        return (positions - wanted).square()
    return 2.0 * nn.functional.huber_loss(positions, wanted, reduction="none", delta=delta)


def equalizer_loss(
    positions: Tensor, wanted: Tensor, unchanged_weight: float = 0.1, delta: float = 0.0
) -> Tensor:
    """L_changed + 0.1 · L_unchanged (eq. 3) of positions ``(batch, 9)``; 0.5 is no change."""
    error = _error(positions, wanted, delta)
    changed = (wanted != 0.5).float()
    of_changed = (error * changed).sum() / changed.sum().clamp_min(1.0)
    of_others = (error * (1.0 - changed)).sum() / (1.0 - changed).sum().clamp_min(1.0)
    return of_changed + unchanged_weight * of_others


def reverb_loss(
    positions: Tensor, wanted: Tensor, rest_weight: float = 1.0, delta: float = 0.0
) -> Tensor:
    """10·l_DW + 5·l_RT + 5·l_RS + l_rest (eq. 2) of positions ``(batch, 10)``."""
    errors = _error(positions, wanted, delta).mean(0)
    named = [_REVERB_WEIGHTS.get(name, 0.0) for name in REVERB_FIELDS]
    weights = torch.tensor(named, device=errors.device)
    return (weights * errors).sum() + rest_weight * errors[weights == 0.0].mean()


def make_task(
    settings: VocalTraining, songs: tuple[list[VocalSong], list[VocalSong]], run: TrainingRun
) -> VocalTask:
    """Makes the task of a run, with its first weights, and with its trust where that is tried.

    Each of several processes makes stretches of its own.

    Args:
        settings: Settings of the training.
        songs: Songs to learn from and to validate with, as `open_sources` finds them.
        run: Names the device, the weights to begin with, and the folder of the trials.

    Raises:
        AutomixError: The weights to begin with cannot be used, or a trial fails.
    """
    seed = settings.loop.seed + run.processes.rank
    settings = replace(settings, loop=replace(settings.loop, seed=seed))
    training, validation = songs
    task = VocalTask.of_songs(settings, training, validation, run.device, run.report_stage)
    if (start := run.start_path) is not None:
        load_into(task.network, read_tensors(start), start)
    if settings.trial_steps:
        task.network.trust = fit_trust(task, settings, training, run)
    return task


def fit_trust(
    task: VocalTask,
    settings: VocalTraining,
    songs: Sequence[VocalSong],
    run: TrainingRun,
) -> Tensor:
    """Finds by trials how far each output is trusted.

    Args:
        task: The task whose network is to be trusted; the trials use its stretches.
        settings: Settings of its training.
        songs: Songs that the stretches are cut from.
        run: The run; each trial has a folder within its own, and is resumed with it.

    Returns:
        Shares 0…1 ``(outputs,)``; those that the network has where there is nothing to try.

    Raises:
        AutomixError: See `automix.training.loop.Training`.
    """
    departures, wanted, weights = [], [], []
    loop = replace(settings.loop, steps=settings.trial_steps)
    loop = replace(loop, validate_every=min(loop.validate_every, loop.steps))
    for number, trial in enumerate(make_trials(task.stretches, settings, songs, run.device)):
        place = run.request.folder / f"trial-{number + 1}"
        training = Training(trial, loop, place, run.device, run.processes)
        if run.request.resume and (place / STATE).is_file():
            training.resume()
        run.report_stage(f"trial {number + 1}")
        training.run()
        positions = trial.predict_held()
        departures.append(positions - trial.network.constant)
        wanted.append(trial.held.wanted.to(run.device) - trial.network.constant)
        weights.append(torch.full_like(positions, 1.0 / len(positions)))
    if not departures:
        return task.network.trust
    return least_error_shares(torch.cat(departures), torch.cat(wanted), torch.cat(weights))


def make_trials(
    stretches: Stretches, settings: VocalTraining, songs: Sequence[VocalSong], device: torch.device
) -> Iterator[VocalTask]:
    """Yields tasks that learn from stretches of some songs and validate with the others."""
    for group in group_songs([song.data_set for song in songs]):
        is_left_out = torch.isin(stretches.songs, torch.tensor(group))
        if is_left_out.any() and not is_left_out.all():
            yield VocalTask(
                settings, stretches.select(~is_left_out), stretches.select(is_left_out), device
            )
