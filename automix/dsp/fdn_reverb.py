"""Feedback delay network reverberator: the impulse response of the published FdnReverb structure.

Jot & Chaigne 1991, "Digital delay networks for designing artificial reverberators", with shelves in
the loop and a Hadamard matrix; the ten parameters are those of Li & Lerch 2022. The network is
linear and time-invariant, so it is rendered once and applied by convolution.

Two rules go beyond the published structure: a line is at least one sample long; and where shelves
that boost might let a frequency ring longer than `LONGEST_DECAY_S`, or even grow, the feedback of
all lines is lowered to that limit.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from automix.dsp.biquad import coefficients, frequency_response
from automix.dsp.compiled import kernel
from automix.plan.settings import FdnReverbSettings

LONGEST_DECAY_S = 12.0
"""Reverberation time that no setting exceeds; the range of the parameter itself ends at 9 s."""

Vector = NDArray[np.float64]


def impulse_response(
    settings: FdnReverbSettings, sample_rate: int, *, channels: int = 2, direct: bool = True
) -> NDArray[np.float64]:
    """Impulse response of the network alone: no dry part, and `dry_wet` is ignored.

    Input channel c feeds line c and output channel c is line c. A mono signal on both inputs of the
    plug-in is ``impulse_response(...).sum(axis=0, keepdims=True)``.

    Args:
        settings: The parameters.
        sample_rate: Frames per second, 8–192 kHz.
        channels: Number of inputs, 1 or 2.
        direct: Whether the response begins with the first pass through lines 0 and 1, an echo of
            the input at full level. Without it the reverberation alone remains. With a fade-in
            there is no such echo, and this has no effect.

    Returns:
        ``(channels, 2, frames)`` float64, read-only, `tail_s` long.

    Raises:
        ValueError: ``channels`` is neither 1 nor 2.
    """
    if channels not in (1, 2):
        raise ValueError(f"channels must be 1 or 2, not {channels}")
    excitations = ((1.0, 0.0), (0.0, 1.0))[:channels]
    return _impulse_response(settings, sample_rate, excitations, direct, None)


def response_to_mono(
    settings: FdnReverbSettings, sample_rate: int, *, longest_s: float | None = None
) -> NDArray[np.float64]:
    """What a reverb insert makes of an impulse on a mono track: (1 − w)·dry + w·network.

    Args:
        settings: The parameters.
        sample_rate: Frames per second, 8–192 kHz.
        longest_s: The response is cut off after this, which saves the time to render the rest.

    Returns:
        ``(2, frames)`` float64.
    """
    found = _impulse_response(settings, sample_rate, ((1.0, 1.0),), True, longest_s)
    response: Vector = settings.dry_wet * found[0]
    response[:, 0] += 1.0 - settings.dry_wet
    return response


@lru_cache(maxsize=64)  # asked for at each move of a fader of the desk
def tail_s(settings: FdnReverbSettings) -> float:
    """Length of the response: what remains after it is below −90 dB of the whole."""
    longest_line_s = float(_prime_numbers(settings)[-1]) / 10_000.0
    longest_s = max(settings.reverberation_time_s, settings.fade_in_time_s)
    boost_db_s = _boost_db_s(settings)
    return 90.0 / (_decay_db_s(longest_s, boost_db_s) - boost_db_s) + longest_line_s


def line_delays_s(settings: FdnReverbSettings) -> Vector:
    """Lengths of the delay lines ``(lines,)`` in seconds."""
    delays_s: Vector = _prime_numbers(settings) / 10_000.0
    return delays_s


def decay_time_s(
    settings: FdnReverbSettings, frequencies_hz: Vector, *, sample_rate: int = 48_000
) -> Vector:
    """Reverberation time over frequency, in closed form: T60 = −3 / log10(G · H_low · H_high).

    G, H_low and H_high are the gains of the loop per second of delay. Near its corner the gain of
    a shelf is not exactly a power of the delay: here it is that of all lines over all delays.

    Args:
        settings: The parameters.
        frequencies_hz: ``(n,)``, up to half the sample rate.
        sample_rate: Rate for which the shelves are designed.

    Returns:
        ``(n,)`` T60 in seconds.
    """
    delays_s = _delays(settings, sample_rate) / sample_rate
    decay_db_s = _decay_db_s(settings.reverberation_time_s, _boost_db_s(settings))
    gain = np.full(len(frequencies_hz), -decay_db_s / 20.0 * delays_s.sum())  # of all lines, log10
    for shelf in _shelves(settings, delays_s, sample_rate):
        for line in shelf:
            gain += np.log10(np.abs(frequency_response(line, frequencies_hz, sample_rate)))
    decay: Vector = -3.0 * delays_s.sum() / gain
    return decay


@lru_cache(maxsize=2)
def _impulse_response(
    settings: FdnReverbSettings,
    sample_rate: int,
    excitations: tuple[tuple[float, float], ...],
    direct: bool,
    longest_s: float | None,
) -> NDArray[np.float64]:
    """Responses ``(excitations, 2, frames)`` to impulses of these heights into lines 0 and 1."""
    length_s = tail_s(settings)
    frames = math.ceil(min(length_s, length_s if longest_s is None else longest_s) * sample_rate)
    delays = _delays(settings, sample_rate)
    delays_s = delays / sample_rate
    low, high = (np.ascontiguousarray(x.T) for x in _shelves(settings, delays_s, sample_rate))
    boost_db_s = _boost_db_s(settings)

    def network(time_s: float) -> NDArray[np.float64]:
        decay_db_s = _decay_db_s(time_s, boost_db_s) if time_s > 0 else math.inf
        feedback = 10.0 ** (-decay_db_s * delays_s / 20.0)
        return np.stack(
            [_render(delays, feedback, low, high, np.array(e), frames) for e in excitations]
        )

    response = network(settings.reverberation_time_s)
    if settings.fade_in_time_s > 0 or not direct:  # a time of 0 leaves only the first pass
        response -= network(settings.fade_in_time_s)
    response.flags.writeable = False
    return response


def _prime_numbers(settings: FdnReverbSettings) -> NDArray[np.int64]:
    """The prime of every line, in tenths of a millisecond; rounds halves up."""
    size = settings.room_size
    count = int(settings.lines)
    step = math.floor(size / 10.0)
    indices = [max(1, step)]
    for line in range(1, count):
        increment = max(1.0, step + (size - step) * line / count)
        indices.append(math.floor(indices[-1] + increment + 0.5))
    return _odd_primes(indices[-1] + 1)[indices]


def _odd_primes(count: int) -> NDArray[np.int64]:
    """The first primes from 3 on, by the sieve of Eratosthenes."""
    limit = 16 + math.ceil(2.0 * count * math.log(count + 2))  # p(n) < n (ln n + ln ln n)
    is_prime = np.ones(limit, dtype=bool)
    for factor in range(2, math.isqrt(limit) + 1):
        is_prime[factor * factor :: factor] = False
    return np.flatnonzero(is_prime)[3 : 3 + count]


def _delays(settings: FdnReverbSettings, sample_rate: int) -> NDArray[np.int64]:
    """Length of every line in samples, rounded to the nearest, at least one."""
    delays = np.rint(_prime_numbers(settings) * (sample_rate / 10_000.0)).astype(np.int64)
    return np.asarray(np.maximum(delays, 1))


def _boost_db_s(settings: FdnReverbSettings) -> float:
    """Highest gain of the shelves in any line, per second of its delay; shelves overshoot.

    At a rate of its own: the bilinear transform moves an overshoot, but does not change it.
    """
    delays_s = line_delays_s(settings)
    frequencies_hz = np.geomspace(10.0, 40_000.0, 250)
    boost_db_s = 0.0
    for delay_s, *line in zip(delays_s, *_shelves(settings, delays_s, 96_000), strict=True):
        gain = np.abs(frequency_response(np.stack(line), frequencies_hz, 96_000)).max()
        boost_db_s = max(boost_db_s, 20.0 * math.log10(gain) / delay_s)
    return boost_db_s


def _decay_db_s(time_s: float, boost_db_s: float) -> float:
    """Decay by the feedback alone, such that no frequency exceeds `LONGEST_DECAY_S`."""
    return max(60.0 / time_s, 60.0 / LONGEST_DECAY_S + boost_db_s)


def _shelves(
    settings: FdnReverbSettings, delays_s: Vector, sample_rate: int
) -> tuple[Vector, Vector]:
    """Coefficients ``(lines, 5)`` of the low and of the high shelf; gains go with the delay."""
    low_hz, low_db_s, low_q = settings.low_cutoff_hz, settings.low_gain_db_s, settings.low_q
    high_hz, high_db_s, high_q = settings.high_cutoff_hz, settings.high_gain_db_s, settings.high_q
    low = [coefficients("low_shelf", low_hz, low_db_s * d, low_q, sample_rate) for d in delays_s]
    high = [
        coefficients("high_shelf", high_hz, high_db_s * d, high_q, sample_rate) for d in delays_s
    ]
    return np.stack(low), np.stack(high)


@kernel
def _render(
    delays: NDArray[np.int64],
    feedback: Vector,
    low: Vector,
    high: Vector,
    excitation: Vector,
    frames: int,
) -> NDArray[np.float64]:
    """Response ``(2, frames)`` of lines 0 and 1 to an impulse into them, ``excitation`` high.

    Works in blocks no longer than the shortest line, so that nothing written is read in the same
    block: the shelves run side by side over the lines, the transform over the frames.
    """
    lines = delays.size
    ends = np.cumsum(delays)
    starts = ends - delays
    memory = np.zeros(ends[-1])
    position = starts.copy()
    length = min(delays.min(), 64)
    frame_major = np.zeros((length, lines))
    line_major = np.zeros((lines, length))
    state = np.zeros((4, lines))
    gains = feedback / math.sqrt(lines)
    response = np.zeros((2, frames))
    for first in range(0, frames, length):
        count = min(length, frames - first)
        for line in range(lines):
            at = position[line]
            for n in range(count):
                frame_major[n, line] = memory[at]
                at += 1
                if at == ends[line]:
                    at = starts[line]
        if first == 0:
            frame_major[0, 0], frame_major[0, 1] = excitation
        for n in range(count):
            _filter_lines(frame_major[n], high, state[0], state[1])
            _filter_lines(frame_major[n], low, state[2], state[3])
            response[0, first + n] = frame_major[n, 0]
            response[1, first + n] = frame_major[n, 1]
        for line in range(lines):
            for n in range(count):
                line_major[line, n] = gains[line] * frame_major[n, line]
        _walsh_hadamard(line_major)
        for line in range(lines):
            at = position[line]
            for n in range(count):
                memory[at] = line_major[line, n]
                at += 1
                if at == ends[line]:
                    at = starts[line]
            position[line] = at
    return response


@kernel
def _filter_lines(values: Vector, shelf: Vector, first: Vector, second: Vector) -> None:
    """One sample of one biquad per line, in place (transposed direct form II)."""
    for line in range(values.size):
        x = values[line]
        y = shelf[0, line] * x + first[line]
        first[line] = shelf[1, line] * x - shelf[3, line] * y + second[line]
        second[line] = shelf[2, line] * x - shelf[4, line] * y
        values[line] = y


@kernel
def _walsh_hadamard(values: NDArray[np.float64]) -> None:
    """Fast Walsh–Hadamard transform over the first axis, in place, without normalization."""
    half = 1
    while half < values.shape[0]:
        for group in range(0, values.shape[0], 2 * half):
            for line in range(group, group + half):
                for n in range(values.shape[1]):
                    a = values[line, n]
                    b = values[line + half, n]
                    values[line, n] = a + b
                    values[line + half, n] = a - b
        half *= 2
