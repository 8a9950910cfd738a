"""Track names as words: CamelCase, separators, list numbers, and what all names of a song share."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from automix.plan.roles import ROLE_TRAITS, Role

_EXTENSION = re.compile(
    r"\.(wav|wave|aiff?|flac|ogg|oga|opus|mp3|m4a|aac|caf|w64|rf64|bwf)$", re.IGNORECASE
)
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
        text: As written.
        key: For looking up: lower case, no accents.
        start: Its place in the name.
        end: One past its last character.
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
    """What a word says about the role; a hint says it only where nothing else does."""

    role: Role
    is_hint: bool


VOCABULARY: dict[str, Meaning] = {
    word: Meaning(role, is_hint)
    for is_hint in (True, False)
    for role, traits in ROLE_TRAITS.items()
    for word in (traits.hints if is_hint else traits.words).split()
}


def meaning(key: str) -> Meaning | None:
    """Looks up a word in the singular or the plural."""
    return VOCABULARY.get(key) or (VOCABULARY.get(key[:-1]) if key.endswith("s") else None)


def own_words(name: str, siblings: Sequence[str] = ()) -> tuple[Word, ...]:
    """The words that set a name apart: without list number and without the song's name.

    Args:
        name: A file name.
        siblings: The names of all tracks of the song; with or without ``name`` itself.

    Returns:
        At least one word, unless the name has none at all.
    """
    names = frozenset((name, *siblings))
    numbered, shared = _layout(names)
    words = _without_index(split_words(name), numbered)[shared:]
    return _without_index(words, numbered) if shared else words


@lru_cache(maxsize=64)
def _layout(names: frozenset[str]) -> tuple[bool, int]:
    """Whether most names begin with a list number, and how many words all then begin with.

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
        while shared and meaning(bare[0][shared - 1]):
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
