"""Finds the words that set the name of one track apart from the others of its song.

Left out are list numbers, what all names of a song share, and a song's initials.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from automix.session.roles.initials import (
    count_initials,
    cut_letters,
    drop_shared_initials,
    find_shared_initials,
)
from automix.session.roles.words import VOCABULARY, Word, find_meaning, split_words


def find_own_words(name: str, siblings: Sequence[str] = ()) -> tuple[Word, ...]:
    """Finds the words that set a name apart: without list number and without the song's name.

    Args:
        name: A file name.
        siblings: The names of all tracks of the song; with or without ``name`` itself.

    Returns:
        At least one word, unless the name has none at all.
    """
    names = frozenset((name, *siblings))
    numbered, initials, shared = _find_common(names)
    words = drop_shared_initials(_without_index(split_words(name), numbered), initials)[shared:]
    words = _without_index(words, numbered) if shared else words
    return cut_letters(words, count_initials(words))


@lru_cache(maxsize=64)
def _find_common(names: frozenset[str]) -> tuple[bool, str, int]:
    """Finds what names have in common.

    The shared words are taken for the song's name as long as each name keeps a word of its own. A
    word that means a role is kept where it comes last: "Vox Hi" and "Vox Lo" are no song "Vox".

    Returns:
        Whether most names begin with a list number, the initials that most begin with then, and how
        many words all begin with after these.
    """
    split = [words for words in map(split_words, names) if words]
    numbered = 2 * sum(words[0].key.isdigit() for words in split) >= len(split)
    without_index = [_without_index(words, numbered) for words in split]
    initials = find_shared_initials(frozenset(without_index))
    bare = [drop_shared_initials(words, initials) for words in without_index]
    keys = [[word.key for word in words] for words in bare]
    shared = 0
    if len(bare) > 1:
        while all(_has_word(own[shared + 1 :]) for own in keys) and (
            len({own[shared] for own in keys}) == 1
        ):
            shared += 1
        while shared and _means_something(keys, shared - 1):
            shared -= 1
    if shared == 1 and all(count_initials(words) for words in bare) and _are_alike(bare):
        shared = 0  # "QRSEGtr L" and "QRSEGtr R": more than the initials is shared
    return numbered, initials, shared


def _means_something(keys: Sequence[Sequence[str]], place: int) -> bool:
    """Whether a shared word means a role, alone or with the one behind it ("E Gtr")."""
    return find_meaning(keys[0][place]) is not None or all(
        find_meaning("".join(own[place : place + 2])) for own in keys
    )


def _are_alike(names: Sequence[Sequence[Word]]) -> bool:
    """Whether the second words of all names mean one role."""
    found = {find_meaning(words[1].key) for words in names}
    return len(found) == 1 and None not in found


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
