"""Names of tracks that read well, from the names of their files."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from automix.plan.model import MASTER
from automix.session.roles.own_words import find_own_words
from automix.session.roles.words import Word, split_words

_LEFTOVER = re.compile(
    r"dup\d*|bip|v\d+|take\d*|tk\d+|\d+bpm|bpm|\d+bit|\d+k(hz)?|export|bounce|bounced|rendered"
    r"|consolidated",
)
_JOINED_LETTERS = 2  # B3, U87, SM57, but "tom 1"


def make_natural_name(stem: str, siblings: Sequence[str] = ()) -> str:
    """Makes a readable name: "01_Kick_In" becomes "kick in", "MySong_Gtr1" of that song "gtr 1".

    List numbers, the song's name, numbers of takes and traces of an export are left out as long as
    no sibling would be called the same.

    Args:
        stem: File name, with or without its extension.
        siblings: The names of all tracks of the song.

    Returns:
        The name in lower case, never empty; the same as in `make_natural_names` unless two names
        share every word.
    """
    names = list(dict.fromkeys((*siblings, stem)))
    return make_natural_names(names)[names.index(stem)]


def make_unreserved_name(name: str, taken: Collection[str]) -> str:
    """Makes a name that the master of a plan does not have: "master" becomes "master track".

    Args:
        name: A track's name.
        taken: Names that other tracks have.
    """
    unique = name
    while unique == MASTER or (unique != name and unique in taken):
        unique += " track"
    return unique


def describe_new_names(names: Mapping[str, str]) -> list[str]:
    """Writes a note for each track whose name, the key, is not the one that it has now."""
    return [
        f"a track may not be called {name!r}: it is {new!r} here"
        for name, new in sorted(names.items())
        if new != name
    ]


def make_natural_names(stems: Sequence[str]) -> list[str]:
    """Makes the natural names of all tracks of a song, each different from the others.

    Args:
        stems: File names, with or without their extensions.

    Returns:
        One name per stem, in the order of the stems.
    """
    spellings = [_spell(stem, stems) for stem in stems]
    names = [short for short, *_ in spellings]
    for detail in (1, 2):
        taken = Counter(names)
        names = [
            spelling[detail] if taken[name] > 1 else name
            for name, spelling in zip(names, spellings, strict=True)
        ]
    return _number_alike(names)


def _spell(stem: str, siblings: Sequence[str]) -> tuple[str, str, str]:
    """Spells a name with as few words as possible, with all of its own, and with the song's."""
    chunks = _join_designations(find_own_words(stem, siblings))
    kept = [
        chunk
        for place, chunk in enumerate(chunks)
        if not (_LEFTOVER.fullmatch(chunk) or (place and re.fullmatch(r"0\d*", chunk)))
    ]
    short = " ".join(_drop_zeros(chunk) for chunk in kept)
    full = " ".join(_drop_zeros(chunk) for chunk in chunks) or "track"
    whole = " ".join(_join_designations(split_words(stem))) or "track"
    return (short if re.search(r"[^\W\d]", short) else full), full, whole


def _join_designations(words: Sequence[Word]) -> list[str]:
    """Joins the words in lower case; letters and digits of one designation stay together."""
    chunks: list[str] = []
    end = -1
    for word in words:
        text = word.text.lower()
        if word.start == end and _belong_together(chunks[-1], text):
            chunks[-1] += text
        else:
            chunks.append(text)
        end = word.end
    return chunks


def _belong_together(before: str, after: str) -> bool:
    if after.isdigit():
        short = before.isalpha() and len(before) <= _JOINED_LETTERS
        return short or bool(_LEFTOVER.fullmatch(before + after))
    return before.isdigit() and len(after) > 1


def _drop_zeros(chunk: str) -> str:
    """Drops the leading zeros of a number."""
    return str(int(chunk)) if chunk.isdecimal() else chunk


def _number_alike(names: Sequence[str]) -> list[str]:
    """Numbers what is still alike: "vox", "vox 2"; no number makes a name that another one has."""
    taken = set(names)
    result: list[str] = []
    for name in names:
        number = 2
        unique = name
        while unique in result or (unique != name and unique in taken):
            unique = f"{name} {number}"
            number += 1
        result.append(unique)
    return result
