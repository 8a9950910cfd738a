"""The kinds of rides that are written, by the names that people ask for them."""

from collections.abc import Collection
from typing import Literal

RideKind = Literal["vocal", "sections", "mutes"]

RIDE_KINDS: tuple[RideKind, ...] = ("vocal", "sections", "mutes")
ALL = "all"


def choose_kinds(names: Collection[str]) -> frozenset[RideKind]:
    """The kinds that are meant by some names, of which ``all`` means all."""
    return frozenset(kind for kind in RIDE_KINDS if kind in names or ALL in names)
