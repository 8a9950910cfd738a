"""Finds finished vocals and their backings: in pairs, in songs in stems, and in whole songs."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automix.audio.blocks import collect
from automix.audio.resampling import resample
from automix.audio.samples import Audio, AudioSource
from automix.consoles.exact import ExactConsole
from automix.datasets.catalog import find_songs
from automix.datasets.song import SongFiles
from automix.errors import InputError, PlanError
from automix.files.extensions import AUDIO_EXTENSIONS
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.reading import open_audio
from automix.plan.model import SYNTHETIC, MixPlan, read_plan
from automix.session.song_folder import open_song
from automix.session.song_search import search_songs as find_pairs
from automix.session.tracks import Session, open_plan_session
from automix.training.vocal.preparation.separation import Separator

RATE_HZ = 44100
_PLAN = "mix.toml"

Samples = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class VocalPair:
    """A finished vocal and its backing, at 44.1 kHz.

    Attributes:
        vocal: The finished vocal, of one or two channels.
        backing: Everything else, of one or two channels.
        raw: The vocal as it was recorded, where that is known.
    """

    vocal: Audio
    backing: Audio
    raw: Audio | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class VocalSource:
    """A song that can be opened.

    Attributes:
        name: Unique within its folder.
        group: ``train`` or ``test`` where the data set says so, else empty.
        files: Files that the song is made of.
        open: Function that reads the song.
    """

    name: str
    group: str
    files: tuple[Path, ...]
    open: Callable[[], VocalPair]


def find_vocals(root: Path, separator: Separator | None = None) -> list[VocalSource]:
    """Finds the songs of a folder that have a vocal.

    Pairs named ``vocal`` and ``beat`` and the like (as for `automix batch`); else the songs of a
    data set, the vocal being the stems with the role of a lead vocal. Of songs of `automix data
    synthesize`, the plan makes the finished vocal of the recorded one.

    Args:
        root: The folder.
        separator: If given, all audio files are taken for finished songs, which it separates.

    Raises:
        InputError: The folder cannot be read, or holds no such songs.
    """
    if separator is not None:
        found = list(_find_finished_songs(root, separator))
        wanted = "finished songs"
    else:
        try:
            found = [
                _make_pair(item.song, *item.inputs) for item in find_pairs(str(root), kind="vocal")
            ]
        except InputError:
            found = [source for song in find_songs(root) if (source := _find_stems(song))]
        wanted = "songs with a lead vocal and a backing"
    if not found:
        raise InputError(f"{printable(root)}: holds no {wanted}")
    return found


def _make_pair(name: str, vocal: str, backing: str) -> VocalSource:
    """The source of a vocal and a backing in two files."""
    files = (Path(vocal), Path(backing))

    def read() -> VocalPair:
        sides = [_read_whole(open_audio(path, ReadOptions()).source) for path in files]
        return VocalPair(vocal=sides[0], backing=sides[1])

    return VocalSource(name=name, group="", files=files, open=read)


def _find_stems(song: SongFiles) -> VocalSource | None:
    """The source of a song in stems; none if it has no lead vocal, or nothing else."""
    leads = [stem.name for stem in song.stems if stem.role == "lead vocal"]
    files = tuple(path for stem in song.stems for path in stem.paths)
    plan_file = files[0].parent / _PLAN
    plan = _read_synthetic_plan(plan_file)
    if plan is None and (not leads or len(leads) == len(song.stems)):
        return None
    if plan is not None:
        leads = [strip.name for strip in plan.tracks if strip.role == "lead vocal"][:1]
        if not leads:
            return None
        files = (*files, plan_file)

    def read() -> VocalPair:
        if plan is not None:
            return _mix_plan(plan, plan_file.parent, leads[0])
        session = open_song(song.stems, ReadOptions())
        return VocalPair(
            vocal=_sum_tracks(session, [t.name for t in session.tracks if t.name in leads]),
            backing=_sum_tracks(session, [t.name for t in session.tracks if t.name not in leads]),
        )

    return VocalSource(name=song.name, group=song.group, files=files, open=read)


def _read_synthetic_plan(path: Path) -> MixPlan | None:
    """The plan of a song of `automix data synthesize`; none beside any other song."""
    try:
        plan = read_plan(path)
    except PlanError:
        return None
    return plan if plan.method == SYNTHETIC else None


def _mix_plan(plan: MixPlan, folder: Path, lead: str) -> VocalPair:
    """Mixes the lead vocal of a plan, and all else with the reverb that both share."""
    session = open_plan_session(plan, folder, ReadOptions(), allow_outside=False)
    vocal, rest = [], []
    for flow in ExactConsole(session).flow(plan):
        vocal.append(flow.channels[lead].astype(np.float32))
        rest.append((flow.sum() - flow.channels[lead]).astype(np.float32))
    rate = session.sample_rate
    return VocalPair(
        vocal=_read_whole(Audio(np.concatenate(vocal, axis=1), rate)),
        backing=_read_whole(Audio(np.concatenate(rest, axis=1), rate)),
        raw=_read_whole(session.track(lead).source),
    )


def _sum_tracks(session: Session, names: list[str]) -> Audio:
    """The sum of some tracks in stereo."""
    total = np.zeros((2, session.frames), np.float32)
    for name in names:
        position = 0
        for block in session.track(name).source.blocks():
            total[:, position : position + block.shape[1]] += block
            position += block.shape[1]
    return _read_whole(Audio(total, session.sample_rate))


def _find_finished_songs(root: Path, separator: Separator) -> Iterator[VocalSource]:
    """Yields the sources of all audio files below a folder, which are separated when opened."""
    files = [root] if os.path.isfile(root) else sorted(root.rglob("*"))
    for file in files:
        if file.suffix.lower() in AUDIO_EXTENSIONS and file.is_file():

            def read(file: Path = file) -> VocalPair:
                vocal, backing = separator.separate(open_audio(file, ReadOptions()).source)
                return VocalPair(vocal=_read_whole(vocal), backing=_read_whole(backing))

            name = file.stem if root == file else str(file.relative_to(root).with_suffix(""))
            yield VocalSource(name=name, group="", files=(file,), open=read)


def _read_whole(source: AudioSource) -> Audio:
    """All of a source at 44.1 kHz."""
    return collect(resample(source, RATE_HZ))


def add_set_name(sources: list[VocalSource], prefix: str) -> list[VocalSource]:
    """The songs, with the name of their data set before their own."""
    return [replace(source, name=f"{prefix}/{source.name}") for source in sources]
