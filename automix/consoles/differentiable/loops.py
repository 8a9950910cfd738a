"""The compiled recursions of the differentiable console, forward and backward.

Signals are float32, or float64 where gradients are checked; the arithmetic is float64 throughout.
Each loop treats one strip and releases the interpreter lock, so that strips run side by side.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.dsp.compiled import kernel
from automix.dsp.gate import SILENT_LEVEL, SLOPE

TILE_FRAMES = 1024
"""Frames that a cascade filters section by section: all its stages stay in the cache."""

# Far below any sample or gradient and far above the denormal numbers, which are slow: filters that
# have faded so far are stopped, smoothers are kept from fading further.
_SILENCE = 1e-60
_LEAST = 1e-30

Signal = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]


@kernel
def filter_cascade(x: Signal, sections: Vector, y: Signal, states: Vector) -> None:
    """Filters with second-order sections in series.

    Args:
        x: ``(channels, frames)``.
        sections: ``(sections, 5)``: b0, b1, b2, a1, a2.
        y: Result, in the shape of ``x``.
        states: Written: ``(channels, tiles, sections, 2)``, before each tile. The gradient starts
            from them instead of keeping what every section gave.
    """
    count = sections.shape[0]
    stages = np.empty((count + 1, TILE_FRAMES))
    for channel in range(x.shape[0]):
        state = np.zeros((count, 2))
        for tile in range(states.shape[1]):
            start = tile * TILE_FRAMES
            frames = min(TILE_FRAMES, x.shape[1] - start)
            states[channel, tile] = state
            stages[0, :frames] = x[channel, start : start + frames]
            _run_tile(stages, frames, sections, state)
            y[channel, start : start + frames] = stages[count, :frames]


@kernel
def filter_cascade_gradient(
    x: Signal,
    sections: Vector,
    states: Vector,
    grad_y: Signal,
    grad_x: Signal,
    grad_sections: Vector,
) -> None:
    """The adjoint of `filter_cascade`: writes ``grad_x`` and adds to ``grad_sections``.

    With w[n] = g[n] − a1·w[n+1] − a2·w[n+2]: ∂/∂x[n] = b0·w[n] + b1·w[n+1] + b2·w[n+2],
    ∂/∂bk = Σ x[n]·w[n+k] and ∂/∂ak = −Σ y[n]·w[n+k].
    """
    count = sections.shape[0]
    stages = np.empty((count + 1, TILE_FRAMES))
    gradient = np.empty(TILE_FRAMES)
    for channel in range(x.shape[0]):
        later = np.zeros((count, 2))
        for tile in range(states.shape[1] - 1, -1, -1):
            start = tile * TILE_FRAMES
            frames = min(TILE_FRAMES, x.shape[1] - start)
            stages[0, :frames] = x[channel, start : start + frames]
            _run_tile(stages, frames, sections, states[channel, tile].copy())
            gradient[:frames] = grad_y[channel, start : start + frames]
            for section in range(count - 1, -1, -1):
                b0, b1, b2, a1, a2 = sections[section]
                w1, w2 = later[section]
                sum_b0 = sum_b1 = sum_b2 = sum_a1 = sum_a2 = 0.0
                for n in range(frames - 1, -1, -1):
                    w = (gradient[n] - a2 * w2) - a1 * w1
                    before, after = stages[section, n], stages[section + 1, n]
                    sum_b0 += w * before
                    sum_b1 += w1 * before
                    sum_b2 += w2 * before
                    sum_a1 -= w1 * after
                    sum_a2 -= w2 * after
                    gradient[n] = b0 * w + b1 * w1 + b2 * w2
                    w2 = w1
                    w1 = w
                later[section, 0] = w1 if abs(w1) > _SILENCE else 0.0
                later[section, 1] = w2 if abs(w2) > _SILENCE else 0.0
                grad_sections[section, 0] += sum_b0
                grad_sections[section, 1] += sum_b1
                grad_sections[section, 2] += sum_b2
                grad_sections[section, 3] += sum_a1
                grad_sections[section, 4] += sum_a2
            grad_x[channel, start : start + frames] = gradient[:frames]


@kernel
def _run_tile(stages: Vector, frames: int, sections: Vector, state: Vector) -> None:
    """Fills row k + 1 of ``stages`` with what section k makes of row k; updates ``state``.

    The recursion is that of `automix.dsp.biquad`: two sections side by side, because one alone
    leaves the processor idle while it waits.
    """
    count = sections.shape[0]
    for section in range(0, count - 1, 2):
        b0, b1, b2, a1, a2 = sections[section]
        d0, d1, d2, f1, f2 = sections[section + 1]
        c1, c2, e1, e2 = b1 - a1 * b0, b2 - a2 * b0, d1 - f1 * d0, d2 - f2 * d0
        s1, s2 = state[section]
        t1, t2 = state[section + 1]
        for n in range(frames):
            x = stages[section, n]
            y = b0 * x + s1
            s1, s2 = (c1 * x + s2) - a1 * s1, c2 * x - a2 * s1
            stages[section + 1, n] = y
            stages[section + 2, n] = d0 * y + t1
            t1, t2 = (e1 * y + t2) - f1 * t1, e2 * y - f2 * t1
        state[section, 0] = s1
        state[section, 1] = s2
        state[section + 1, 0] = t1
        state[section + 1, 1] = t2
    if count % 2:
        b0, b1, b2, a1, a2 = sections[count - 1]
        c1, c2 = b1 - a1 * b0, b2 - a2 * b0
        s1, s2 = state[count - 1]
        for n in range(frames):
            x = stages[count - 1, n]
            stages[count, n] = b0 * x + s1
            s1, s2 = (c1 * x + s2) - a1 * s1, c2 * x - a2 * s1
        state[count - 1, 0] = s1
        state[count - 1, 1] = s2
    for section in range(count):
        for index in range(2):
            if abs(state[section, index]) < _SILENCE:
                state[section, index] = 0.0


@kernel
def smooth(target: Signal, attack: float, release: float, smoothed: Signal) -> None:
    """One-pole smoothing; ``attack`` is the pole where the target is above the last result.

    Args:
        target: ``(frames,)``, not negative.
        attack: Pole while rising, 0…1.
        release: Pole while falling, 0…1.
        smoothed: Result, in the shape of ``target``.
    """
    last = 0.0
    for n in range(target.shape[0]):
        value = target[n] + _LEAST
        # Both branches are computed, so that the choice costs no mispredicted jump.
        rising = attack * last + (1.0 - attack) * value
        falling = release * last + (1.0 - release) * value
        last = rising if value > last else falling
        smoothed[n] = last


@kernel
def smooth_gradient(
    target: Signal,
    smoothed: Signal,
    attack: float,
    release: float,
    grad_smoothed: Signal,
    grad_target: Signal,
) -> tuple[float, float]:
    """The adjoint of `smooth`: writes ``grad_target``, returns the gradients of the two poles."""
    later = 0.0
    grad_attack = 0.0
    grad_release = 0.0
    for n in range(target.shape[0] - 1, -1, -1):
        last = smoothed[n - 1] if n > 0 else 0.0
        value = target[n] + _LEAST
        rising = value > last
        pole = attack if rising else release
        current = grad_smoothed[n] + later
        through_pole = current * (last - value)
        grad_attack += through_pole if rising else 0.0
        grad_release += 0.0 if rising else through_pole
        grad_target[n] = (1.0 - pole) * current
        later = pole * current if abs(current) > _SILENCE else 0.0
    return grad_attack, grad_release


@kernel
def gate_depth_gradient(
    key: Vector, depth: Vector, detector: float, grad_depth: Vector, grad_key: Vector
) -> float:
    """The adjoint of `automix.dsp.gate.measure_depth`, whose decisions it takes as they are.

    The level is that of the last peak that lifted the detector, so that peak gets the gradient.

    Args:
        key: ``(frames,)``.
        depth: What `measure_depth` wrote.
        detector: Pole of the falling detector.
        grad_depth: Gradient of ``depth``.
        grad_key: Zeros; the gradient of ``key`` is added.

    Returns:
        The gradient of the threshold in nepers.
    """
    grad_threshold = 0.0
    level = 0.0
    source = 0
    for n in range(key.shape[0]):
        peak = abs(key[n])
        level *= detector
        if peak >= level:
            level = peak
            source = n
        if depth[n] > 0.0 and grad_depth[n] != 0.0 and level >= SILENT_LEVEL:
            step = SLOPE * grad_depth[n]
            grad_threshold += step
            grad_key[source] -= step / key[source]
    return grad_threshold


@kernel
def space_response(
    bases: Signal, amplitudes: Vector, decays: Vector, lengths: NDArray[np.int64], response: Signal
) -> None:
    """A weighted sum of responses that each decay faster: Σ a · exp(−r·n) · base.

    Args:
        bases: ``(spaces, 2, taps)``.
        amplitudes: ``(spaces, 2)``, a.
        decays: ``(spaces,)``, r in nepers per sample.
        lengths: ``(spaces,)``, taps of each base that are heard.
        response: Result ``(2, taps)``.
    """
    response[:] = 0.0
    window = np.empty(TILE_FRAMES, response.dtype)
    for space in range(bases.shape[0]):
        for n in range(TILE_FRAMES):
            window[n] = math.exp(-decays[space] * n)
        for side in range(2):
            if amplitudes[space, side] == 0.0:
                continue
            for start in range(0, lengths[space], TILE_FRAMES):
                taps = min(TILE_FRAMES, lengths[space] - start)
                scale = response.dtype.type(
                    amplitudes[space, side] * math.exp(-decays[space] * start)
                )
                base = bases[space, side, start : start + taps]
                total = response[side, start : start + taps]
                for n in range(taps):
                    total[n] += (scale * window[n]) * base[n]


@kernel
def space_response_gradient(
    bases: Signal,
    amplitudes: Vector,
    decays: Vector,
    lengths: NDArray[np.int64],
    grad_response: Signal,
    grad_amplitudes: Vector,
    grad_decays: Vector,
) -> None:
    """The adjoint of `space_response`: writes the gradients of the amplitudes and the decays."""
    sums = np.empty((2, TILE_FRAMES), grad_response.dtype)
    for space in range(bases.shape[0]):
        grad_decays[space] = 0.0
        for side in range(2):
            sums[:] = 0.0
            for start in range(0, lengths[space], TILE_FRAMES):
                taps = min(TILE_FRAMES, lengths[space] - start)
                factor = math.exp(-decays[space] * start)
                scale, moment = sums.dtype.type(factor), sums.dtype.type(factor * start)
                base = bases[space, side, start : start + taps]
                gradient = grad_response[side, start : start + taps]
                for n in range(taps):
                    product = base[n] * gradient[n]
                    sums[0, n] += scale * product
                    sums[1, n] += moment * product
            total = 0.0
            first_moment = 0.0
            for n in range(TILE_FRAMES):
                window = math.exp(-decays[space] * n)
                total += window * sums[0, n]
                first_moment += window * (sums[1, n] + n * sums[0, n])
            grad_amplitudes[space, side] = total
            grad_decays[space] -= amplitudes[space, side] * first_moment
