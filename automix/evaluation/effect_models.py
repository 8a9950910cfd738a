"""Scores trained networks as models of the processors, and of the LA-2A of table 9."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automix.audio.samples import Samples
from automix.datasets.signaltrain_la2a import read_recordings
from automix.datasets.song import measure_common_part
from automix.errors import InputError, UsageError
from automix.evaluation.effects import (
    PATCH_SAMPLES,
    RATE_HZ,
    TASKS,
    EffectScore,
    Metric,
    Model,
    Task,
    is_heard,
    measure_metrics,
    read_mono,
    score_model,
)
from automix.files.names import printable
from automix.networks.checkpoints import weights_path
from automix.networks.device import choose_device
from automix.networks.effect_description import LA2A_SLOTS
from automix.networks.effect_rendering import render_effect
from automix.networks.effects import EffectNetwork, read_effect
from automix.plan.settings import ChannelStrip
from automix.plan.vector import ORDER_SLOTS, ORDERS

_STATIC = [1.0 if order == ChannelStrip().order else -1.0 for order in ORDERS]


class NetworkModel:
    """A trained network as a model that `automix.evaluation.effects` scores.

    Args:
        network: Network from `automix.networks.effects.read_effect`.

    Attributes:
        effect: Name of what it imitates.
        tasks: Tasks that it was trained for.
    """

    def __init__(self, network: EffectNetwork) -> None:
        self._network = network
        self.effect = network.description.effect
        self.tasks: tuple[Task, ...] = (
            TASKS
            if self.effect == "channel"
            else tuple(task for task in TASKS if task == self.effect)
        )

    def __call__(self, audio: Samples, vector: NDArray[np.float64]) -> Samples:
        """Processes audio ``(1, samples)``; networks that take an order get the default one."""
        slots = len(self._network.description.slots)
        values = vector.tolist()
        if slots == len(values) + len(ORDER_SLOTS):
            values = [*values, *_STATIC]
        return np.concatenate(list(render_effect(self._network, [audio], values)), axis=1)


def open_models(
    names: Sequence[str], device: str, *, la2a: bool, varied_order: bool
) -> dict[str, NetworkModel]:
    """Opens trained networks, and checks that they suit what they are measured by.

    Args:
        names: Names of weights that ship, or files of weights.
        device: Device that they run on, as in `automix.networks.device.choose_device`.
        la2a: Whether they are measured by recordings of the LA-2A.
        varied_order: Whether the order of the processors varies.

    Raises:
        DeviceError: Weights cannot be used.
        UsageError: A network imitates something else.
    """
    models = {}
    for name in names:
        network = read_effect(weights_path(name), choose_device(device))
        effect, order = network.description.effect, network.description.order
        if la2a != (effect == "la2a"):
            wanted = "the LA-2A" if la2a else "processors of the strip"
            raise UsageError(
                f"{printable(name)}: imitates the {effect}; this audio is for {wanted}"
            )
        if varied_order and order == "static":
            raise UsageError(f"{printable(name)}: knows one order only; leave --order variable out")
        models[name] = NetworkModel(network)
    return models


def evaluate_la2a(
    root: Path,
    models: Mapping[str, Model],
    *,
    cases: int = 50,
    seed: int = 0,
    note: Callable[[str], None] = lambda sentence: None,
) -> list[EffectScore]:
    """Scores models by the recordings of an LA-2A that none has heard (table 9).

    Args:
        root: Folder of SignalTrain LA2A; its Test is used.
        models: Models by name.
        cases: Number of pieces of the recordings, at least 2; the same for every model.
        seed: Seed of the draw of the pieces.
        note: Called with sentences for the user. Recordings that are silent are left out.

    Returns:
        A score for each model, in the order of the models.

    Raises:
        InputError: There are no recordings in Test, they cannot be used, or are all silent.
    """
    tested = [recording for recording in read_recordings(root) if recording.side == "test"]
    if not tested:
        raise InputError(f"{printable(root)}: nothing in Test")
    rng = np.random.default_rng(seed)
    found: dict[str, list[dict[Metric, float]]] = {name: [] for name in models}
    for case in range(cases):
        recording = tested[case % len(tested)]
        given, target = read_mono(recording.input), read_mono(recording.target)
        target_s, given_s = (samples.shape[1] / RATE_HZ for samples in (target, given))
        about = measure_common_part(recording.target, target_s, given_s, "its input")[1]
        length = min(given.shape[1], target.shape[1])
        for _ in range(50):
            start = int(rng.integers(0, max(1, length - PATCH_SAMPLES + 1)))
            piece = slice(start, min(start + PATCH_SAMPLES, length))
            if is_heard(target[:, piece]):
                break
        if not is_heard(target[:, piece]):
            about = (*about, f"{printable(recording.target)}: is silent, and left out")
        if case < len(tested):  # the first time
            for sentence in about:
                note(sentence)
        if not is_heard(target[:, piece]):
            continue
        values = (float(recording.limit), recording.peak_reduction)
        positions = [slot.position(v) for slot, v in zip(LA2A_SLOTS, values, strict=True)]
        for name, model in models.items():
            # With all that came before, as far as any network hears.
            heard = slice(max(0, piece.start - 2 * RATE_HZ), piece.stop)
            made = model(given[:, heard], np.array(positions))[:, piece.start - heard.start :]
            found[name].append(measure_metrics(made, target[:, piece]))
    if any(len(rows) < 2 for rows in found.values()):
        raise InputError(f"{printable(root)}: the recordings in Test are silent; copy them again")
    return [score_model(name, "la2a", rows) for name, rows in found.items()]
