"""Gain reduction: known gains, and a compressor whose reduction the gain computer gives."""

import math

import numpy as np
import pytest

from automix.analysis.gain_reduction import GainReductionMeter
from automix.dsp.compressor import Compressor
from automix.plan.settings import CompressorSettings

RATE = 8_000


def measure(block, gain, columns=10, cuts=(), resting_gain_db=0.0):
    meter = GainReductionMeter(RATE, block.shape[1], columns, resting_gain_db)
    for part, own in zip(np.split(block, cuts, axis=1), np.split(gain, cuts), strict=True):
        meter.add(part, own)
    return meter.result()


def test_quantiles_are_of_the_time():
    block = np.full((1, 10 * RATE), 0.1)
    gain = np.ones(10 * RATE)
    gain[: 2 * RATE] = 10 ** (-6 / 20)  # a fifth of the time
    gain[:100] = 10 ** (-30 / 20)  # hardly ever, in the first of 10 ms and a bit
    found = measure(block, gain)
    assert found.median_db == 0.0
    assert found.high_db == pytest.approx(6.0, abs=0.05)
    assert found.deepest_db == pytest.approx(30.0)
    np.testing.assert_allclose(found.curve_db, [30.0, 6.0] + 8 * [0.0], atol=1e-9)


def test_only_what_sounds_counts():
    block = np.full((2, 4 * RATE), 10 ** (-20 / 20))
    block[:, RATE:] = 10 ** (-45 / 20)  # bleed, for three quarters of the time
    gain = np.where(np.arange(4 * RATE) < RATE, 1.0, 10 ** (-40 / 20))  # a gate
    found = measure(block, gain)
    assert (found.median_db, found.high_db) == (0.0, 0.0)
    assert found.deepest_db == pytest.approx(40.0)
    assert math.isnan(measure(0.0 * block, gain).median_db)


def test_cuts_into_blocks_do_not_matter():
    rng = np.random.default_rng(0)
    block = 0.1 * rng.standard_normal((2, 3 * RATE + 17))
    gain = rng.uniform(0.1, 1.0, block.shape[1])
    whole = measure(block, gain)
    cut = measure(block, gain, cuts=(1, 79, 80, 4_000, 9_999))
    assert (cut.median_db, cut.high_db, cut.deepest_db) == (
        whole.median_db,
        whole.high_db,
        whole.deepest_db,
    )
    np.testing.assert_allclose(cut.curve_db, whole.curve_db, atol=1e-9)


@pytest.mark.parametrize("makeup_db", [0.0, 9.0])
def test_a_compressor_reduces_by_what_is_over_the_threshold(makeup_db):
    settings = CompressorSettings(threshold_db=-20.0, ratio=4.0, attack_ms=1.0, makeup_db=makeup_db)
    block = np.full((1, 2 * RATE), 0.5)
    block[0, ::2] *= -1  # a constant level of −6.02 dB
    gain = Compressor(settings, RATE).gain(block)
    found = measure(block, gain, resting_gain_db=settings.resting_gain_db)
    over_db = 20 * math.log10(0.5) + 20.0
    assert found.median_db == pytest.approx(over_db * (1 - 1 / 4), abs=0.03)
    assert found.high_db == pytest.approx(found.median_db, abs=0.06)


def test_a_constant_gain_of_one_number_is_taken():
    meter = GainReductionMeter(RATE, RATE, 10)
    meter.add(np.full((1, RATE), 0.1), 0.5)
    assert meter.result().median_db == pytest.approx(6.02, abs=0.03)


def test_signals_shorter_than_a_hop_have_a_result():
    found = measure(np.full((1, 3), 0.1), np.full(3, 0.5))
    assert found.median_db == pytest.approx(6.02, abs=0.03)
    assert found.curve_db == pytest.approx([6.02], abs=0.01)
