"""The delay of a strip: whole samples bit for bit, fractions of them flat and in time."""

import numpy as np
import pytest

from automix.dsp.time_shift import (
    TAPS_BEFORE,
    TimeShift,
    design_taps,
    latency_frames,
    split_delay,
    tail_frames,
)

RATE = 48_000


def noise(channels=1, frames=4_000):
    return np.random.default_rng(3).standard_normal((channels, frames))


def shifted(samples, delay_ms, rate=RATE):
    """In time, with the tail, as a console plays it."""
    late, tail = latency_frames(delay_ms, rate), tail_frames(delay_ms, rate)
    fed = np.pad(samples, ((0, 0), (0, late + tail)))
    return TimeShift(delay_ms, rate, len(samples)).process(fed)[:, late:]


@pytest.mark.parametrize("frames", [-960, -7, 1, 48, 960])
def test_whole_samples_are_a_pure_shift(frames):
    samples = noise(2)
    result = shifted(samples, frames / 48)
    if frames > 0:
        assert np.array_equal(result[:, frames:], samples)
        assert not result[:, :frames].any()
    else:
        assert np.array_equal(result[:, :frames], samples[:, -frames:])
        assert not result[:, frames:].any()


@pytest.mark.parametrize("rate", [44_100, 88_200, 96_000, 176_400])
def test_every_whole_number_of_samples_is_known_as_one(rate):
    for frames in range(-rate // 50, rate // 50 + 1):
        assert split_delay(1000.0 * frames / rate, rate) == (frames, 0.0)


@pytest.mark.parametrize("fraction", [0.01, 0.25, 0.5, 0.75, 0.99])
def test_fractions_are_flat_within_a_hundredth_of_a_db_up_to_nine_tenths_of_nyquist(fraction):
    size = 8_192
    response = np.fft.rfft(design_taps(fraction), size)
    frequencies = np.arange(len(response)) / size
    passed = frequencies <= 0.45
    ideal = np.exp(-2j * np.pi * frequencies * (TAPS_BEFORE + fraction))
    assert np.abs(20 * np.log10(np.abs(response[passed]))).max() < 0.01
    assert np.abs(response - ideal)[passed].max() < 1e-4


@pytest.mark.parametrize("delay_ms", [-20.0, -3.217, -0.004, 0.013, 1.5, 11.111])
def test_a_sine_comes_out_later_by_the_delay(delay_ms):
    times = np.arange(9_600) / RATE
    sine = np.sin(2 * np.pi * 3_000 * times)[None]
    wanted = np.sin(2 * np.pi * 3_000 * (times - delay_ms / 1000))
    inner = slice(1_200, 8_000)
    assert np.abs(shifted(sine, delay_ms)[0, : len(times)] - wanted)[inner].max() < 1e-4


def test_nothing_is_lost_at_the_end_of_a_delayed_track():
    samples = np.zeros((1, 100))
    samples[0, -1] = 1.0
    assert shifted(samples, 10.01).sum() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("delay_ms", [-2.71, 0.01, 4.0, 7.33])
def test_no_bit_depends_on_how_the_audio_is_cut(delay_ms):
    samples = noise(2)
    whole = TimeShift(delay_ms, RATE, 2).process(samples)
    in_parts = TimeShift(delay_ms, RATE, 2)
    parts = [in_parts.process(part) for part in np.split(samples, [1, 8, 70, 2_000], axis=1)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
