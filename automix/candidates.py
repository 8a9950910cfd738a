"""Candidates: mixes that differ in what listeners differ about, and how far apart they are."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from automix.evaluation.mixes import Excerpt, evaluate_mixes
from automix.listening.design import Description, Design, Passage
from automix.listening.making import Made, make_test
from automix.macros import Macros, apply_macros
from automix.methods.writing import PlanWriter
from automix.plan import MixPlan

SPREADS = {
    "vocals_db": (-3.0, 3.0),
    "reverb_percent": (-60.0, 90.0),
    "width_percent": (-50.0, 50.0),
    "brightness_db": (-3.0, 3.0),
}
"""How far candidates go: heard at once, and still a mix (De Man et al., AES 136, 2014, find
engineers some 3 dB apart in the level of a vocal)."""

_TRIALS = 500
_COMPARED_S = 30.0


def draw_candidates(plan: MixPlan, count: int, seed: int) -> list[Macros]:
    """What candidates change of a plan: nothing at first, then each far from all before.

    Args:
        plan: What the method wrote; macros that find nothing in it to change are left alone.
        count: How many.
        seed: Another seed draws others.
    """
    rng = random.Random(seed)
    fields = [name for name in SPREADS if _changes(plan, name)]
    trials = [tuple(rng.uniform(-1.0, 1.0) for _ in fields) for _ in range(_TRIALS)]
    chosen: list[tuple[float, ...]] = [(0.0,) * len(fields)]
    while len(chosen) < count:
        chosen.append(max(trials, key=lambda trial: min(_apart(trial, c) for c in chosen)))
    return [
        Macros(
            **{
                name: round(high * part if part > 0.0 else -low * part, 1 if high < 10.0 else 0)
                for name, part in zip(fields, parts, strict=True)
                for low, high in [SPREADS[name]]
            }
        )
        for parts in chosen
    ]


def _changes(plan: MixPlan, name: str) -> bool:
    writer = PlanWriter(replace(plan, decisions=()))
    apply_macros(writer, Macros(**{name: SPREADS[name][1]}))
    return not writer.warnings


def _apart(first: Sequence[float], second: Sequence[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))


def pairwise_distances(mixes: Sequence[Path]) -> Iterator[tuple[int, int, float]]:
    """Stereo spectral distance of each two mixes at one loudness, over at most 30 s.

    Args:
        mixes: Files.

    Yields:
        Their indexes and the distance, see `automix.evaluation.metrics.stereo_mr_stft`.

    Raises:
        InputError: A file cannot be used.
    """
    excerpt = Excerpt(duration_s=_COMPARED_S)
    for first, second in combinations(range(len(mixes)), 2):
        *_, found = evaluate_mixes([mixes[second]], mixes[first], excerpt)
        yield first, second, found.figures["stereo_mr_stft"]


def comparison_page(mixes: Sequence[Path], folder: Path, *, overwrite: bool) -> Made:
    """A page on which the mixes are heard at one loudness and rated, in random order.

    Raises:
        InputError: A mix is too short or silent.
        OutputError: Something is in the way, or cannot be written.
    """
    passage = Passage(name="candidates", mixes={p.stem: p for p in mixes}, start_s=0.0)
    description = Description(
        design=Design(kind="ape", title="Candidates", question="Which mix do you prefer?"),
        passages=(passage,),
        training=None,
        training_start_s=0.0,
        questions=(),
    )
    return make_test(
        description,
        folder,
        overwrite=overwrite,
        webmushra_folder=None,
        report=lambda stage: None,
    )
