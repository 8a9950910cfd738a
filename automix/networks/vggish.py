"""VGGish (Hershey et al. 2017, "CNN architectures for large-scale audio classification").

The names of the weights are those of the widely used PyTorch port: ``features.N.*`` and
``embeddings.N.*``.
"""

import math

import torch
from torch import Tensor, nn

RATE_HZ = 16_000
FRAME_SAMPLES = 95 * 160 + 400
"""Samples of one embedding: 96 spectra of 25 ms every 10 ms."""
HOP_SAMPLES = 96 * 160
EMBEDDING_SIZE = 128

_BANDS = 64
_WINDOW = 400
_STEP = 160
_N_FFT = 512
_LOW_HZ, _HIGH_HZ = 125.0, 7500.0
_OFFSET = 0.01


def mel_bank() -> Tensor:
    """Weights ``(257, 64)`` of the mel bands: triangles over the mel scale (HTK), without 0 Hz."""

    def mel(frequency_hz: Tensor) -> Tensor:
        return 1127.0 * torch.log1p(frequency_hz / 700.0)

    bins = mel(torch.linspace(0.0, RATE_HZ / 2, _N_FFT // 2 + 1, dtype=torch.float64))[:, None]
    low, high = mel(torch.tensor([_LOW_HZ, _HIGH_HZ], dtype=torch.float64)).tolist()
    edges = torch.linspace(low, high, _BANDS + 2, dtype=torch.float64)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank = torch.minimum(rising, falling).clamp_min(0.0)
    bank[0] = 0.0
    return bank.float()


def log_mel(frames: Tensor) -> Tensor:
    """Log-mel patches ``(frames, 96, 64)`` of audio ``(frames, FRAME_SAMPLES)`` at 16 kHz."""
    window = torch.hann_window(_WINDOW, device=frames.device)
    pieces = frames.unfold(-1, _WINDOW, _STEP) * window
    magnitudes = torch.fft.rfft(pieces, _N_FFT).abs()
    return torch.log(magnitudes @ mel_bank().to(frames.device) + _OFFSET)


class Vggish(nn.Module):
    """Turns log-mel patches into embeddings of 128 values; 72.1 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for wide in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0):
            if wide:
                layers += [nn.Conv2d(channels, wide, 3, padding=1), nn.ReLU(inplace=True)]
                channels = wide
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 6 * 4, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, EMBEDDING_SIZE),
            nn.ReLU(inplace=True),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Embeddings ``(frames, 128)`` of patches ``(frames, 96, 64)``."""
        maps: Tensor = self.features(patches.unsqueeze(1))
        # The original flattens time, band, channel.
        result: Tensor = self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))
        return result


def mel_statistics(patches: Tensor) -> Tensor:
    """Mean and standard deviation over time of each band, ``(frames, 128)``: no network at all."""
    return torch.cat([patches.mean(1), patches.std(1, unbiased=False)], 1) / math.log(10.0)
