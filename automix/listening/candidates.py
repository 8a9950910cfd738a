"""Compares candidates of one song: how far apart they are, and a page to hear them."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from automix.evaluation.mixes import Excerpt, evaluate_mixes
from automix.files.names import spell_bytes
from automix.listening.design import Design, Passage, TestDescription
from automix.listening.making import MadeTest, make_test

_COMPARED_S = 30.0


def measure_distances(mixes: Sequence[Path]) -> Iterator[tuple[int, int, float]]:
    """Measures the distance of each two mixes at one loudness, over at most 30 s.

    Args:
        mixes: Files of the mixes.

    Yields:
        The indexes of two mixes, and their stereo spectral distance
        (`automix.evaluation.metrics.stereo_mr_stft`).

    Raises:
        InputError: A file cannot be used.
    """
    excerpt = Excerpt(duration_s=_COMPARED_S)
    for first, second in combinations(range(len(mixes)), 2):
        *_, found = evaluate_mixes([mixes[second]], mixes[first], excerpt)
        yield first, second, found.figures["stereo_mr_stft"]


def make_comparison_page(mixes: Sequence[Path], folder: Path, *, overwrite: bool) -> MadeTest:
    """Makes a page on which the mixes are heard at one loudness and rated, in random order.

    Args:
        mixes: Files of the mixes.
        folder: Folder that the page is written to.
        overwrite: Whether files there may be replaced.

    Raises:
        InputError: A mix is too short or silent.
        OutputError: A file is in the way, or cannot be written.
    """
    passage = Passage(name="candidates", mixes={spell_bytes(p.stem): p for p in mixes}, start_s=0.0)
    description = TestDescription(
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
