"""Levels are solved on energies and hold when the signals are really mixed."""

import numpy as np
import pytest

from automix.analysis.loudness import EnergyMatrixMeter, LoudnessMeter, integrated_lufs
from automix.methods.vocal.level_balance import vocal_gains

RATE = 48000


def measured(signal):
    meter = LoudnessMeter(RATE, 2)
    meter.add(np.ascontiguousarray(signal, np.float32))
    return integrated_lufs(meter.energies)


@pytest.fixture(scope="module")
def signals():
    rng = np.random.default_rng(3)
    time = np.arange(12 * RATE) / RATE
    phrases = (np.sin(2 * np.pi * time / 4) > -0.3) * (0.4 + 0.6 * (time % 4 > 2))
    vocal = 0.1 * phrases * np.sin(2 * np.pi * 440 * time) * np.ones((2, 1))
    wet = 0.03 * np.roll(phrases, RATE // 2) * rng.normal(size=(2, len(time)))
    backing = 0.1 * rng.normal(size=(2, len(time))) * (0.5 + 0.5 * np.cos(2 * np.pi * time / 7))
    return vocal, wet, backing


def matrix_of(signals):
    meter = EnergyMatrixMeter(RATE, 3)
    meter.add(np.stack(signals))
    return meter.matrix


@pytest.mark.parametrize("relative", [-6.0, -1.77, -0.5, 4.0])
@pytest.mark.parametrize("below", [None, 8.0, 14.0, 20.0])
def test_vocal_and_return_land_where_they_should(signals, relative, below):
    vocal, wet, backing = signals
    gain, wet_gain = vocal_gains(matrix_of(signals), relative, below)
    sung = gain * (vocal + wet_gain * wet)
    assert measured(sung) - measured(backing) == pytest.approx(relative, abs=0.01)
    if below is None:
        assert wet_gain == 0.0
    else:
        returned = gain * wet_gain * wet
        assert measured(sung + backing) - measured(returned) == pytest.approx(below, abs=0.01)


def test_correlated_signals_are_no_trap(signals):
    vocal, wet, _ = signals
    backing = 0.7 * vocal + 0.1 * wet
    gain, wet_gain = vocal_gains(matrix_of((vocal, wet, backing)), -1.77, 14.0)
    sung = gain * (vocal + wet_gain * wet)
    assert measured(sung) - measured(backing) == pytest.approx(-1.77, abs=0.01)
    assert measured(sung + backing) - measured(gain * wet_gain * wet) == pytest.approx(14, abs=0.01)


@pytest.mark.parametrize("silent", [0, 2])
def test_silence_cannot_be_balanced(signals, silent):
    parts = [np.zeros_like(part) if i == silent else part for i, part in enumerate(signals)]
    with pytest.raises(ValueError, match="no loudness"):
        vocal_gains(matrix_of(parts), -1.77, 14.0)


def test_a_silent_return_is_left_out(signals):
    vocal, wet, backing = signals
    gain, wet_gain = vocal_gains(matrix_of((vocal, 0 * wet, backing)), -1.77, 14.0)
    assert wet_gain == 0.0
    assert measured(gain * vocal) - measured(backing) == pytest.approx(-1.77, abs=0.01)
