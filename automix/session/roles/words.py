"""Splits track names into words, at capitals and separators, and knows which mean a role."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from automix.files.extensions import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS
from automix.plan.roles import ROLE_TRAITS, Role

_EXTENSIONS = sorted(AUDIO_EXTENSIONS | VIDEO_EXTENSIONS)
_EXTENSION = re.compile(rf"(?:{'|'.join(map(re.escape, _EXTENSIONS))})$", re.IGNORECASE)
_LONGEST = 255
_WORD = re.compile(
    r"[A-Z]{2,}s(?![A-Za-z])"  # OHs, BVs
    r"|[A-Z]+(?![a-z])|[A-Z]?[a-z]+"  # VOX, E+Gtr, Kick, kick
    r"|[0-9]+"
    r"|[^\W\d_A-Za-z]+"  # scripts without the Latin letters
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a name.

    Attributes:
        text: The word as it was written.
        key: The word as it is looked up: in lower case, without accents.
        start: Position of its first character in the name.
        end: Position after its last character.
    """

    text: str
    key: str
    start: int
    end: int


@lru_cache(maxsize=1024)
def split_words(name: str) -> tuple[Word, ...]:
    """Splits a file name, with or without an audio extension, into words and numbers.

    No file has a name longer than `_LONGEST`; of any other text, the start is read.
    """
    name = unicodedata.normalize("NFC", _EXTENSION.sub("", name)[:_LONGEST])
    plain = "".join(unicodedata.normalize("NFD", character)[0] for character in name)
    return tuple(
        Word(name[slice(*match.span())], match.group().lower(), *match.span())
        for match in _WORD.finditer(plain)
    )


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word says about the role of a track.

    Attributes:
        role: The role.
        is_hint: Whether the word counts only where nothing else tells the role.
    """

    role: Role
    is_hint: bool


VOCABULARY: dict[str, Meaning] = {
    word: Meaning(role, is_hint)
    for is_hint in (True, False)
    for role, traits in ROLE_TRAITS.items()
    for word in (traits.hints if is_hint else traits.words).split()
}


def find_meaning(key: str) -> Meaning | None:
    """Looks up what a word means, in the singular or the plural; none if it means no role."""
    return VOCABULARY.get(key) or (VOCABULARY.get(key[:-1]) if key.endswith("s") else None)


def split_set(words: str) -> frozenset[str]:
    """Splits a text of words into their set."""
    return frozenset(words.split())


LEAD_WORDS = split_set("lead ld main principal")
"""Words for what stands in front."""

NEUTRAL_WORDS = LEAD_WORDS | split_set(
    "in out inside outside top bot btm bottom under up down lo low mid hi high left right mono"
    " stereo dbl double dt amp mic cab di dry wet bus grp sum mix stem comp close far near front"
    " l r s"
)
"""Words that may be run together with a role's: "kickin", "ohl", "mainvox"."""


@lru_cache(maxsize=1024)
def split_joined(key: str) -> tuple[str, ...]:
    """Takes apart words that were run together, if one of them means a role; else the key alone."""
    parts = _split_into_known(key)
    if len(parts) > 1 and any(
        (found := find_meaning(part)) and not found.is_hint for part in parts
    ):
        return parts
    return (key,)


@lru_cache(maxsize=4096)  # its parts are looked up again and again: "hihathihathihat"
def _split_into_known(key: str) -> tuple[str, ...]:
    """Finds the fewest known words that make up ``key``; empty if there are no such words."""
    if key in NEUTRAL_WORDS or (len(key) > 1 and find_meaning(key)):
        return (key,)
    found: list[tuple[str, ...]] = []
    for length in range(len(key) - 1, 1, -1):
        first, others = key[:length], key[length:]
        if (first in NEUTRAL_WORDS or find_meaning(first)) and (rest := _split_into_known(others)):
            found.append((first, *rest))
    return min(found, key=len, default=())
