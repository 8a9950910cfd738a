"""The music-tagging VGG that Pons and Serra trained on MagnaTagATune (MTT) and Million Song (MSD).

Pons and Serra 2019, "musicnn: pre-trained convolutional neural networks for music audio tagging".

The published weights are TensorFlow checkpoints. Here the names are, for N = 1 … 5 in signal order:
``input_norm.*`` for the first batch normalization, ``convN.weight`` and ``.bias`` for ``NCNN``, and
``normN.*`` for the batch normalization after it. A convolution's kernel ``(time, band, in, out)``
becomes ``(out, in, time, band)``; gamma, beta, moving mean and moving variance become weight, bias,
running_mean and running_var.
"""

import torch
from torch import Tensor, nn

from automix.networks.torchaudio_pair import load_torchaudio

RATE_HZ = 16_000
FRAME_SAMPLES = 186 * 256
"""187 spectra, centered, every 16 ms: three seconds."""
HOP_SAMPLES = FRAME_SAMPLES
EMBEDDING_SIZE = 256

_N_FFT = 512
_STEP = 256
_BANDS = 96
_FILTERS = 128
_POOLS = (((4, 1), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))


def log_mel(frames: Tensor) -> Tensor:
    """Patches ``(frames, 187, 96)`` of audio ``(frames, FRAME_SAMPLES)`` at 16 kHz.

    Power mel spectra as librosa makes them (Slaney bands), as log10(10000·x + 1).
    """
    window = torch.hann_window(_N_FFT, device=frames.device)
    spectra = torch.stft(
        frames, _N_FFT, _STEP, window=window, pad_mode="constant", return_complex=True
    )
    bank = load_torchaudio("functional").melscale_fbanks(
        _N_FFT // 2 + 1, 0.0, RATE_HZ / 2, _BANDS, RATE_HZ, "slaney", "slaney"
    )
    power = spectra.abs().square().transpose(1, 2) @ bank.to(frames.device)
    return torch.log10(1e4 * power + 1.0)


class MusicTaggingVgg(nn.Module):
    """Turns patches into embeddings of 256 values: the last pooling layer, flattened."""

    def __init__(self) -> None:
        super().__init__()
        self.input_norm = nn.BatchNorm2d(1, eps=1e-3)
        channels = 1
        for number in range(1, len(_POOLS) + 1):
            self.add_module(f"conv{number}", nn.Conv2d(channels, _FILTERS, 3, padding=1))
            self.add_module(f"norm{number}", nn.BatchNorm2d(_FILTERS, eps=1e-3))
            channels = _FILTERS

    def forward(self, patches: Tensor) -> Tensor:
        """Embeddings ``(frames, 256)`` of patches ``(frames, 187, 96)``."""
        maps: Tensor = self.input_norm(patches.unsqueeze(1))
        for number, (size, stride) in enumerate(_POOLS, 1):
            maps = torch.relu(self.get_submodule(f"conv{number}")(maps))
            maps = self.get_submodule(f"norm{number}")(maps)
            maps = torch.nn.functional.max_pool2d(maps, size, stride)
        return maps.permute(0, 2, 3, 1).flatten(1)
