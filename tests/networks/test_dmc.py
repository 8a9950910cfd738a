"""The mixing console's controller: sizes, order and count of the tracks, agreement."""

import numpy as np
import pytest
import torch

from automix.audio.samples import Audio
from automix.errors import UsageError
from automix.networks.dmc import Dmc, combine_opinions, value_at
from automix.networks.dmc_description import PUBLISHED, DmcDescription, outputs
from automix.networks.encoders import (
    FACTS,
    NOTHING,
    VggishEncoder,
    log_mel_patches,
    stack_summaries,
    summarize_source,
)
from automix.networks.mix_wave_u_net import RECEPTIVE_FIELD, MixWaveUNet, pad_length
from automix.networks.mix_wave_u_net_description import MixWaveUNetDescription
from automix.plan.vector import SLOTS

COMPACT = DmcDescription(embedding=24, width=32, members=3, spectrum=1.0)


def parameters(network):
    return sum(weight.numel() for weight in network.parameters())


def test_sizes():
    with torch.device("meta"):
        shipped, published = Dmc(DmcDescription()), Dmc(PUBLISHED)
        wave_u_net = MixWaveUNet(MixWaveUNetDescription())
    assert parameters(shipped) <= 2_000_000
    # VGGish 72.1 M; 256 → 2048 → 2048 → 2048 → 2, with a slope for each PReLU
    post = (256 * 2048 + 2048) + 2 * (2048 * 2048 + 2048) + (2048 * 2 + 2) + 3
    assert parameters(published) == 72_141_184 + post
    assert parameters(wave_u_net) == pytest.approx(83e6, rel=0.02)


def test_what_the_outputs_are():
    assert [slot.name for slot in outputs(PUBLISHED)] == ["fader_db", "pan"]
    full = outputs(DmcDescription(base="none", mode="full"))
    assert len(full) == 29
    assert full[4:] == SLOTS
    for mode in ("basic", "full"):  # 0, where a network begins, departs from nothing
        for slot in outputs(DmcDescription(mode=mode)):
            assert slot.position(slot.neutral) == pytest.approx(0.0, abs=1e-12)


def test_values_are_those_of_the_slots():
    for slot in (*outputs(DmcDescription(mode="full")), *SLOTS):
        positions = torch.linspace(-1, 1, 9, dtype=torch.float64)
        wanted = [slot.value(float(position)) for position in positions]
        np.testing.assert_allclose(value_at(positions, slot).numpy(), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("tracks", [1, 2, 7, 100])
def test_the_order_of_the_tracks_changes_nothing_to_the_last_bit(tracks):
    torch.manual_seed(0)
    network = Dmc(COMPACT).eval()
    for controller in network.controllers:
        torch.nn.init.normal_(controller.post_processor[-2].weight, std=0.2)
    summaries = [torch.randn(196) for _ in range(tracks)]
    said = network.give_opinions(summaries)
    assert said.shape == (3, tracks, 2)
    for seed in range(5):
        order = torch.randperm(tracks, generator=torch.Generator().manual_seed(seed)).tolist()
        assert (network.give_opinions([summaries[n] for n in order]) == said[:, order]).all()


def test_one_song_alone_and_in_a_batch_with_a_longer_one():
    torch.manual_seed(0)
    network = Dmc(COMPACT).eval()
    short, long = torch.randn(3, 196), torch.randn(5, 196)
    mask = torch.tensor([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    both = network(stack_summaries([short, long]), mask)
    torch.testing.assert_close(
        both[:, 0, :3], network.give_opinions(list(short)), rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(both[:, 1], network.give_opinions(list(long)), rtol=1e-4, atol=1e-6)


def test_a_network_on_the_rules_begins_at_the_rules():
    said = (
        Dmc(DmcDescription(mode="full")).eval().give_opinions([torch.randn(196) for _ in range(4)])
    )
    assert said.abs().max() < 0.05


def test_opinions_count_as_far_as_they_agree():
    together = torch.tensor([[0.4], [0.4], [0.4]])
    apart = torch.tensor([[0.9], [-0.9], [0.3]])
    assert combine_opinions(together) == pytest.approx(0.4, abs=1e-6)
    mean, variance = 0.1, float(np.var([0.9, -0.9, 0.3], ddof=1))
    assert float(combine_opinions(apart)) == pytest.approx(mean * mean**2 / (mean**2 + variance))
    assert combine_opinions(torch.zeros(3, 2)).tolist() == [0.0, 0.0]
    assert float(combine_opinions(torch.tensor([[0.7]]))) == pytest.approx(0.7)


def test_patches_of_active_parts_only():
    """A tone from 2 to 4 s: silence must not dilute what is heard."""
    time = np.arange(16000 * 6) / 16000
    tone = 0.1 * np.sin(2 * np.pi * 1000 * time) * ((time >= 2) & (time < 4))
    audio = Audio(tone.astype(np.float32), 16000)
    active = np.zeros(60, bool)
    active[20:40] = True
    patches = log_mel_patches(audio, 1.0, active)
    assert patches.shape == (2, 96, 64)
    everywhere = log_mel_patches(audio, 1.0, np.ones(60, bool))
    assert everywhere.shape == (6, 96, 64)
    band = int(patches.mean((0, 1)).argmax())
    assert patches[:, :, band].mean() > everywhere[:, :, band].mean() + 1.0
    nowhere = log_mel_patches(audio, 1.0, np.zeros(60, bool))
    assert nowhere.shape == (1, 96, 64)
    short = log_mel_patches(Audio(np.zeros(100, np.float32), 44100), 1.0, np.ones(1, bool))
    assert short.shape == (1, 96, 64)


def test_what_the_compact_encoder_hears():
    audio = Audio(np.random.default_rng(0).normal(size=16000 * 3).astype(np.float32) * 0.1, 16000)
    active = np.ones(30, bool)
    facts = (12.0, 3.0, 0.5, -20.0)
    heard = summarize_source(audio, gain=1.0, active=active, facts=facts, encoder="compact")
    patches = log_mel_patches(audio, 1.0, active).numpy()
    assert heard.shape == (3 * 64 + len(FACTS),)
    frames = patches.reshape(-1, 64)
    np.testing.assert_allclose(heard[:64], frames.mean(0), rtol=1e-4)
    np.testing.assert_allclose(heard[64:128], frames.std(0), rtol=1e-4)
    rising = np.maximum(np.diff(patches, axis=1), 0).mean((0, 1))
    np.testing.assert_allclose(heard[128:192], rising, rtol=1e-4)
    assert heard[192:].tolist() == list(facts)


def test_vggish_pools_over_the_patches_that_are_there():
    torch.manual_seed(0)
    encoder = VggishEncoder().eval()
    long, short = torch.randn(3, 96, 64), torch.randn(2, 96, 64)
    with torch.inference_mode():
        both = encoder(stack_summaries([long, short]))
        alone = encoder(short[None])
    assert both.shape == (2, 128)
    torch.testing.assert_close(both[1], alone[0])
    assert torch.full((1,), NOTHING) < np.log(0.01)


def test_vggish_embeddings_have_one_size():
    with pytest.raises(UsageError, match="128"):
        Dmc(DmcDescription(encoder="vggish", embedding=64))


@pytest.mark.parametrize("samples", [1, 5000, 44100, 220500])
def test_the_wave_u_net_gives_as_many_samples_as_it_gets(samples):
    description = MixWaveUNetDescription(levels=4, channels=4)
    network = MixWaveUNet(description).eval()
    with torch.inference_mode():
        assert network(torch.randn(2, 8, samples)).shape == (2, 2, samples)
    assert pad_length(samples, description) >= samples


def test_the_receptive_field_of_the_wave_u_net():
    """By gradients, with weights that let nothing cancel; 216.6 ms in the thesis, table 6."""
    network = MixWaveUNet(MixWaveUNetDescription(channels=2)).double()
    for weight in network.parameters():
        weight.data.abs_()
    tracks = torch.rand(1, 8, 4 * RECEPTIVE_FIELD, dtype=torch.float64, requires_grad=True)
    signal = tracks
    for block in network.encoder:
        signal = block(signal)
    [gradient] = torch.autograd.grad(signal[0, :, 2].sum(), tracks)
    reached = gradient[0].abs().sum(0).nonzero()
    assert int(reached.max() - reached.min()) + 1 == RECEPTIVE_FIELD
    assert pytest.approx(216.6, abs=0.2) == 1000 * RECEPTIVE_FIELD / 44100
