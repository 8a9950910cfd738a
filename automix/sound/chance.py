"""Random choices, each from a generator that depends on a seed and a purpose only."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")


def make_generator(seed: int, name: str) -> np.random.Generator:
    """Makes a random generator for one part alone, so that the parts do not depend on each other.

    Args:
        seed: Seed of the whole song.
        name: Name of the part.
    """
    return np.random.default_rng((seed, *name.encode()))


def pick(rng: np.random.Generator, choices: Sequence[Item]) -> Item:
    """Draws one of the choices, all equally likely."""
    return choices[int(rng.integers(len(choices)))]
