"""Five synthetic spaces: impulse responses for the convolution reverb (Steinmetz 2020, 4.2.4).

A space is white excitation that decays. The excitation of a room begins with the image sources of
a hard-walled box (Allen & Berkley 1979), heard by two microphones; they fade into noise of the
same power, 4πc/V per second against 1/d² of one reflection, independent left and right. A plate
(EMT 140) is dense noise from the start. The decay is a time-varying filter: the level at frequency
f falls by 60 dB in `reverberation_time_s`, which the material and the air set. There is no direct
sound: that is the dry signal, at time 0.

Everything is made once, at `GRID_RATE_HZ`, and converted: the same sound at every sample rate.
With ``d = decay`` the response is, for each side::

    response = base_response · decay_window(d) · level_gains(d)
    decay_window(d, t) = 1000 ** (−(1/d − 1) · t / T60_S)
    level_gains(d) = (Σ energies · decay_window(d, times) ²) ** −1/2

The window adds the decay rates, so T60 becomes exactly ``d · T60_S`` at 707 Hz, and
``1 / (1/T60(f) + (1/d − 1)/T60_S)`` elsewhere. The gains keep the loudness (ITU-R BS.1770) of pink
noise through each side of the response at that of the noise, whatever the decay. All three are
smooth in d, in closed form, for anyone who wants gradients.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray

from automix.dsp.biquad import frequency_response
from automix.dsp.k_weighting import k_weighting
from automix.plan.settings import Space, SpaceSettings

GRID_RATE_HZ = 48_000
"""Rate at which the responses are made; they hold nothing above half of it."""

T60_S: dict[Space, float] = {
    "small room": 1.0,
    "medium room": 1.9,
    "large room": 1.5,
    "hall": 5.0,
    "plate": 2.3,
}
"""Reverberation time in the middle, at 707 Hz, where the octaves of 500 Hz and 1 kHz meet."""

Vector = NDArray[np.float64]

_SPEED_OF_SOUND_M_S = 343.0
_MICROPHONE_SPACING_M = 0.5
_MIDDLE_HZ = math.sqrt(500.0 * 1000.0)
_OCTAVES_HZ: Vector = 62.5 * np.exp2(np.arange(9.0))
_FRAME = 1024  # of the time-varying filter: 21 ms, and 47 Hz between its bins
_HOP = _FRAME // 4
_PROFILE_S = 0.002
_WHOLE_DB = 90.0  # what is left after the tail is that far down


@dataclass(frozen=True)
class _Acoustics:
    """What a space is made of.

    Attributes:
        seed: Seed of its noise.
        absorption: Loss to the material at `_OCTAVES_HZ`, relative to that in the middle.
        box_m: Length, width and height; none for a plate.
        source_m: Position of the source in the box.
        listener_m: Position between the microphones, which stand along the width.
    """

    seed: int
    absorption: tuple[float, ...]
    box_m: tuple[float, float, float] | None = None
    source_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    listener_m: tuple[float, float, float] = (0.0, 0.0, 0.0)


_SPACES: dict[Space, _Acoustics] = {
    "small room": _Acoustics(
        seed=1,
        absorption=(0.85, 0.9, 0.95, 1.0, 1.0, 1.05, 1.1, 1.15, 1.2),
        box_m=(5.3, 4.1, 2.7),
        source_m=(1.3, 2.2, 1.2),
        listener_m=(3.4, 1.9, 1.6),
    ),
    "medium room": _Acoustics(
        seed=2,
        absorption=(0.8, 0.85, 0.95, 1.0, 1.0, 1.05, 1.1, 1.2, 1.3),
        box_m=(9.6, 7.2, 4.1),
        source_m=(2.2, 3.9, 1.4),
        listener_m=(6.1, 3.3, 1.8),
    ),
    "large room": _Acoustics(
        seed=3,
        absorption=(0.8, 0.9, 0.95, 1.0, 1.0, 1.05, 1.15, 1.25, 1.4),
        box_m=(18.1, 13.3, 6.6),
        source_m=(4.1, 7.1, 2.1),
        listener_m=(10.7, 6.2, 2.9),
    ),
    "hall": _Acoustics(
        seed=4,
        absorption=(0.9, 0.9, 0.95, 1.0, 1.0, 1.05, 1.15, 1.3, 1.4),
        box_m=(38.3, 24.1, 15.7),
        source_m=(7.3, 12.9, 3.1),
        listener_m=(19.1, 11.3, 5.3),
    ),
    "plate": _Acoustics(seed=5, absorption=(0.6, 0.65, 0.8, 1.0, 1.0, 1.15, 1.35, 1.6, 1.9)),
}


def impulse_response(settings: SpaceSettings, sample_rate: int) -> NDArray[np.float64]:
    """Impulse response of a space: reverberation alone, `wet` is ignored.

    Args:
        settings: Which space, and how much shorter.
        sample_rate: Frames per second, 8–192 kHz.

    Returns:
        ``(1, 2, taps)`` float64, `tail_s` long: mono in, stereo out.
    """
    taps = math.ceil(tail_s(settings) * sample_rate)
    response = base_response(settings.space, sample_rate)[:, :taps]
    window = decay_window(settings.decay, settings.space, np.arange(taps) / sample_rate)
    return (response * window * level_gains(settings.decay, settings.space)[:, None])[None]


def tail_s(settings: SpaceSettings) -> float:
    """Length of the response: what remains after it is some 90 dB below its beginning."""
    return float(tails_s(settings.space, np.asarray(settings.decay)))


def tails_s(space: Space, decays: Vector) -> Vector:
    """`tail_s` of many decays, in their shape."""
    slowest = 1.0 / reverberation_time_s(space, _OCTAVES_HZ).max()
    return np.asarray(_WHOLE_DB / 60.0 / (slowest + (1.0 / decays - 1.0) / T60_S[space]))


def reverberation_time_s(space: Space, frequencies_hz: Vector) -> Vector:
    """T60 of the whole response over frequency, as it is made.

    Losses add up: those to the material, and in rooms those to the air, 1.6 dB/km at 1 kHz and
    growing with the square of the frequency (a fit of ISO 9613-1 from 2 kHz up, at 20 °C and 50 %
    humidity). Their sum is scaled to give `T60_S` in the middle.
    """
    acoustics = _SPACES[space]

    def loss(at_hz: Vector) -> Vector:
        octaves = np.interp(np.log(at_hz), np.log(_OCTAVES_HZ), acoustics.absorption)
        air_db_s = 1.6e-3 * (at_hz / 1000.0) ** 2 * _SPEED_OF_SOUND_M_S
        return np.asarray(octaves + (air_db_s * T60_S[space] / 60.0 if acoustics.box_m else 0.0))

    return T60_S[space] * loss(np.array([_MIDDLE_HZ])) / loss(frequencies_hz)


def decay_window(decay: float, space: Space, times_s: Vector) -> Vector:
    """The factor that shortens a response, at each time: 1000 ** (−(1/decay − 1) · t / T60_S)."""
    rate = math.log(1000.0) * (1.0 / decay - 1.0) / T60_S[space]
    return np.asarray(np.exp(-rate * times_s))


def level_gains(decay: float, space: Space) -> Vector:
    """Gains ``(2,)`` of the two sides that make up for the energy that the window takes."""
    times_s, energies = energy_profile(space)
    return np.asarray((energies @ decay_window(decay, space, times_s) ** 2) ** -0.5)


def energy_profile(space: Space) -> tuple[Vector, Vector]:
    """Times ``(n,)`` in seconds, and the energies ``(2, n)`` of the whole response around them.

    They are weighted as loudness is; each side adds up to 1.
    """
    _, times_s, energies = _on_grid(space)
    return times_s, energies


@lru_cache(maxsize=8)
def base_response(space: Space, sample_rate: int) -> NDArray[np.float64]:
    """The whole response of a space.

    Args:
        space: Which one.
        sample_rate: Frames per second, 8–192 kHz.

    Returns:
        ``(2, taps)`` float64, left and right, read-only. Each has the same frequency response at
        every rate that carries the frequency.
    """
    response, _, _ = _on_grid(space)
    if sample_rate != GRID_RATE_HZ:
        converted = soxr.resample(response.T, GRID_RATE_HZ, sample_rate, quality="VHQ")
        response = np.ascontiguousarray(converted.T) * (GRID_RATE_HZ / sample_rate)
        response.flags.writeable = False
    return response


@lru_cache(maxsize=8)
def _on_grid(space: Space) -> tuple[Vector, Vector, Vector]:
    """The response ``(2, taps)`` at `GRID_RATE_HZ`, normalized, and its energy profile."""
    acoustics = _SPACES[space]
    # One tap of 8 kHz more, so that the conversion to no rate comes out short of the tail.
    taps = math.ceil(tail_s(SpaceSettings(space=space)) * GRID_RATE_HZ) + GRID_RATE_HZ // 8000
    response = _let_decay(_excitation(acoustics, taps), space)
    bin_taps = round(_PROFILE_S * GRID_RATE_HZ)
    bins = -(-taps // bin_taps)
    weighted = np.zeros((2, bins * bin_taps))
    weighted[:, :taps] = _weight(response)
    energies = (weighted**2).reshape(2, bins, bin_taps).sum(axis=-1)
    totals = energies.sum(axis=-1, keepdims=True)
    response /= np.sqrt(totals)
    energies /= totals
    times_s: Vector = np.arange(0.5, bins) * _PROFILE_S
    for array in (response, energies, times_s):
        array.flags.writeable = False
    return response, times_s, energies


def _weight(response: Vector) -> Vector:
    """The response, filtered so that its energy is the gain in loudness that pink noise gets."""
    frequencies_hz = _bins_hz(2 * response.shape[1])
    heard = (frequencies_hz >= 20.0) & (frequencies_hz <= 20_000.0)
    weight = heard / np.sqrt(np.maximum(frequencies_hz, 20.0))
    for row in k_weighting(GRID_RATE_HZ):
        weight *= np.abs(frequency_response(row, frequencies_hz, GRID_RATE_HZ))
    # The energy of the filter itself is what the dry signal gets.
    weight /= math.sqrt((weight**2).sum() / (len(weight) - 1))
    spectrum = np.fft.rfft(response, 2 * response.shape[1]) * weight
    return np.asarray(np.fft.irfft(spectrum)[:, : response.shape[1]])


def _bins_hz(frames: int) -> Vector:
    """Frequencies of a real Fourier transform at `GRID_RATE_HZ`."""
    return np.asarray(np.fft.rfftfreq(frames, 1.0 / GRID_RATE_HZ), np.float64)


def _excitation(acoustics: _Acoustics, taps: int) -> Vector:
    """White signals ``(2, taps)`` of constant power: image sources that fade into noise."""
    # Raw bits instead of normal numbers: NumPy promises never to change this stream.
    bits = np.random.PCG64(acoustics.seed).random_raw(2 * taps)
    uniform: Vector = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53 - 0.5
    noise = uniform.reshape(2, taps) * math.sqrt(12.0)
    times_s = np.arange(taps) / GRID_RATE_HZ
    if acoustics.box_m is None:
        noise *= np.sin(0.5 * math.pi * np.minimum(times_s / 0.002, 1.0))
        return noise
    volume_m3 = math.prod(acoustics.box_m)
    mixing_s = 0.002 * math.sqrt(volume_m3)  # about twice the usual estimate of the mixing time
    phase = 0.5 * math.pi * np.minimum(times_s / mixing_s, 1.0)
    power_s = 4.0 * math.pi * _SPEED_OF_SOUND_M_S / volume_m3
    excitation = noise
    excitation *= math.sqrt(power_s / GRID_RATE_HZ) * np.sin(phase)
    delays_s, amplitudes = _reflections(acoustics, mixing_s)
    at = np.rint(delays_s * GRID_RATE_HZ).astype(np.int64)
    for side in range(2):
        np.add.at(excitation[side], at[side], amplitudes[side] * np.cos(phase[at[side]]))
    return excitation


def _reflections(acoustics: _Acoustics, until_s: float) -> tuple[Vector, Vector]:
    """Delays after the direct sound and amplitudes ``(2, n)`` of the source's mirror images.

    Those that reach both microphones within ``until_s``.
    """
    box = np.array(acoustics.box_m)
    source, listener = np.array(acoustics.source_m), np.array(acoustics.listener_m)
    direct_m = float(np.linalg.norm(source - listener))
    reach_m = direct_m + until_s * _SPEED_OF_SOUND_M_S
    axes = []
    for length, position in zip(box, source, strict=True):
        rooms = np.arange(-math.ceil(reach_m / length), math.ceil(reach_m / length) + 1)
        axes.append(np.concatenate([2 * rooms * length + position, 2 * rooms * length - position]))
    images = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    offset = np.array([0.0, 0.5 * _MICROPHONE_SPACING_M, 0.0])
    distances_m = np.stack(
        [np.linalg.norm(images - listener - side * offset, axis=-1) for side in (1.0, -1.0)]
    )
    is_source = (np.abs(images - source) < 1e-9).all(axis=-1)
    used = (distances_m < reach_m).all(axis=0) & ~is_source
    distances_m = distances_m[:, used]
    return (distances_m - direct_m) / _SPEED_OF_SOUND_M_S, 1.0 / distances_m


def _let_decay(excitation: Vector, space: Space) -> Vector:
    """Lets the level at each frequency fall by 60 dB in its T60 (short-time Fourier filter)."""
    taps = excitation.shape[1]
    frames = -(-taps // _HOP) + 3
    window = np.sin(math.pi * (np.arange(_FRAME) + 0.5) / _FRAME)  # its square adds up to 2
    padded = np.zeros((2, (frames + 3) * _HOP))
    padded[:, 3 * _HOP : 3 * _HOP + taps] = excitation
    views = np.lib.stride_tricks.sliding_window_view(padded, _FRAME, axis=1)[:, ::_HOP]
    spectra = np.fft.rfft(views * window)
    frequencies_hz = _bins_hz(_FRAME)
    frequencies_hz[0] = frequencies_hz[1]
    nepers_s = math.log(1000.0) / reverberation_time_s(space, frequencies_hz)
    centers_s = ((np.arange(frames) - 3) * _HOP + 0.5 * _FRAME) / GRID_RATE_HZ
    spectra *= np.exp(-np.maximum(centers_s, 0.0)[:, np.newaxis] * nepers_s)
    pieces = (np.fft.irfft(spectra) * (0.5 * window)).reshape(2, frames, 4, _HOP)
    result = np.zeros((2, frames + 3, _HOP))
    for part in range(4):
        result[:, part : part + frames] += pieces[:, :, part]
    return result.reshape(2, -1)[:, 3 * _HOP : 3 * _HOP + taps]
