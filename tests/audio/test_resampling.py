"""Sample rates, padding, and the block rule that both must keep."""

import numpy as np
import pytest
import soundfile

from automix.audio.blocks import fit_length, pad, reblock
from automix.audio.resampling import resample
from automix.audio.samples import BLOCK_FRAMES, Audio
from automix.files.reading import open_audio


def sine(frequency_hz, rate, frames, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(frames) / rate)


def blocks_of(source):
    blocks = list(source.blocks())
    assert all(block.shape == (source.channels, BLOCK_FRAMES) for block in blocks[:-1])
    assert 0 < blocks[-1].shape[1] <= BLOCK_FRAMES
    assert all(block.dtype == np.float32 for block in blocks)
    if not isinstance(source, Audio):
        assert all(block.flags.c_contiguous for block in blocks)
    joined = np.concatenate(blocks, axis=1)
    assert joined.shape[1] == source.frames
    return joined


@pytest.mark.parametrize(
    ("old", "new"), [(44100, 48000), (48000, 44100), (8000, 192000), (96000, 44100), (22050, 96000)]
)
def test_a_sine_stays_a_sine(old, new):
    """Linear phase and no delay: the result is the same sine on the new time axis."""
    audio = Audio(np.stack([sine(997, old, 2 * old), sine(1500, old, 2 * old)]), old)
    converted = resample(audio, new)
    assert isinstance(converted, Audio)
    assert (converted.sample_rate, converted.frames) == (new, 2 * new)
    expected = np.stack([sine(997, new, 2 * new), sine(1500, new, 2 * new)])
    inside = slice(new // 4, -new // 4)
    assert np.abs(converted.samples - expected)[:, inside].max() < 1e-5


def test_aliases_are_gone():
    audio = Audio(sine(40000, 96000, 96000), 96000)
    assert np.abs(resample(audio, 44100).samples[:, 5000:-5000]).max() < 1e-5


@pytest.mark.parametrize("frames", [1, 2, 1000, BLOCK_FRAMES, 200001])
@pytest.mark.parametrize(("old", "new"), [(44100, 48000), (48000, 44100), (192000, 8000)])
def test_length_and_streaming(tmp_path, frames, old, new):
    generator = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.wav", 0.1 * generator.standard_normal((frames, 2)), old)
    whole = resample(open_audio(tmp_path / "a.wav").source, new)
    streamed = resample(open_audio(tmp_path / "a.wav", in_memory=False).source, new)
    assert isinstance(whole, Audio)
    assert not isinstance(streamed, Audio)
    assert whole.frames == streamed.frames == int(frames * new / old + 0.5)
    if whole.frames:
        for _ in range(2):
            np.testing.assert_array_equal(blocks_of(streamed), whole.samples)


def test_same_rate_is_left_alone():
    audio = Audio(np.zeros((1, 10), np.float32), 44100)
    assert resample(audio, 44100) is audio


@pytest.mark.parametrize("extra", [1, 5, BLOCK_FRAMES, 3 * BLOCK_FRAMES + 7])
@pytest.mark.parametrize("frames", [1, BLOCK_FRAMES, BLOCK_FRAMES + 1])
def test_padding(tmp_path, frames, extra):
    samples = np.random.default_rng(0).integers(-9, 9, (frames, 2)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, 44100)
    for in_memory in (True, False):
        source = pad(open_audio(tmp_path / "a.wav", in_memory=in_memory).source, frames + extra)
        joined = blocks_of(source)
        np.testing.assert_array_equal(joined[:, :frames].T * 32768, samples)
        assert not joined[:, frames:].any()
        assert joined.shape[1] == frames + extra


def test_padding_does_not_cut():
    audio = Audio(np.zeros((1, 10), np.float32), 44100)
    assert pad(audio, 10) is audio
    with pytest.raises(ValueError, match="10 frames to 9"):
        pad(audio, 9)


def test_reblocking_pieces_of_any_length():
    samples = np.arange(400_000, dtype=np.float32).reshape(2, -1)
    cuts = np.sort(np.random.default_rng(0).integers(0, 200_000, 50))
    blocks = list(reblock(np.split(samples, cuts, axis=1)))
    assert [block.shape[1] for block in blocks] == [65536, 65536, 65536, 3392]
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), samples)
    fit = list(fit_length(np.split(samples, cuts, axis=1), 2, 123_456))
    np.testing.assert_array_equal(np.concatenate(fit, axis=1), samples[:, :123_456])
