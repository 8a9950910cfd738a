"""Which songs are learned from, and which are held out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automix.datasets.catalog import find_songs
from automix.datasets.song import SongFiles
from automix.datasets.splits import Split, read_split, split_songs, write_split
from automix.errors import UsageError
from automix.files.names import printable
from automix.training.prepared import PreparedSong, prepare

SPLIT = "split.toml"


@dataclass(frozen=True, kw_only=True, eq=False)
class Songs:
    """Songs to learn from with their weights, and songs to validate with.

    Attributes:
        training: Decoded.
        weights: How often each is taken.
        sets: Number of the data set that each is from.
        validation: Decoded.
    """

    training: tuple[PreparedSong, ...]
    weights: tuple[float, ...]
    sets: tuple[int, ...]
    validation: tuple[PreparedSong, ...]


def open_songs(
    data: Sequence[Path],
    held_out: Sequence[str],
    folder: Path,
    *,
    shares: Sequence[float] = (),
    cache: Path,
    seed: int,
    resume: bool,
    report: Callable[[str], None] = lambda song: None,
) -> Songs:
    """Finds the songs of data sets, splits them, and decodes them.

    Args:
        data: Folders of data sets; see `automix.datasets.catalog`.
        held_out: Names of the songs to validate with; if none, some artists are drawn.
        folder: Of the run, where the split is written.
        shares: How often each data set is taken; if none, all alike.
        cache: Folder for the decoded audio.
        seed: Of the draw.
        resume: Whether the split of the run is kept.
        report: Called with the name of each song as it is decoded.

    Raises:
        InputError: There are no songs, or they cannot be used.
        UsageError: A song to be held out is not there, or nothing is left to learn from.
        OutputError: The folders cannot be written.
    """
    if shares and len(shares) != len(data):
        raise UsageError(f"--share is given {len(shares)} times for {len(data)} --data")
    by_set = [_named_apart(find_songs(root), root, len(data) > 1) for root in data]
    every = [song for songs in by_set for song in songs]
    if len({song.name for song in every}) < len(every):
        raise UsageError("two --data folders have one name and songs of one name; rename one")
    split = _split(every, held_out, folder, seed=seed, resume=resume)
    if not split.train or not split.validation:
        raise UsageError(
            f"{len(every)} songs of one artist cannot be split; name the songs to validate with"
            " by --hold-out, or add songs"
        )
    share = {
        song.name: of_set / len([other for other in songs if other in split.train])
        for songs, of_set in zip(by_set, shares or [1.0] * len(data), strict=True)
        for song in songs
        if song in split.train
    }
    number = {song.name: index for index, songs in enumerate(by_set) for song in songs}
    return Songs(
        training=tuple(prepare(split.train, cache, report)),
        weights=tuple(share[song.name] for song in split.train),
        sets=tuple(number[song.name] for song in split.train),
        validation=tuple(prepare(split.validation, cache, report)),
    )


def _named_apart(songs: list[SongFiles], root: Path, several: bool) -> list[SongFiles]:
    """The songs, named after their data set too where there are several."""
    if not several:
        return songs
    return [replace(song, name=f"{root.resolve().name}/{song.name}") for song in songs]


def _split(
    songs: Sequence[SongFiles], held_out: Sequence[str], folder: Path, *, seed: int, resume: bool
) -> Split:
    path = folder / SPLIT
    if resume and path.is_file():
        return read_split(path, songs)
    if held_out:
        wanted = [song for song in songs if _is_named(song, held_out)]
        for name in held_out:
            if not any(_is_named(song, [name]) for song in wanted):
                there = ", ".join(printable(song.name) for song in songs[:20])
                raise UsageError(f"--hold-out {name}: there is no such song; there are: {there}")
        split = Split(
            train=tuple(song for song in songs if song not in wanted),
            validation=tuple(wanted),
            test=(),
            left_out=(),
        )
    else:
        split = split_songs(songs, 0.1, 0.0, seed)
    write_split(split, path, overwrite=True)
    return split


def _is_named(song: SongFiles, names: Sequence[str]) -> bool:
    return any(song.name == name or song.name.endswith(f"/{name}") for name in names)
