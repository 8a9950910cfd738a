"""The partitioned convolution against direct and whole-signal convolution."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from automix.audio.samples import BLOCK_FRAMES
from automix.dsp.convolution import PARTITION_FRAMES, SHORT_TAPS, Convolver


def convolve(convolver, signal, lengths):
    """Feeds ``signal`` in blocks of the given lengths, the last one repeated."""
    pieces, start = [], 0
    while start < signal.shape[1]:
        length = lengths.pop(0) if len(lengths) > 1 else lengths[0]
        pieces.append(convolver.process(signal[:, start : start + length]))
        start += length
    return np.concatenate(pieces, axis=1)


def noise(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize(
    "taps",
    [1, 2, 777, SHORT_TAPS, SHORT_TAPS + 1, PARTITION_FRAMES, PARTITION_FRAMES + 1, 130_001],
)
@pytest.mark.parametrize("lengths", [[BLOCK_FRAMES], [5, 40_001, 1, 30_000, BLOCK_FRAMES]])
def test_equals_whole_signal_convolution(taps, lengths):
    signal, response = noise(0, 1, 200_003), noise(1, 1, 1, taps) / np.sqrt(taps)
    expected = fftconvolve(signal[0], response[0, 0])[: signal.shape[1]]
    actual = convolve(Convolver(response), signal, list(lengths))
    np.testing.assert_allclose(actual[0], expected, rtol=0, atol=1e-10)


def test_sums_over_the_inputs_of_the_matrix():
    signal, responses = noise(2, 2, 3001), noise(3, 2, 3, 101)
    expected = [
        sum(np.convolve(signal[i], responses[i, o])[:3001] for i in range(2)) for o in range(3)
    ]
    actual = convolve(Convolver(responses), signal, [1000])
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10)


def test_an_impulse_brings_out_the_response_with_no_latency():
    responses = noise(4, 1, 2, 40_000)
    impulse = np.zeros((1, 50_000))
    impulse[0, 9_000] = 1.0
    actual = convolve(Convolver(responses), impulse, [BLOCK_FRAMES])
    assert not actual[:, :8_999].any() or np.abs(actual[:, :8_999]).max() < 1e-12
    np.testing.assert_allclose(actual[:, 9_000:49_000], responses[0], rtol=0, atol=1e-12)


def test_zeros_bring_out_the_tail_and_then_exact_silence():
    signal, response = noise(5, 1, 70_000), noise(6, 1, 1, 45_000)
    padded = np.concatenate((signal, np.zeros((1, 4 * BLOCK_FRAMES))), axis=1)
    convolver = Convolver(response)
    lengths = [BLOCK_FRAMES, 70_000 - BLOCK_FRAMES, BLOCK_FRAMES]
    actual = convolve(convolver, padded, lengths)[0]
    expected = fftconvolve(signal[0], response[0, 0])
    np.testing.assert_allclose(actual[: expected.size], expected, rtol=0, atol=1e-10)
    assert not convolver.process(np.zeros((1, BLOCK_FRAMES))).any()


def test_works_in_double_precision_on_float32_input():
    signal = noise(7, 1, 5000).astype(np.float32)
    response = noise(8, 1, 1, 500).astype(np.float32)
    expected = np.convolve(signal[0].astype(float), response[0, 0].astype(float))[:5000]
    actual = Convolver(response).process(signal)[0]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-11)


def test_sparse_input_is_not_mistaken_for_silence():
    """Silent partitions are skipped; the sound around them must still meet the right taps."""
    signal = np.zeros((2, 6 * PARTITION_FRAMES))
    signal[0, 10] = 1.0
    signal[1, 4 * PARTITION_FRAMES + 3] = -2.0
    responses = noise(9, 2, 1, 3 * PARTITION_FRAMES)
    expected = sum(fftconvolve(signal[i], responses[i, 0])[: signal.shape[1]] for i in range(2))
    actual = convolve(Convolver(responses), signal, [BLOCK_FRAMES])[0]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("shape", [(5,), (1, 2, 0)])
def test_refuses_what_is_no_matrix_of_responses(shape):
    with pytest.raises(ValueError, match="inputs, outputs, taps"):
        Convolver(np.zeros(shape))
