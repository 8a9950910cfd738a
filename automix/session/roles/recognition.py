"""Reads the role of a track from its name.

Names are noun phrases, so where two instruments remain, the last decides ("synth strings"). Before
that come these rules, which are what an engineer means by such a name:

- A piece of the kit beats the kit ("drum kick", "snare loop"), its overheads and rooms beat the
  piece ("OH ride side", "snare room"), and several pieces are a drum mix ("kick hats"). Of any
  other instrument, overheads and rooms are microphone positions ("piano room").
- Bass beats what it is played on ("bass gtr", "synth bass"), except winds ("bass clarinet").
- A pad is a pad, whatever it is made of ("string pad", "vox pad").
- A backing word makes any vocal a backing vocal ("vox harm"). So does an instrument: "gtr vox" is
  the guitarist's microphone.
- A printed effect return is fx ("vox verb", "snare plate"): it must never be as loud as what it
  came from. Delay, echo and reverse are ways to play as well, so they only count against a lead
  vocal and cymbals.
- "Lead" alone is a lead vocal next to backing vocals, a synth next to another lead vocal.
- "Beat", "inst" and such, next to vocals only, are the backing track.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from automix.plan.roles import ROLE_FAMILIES, ROLES, Role
from automix.session.roles.own_words import find_own_words
from automix.session.roles.words import LEAD_WORDS, Word, find_meaning, split_joined, split_set


@dataclass(frozen=True, slots=True)
class NameRole:
    """What the name of a track tells.

    Attributes:
        role: Instrument or voice that the track holds.
        token: The words of the name that decided it, as written.
        double: Whether the name says that the track doubles another one.
    """

    role: Role
    token: str
    double: bool = False


@dataclass(frozen=True, slots=True)
class _Match:
    role: Role
    is_hint: bool
    token: str


_WINDOW = 3  # "e", "p", "iano" is the most that separators and capitals tear apart


_AMPLIFIER = re.compile(r"vox[a-z]{0,2}\d{2,}")
"""After a guitar: the amplifier's maker, then the microphone ("ElecGtr2_VoxSM57")."""

_DOUBLE = split_set("double doubles doubled doubler doubletrack dbl dbls dbld dt dts adt dub dupe")
_RETURNS = split_set(
    "delay dly slap slapback echo echoes throw rev reverse reversed rvs tail swell return rtn"
)
_ACCOMPANIMENT = split_set("beat backing background music inst instr instrumental track")
_PIECES = frozenset[Role]({"kick", "snare", "hats", "tom", "cymbals"})
_KIT = frozenset(role for role in ROLES if ROLE_FAMILIES[role] == "drums")
_GUITARS = frozenset(role for role in ROLES if ROLE_FAMILIES[role] == "guitar")
_ORCHESTRA = frozenset(role for role in ROLES if ROLE_FAMILIES[role] == "orchestra")
_WINDS = frozenset[Role]({"brass", "woodwind"})
_POSITIONS = frozenset[Role]({"overheads", "room"})
_PLAYERS: frozenset[Role] = _GUITARS | {"bass", "drums", "keys", "piano"}
_SOUNDS: frozenset[Role] = _ORCHESTRA | {"pad", "synth", "organ"}  # a "vox organ" is an organ

_YIELDS: dict[Role, frozenset[Role]] = {
    "drums": _KIT - {"drums"},
    "percussion": _PIECES,
    **{piece: _POSITIONS for piece in _PIECES},
    **{position: frozenset(ROLES) - _PIECES - _POSITIONS - {"drums"} for position in _POSITIONS},
    **{guitar: frozenset[Role]({"bass"}) for guitar in _GUITARS},
    "guitar": _GUITARS - {"guitar"} | {"bass"},
    "bass": _WINDS,
    "keys": _ORCHESTRA | {"piano", "organ", "synth", "pad", "bass"},
    "synth": _ORCHESTRA | _KIT | {"piano", "organ", "pad", "bass"},
    "piano": frozenset({"pad"}),
    "organ": frozenset({"pad"}),
    "strings": _GUITARS | {"pad", "bass"},
    "brass": frozenset({"pad"}),
    "woodwind": frozenset({"pad"}),
    "lead vocal": _SOUNDS | {"backing vocal", "percussion"},
    "backing vocal": frozenset({"pad", "synth", "organ"}),
    "backing track": frozenset(ROLES) - {"lead vocal", "backing vocal", "backing track"},
}
"""By role, the roles that it gives way to where they are named beside it."""

_REFINED: tuple[tuple[Role, Role], ...] = (
    ("lead vocal", "backing vocal"),
    ("guitar", "electric guitar"),
    ("guitar", "acoustic guitar"),
)
"""General roles, each with the special one that a hint beside it makes of it."""


def read_role(name: str, siblings: Sequence[str] = ()) -> NameRole | None:
    """Reads the role from a track's name.

    Args:
        name: File name, with or without its extension.
        siblings: The names of all tracks of the song: what they share is the song's name, and a few
            names mean something only beside others.

    Returns:
        The role and what it was read from; ``None`` where the name says nothing.
    """
    words = find_own_words(name, siblings)
    found = _read_words(words)
    others = [sibling for sibling in siblings if sibling != name]
    if others and (found is None or found.token.lower() in _ACCOMPANIMENT):
        alone = _read_alone(tuple(siblings))
        return _read_beside(words, [alone[other] for other in others]) or found
    return found


@lru_cache(maxsize=16)
def _read_alone(siblings: tuple[str, ...]) -> dict[str, NameRole | None]:
    """Reads the names of a song, each by its own words; once, though all of them ask for it."""
    return {name: _read_words(find_own_words(name, siblings)) for name in siblings}


def _read_words(words: Sequence[Word]) -> NameRole | None:
    """Reads the role that the words tell by themselves; none where they say nothing."""
    matches, rest = _find_matches(words)
    is_lead = not LEAD_WORDS.isdisjoint(rest)
    matches = _refine(matches, is_lead)
    matches = [match for match in matches if not match.is_hint] or matches
    if not matches:
        return None
    role = _choose([match.role for match in matches], is_lead)
    deciding = [match for match in matches if match.role == role] or matches
    token = " ".join(match.token for match in deciding)
    return NameRole(role, token, not _DOUBLE.isdisjoint(rest))


def _refine(matches: Sequence[_Match], is_lead: bool) -> list[_Match]:
    """Makes matches of a general role special where there are hints of that beside them."""
    roles = {match.role for match in matches if not match.is_hint}
    hinted = {match.role for match in matches if match.is_hint}
    if is_lead:
        hinted.add("electric guitar")
    special: dict[Role, Role] = {
        general: role for general, role in _REFINED if general in roles and role in hinted
    }
    if any(match.is_hint and match.token.lower() in _RETURNS for match in matches):
        for role in roles & {"lead vocal", "cymbals"}:
            special.setdefault(role, "fx")
    return [
        _Match(special.get(match.role, match.role), False, match.token)
        if match.role in special or (match.is_hint and match.role in special.values())
        else match
        for match in matches
    ]


def _choose(in_order: Sequence[Role], is_lead: bool) -> Role:
    """Chooses the one role that several named together mean."""
    roles = set(in_order)
    if "fx" in roles:
        return "fx"
    left: set[Role] = {role for role in roles if roles.isdisjoint(_YIELDS.get(role, ()))}
    if len(left) == 1:
        return left.pop()
    vocals = left & {"lead vocal", "backing vocal"}
    if vocals and left - vocals <= _PLAYERS:
        return "lead vocal" if is_lead else "backing vocal"
    if left <= _KIT:
        return "cymbals" if left == {"hats", "cymbals"} else "drums"
    return next(role for role in reversed(in_order) if role in left)


def _read_beside(words: Sequence[Word], others: Sequence[NameRole | None]) -> NameRole | None:
    """Reads the role of a name that means something only beside others; else none."""
    roles = {other.role if other else None for other in others}
    keys = [word.key for word in words]
    for word in words:
        if word.key in _ACCOMPANIMENT and roles <= {"lead vocal", "backing vocal"}:
            return NameRole("backing track", word.text)
        if word.key in LEAD_WORDS and roles & {"lead vocal", "backing vocal"}:
            role: Role = "synth" if "lead vocal" in roles else "lead vocal"
            return NameRole(role, word.text, not _DOUBLE.isdisjoint(keys))
    return None


def _find_matches(words: Sequence[Word]) -> tuple[list[_Match], set[str]]:
    """Finds the words of the vocabulary in order, and the keys of all other words."""
    matches: list[_Match] = []
    rest: set[str] = set()
    start = 0
    while start < len(words):
        for stop in range(min(start + _WINDOW, len(words)), start, -1):
            window = words[start:stop]
            key = "".join(word.key for word in window)
            if (
                matches
                and ROLE_FAMILIES[matches[-1].role] == "guitar"
                and _AMPLIFIER.fullmatch(key)
            ):
                break
            found = find_meaning(key)
            if found:
                token = " ".join(word.text for word in window)
                matches.append(_Match(found.role, found.is_hint, token))
                break
        else:
            stop = start + 1
            text = words[start].text
            for part in split_joined(words[start].key):
                if found := find_meaning(part):
                    matches.append(_Match(found.role, found.is_hint, text[: len(part)]))
                else:
                    rest.add(part)
                text = text[len(part) :]
        start = stop
    return matches, rest
