"""The processors in torch, but for the reverbs: batched, each row with its own settings.

The same processors as in `automix.dsp`, with gradients to the signal and to every setting. Signals
are ``(batch, tracks, channels, samples)``, settings ``(batch, tracks)`` float64.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from automix.consoles.differentiable.convolution import convolve_and_mix
from automix.consoles.differentiable.recursion import filter_sections, smooth_branching
from automix.consoles.differentiable.sections import design_sections
from automix.consoles.differentiable.values import ConsolePart
from automix.dsp.biquad import BiquadKind
from automix.dsp.compressor import NEPERS_PER_DB
from automix.dsp.widener import base_response
from automix.plan.settings import BandKind, DelaySettings
from automix.units import ms_to_samples

_DETECTOR_MS = 2.0  # of the de-esser
_RELEASE_MS = 40.0
_SILENT_POWER = 1e-8
_SILENT = 1e-12  # far below every threshold
_BUTTERWORTH_Q = math.sqrt(0.5)


def gain_of(level_db: Tensor) -> Tensor:
    """Linear amplitude factor of a level in dB; −inf gives 0."""
    return torch.exp(level_db * NEPERS_PER_DB)


def equalize(
    signal: Tensor, settings: ConsolePart, kinds: Sequence[Sequence[BandKind]], sample_rate: int
) -> Tensor:
    """The parametric equalizer (Steinmetz 2020, eqs. 4.5–4.9).

    Args:
        signal: The input.
        settings: Holds ``equalizer.frequency_hz``, ``.gain_db``, ``.q``.
        kinds: Shapes of the bands of each track.
        sample_rate: Frames per second.
    """
    bands = max(map(len, kinds), default=0)
    has_pass = any("high_pass" in row for row in kinds)
    if not bands or not (has_pass or any(settings.used("equalizer.gain_db"))):
        return signal
    frequency_hz, gain_db, q = (
        settings.get(f"equalizer.{name}", bands) for name in ("frequency_hz", "gain_db", "q")
    )
    return _filter_in_rows(
        signal, design_sections(kinds, frequency_hz, gain_db, q, sample_rate), kinds
    )


def _filter_in_rows(
    signal: Tensor, sections: Tensor, kinds: Sequence[Sequence[BiquadKind]]
) -> Tensor:
    counts = [len(row) for row in kinds] * signal.shape[0]
    return filter_sections(signal.flatten(0, 1), sections.flatten(0, 1), counts).view_as(signal)


def compress(signal: Tensor, settings: ConsolePart, sample_rate: int) -> Tensor:
    """The hard-knee compressor (Steinmetz 2020, section 4.2.3), keyed on the mean of the channels.

    A threshold of 0 dB is off, without a gradient to the threshold.

    Args:
        signal: The input.
        settings: Holds ``compressor.threshold_db``, ``.ratio``, ``.attack_ms``, ``.release_ms``,
            ``.makeup_db``.
        sample_rate: Frames per second.
    """
    makeup = settings.get("compressor.makeup_db") * NEPERS_PER_DB
    if not any(settings.used("compressor.threshold_db")):
        if not any(settings.used("compressor.makeup_db")):
            return signal
        return signal * makeup.exp()[..., None, None].to(signal.dtype)
    threshold_db = settings.get("compressor.threshold_db")
    off = torch.zeros_like(threshold_db)
    slope = torch.where(threshold_db < 0.0, 1.0 - 1.0 / settings.get("compressor.ratio"), off)
    log_threshold = threshold_db * NEPERS_PER_DB
    settings_of_key = _column(log_threshold, signal), _column(slope, signal)
    key, *columns = torch.broadcast_tensors(_mean(signal), *settings_of_key)  # type: ignore[no-untyped-call]
    static: Tensor = _Static.apply(key, *(column[..., :1] for column in columns))
    reduction = _smooth_in_rows(
        static,
        pole(settings.get("compressor.attack_ms"), sample_rate),
        pole(settings.get("compressor.release_ms"), sample_rate),
    )
    gain = torch.exp(_column(makeup, key) - reduction)
    return signal * gain.unsqueeze(2)


class _Static(torch.autograd.Function):
    """The reduction before it is smoothed, in nepers: slope · max(log |key| − threshold, 0).

    By itself torch would make, and keep, six arrays as long as the audio.
    """

    @staticmethod
    def forward(ctx: Any, key: Tensor, log_threshold: Tensor, slope: Tensor) -> Tensor:
        over = key.abs().clamp_min_(_SILENT).log_().sub_(log_threshold).clamp_min_(0.0)
        ctx.save_for_backward(key, over, slope)
        return over * slope

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        key, over, slope = ctx.saved_tensors
        is_over = over > 0.0
        of_over = (gradients[0] * slope).mul_(is_over)
        of_slope = torch.linalg.vecdot(gradients[0], over).unsqueeze(-1)
        of_key = of_over / key.where(is_over, key.new_ones(()))
        return of_key, -of_over.sum(-1, keepdim=True), of_slope


def de_ess(signal: Tensor, settings: ConsolePart, sample_rate: int) -> Tensor:
    """The de-esser of `automix.dsp.de_esser`.

    Args:
        signal: The input.
        settings: Holds ``de_esser.frequency_hz``, ``.threshold_db``, ``.max_reduction_db``.
        sample_rate: Frames per second. Where the corner is not below 0.45 of it, nothing is done.
    """
    corner_hz = settings.get("de_esser.frequency_hz")
    lowest_gain = gain_of(-settings.get("de_esser.max_reduction_db"))
    width = torch.tan(math.pi * corner_hz.clamp(max=0.45 * sample_rate) / sample_rate)
    pole_hz = torch.atan(width * lowest_gain**0.25) * (sample_rate / math.pi)

    whole = _mean(signal)
    treble = _filter("high_pass", whole.unsqueeze(2), corner_hz, sample_rate).squeeze(2)
    detector = pole(torch.full_like(corner_hz, _DETECTOR_MS), sample_rate)
    release = pole(torch.full_like(corner_hz, _RELEASE_MS), sample_rate)
    whole_power = _smooth_in_rows(whole * whole, detector, detector)
    treble_power = _smooth_in_rows(treble * treble, detector, detector)
    limit = _column(gain_of(settings.get("de_esser.threshold_db")) ** 2, whole) * whole_power
    heard = (whole_power > _SILENT_POWER) & (treble_power > limit)
    lowest = _column(lowest_gain, whole)
    # The square root is taken of what is heard only: its gradient at 0 is infinite.
    ratio = torch.where(heard, limit, 1.0) / torch.where(heard, treble_power, 1.0)
    cut = 1.0 - torch.maximum(ratio.sqrt(), lowest)
    cut = cut * _column((corner_hz < 0.45 * sample_rate), whole)
    gain = 1.0 - _smooth_in_rows(cut, detector, release)

    high = _filter("high_pass", signal, pole_hz, sample_rate)
    middle = signal - _filter("low_pass", signal, pole_hz, sample_rate) - high
    gain = gain.unsqueeze(2)
    return signal + (gain.sqrt() - 1.0) * middle + (gain - 1.0) * high


def widen(signal: Tensor, settings: ConsolePart, sample_rate: int) -> Tensor:
    """The widener of `automix.dsp.widener`.

    Where a gradient is wanted, that to a side level of −60 dB is there though nothing is added.

    Args:
        signal: The input, with two sides.
        settings: Holds ``widener.side_db``, ``.corner_hz``.
        sample_rate: Frames per second.
    """
    batch, tracks, _, samples = signal.shape
    side_db = settings.get("widener.side_db")
    gain = gain_of(side_db)
    gain = gain - torch.where(side_db > -60.0, 0.0, gain.detach())
    response = torch.tensor(base_response(sample_rate)).to(signal)[None, None, None]
    middle = signal.mean(2).view(batch * tracks, 1, samples)
    one = signal.new_ones(1, 1, 1, 1).expand(len(middle), 1, 1, 1)
    sides = convolve_and_mix(middle, response, one).view(batch, tracks, 1, samples)
    sides = _filter("high_pass", sides, settings.get("widener.corner_hz"), sample_rate)
    sides = sides * gain[..., None, None].to(signal.dtype)
    if "widener.side_db" in settings.lines:
        line = gain_of(settings.lines["widener.side_db"])
        sides = sides * line[:, :, None].to(signal.dtype)
    return signal + torch.cat([sides, -sides], 2)


def repeat(signal: Tensor, settings: ConsolePart, delay: DelaySettings, sample_rate: int) -> Tensor:
    """The echoes of `automix.dsp.delay` alone, repeat by repeat.

    Args:
        signal: The input.
        settings: Holds ``delay.feedback``, ``.low_cut_hz``, ``.high_cut_hz``.
        delay: Gives the time and the ping-pong, which have no gradient.
        sample_rate: Frames per second.

    Returns:
        Two sides; repeats that are more than 100 dB below the first are left out.
    """
    frames, samples = ms_to_samples(delay.time_ms, sample_rate), signal.shape[-1]
    feedback = settings.get("delay.feedback")
    strongest = min(float(feedback.detach().abs().max()), 0.999)
    audible = 2 if strongest == 0.0 else max(2, 1 + math.ceil(-5.0 / math.log10(strongest)))
    gain = feedback[..., None, None].to(signal.dtype)
    if delay.ping_pong:
        left = _mean(signal).unsqueeze(2)
        signal = torch.cat([left, torch.zeros_like(left)], 2)
    else:
        signal = signal.expand(-1, -1, 2, -1)
    sections = _design_cuts(settings, signal.shape[1], sample_rate)
    echoes = torch.zeros_like(signal)
    for number in range(min(audible, max(2, samples // frames))):  # two for their gradients
        if number > 0:
            signal = gain * (signal.flip(2) if delay.ping_pong else signal)
        signal = delay_samples(signal, frames)
        if sections is not None:
            kinds: list[list[BiquadKind]] = [["high_pass", "low_pass"]] * signal.shape[1]
            signal = _filter_in_rows(signal, sections, kinds)
        echoes = echoes + signal
    return echoes


def _design_cuts(settings: ConsolePart, tracks: int, sample_rate: int) -> Tensor | None:
    """Sections ``(batch, tracks, 2, 5)`` of low and high cut; none where there is no cut."""
    names = "delay.low_cut_hz", "delay.high_cut_hz"
    if not any(any(settings.used(name)) for name in names):
        return None
    low_hz, high_hz = (settings.get(name) for name in names)
    corners_hz = torch.stack([low_hz, high_hz], -1)
    q = torch.full_like(corners_hz, _BUTTERWORTH_Q)
    kinds: list[list[BiquadKind]] = [["high_pass", "low_pass"]] * tracks
    sections = design_sections(kinds, corners_hz, torch.zeros_like(q), q, sample_rate)
    is_cut = torch.stack([low_hz > 20.0, high_hz < 20_000.0], -1)
    none = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0]).to(sections)
    return torch.where(is_cut[..., None], sections, none)


def delay_samples(signal: Tensor, samples: int) -> Tensor:
    """The signal later by whole samples, as long as before."""
    if samples == 0:
        return signal
    kept = signal[..., : max(0, signal.shape[-1] - samples)]
    return torch.nn.functional.pad(kept, (signal.shape[-1] - kept.shape[-1], 0))


def _filter(kind: BiquadKind, signal: Tensor, corner_hz: Tensor, sample_rate: int) -> Tensor:
    """A Butterworth filter of second order, with the corner of each track."""
    kinds = [[kind]] * signal.shape[1]
    corner_hz = corner_hz[..., None]
    q = torch.full_like(corner_hz, _BUTTERWORTH_Q)
    sections = design_sections(kinds, corner_hz, torch.zeros_like(q), q, sample_rate)
    return _filter_in_rows(signal, sections, kinds)


def pole(time_ms: Tensor, sample_rate: int) -> Tensor:
    """Pole of the one-pole smoother that covers 1 − 1/e of a step in ``time_ms``."""
    return torch.exp(-1000.0 / (time_ms * sample_rate))


def _smooth_in_rows(target: Tensor, attack: Tensor, release: Tensor) -> Tensor:
    rows = target.flatten(0, 1)
    return smooth_branching(rows, attack.flatten(), release.flatten()).view_as(target)


def _mean(signal: Tensor) -> Tensor:
    return signal.squeeze(2) if signal.shape[2] == 1 else signal.mean(2)


def _column(setting: Tensor, signal: Tensor) -> Tensor:
    return setting.unsqueeze(-1).to(signal.dtype)
