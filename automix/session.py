"""A session: the tracks of one song at one rate and one length."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from automix.audio import AudioSource
from automix.errors import InputError, PlanError
from automix.files import Opened, ReadOptions, open_audio, padded, probe, resampled, sha256, shown
from automix.plan import Depth, MixPlan
from automix.plan_file import resolve_file

Role = Literal["lead vocal", "backing track", "other"]
ROLES: tuple[Role, ...] = get_args(Role)

DEPTHS: tuple[Depth, ...] = get_args(Depth)

IN_MEMORY_BYTES = 512 * 2**20
"""Inputs whose float32 samples are larger than this are read again on each pass."""


@dataclass(frozen=True, kw_only=True)
class Track:
    """One track.

    Attributes:
        name: Unique within the session.
        role: What the track is.
        source: Its audio.
        path: Where it came from, or none.
        sha256: Of that file, or empty.
        bits: Depth of the input, as the outputs name it: ``16``, ``24`` or ``32f``.
    """

    name: str
    role: Role
    source: AudioSource
    path: Path | None = None
    sha256: str = ""
    bits: Depth = "32f"


@dataclass(frozen=True, kw_only=True)
class Session:
    """Tracks of one rate and one length, with unique names.

    Attributes:
        tracks: In the order given; no result depends on it.
        notes: What reading the files brought to light, for the user.

    Raises:
        InputError: No tracks, two of one name, or unequal rates or lengths.
    """

    tracks: tuple[Track, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.tracks:
            raise InputError("a session needs at least one track")
        names = [track.name for track in self.tracks]
        if len(set(names)) < len(names):
            raise InputError(f"track names must be unique: {', '.join(names)}")
        if len({(track.source.sample_rate, track.source.frames) for track in self.tracks}) > 1:
            raise InputError("the tracks of a session have one rate and one length")

    @property
    def sample_rate(self) -> int:
        """Of every track."""
        return self.tracks[0].source.sample_rate

    @property
    def frames(self) -> int:
        """Of every track."""
        return self.tracks[0].source.frames

    @property
    def in_memory(self) -> bool:
        """Whether reading a track costs nothing."""
        return sum(track.source.frames * track.source.channels for track in self.tracks) * 4 <= (
            IN_MEMORY_BYTES
        )

    @property
    def bits(self) -> Depth:
        """The highest depth among the inputs."""
        return max((track.bits for track in self.tracks), key=DEPTHS.index)

    def track(self, name: str) -> Track:
        """The track of a name.

        Raises:
            InputError: There is none.
        """
        for track in self.tracks:
            if track.name == name:
                return track
        raise InputError(f"the session has no track named {name!r}")

    def with_role(self, role: Role) -> Track:
        """The one track of a role.

        Raises:
            InputError: There is none, or there are several.
        """
        found = [track for track in self.tracks if track.role == role]
        if len(found) != 1:
            raise InputError(f"this method needs exactly one {role}, not {len(found)}")
        return found[0]


@dataclass(frozen=True, kw_only=True)
class TrackFile:
    """A file that is to become a track."""

    name: str
    role: Role
    path: Path


def open_session(
    files: Sequence[TrackFile],
    options: ReadOptions | None = None,
    *,
    sample_rate: int | None = None,
) -> Session:
    """Opens files as a session: resampled to one rate, padded to one length.

    Args:
        files: The tracks.
        options: How strictly files are read.
        sample_rate: Of the session; the highest among the files unless given.

    Raises:
        InputError: A file cannot be used; names it and the remedy.
    """
    options = options or ReadOptions()
    if not files:
        raise InputError("there are no tracks to open")
    infos = [probe(file.path, options) for file in files]
    total = sum(info.frames * info.channels * 4 for info in infos)
    rate = sample_rate or max(info.sample_rate for info in infos)

    def read(path: Path) -> tuple[Opened, AudioSource, str]:
        opened = open_audio(path, options, in_memory=total <= IN_MEMORY_BYTES)
        return opened, resampled(opened.source, rate), sha256(path)

    paths = list(dict.fromkeys(file.path for file in files))
    with ThreadPoolExecutor(4) as pool:
        found = dict(zip(paths, pool.map(read, paths), strict=True))
    frames = max(source.frames for _, source, _ in found.values())
    tracks = [
        Track(
            name=file.name,
            role=file.role,
            source=padded(found[file.path][1], frames),
            path=file.path,
            sha256=found[file.path][2],
            bits=cast(Depth, found[file.path][0].info.bits),
        )
        for file in files
    ]
    notes: list[str] = []
    for path, (opened, source, digest) in found.items():
        notes += opened.notes
        if opened.info.sample_rate != rate:
            notes.append(f"{shown(path)}: resampled from {opened.info.sample_rate} to {rate} Hz")
        if source.frames < frames:
            missing = (frames - source.frames) / rate
            notes.append(f"{shown(path)}: {missing:.2f} s shorter, padded with silence")
        same = [file.name for file in files if found[file.path][2] == digest]
        if len(same) > 1:
            notes.append(f"{' and '.join(same)} are the same audio file")
    return Session(tracks=tuple(tracks), notes=tuple(dict.fromkeys(notes)))


def open_plan_session(
    plan: MixPlan, folder: Path, options: ReadOptions | None = None, *, allow_outside: bool = False
) -> Session:
    """Opens the files that a plan in ``folder`` names.

    A file outside the folder is read only if it is what the plan was made from, so that a plan from
    elsewhere cannot make anything of this machine's files.

    Raises:
        PlanError: A file is missing, or is another one outside the folder; names track and remedy.
        InputError: A file cannot be used.
    """
    if not plan.tracks:
        raise PlanError("the plan has no tracks")
    files, notes = [], []
    for strip in plan.tracks:
        path = resolve_file(strip.file, folder)
        if not strip.file or not os.path.isfile(path):  # unlike Path.is_file, never raises
            raise PlanError(
                f"track {strip.name!r}: there is no file {shown(path)}; correct `file` in the plan"
            )
        same = not strip.sha256 or sha256(path) == strip.sha256
        outside = not path.resolve().is_relative_to(folder.resolve())
        if outside and not allow_outside and not (strip.sha256 and same):
            raise PlanError(
                f"track {strip.name!r}: {shown(path)} is outside the plan's folder and not the file"
                " that the plan was made from; --allow-outside reads it all the same"
            )
        if not same:
            notes.append(f"{shown(path)}: not the file that the plan was made from")
        role: Role = next((role for role in ROLES if role == strip.role), "other")
        files.append(TrackFile(name=strip.name, role=role, path=path))
    session = open_session(files, options, sample_rate=plan.sample_rate_hz)
    return replace(session, notes=(*notes, *session.notes))
