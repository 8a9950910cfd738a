"""The loop: it learns, resumes to the same curve, and several processes are one."""

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from automix.errors import DeviceError, UsageError
from automix.networks.checkpoints import read_description, read_tensors
from automix.networks.dmc_description import PUBLISHED, DmcDescription
from automix.training.controller.examples import MixExamples
from automix.training.controller.task import DmcTask, collate
from automix.training.loop import Training

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]
SMALL = DmcDescription(embedding=16, width=16, members=2, dropout=0.2)
COMPACT = replace(PUBLISHED, encoder="compact", embedding=16, width=16, mode="full")


def task(songs, settings):
    return DmcTask(
        settings,
        MixExamples(songs[1:], [1.0] * 3, settings),
        MixExamples(songs[:1], [1.0], settings),
        CPU,
    )


@pytest.fixture(scope="module")
def ready(songs, settings):
    """A task whose examples are made, for tests that do not ask what it learns."""
    return task(songs, settings(model=SMALL))


def curve(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_one_batch_is_learned_by_heart(songs, settings):
    chosen = settings(
        model=replace(SMALL, dropout=0.0, members=1), shrink=0.0, examples=4, loop={"batch": 4}
    )
    trained = task(songs, chosen)
    batch = next(trained.batches(iter([range(4)])))
    optimizer = torch.optim.Adam(trained.network.parameters(), 3e-3)
    first = trained.loss(batch).item()
    for _ in range(150):
        optimizer.zero_grad()
        loss = trained.loss(batch)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02 * first


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        pytest.param(SMALL, marks=pytest.mark.slow),
        pytest.param(replace(SMALL, mode="full"), marks=pytest.mark.slow),
        pytest.param(replace(COMPACT, mode="basic"), marks=pytest.mark.slow),
        COMPACT,
    ],
)
def test_the_audio_loss_reaches_every_weight(songs, settings, model):
    chosen = settings(model=model, audio_weight=1.0, parameter_weight=0.0, shrink=0.0, patch_s=1.0)
    trained = task(songs, chosen)
    for controller in trained.network.controllers:  # away from the rules, where all is flat
        torch.nn.init.normal_(controller.post_processor[-2].weight, std=0.3)
    batch = collate([trained._training[0]], keep=True)
    loss = trained.loss(batch)
    loss.backward()
    assert torch.isfinite(loss)
    for name, weight in trained.network.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name


@pytest.mark.slow
def test_kept_outputs_stay_and_the_others_learn(songs, settings, tmp_path):
    chosen = settings(
        model=replace(SMALL, mode="full"), kept_outputs=2, audio_weight=1.0, parameter_weight=0.0,
        loop={"steps": 2, "validate_every": 2, "learning_rate": 0.01},
    )  # fmt: skip
    trained = task(songs, chosen)
    for controller in trained.network.controllers:
        torch.nn.init.normal_(controller.post_processor[-2].weight, std=0.3)
    trained.network.eval()
    summaries = collate([trained._training[0]], keep=False)
    before = trained.network(summaries.summaries, summaries.mask)
    Training(trained, chosen.loop, tmp_path, CPU).run()
    trained.network.eval()
    after = trained.network(summaries.summaries, summaries.mask)
    assert (after[..., :2] == before[..., :2]).all()
    assert ((after[..., 2] - before[..., 2]).abs() > 1e-4).all()


@pytest.mark.slow
def test_a_run_that_was_left_goes_on_to_the_same_curve(songs, settings, tmp_path):
    chosen = settings(model=SMALL)
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    Training(task(songs, chosen), chosen.loop, whole, CPU).run()
    short = replace(chosen.loop, steps=2)
    Training(task(songs, chosen), short, halves, CPU).run()
    again = Training(task(songs, chosen), chosen.loop, halves, CPU)
    again.resume()
    again.run()
    assert curve(whole) == curve(halves)
    assert len(curve(whole)) == 3
    for name, weight in read_tensors(whole / "best.safetensors").items():
        assert (weight == read_tensors(halves / "best.safetensors")[name]).all(), name
    assert read_description(whole / "best.safetensors", "dmc", DmcDescription) == SMALL


@pytest.mark.slow
def test_a_finished_run_has_nothing_to_do(songs, settings, tmp_path):
    chosen = settings(model=SMALL)
    Training(task(songs, chosen), chosen.loop, tmp_path, CPU).run()
    again = Training(task(songs, chosen), chosen.loop, tmp_path, CPU)
    again.resume()
    assert again.run() is None


@pytest.mark.slow
def test_a_run_of_another_network_is_refused(songs, settings, tmp_path):
    chosen = settings(model=SMALL)
    with pytest.raises(DeviceError, match="no run to resume"):
        Training(task(songs, chosen), chosen.loop, tmp_path, CPU).resume()
    Training(task(songs, chosen), chosen.loop, tmp_path, CPU).run()
    other = settings(model=replace(SMALL, width=24))
    with pytest.raises(DeviceError, match="not the state of a run of this network"):
        Training(task(songs, other), other.loop, tmp_path, CPU).resume()


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_the_run(ready, settings, tmp_path, monkeypatch):
    lost = torch.tensor(float("nan"), requires_grad=True)
    monkeypatch.setattr(ready, "loss", lambda batch: lost)
    with pytest.raises(DeviceError, match="learning_rate"):
        Training(ready, settings(model=SMALL).loop, tmp_path, CPU).run()


@pytest.mark.slow
def test_the_rate_is_halved_and_the_run_ends_where_nothing_is_gained(
    ready, settings, tmp_path, monkeypatch
):
    chosen = settings(
        model=SMALL,
        loop={"steps": 100, "validate_every": 1, "plateau": 2, "patience": 4},
    )
    monkeypatch.setattr(ready, "validate", lambda: {"level_error_db": 1.0})
    Training(ready, chosen.loop, tmp_path, CPU).run()
    rates = [float(row["learning_rate"]) for row in curve(tmp_path)]
    assert rates == [1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4]


@pytest.mark.filterwarnings("ignore")  # TensorBoard's own
def test_the_log_for_tensorboard_holds_the_same_figures(songs, settings, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    chosen = settings(model=SMALL, loop={"tensorboard": True})
    Training(task(songs, chosen), chosen.loop, tmp_path, CPU).run()
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    found = [(event.step, event.value) for event in events.Scalars("level_error_db")]
    wanted = [(int(row["step"]), float(row["level_error_db"])) for row in curve(tmp_path)]
    assert [step for step, _ in found] == [step for step, _ in wanted]
    assert [value for _, value in found] == pytest.approx([value for _, value in wanted])


def test_tensorboard_that_is_not_there_is_named(ready, settings, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    chosen = settings(model=SMALL, loop={"tensorboard": True})
    with pytest.raises(UsageError, match=r"automix\[train\]"):
        Training(ready, chosen.loop, tmp_path, CPU).run()


PROGRAM = """
import sys, torch
sys.path.insert(0, {root!r})
from dataclasses import replace
from pathlib import Path
from automix.datasets.catalog import find_songs
from automix.networks.dmc_description import DmcDescription
from automix.training.controller.task import DmcTask
from automix.training.controller.examples import MixExamples
from automix.training.loop import Training
from automix.training.decoded_songs import decode_songs
from automix.training.processes import Processes
from automix.training.controller.settings import DmcTraining
from automix.training.settings import LoopSettings

torch.set_num_threads(1)
songs = decode_songs(find_songs(Path({folder!r})), Path({cache!r}))
settings = DmcTraining(
    model=DmcDescription(embedding=16, width=16, members=2, dropout=0.0), examples=8,
    shortest_s=5.0, longest_s=6.0,
    loop=LoopSettings(steps=1, batch={batch}, validate_every=1, learning_rate=1e-3),
)
processes = Processes()

def keep(parameters, most):
    torch.save([weight.grad.clone() for weight in parameters], Path({output!r}))

torch.nn.utils.clip_grad_norm_ = keep
cpu = torch.device("cpu")
examples = MixExamples(songs[1:], [1.0] * 3, settings)
task = DmcTask(settings, examples, MixExamples(songs[:1], [1.0], settings), cpu)
Training(task, settings.loop, Path({output!r} + ".run"), cpu, processes).run()
processes.close()
"""


@pytest.mark.slow
def test_two_processes_learn_as_one_with_the_doubled_batch(folder, songs, tmp_path):
    def run(batch, output, *launcher):
        program = tmp_path / f"{output}.py"
        program.write_text(
            PROGRAM.format(
                root=str(ROOT),
                folder=str(folder),
                cache=str(tmp_path / "cache"),
                batch=batch,
                output=str(tmp_path / output),
            )
        )
        command = [sys.executable, *launcher, str(program)]
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return torch.load(tmp_path / output, weights_only=True)

    one = run(4, "one")
    two = run(2, "two", "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone")
    assert any(gradient.abs().max() > 1e-3 for gradient in one)
    for found, wanted in zip(two, one, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-7)
