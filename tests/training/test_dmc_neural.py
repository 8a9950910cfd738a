"""The controller through a frozen neural strip: what is mixed, and what learns from it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import automix.training
from automix.dsp.pan import pan_gains
from automix.errors import UsageError
from automix.networks.checkpoints import save_weights
from automix.networks.dmc_description import PUBLISHED, outputs
from automix.networks.effects import FAMILY
from automix.plan.layers import apply_layers
from automix.training.controller.examples import MixExamples
from automix.training.controller.neural_console import neural_mix, open_strip
from automix.training.controller.settings import DmcTraining
from automix.training.controller.task import DmcTask
from tests.networks.effect_networks import identity, lively

CPU = torch.device("cpu")
FULL = replace(PUBLISHED, encoder="compact", embedding=16, width=16, mode="full")


def positions(**values):
    """Of one track: neutral, but for some outputs."""
    slots = outputs(FULL)
    plain = {slot.name: slot.neutral for slot in slots} | values
    return [2.0 * slot.range.to_unit(plain[slot.name]) - 1.0 for slot in slots]


def test_all_around_the_strip_is_gain_polarity_fader_and_pan():
    strip = identity(network="tcn-8", causal=True)
    draw = np.random.default_rng(0)
    audio = torch.from_numpy(draw.standard_normal((2, 2, 4_000)).astype(np.float32))
    said = torch.tensor(
        [
            positions(fader_db=-6.0, pan=0.25),
            positions(input_gain_db=3.0, polarity=-1.0, pan=0.9),
        ]
    )
    made = neural_mix(strip, audio, said, FULL)
    mono = audio.mean(1)
    gains = [
        10 ** (-6 / 20) * np.array(pan_gains(0.25, "constant-power")),
        -(10 ** (3 / 20)) * np.array(pan_gains(0.9, "constant-power")),
    ]
    wanted = sum(gain[:, None] * track.numpy() for gain, track in zip(gains, mono, strict=True))
    np.testing.assert_allclose(made.detach().numpy(), wanted, atol=1e-4)


@pytest.fixture
def weights(tmp_path):
    def save(**description):
        network = lively(network="tcn-8", **description)
        path = tmp_path / "strip.safetensors"
        save_weights(path, FAMILY, network.description, network.state_dict())
        return str(path)

    return save


@pytest.mark.slow
def test_the_controller_learns_and_the_strip_stays(songs, settings, weights):
    chosen = settings(model=FULL, neural_strip=weights(), audio_weight=1.0, parameter_weight=0.0,
                      patch_s=1.0, tracks=3)  # fmt: skip
    task = DmcTask(chosen, MixExamples(songs[1:], [1.0] * 3, chosen),
                   MixExamples(songs[:1], [1.0], chosen), CPU)  # fmt: skip
    before = {name: value.clone() for name, value in task._strip.state_dict().items()}
    [batch] = task.batches(iter([range(1)]))
    task.loss(batch).backward()
    for name, weight in task.network.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
    last = task.network.controllers[0].post_processor[-2].weight.grad
    assert (last.abs().sum(1) > 0.0).all(), "an output that the mix does not hear"
    for name, value in task._strip.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not any(name.startswith("strip") for name in task.network.state_dict())


def test_strips_that_do_not_suit_are_refused(weights):
    with pytest.raises(UsageError, match="base 'none'"):
        open_strip(weights(), replace(FULL, mode="basic"), CPU)
    with pytest.raises(UsageError, match="imitates the la2a"):
        open_strip(weights(effect="la2a"), FULL, CPU)
    with pytest.raises(UsageError, match="variable order"):
        open_strip(weights(order="variable"), FULL, CPU)


def test_the_configuration_that_ships_is_legal():
    file = Path(automix.training.__path__[0]) / "configs" / "dmc-full-neural.toml"
    chosen = apply_layers(DmcTraining(), file, {})
    assert len(outputs(chosen.model)) == 4 + 25
    assert chosen.neural_strip == "tcn-20-channel"
