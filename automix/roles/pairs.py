"""Stereo recordings that were written as two mono files."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal

Side = Literal["left", "right"]

_MARKER = re.compile(
    r"left|right|lft|rgt"
    r"|(?<![a-z])[lr](?![a-z])"  # .L  _R  " L1"
    r"|(?<=[a-z])[lr](?![a-z])",  # OHL: only taken where an OHR stands beside it
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"(?<![A-Z])[LR](?=[A-Z][a-z])")  # LGtr, "OhRMic"
_INDEX = re.compile(r"^\d{1,3}(?=[\s_.-])")


def stereo_pairs(stems: Sequence[str]) -> list[tuple[str, str]]:
    """Finds the names that differ in nothing but a marker of the side.

    A list number in front may differ too ("07 OH L", "08 OH R"). A name without its counterpart, or
    with several that fit equally, is in no pair.

    Args:
        stems: File names without extension, of one folder.

    Returns:
        Left and right names, in the order of the left ones.
    """
    partners = _partners(stems, numbered=True)
    partners |= _partners([stem for stem in stems if stem not in _flat(partners)], numbered=False)
    return [(stem, partners[stem]) for stem in stems if stem in partners]
