"""The parametric equalizer: RBJ biquads in series (Steinmetz 2020, eqs. 4.5–4.9)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from automix.dsp.biquad import BiquadCascade, coefficients, frequency_response
from automix.plan.settings import EqualizerSettings


def sections(settings: EqualizerSettings, sample_rate: int) -> NDArray[np.float64]:
    """Biquad coefficients ``(sections, 5)`` of the bands that do anything."""
    active = [band for band in settings.bands if band.is_active]
    rows = [
        coefficients(band.kind, band.frequency_hz, band.gain_db, band.q, sample_rate)
        for band in active
    ]
    return np.array(rows).reshape(-1, 5)


def response_db(
    settings: EqualizerSettings, frequencies_hz: NDArray[np.float64], sample_rate: int
) -> NDArray[np.float64]:
    """Magnitude in dB at each frequency."""
    response = np.ones(len(frequencies_hz), dtype=complex)
    for row in sections(settings, sample_rate):
        response = response * frequency_response(row, frequencies_hz, sample_rate)
    return np.asarray(20.0 * np.log10(np.maximum(np.abs(response), 1e-12)))


class Equalizer:
    """Streaming equalizer; bands with 0 dB cost nothing and change nothing."""

    def __init__(self, settings: EqualizerSettings, sample_rate: int, channels: int) -> None:
        rows = sections(settings, sample_rate)
        self._cascade = BiquadCascade(rows, channels) if len(rows) else None

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next block ``(channels, n)``, equalized."""
        return block if self._cascade is None else self._cascade.process(block)


def describe_stage(settings: EqualizerSettings, sample_rate: int) -> dict[str, Any]:
    """What a player of its own needs to equalize: biquads ``b0, b1, b2, a1, a2`` in series."""
    return {"kind": "sections", "rows": sections(settings, sample_rate).tolist()}
