"""Input of the vocal networks: mel spectrograms of a vocal and its backing (Li & Lerch III-C).

Mono, 44.1 kHz, 2048 samples per frame, 1024 from frame to frame, 128 bands. Frames in which the
vocal is below −30 dB are dropped; as in the rules, of a vocal whose peak is brought to −1 dBFS, so
that the gate does not follow recording level.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from automix.audio.blocks import fold_to_mono
from automix.audio.resampling import resample
from automix.audio.samples import AudioSource, Samples
from automix.networks.torchaudio_pair import load_torchaudio
from automix.networks.vocal_cnn_description import MEL_BANDS
from automix.units import db_to_power

RATE_HZ = 44100
N_FFT = 2048
HOP_LENGTH = 1024
BANDS = MEL_BANDS
GATE_DB = -30.0
PEAK_DB = -1.0

_FRAMES_AT_A_TIME = 256
_SILENCE = 1e-12
_WIDE_BANDS = 64.0
_SMOOTH_FRAMES = 5  # 0.1 s


@dataclass(frozen=True, kw_only=True, eq=False)
class MelFrames:
    """Spectra of one signal, frame by frame.

    Attributes:
        mel: Power in the mel bands ``(128, frames)``.
        power: Mean square of the samples under the window ``(frames,)``.
        peak: Largest magnitude of a sample.
    """

    mel: Tensor
    power: Tensor
    peak: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """A vocal over its backing.

    Attributes:
        mel: Vocal, then backing ``(2, 128, frames)``.
        level_db: Level of the vocal in each frame ``(frames,)``, its peak being at −1 dBFS.
    """

    mel: Tensor
    level_db: Tensor

    def sung(self, gate_db: float = GATE_DB) -> Tensor:
        """The frames in which the vocal is above a gate ``(2, 128, sung frames)``.

        Raises:
            ValueError: There are none.
        """
        kept = self.mel[..., self.level_db > gate_db]
        if kept.shape[-1] == 0:
            raise ValueError("nothing is sung")
        return kept


@contextmanager
def use_one_thread() -> Iterator[None]:
    """Limits torch to one thread: arrays are small, and results are the same on any machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def measure_spectra(source: AudioSource) -> MelFrames:
    """Analyzes a source of any rate; two channels are folded to their mean.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    return measure_mono_spectra(
        block[0] for block in resample(fold_to_mono(source), RATE_HZ).blocks()
    )


def measure_mono_spectra(pieces: Iterable[Samples]) -> MelFrames:
    """Analyzes a mono signal at 44.1 kHz that comes in pieces ``(samples,)`` of any length.

    Frame n holds the samples from 1024·n on; the last ones are filled up with silence.
    """
    analyzer = load_torchaudio("transforms").MelSpectrogram(
        RATE_HZ, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=BANDS, power=2.0, center=False
    )
    window = torch.hann_window(N_FFT) ** 2 / (torch.hann_window(N_FFT) ** 2).sum()
    mels, powers, peak = [torch.zeros(BANDS, 0)], [torch.zeros(0)], 0.0
    for stretch in _stretches(pieces):
        samples = torch.from_numpy(stretch)
        peak = max(peak, float(samples.abs().max()))
        mels.append(analyzer(samples))
        powers.append(samples.unfold(0, N_FFT, HOP_LENGTH).square() @ window)
    return MelFrames(mel=torch.cat(mels, 1), power=torch.cat(powers), peak=peak)


def _stretches(pieces: Iterable[Samples]) -> Iterator[Samples]:
    """Stretches of whole frames that overlap by half of one."""
    overlap = N_FFT - HOP_LENGTH
    whole = _FRAMES_AT_A_TIME * HOP_LENGTH + overlap
    waiting = np.empty(0, np.float32)
    for piece in pieces:
        waiting = np.concatenate([waiting, np.asarray(piece, np.float32)])
        while len(waiting) >= whole:
            yield waiting[:whole]
            waiting = waiting[whole - overlap :]
    if len(waiting):
        frames = max(1, -(-(len(waiting) - overlap) // HOP_LENGTH))
        yield np.pad(waiting, (0, frames * HOP_LENGTH + overlap - len(waiting)))


def levels_db(vocal: MelFrames) -> Tensor:
    """Level of each frame ``(frames,)``, the vocal's peak being at −1 dBFS; −inf is silence."""
    if vocal.peak == 0.0:
        return torch.full_like(vocal.power, -torch.inf)
    return 10.0 * (vocal.power / vocal.peak**2).log10() + PEAK_DB


def mark_singing(vocal: MelFrames) -> Tensor:
    """Marks the frames ``(frames,)`` in which a vocal is above the gate."""
    return levels_db(vocal) > GATE_DB


def pair_spectra(vocal: MelFrames, backing: MelFrames) -> Pair:
    """A vocal with the backing at the same times; silence where that has ended."""
    count = vocal.mel.shape[1]
    under = torch.zeros_like(vocal.mel)
    both = min(count, backing.mel.shape[1])
    under[:, :both] = backing.mel[:, :both]
    return Pair(mel=torch.stack([vocal.mel, under]), level_db=levels_db(vocal))


def cut_consecutive(mel: Tensor, frames: int) -> Tensor:
    """Consecutive blocks ``(blocks, 2, 128, frames)`` of frames ``(2, 128, n)``, at least one.

    What is left over is dropped; a song that is too short for a block is repeated.
    """
    if mel.shape[-1] < frames:
        mel = mel.repeat(1, 1, -(-frames // mel.shape[-1]))
    count = mel.shape[-1] // frames
    return mel[..., : count * frames].reshape(2, BANDS, count, frames).permute(2, 0, 1, 3)


def average_song(mel: Tensor, frames: int) -> Tensor:
    """One block ``(1, 2, 128, frames)``: the means of as many stretches of equal length."""
    return torch.nn.functional.adaptive_avg_pool1d(mel, frames)[None]


def quantiles(mel: Tensor, count: int) -> Tensor:
    """One block ``(1, 2, 128, count)``: in each band, its levels from low to high."""
    return torch.nn.functional.adaptive_avg_pool1d(mel.sort(-1).values, count)[None]


def wide_quantiles(mel: Tensor, count: int) -> Tensor:
    """One block ``(1, 2, 128, count)``: levels from low to high as a loudness meter hears them.

    Over 0.1 s, and of each band with its neighbors (Gaussian over 64 bands), so that the range of
    a vocal is not hidden by notes and formants that come and go within a narrow band.
    """
    rows = torch.arange(BANDS, dtype=mel.dtype)
    around = (-0.5 * ((rows[:, None] - rows) / _WIDE_BANDS).square()).exp()
    smooth = torch.nn.functional.avg_pool1d(
        around @ mel, _SMOOTH_FRAMES, 1, _SMOOTH_FRAMES // 2, count_include_pad=False
    )
    return quantiles(smooth, count)


def normalize_blocks(block: Tensor) -> Tensor:
    """Each channel of each block ``(..., 128, frames)`` divided by its maximum (III-C)."""
    return block / block.amax((-2, -1), keepdim=True).clamp_min(_SILENCE)


def scale_levels(block: Tensor, depth_db: float) -> Tensor:
    """Levels of blocks ``(..., 128, frames)`` that do not depend on gain, for the `wide` networks.

    In dB below the maximum of the channel, no lower than ``depth_db`` below it, less the mean, and
    scaled to about ±1.
    """
    level = 10.0 * normalize_blocks(block).clamp_min(db_to_power(-depth_db)).log10()
    return (level - level.mean((-2, -1), keepdim=True)) / 20.0


def scale_dynamics(block: Tensor, depth_db: float) -> Tensor:
    """Levels of blocks ``(..., 2, 128, frames)`` with neither spectrum nor backing.

    As `scale_levels`, each band below its own maximum. The backing says nothing of a vocal's own
    dynamics, and is zero.
    """
    own = block / block.amax(-1, keepdim=True).clamp_min(_SILENCE)
    is_vocal = torch.tensor([1.0, 0.0])[:, None, None]
    return scale_levels(own, depth_db) * is_vocal
