"""Makes the table of Li and Lerch: errors of the parameters of a vocal mix, by what predicts them.

Level and loudness range are those of finished vocals over their backings. The gains of the
equalizer and the parameters of the reverb have no truth in a finished mix: they are drawn, as the
data of the paper were made, and applied to what a network hears. So are the dynamics from which a
network is to find the loudness range.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np

from automix.analysis.loudness import (
    Energies,
    integrated_lufs,
    loudness_range_lu,
    measure_energies,
)
from automix.errors import InputError
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.methods.vocal.settings import PAPER
from automix.plan.parameters import parameters
from automix.plan.settings import FdnReverbSettings
from automix.session.song_search import search_songs

LEVELS_LU = (-10.0, 6.0)
RANGES_LU = (5.0, 30.0)
"""Least and largest level and loudness range; songs outside are left out, as in the paper."""

BANDS = 9
CHANGED_BANDS = 4
LARGEST_GAIN_DB = 15.0
_DRAWS = 10_000

_REVERB = {
    "dry/wet": ("dry_wet", 100.0, "%"),
    "reverberation time": ("reverberation_time_s", 1.0, "s"),
    "fade-in time": ("fade_in_time_s", 1.0, "s"),
    "room size": ("room_size", 1.0, ""),
    "low cutoff": ("low_cutoff_hz", 1.0, "Hz"),
    "low gain": ("low_gain_db_s", 1.0, "dB/s"),
    "low Q": ("low_q", 1.0, ""),
    "high cutoff": ("high_cutoff_hz", 1.0, "Hz"),
    "high gain": ("high_gain_db_s", 1.0, "dB/s"),
    "high Q": ("high_q", 1.0, ""),
}


@dataclass(frozen=True, kw_only=True)
class VocalErrorRow:
    """One row of the table.

    Attributes:
        name: Name of the parameter that is predicted.
        unit: Unit of the errors, or empty.
        cases: Number of songs, or of draws.
        errors: Mean absolute error by predictor: ``mean`` predicts the mean of the other songs (of
            the distribution, where values are drawn), ``rule`` the target of the rules; the others
            are networks, by name of their weights.
    """

    name: str
    unit: str
    cases: int
    errors: dict[str, float]


def _find_mean(field: str) -> float:
    legal = parameters(FdnReverbSettings)[field].range
    if legal is None:
        raise RuntimeError(f"{field} has no range")
    return (legal.low + legal.high) / 2.0


_PLACES: dict[str, tuple[str, slice, float]] = {
    "relative loudness": ("level", slice(0, 1), 1.0),
    "loudness range": ("compression", slice(0, 1), 1.0),
    "equalizer gains": ("equalization", slice(0, BANDS), 1.0),
    **{
        name: ("reverb", slice(place, place + 1), factor)
        for place, (name, (_, factor, _)) in enumerate(_REVERB.items())
    },
}
"""Per row the network that predicts it, its outputs, and the factor to the unit of the row."""

_MEANS = {
    "equalizer gains": 0.0,
    **{n: _find_mean(field) for n, (field, _, _) in _REVERB.items()},
}
"""Means of the distributions of what is drawn, by row."""


def evaluate_vocal(
    folders: Sequence[Path],
    *,
    weights: Sequence[str] = (),
    device: str = "auto",
    seed: int = 0,
    report: Callable[[str], None] = lambda song: None,
) -> tuple[list[VocalErrorRow], list[str]]:
    """Computes the errors of the predictors on finished vocals.

    Args:
        folders: Folders of songs, each of which is a vocal and its backing, named so.
        weights: Weights of networks, as for ``--weights`` of `automix vocal`.
        device: Device that the networks run on.
        seed: Seed of the draws.
        report: Called with each song as it begins.

    Returns:
        The rows in the order of the paper, and notes for the user.

    Raises:
        InputError: A file cannot be used, or fewer than two songs are.
        DeviceError: Weights or device cannot be used.
    """
    notes: list[str] = []
    levels, ranges, kept = [], [], []
    for folder in folders:
        for item in search_songs(str(folder), kind="vocal"):
            report(item.song)
            vocal, backing = (_measure_energies(Path(path)) for path in item.inputs)
            level_lu = integrated_lufs(vocal) - integrated_lufs(backing)
            range_lu = loudness_range_lu(vocal, PAPER.loudness_range_window_s)
            if not math.isfinite(level_lu):
                notes.append(f"{printable(item.song)}: left out, its vocal or backing is silent")
                continue
            inside = LEVELS_LU[0] <= level_lu <= LEVELS_LU[1]
            if not (inside and RANGES_LU[0] <= range_lu <= RANGES_LU[1]):
                notes.append(
                    f"{printable(item.song)}: left out, vocal at {level_lu:.1f} LU with a loudness"
                    f" range of {range_lu:.1f} LU"
                )
                continue
            levels.append(level_lu)
            ranges.append(range_lu)
            kept.append(item.inputs)
    if len(levels) < 2:
        raise InputError(
            f"{', '.join(map(printable, folders))}: {len(levels)} usable songs of a vocal and its"
            " backing; two are needed"
        )
    rows = [
        _score_songs("relative loudness", levels, PAPER.relative_loudness_lu),
        _score_songs("loudness range", ranges, PAPER.loudness_range_below_lu),
    ]
    rows += _score_draws(np.random.default_rng(seed))
    if weights:
        rows, more = _add_networks(rows, kept, levels, ranges, weights, device, seed, report)
        notes += more
    return rows, notes


def _add_networks(
    rows: list[VocalErrorRow],
    inputs: Sequence[tuple[str, ...]],
    levels: Sequence[float],
    ranges: Sequence[float],
    weights: Sequence[str],
    device: str,
    seed: int,
    report: Callable[[str], None],
) -> tuple[list[VocalErrorRow], list[str]]:
    """Adds the errors of networks to the rows, beside those of the mean over the same cases."""
    from automix.evaluation.vocal_networks import Case, open_named_networks, predict_song
    from automix.networks.vocal_mel import use_one_thread

    networks = open_named_networks(weights, device)
    notes = [note for found in networks.values() for note in found.notes]
    cases: list[Case] = []
    for number, ((vocal, backing), level_lu, range_lu) in enumerate(
        zip(inputs, levels, ranges, strict=True)
    ):
        rng = np.random.default_rng((seed, number))
        files = Path(vocal), Path(backing)
        with use_one_thread():
            cases += predict_song(*files, level_lu, range_lu, networks, rng, report)
    by_row = {row.name: row for row in rows}
    for name, (task, places, factor) in _PLACES.items():
        truths = np.array([case.truth for case in cases if case.task == task])[:, places]
        row = by_row[name]
        errors = dict(row.errors)
        if task in ("equalization", "reverb"):  # the mean of what is drawn, over these cases
            errors["mean"] = float(np.abs(truths - _MEANS[name]).mean() * factor)
        for network in networks:
            if all(network in case.predictions for case in cases if case.task == task):
                said = np.array([case.predictions[network] for case in cases if case.task == task])
                errors[network] = float(np.abs(said[:, places] - truths).mean() * factor)
        count = row.cases if task == "level" else len(truths)
        by_row[name] = replace(row, cases=count, errors=errors)
    return list(by_row.values()), notes


def _measure_energies(path: Path) -> Energies:
    return measure_energies(open_audio(path, ReadOptions(), in_memory=False).source)


def _score_songs(name: str, values: Sequence[float], rule: float) -> VocalErrorRow:
    total = sum(values)
    others = [(total - value) / (len(values) - 1) for value in values]
    return VocalErrorRow(
        name=name,
        unit="LU",
        cases=len(values),
        errors={
            "mean": fmean(abs(v - m) for v, m in zip(values, others, strict=True)),
            "rule": fmean(abs(value - rule) for value in values),
        },
    )


def _score_draws(rng: np.random.Generator) -> list[VocalErrorRow]:
    gains = rng.uniform(-LARGEST_GAIN_DB, LARGEST_GAIN_DB, (_DRAWS, BANDS))
    gains[np.argsort(rng.random((_DRAWS, BANDS)), axis=1) >= CHANGED_BANDS] = 0.0
    rows = [
        VocalErrorRow(
            name="equalizer gains",
            unit="dB",
            cases=_DRAWS,
            errors={"mean": float(np.abs(gains).mean())},  # of which the mean is 0
        )
    ]
    declared = parameters(FdnReverbSettings)
    for name, (field, factor, unit) in _REVERB.items():
        allowed = declared[field].range
        if allowed is None:
            raise RuntimeError(f"{field} has no range")
        drawn = factor * rng.uniform(allowed.low, allowed.high, _DRAWS)
        error = float(np.abs(drawn - drawn.mean()).mean())
        rows.append(VocalErrorRow(name=name, unit=unit, cases=_DRAWS, errors={"mean": error}))
    return rows
