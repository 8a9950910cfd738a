"""The learning rate of every step, of runs that were resumed, and of runs of older versions."""

import math

import pytest
import torch

from automix.training.schedule import halve_rate, make_schedule, rate_factor
from automix.training.settings import LoopSettings

RATE = 3e-4
LOOPS = [
    LoopSettings(steps=40, learning_rate=RATE),
    LoopSettings(steps=40, learning_rate=RATE, warm_up=7),
    LoopSettings(steps=40, learning_rate=RATE, cosine=True),
    LoopSettings(steps=40, learning_rate=RATE, warm_up=7, cosine=True),
]


def make_optimizer():
    return torch.optim.Adam([torch.nn.Parameter(torch.ones(1))], lr=RATE)


def formula(settings, step):
    """Linear from 1 / (warm_up + 1) to 1, times half a cosine."""
    factor = min(1.0, (step + 1) / (settings.warm_up + 1))
    if settings.cosine:
        factor *= 0.5 + 0.5 * math.cos(math.pi * step / settings.steps)
    return factor


def run(optimizer, schedule, steps):
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.parametrize("settings", LOOPS)
def test_the_curve_is_the_formula_to_the_last_bit(settings):
    optimizer = make_optimizer()
    rates = run(optimizer, make_schedule(optimizer, settings, 0), settings.steps)
    assert rates == [RATE * formula(settings, step) for step in range(settings.steps)]
    assert optimizer.param_groups[0]["lr"] == RATE * rate_factor(settings, settings.steps)


@pytest.mark.parametrize("settings", LOOPS)
@pytest.mark.parametrize("by_older_version", [False, True])
def test_a_resumed_run_has_the_same_curve(settings, by_older_version):
    """Older versions kept the undisturbed rate in the state of the optimizer, and nothing else."""
    optimizer = make_optimizer()
    schedule = make_schedule(optimizer, settings, 0)
    run(optimizer, schedule, 3)
    schedule = halve_rate(optimizer, settings, 3)
    run(optimizer, schedule, 2)
    state = optimizer.state_dict()
    if by_older_version:
        group = state["param_groups"][0]
        group["lr"] = group.pop("initial_lr")
    resumed = make_optimizer()
    resumed.load_state_dict(state)
    rates = run(resumed, make_schedule(resumed, settings, 5), settings.steps - 5)
    assert rates == [RATE / 2 * formula(settings, step) for step in range(5, settings.steps)]
