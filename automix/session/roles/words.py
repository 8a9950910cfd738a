"""Splits track names into words, at capitals and separators, and finds those of one track alone.

Left out are list numbers and what all names of a song share.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from automix.files.extensions import AUDIO_EXTENSIONS
from automix.plan.roles import ROLE_TRAITS, Role

_EXTENSIONS = sorted(AUDIO_EXTENSIONS | {".m4a", ".aac"})  # also of what is not read
_EXTENSION = re.compile(rf"(?:{'|'.join(map(re.escape, _EXTENSIONS))})$", re.IGNORECASE)
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
    """Splits a file name, with or without an audio extension, into words and numbers."""
    name = unicodedata.normalize("NFC", _EXTENSION.sub("", name))
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


def find_own_words(name: str, siblings: Sequence[str] = ()) -> tuple[Word, ...]:
    """Finds the words that set a name apart: without list number and without the song's name.

    Args:
        name: A file name.
        siblings: The names of all tracks of the song; with or without ``name`` itself.

    Returns:
        At least one word, unless the name has none at all.
    """
    names = frozenset((name, *siblings))
    numbered, shared = _find_common(names)
    words = _without_index(split_words(name), numbered)[shared:]
    return _without_index(words, numbered) if shared else words


@lru_cache(maxsize=64)
def _find_common(names: frozenset[str]) -> tuple[bool, int]:
    """Finds whether most names begin with a list number, and how many words all begin with then.

    The shared words are taken for the song's name as long as each name keeps a word of its own. A
    word that means a role is kept where it comes last: "Vox Hi" and "Vox Lo" are no song "Vox".
    """
    split = [words for words in map(split_words, names) if words]
    numbered = 2 * sum(words[0].key.isdigit() for words in split) >= len(split)
    bare = [[word.key for word in _without_index(words, numbered)] for words in split]
    shared = 0
    if len(bare) > 1:
        while all(_has_word(keys[shared + 1 :]) for keys in bare) and (
            len({keys[shared] for keys in bare}) == 1
        ):
            shared += 1
        while shared and find_meaning(bare[0][shared - 1]):
            shared -= 1
    return numbered, shared


def _has_word(keys: Iterable[str]) -> bool:
    return any(len(key) > 1 and not key.isdigit() for key in keys)


def _without_index(words: tuple[Word, ...], numbered: bool) -> tuple[Word, ...]:
    """Drops list numbers such as those of "01_Kick", "1-01 Kick" and "7 OH L", not "808 Kick"."""
    while len(words) > 1 and words[0].key.isdigit() and len(words[0].key) <= 3:
        padded = words[0].key.startswith("0")
        apart = numbered and len(words[0].key) <= 2 and words[1].start > words[0].end
        if not (padded or apart) or words[0].key + words[1].key in VOCABULARY:  # 12 String
            break
        words = words[1:]
    return words
