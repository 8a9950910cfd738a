"""Reads from a file's name that it is no track of the song: a mix of it, a click, a scratch take.

A session as it is exported often holds its own mix: "Song - Mixdown" (Cubase), "Stereo Out" and
"Bounce 1" (Logic), "Master" (Reaper, Live), "mixture" (MUSDB18), "Rough Mix", "2-Mix". Names that
also tell an instrument are mixes of that instrument only, which are tracks: "Drum Mix", "Vox
Bounce". An instrumental or a 2-mix is a mix beside the instruments that it holds, and the backing
track beside vocals alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from automix.plan.roles import ROLE_FAMILIES, Role
from automix.session.roles.own_words import find_own_words
from automix.session.roles.recognition import read_role
from automix.session.roles.words import find_meaning, split_joined, split_set, split_words

Purpose = Literal["mix", "guide", "scratch"]
"""``mix``: of the whole song, or of all its instruments. ``guide``: what musicians hear, such as a
click. ``scratch``: a take that was to be replaced."""

_WINDOW = 3  # "stereo", "out", "put"

_ALWAYS_MIX = split_set("mixture fullmix")
_MIX = split_set(
    "mix mixes mixed mixdown mixdwn mixdowns remix master masters mastered mastering remaster"
    " remastered premaster mstr stereoout stereoouts stereooutput mainout mainouts mainoutput"
    " masterout masterbus mixbus mixbuss masterbuss stereobus stereobuss 2bus 2buss mainmix"
    " reference refmix reftrack premix unmastered rough ruff mischung abmischung stereosumme summe"
    " rohmix endmix mezcla mezclado mixage missaggio mixagem mistura mixado masterizado"
    " masterizacion masterizacao masterisation"
)
"""Words of a mix, whatever else a name holds that tells no instrument: most often a title."""
_ONLY_MIX = split_set(
    "bounce bounced bounces bnc render rendered export exported print printed output outputs sum"
    " final full fullsong preview main demo ref lr mainlr mainl mainr foh board desk"
)
"""Words of a mix where no other word stands beside them that says what it is."""
_ALL_BUT_VOICE = split_set(
    "2mix 2track 2trk twotrack twomix instrumental instrumentals karaoke minusone novocals novox"
    " novocal tvmix tvtrack accompaniment accomp"
)
_ALL_VOICES = split_set("acapella acappella acapellas acappellas")
_PLAYED = split_set(
    "hook verse chorus bridge intro outro solo riff lick loop chop break fill hit sample"
)
"""Words of what is a track if a word of a mix stands before: "Remix Chop", "Instrumental Hook"."""
_PICKED_UP = split_set("amp cab mic mics")
_DECOR = split_set(
    "the a of song track tracks final rough ruff full complete whole entire total stereo st"
    " mono l r lr left right new old alt version ver v rev temp quick live monitor headphone"
    " board desk foh main limited unlimited unmastered loud hd hq hires print printed bounce"
    " bounced export render rendered wav aif aiff mp3 flac kbps khz hz k bit bits bpm client"
    " approval radio edit album single club extended tv out outs output outputs bus buss fader"
    " channel ch no limiter pre post demo preview ref stem stems daw session project date am pm"
    " jan feb mar apr may jun jul aug sep oct nov dec"
)
_GENERIC = split_set("audio track take midi inst recording rec untitled region clip file part stem")

_ALWAYS_GUIDE = split_set(
    "clicktrack klicktrack metronome metronom metronomo metronomy talkback smpte timecode ltc mtc"
    " countin countoff countdown precount vorzahler einzahler claqueta claquette clickandcue"
    " clicktrk testtone intercom conteo contagem decompte"
)
_TICKING = split_set("clicktrack klicktrack clicktrk metronome metronom metronomo metronomy")
_COUNTED = split_set("countin countoff countdown precount vorzahler einzahler conteo contagem")
_GUIDE = split_set("click clk klick clic cue cues count counts metro tb slate tempo sync")
_ONLY_GUIDE = split_set("clicks klicks cue cues count counts metro tb slate tempo sync")
"""Words that mean something else beside others: "Finger Clicks", "Tempo Arp"."""
_SPOKEN = split_set("cue cues count counts tb slate")
"""Words of what is said to the musicians: also "Vocal Cues", "TB Drums", but not "TB 303"."""
_BY_HAND = split_set("finger fingers mouth tongue lip lips pen body hand hands mouse")
_GUIDE_DECOR = _DECOR | split_set(
    "mic in high hi low lo accent spoken drummer drum band cans dry wet"
)

_SCRATCH = split_set("scratch guide guides pilot placeholder ref reference guia guida temoin")
_TURNTABLE = split_set("dj turntable turntables scratches scratching")
_FEWEST_NUMBERED = 3
_SHORTEST = 3


@dataclass(frozen=True)
class _Names:
    """The names of a song's files, its title, words of all names, and the role of each."""

    names: Sequence[str]
    title: str
    habit: frozenset[str]
    roles: Mapping[str, Role | None]


def find_purposes(names: Sequence[str], title: str = "") -> list[Purpose | None]:
    """Finds which files of a song are no tracks of it.

    Args:
        names: File names of one song, with or without extension.
        title: Name of the song, as that of its folder: it is left out where names begin with it,
            and the file that bears no other name is the song itself.

    Returns:
        What each name says; none for tracks.
    """
    song = _Names(
        names=names,
        title=title,
        habit=_find_habit(names),
        roles={name: told.role if (told := read_role(name, names)) else None for name in names},
    )
    found = [_read(name, song) for name in names]
    # "Bounce 1" … "Bounce 12" beside little else are tracks whose program names them like that.
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if found[place] == "mix" and re.search(r"\d", name):
            groups.setdefault(re.sub(r"[\d\W_]+", "", name).casefold(), []).append(place)
    for places in groups.values():
        if len(places) >= _FEWEST_NUMBERED and 2 * len(places) > len(names):
            for place in places:
                found[place] = None
    return found


def _find_habit(names: Sequence[str]) -> frozenset[str]:
    """Words that all names which tell an instrument bear, those of the song's title or a habit.

    They say nothing of one of them: "Kick - Remix", "Bass - Remix", "Texture - Remix".
    """
    told = [{word.key for word in split_words(name)} for name in names]
    told = [keys for keys in told if _tells_role(sorted(keys))]
    return frozenset(set.intersection(*told)) if len(told) > 1 else frozenset()


def _read(name: str, song: _Names) -> Purpose | None:
    keys = _without_title([word.key for word in find_own_words(name, song.names)], song.title)
    rest = [key for key in keys if key not in song.habit]
    keys = keys if _is_decor(rest) else rest
    others = [other for other in song.names if other != name]
    if not keys:
        alone = [word.key for word in split_words(name)]
        return "mix" if alone and len(others) > 1 and not _tells_role(alone) else None
    purpose = _read_guide(keys) or _read_mix(name, keys, others, song.roles)
    return purpose or _read_scratch(keys)


def _without_title(keys: list[str], title: str) -> list[str]:
    """Leaves the song's title out wherever it stands; nothing is left of the title itself."""
    told = [word.key for word in split_words(title)]
    starts = [n for n in range(len(keys)) if told and keys[n : n + len(told)] == told]
    if not starts:
        return keys
    rest = keys[: starts[0]] + keys[starts[0] + len(told) :]
    return keys if _is_decor(rest) and any(map(_begins_mix_or_guide, told)) else rest


def _is_decor(keys: Sequence[str]) -> bool:
    """Whether words say nothing beside others; also where there are none."""
    return all(key.isdigit() for key in _take(keys, _DECOR)[1])


def _begins_mix_or_guide(key: str) -> bool:
    return key in _ALWAYS_MIX | _MIX | _ONLY_MIX | _ALL_BUT_VOICE | _ALWAYS_GUIDE | _GUIDE


def _take(keys: Sequence[str], known: Iterable[str]) -> tuple[list[str], list[str]]:
    """Parts the words of a name into those that are known, alone or run together, and the rest."""
    known = frozenset(known)
    found: list[str] = []
    rest: list[str] = []
    start = 0
    while start < len(keys):
        for stop in range(min(start + _WINDOW, len(keys)), start, -1):
            joined = "".join(keys[start:stop])
            if joined in known:
                found.append(joined)
                break
        else:
            stop = start + 1
            parts = _split_plain(keys[start], known) or split_joined(keys[start])
            found += [part for part in parts if len(parts) > 1 and part in known]
            rest += [part for part in parts if len(parts) == 1 or part not in known]
        start = stop
    return found, rest


def _split_plain(key: str, known: frozenset[str]) -> tuple[str, ...]:
    """Takes a known word and one that says nothing apart: "roughmix"; empty if it is not so."""
    for place in range(_SHORTEST, len(key) - _SHORTEST + 1):
        parts = (key[:place], key[place:])
        for one, other in (parts, parts[::-1]):
            if one in known and other in _DECOR:
                return parts
    return ()


def _read_guide(keys: Sequence[str]) -> Purpose | None:
    always, rest = _take(keys, _ALWAYS_GUIDE)
    if always:
        behind = {ROLE_FAMILIES[role] for role in _known_roles(_find_behind(keys, _ALWAYS_GUIDE))}
        if _COUNTED.issuperset(always):
            behind -= {"vocal", "drums"}
        return None if behind and (_COUNTED | _TICKING).issuperset(always) else "guide"
    words, rest = _take(keys, _GUIDE | _ONLY_GUIDE)
    if not words or not _BY_HAND.isdisjoint(rest):
        return None
    beside = _take(rest, _GUIDE_DECOR)[1]
    if "tb" in words and "303" not in beside:
        return "guide"
    families = {ROLE_FAMILIES[role] for role in _known_roles(beside)}
    if not _SPOKEN.isdisjoint(words) and families == {"vocal"}:
        return "guide"
    if set(words) <= _ONLY_GUIDE and any(not key.isdigit() for key in beside):
        return None
    is_sound = any(found.role != "other" for key in beside if (found := find_meaning(key)))
    return None if is_sound or _tells_role(beside) else "guide"  # also a hint: "Rim Click"


def _read_scratch(keys: Sequence[str]) -> Purpose | None:
    """Tells scratch takes, with or without an instrument, from scratches of a turntable.

    "scratch_hats" and "fill_scratch" are such: nobody plays drums or fills to be replaced.
    """
    words, rest = _take(keys, _SCRATCH)
    if not words or not _TURNTABLE.isdisjoint(keys):
        return None
    beside = [key for key in _take(rest, _DECOR)[1] if not key.isdigit()]
    roles = list(_known_roles(beside))
    if any(ROLE_FAMILIES[role] in ("drums", "fx") for role in roles):
        return None
    return "scratch" if roles or not beside else None


def _read_mix(
    name: str, keys: Sequence[str], others: Sequence[str], roles: Mapping[str, Role | None]
) -> Purpose | None:
    if _take(keys, _ALWAYS_MIX)[0]:
        return "mix"
    others_roles = [roles[other] for other in others]
    families = [ROLE_FAMILIES[role] if role else None for role in others_roles]
    if roles[name] == "backing track" and set(families) <= {"vocal"}:
        return None
    part, _ = _take(keys, _ALL_BUT_VOICE)
    voices, _ = _take(keys, _ALL_VOICES)
    if part or voices:
        behind = _find_behind(keys, _ALL_BUT_VOICE | _ALL_VOICES)
        if _tells_role(behind) or not _PLAYED.isdisjoint(behind):
            return None
        held = [family for family in families if (family == "vocal") == bool(voices)]
        held = [family for family in held if family not in (None, "fx", "other")]
        return "mix" if len(held) > 1 else None
    strong, rest = _take(keys, _MIX)
    if strong:
        beside = _take(rest, _DECOR)[1]
        is_version = not {"up", "down"}.isdisjoint(beside)  # "Vocal Up Mix"
        if not _PICKED_UP.isdisjoint(beside) or not _PLAYED.isdisjoint(_find_behind(keys, _MIX)):
            return None
        return None if _tells_role(beside) and not is_version else "mix"
    weak, rest = _take(keys, _ONLY_MIX)
    numbers = [key for key in rest if key.isdigit()]
    beside = [key for key in _take(rest, _DECOR - _GENERIC)[1] if not key.isdigit()]
    if set(weak) <= {"main", "mainl", "mainr"} and weak:
        # The master of Live and Studio One, but the lead beside other voices, and the microphones
        # before an orchestra.
        known = {family for family in families if family}
        if known and known <= {"vocal", "orchestra"}:
            return None
        if "backing vocal" in others_roles and "lead vocal" not in others_roles:
            return None
    is_output = not weak and bool(numbers) and bool({"out", "outs"} & set(rest))  # "Out 1-2"
    return "mix" if (weak or is_output) and not beside else None


def _find_behind(keys: Sequence[str], known: frozenset[str]) -> list[str]:
    """Finds the words behind the last of the known ones: they say what a thing is."""
    for start in reversed(range(len(keys))):
        found, rest = _take(keys[start:], known)
        if found:
            return rest
    return []


def _tells_role(keys: Sequence[str]) -> bool:
    """Whether the words name an instrument or a voice by more than a hint."""
    return any(_known_roles(keys))


def _known_roles(keys: Sequence[str]) -> Iterator[Role]:
    for start in range(len(keys)):
        for stop in range(start + 1, min(start + _WINDOW, len(keys)) + 1):
            parts = split_joined(keys[start]) if stop == start + 1 else ("".join(keys[start:stop]),)
            for part in parts:
                found = find_meaning(part)
                if found and not found.is_hint:
                    yield found.role
