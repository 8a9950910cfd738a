"""Training of effects: what the examples are, that they are learned, and that runs go on."""

import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile
import torch

from automix.cli import train_effect
from automix.errors import DeviceError, InputError, UsageError
from automix.evaluation.effects import process_exactly
from automix.networks.checkpoints import read_description, read_tensors, save_weights
from automix.networks.effect_description import (
    EffectDescription,
    EffectName,
    NetworkName,
    OrderName,
)
from automix.networks.effects import FAMILY, make_effect, read_effect
from automix.networks.losses import log_mel
from automix.plan.layers import apply_layers
from automix.plan.vector import NEUTRAL, ORDERS, SLOTS
from automix.training.effect.examples import (
    ChannelExamples,
    PairExamples,
    augment_audio,
    limit_band,
    make_colored_noise,
)
from automix.training.effect.first_weights import let_reverberate, load_first_weights
from automix.training.effect.settings import EffectAugmentation, EffectTraining
from automix.training.effect.sources import DryAudio, open_dry
from automix.training.effect.task import EffectTask
from automix.training.families import FAMILIES
from automix.training.loop import Training
from automix.training.request import TrainingRequest
from automix.training.runner import train
from automix.training.schedule import rate_factor
from automix.training.settings import LoopSettings
from tests.networks.effect_networks import lively

CPU = torch.device("cpu")
RATE = 44_100
ROOT = Path(__file__).parents[2]
PLAIN = EffectAugmentation(gain_db=0.0, invert=0.0, blend=0.0, noise=0.0, drop=0.0, block=0.0)
TINY = LoopSettings(steps=6, batch=2, validate_every=2, learning_rate=1e-3, plateau=15, patience=40)


def tiny(**changes):
    settings = EffectTraining(
        model=EffectDescription(network="tcn-8", causal=True),
        loop=TINY,
        patch_samples=2048,
        held_examples=3,
    )
    return replace(settings, **changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Dry audio, some of it deep down, and a mix, which is not."""
    root = tmp_path_factory.mktemp("dry")
    for number, name in enumerate(("a/one.wav", "a/two.wav", "b/c/three.wav", "b/c/mix.wav")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        draw = np.random.default_rng(number)
        samples = 0.1 * draw.standard_normal(RATE) * np.exp(-(np.arange(RATE) % 9000) / 4000)
        soundfile.write(root / name, samples, RATE if number else 48_000, "FLOAT")
    return root


@pytest.fixture(scope="module")
def dry(folder, tmp_path_factory):
    return open_dry([folder], ["three"], tmp_path_factory.mktemp("cache"))


def examples(dry, settings, disturbed=False):
    network = make_effect(settings.model)
    return ChannelExamples(dry, settings, network.before, network.after, disturbed=disturbed)


def task(dry, settings):
    torch.manual_seed(0)
    network = make_effect(settings.model)
    return EffectTask(
        settings, network, examples(dry[0], settings, True), examples(dry[1], settings), CPU
    )


def curve(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_audio_is_found_at_every_depth_and_held_out_by_name(folder, dry, tmp_path):
    learned, held = dry
    assert [len(of_set) for of_set in learned.recordings] == [2]
    assert [len(of_set) for of_set in held.recordings] == [1]
    assert abs(len(learned.recordings[0][0]) - RATE * RATE / 48_000) <= 1
    for name, count in (("a", 2), ("c", 1), (folder.name, 3)):
        if count == 3:
            with pytest.raises(UsageError, match="all of the audio is held out"):
                open_dry([folder], [name], tmp_path)
        else:
            assert len(open_dry([folder], [name], tmp_path)[1].recordings[0]) == count
    with pytest.raises(UsageError, match="no such folder or file"):
        open_dry([folder], ["nothing"], tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no audio files"):
        open_dry([tmp_path / "empty"], [], tmp_path)


def test_without_a_name_some_are_held_out(folder, tmp_path):
    for root in (folder, folder / "a"):  # by the folder, and in one folder by the file
        learned, held = open_dry([root], [], tmp_path)
        assert learned.recordings[0]
        assert held.recordings[0]


def test_what_was_decoded_is_used_again(folder, tmp_path):
    told = []
    open_dry([folder], ["a"], tmp_path, told.append)
    assert set(told) == {"a", "c"}
    open_dry([folder], ["b"], tmp_path, lambda name: pytest.fail(f"{name} again"))


@pytest.mark.parametrize("causal", [False, True])
def test_an_example_is_the_strip_at_work(dry, causal):
    settings = tiny(model=EffectDescription(network="tcn-8", causal=causal), augmentation=PLAIN)
    made = examples(dry[0], settings, True)
    example = made[7]
    before, after = (3570, 0) if causal else (1785, 1785)
    assert example.audio.shape == (1, before + 2048 + after)
    wanted = process_exactly(example.audio, example.conditioning.astype(np.float64))
    kept = slice(before, before + 2048)
    np.testing.assert_allclose(example.target, wanted[:, kept], rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(example.dry, example.audio[:, kept])
    again = made[7]
    np.testing.assert_array_equal(again.target, example.target)
    assert not np.array_equal(made[8].audio, example.audio)


@pytest.mark.parametrize(
    ("effect", "active"),
    [
        ("equalizer", ("low_shelf", "peak", "high_shelf")),
        ("compressor", ("compressor",)),
        ("reverb", ("space",)),
    ],
)
def test_a_task_draws_its_own_settings_only(dry, effect, active):
    settings = tiny(model=EffectDescription(network="tcn-8", effect=effect))
    vectors = np.array([examples(dry[0], settings)[n].conditioning for n in range(6)])
    moved = (np.abs(vectors - np.float32(NEUTRAL)) > 1e-6).any(axis=0)
    names = [slot.name for slot, m in zip(SLOTS, moved, strict=True) if m]
    assert names
    assert all(name.startswith(active) for name in names)


def test_of_the_channel_some_examples_have_one_processor(dry):
    def active(vector):
        groups = {"equalizer": slice(0, 13), "compressor": slice(13, 18), "space": slice(18, 25)}
        return sum(
            not np.allclose(vector[part], np.float32(NEUTRAL)[part]) for part in groups.values()
        )

    counts = {
        share: [active(examples(dry[0], tiny(single=share))[n].conditioning) for n in range(12)]
        for share in (0.0, 1.0)
    }
    assert counts == {0.0: [3] * 12, 1.0: [1] * 12}


@pytest.mark.parametrize(("share", "spaces"), [(0.0, 0), (1.0, 20)])
def test_of_single_processors_a_share_is_the_space(dry, share, spaces):
    made = examples(dry[0], tiny(single=1.0, space=share))
    vectors = [made[n].conditioning for n in range(20)]
    neutral = np.float32(NEUTRAL)
    assert sum(not np.allclose(v[18:], neutral[18:]) for v in vectors) == spaces
    equalizers = sum(not np.allclose(v[:13], neutral[:13]) for v in vectors)
    assert spaces == 20 or 3 <= equalizers <= 17


@pytest.mark.parametrize(
    ("augmentation", "check"),
    [
        ({"gain_db": 12.0}, lambda x, y: 0.2 < np.abs(y / x).mean() < 4.1),
        ({"invert": 1.0}, lambda x, y: np.allclose(y, -x)),
        ({"noise": 1.0}, lambda x, y: 5e-5 < (y - x).std() < 2e-2),
        ({"drop": 1.0}, lambda x, y: 0.0 < (y == 0.0).mean() < 0.11),
        ({"block": 1.0}, lambda x, y: np.abs(np.diff((y[0] == 0).astype(int))).sum() <= 2),
    ],
)
def test_each_augmentation_does_what_it_says(augmentation, check):
    audio = np.random.default_rng(1).uniform(0.1, 0.2, (1, 5_000)).astype(np.float32)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        made = augment_audio(audio.copy(), None, replace(PLAIN, **augmentation), rng)
        assert made.dtype == np.float32
        assert not np.array_equal(made, audio)
        assert check(audio, made)


def test_two_pieces_are_blended():
    audio, other = np.ones((1, 100), np.float32), np.full((1, 100), 2.0, np.float32)
    made = augment_audio(audio, other, PLAIN, np.random.default_rng(0))
    assert (made > 1.4).all()
    assert (made <= 3.0).all()


def pairs():
    draw = np.random.default_rng(3)
    given = (0.1 * draw.standard_normal((2, 9_000))).astype(np.float16)
    return [
        (given[n], (0.5 * given[n]).astype(np.float16), np.array(controls, np.float32))
        for n, controls in enumerate(((-1.0, 0.2), (1.0, -0.6)))
    ]


def test_colored_noise_has_sound_at_all_frequencies():
    """In each octave from 100 Hz; its slope is drawn, and so is its level."""
    slopes, levels_db = [], []
    for seed in range(40):
        noise = make_colored_noise(30_000, np.random.default_rng(seed))
        assert noise.shape == (1, 30_000)
        assert noise.dtype == np.float32
        power = np.abs(np.fft.rfft(noise[0])) ** 2
        frequencies_hz = np.fft.rfftfreq(30_000, 1 / RATE)
        octaves = np.arange(7)
        density_db = [
            10 * np.log10(power[(frequencies_hz >= low) & (frequencies_hz < 2 * low)].mean())
            for low in 100.0 * 2.0**octaves
        ]
        slopes.append(np.polyfit(octaves, density_db, 1)[0])
        levels_db.append(10 * np.log10(np.square(noise).mean()))
    assert -6.0 < min(slopes) < -4.0
    assert -1.5 < max(slopes) < 0.6
    assert -40.1 < min(levels_db) < -30.0
    assert -18.0 < max(levels_db) < -7.9


def test_dull_audio_has_nothing_above_a_corner():
    noise = np.random.default_rng(0).standard_normal((1, 44_100)).astype(np.float32)
    corners_hz = []
    for seed in range(20):
        dull = limit_band(noise, np.random.default_rng(seed))
        assert dull.dtype == np.float32
        assert dull.shape == noise.shape
        level_db = 20 * np.log10(
            np.abs(np.fft.rfft(dull[0])) / np.abs(np.fft.rfft(noise[0])) + 1e-9
        )
        corner_hz = np.flatnonzero(level_db > -1)[-1]  # bins are 1 Hz apart
        assert np.abs(level_db[: corner_hz + 1]).max() < 0.1
        assert level_db[corner_hz + 1 :].max() < -90
        corners_hz.append(corner_hz)
    assert 6000 <= min(corners_hz) < 8000
    assert 15_000 < max(corners_hz) <= 20_000


def test_colored_noise_takes_the_place_of_audio():
    dry = DryAudio(recordings=((np.full(40_000, 0.1, np.float16),),))
    for share in (0.0, 1.0):
        settings = tiny(augmentation=replace(PLAIN, colored=share))
        audio = ChannelExamples(dry, settings, 3570, 0, disturbed=True)[1].audio
        assert (len(np.unique(audio)) > 1000) == bool(share)


def test_pairs_are_cut_at_one_place_and_mixed_up():
    settings = tiny(model=EffectDescription(network="tcn-8", effect="la2a", causal=True))
    plain = PairExamples(pairs(), settings, 3570, 0, disturbed=True)
    for number in range(5):
        example = plain[number]
        assert example.audio.shape == (1, 3570 + 2048)
        np.testing.assert_allclose(example.target, 0.5 * example.dry, rtol=1e-2, atol=1e-4)
    mixed = PairExamples(pairs(), replace(settings, mixup=0.4), 3570, 0, disturbed=True)
    shares = []
    for number in range(40):
        example = mixed[number]
        np.testing.assert_allclose(example.target, 0.5 * example.dry, rtol=1e-2, atol=1e-4)
        limit, knob = example.conditioning
        assert (knob - 0.2) / (-0.6 - 0.2) == pytest.approx((limit + 1.0) / 2.0, abs=1e-5)
        shares.append((limit + 1.0) / 2.0)
    assert any(0.01 < share < 0.99 for share in shares)
    held = PairExamples(pairs(), replace(settings, mixup=0.4), 3570, 0, disturbed=False)
    assert all(abs(held[n].conditioning[0]) == 1.0 for n in range(10))


@pytest.mark.parametrize("network", ["tcn-8", "wave-u-net-6-8"])
@pytest.mark.parametrize("loss", ["l1", "mr-stft", "l1+mr-stft"])
def test_every_loss_reaches_every_weight(dry, network, loss):
    settings = tiny(model=EffectDescription(network=network), loss=loss, relative=True)
    trained = task(dry, settings)
    for name, weight in trained.network.named_parameters():
        if "film" in name and "weight" in name:  # away from where the generator is not heard
            torch.nn.init.normal_(weight, std=0.1)
    [batch] = trained.batches(iter([range(2)]))
    trained.loss(batch).backward()
    for name, weight in trained.network.named_parameters():
        if "convolution.bias" in name and network == "tcn-8":
            continue  # what the normalization takes away again
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name


def test_the_spectral_error_counts_by_its_weight(dry):
    def error(**changes):
        trained = task(dry, tiny(**changes))
        [batch] = trained.batches(iter([range(2)]))
        return trained.loss(batch).item()

    sample, spectral = error(loss="l1"), error(loss="mr-stft", spectral_weight=0.3)
    both = error(loss="l1+mr-stft", spectral_weight=0.3)
    assert both == pytest.approx(sample + 0.3 * spectral, rel=1e-5)
    trained = task(dry, tiny())
    [batch] = trained.batches(iter([range(2)]))
    mel = log_mel(*trained._predict(batch), 44_100).mean().item()
    assert error(loss="l1", mel_weight=2.0) == pytest.approx(sample + 2.0 * mel, rel=1e-5)


def test_a_network_may_begin_linear_and_without_normalization(folder, tmp_path):
    """What is twice as loud comes out twice as loud."""
    settings = tiny(
        first_slope=1.0, statistics="frozen", loop=replace(TINY, steps=1, learning_rate=1e-7)
    )
    request = TrainingRequest(
        data=[folder],
        folder=tmp_path / "run",
        held_out=["three"],
        cache=tmp_path / "cache",
        device="cpu",
        resume=False,
    )
    train(FAMILIES["effect"], settings, request)
    network = read_effect(tmp_path / "run" / "best.safetensors", CPU)
    audio, vector = 0.1 * torch.randn(1, 1, 5_000), torch.rand(1, 25) * 2 - 1
    once, twice = (network(gain * audio, vector) for gain in (1.0, 2.0))
    torch.testing.assert_close(twice, 2 * once, rtol=1e-3, atol=1e-5)
    for name, values in network.named_buffers():
        if "running" in name:
            assert (values == float("var" in name)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "statistics",
    ["batch", *(pytest.param(s, marks=pytest.mark.slow) for s in ("running", "frozen"))],
)
def test_a_gain_is_learned_by_heart(dry, statistics):
    settings = tiny(
        model=EffectDescription(network="tcn-8", effect="equalizer", causal=True),
        statistics=statistics,
        relative=True,
        settle=15,
        loop=replace(TINY, learning_rate=3e-3),
    )
    trained = task(dry, settings)
    [batch] = trained.batches(iter([range(2)]))
    optimizer = torch.optim.Adam(trained.network.parameters(), 3e-3)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = trained.loss(batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-5:]) < 0.5 * losses[0]


def test_validation_tells_bypass_from_the_network(dry):
    trained = task(dry, tiny())
    trained.network.eval()
    for block in trained.network.blocks():
        torch.nn.init.zeros_(block.film.gamma.bias)
    figures = trained.validate()
    for name in ("mae", "esr", "mr_stft"):
        assert figures[name] == pytest.approx(figures[f"bypass_{name}"], rel=1e-3)
        assert figures[name] > 0.0
    assert figures["error"] == pytest.approx(figures["mae"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"statistics": "running", "settle": 3, "loop": {"batch": 1, "cosine": True, "warm_up": 2}},
    ],
)
def test_a_run_that_was_left_goes_on_to_the_same_curve(dry, tmp_path, changes):
    changes = dict(changes)
    settings = tiny(**{**changes, "loop": replace(TINY, **changes.pop("loop", {}))})
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    Training(task(dry, settings), settings.loop, whole, CPU).run()
    left = Training(task(dry, settings), settings.loop, halves, CPU)

    def leave(progress):
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        left.run(leave)
    again = Training(task(dry, settings), settings.loop, halves, CPU)
    again.resume()
    again.run()
    assert len(curve(whole)) == 3
    assert curve(whole) == curve(halves)
    for name, weight in read_tensors(whole / "best.safetensors").items():
        assert (weight == read_tensors(halves / "best.safetensors")[name]).all(), name
    found = read_description(whole / "best.safetensors", FAMILY, EffectDescription)
    assert found == settings.model


def test_the_cosine_ends_at_zero_and_begins_slowly():
    loop = replace(TINY, steps=20, cosine=True, warm_up=4)
    shares = [rate_factor(loop, step) for step in range(21)]
    assert shares[0] == pytest.approx(0.2)
    assert max(shares) == pytest.approx(shares[4])
    assert shares[20] == pytest.approx(0.0, abs=1e-9)
    assert shares[5:] == sorted(shares[5:], reverse=True)


def test_the_log_tells_the_rate_that_the_cosine_has_come_to(dry, tmp_path):
    loop = replace(TINY, steps=4, cosine=True, warm_up=0)
    Training(task(dry, tiny(loop=loop)), loop, tmp_path, CPU).run()
    rows = (tmp_path / "log.csv").read_text().splitlines()
    column = rows[0].split(",").index("learning_rate")
    rates = [float(row.split(",")[column]) for row in rows[1:]]
    assert rates == pytest.approx([0.5 * loop.learning_rate, 0.0], abs=1e-12)


CONFIG = """patch_samples = 2048
held_examples = 2
statistics = "running"
settle = 4
[loop]
steps = 12
batch = 1
validate_every = 2
"""


def command(folder, run, *more):
    return [
        *("train", "effect", "--model", "tcn-8", "--task", "compressor", "--data", str(folder)),
        *("--hold-out", "three", "-o", str(run), "--config", str(run.parent / "tiny.toml")),
        *("--cache", str(run.parent / "cache"), "--device", "cpu", *more),
    ]


ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_to_the_same_curve(folder, tmp_path):
    (tmp_path / "tiny.toml").write_text(CONFIG)
    automix = [sys.executable, "-m", "automix"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*automix, *command(folder, whole)], env=ENVIRONMENT, check=True)
    started = subprocess.Popen([*automix, *command(folder, killed)], env=ENVIRONMENT)
    while not (killed / "last.pt").exists() and started.poll() is None:
        time.sleep(0.01)
    started.send_signal(signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL
    assert len(curve(killed)) < 6
    subprocess.run([*automix, *command(folder, killed, "--resume")], env=ENVIRONMENT, check=True)
    assert len(curve(whole)) == 6
    assert curve(whole) == curve(killed)


@pytest.mark.slow
def test_two_processes_train_together(folder, tmp_path):
    """As one with the doubled batch: the same gradient, and so the same curve but for rounding."""
    (tmp_path / "tiny.toml").write_text(CONFIG.replace("steps = 12", "steps = 4"))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    together = command(folder, tmp_path / "two")
    subprocess.run([*torchrun, "-m", "automix", *together], env=ENVIRONMENT, check=True)
    (tmp_path / "tiny.toml").write_text(
        CONFIG.replace("steps = 12", "steps = 4").replace("batch = 1", "batch = 2")
    )
    automix = [sys.executable, "-m", "automix"]
    subprocess.run([*automix, *command(folder, tmp_path / "one")], env=ENVIRONMENT, check=True)
    two, one = (curve(tmp_path / name) for name in ("two", "one"))
    assert [row["step"] for row in two] == [row["step"] for row in one] == ["2", "4"]
    assert float(two[-1]["bypass_mae"]) == float(one[-1]["bypass_mae"])


def test_the_words_of_the_command_line_are_those_of_the_description():
    for words, known in (
        (train_effect.EffectNetwork, NetworkName),
        (train_effect.TrainedEffect, EffectName),
        (train_effect.TrainedOrder, OrderName),
    ):
        assert [word.value for word in words] == list(get_args(known))


def test_the_configurations_that_ship_are_legal():
    files = sorted((ROOT / "automix" / "training" / "configs").glob("effect-*.toml"))
    assert len(files) >= 3
    for file in files:
        assert apply_layers(EffectTraining(), file, {}).model.causal


def test_a_network_of_more_blocks_goes_on_where_one_of_fewer_was(tmp_path):
    given = lively(network="tcn-8", causal=True)
    path = tmp_path / "given.safetensors"
    save_weights(path, FAMILY, given.description, given.state_dict())
    network = make_effect(EffectDescription(network="tcn-10", causal=True)).eval()
    load_first_weights(network, path)
    audio, settings = 0.1 * torch.randn(1, 1, 20_000), torch.rand(1, 25) * 2 - 1
    with torch.inference_mode():
        made = network(audio, settings)
        wanted = given(audio, settings)[..., -made.shape[-1] :]
    assert 0.0 < (made - wanted).abs().mean() < 0.1 * wanted.abs().mean()


def test_a_network_of_fewer_blocks_begins_with_the_first_of_many(tmp_path):
    given = lively(network="tcn-10", causal=True)
    path = tmp_path / "given.safetensors"
    save_weights(path, FAMILY, given.description, given.state_dict())
    network = make_effect(EffectDescription(network="tcn-8", causal=True)).eval()
    load_first_weights(network, path)
    for block in given.stacks[0][8:]:  # are to do nothing
        torch.nn.init.zeros_(block.film.gamma.weight)
        torch.nn.init.zeros_(block.film.gamma.bias)
        torch.nn.init.zeros_(block.film.beta.weight)
        torch.nn.init.zeros_(block.film.beta.bias)
        block.normalization.running_mean.zero_()
    audio, settings = 0.1 * torch.randn(1, 1, 20_000), torch.rand(1, 25) * 2 - 1
    with torch.inference_mode():
        wanted = given(audio, settings)
        made = network(audio, settings)[..., -wanted.shape[-1] :]
    torch.testing.assert_close(made, wanted, rtol=1e-4, atol=1e-5)


def test_new_blocks_reverberate_where_the_space_is_wet(tmp_path):
    """And as good as not where it is dry; the others stay as they were."""
    torch.manual_seed(0)
    given = make_effect(EffectDescription(network="tcn-8", causal=True))
    path = tmp_path / "given.safetensors"
    save_weights(path, FAMILY, given.description, given.state_dict())
    network = make_effect(EffectDescription(network="tcn-10", causal=True)).eval()
    added = load_first_weights(network, path)
    assert added == network.blocks()[8:]
    kept = network.blocks()[7].film.gamma.weight.clone()
    let_reverberate(network, added, 2.0)
    assert torch.equal(network.blocks()[7].film.gamma.weight, kept)
    settings = torch.tensor([NEUTRAL] * 2, dtype=torch.float32)
    wet = [slot.name for slot in SLOTS].index("space.wet")
    settings[:, wet] = torch.tensor([-1.0, 1.0])
    burst = torch.zeros(2, 1, network.receptive_field + 9_000)
    burst[..., network.before : network.before + 500] = 0.1 * torch.randn(500)
    with torch.inference_mode():
        scales = [block.film(*network.film(settings))[0].mean(1) for block in added]
        tails = network(burst, settings)[:, 0, 1_500:].square().mean(-1)
    for scale in scales:
        assert scale.tolist() == pytest.approx([0.0, 2.0], abs=0.5)
    assert tails[1] > 30.0 * tails[0]
    with pytest.raises(UsageError, match="tail_gain"):
        tiny(tail_gain=1.0, model=EffectDescription(network="tcn-8", effect="la2a"))


def test_a_deeper_network_goes_on_where_a_shallower_one_of_any_order_was(tmp_path):
    given = lively(network="tcn-10", order="variable", causal=True)
    path = tmp_path / "given.safetensors"
    save_weights(path, FAMILY, given.description, given.state_dict())
    network = make_effect(EffectDescription(network="tcn-20", causal=True)).eval()
    for block in network.stacks[1]:
        torch.nn.init.zeros_(block.film.gamma.bias)
    load_first_weights(network, path)
    audio = 0.1 * torch.randn(1, 1, 40_000)
    settings = torch.rand(1, 25) * 2 - 1
    static = torch.tensor([[1.0 if order == "ecr" else -1.0 for order in ORDERS]])
    with torch.inference_mode():
        made = network(audio, settings)
        wanted = given(audio, torch.cat([settings, static], 1))[..., -made.shape[-1] :]
    torch.testing.assert_close(made, wanted, rtol=1e-4, atol=1e-5)
    with pytest.raises(DeviceError):
        load_first_weights(make_effect(EffectDescription(effect="la2a")), path)


def test_a_network_of_any_order_goes_on_where_one_of_the_static_order_was(tmp_path):
    """To which the order, at first, is all the same."""
    given = lively(network="tcn-8", causal=True)
    path = tmp_path / "given.safetensors"
    save_weights(path, FAMILY, given.description, given.state_dict())
    network = make_effect(EffectDescription(network="tcn-8", order="variable", causal=True)).eval()
    load_first_weights(network, path)
    audio = 0.1 * torch.randn(2, 1, 6_000)
    settings, orders = torch.rand(2, 25) * 2 - 1, torch.rand(2, 6) * 2 - 1
    with torch.inference_mode():
        made = network(audio, torch.cat([settings, orders], 1))
        torch.testing.assert_close(made, given(audio, settings), rtol=1e-4, atol=1e-5)


def test_silence_is_not_drawn():
    loud = np.concatenate([np.zeros(30_000), np.full(9_000, 0.1)]).astype(np.float16)
    dry = DryAudio(recordings=((np.zeros(9_000, np.float16), loud),))
    for seed in range(10):
        piece = dry.draw_piece(4_000, slice(2_000, 4_000), np.random.default_rng(seed))
        assert piece.shape == (1, 4_000)
        assert np.abs(piece[:, 2_000:]).max() > 0.05
