"""Stretches of songs as blocks of mel powers, made once and learned from again and again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from automix.analysis.loudness import loudness_range_lu
from automix.dsp.fdn_reverb import response_to_mono
from automix.evaluation.vocal_copies import draw_reverb
from automix.methods.vocal.settings import PAPER
from automix.networks import vocal_mel
from automix.networks.vocal_cnn import cut_blocks
from automix.networks.vocal_cnn_description import REVERB_FIELDS, output_ranges
from automix.networks.vocal_mel import (
    HOP_LENGTH,
    N_FFT,
    RATE_HZ,
    MelFrames,
    Pair,
    measure_mono_spectra,
    pair_spectra,
)
from automix.parallel.workers import run_in_parallel
from automix.plan.settings import FdnReverbSettings
from automix.training.vocal.decay import make_decay_blocks
from automix.training.vocal.disturbance import dynamics_gain
from automix.training.vocal.settings import VocalTraining
from automix.training.vocal.sources import VocalSong

_AT_A_TIME = 64
_LONGEST_RESPONSE_S = 3.0  # of the longest reverb, 1 % of the energy is later


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretches:
    """Stretches of songs as blocks, and the outputs that a network is to give for them.

    Attributes:
        blocks: Mel powers ``(stretches, 2, rows, frames)``, as `cut_blocks` leaves them.
        wanted: Positions 0…1 in the ranges of the outputs ``(stretches, outputs)``; none for the
            equalizer, whose gains are drawn anew each time.
        songs: Number of the song of each stretch ``(stretches,)``.
    """

    blocks: Tensor
    wanted: Tensor | None
    songs: Tensor

    def select(self, chosen: Tensor) -> "Stretches":
        """The stretches that a mask ``(stretches,)`` marks."""
        wanted = None if self.wanted is None else self.wanted[chosen]
        return Stretches(blocks=self.blocks[chosen], wanted=wanted, songs=self.songs[chosen])


def make_stretches(
    songs: Sequence[VocalSong],
    settings: VocalTraining,
    seed: int,
    report: Callable[[str], None] = lambda stage: None,
) -> Stretches:
    """Makes stretches of songs.

    Args:
        songs: Songs to cut them from, each as often as it weighs.
        settings: Settings of the training.
        seed: Decides everything that is drawn.
        report: Called with the name of whatever is being made.
    """
    rng = np.random.default_rng(seed)
    task = settings.model.task
    if task == "reverb":
        return _make_wet_stretches(songs, settings, rng, report)
    shares = np.array([song.weight for song in songs])
    drawn = rng.choice(len(songs), settings.views, p=shares / shares.sum())
    seeds = rng.integers(2**63, size=settings.views)
    blocks, wanted = [], []
    (legal, *_) = output_ranges(task)
    for first in range(0, settings.views, _AT_A_TIME):
        report(f"view {first}")
        part = zip(
            drawn[first : first + _AT_A_TIME], seeds[first : first + _AT_A_TIME], strict=True
        )
        made = run_in_parallel(
            lambda drawn: _cut_stretch(songs[drawn[0]], settings, np.random.default_rng(drawn[1])),
            list(part),
        )
        blocks += [block for block, _ in made]
        wanted += [[legal.to_unit(value)] for _, value in made]
    return Stretches(
        blocks=torch.stack(blocks),
        wanted=None if task == "equalization" else torch.tensor(wanted, dtype=torch.float32),
        songs=torch.from_numpy(drawn),
    )


def _cut_stretch(
    song: VocalSong, settings: VocalTraining, rng: np.random.Generator
) -> tuple[Tensor, float]:
    """Cuts a stretch of a song, its dynamics changed where the settings ask for it.

    Returns:
        The block ``(2, 128, frames)``, and the level or loudness range of the vocal before the
        change, in LU.
    """
    vocal, value = song.vocal, song.range_lu
    if settings.model.task == "level":
        value = song.level_lu
    if song.raw is not None and rng.random() < settings.raw:
        vocal = song.raw
    if settings.diversity > 1.0:
        factor = _draw_factor(settings.diversity, rng)
        vocal, value = scale_dynamics(vocal, factor), scaled_range_lu(song, factor)
    if settings.expansion > 1.0:
        vocal = scale_dynamics(vocal, _draw_factor(settings.expansion, rng))
    description = settings.model
    pair = pair_spectra(vocal, song.backing)
    if not (pair.level_db > description.gate_db).any():  # the change left nothing
        pair = pair_spectra(song.vocal, song.backing)
    mel = pair.sung(description.gate_db)
    if description.hearing == "blocks":
        length = min(description.frames, mel.shape[-1])
    else:
        log_s = rng.uniform(np.log(settings.shortest_s), np.log(settings.longest_s))
        length = min(mel.shape[-1], round(float(np.exp(log_s)) * RATE_HZ / HOP_LENGTH))
    start = int(rng.integers(mel.shape[-1] - length + 1))
    part = Pair(mel=mel[..., start : start + length], level_db=torch.zeros(length))
    return cut_blocks(part, description)[0], value


def _draw_factor(largest: float, rng: np.random.Generator) -> float:
    """A factor from 1 / ``largest`` to ``largest``, evenly over its logarithm."""
    limit = np.log(largest)
    return float(np.exp(rng.uniform(-limit, limit)))


def scaled_range_lu(song: VocalSong, factor: float) -> float:
    """The loudness range in LU of a song's vocal with its dynamics multiplied."""
    level = np.maximum(song.energies / song.energies.max(), 1e-9)
    changed = song.energies * level ** (factor - 1.0)
    return loudness_range_lu(changed, PAPER.loudness_range_window_s)


def scale_dynamics(vocal: MelFrames, factor: float) -> MelFrames:
    """A vocal with its dynamics multiplied."""
    gain = dynamics_gain(vocal.power, factor)
    power = vocal.power * gain
    # The peak lies in the loudest frames, of which the loudest keeps its level.
    return replace(vocal, mel=vocal.mel * gain, power=power)


def _make_wet_stretches(
    songs: Sequence[VocalSong],
    settings: VocalTraining,
    rng: np.random.Generator,
    report: Callable[[str], None],
) -> Stretches:
    """Stretches of vocals with known reverbs, each of which several vocals are given."""
    shares = np.array([song.weight for song in songs])
    each = max(1, settings.views // settings.reverbs)
    reverbs = [draw_reverb(rng) for _ in range(settings.reverbs)]
    drawn = [list(rng.choice(len(songs), each, p=shares / shares.sum())) for _ in reverbs]
    seeds = rng.integers(2**63, size=settings.reverbs)
    blocks: list[Tensor] = []
    for first in range(0, settings.reverbs, 8):
        report(f"reverb {first}")

        def make(index: int) -> list[Tensor]:
            draw = np.random.default_rng(seeds[index])
            chosen = [songs[number] for number in drawn[index]]
            return _reverberate(chosen, reverbs[index], settings, draw)

        for made in run_in_parallel(make, range(first, min(first + 8, settings.reverbs))):
            blocks += made
    wanted = [reverb_positions(reverb) for reverb in reverbs for _ in range(each)]
    return Stretches(
        blocks=torch.stack(blocks),
        wanted=torch.tensor(wanted, dtype=torch.float32),
        songs=torch.tensor(drawn).flatten(),
    )


def reverb_positions(reverb: FdnReverbSettings) -> list[float]:
    """The ten parameters of a reverb as positions 0…1 in their ranges."""
    ranges = zip(REVERB_FIELDS, output_ranges("reverb"), strict=True)
    return [legal.to_unit(getattr(reverb, name)) for name, legal in ranges]


def _reverberate(
    songs: Sequence[VocalSong],
    reverb: FdnReverbSettings,
    settings: VocalTraining,
    rng: np.random.Generator,
) -> list[Tensor]:
    """Makes one block ``(2, 128, frames)`` of each song, its vocal with a reverb."""
    model = settings.model
    if model.hearing == "decay":
        return make_decay_blocks(songs, reverb, settings, rng)
    count = round(settings.shortest_s * RATE_HZ / HOP_LENGTH)
    if model.hearing == "blocks":  # more than a block: gaps are dropped, and the reverb builds up
        count = 2 * model.frames
    length = count * HOP_LENGTH + N_FFT
    longest_s = min(length / RATE_HZ, _LONGEST_RESPONSE_S)
    response = response_to_mono(reverb, RATE_HZ, longest_s=longest_s).mean(axis=0)
    size = -(-(length + len(response)) // 2**16) * 2**16
    spectrum = np.fft.rfft(response.astype(np.float32), size)
    blocks = []
    for song in songs:
        start = _find_sung_start(song, length, rng)
        dry = song.dry[start : start + length].astype(np.float32)
        wet = np.fft.irfft(np.fft.rfft(dry, size) * spectrum, size)[:length].astype(np.float32)
        first = start // HOP_LENGTH
        mel = song.backing.mel[:, first : first + count + 1]
        around = replace(song.backing, mel=mel)
        pair = pair_spectra(measure_mono_spectra([wet]), around)
        if not (pair.level_db > model.gate_db).any():  # silence, however it was drawn
            pair = pair_spectra(song.vocal, song.backing)
        blocks.append(cut_blocks(pair, model)[-1])
    return blocks


def _find_sung_start(song: VocalSong, length: int, rng: np.random.Generator) -> int:
    """The first sample of the stretch, of some that are drawn, with the largest part sung."""
    last = max(1, len(song.dry) - length)
    starts = rng.integers(last, size=8) // HOP_LENGTH * HOP_LENGTH
    marks = vocal_mel.mark_singing(song.vocal).float()
    shares = [
        float(marks[start // HOP_LENGTH : (start + length) // HOP_LENGTH].mean())
        for start in starts
    ]
    return int(starts[int(np.nanargmax(shares))])
