"""The gate in torch: its decisions by the compiled loop of `automix.dsp.gate`."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from automix.consoles.differentiable.loops import gate_depth_gradient
from automix.consoles.differentiable.processors import pole
from automix.consoles.differentiable.recursion import array_of, for_each, smooth_branching
from automix.consoles.differentiable.values import ConsolePart
from automix.dsp.compressor import NEPERS_PER_DB, smoothing_pole
from automix.dsp.gate import DETECTOR_MS, measure_depth


def gate(signal: Tensor, settings: ConsolePart, sample_rate: int) -> Tensor:
    """The gate of `automix.dsp.gate`, keyed on the mean of the channels.

    Hysteresis and hold decide when it is open, and nothing else: what comes out does not change
    until they change a decision, so their gradients are 0. That of the threshold is the gradient of
    the attenuation while it is closed; the moments of opening and closing have none.

    Args:
        signal: ``(batch, tracks, channels, samples)``.
        settings: Holds ``gate.threshold_db``, ``.range_db``, ``.hysteresis_db``, ``.attack_ms``,
            ``.hold_ms``, ``.release_ms``.
        sample_rate: Frames per second.
    """
    key = (signal.squeeze(2) if signal.shape[2] == 1 else signal.mean(2)).flatten(0, 1)

    def of_rows(name: str) -> Tensor:
        return settings.get(f"gate.{name}").flatten()

    threshold = of_rows("threshold_db") * NEPERS_PER_DB
    closing = threshold.detach() - of_rows("hysteresis_db").detach() * NEPERS_PER_DB
    hold = (of_rows("hold_ms").detach() * sample_rate / 1000.0).round()
    depth: Tensor = _Depth.apply(key, threshold, closing, hold, sample_rate)
    deepest = (of_rows("range_db") * NEPERS_PER_DB).to(signal.dtype)[:, None]
    reduction = smooth_branching(
        torch.minimum(depth, deepest),
        pole(of_rows("release_ms"), sample_rate),
        pole(of_rows("attack_ms"), sample_rate),
    )
    # Times 0, so that values without a gradient have one of 0 instead of none.
    still = 0.0 * (of_rows("hysteresis_db") + of_rows("hold_ms")).to(signal.dtype)
    gain = torch.exp(still[:, None] - reduction)
    return signal * gain.view(signal.shape[0], signal.shape[1], 1, -1)


class _Depth(torch.autograd.Function):
    """Attenuation in nepers, whatever the range, of each row while it is closed."""

    @staticmethod
    def forward(
        ctx: Any, key: Tensor, threshold: Tensor, closing: Tensor, hold: Tensor, sample_rate: int
    ) -> Tensor:
        keys = array_of(key.double())
        thresholds, closings, holds = array_of(threshold), array_of(closing), array_of(hold)
        depths = np.empty_like(keys)
        detector = smoothing_pole(DETECTOR_MS, sample_rate)

        def work(row: int) -> None:
            limits = float(thresholds[row]), float(closings[row])
            measure_depth(keys[row], *limits, int(holds[row]), detector, np.zeros(4), depths[row])

        for_each(work, len(keys))
        ctx.save_for_backward(key)
        ctx.kept = depths, detector
        return torch.from_numpy(depths).to(key)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (key,) = ctx.saved_tensors
        depths, detector = ctx.kept
        keys, grad_depths = array_of(key.double()), array_of(gradients[0].double())
        grad_keys, grad_thresholds = np.zeros_like(keys), np.empty(len(keys))

        def work(row: int) -> None:
            grad_thresholds[row] = gate_depth_gradient(
                keys[row], depths[row], detector, grad_depths[row], grad_keys[row]
            )

        for_each(work, len(keys))
        of_threshold = torch.from_numpy(grad_thresholds).to(key.device)
        return torch.from_numpy(grad_keys).to(key), of_threshold, None, None, None
