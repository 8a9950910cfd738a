import numpy as np
import pytest

from automix.analysis.loudness import (
    EnergyMatrixMeter,
    LoudnessMeter,
    combine_energies,
    integrated_lufs,
)


def signals(rate, seconds=2.0):
    """Three stereo signals that have much in common."""
    rng = np.random.default_rng(10)
    common = rng.standard_normal((1, 2, round(seconds * rate)))
    return (0.1 * (common + rng.standard_normal((3, *common.shape[1:])))).astype(np.float32)


def matrix(blocks, rate, cuts=()):
    meter = EnergyMatrixMeter(rate, len(blocks))
    for piece in np.split(blocks, list(cuts), axis=2):
        meter.add(list(piece))
    return meter.matrix


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000])
@pytest.mark.parametrize(
    "gains", [(1.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.7, -0.3, 2.0), (0.001, 1.0, -0.9)]
)
def test_equals_metering_the_sum(rate, gains):
    parts = signals(rate)
    meter = LoudnessMeter(rate, 2)
    meter.add(np.einsum("i,icn->cn", gains, parts.astype(np.float64)).astype(np.float32))
    combined = combine_energies(matrix(parts, rate), gains)
    np.testing.assert_allclose(10 * np.log10(combined / meter.energies), 0.0, atol=1e-6)
    assert integrated_lufs(combined) == pytest.approx(integrated_lufs(meter.energies), abs=1e-6)


def test_is_symmetric_with_the_energies_of_each_signal_on_the_diagonal():
    parts = signals(44_100)
    measured = matrix(parts, 44_100)
    assert measured.shape == (20, 3, 3)
    np.testing.assert_allclose(measured, measured.transpose(0, 2, 1), rtol=1e-12)
    for index, part in enumerate(parts):
        meter = LoudnessMeter(44_100, 2)
        meter.add(part)
        np.testing.assert_allclose(measured[:, index, index], meter.energies, rtol=1e-9)


@pytest.mark.parametrize("rate", [11_025, 44_100])
def test_the_cuts_between_blocks_change_no_bit(rate):
    parts = signals(rate, 1.0)
    cuts = [0, 1, 2, 1102, 1103, 4409, 4411, rate - 1]
    np.testing.assert_array_equal(matrix(parts, rate, cuts), matrix(parts, rate))


def test_signals_that_cancel_have_no_negative_energy():
    part = signals(44_100)[0]
    combined = combine_energies(matrix(np.stack([part, part]), 44_100), (1.0, -1.0))
    assert combined.min() >= 0.0
    assert combined.max() < 1e-15


def test_shorter_than_a_hop_reads_nothing():
    assert matrix(signals(44_100, 0.05), 44_100).shape == (0, 3, 3)
