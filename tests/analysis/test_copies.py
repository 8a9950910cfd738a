import numpy as np
import pytest
import scipy.signal

from automix.analysis.copies import compare_recordings, find_alike
from automix.analysis.fine_powers import FinePowers
from automix.audio.samples import Audio

RATE = 22050
TIME = np.arange(12 * RATE) / RATE


def drums(seed=1):
    noise = np.random.default_rng(seed).standard_normal(len(TIME))
    hits = np.exp(-(TIME % 0.4) / 0.05)
    return 0.2 * hits * (noise + np.sin(2 * np.pi * 90 * TIME))


def audio(samples):
    return Audio(np.asarray(samples, np.float32), RATE)


def powers(samples):
    meter = FinePowers(RATE)
    for block in np.array_split(np.asarray(samples, np.float32)[None], 6, axis=1):
        meter.add(block)
    return meter.finish()


def later(samples, frames):
    return np.concatenate([np.zeros(frames), samples])[: len(samples)]


@pytest.mark.parametrize("frames", [0, 1, 110, 1500])
@pytest.mark.parametrize("gain", [0.5, -1.2])
def test_gain_polarity_and_delay_make_no_other_recording(frames, gain):
    first, second = drums(), gain * later(drums(), frames)
    assert find_alike([powers(first), powers(second)]) == [(0, 1)]
    copy = compare_recordings(audio(first), audio(second), powers(first))
    assert copy.gain_db == pytest.approx(20 * np.log10(abs(gain)), abs=0.1)
    assert copy.delay_s == pytest.approx(frames / RATE)
    assert copy.inverted == (gain < 0)


def test_another_take_another_microphone_and_a_shared_bus_are_no_copies():
    first = drums()
    room = scipy.signal.fftconvolve(first, np.random.default_rng(4).standard_normal(400))
    dull = scipy.signal.sosfilt(scipy.signal.butter(2, 2000, fs=RATE, output="sos"), first)
    for other in (
        drums(2),
        first + 0.05 * room[: len(first)],
        later(dull, 40),
        first + drums(3),
    ):
        assert compare_recordings(audio(first), audio(other), powers(first)) is None


def test_what_is_loud_at_other_times_is_not_compared():
    first = drums()
    assert find_alike([powers(first), powers(later(first, RATE // 5)), np.zeros(9)]) == []
    assert find_alike([]) == []
