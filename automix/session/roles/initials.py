"""Finds a song's initials where they are glued to the names of its tracks: "QRSBGVocals", "PNBOH".

Beside its siblings, a name has the initials that most of them begin with, if more of the names can
be read without them. Alone, a name has initials where it begins with capitals that mean nothing as
they stand but end in a word that does.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from automix.plan.roles import ROLE_FAMILIES, Family, Role
from automix.session.roles.words import NEUTRAL_WORDS, Word, find_meaning, split_joined

_FEWEST, _MOST = 2, 5
"""How many letters initials have where only one name is seen."""

_SURE = 0.9
"""Part of the names that must be readable without initials which mean a role: "SDKick", "SDVox"."""

_LONGEST_SHARED = 12
"""The longest name of a song that is looked for where its tracks show it."""

_SHARE = 0.6
"""Part of a song's names that must begin with its initials."""

_WINDOW = 3  # as many words as `recognition` takes for one
_VOWELS = set("aeiouy")
_DESCRIBES: frozenset[Role] = frozenset({"fx", "room"})
"""What a whole folder may be of: "FXVox", "FXGtr" are returns, and no song is called FX."""

Words = tuple[Word, ...]


@lru_cache(maxsize=64)
def find_shared_initials(names: frozenset[Words]) -> str:
    """Finds the initials that most names of a song begin with; empty if there are none.

    Args:
        names: The words of each name, without its list number.
    """
    split = [words for words in names if words]
    whole = best = _read_all(split)
    initials = ""
    also_a_word = ""
    for length in range(_FEWEST, _LONGEST_SHARED + 1):
        for start in sorted({_read_run(words)[:length] for words in split}):
            sharing = [words for words in split if _begins_with(words, start)]
            enough = max(_SHARE * len(split), 2 if _looks_like_initials(start) else 3)
            if len(start) < length or len(sharing) < enough:
                continue
            cut = [cut_letters(words, length) for words in sharing]
            families = set().union(*(_read(words)[0] for words in cut))
            readable = sum(map(_is_readable, cut))
            if len(families) < 2 or 2 * readable < len(cut):  # "BGVox", "BGVocals": described by it
                continue
            if len(families) > 2 and _may_be_a_song(start) and readable >= _SURE * len(cut):
                also_a_word = start
            found = _read_all([drop_shared_initials(words, start) for words in split])
            if found[:2] > whole[:2] and (not initials or found > best):
                best, initials = found, start
    if initials:
        glued = [len(_read_run(words)) > len(initials) for words in split]
        return initials if 2 * sum(glued) > len(split) else ""  # "storm_kick" has words of its own
    return also_a_word


def drop_shared_initials(words: Words, initials: str) -> Words:
    """Drops the initials that `find_shared_initials` found, where the name begins with them.

    A name that can only be read with these letters keeps them.
    """
    if not initials or not _begins_with(words, initials):
        return words
    cut = cut_letters(words, len(initials))
    return cut if _read_all([cut]) >= _read_all([words]) or _may_be_a_song(initials) else words


def count_initials(words: Words) -> int:
    """Counts the letters of a single name that are initials: 3 of "QRSBGVocals", 0 of "BGVocals".

    Letters count as initials if no ordinary word begins like that: three and more without a vowel
    ("QRS"), two before a word of capitals that is glued to another word ("MTBGVox").

    Args:
        words: The words of the name, without its list number.
    """
    if not words or not re.fullmatch(r"[A-Z]{3,}s?", words[0].text) or _is_known(words[0].key):
        return 0
    key, others = words[0].key, words[1:]
    is_glued = bool(others) and others[0].start == words[0].end and others[0].key.isalpha()
    for length in range(_FEWEST, min(_MOST, len(key) - 1) + 1):
        start, rest = key[:length], key[length:]
        is_plain = _looks_like_initials(start)
        if not is_glued:
            fits = is_plain and len(rest) > 1 and _is_known(rest)
        elif len(rest) == 1:  # E+Gtr, A+Gtr
            joined = find_meaning(rest + others[0].key)
            fits = is_plain and joined is not None
        else:
            fits = (_VOWELS.isdisjoint(start) or length <= _FEWEST + 1) and _refines(rest, others)
        if fits:
            return length
    return 0


def _looks_like_initials(start: str) -> bool:
    """Whether hardly any ordinary word begins with these letters."""
    return len(start) > _FEWEST and _VOWELS.isdisjoint(start.lower())


def cut_letters(words: Words, count: int) -> Words:
    """Cuts letters off the beginning of a name."""
    if not words:
        return words
    begin = words[0].start + count
    return tuple(
        word
        if word.start >= begin
        else Word(word.text[begin - word.start :], word.key[begin - word.start :], begin, word.end)
        for word in words
        if word.end > begin
    )


def _refines(key: str, others: Words) -> bool:
    """Whether a word in front of others goes with them: "bg" of "vocals", "sn" of "top"."""
    families, _, _ = _read(others)
    found = find_meaning(key)
    if found is None:
        return not families and split_joined(key) != (key,)
    if families:
        return found.is_hint or found.role in ("fx", "backing vocal")
    return not found.is_hint and others[0].key in NEUTRAL_WORDS


def _may_be_a_song(start: str) -> bool:
    """Whether letters that mean a role can be a song's initials.

    They are taken for these in front of things of three families that can be read without them.
    """
    found = find_meaning(start.lower())
    return found is not None and not found.is_hint and found.role not in _DESCRIBES


def _is_readable(words: Words) -> bool:
    """Whether a name means a role and holds nothing unknown."""
    families, unknown, _ = _read(words)
    return bool(families) and not unknown


def _read_all(names: Sequence[Words]) -> tuple[int, int, int]:
    """Counts how many names mean a role; less than 0, how many words mean nothing, and all words.

    Of two ways to cut names, the one with the larger figures reads them better.
    """
    read = [_read(words) for words in names]
    return (
        sum(bool(families) for families, _, _ in read),
        -sum(unknown for _, unknown, _ in read),
        -sum(count for _, _, count in read),
    )


def _read(words: Words) -> tuple[set[Family], int, int]:
    """Finds the families that the words name; counts words that mean nothing, and all words."""
    families: set[Family] = set()
    unknown = count = 0
    start = 0
    while start < len(words):
        for stop in range(min(start + _WINDOW, len(words)), start, -1):
            key = "".join(word.key for word in words[start:stop])
            parts = split_joined(key) if stop == start + 1 else (key,)
            meanings = [meaning for part in parts if (meaning := find_meaning(part))]
            if meanings:
                families |= {ROLE_FAMILIES[meaning.role] for meaning in meanings}
                count += len(parts)
                break
        else:
            stop = start + 1
            key = words[start].key
            count += 1
            is_last = stop == len(words)
            unknown += not (key.isdigit() or (key in NEUTRAL_WORDS and (is_last or len(key) > 1)))
        start = stop
    return families, unknown, count


def _is_known(key: str) -> bool:
    return key in NEUTRAL_WORDS or find_meaning(key) is not None or split_joined(key) != (key,)


def _read_run(words: Words) -> str:
    """Reads the letters at the beginning of a name that no separator parts."""
    run = ""
    end = words[0].start
    for word in words:
        if word.start != end or not word.key.isalpha():
            break
        run += word.text
        end = word.end
    return run


def _begins_with(words: Words, initials: str) -> bool:
    """Whether a name begins with letters of one case, glued to more letters."""
    run = _read_run(words) if words else ""
    is_one_case = initials.isupper() or initials.islower()
    return (
        is_one_case and run.startswith(initials) and words[-1].end > words[0].start + len(initials)
    )
