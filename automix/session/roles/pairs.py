"""Finds stereo recordings that were written as two mono files."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal

Side = Literal["left", "right"]

_MARKER = re.compile(
    r"(?i:left|right)"
    r"|[LRlr](?![A-Za-z])"  # .L  _R  "L 1"; OHL counts only beside an OHR
    r"|(?<![A-Z])[LR](?=[A-Z][a-z])"  # LGtr, RGtr
)
_INDEX = re.compile(r"^\d{1,3}(?=[\s_.-])")


def find_stereo_pairs(stems: Sequence[str]) -> list[tuple[str, str]]:
    """Finds the names that differ in nothing but a marker of the side.

    List numbers in front may differ ("07 OH L", "08 OH R"). A name without a counterpart is in no
    pair, nor are names of which there are more on one side than on the other.

    Args:
        stems: File names without extension, of one folder.

    Returns:
        Left and right names, in the order of the left ones.
    """
    partners = _find_partners(stems)
    paired = {*partners, *partners.values()}
    partners |= _find_partners([stem for stem in stems if stem not in paired], ignore_index=True)
    return [(stem, partners[stem]) for stem in stems if stem in partners]


def name_pair(left: str, right: str) -> str:
    """Names a pair: the left name without its marker ("07 OH L" and "08 OH R": "07 OH").

    Args:
        left: Left name of one of the pairs that `find_stereo_pairs` found.
        right: Right name of that pair.
    """
    keys = {key for key, side, _ in _read_markers(right, ignore_index=True) if side == "right"}
    for key, side, rest in _read_markers(left, ignore_index=True):
        if side == "left" and key in keys and rest:
            return rest
    return left


def _find_partners(stems: Sequence[str], *, ignore_index: bool = False) -> dict[str, str]:
    """Finds the right name of each left name, both in full."""
    groups: dict[str, dict[Side, list[str]]] = defaultdict(lambda: {"left": [], "right": []})
    for stem in sorted(set(stems)):
        for key, side, _ in _read_markers(stem, ignore_index=ignore_index):
            groups[key][side].append(stem)
    found: dict[str, str] = {}
    for group in groups.values():
        if len(group["left"]) == len(group["right"]):
            for left, right in zip(group["left"], group["right"], strict=True):
                if not {left, right} & {*found, *found.values()}:
                    found[left] = right
    return found


def _read_markers(stem: str, *, ignore_index: bool) -> Iterator[tuple[str, Side, str]]:
    """Yields for each marker the name with a placeholder there, the side, the name without it."""
    for match in _MARKER.finditer(stem):
        before, after = stem[: match.start()], stem[match.end() :]
        side: Side = "left" if match.group()[0] in "lL" else "right"
        kept = _INDEX.sub("", before) if ignore_index else before
        yield f"{kept}\0{after}".casefold(), side, f"{before}{after}".strip(" _.-")
