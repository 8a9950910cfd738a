"""The test signals of EBU Tech 3341 and 3342 (1 kHz sines), at both common rates."""

import numpy as np
import pytest

from automix.analysis.loudness import (
    LoudnessMeter,
    integrated_lufs,
    loudness_range_lu,
    momentary_lufs,
    short_term_lufs,
)

pytestmark = pytest.mark.parametrize("rate", [44_100, 48_000])


def energies(rate, *steps):
    """Meters a sine with a sequence of ``(seconds, one level or one per channel)`` in dBFS."""
    levels = [np.atleast_1d(level) for _, level in steps]
    channels = 2 if len(levels[0]) == 1 else len(levels[0])
    gains = [np.broadcast_to(10 ** (level / 20), channels) for level in levels]
    lengths = [round(seconds * rate) for seconds, _ in steps]
    meter = LoudnessMeter(rate, channels)
    start = 0
    for length, gain in zip(lengths, gains, strict=True):
        tone = np.sin(2 * np.pi * 1000 * np.arange(start, start + length) / rate)
        meter.add((gain[:, np.newaxis] * tone).astype(np.float32))
        start += length
    return meter.energies


@pytest.mark.parametrize(
    ("steps", "expected_lufs"),
    [
        ([(20, -23)], -23),  # case 1
        ([(20, -33)], -33),  # 2
        ([(10, -36), (60, -23), (10, -36)], -23),  # 3
        ([(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)], -23),  # 4
        ([(20, -26), (20.1, -20), (20, -26)], -23),  # 5
        ([(20, (-28, -28, -24, -30, -30))], -23),  # 6
    ],
)
def test_integrated(rate, steps, expected_lufs):
    assert integrated_lufs(energies(rate, *steps)) == pytest.approx(expected_lufs, abs=0.1)


@pytest.mark.parametrize("level", [-23, -33])
def test_cases_1_and_2_read_the_same_on_all_time_scales(rate, level):
    measured = energies(rate, (20, level))
    np.testing.assert_allclose(momentary_lufs(measured)[10:], level, atol=0.1)
    np.testing.assert_allclose(short_term_lufs(measured)[30:], level, atol=0.1)


def test_case_9_short_term(rate):
    measured = short_term_lufs(energies(rate, *[(1.34, -20), (1.66, -30)] * 5))
    assert len(measured) == 150
    np.testing.assert_allclose(measured[29:], -23, atol=0.1)


def test_case_12_momentary(rate):
    measured = momentary_lufs(energies(rate, *[(0.18, -20), (0.22, -30)] * 25))
    assert len(measured) == 100
    np.testing.assert_allclose(measured[9:], -23, atol=0.1)


@pytest.mark.parametrize(
    ("levels", "expected_lu"),
    [
        ((-20, -30), 10),  # Tech 3342, case 1
        ((-20, -15), 5),  # 2
        ((-40, -20), 20),  # 3
        ((-50, -35, -20, -35, -50), 15),  # 4
    ],
)
def test_loudness_range(rate, levels, expected_lu):
    measured = energies(rate, *[(20, level) for level in levels])
    assert loudness_range_lu(measured) == pytest.approx(expected_lu, abs=1)
