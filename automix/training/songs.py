"""Which songs are learned from, and which are held out to validate with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automix.datasets.catalog import find_songs
from automix.datasets.song import SongFiles
from automix.datasets.splits import Split, read_split, split_songs, write_split
from automix.errors import UsageError
from automix.files.names import printable
from automix.training.decoded_songs import DecodedSong, decode_songs
from automix.training.run import TrainingRun

SPLIT = "split.toml"


@dataclass(frozen=True, kw_only=True, eq=False)
class Songs:
    """Songs to learn from with their weights, and songs to validate with.

    Attributes:
        training: Decoded songs to learn from.
        weights: How often each of them is taken, on any scale.
        sets: Number of the data set that each of them comes from.
        validation: Decoded songs to validate with.
    """

    training: tuple[DecodedSong, ...]
    weights: tuple[float, ...]
    sets: tuple[int, ...]
    validation: tuple[DecodedSong, ...]


def open_songs(settings: Any, run: TrainingRun) -> Songs:
    """Finds the songs of the data sets, splits them, and decodes them.

    The split is written to ``split.toml`` in the folder of the run; a resumed run keeps it. Without
    names to hold out, a tenth of the artists is drawn.

    Args:
        settings: Settings of the training, whose seed decides the draw.
        run: Names data sets, songs to hold out, and folders.

    Raises:
        InputError: There are no songs, or they cannot be used.
        UsageError: A song to be held out is not there, or nothing is left to learn from.
        OutputError: The folders cannot be written.
    """
    request = run.request
    data, shares = request.data, request.shares
    if shares and len(shares) != len(data):
        raise UsageError(f"--share is given {len(shares)} times for {len(data)} --data")
    by_set = [_add_set_name(find_songs(root), root, len(data) > 1) for root in data]
    every = [song for songs in by_set for song in songs]
    if len({song.name for song in every}) < len(every):
        raise UsageError("two --data folders have one name and songs of one name; rename one")
    split = _split(every, run, settings.loop.seed)
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
    cache, report, note = request.cache_folder, run.report_stage, run.note
    return Songs(
        training=tuple(decode_songs(split.train, cache, report, note)),
        weights=tuple(share[song.name] for song in split.train),
        sets=tuple(number[song.name] for song in split.train),
        validation=tuple(decode_songs(split.validation, cache, report, note)),
    )


def _add_set_name(songs: list[SongFiles], root: Path, several: bool) -> list[SongFiles]:
    """The songs, with the name of their data set before their own where there are several sets."""
    if not several:
        return songs
    return [replace(song, name=f"{root.resolve().name}/{song.name}") for song in songs]


def _split(songs: Sequence[SongFiles], run: TrainingRun, seed: int) -> Split:
    """The split of the run: read where it counts already, else made and written."""
    path, held_out = run.request.folder / SPLIT, run.request.held_out
    if run.keeps_split and path.is_file():
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
