"""Damages copies of a vocal in known ways: equalized, reverberated, with other dynamics (III-A).

What was done is what a network is to find, so these have exact targets at no cost.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import Audio
from automix.dsp.convolution import Convolver
from automix.dsp.equalizer import Equalizer
from automix.dsp.fdn_reverb import response_to_mono
from automix.networks.vocal_cnn_description import (
    BAND_Q,
    BANDS_HZ,
    CHANGED_BANDS,
    GAINS_DB,
    REVERB_FIELDS,
    output_ranges,
)
from automix.plan.settings import EqualizerBand, EqualizerSettings, FdnReverbSettings

CEILING = 0.98
"""Magnitude of the largest sample of a file, which holds no more than full scale."""

MOST_EXPANSION = 1.8
"""Largest factor by which dynamics are multiplied or divided."""

_WINDOW_S = 0.1


def draw_sparse_gains_db(rng: np.random.Generator) -> list[float]:
    """Draws nine gains, four of them evenly within ±15 dB and the others 0 (section III-A)."""
    gains = [0.0] * len(BANDS_HZ)
    for band in rng.choice(len(BANDS_HZ), CHANGED_BANDS, replace=False):
        gains[int(band)] = float(rng.uniform(GAINS_DB.low, GAINS_DB.high))
    return gains


def equalize_vocal(audio: Audio, gains_db: Sequence[float]) -> Audio:
    """Equalizes a vocal by nine peak filters, and keeps it below full scale."""
    bands = tuple(
        EqualizerBand(frequency_hz=center_hz, gain_db=gain_db, q=BAND_Q)
        for center_hz, gain_db in zip(BANDS_HZ, gains_db, strict=True)
    )
    equalizer = Equalizer(EqualizerSettings(bands=bands), audio.sample_rate, audio.channels)
    return limit_peak(equalizer.process(audio.samples.astype(np.float64)), audio.sample_rate)


def reverberate_vocal(audio: Audio, reverb: FdnReverbSettings) -> Audio:
    """Folds a vocal and sends it through a reverb, below full scale; the tail is kept."""
    response = response_to_mono(reverb, audio.sample_rate)
    mono = audio.samples.mean(axis=0, keepdims=True)
    padded = np.pad(mono, ((0, 0), (0, response.shape[1] - 1)))
    return limit_peak(Convolver(response[np.newaxis]).process(padded), audio.sample_rate)


def draw_reverb(rng: np.random.Generator) -> FdnReverbSettings:
    """Draws settings evenly over the ranges of the ten parameters."""
    ranges = zip(REVERB_FIELDS, output_ranges("reverb"), strict=True)
    values: dict[str, Any] = {
        name: float(rng.uniform(legal.low, legal.high)) for name, legal in ranges
    }
    return FdnReverbSettings(**values)


def draw_expansion(rng: np.random.Generator) -> float:
    """Draws a factor of the dynamics, evenly on a logarithmic scale up to `MOST_EXPANSION`."""
    limit = np.log(MOST_EXPANSION)
    return float(np.exp(rng.uniform(-limit, limit)))


def change_dynamics(audio: Audio, factor: float) -> Audio:
    """Folds a vocal and multiplies its levels over 0.1 s, in dB below the loudest, by a factor."""
    mono = audio.samples.mean(axis=0).astype(np.float64)
    size = round(_WINDOW_S * audio.sample_rate)
    sums = np.concatenate([[0.0], np.cumsum(np.pad(mono**2, (size // 2, size)))])
    power = np.maximum((sums[size:] - sums[:-size])[: len(mono)] / size, 1e-12)
    gain = (power / power.max()) ** ((factor - 1.0) / 2.0)
    return limit_peak((mono * gain)[np.newaxis], audio.sample_rate)


def limit_peak(samples: NDArray[Any], sample_rate: int) -> Audio:
    """Makes audio of samples, all turned down alike where one is above `CEILING`."""
    peak = float(np.abs(samples).max(initial=0.0))
    return Audio((samples / max(1.0, peak / CEILING)).astype(np.float32), sample_rate)
