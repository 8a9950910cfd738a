"""Splits songs into training, validation and test: no song and no artist is on two sides."""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from automix.datasets.song import SongFiles, check_names
from automix.errors import InputError, UsageError
from automix.files.names import printable
from automix.files.target import OutputTarget
from automix.files.text import read_toml

SIDES = ("train", "validation", "test")
FORMAT = 1

_GUESTS = re.compile(r"(?<![\s(])[\s(]++(?:feat|ft|featuring)\b.*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Split:
    """The songs of a data set by side of the split, each side in the order of names.

    Attributes:
        train: Songs that a network learns from.
        validation: Songs that tell when to stop training.
        test: Songs that results are reported on.
        left_out: Songs that are on no side.
    """

    train: tuple[SongFiles, ...]
    validation: tuple[SongFiles, ...]
    test: tuple[SongFiles, ...]
    left_out: tuple[SongFiles, ...] = ()


def split_songs(
    songs: Sequence[SongFiles], validation: float = 0.1, test: float = 0.1, seed: int = 0
) -> Split:
    """Splits songs by artist.

    What belongs together stays on one side: songs of one artist, guests (``feat.``) aside, and
    songs of one name; neither case nor spaces, punctuation or accents make two of one. Songs with
    ``split_within_artist`` are split inside each artist instead: ENST-Drums has three drummers,
    whose recordings are split 80/10/10 each (Steinmetz 2020, chapter 5), so a drummer and kit are
    on all sides there.

    A side that the data set prescribes is kept. Where it prescribes no validation, that is taken
    from its ``train``. Songs whose artist it has put on a second side are left out of training.

    From two artists on, validation has a song, and from three on test has one too; training always
    has one. The result depends on the set of songs only, not on their order.

    Args:
        songs: Songs of one data set or several.
        validation: Share of the songs for validation, 0 to 1.
        test: Share of the songs for the test, 0 to 1.
        seed: Seed of the random order in which artists are dealt out.

    Raises:
        InputError: No song is left for training, or two have one name.
        UsageError: The shares leave nothing to train on.
    """
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise UsageError(
            f"validation {validation:g} and test {test:g} are shares of the songs, and leave some"
            " for training"
        )
    check_names(songs)
    sides: dict[str, list[SongFiles]] = {side: [] for side in (*SIDES, "left_out")}
    shares = {"validation": validation, "test": test}
    for pool in _pools(songs, seed):
        for side, found in _divide(pool, shares).items():
            sides[side] += found
    if not sides["train"]:
        raise InputError(f"no song of {len(songs)} is left for training; add other artists")
    return _split(sides)


def _split(sides: dict[str, list[SongFiles]]) -> Split:
    return Split(
        **{side: tuple(sorted(found, key=lambda s: s.name)) for side, found in sides.items()}
    )


def _divide(pool: list[list[SongFiles]], shares: dict[str, float]) -> dict[str, list[SongFiles]]:
    """Deals the songs of a pool out to the sides; groups stay together."""
    sides: dict[str, list[SongFiles]] = defaultdict(list)
    free = []
    for group in pool:
        said = {song.group for song in group}
        kept = next((side for side in ("test", "validation") if side in said), None)
        if kept is None:
            free.append(group)
            continue
        for song in group:
            sides[kept if song.group in ("", kept) else "left_out"].append(song)
    prescribed = set(sides)

    def eligible(side: str) -> list[list[SongFiles]]:
        stays = side == "test" or "validation" in prescribed
        return [group for group in free if not (stays and _trains(group))]

    counts = {side: round(shares[side] * sum(map(len, eligible(side)))) for side in shares}
    for side, count in counts.items():
        least = 1 if shares[side] and side not in prescribed else 0
        for group in _choose(eligible(side), max(count, least), len(free) - 1):
            free = [other for other in free if other is not group]
            sides[side] += group
    sides["train"] += [song for group in free for song in group]
    return sides


def _trains(group: Iterable[SongFiles]) -> bool:
    return any(song.group == "train" for song in group)


def _choose(
    groups: Sequence[list[SongFiles]], count: int, most_groups: int
) -> list[list[SongFiles]]:
    """Chooses groups of ``count`` songs in all at most, or the smallest if each alone has more."""
    chosen: list[list[SongFiles]] = []
    for group in groups:
        if len(chosen) < most_groups and sum(map(len, chosen)) + len(group) <= count:
            chosen.append(group)
    if not chosen and groups and count and most_groups > 0:
        chosen.append(min(groups, key=len))
    return chosen


def _pools(songs: Iterable[SongFiles], seed: int) -> list[list[list[SongFiles]]]:
    """Collects the groups of songs that are dealt out together, each pool in random order."""
    pools: dict[str, dict[str, list[SongFiles]]] = defaultdict(dict)
    for key, group in _groups(songs).items():
        alone = all(song.split_within_artist for song in group)
        pools[_artist_key(group[0]) if alone else ""][key] = group
    return [
        [pool[key] for key in sorted(pool, key=lambda key: _draw(seed, key))]
        for pool in pools.values()
    ]


def _draw(seed: int, key: str) -> bytes:
    return sha256(f"{seed} {key}".encode("utf-8", "surrogateescape")).digest()


def _groups(songs: Iterable[SongFiles]) -> dict[str, list[SongFiles]]:
    """Groups songs that are linked by artist or name, by a key that no order of songs changes."""
    parents: dict[str, str] = {}

    def top(key: str) -> str:
        while (parent := parents.setdefault(key, key)) != key:
            key = parent
        return key

    in_order = sorted(songs, key=lambda song: song.name)
    for song in in_order:
        name = top("song " + make_name_key(song.name))
        if not song.split_within_artist:
            parents[name] = top("artist " + _artist_key(song))
    groups: dict[str, list[SongFiles]] = defaultdict(list)
    for song in in_order:
        groups[top("song " + make_name_key(song.name))].append(song)
    return groups


def _artist_key(song: SongFiles) -> str:
    return make_name_key(_GUESTS.sub("", song.artist) or song.artist)


def make_name_key(name: str) -> str:
    """Reduces a name to what all its spellings share: its letters and digits."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(filter(str.isalnum, plain)) or plain


def write_split(split: Split, path: Path, *, overwrite: bool = False) -> None:
    """Writes the names of the songs by side as TOML; the file is whole or not there.

    Raises:
        OutputError: The file exists, or cannot be written.
    """
    lines = ["# automix split: the names of songs; no song is on two sides.", f"format = {FORMAT}"]
    for side in (*SIDES, "left_out"):
        lines += ["", f"{side} = ["]
        # Names on one line of valid Unicode, as in messages.
        lines += [
            f"  {json.dumps(printable(song.name), ensure_ascii=False)},"
            for song in getattr(split, side)
        ]
        lines.append("]")
    with OutputTarget.reserve(path, overwrite=overwrite) as target:
        target.write_text("\n".join(lines) + "\n")


def read_split(path: Path, songs: Sequence[SongFiles]) -> Split:
    """Reads what `write_split` wrote.

    Args:
        path: File of the split.
        songs: Songs of the data set; those that the file does not name are left out.

    Raises:
        InputError: The file is no split, or names a song that is missing or on two sides.
    """
    known = {printable(song.name): song for song in songs}
    sides: dict[str, list[SongFiles]] = {side: [] for side in (*SIDES, "left_out")}
    named: set[str] = set()
    places: dict[str, str] = {}
    for side, name in _read_names(path):
        # A song that is left out may be on a side in another spelling.
        place = side if side == "left_out" else places.setdefault(make_name_key(name), side)
        if name in named or place != side:
            raise InputError(
                f"{printable(path)}: {name!r} is twice in {side}, or on two sides; leave one"
            )
        named.add(name)
        if name in known:
            sides[side].append(known.pop(name))
        elif side != "left_out":
            raise InputError(
                f"{printable(path)}: {name!r} of {side} is not among the {len(songs)} songs of"
                " the data"
                " set; restore it, or split anew"
            )
    sides["left_out"] += known.values()
    return _split(sides)


def _read_names(path: Path) -> Iterator[tuple[str, str]]:
    document = read_toml(path)
    if document.pop("format", None) != FORMAT:
        raise InputError(f"{printable(path)}: is no split of format {FORMAT}; split anew")
    if unknown := set(document) - {*SIDES, "left_out"}:
        raise InputError(f"{printable(path)}: unknown key {sorted(unknown)[0]!r}")
    for side in (*SIDES, "left_out"):
        found = document.get(side, [])
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise InputError(f"{printable(path)}: {side} must be a list of names")
        yield from ((side, name) for name in found)
