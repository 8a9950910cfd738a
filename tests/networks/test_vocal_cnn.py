"""What the vocal networks hear, by signals made by hand, and their published shape."""

import numpy as np
import pytest
import torch

from automix.audio.samples import Audio
from automix.errors import UsageError
from automix.networks import vocal_decay, vocal_mel
from automix.networks.vocal_cnn import VocalCnn, keep_largest, make_blocks
from automix.networks.vocal_cnn_description import VocalCnnDescription, VocalTask, output_ranges
from automix.networks.vocal_mel import (
    HOP_LENGTH,
    N_FFT,
    RATE_HZ,
    Pair,
    mark_singing,
    measure_spectra,
    pair_spectra,
)

WIDE = VocalCnnDescription(hearing="quantiles", frames=48, depth_db=90.0)


def tone(frequency_hz: float, seconds: float, level_db: float = -1.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * time)


def pair(vocal, backing) -> Pair:
    return pair_spectra(
        measure_spectra(Audio(vocal, RATE_HZ)), measure_spectra(Audio(backing, RATE_HZ))
    )


def test_a_block_is_two_channels_of_128_bands_and_64_frames_and_768_values_are_left():
    noise = np.random.default_rng(1).normal(size=5 * RATE_HZ) * 0.1
    blocks = make_blocks(pair(noise, noise), VocalCnnDescription())
    assert blocks.shape[1:] == (2, 128, 64)
    assert len(blocks) == int(mark_singing(measure_spectra(Audio(noise, RATE_HZ))).sum()) // 64
    assert pytest.approx(1.5, abs=0.02) == 64 * HOP_LENGTH / RATE_HZ
    network = VocalCnn()
    assert network.flattened == 768
    (layers,) = network.members
    shapes = [tuple(x.weight.shape) for x in layers if isinstance(x, torch.nn.Conv2d)]
    assert shapes == [(8, 2, 3, 3), (16, 8, 3, 3), (32, 16, 3, 3), (64, 32, 3, 3)]
    assert all(x.padding == (0, 0) for x in layers if isinstance(x, torch.nn.Conv2d))
    names = [type(layer).__name__ for layer in layers]
    assert names == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"] * 4 + [
        "Flatten",
        "Dropout",
        "Linear",
    ]
    assert layers[-2].p == 0.3
    assert layers[-1].in_features == 768


@pytest.mark.parametrize(
    ("task", "outputs"), [("level", 1), ("compression", 1), ("equalization", 9), ("reverb", 10)]
)
def test_each_task_has_its_outputs(task: VocalTask, outputs: int):
    network = VocalCnn(VocalCnnDescription(task=task)).eval()
    assert network(torch.rand(3, 2, 128, 64)).shape == (3, outputs)
    assert len(output_ranges(task)) == outputs


def test_the_spectrogram_is_that_of_librosa():
    librosa = pytest.importorskip("librosa")
    noise = np.random.default_rng(2).normal(size=RATE_HZ).astype(np.float32) * 0.1
    expected = librosa.feature.melspectrogram(
        y=noise, sr=RATE_HZ, n_fft=2048, hop_length=1024, n_mels=128, center=False, htk=True,
        norm=None, power=2.0,
    )  # fmt: skip
    mel = measure_spectra(Audio(noise, RATE_HZ)).mel.numpy()[:, : expected.shape[1]]
    np.testing.assert_allclose(mel, expected, rtol=1e-3, atol=1e-4)


def test_frames_below_the_gate_are_dropped_and_the_backing_with_them():
    """One second 20 dB under the peak, one 40 dB under it, one silent; the gate is at −30 dB."""
    vocal = np.concatenate(
        [tone(440, 1), tone(440, 1, -21.0), tone(440, 1, -41.0), np.zeros(RATE_HZ)]
    )
    backing = np.concatenate([tone(200, 2), tone(8000, 2)])
    mel = pair(vocal, backing).sung()
    assert mel.shape[-1] == pytest.approx(2 * RATE_HZ / HOP_LENGTH, abs=2)
    low, high = mel[1, :40].sum(), mel[1, 100:].sum()
    assert high < 1e-3 * low  # hardly a frame of the backing's second half is left


def test_the_gate_does_not_follow_recording_level():
    vocal = np.concatenate([tone(440, 1), tone(440, 1, -25.0)])
    kept = [pair(gain * vocal, vocal).sung() for gain in (1.0, 0.01)]
    assert kept[0].shape == kept[1].shape


def test_the_level_of_a_frame_is_that_of_its_samples():
    """A sine of amplitude 1 has −3.01 dB, whatever its frequency."""
    for frequency_hz in (100.0, 1000.0, 15000.0):
        power = measure_spectra(Audio(tone(frequency_hz, 1.0, 0.0), RATE_HZ)).power[2:-2]
        assert 10 * np.log10(power.numpy()) == pytest.approx(-3.01, abs=0.05)


def test_each_channel_of_each_block_is_divided_by_its_maximum():
    vocal = np.concatenate([tone(440, 2, -1.0), tone(440, 2, -15.0)])
    blocks = make_blocks(pair(vocal, 0.001 * vocal), VocalCnnDescription())
    assert len(blocks) == 2
    assert torch.equal(blocks.amax((-2, -1)), torch.ones(2, 2))
    # In the block of the change, what is 14 dB lower stays so: powers, and no logarithm.
    rows = blocks[1, 0].amax(0)
    assert float(rows[-1] / rows[0]) == pytest.approx(10 ** (-1.4), rel=0.05)


def test_pieces_of_any_length_give_the_same_spectrogram():
    noise = np.random.default_rng(3).normal(size=3 * RATE_HZ).astype(np.float32)
    whole = vocal_mel.measure_mono_spectra([noise])
    cut = vocal_mel.measure_mono_spectra(np.split(noise, [5, 1000, 70_000]))
    assert torch.equal(whole.mel, cut.mel)
    assert whole.mel.shape[1] == -(-(len(noise) - N_FFT + HOP_LENGTH) // HOP_LENGTH)


def test_another_rate_and_two_channels_are_heard_alike():
    time = np.arange(2 * 48_000) / 48_000
    there = Audio(np.stack([np.sin(2 * np.pi * 440 * time)] * 2), 48_000)
    here = measure_spectra(Audio(tone(440, 2, 0.0), RATE_HZ)).mel[:, 5:-5].mean(1)
    assert measure_spectra(there).mel[:, 5:-5].mean(1)[:60] == pytest.approx(here[:60], rel=0.02)


def test_a_song_that_is_short_or_silent():
    short = make_blocks(pair(tone(440, 0.4), tone(440, 0.4)), VocalCnnDescription())
    assert short.shape == (1, 2, 128, 64)
    with pytest.raises(ValueError, match="nothing is sung"):
        make_blocks(pair(np.zeros(RATE_HZ), tone(440, 1)), VocalCnnDescription())
    # A backing that ends early is silent from there on.
    over = pair(tone(440, 2), tone(440, 1)).sung()
    assert over[1, :, -20:].max() == 0.0


def test_the_song_level_spectrogram_is_one_block_of_means():
    vocal = np.concatenate([tone(440, 3), tone(3000, 3)])
    (block,) = make_blocks(pair(vocal, vocal), VocalCnnDescription(hearing="song"))
    assert block.shape == (2, 128, 64)
    assert block[0, :, :31].amax(1).argmax() < block[0, :, 33:].amax(1).argmax()


def test_wide_networks_hear_no_level_and_no_order():
    rng = np.random.default_rng(4)
    vocal = np.concatenate([rng.normal(size=RATE_HZ) * gain for gain in (0.05, 0.2, 0.1)])
    first = make_blocks(pair(vocal, vocal), WIDE)
    assert first.shape == (1, 2, 128, 48)
    assert make_blocks(pair(0.1 * vocal, vocal), WIDE) == pytest.approx(first, abs=1e-3)
    assert (first.diff(dim=-1)[0, 0] >= -1e-6).all()  # from low to high


LOUDNESS = VocalCnnDescription(hearing="loudness", gate_db=-40.0, frames=48, depth_db=90.0)


def in_steps(range_db: float) -> np.ndarray:
    """Noise that is some dB softer for half of the time, by turns of a second."""
    noise = 0.05 * np.random.default_rng(6).normal(size=8 * RATE_HZ)
    soft = np.arange(len(noise)) // RATE_HZ % 2 == 1
    return noise * np.where(soft, 10 ** (-range_db / 20), 1.0)


def test_a_network_of_loudness_hears_how_far_a_vocal_goes_down():
    for range_db in (6.0, 12.0):
        block = make_blocks(pair(in_steps(range_db), in_steps(range_db)), LOUDNESS)[0, 0]
        assert block.shape == (128, 48)
        fall_db = 20.0 * (block[:, 36] - block[:, 12])  # 1 of a block is 20 dB
        assert fall_db.numpy() == pytest.approx(range_db, abs=1.0)


def test_a_network_of_loudness_hears_neither_spectrum_nor_backing():
    vocal = in_steps(8.0)
    assert torch.equal(
        make_blocks(pair(vocal, vocal), LOUDNESS), make_blocks(pair(vocal, 0 * vocal), LOUDNESS)
    )
    colored = np.convolve(vocal, [1.0, 0.9], "same")  # 25 dB less at the top than at the bottom
    first, second = (make_blocks(pair(v, vocal), LOUDNESS)[0, 0] for v in (vocal, colored))
    assert second.amax(1).numpy() == pytest.approx(np.full(128, float(second.max())), abs=1e-5)
    assert second[:, 12:].numpy() == pytest.approx(first[:, 12:].numpy(), abs=0.06)


DECAY = VocalCnnDescription(
    task="reverb", hearing="decay", frames=50, depth_db=80.0, channels=(), hidden=(8,)
)
LAGS_S = np.array(vocal_decay.lags(50)) * HOP_LENGTH / RATE_HZ


def falls_db(vocal: np.ndarray) -> np.ndarray:
    """What is heard of decay ``(2, 16, 5, 10)``: channels, bands, quantiles, lags; in dB."""
    (block,) = make_blocks(pair(vocal, vocal), DECAY)
    assert block.shape == (2, 16, 50)
    return 20.0 * (block.numpy() - 1.0).reshape(2, 16, 5, 10)


def dying_away(time_s: float) -> np.ndarray:
    """Tones all over the spectrum, again and again: for 0.8 s, then dying away for 2.2 s."""
    time = np.arange(3 * RATE_HZ) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * f * time + f) for f in np.arange(100.0, 20000.0, 155.0))
    fall_db = -60.0 / time_s * np.maximum(time - 0.8, 0.0)
    return np.tile(0.005 * tones * 10 ** (fall_db / 20), 4)


@pytest.mark.parametrize("time_s", [0.6, 1.5, 4.0])
def test_a_network_of_decay_hears_reverberation_time(time_s: float):
    lowest = falls_db(dying_away(time_s))[1, :, 0]
    slope_db_s = (lowest[:, 7] - lowest[:, 4]) / (LAGS_S[7] - LAGS_S[4])
    assert slope_db_s == pytest.approx(np.full(16, -60.0 / time_s), rel=0.1)


def test_a_network_of_decay_hears_order_in_time():
    """Played backwards, the tones end at once; levels from low to high are the same."""
    vocal = dying_away(1.5)
    there, back = falls_db(vocal)[1, :, 0, 4], falls_db(vocal[::-1].copy())[1, :, 0, 4]
    assert (there > -12.0).all()
    assert (back < -40.0).all()
    sorted_levels = [make_blocks(pair(v, v), WIDE)[0, 0] for v in (vocal, vocal[::-1].copy())]
    assert (sorted_levels[1] - sorted_levels[0]).abs().mean() < 0.02


def test_a_network_of_decay_hears_neither_gain_nor_spectrum_nor_backing():
    vocal = dying_away(1.5)
    first = make_blocks(pair(vocal, vocal), DECAY)
    assert torch.equal(make_blocks(pair(vocal, 0 * vocal), DECAY), first)
    assert make_blocks(pair(0.01 * vocal, vocal), DECAY).numpy() == pytest.approx(
        first.numpy(), abs=1e-3
    )
    colored = np.convolve(vocal, [1.0, 0.8], "same")  # 19 dB less at the top than at the bottom
    assert falls_db(colored)[:, :, :, :8] == pytest.approx(falls_db(vocal)[:, :, :, :8], abs=1.0)


def test_what_is_too_short_for_a_lag_has_not_changed():
    falls = falls_db(tone(440, 0.5))
    assert np.isfinite(falls).all()
    assert (falls[:, :, :, LAGS_S > 0.5] == 0.0).all()
    with pytest.raises(ValueError, match="nothing is sung"):
        make_blocks(pair(np.zeros(RATE_HZ), tone(440, 1)), DECAY)


def test_convolutions_that_leave_nothing_are_refused():
    with pytest.raises(UsageError, match="4 convolutions"):
        VocalCnnDescription(hearing="decay", frames=50)
    with pytest.raises(UsageError, match="6 convolutions"):
        VocalCnnDescription(channels=(4,) * 6)


def test_four_gains_are_kept():
    gains = torch.tensor([1.0, -9.0, 2.0, 3.0, -4.0, 0.5, 8.0, 0.0, -2.5])
    assert keep_largest(gains).tolist() == [0, -9.0, 0, 3.0, -4.0, 0, 8.0, 0, 0]


def test_a_prediction_is_the_mean_over_the_blocks_within_the_range():
    network = VocalCnn(VocalCnnDescription(task="level")).eval()
    with torch.no_grad():
        network.members[0][-1].weight.zero_()
        network.members[0][-1].bias.fill_(0.25)
    noise = np.random.default_rng(5).normal(size=8 * RATE_HZ) * 0.1
    assert network.predict(pair(noise, noise)) == pytest.approx([-6.0])  # of −10 … 6 LU
    with torch.no_grad():
        network.members[0][-1].bias.fill_(7.0)
    assert network.predict(pair(noise, noise)) == [6.0]


def test_what_is_not_trusted_is_drawn_to_a_constant():
    network = VocalCnn(VocalCnnDescription(task="level")).eval()
    with torch.no_grad():
        network.members[0][-1].weight.zero_()
        network.members[0][-1].bias.fill_(0.75)  # 2 LU of −10 … 6
    network.constant = torch.tensor([0.25])  # −6 LU
    noise = np.random.default_rng(5).normal(size=2 * RATE_HZ) * 0.1
    for trust, expected_lu in ((1.0, 2.0), (0.5, -2.0), (0.0, -6.0)):
        network.trust = torch.tensor([trust])
        assert network.predict(pair(noise, noise)) == pytest.approx([expected_lu])
