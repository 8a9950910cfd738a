"""Effects piece by piece: no seam, whatever the blocks; settings by their names."""

import numpy as np
import pytest
import torch

from automix.errors import DeviceError, UsageError
from automix.networks.checkpoints import save_weights
from automix.networks.effect_description import LA2A_SLOTS, EffectDescription
from automix.networks.effect_rendering import PIECE_SAMPLES, render_effect
from automix.networks.effects import FAMILY, read_effect
from automix.plan.vector import NEUTRAL, ORDER_SLOTS, SLOTS
from tests.networks.effect_networks import identity, lively

CPU = torch.device("cpu")


def noise(channels, samples, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal((channels, samples))).astype("f4")


def in_blocks(audio, size):
    return [audio[:, start : start + size] for start in range(0, audio.shape[1], size)]


NETWORKS = (
    {"network": "tcn-8", "causal": True},
    {"network": "tcn-8"},
    {"network": "wave-u-net-6-8"},
    {"network": "wave-u-net-6-8", "resize": True},
)


@pytest.mark.slow
@pytest.mark.parametrize("description", NETWORKS, ids=str)
def test_pieces_are_the_whole(description):
    network = lively(**description, effect="la2a")
    audio, settings = noise(1, PIECE_SAMPLES + 12_345), (1.0, -0.3)
    [whole] = [np.concatenate(list(render_effect(network, [audio], settings)), axis=1)]
    assert whole.shape == audio.shape
    for size in (1_000, 70_000):
        pieces = np.concatenate(
            list(render_effect(network, in_blocks(audio, size), settings)), axis=1
        )
        np.testing.assert_array_equal(pieces, whole)
    around = torch.nn.functional.pad(torch.from_numpy(audio[None]), (network.before, network.after))
    with torch.inference_mode():
        [once] = network(around, torch.tensor([settings])).numpy()
    assert whole.std() > 1e-4
    np.testing.assert_allclose(whole, once, rtol=0.0, atol=1e-3 * whole.std())


def test_sides_are_heard_one_by_one():
    network = lively(network="tcn-8", effect="la2a")
    audio = noise(2, 20_000)
    both = np.concatenate(list(render_effect(network, [audio], (1.0, 0.5))), axis=1)
    for side in (0, 1):
        [alone] = render_effect(network, [audio[side : side + 1]], (1.0, 0.5))
        np.testing.assert_allclose(both[side], alone[0], atol=1e-6)


@pytest.mark.parametrize("samples", [1, 100, PIECE_SAMPLES, PIECE_SAMPLES + 1])
def test_any_length_will_do(samples):
    network = identity(network="tcn-8", effect="la2a")
    audio = noise(1, samples)
    made = np.concatenate(list(render_effect(network, in_blocks(audio, 5_000), (1.0, 0.0))), axis=1)
    np.testing.assert_allclose(made, audio, rtol=1e-6, atol=1e-7)


def test_nothing_in_is_nothing_out():
    network = identity(network="tcn-8", effect="la2a")
    assert list(render_effect(network, [], (1.0, 0.0))) == []
    assert list(render_effect(network, [noise(1, 0)], (1.0, 0.0))) == []


def test_half_precision_is_near():
    network = lively(network="tcn-8", effect="la2a")
    audio = noise(1, 30_000)
    [exact], [half] = (
        list(render_effect(network, [audio], (1.0, 0.0), half=h)) for h in (False, True)
    )
    error = np.square(half - exact).sum() / np.square(exact).sum()
    assert 0.0 < error < 1e-3


def test_settings_are_given_by_name_and_in_their_unit():
    channel = EffectDescription()
    assert channel.conditioning({}) == NEUTRAL
    made = channel.conditioning(
        {"compressor.threshold_db": "-24", "space": "hall", "peak_2.frequency_hz": "1200"}
    )
    values = {slot.name: slot.value(p) for slot, p in zip(SLOTS, made, strict=True)}
    assert values["compressor.threshold_db"] == pytest.approx(-24.0)
    assert values["peak_2.frequency_hz"] == pytest.approx(1200.0)
    assert (values["space.hall"], values["space.small room"]) == (1.0, 0.0)
    assert values["compressor.ratio"] == 2.0
    variable = EffectDescription(network="tcn-10", order="variable")
    orders = variable.conditioning({"order": "rce"})[25:]
    assert [slot.name for slot, p in zip(ORDER_SLOTS, orders, strict=True) if p > 0] == [
        "order.rce"
    ]
    la2a = EffectDescription(effect="la2a")
    assert la2a.slots == LA2A_SLOTS
    assert la2a.conditioning({"limit": "1", "peak_reduction": "75"}) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("effect", "name", "value", "message"),
    [
        ("channel", "compressor.threshold", "-24", r"compressor\.threshold_db \(-60 … 0 dB\)"),
        ("channel", "compressor.ratio", "20", "outside 1 … 10"),
        ("channel", "compressor.ratio", "nan", "outside 1 … 10"),
        ("channel", "compressor.ratio", "two", "not a number"),
        ("channel", "space", "cave", "small room, medium room"),
        ("channel", "order", "ecr", "no setting 'order'"),
        ("channel", "space.hall", "1", "no setting"),
        ("equalizer", "compressor.ratio", "2", "the equalizer has low_shelf"),
        ("la2a", "limit", "0.5", "0 or 1"),
        ("la2a", "peak_reduction", "101", "0 … 100"),
    ],
)
def test_settings_that_are_not_there_are_refused(effect, name, value, message):
    with pytest.raises(UsageError, match=message):
        EffectDescription(effect=effect).conditioning({name: value})


@pytest.mark.parametrize(
    "options",
    [
        {"effect": "reverb", "order": "variable"},
        {"network": "wave-u-net-6-8", "causal": True},
        {"network": "tcn-10", "resize": True},
        {"network": "tcn-9"},
    ],
)
def test_options_that_do_not_go_together_are_refused(options):
    with pytest.raises(UsageError):
        EffectDescription(**options)


def test_weights_come_back_from_the_disk(tmp_path):
    network = lively(network="tcn-8", effect="la2a", causal=True)
    path = tmp_path / "la2a.safetensors"
    save_weights(path, FAMILY, network.description, network.state_dict())
    again = read_effect(path, CPU)
    assert again.description == network.description
    assert not any(weight.requires_grad for weight in again.parameters())
    [one], [two] = (render_effect(n, [noise(1, 5_000)], (0.0, 0.0)) for n in (network, again))
    np.testing.assert_array_equal(one, two)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DeviceError, match="not a whole"):
        read_effect(path, CPU)
