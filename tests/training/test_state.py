"""The state of a training: what is no state is refused, and a full disk leaves the old one."""

import csv
import errno
import math
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from automix.errors import DeviceError, OutputError
from automix.files.temporary import name_temporary
from automix.networks.checkpoints import read_pickle, read_tensors, save_tensors
from automix.training.loop import Training
from automix.training.settings import LoopSettings

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]

WRONG = {
    "nothing": {},
    "a-list": [1],
    "step": {"step": "2"},
    "negative-step": {"step": -1},
    "huge-step": {"step": 10**40},
    "rows": {"rows": "loss"},
    "no-rows": {"rows": []},
    "odd-rows": {"rows": [{"step": 1, "loss": 0.5}, {"step": 2}]},
    "words-in-rows": {"rows": [{"step": 1, "loss": "0.5"}]},
    "best": {"best": None},
    "without-gain": {"without_gain": [0]},
    "optimizer": {"optimizer": {"state": {}, "param_groups": []}},
    "network": {"network": {}},
}


class Line:
    """A training of two numbers."""

    def __init__(self):
        torch.manual_seed(0)
        self.network = torch.nn.Linear(1, 1)

    def batches(self, numbers):
        for batch in numbers:
            yield torch.tensor([[float(number)] for number in batch]) / 100.0

    def loss(self, batch):
        return (self.network(batch) - 2.0 * batch).square().mean()

    def validate(self):
        return {"error": self.loss(torch.ones(1, 1)).item(), "nothing": math.nan}

    def save(self, path):
        save_tensors(path, self.network.state_dict())


LOOP = LoopSettings(steps=2, batch=2, validate_every=1, learning_rate=0.01)


@pytest.fixture
def left(tmp_path):
    """A run that was left after its second step."""
    Training(Line(), LOOP, tmp_path / "left", CPU).run()
    return tmp_path / "left"


def curve(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_run_goes_on_from_its_state(left, tmp_path):
    longer = replace(LOOP, steps=4)
    again = Training(Line(), longer, left, CPU)
    again.resume()
    again.run()
    Training(Line(), longer, tmp_path / "whole", CPU).run()
    assert curve(left) == curve(tmp_path / "whole")


@pytest.mark.parametrize("kind", WRONG)
def test_a_state_with_wrong_fields_is_refused(left, tmp_path, kind):
    state = torch.load(left / "last.pt", weights_only=True)
    change = WRONG[kind]
    torch.save(
        state | change if change and isinstance(change, dict) else change, tmp_path / "last.pt"
    )
    with pytest.raises(DeviceError, match=r"last\.pt: is not the state of a run"):
        Training(Line(), LOOP, tmp_path, CPU).resume()


def test_a_state_of_an_optimizer_of_other_shapes_is_refused(left, tmp_path):
    state = torch.load(left / "last.pt", weights_only=True)
    state["optimizer"]["state"][0]["exp_avg"] = torch.zeros(3)
    torch.save(state, tmp_path / "last.pt")
    with pytest.raises(DeviceError, match=r"last\.pt: is not the state of a run"):
        Training(Line(), LOOP, tmp_path, CPU).resume()


def test_a_damaged_state_is_refused(left, tmp_path):
    whole = (left / "last.pt").read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:-1], whole.replace(b"rows", b"raws")):
        (tmp_path / "last.pt").write_bytes(content)
        with pytest.raises(DeviceError, match=r"last\.pt: "):
            Training(Line(), LOOP, tmp_path, CPU).resume()


@pytest.mark.parametrize("broken", ["log.csv", "last.pt", "best.safetensors"])
def test_files_of_a_run_that_cannot_be_written_stay_as_they_were(
    left, tmp_path, broken, monkeypatch
):
    shutil.copytree(left, tmp_path / "run")
    run = tmp_path / "run"
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    fsync = os.fsync

    def fail(descriptor):
        if Path(os.readlink(f"/proc/self/fd/{descriptor}")).name == name_temporary(Path(broken)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    again = Training(Line(), replace(LOOP, steps=4), run, CPU)
    again.resume()
    again._best = math.inf  # so that the weights are written, too
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=f"{broken}: the disk is full"):
        again.run()
    assert sorted(path.name for path in run.iterdir()) == sorted(before)
    assert (run / broken).read_bytes() == before[broken]
    assert len(curve(run)) in (2, 3)


PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.training.test_state import CPU, LOOP, Line, Training

training = Training(Line(), replace(LOOP, steps=10**6, patience=10**6), Path(sys.argv[1]), CPU)
if (Path(sys.argv[1]) / "last.pt").exists():
    training.resume()
print("ready", flush=True)
training.run()
"""


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_leaves_whole_files(tmp_path):
    folder, draw, rows = tmp_path / "run", random.Random(0), 0
    for _ in range(6):
        run = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)], cwd=ROOT, stdout=subprocess.PIPE
        )
        with run:
            assert run.stdout.readline() == b"ready\n"
            time.sleep(draw.uniform(0.5, 1.0))
            run.kill()
        log = (folder / "log.csv").read_text()
        assert log.endswith("\n")
        found = curve(folder)
        assert [int(row["step"]) for row in found] == list(range(1, len(found) + 1))
        assert None not in [value for row in found for value in row.values()]
        assert len(found) >= rows
        rows = len(found)
        read_tensors(folder / "best.safetensors")
        assert rows - len(read_pickle(folder / "last.pt")["rows"]) in (0, 1)
