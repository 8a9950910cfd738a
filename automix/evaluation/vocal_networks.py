"""Asks the vocal networks about finished vocals, and about copies of them with known damage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automix.audio.blocks import collect
from automix.audio.resampling import resample
from automix.audio.samples import Audio
from automix.evaluation.vocal_copies import (
    change_dynamics,
    draw_expansion,
    draw_reverb,
    draw_sparse_gains_db,
    equalize_vocal,
    reverberate_vocal,
)
from automix.files.info import ReadOptions
from automix.files.reading import open_audio
from automix.methods.vocal.cnn_settings import VocalNetworks
from automix.methods.vocal.cnn_weights import Networks, open_networks
from automix.networks.vocal_cnn_description import CHANGED_BANDS, REVERB_FIELDS, VocalTask
from automix.networks.vocal_mel import GATE_DB, RATE_HZ, MelFrames, measure_spectra, pair_spectra

COPIES = 8
"""Number of damaged copies of each vocal, for each task."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case to predict.

    Attributes:
        task: Task of the network that predicts it.
        truth: True values, in the order of the network's outputs.
        predictions: Predicted values by name of the weights.
    """

    task: VocalTask
    truth: tuple[float, ...]
    predictions: Mapping[str, tuple[float, ...]]


def open_named_networks(weights: Sequence[str], device: str) -> dict[str, Networks]:
    """Opens networks, by name of their weights.

    Args:
        weights: Names or files of weights, as for ``--weights`` of `automix vocal`.
        device: Device that they run on, as in `automix.networks.device`.

    Raises:
        DeviceError: Weights or device cannot be used.
    """
    found = {}
    for given in weights:
        name = Path(given).name or given
        found[name] = open_networks(VocalNetworks(weights=given, device=device))
    return found


def predict_song(
    vocal: Path,
    backing: Path,
    level_lu: float,
    range_lu: float,
    networks: Mapping[str, Networks],
    rng: np.random.Generator,
    report: Callable[[str], None] = lambda stage: None,
) -> Iterator[Case]:
    """Asks networks about a song and about its damaged copies.

    The level is predicted from the vocal as it is. The loudness range is that of the vocal as it
    is, predicted from copies with other dynamics; gains and reverbs are those of the copies.

    Args:
        vocal: File of the finished vocal.
        backing: File of its backing.
        level_lu: Loudness of the vocal minus that of the backing.
        range_lu: Loudness range of the vocal.
        networks: Networks by name of their weights.
        rng: Generator that draws the damage.
        report: Called with each task as it begins.

    Raises:
        InputError: A file cannot be used.
    """
    audio, under = _read(vocal), measure_spectra(_read(backing))

    def case(task: VocalTask, copy: Audio, truth: Sequence[float]) -> Case:
        return Case(
            task=task, truth=tuple(truth), predictions=_predict(task, copy, under, networks)
        )

    report("level")
    yield case("level", audio, [level_lu])
    for task in ("compression", "equalization", "reverb"):
        report(task)
        for _ in range(COPIES):
            if task == "compression":
                yield case("compression", change_dynamics(audio, draw_expansion(rng)), [range_lu])
            elif task == "equalization":
                gains_db = draw_sparse_gains_db(rng)
                yield case("equalization", equalize_vocal(audio, gains_db), gains_db)
            else:
                reverb = draw_reverb(rng)
                truth = [getattr(reverb, field) for field in REVERB_FIELDS]
                yield case("reverb", reverberate_vocal(audio, reverb), truth)


def _read(path: Path) -> Audio:
    return collect(resample(open_audio(path, ReadOptions()).source, RATE_HZ))


def _predict(
    task: VocalTask, copy: Audio, under: MelFrames, networks: Mapping[str, Networks]
) -> dict[str, tuple[float, ...]]:
    pair = pair_spectra(measure_spectra(copy), under)
    predictions = {}
    for name, by_task in networks.items():
        if task in by_task and (pair.level_db > GATE_DB).any():
            values = by_task[task].predict(pair)
            predictions[name] = tuple(
                keep_largest_gains(values) if task == "equalization" else values
            )
    return predictions


def keep_largest_gains(gains_db: Sequence[float]) -> list[float]:
    """Keeps the four largest gains and sets the others to 0: what `automix vocal` undoes."""
    order = sorted(range(len(gains_db)), key=lambda band: -abs(gains_db[band]))[:CHANGED_BANDS]
    return [gain_db if band in order else 0.0 for band, gain_db in enumerate(gains_db)]
