"""The way of the LA-2A: from a data set in its layout to a network that imitates a device."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

import automix.training.configs
from automix.datasets.signaltrain_la2a import read_recordings
from automix.errors import InputError, UsageError
from automix.evaluation.effects_table import score_effects
from automix.plan.layers import apply_layers
from automix.training.effect.settings import EffectTraining
from automix.training.families import FAMILIES
from automix.training.request import TrainingRequest
from automix.training.runner import train
from tests.training.la2a_set import make_la2a

CONFIG = Path(automix.training.configs.__path__[0]) / "effect-la2a.toml"


def request(data, folder, held_out=()):
    return TrainingRequest(
        data=[data],
        folder=folder / "run",
        held_out=held_out,
        cache=folder / "cache",
        device="cpu",
        resume=False,
    )


def test_the_set_is_split_by_its_folders(tmp_path):
    make_la2a(tmp_path / "set", seconds=0.5)
    settings = apply_layers(EffectTraining(), CONFIG, {})
    loop = replace(settings.loop, steps=2, validate_every=2)
    short = replace(settings, loop=loop, patch_samples=2048, held_examples=12)
    progress = train(FAMILIES["effect"], short, request(tmp_path / "set", tmp_path))
    assert progress.figures["bypass_esr"] > 0.1
    with pytest.raises(UsageError, match="a split of its own"):
        train(FAMILIES["effect"], short, request(tmp_path / "set", tmp_path / "other", ["Val"]))
    for file in (tmp_path / "set" / "Val").iterdir():
        file.unlink()
    (tmp_path / "set" / "Val").rmdir()
    with pytest.raises(InputError, match="nothing in Val"):
        train(FAMILIES["effect"], short, request(tmp_path / "set", tmp_path / "third"))


@pytest.mark.long
def test_the_device_is_imitated(tmp_path):
    """Audio and knob positions that were never heard; takes minutes."""
    make_la2a(tmp_path / "set")
    settings: EffectTraining = apply_layers(EffectTraining(), CONFIG, {})
    train(FAMILIES["effect"], settings, request(tmp_path / "set", tmp_path))
    weights = str(tmp_path / "run" / "best.safetensors")
    bypass, network = score_effects([tmp_path / "set"], [weights], device="cpu", cases=16)
    assert network.mean["esr"] < 0.1
    assert network.mean["esr"] < 0.1 * bypass.mean["esr"]


def test_silent_recordings_and_those_of_other_lengths_are_said(tmp_path):
    make_la2a(tmp_path / "set", seconds=2.0)
    first, second, *_ = [pair for pair in read_recordings(tmp_path / "set") if pair.side == "test"]
    for pair, gain, seconds in ((first, 0.0, 2.0), (second, 1.0, 1.7)):
        samples, rate = soundfile.read(pair.target)
        soundfile.write(pair.target, gain * samples[: round(seconds * rate)], rate)
    notes = []
    scores = score_effects([tmp_path / "set"], [], cases=20, note=notes.append)
    assert notes == [
        f"{first.target}: is silent, and left out",
        f"{second.target}: is 0.3 s shorter than its input, and the common part counts; do both"
        " begin alike?",
    ]
    assert all(math.isfinite(value) for value in scores[0].mean.values())
