"""The delay of a strip in torch: `automix.dsp.time_shift` with a gradient to the milliseconds."""

import torch
from torch import Tensor

from automix.dsp.time_shift import KAISER_BETA, TAPS_AFTER, TAPS_BEFORE

_ROUNDING = 1e-6  # samples that a whole delay may come out short of one
_EDGE = 1e-12  # under the root, which has no gradient at 0


def shift(signal: Tensor, delay_ms: Tensor, sample_rate: int) -> Tensor:
    """Delays tracks, or advances them, by fractions of a sample; as long as before.

    Args:
        signal: ``(batch, tracks, channels, samples)``.
        delay_ms: ``(batch, tracks)``; positive is later.
        sample_rate: Frames per second.
    """
    batch, tracks, channels, samples = signal.shape
    delay = delay_ms * (sample_rate / 1000.0)
    whole = torch.floor(delay.detach() + _ROUNDING)
    taps = _design_taps(delay - whole).to(signal.dtype)
    rows = taps[:, :, None].expand(-1, -1, channels, -1).reshape(-1, 1, taps.shape[-1])
    offsets = whole.long()
    before, after = int(offsets.max().clamp_min(0)), int((-offsets.min()).clamp_min(0))
    padding = (before + TAPS_AFTER, after + TAPS_BEFORE)
    padded = torch.nn.functional.pad(signal, padding).reshape(1, len(rows), -1)
    # Frame n of this is the delay by the fraction alone, as at frame n − before of the signal.
    filtered = torch.nn.functional.conv1d(padded, rows.flip(-1), groups=len(rows))
    starts = (before - offsets)[:, :, None, None].expand(-1, -1, channels, -1)
    index = starts + torch.arange(samples, device=signal.device)
    return filtered.view(batch, tracks, channels, -1).gather(-1, index)


def _design_taps(fraction: Tensor) -> Tensor:
    """Taps ``(batch, tracks, 64)``, as `automix.dsp.time_shift.design_taps`."""
    steps = torch.arange(-TAPS_BEFORE, TAPS_AFTER + 1, dtype=fraction.dtype, device=fraction.device)
    times = steps - fraction[..., None]
    beta = torch.tensor(KAISER_BETA, dtype=fraction.dtype, device=fraction.device)
    root = (1.0 - (times / TAPS_AFTER) ** 2).clamp_min(_EDGE).sqrt()
    taps: Tensor = torch.sinc(times) * (torch.special.i0(beta * root) / torch.special.i0(beta))
    return taps
