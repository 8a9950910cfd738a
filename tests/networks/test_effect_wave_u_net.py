"""The Wave-U-Net of effects: its published reach, its seams, and how much it rings."""

import pytest
import torch

from automix.networks.effect_description import EffectDescription
from automix.networks.effect_wave_u_net import EffectWaveUNet
from tests.networks.effect_networks import lively

NAMES = ("wave-u-net-6-8", "wave-u-net-6-16")


@pytest.mark.parametrize(
    ("name", "samples", "ms"), [(NAMES[0], 9_556, 216.6), (NAMES[1], 20_476, 464.3)]
)
def test_receptive_fields_are_the_published_ones(name, samples, ms):
    with torch.device("meta"):
        network = EffectWaveUNet(EffectDescription(network=name))
    assert network.receptive_field == samples
    assert 1000 * samples / 44_100 == pytest.approx(ms, abs=0.1)


@pytest.mark.parametrize(
    ("name", "effect", "published"),
    [(NAMES[0], "la2a", 5e6), (NAMES[1], "la2a", 8e6), (NAMES[1], "channel", 9e6)],
)
def test_sizes_are_the_published_ones(name, effect, published):
    """Table 9, and table 6 but for the 23 million of 6-8: with 16 channels at first it has 6."""
    with torch.device("meta"):
        network = EffectWaveUNet(EffectDescription(network=name, effect=effect))
    count = sum(parameter.numel() for parameter in network.parameters())
    assert published <= count < published + 1e6 or round(count / 1e6) * 1e6 == published


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("resize", [False, True])
def test_an_output_depends_on_no_more_than_lies_around_it(name, resize):
    network = lively(network=name, effect="la2a", resize=resize).double()
    samples = network.before + 600 + network.after
    audio = torch.randn(1, 1, samples, dtype=torch.float64, requires_grad=True)
    made = network(audio, torch.zeros(1, 2, dtype=torch.float64))
    assert made.shape == (1, 1, 600)
    for place in (0, 599):
        [gradient] = torch.autograd.grad(made[0, 0, place], audio, retain_graph=True)
        [reached] = (gradient[0, 0] != 0.0).nonzero(as_tuple=True)
        first, last = reached.min().item(), reached.max().item()
        assert first > place
        assert last < place + samples - 600
        assert last - first > network.receptive_field // 2
    longer = torch.nn.functional.pad(audio.detach(), (network.grid, 4 * network.grid), value=1.0)
    again = network(longer, torch.zeros(1, 2, dtype=torch.float64))
    torch.testing.assert_close(again[..., network.grid :][..., :600], made, rtol=1e-9, atol=1e-12)


def images_db(network):
    """Power at multiples of the levels' rates (44.1 kHz / 4, / 16, …) that a 30 Hz sine leaves."""
    samples = network.before + 2**16 + network.after
    audio = 0.5 * torch.sin(2 * torch.pi * 30 / 44_100 * torch.arange(samples))
    with torch.inference_mode():
        [[made]] = network(audio[None, None], torch.zeros(1, 2))
    window = torch.hann_window(len(made))
    power = torch.fft.rfft(made * window).abs().square()
    bins = torch.arange(len(power)) * 44_100 / len(made)
    at = torch.zeros_like(bins, dtype=torch.bool)
    for level in range(1, 5):
        rate = 44_100 / 4**level
        at |= ((bins + rate / 2) % rate - rate / 2).abs() < 50.0
    at &= bins > 150.0
    return 10 * torch.log10(power[at].sum() / power[bins <= 150.0].sum()).item()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_resizing_rings_less_than_transposed_convolution(name):
    """Odena et al. 2016: before any training, at the rates of the levels."""
    ringing = {
        resize: [
            images_db(lively(seed, network=name, effect="la2a", resize=resize)) for seed in range(4)
        ]
        for resize in (False, True)
    }
    transposed, resized = (sum(ringing[resize]) / 4 for resize in (False, True))
    assert resized < transposed - 6.0


def test_too_little_audio_is_refused():
    network = EffectWaveUNet(EffectDescription(network=NAMES[0]))
    with pytest.raises(ValueError, match="are needed"):
        network(torch.zeros(1, 1, 2 * network.before), torch.zeros(1, 25))
