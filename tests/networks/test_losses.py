"""The losses, against NumPy, against auraloss, and at their edges."""

import numpy as np
import pytest
import torch

from automix.networks.losses import (
    LEAST_MAGNITUDE,
    RESOLUTIONS,
    l1,
    left_right_mr_stft,
    log_mel,
    mr_stft,
    stereo_l1,
    stereo_mr_stft,
)


def noise(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).uniform(-0.5, 0.5, shape))


def spectrum(signal, n_fft, hop, window_length):
    """Magnitudes by NumPy alone."""
    padded = np.pad(signal, n_fft // 2, mode="reflect")
    window = np.zeros(n_fft)
    start = (n_fft - window_length) // 2
    window[start : start + window_length] = 0.5 - 0.5 * np.cos(
        2 * np.pi * np.arange(window_length) / window_length
    )
    frames = [padded[k : k + n_fft] * window for k in range(0, len(padded) - n_fft + 1, hop)]
    return np.maximum(np.abs(np.fft.rfft(frames)), 1e-5)


def distance(prediction, target):
    values = []
    for sizes in ((512, 50, 240), (1024, 120, 600), (2048, 240, 1200)):
        found, wanted = spectrum(prediction, *sizes), spectrum(target, *sizes)
        values.append(
            np.linalg.norm(wanted - found) / np.linalg.norm(wanted)
            + np.abs(np.log(wanted) - np.log(found)).mean()
        )
    return np.mean(values)


def test_mr_stft_is_that_of_numpy():
    a, b = noise(1, 5_000), noise(2, 5_000)
    assert mr_stft(a, b).item() == pytest.approx(distance(a.numpy(), b.numpy()), rel=1e-9)


def test_mr_stft_is_that_of_auraloss():
    auraloss = pytest.importorskip("auraloss")
    reference = auraloss.freq.MultiResolutionSTFTLoss(
        fft_sizes=[r.n_fft for r in RESOLUTIONS],
        hop_sizes=[r.hop_length for r in RESOLUTIONS],
        win_lengths=[r.window_length for r in RESOLUTIONS],
        eps=LEAST_MAGNITUDE**2,
    )
    a, b = noise(3, 2, 1, 8_000).float(), noise(4, 2, 1, 8_000).float()
    expected = torch.stack([reference(a[n : n + 1], b[n : n + 1]) for n in range(2)])
    torch.testing.assert_close(mr_stft(a, b)[:, 0], expected, rtol=1e-4, atol=0)


def test_the_stereo_loss_is_the_distance_of_sum_plus_that_of_difference():
    a, b = noise(5, 2, 4_000), noise(6, 2, 4_000)
    parts = [
        distance((a[0] + sign * a[1]).numpy(), (b[0] + sign * b[1]).numpy()) for sign in (1, -1)
    ]
    assert stereo_mr_stft(a, b).item() == pytest.approx(sum(parts), rel=1e-9)


def test_swapped_channels_leave_the_stereo_loss_unchanged():
    a, b = noise(7, 3, 2, 4_000), noise(8, 3, 2, 4_000)
    torch.testing.assert_close(stereo_mr_stft(a.flip(-2), b), stereo_mr_stft(a, b))
    torch.testing.assert_close(stereo_mr_stft(a, b.flip(-2)), stereo_mr_stft(a, b))
    assert (left_right_mr_stft(a.flip(-2), a) - left_right_mr_stft(a, a)).min() > 0.1


def test_a_gain_gives_its_logarithm_and_its_convergence():
    a = noise(9, 6_000)
    assert mr_stft(0.5 * a, a).item() == pytest.approx(0.5 + np.log(2), rel=1e-6)


def test_every_leading_index_has_its_own_value():
    a, b = noise(10, 3, 2, 3_000), noise(11, 3, 2, 3_000)
    assert mr_stft(a, b).shape == (3, 2)
    assert stereo_mr_stft(a, b).shape == (3,)
    torch.testing.assert_close(stereo_mr_stft(a, b)[1], stereo_mr_stft(a[1], b[1]))


def test_l1_is_the_mean_absolute_error():
    a, b = torch.tensor([[1.0, -1.0], [0.5, 0.0]]), torch.tensor([[0.0, -1.0], [0.5, 0.5]])
    torch.testing.assert_close(l1(a, b), torch.tensor([0.5, 0.25]))
    # sums 1.5, −1 against 0.5, −0.5; differences 0.5, −1 against −0.5, −1.5
    torch.testing.assert_close(stereo_l1(a, b), torch.tensor(0.75 + 0.75))


@pytest.mark.parametrize("samples", [1, 300, 3_000])
def test_silence_and_equality_have_finite_values_and_gradients(samples):
    silence = torch.zeros(2, samples)
    loud = noise(12, 2, samples).float()
    for prediction, target in ((silence, silence), (silence, loud), (loud, silence), (loud, loud)):
        wanting = prediction.clone().requires_grad_()
        value = stereo_mr_stft(wanting, target)
        value.backward()
        assert value.isfinite()
        assert wanting.grad.isfinite().all()
    assert stereo_mr_stft(silence, silence) == 0
    assert stereo_mr_stft(loud, loud) == 0


def test_the_gradient_is_that_of_finite_differences():
    a, b = noise(13, 2, 40).requires_grad_(), noise(14, 2, 40)
    assert torch.autograd.gradcheck(lambda x: stereo_mr_stft(x, b), (a,), atol=1e-5)


def test_unequal_lengths_and_mono_are_refused():
    with pytest.raises(ValueError, match="against"):
        mr_stft(noise(1, 10), noise(1, 11))
    with pytest.raises(ValueError, match="no samples"):
        mr_stft(noise(1, 0), noise(1, 0))
    with pytest.raises(ValueError, match="stereo"):
        stereo_mr_stft(noise(1, 1, 10), noise(1, 1, 10))


def test_log_mel_is_that_of_librosa():
    librosa = pytest.importorskip("librosa")
    a, b = (0.1 * noise(seed, 9_000) for seed in (5, 6))
    b[4_000:7_000] *= 1e-7  # deeper than the range
    mel = [
        librosa.feature.melspectrogram(
            y=x.numpy(), sr=44_100, n_fft=2048, hop_length=512, n_mels=128, center=False
        )
        for x in (a, b)
    ]
    floor = 1e-8 * mel[1].max()
    wanted = np.abs(0.5 * np.log((mel[0] + floor) / (mel[1] + floor))).mean()
    assert log_mel(a, b, 44_100).item() == pytest.approx(wanted, rel=1e-4)


def test_log_mel_of_a_gain_is_the_gain_in_nepers():
    a = noise(7, 2, 3, 4_096)
    found = log_mel(torch.e * a, a, 44_100)
    torch.testing.assert_close(found, torch.ones(2, 3, dtype=found.dtype), rtol=1e-4, atol=0.0)


@pytest.mark.parametrize("samples", [100, 3_000])
def test_log_mel_of_short_and_silent_signals_has_gradients(samples):
    made = torch.zeros(1, samples, requires_grad=True)
    distance = log_mel(made, torch.zeros(1, samples), 44_100)
    assert distance.item() == 0.0
    distance.backward()
    assert torch.isfinite(made.grad).all()
    loud = noise(8, 1, samples).float()
    assert log_mel(loud, torch.zeros(1, samples), 44_100).item() > 1.0
