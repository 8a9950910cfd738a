"""How far a vocal network is trusted on voices that are unlike those it learned from.

Its errors on new songs of a kind that it knows say little of a song of another kind. So a kind of
songs is left out, and a network that learned from the others is tried on it. Each output is trusted
as far as makes the absolute error least: the preshrunk predictor of Copas 1983, "Regression,
Prediction and Shrinkage", with what is said of songs left out as in Breiman 1996, "Stacked
Regressions".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from automix.training.loop import STATE, Training
from automix.training.processes import Processes
from automix.training.vocal.examples import Views
from automix.training.vocal.settings import VocalTraining
from automix.training.vocal.songs import VocalSong
from automix.training.vocal.task import VocalTask


def fit_trust(
    task: VocalTask,
    settings: VocalTraining,
    songs: Sequence[VocalSong],
    folder: Path,
    device: torch.device,
    processes: Processes,
    report: Callable[[str], None] = lambda stage: None,
    *,
    resume: bool = False,
) -> Tensor:
    """The shares 0…1 ``(outputs,)`` that trials find; as set where there is nothing to try.

    Args:
        task: Whose views are used.
        settings: Of its training.
        songs: That the views are of.
        folder: Of the run; each trial has a folder in it.
        device: Where the networks are.
        processes: Those that train together.
        report: Called with what begins.
        resume: Whether trials that were begun go on.

    Raises:
        AutomixError: See `automix.training.loop.Training`.
    """
    departed, wanted, weights = [], [], []
    loop = replace(settings.loop, steps=settings.trial_steps)
    loop = replace(loop, validate_every=min(loop.validate_every, loop.steps))
    for number, trial in enumerate(trials(task.views, settings, songs, device)):
        place = folder / f"trial-{number + 1}"
        training = Training(trial, loop, place, device, processes)
        if resume and (place / STATE).is_file():
            training.resume()
        report(f"trial {number + 1}")
        training.run()
        said = trial.said()
        departed.append(said - trial.network.constant)
        wanted.append(trial.held.wanted.to(device) - trial.network.constant)
        weights.append(torch.full_like(said, 1.0 / len(said)))
    if not departed:
        return task.network.trust
    return least_error_shares(torch.cat(departed), torch.cat(wanted), torch.cat(weights))


def trials(
    views: Views, settings: VocalTraining, songs: Sequence[VocalSong], device: torch.device
) -> Iterator[VocalTask]:
    """What learns from the views of some songs and is to be tried on those of the others."""
    for group in left_out([song.data_set for song in songs]):
        is_left_out = torch.isin(views.songs, torch.tensor(group))
        if is_left_out.any() and not is_left_out.all():
            yield VocalTask(settings, views.only(~is_left_out), views.only(is_left_out), device)


def left_out(sets: Sequence[int]) -> list[list[int]]:
    """Numbers of the songs that each trial leaves out, by the data sets that songs are from.

    A data set at a time, but none that holds more than half of the songs: without it, a network
    would know much less than the one that is trained on all. Where there is one data set, every
    other song.
    """
    kinds = sorted(set(sets))
    if len(kinds) == 1:
        return [list(range(start, len(sets), 2)) for start in (0, 1)]
    groups = [[n for n, own in enumerate(sets) if own == kind] for kind in kinds]
    return [group for group in groups if 2 * len(group) <= len(sets)]


def least_error_shares(departed: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """The shares t in 0…1 ``(outputs,)`` of which Σ weight · |t · departed − wanted| is least.

    Without the limits, a median of the ratios wanted / departed, weighted by weight · |departed|;
    and since the sum is convex in t, within the limits what is nearest to it.

    Args:
        departed: What was said beyond the constant ``(examples, outputs)``.
        wanted: What is right beyond it, alike.
        weights: Of the examples, alike.
    """
    size = departed.abs().clamp_min(1e-9)
    ratios = torch.where(departed < 0, -wanted, wanted) / size
    order = ratios.argsort(0)
    total = (weights * size).gather(0, order).cumsum(0)
    median = (total >= 0.5 * total[-1:]).int().argmax(0, keepdim=True)
    return ratios.gather(0, order).gather(0, median)[0].clamp(0.0, 1.0)
