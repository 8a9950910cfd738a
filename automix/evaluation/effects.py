"""Scores how well models imitate the processors of the strip (Steinmetz 2020, tables 6 and 7).

Each test case is a piece of dry audio and a random setting of one processor, or of all three. What
the exact strip makes of it is the target; a model is asked for the same, and bypass, the input
itself, stands beside it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import collect, fold_to_mono
from automix.audio.resampling import resample
from automix.audio.samples import Samples
from automix.dsp.pan import pan_gains
from automix.dsp.strip import Inserts
from automix.errors import InputError
from automix.evaluation.metrics import esr, mae, mcd, mr_stft
from automix.evaluation.mixes import find_audio_files
from automix.files.info import ReadOptions
from automix.files.reading import open_audio
from automix.plan.model import MixPlan
from automix.plan.settings import ChannelStrip
from automix.plan.vector import NEUTRAL, ORDER_SLOTS, SLOTS, from_vector

Task = Literal["equalizer", "compressor", "reverb", "combined"]
TASKS: tuple[Task, ...] = get_args(Task)
Metric = Literal["mae", "esr", "mcd", "mr_stft"]
METRICS: tuple[Metric, ...] = get_args(Metric)

RATE_HZ = 44100
PATCH_SAMPLES = 65_536
_SLOTS_OF: dict[Task, tuple[str, ...]] = {
    "equalizer": ("low_shelf", "peak_", "high_shelf"),
    "compressor": ("compressor",),
    "reverb": ("space",),
}
_QUIETEST_RMS = 1e-3  # −60 dBFS: nothing to hear a processor by

Model = Callable[[Samples, NDArray[np.float64]], Samples]
"""Takes audio ``(1, samples)`` and a conditioning vector; returns what the strip would make."""


@dataclass(frozen=True, kw_only=True)
class EffectScore:
    """The score of one model at one task.

    Attributes:
        model: Name of the model.
        task: Processors that were active, or ``la2a``.
        mean: Mean of each metric over the test cases.
        deviation: Standard deviation of each metric over the test cases.
    """

    model: str
    task: str
    mean: dict[Metric, float]
    deviation: dict[Metric, float]


def bypass(audio: Samples, vector: NDArray[np.float64]) -> Samples:
    """Returns the input as it is: what a model has to beat."""
    return audio


def evaluate_effects(
    audio: Sequence[Path],
    models: Mapping[str, Model],
    *,
    tasks: Sequence[Task] = TASKS,
    cases: int = 50,
    varied_order: bool = False,
    seed: int = 0,
    report: Callable[[str], None] = lambda task: None,
) -> list[EffectScore]:
    """Scores models on random settings of the strip.

    Args:
        audio: Files of dry audio, or folders of them.
        models: Models by name; one with an attribute ``tasks`` is asked for those only.
        tasks: Tasks, which say what processors are active.
        cases: Number of pieces of audio for each task, at least 2; the same for every model.
        varied_order: Whether the order of the processors is drawn too (31 values instead of 25).
        seed: Seed of all that is drawn.
        report: Called with each task as it begins.

    Raises:
        InputError: A file cannot be used, or there is no sound in any.
    """
    sources = [read_mono(file) for path in audio for file in (find_audio_files(path) or [path])]
    scores = []
    for task in tasks:
        report(task)
        rng = np.random.default_rng([seed, TASKS.index(task)])
        found: dict[str, list[dict[Metric, float]]] = {name: [] for name in models}
        for patch in _draw_patches(sources, cases, rng):
            vector = draw_vector(task, rng, varied_order=varied_order)
            target = process_exactly(patch, vector)
            for name, model in models.items():
                if task in getattr(model, "tasks", TASKS):
                    found[name].append(measure_metrics(model(patch, vector), target))
        scores += [score_model(name, task, rows) for name, rows in found.items() if rows]
    return scores


def draw_vector(
    task: Task, rng: np.random.Generator, *, varied_order: bool = False
) -> NDArray[np.float64]:
    """Draws a conditioning vector: the slots of a task evenly, all others neutral.

    Of the spaces, and of the orders where they vary, one is chosen.

    Returns:
        Vector ``(25,)``, or ``(31,)`` with the order, each value −1 … 1.
    """
    drawn = rng.uniform(-1.0, 1.0, len(SLOTS))
    space, order = rng.integers(5), rng.integers(6)
    choices = [n for n, slot in enumerate(SLOTS) if slot.choice]
    drawn[choices] = -1.0
    drawn[choices[space]] = 1.0
    active = [slot.name.startswith(_SLOTS_OF.get(task, ("",))) for slot in SLOTS]
    vector = np.where(active, drawn, NEUTRAL)
    if not varied_order:
        return vector
    orders = np.full(len(ORDER_SLOTS), -1.0)
    orders[order] = 1.0
    return np.concatenate([vector, orders])


def process_exactly(audio: Samples, vector: NDArray[np.float64]) -> Samples:
    """Processes mono audio ``(1, samples)`` by the exact strip; a reverb's sides are averaged."""
    strip = from_vector(vector.tolist(), ChannelStrip(name="channel"))
    law = MixPlan().pan_law
    result = Inserts(strip, 1, RATE_HZ, law).process(audio)
    if len(result) == 2:  # at the level of the center
        result = result.mean(axis=0, keepdims=True) / pan_gains(0.5, law)[0]
    return result.astype(np.float32)


def read_mono(path: Path) -> Samples:
    """Reads a file, folded to mono and at 44.1 kHz, ``(1, samples)``."""
    source = open_audio(path, ReadOptions()).source
    return collect(resample(fold_to_mono(source), RATE_HZ)).samples


def _draw_patches(
    sources: Sequence[Samples], count: int, rng: np.random.Generator
) -> Iterator[Samples]:
    """Yields pieces with sound in them, drawn evenly over all the audio."""
    lengths = np.array([max(0, source.shape[1] - PATCH_SAMPLES + 1) for source in sources])
    if not lengths.any():
        least_s = PATCH_SAMPLES / RATE_HZ
        raise InputError(f"no file is {least_s:.2f} s long; give longer dry audio")
    found = tries = 0
    while found < count:
        tries += 1
        if tries > 100 * count:
            raise InputError("the audio is silent nearly everywhere; give dry audio with sound")
        position = int(rng.integers(lengths.sum()))
        number = int(np.searchsorted(np.cumsum(lengths), position, "right"))
        start = position - int(lengths[:number].sum())
        patch = sources[number][:, start : start + PATCH_SAMPLES]
        if is_heard(patch):
            found += 1
            yield patch


def is_heard(audio: Samples) -> bool:
    """Tells whether there is any sound to hear a processor by: an RMS above −60 dBFS."""
    return float(np.sqrt(np.square(audio).mean())) > _QUIETEST_RMS


def measure_metrics(prediction: Samples, target: Samples) -> dict[Metric, float]:
    """Measures all metrics of two signals ``(channels, samples)``."""
    return {
        "mae": mae(prediction, target),
        "esr": esr(prediction, target),
        "mcd": mcd(prediction, target, RATE_HZ),
        "mr_stft": mr_stft(prediction, target),
    }


def score_model(name: str, task: str, rows: Sequence[Mapping[Metric, float]]) -> EffectScore:
    """Makes the score of a model from the metrics of its cases, of which there are two or more."""
    columns = {metric: [row[metric] for row in rows] for metric in METRICS}
    return EffectScore(
        model=name,
        task=task,
        mean={metric: fmean(values) for metric, values in columns.items()},
        deviation={metric: stdev(values) for metric, values in columns.items()},
    )
