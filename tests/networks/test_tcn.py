"""The TCN: its published sizes, what it hears, and its blocks against plain convolutions."""

import pytest
import torch
from torch import nn

from automix.networks.effect_description import EffectDescription
from automix.networks.effects import make_effect
from automix.networks.tcn import Tcn
from tests.networks.effect_networks import identity, lively

CHANNEL = {"network": "tcn-8"}
LA2A = {"network": "tcn-8", "effect": "la2a"}


@pytest.mark.parametrize(
    ("network", "effect", "order", "published"),
    [
        ("tcn-10", "channel", "static", 290_000),  # Steinmetz 2020, table 6
        ("tcn-20", "channel", "static", 528_000),
        ("tcn-30", "channel", "static", 764_000),
        ("tcn-10", "channel", "variable", 291_000),  # table 7
        ("tcn-8", "la2a", "static", 167_000),  # table 9
        ("tcn-10", "la2a", "static", 202_000),
        ("tcn-20", "la2a", "static", 377_000),
        ("tcn-30", "la2a", "static", 552_000),
    ],
)
def test_sizes_are_the_published_ones(network, effect, order, published):
    with torch.device("meta"):
        made = Tcn(EffectDescription(network=network, effect=effect, order=order))
    count = sum(parameter.numel() for parameter in made.parameters())
    assert count == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    ("network", "samples"), [("tcn-10", 14_323), ("tcn-20", 28_645), ("tcn-30", 42_967)]
)
def test_receptive_fields_are_the_published_ones(network, samples):
    with torch.device("meta"):
        assert Tcn(EffectDescription(network=network)).receptive_field == samples


@pytest.mark.parametrize("causal", [False, True])
def test_an_output_hears_its_receptive_field_and_nothing_else(causal):
    network = lively(**LA2A, causal=causal)
    for block in network.blocks():  # as if all weights were positive: nothing cancels
        nn.init.constant_(block.convolution.weight, 0.01)
        nn.init.constant_(block.film.beta.bias, 1.0)
    audio = torch.zeros(1, 1, network.receptive_field + 200, requires_grad=True)
    made = network(audio, torch.zeros(1, 2))
    assert made.shape == (1, 1, 201)
    made[0, 0, 100].backward()
    [heard] = audio.grad[0].abs() > 0.0
    assert heard.nonzero()[:, 0].tolist() == list(range(100, 100 + network.receptive_field))
    assert network.after == (0 if causal else network.before)


def test_the_first_output_lies_at_its_input():
    audio = torch.randn(1, 1, 9_000)
    for causal in (False, True):
        network = identity(**LA2A, causal=causal)
        made = network(audio, torch.zeros(1, 2))
        first = audio[..., network.before : network.before + made.shape[-1]]
        torch.testing.assert_close(made, first)


def plain(network, audio, conditioning):
    """The same network out of dilated convolutions, in the order of figure 10.

    In evaluation, less what it makes of silence; and with the input, by a gain from the settings.
    """
    made = blocks_alone(network, audio, conditioning)
    if not network.training:
        made = made - blocks_alone(network, torch.zeros_like(audio), conditioning)
    dry = audio[..., network.before : network.before + made.shape[-1]]
    return made + network.dry(network.film(conditioning)[0])[..., None] * dry


def blocks_alone(network, audio, conditioning):
    shared = network.film(conditioning)
    signal, outputs = audio, []
    causal = network.description.causal

    def cropped(signal, length):
        surplus = signal.shape[-1] - length
        start = surplus if causal else surplus // 2
        return signal[..., start : start + length]

    for block in network.blocks():
        made = block.normalization(block.convolution(signal))
        scale, shift = block.film(*shared)
        made = scale[..., None] * made + shift[..., None]
        made = block.activation(made)
        signal = made + block.gain.clamp(0, 1) * cropped(signal, made.shape[-1])
        outputs.append(made)
    total = signal + sum(cropped(made, signal.shape[-1]) for made in outputs)
    return network.output(total.transpose(1, 2)).transpose(1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tcn-8", "tcn-20"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("gradients", [False, True])
def test_the_blocks_are_dilated_convolutions(name, causal, gradients):
    network = lively(network=name, causal=causal)
    audio = 0.1 * torch.randn(2, 1, network.receptive_field + 777)
    conditioning = 2.0 * torch.rand(2, 25) - 1.0
    with torch.set_grad_enabled(gradients):
        made, wanted = network(audio, conditioning), plain(network, audio, conditioning)
        alone = network(audio[1:], conditioning[1:])
    assert wanted.std() > 0.01
    torch.testing.assert_close(made, wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(alone, wanted[1:], rtol=1e-4, atol=1e-5)


def test_training_by_the_batch_normalizes_as_published():
    """But for a constant, which is what it makes of silence."""
    network = lively(**CHANNEL).train()
    samples = 40 * 128 - 14  # which all dilations divide, so that nothing is filled up
    audio, conditioning = 0.1 * torch.randn(2, 1, samples), torch.rand(2, 25)
    made, wanted = network(audio, conditioning), plain(network, audio, conditioning)
    constants = (wanted - made).mean(-1, keepdim=True)
    torch.testing.assert_close(made + constants, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_silence_stays_silent_and_what_follows_it_does_not_matter(causal):
    """Whatever the settings; as soon as no sound is within the receptive field."""
    network = lively(**CHANNEL, causal=causal)
    for layer in network.modules():  # as trained ones, and far from zero
        if isinstance(layer, nn.Conv1d):
            nn.init.normal_(layer.bias)
    conditioning = 2.0 * torch.rand(2, 25) - 1.0
    audio = torch.randn(2, 1, 3 * network.receptive_field)
    audio[..., : 2 * network.receptive_field] = 0.0
    with torch.inference_mode():
        made = network(audio, conditioning)
        constant = blocks_alone(network, torch.zeros_like(audio), conditioning)
    assert constant.abs().min() > 1e-2
    assert made[..., : network.receptive_field + 1].abs().max() < 1e-5 * constant.abs().max()
    assert made[..., network.receptive_field + 1 :].std() > 1e-2


def test_the_input_comes_by_a_gain_that_follows_from_the_settings():
    network = identity(**CHANNEL)
    nn.init.normal_(network.dry.weight, std=0.3)
    conditioning = 2.0 * torch.rand(3, 25) - 1.0
    audio = torch.randn(3, 1, 5_000)
    with torch.inference_mode():
        made = network(audio, conditioning)
    first = audio[..., network.before : network.before + made.shape[-1]]
    gains = (made / first).median(-1).values
    torch.testing.assert_close(made, gains[..., None] * first, rtol=1e-3, atol=1e-4)
    assert gains.std() > 1e-2


def test_running_statistics_leave_the_level_audible():
    """By the batch, a patch ten times as loud gives the same; by a running mean it does not."""
    network = make_effect(EffectDescription(**LA2A)).train()
    nn.init.zeros_(network.blocks()[0].convolution.bias)
    heard = {}
    for statistics in ("frozen", "batch"):  # the batch moves the running mean
        network.statistics = statistics
        block = network.blocks()[0]
        signal = torch.randn(1, 2_000, 1)
        shared = network.film(torch.zeros(1, 2))
        heard[statistics] = [
            block(level * signal, torch.zeros(1, 1), shared, statistics, 0)[1].std()
            for level in (1.0, 10.0)
        ]
    torch.testing.assert_close(heard["batch"][1], heard["batch"][0], rtol=1e-3, atol=0.0)
    torch.testing.assert_close(heard["frozen"][1], 10.0 * heard["frozen"][0], rtol=1e-3, atol=0.0)


def test_running_statistics_begin_with_the_first_batch_and_can_be_frozen():
    network = make_effect(EffectDescription(**LA2A)).train()
    norm = network.blocks()[0].normalization
    audio, conditioning = 0.3 * torch.randn(1, 1, 6_000), torch.zeros(1, 2)
    network.statistics = "running"
    network(audio, conditioning)
    seen = network.blocks()[0].convolution(audio)[0]
    torch.testing.assert_close(norm.running_mean, seen.mean(1), rtol=1e-2, atol=1e-3)
    torch.testing.assert_close(norm.running_var, seen.var(1), rtol=0.1, atol=1e-4)
    network.statistics = "frozen"
    before = norm.running_var.clone()
    trained = network(audio, conditioning)
    assert torch.equal(norm.running_var, before)
    torch.testing.assert_close(network.eval()(audio, conditioning), trained)


@pytest.mark.parametrize("description", [CHANNEL, {"network": "wave-u-net-6-8"}])
def test_gradients_flow_through_a_frozen_network_to_its_settings(description):
    network = lively(**description).requires_grad_(False)
    samples = network.before + network.after + 500
    audio = (0.1 * torch.randn(1, 1, samples)).double()
    network.double()
    settings = (torch.rand(1, 25, dtype=torch.float64) - 0.5).requires_grad_()
    made = network(audio, settings).square().mean()
    [gradient] = torch.autograd.grad(made, settings)
    assert torch.isfinite(gradient).all()
    assert (gradient != 0.0).all()
    step = 1e-6
    for slot in (0, 13, 24):
        moved = [settings.detach().clone() for _ in range(2)]
        moved[0][0, slot] += step
        moved[1][0, slot] -= step
        high, low = (network(audio, values).square().mean() for values in moved)
        assert gradient[0, slot].item() == pytest.approx(((high - low) / (2 * step)).item(), 1e-4)


def test_every_unit_of_film_can_learn_from_every_setting():
    """Of units with a slope of 0 below zero, half would not, and some never again."""
    network = lively(**CHANNEL)
    audio, settings = torch.randn(1, 1, network.receptive_field + 50), 2.0 * torch.rand(1, 25) - 1.0
    network(audio, settings).square().sum().backward()
    layers = [layer for layer in network.film.layers if isinstance(layer, nn.Linear)]
    assert len(layers) == 4
    for layer in layers:
        assert (layer.bias.grad != 0.0).all()


def test_too_little_audio_is_refused():
    network = make_effect(EffectDescription(**LA2A))
    with pytest.raises(ValueError, match="less than 3571"):
        network(torch.zeros(1, 1, 3570), torch.zeros(1, 2))
