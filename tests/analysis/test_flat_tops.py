import numpy as np
import pytest

from automix.analysis.flat_tops import FlatTopScan

RATE = 48000


def tone(hz=220.0, seconds=1.0):
    time = np.arange(round(seconds * RATE)) / RATE
    return np.sin(2 * np.pi * hz * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 1.5 * time))


def scan(signal, bits="24", block=65536):
    steps = {"16": 2**15, "24": 2**23}
    if bits in steps:
        signal = np.round(signal * steps[bits]) / steps[bits]
    scanner = FlatTopScan(RATE, 1, bits)
    samples = np.asarray(signal, np.float32)[np.newaxis]
    for start in range(0, samples.shape[1], block):
        scanner.add(samples[:, start : start + block])
    return scanner.result()


def clip(signal, level):
    return np.clip(signal, -level, level)


def dither(signal):
    random = np.random.default_rng(1).random((2, len(signal)))
    return signal + (random[0] - random[1]) / 2**15


@pytest.mark.parametrize("bits", ["16", "24", "32f"])
@pytest.mark.parametrize("gain", [1.0, 0.3, 0.1])
def test_clipping_is_found_whatever_gain_came_after(bits, gain):
    found = scan(gain * clip(tone(), 0.7), bits)
    assert found is not None
    assert found.level == pytest.approx(0.7 * gain, rel=3e-3)


def test_every_top_is_counted_and_the_first_three_are_told():
    signal = clip(np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE), 0.8)
    found = scan(signal)
    assert found.count == pytest.approx(400, abs=2)  # two in each period
    first = np.arcsin(0.8) / (2 * np.pi * 200)  # when the sine reaches the level
    expected = [first, first + 1 / 400, first + 2 / 400]
    np.testing.assert_allclose(found.times_s, expected, atol=1.5 / RATE)


def test_clipping_on_one_side_and_dither_are_no_obstacle():
    assert scan(dither(0.3 * np.minimum(tone(), 0.6)), "16") is not None


@pytest.mark.parametrize(
    "signal",
    [
        tone(),
        tone(45.0),
        0.02 * tone(45.0),
        np.tanh(3.0 * tone()) / np.tanh(3.0),
        np.tanh(1.5 * tone(60.0)),
        np.sign(tone(220.0)) * 0.5,
        np.random.default_rng(2).standard_normal(RATE) * 0.2,
        np.round(tone() * 8) / 8,
        np.zeros(RATE),
    ],
    ids=[
        "sine",
        "bass",
        "quiet-bass",
        "saturated",
        "saturated-bass",
        "square",
        "noise",
        "crushed",
        "silence",
    ],
)
@pytest.mark.parametrize("bits", ["16", "24"])
def test_what_is_not_clipped_is_not_said_to_be(signal, bits):
    assert scan(signal, bits) is None


def test_a_peak_above_the_flat_tops_is_no_clipping():
    signal = clip(tone(), 0.6)
    signal[24000:24400] = tone()[:400] * 1.2
    assert scan(signal) is None


def test_the_cuts_between_blocks_change_nothing():
    signal = clip(tone(), 0.7)
    assert scan(signal, block=1009) == scan(signal)
