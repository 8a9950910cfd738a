"""A session holds the tracks of one song at one sample rate and one length."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import cast, get_args

from automix.analysis.conditions import find_only_side
from automix.audio.blocks import fit, join_sides, pick_channel
from automix.audio.resampling import resample
from automix.audio.samples import AudioSource
from automix.errors import InputError, PlanError
from automix.files.disk import sha256
from automix.files.info import AudioInfo, ReadOptions
from automix.files.names import printable
from automix.files.probe import probe
from automix.files.reading import Opened, open_audio
from automix.parallel.workers import run_in_parallel
from automix.plan.model import Depth, MixPlan
from automix.plan.roles import ROLE_TRAITS, ROLES, Role
from automix.plan.toml import resolve_file
from automix.session.roles.pairs import find_stereo_pairs
from automix.units import seconds_to_samples

DEPTHS: tuple[Depth, ...] = get_args(Depth)

IN_MEMORY_BYTES = max(2**29, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 16)
"""Inputs whose float32 samples are larger than this, a sixteenth of the machine's memory but at
least 512 MiB, are read again on each pass. A mix takes two or three times its inputs."""


@dataclass(frozen=True, kw_only=True)
class Track:
    """One track of a session.

    Attributes:
        name: Name, unique within the session.
        role: Instrument or voice that the track holds, such as ``"kick"``.
        source: Audio of the track.
        path: File that the audio came from, or none.
        right: File that the right side came from, if that is a file of its own.
        channel: Channel of a file that holds several tracks, from 1; none for the whole file.
        right_channel: Channel of the right side, likewise.
        stream: Stream of audio that the track is, from 1, in a file of several; none for the first.
        sha256: Checksum of the file, or of both files with a space between, or empty.
        bits: Sample depth of the file, as the outputs name it: ``16``, ``24`` or ``32f``.
        muted: Whether it is no part of the song, such as a click: plans begin with it muted, and
            no method hears it.
        own_frames: Length of its audio without the silence that brings it to that of the session,
            but with that before it; none where that is not known.
        start_s: When its file begins on the time line of the session; until then it is silent.
    """

    name: str
    role: Role
    source: AudioSource
    path: Path | None = None
    right: Path | None = None
    channel: int | None = None
    right_channel: int | None = None
    stream: int | None = None
    sha256: str = ""
    bits: Depth = "32f"
    muted: bool = False
    own_frames: int | None = None
    start_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Session:
    """The tracks of one song, with one sample rate, one length and unique names.

    Attributes:
        tracks: The tracks, in the order given; no result depends on it.
        notes: Sentences for the user about what reading the files brought to light.

    Raises:
        InputError: There are no tracks, two have one name, or rates or lengths differ.
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
        """Frames per second of every track."""
        return self.tracks[0].source.sample_rate

    @property
    def frames(self) -> int:
        """Length of every track in frames."""
        return self.tracks[0].source.frames

    @property
    def audible(self) -> "Session":
        """The session without the tracks that are muted from the start; itself if there are none.

        Raises:
            InputError: All of them are.
        """
        heard = tuple(track for track in self.tracks if not track.muted)
        if not heard:
            names = ", ".join(track.name for track in self.tracks)
            raise InputError(
                f"no track is left to mix: {names} are no parts of a song; --set"
                f" '{self.tracks[0].name}.mute=false' mixes one in"
            )
        return self if len(heard) == len(self.tracks) else replace(self, tracks=heard)

    def with_muted(self, names: Collection[str]) -> "Session":
        """The session with these tracks muted from the start, as long as those that are heard."""
        tracks = [replace(t, muted=t.muted or t.name in names) for t in self.tracks]
        lengths = [t.own_frames or self.frames for t in tracks if not t.muted]
        frames = min(self.frames, max(lengths, default=self.frames))
        fitted = (replace(track, source=fit(track.source, frames)) for track in tracks)
        return replace(self, tracks=tuple(fitted)) if names else self

    def with_start(self, name: str, start_s: float) -> "Session":
        """The session with another start of one track; it is as long as the tracks that are heard.

        Args:
            name: Name of the track.
            start_s: When its file begins, in seconds.

        Raises:
            InputError: No track has that name.
        """
        moved = self.track(name)
        shift = seconds_to_samples(start_s, self.sample_rate)
        shift -= seconds_to_samples(moved.start_s, self.sample_rate)
        length = (moved.own_frames or self.frames) + shift
        moved = replace(
            moved,
            source=fit(moved.source, max(length, 1), shift),
            own_frames=max(length, 1),
            start_s=start_s,
        )
        known = (replace(t, own_frames=t.own_frames or self.frames) for t in self.tracks)
        tracks = [moved if track.name == name else track for track in known]
        heard = [track for track in tracks if not track.muted] or tracks
        frames = max(track.own_frames or 0 for track in heard)
        fitted = (replace(track, source=fit(track.source, frames)) for track in tracks)
        return replace(self, tracks=tuple(fitted))

    @property
    def in_memory(self) -> bool:
        """Whether the samples of all tracks fit in `IN_MEMORY_BYTES`."""
        return sum(track.source.frames * track.source.channels for track in self.tracks) * 4 <= (
            IN_MEMORY_BYTES
        )

    @property
    def bits(self) -> Depth:
        """The highest sample depth among the files: ``16``, ``24`` or ``32f``."""
        return max((track.bits for track in self.tracks), key=DEPTHS.index)

    def track(self, name: str) -> Track:
        """Finds the track of a name.

        Raises:
            InputError: No track has that name.
        """
        for track in self.tracks:
            if track.name == name:
                return track
        raise InputError(f"the session has no track named {name!r}")

    def with_role(self, role: Role) -> Track:
        """Finds the one track of a role.

        Raises:
            InputError: No track has that role, or several have.
        """
        found = [track for track in self.tracks if track.role == role]
        if len(found) != 1:
            raise InputError(f"this method needs exactly one {role}, not {len(found)}")
        return found[0]


@dataclass(frozen=True, kw_only=True)
class TrackFile:
    """A file that is to become a track.

    Attributes:
        name: Name of the track.
        role: Role of the track.
        path: The file, or its left side where there are two.
        right: File of the right side, where left and right are mono files of their own.
        channel: Channel of a file that holds several tracks, from 1; none for the whole file.
        right_channel: Channel of the right side, likewise.
        is_given: Whether the user has said the role.
        is_guide: Whether it is no part of the song, such as a click: no method hears it.
        is_muted: Whether the plan will mute it: then it does not set the length of the session.
        file_name: Name by which the file says what it is for; empty if that is known otherwise.
        stream: Stream of audio that is meant, from 1, in a file of several; none for the first.
        start_s: When it begins on the time line of the song; none where its time stamp may say so.
    """

    name: str
    role: Role
    path: Path
    right: Path | None = None
    channel: int | None = None
    right_channel: int | None = None
    is_given: bool = False
    is_guide: bool = False
    is_muted: bool = False
    file_name: str = ""
    stream: int | None = None
    start_s: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The one file, or those of left and right."""
        return (self.path,) if self.right is None else (self.path, self.right)

    @property
    def streams(self) -> tuple["_Stream", ...]:
        """The same, each with the stream of audio that is meant."""
        return tuple((path, self.stream) for path in self.paths)

    @property
    def parts(self) -> tuple[tuple["_Stream", int | None], ...]:
        """The stream and the channel in it of the one track, or of left and right."""
        channels = (self.channel, self.right_channel)
        return tuple(zip(self.streams, channels, strict=False))


def open_session(
    files: Sequence[TrackFile],
    options: ReadOptions | None = None,
    *,
    sample_rate: int | None = None,
    by_stamps: bool = False,
) -> Session:
    """Opens files as a session: resampled to one rate, placed in time, padded to one length.

    Args:
        files: The tracks.
        options: Faults of the files that are put up with; none unless given.
        sample_rate: Frames per second of the session; the highest among the files unless given.
        by_stamps: Whether the time stamps of broadcast WAV files place them, where they agree with
            one song; see `place_by_stamps`. Else all begin together.

    Raises:
        InputError: A file cannot be used; the message names it and the remedy.
    """
    options = options or ReadOptions()
    if not files:
        raise InputError("there are no tracks to open")
    streams = list(dict.fromkeys(stream for file in files for stream in file.streams))
    parted = {stream for file in files for stream, channel in file.parts if channel is not None}
    infos = [
        probe(stream[0], options, stream_number=stream[1], separate=stream in parted)
        for stream in streams
    ]
    total = sum(info.frames * info.channels * 4 for info in infos)
    rate = sample_rate or max(info.sample_rate for info in infos)

    def read(stream: _Stream) -> _Read:
        path, number = stream
        opened = open_audio(
            path,
            options,
            stream_number=number,
            in_memory=total <= IN_MEMORY_BYTES,
            with_checksum=True,
            separate=stream in parted,
        )
        return _Read(opened, resample(opened.source, rate))

    found = dict(zip(streams, run_in_parallel(read, streams), strict=True))
    known = {stream: item.opened.info for stream, item in found.items()}
    files, placing = place_by_stamps(files, known, wanted=by_stamps)
    heard = [file for file in files if not file.is_muted] or files
    frames = max(
        _start_frames(file, rate) + found[stream].source.frames
        for file in heard
        for stream in file.streams
    )
    tracks = [_make_track(file, found, frames) for file in files]
    notes = [*_write_notes(files, found, rate, frames), *placing]
    tracks, centered = _center_one_sided(tracks)
    return Session(tracks=tuple(tracks), notes=(*notes, *centered))


_Stream = tuple[Path, int | None]
"""A file and the number of the stream of audio that is meant, none for the first."""


@dataclass(frozen=True)
class _Read:
    opened: Opened
    source: AudioSource


def _make_track(file: TrackFile, found: Mapping[_Stream, _Read], frames: int) -> Track:
    sides = [found[stream] for stream in file.streams]
    start = _start_frames(file, sides[0].source.sample_rate)
    sources = [
        fit(pick_track(found[stream].source, stream[0], channel), frames, start)
        for stream, channel in file.parts
    ]
    return Track(
        name=file.name,
        role=file.role,
        source=join_pair(sources, file.path),
        path=file.path,
        right=file.right,
        channel=file.channel,
        right_channel=file.right_channel,
        stream=file.stream,
        sha256=" ".join(side.opened.sha256 for side in sides),
        bits=max((cast(Depth, side.opened.info.bits) for side in sides), key=DEPTHS.index),
        muted=file.is_guide,
        own_frames=start + max(side.source.frames for side in sides),
        start_s=file.start_s or 0.0,
    )


def _start_frames(file: TrackFile, rate: int) -> int:
    """Frames of silence before a file."""
    return seconds_to_samples(file.start_s or 0.0, rate)


def pick_track(source: AudioSource, path: Path, channel: int | None) -> AudioSource:
    """Picks the channel of a file that holds several tracks, or the whole file.

    Args:
        source: Audio of the file.
        path: The file, for the message.
        channel: Number of the channel from 1; none for the whole file.

    Raises:
        InputError: The file has no such channel.
    """
    if channel is None:
        return source
    if channel > source.channels:
        raise InputError(
            f"{printable(path)}: there is no channel {channel}: it has {source.channels}"
        )
    return pick_channel(source, channel - 1)


def join_pair(sides: Sequence[AudioSource], path: Path) -> AudioSource:
    """Joins the left and the right side of a track; one side is the track itself.

    Args:
        sides: One source, or two mono sources of one rate and length.
        path: File of the track, for the message.

    Raises:
        InputError: One of two sides is not mono.
    """
    if len(sides) == 1:
        return sides[0]
    if any(side.channels != 1 for side in sides):
        raise InputError(
            f"{printable(path)}: left and right of a pair must be mono; rename them, or"
            " list them"
            " as two tracks in a session file"
        )
    return join_sides(*sides)


def _center_one_sided(tracks: Sequence[Track]) -> tuple[list[Track], list[str]]:
    """Makes mono of stereo tracks of which one side is silent, so that they stand in the center.

    Those that were placed where they are keep their sides, see `find_placed`.

    Returns:
        The tracks, and notes for the user.
    """
    stereo = [track for track in tracks if track.right is None and track.source.channels == 2]
    sides = dict(
        zip(
            (track.name for track in stereo),
            run_in_parallel(lambda track: find_only_side(track.source), stereo),
            strict=True,
        )
    )
    placed = find_placed(sides, {track.name: track.role for track in stereo})
    result, notes = [], []
    for track in tracks:
        side = sides.get(track.name)
        if side is not None and track.name not in placed:
            silent = ("right", "left")[side]
            where = printable(track.path) if track.path else track.name
            notes.append(f"{where}: its {silent} channel is silent: taken as mono, in the center")
            track = replace(track, source=pick_channel(track.source, side))
        result.append(track)
    return result, notes


def find_placed(sides: Mapping[str, int | None], roles: Mapping[str, Role]) -> set[str]:
    """Finds the stereo tracks whose one side is silent because they stand on the other.

    Two such tracks that lie on opposite sides, such as stems of "OH L" and "OH R" that a program
    wrote as stereo files, keep their sides. So do as many on one side as on the other of a role
    that is not usually in the middle: "Gtr 1" and "Gtr Double" were placed, two singers were not.

    Args:
        sides: The side that alone sounds, 0 for left and 1 for right, by name; none where both do.
        roles: Roles of the same tracks.
    """
    pairs = dict(find_stereo_pairs([name for name, side in sides.items() if side is not None]))
    placed = {
        name
        for pair in pairs.items()
        if (sides[pair[0]], sides[pair[1]]) == (0, 1)
        for name in pair
    }
    by_role: dict[Role, list[str]] = {}
    for name, side in sides.items():
        if side is not None:
            by_role.setdefault(roles[name], []).append(name)
    for role, names in by_role.items():
        is_even = 2 * sum(sides[name] or 0 for name in names) == len(names)
        if is_even and role != "other" and not ROLE_TRAITS[role].centered:
            placed |= set(names)
    return placed


def _write_notes(
    files: Sequence[TrackFile], found: Mapping[_Stream, _Read], rate: int, frames: int
) -> list[str]:
    notes: list[str] = []
    owners: dict[tuple[str, int | None, int | None], list[str]] = {}
    ends = {
        stream: _start_frames(file, rate) + found[stream].source.frames
        for file in files
        for stream in file.streams
    }
    for file in files:
        for stream, channel in file.parts:
            checksum = found[stream].opened.sha256
            owners.setdefault((checksum, file.stream, channel), []).append(file.name)
    for stream, item in found.items():
        path = stream[0]
        notes += [f"{printable(path)}: {note}" for note in item.opened.notes]
        if item.opened.info.sample_rate != rate:
            old = item.opened.info.sample_rate
            notes.append(f"{printable(path)}: resampled from {old} to {rate} Hz")
        if ends[stream] < frames:
            missing = (frames - ends[stream]) / rate
            notes.append(f"{printable(path)}: {missing:.2f} s shorter, padded with silence")
        if ends[stream] > frames:
            surplus = (ends[stream] - frames) / rate
            notes.append(
                f"{printable(path)}: muted, so that the mix ends without its last {surplus:.2f} s"
            )
    for names in owners.values():
        if len(names) > 1:
            notes.append(f"{' and '.join(names)} are the same audio file")
    return notes


_STAMPS_S = 0.0005
"""Time stamps that differ by less are of one moment: rates divide it differently."""

_LEAST_WITHIN = 0.5
"""Share of a file that must lie within the longest one, for their time stamps to be of one song.

Takes that were recorded one after the other have stamps too, by the time of day.
"""


def place_by_stamps(
    files: Sequence[TrackFile],
    infos: Mapping[tuple[Path, int | None], AudioInfo],
    *,
    wanted: bool = True,
) -> tuple[Sequence[TrackFile], list[str]]:
    """Places files where their broadcast WAV time stamps say, if those are of one song.

    The earliest track that is heard begins at 0, and so does every file without a stamp.

    Args:
        files: The tracks.
        infos: What is known of the first stream of each.
        wanted: Whether they are to be placed.

    Returns:
        The tracks, placed, and notes for the user.
    """
    stamps, lengths = {}, {}
    for file in files:
        info = infos[file.streams[0]]
        if info.time_stamp is not None and file.start_s is None:
            stamps[file.name] = Fraction(info.time_stamp, info.sample_rate)
            lengths[file.name] = info.duration_s
    muted = {file.name for file in files if file.is_muted or file.is_guide}
    heard = {name: stamp for name, stamp in stamps.items() if name not in muted} or stamps
    first = min(heard.values(), default=Fraction(0))
    starts = {name: max(float(stamp - first), 0.0) for name, stamp in stamps.items()}
    late = {name: start for name, start in starts.items() if start >= _STAMPS_S}
    if not late:
        return files, []
    earliest = min(heard, key=heard.__getitem__)
    offsets = ", ".join(f"{name} {start:.3f} s" for name, start in late.items())
    after = f"after {earliest} come {offsets}"
    if not wanted:
        return files, [
            f"the time stamps of the tracks differ and are not used, all begin together: {after}"
        ]
    longest = max(heard, key=lengths.__getitem__)
    end = starts[longest] + lengths[longest]
    for name, start in starts.items():
        within = min(start + lengths[name], end) - max(start, starts[longest])
        if within >= _LEAST_WITHIN * lengths[name]:
            continue
        if name not in heard:  # a click of another take is nobody's business
            late.pop(name, None)
            continue
        return files, [
            "the time stamps of the tracks are of different takes and are not used, all begin"
            f" together: {after}; --set '{name}.start_s=…' places one"
        ]
    placed = [replace(f, start_s=late[f.name]) if f.name in late else f for f in files]
    notes = [f"placed by the time stamps of their files: {after}"]
    if bare := [f.name for f in files if f.name not in stamps and f.start_s is None]:
        notes.append(
            f"{', '.join(bare)}: no time stamp, begins with {earliest}; --set '{bare[0]}.start_s=…'"
            " places it"
        )
    return placed, notes


def open_plan_session(
    plan: MixPlan, folder: Path, options: ReadOptions | None = None, *, allow_outside: bool = False
) -> Session:
    """Opens the files that a plan in ``folder`` names.

    A file outside the folder is read only if it is what the plan was made from, so that a plan from
    elsewhere cannot make anything of this machine's files.

    Args:
        plan: The plan.
        folder: Folder of the plan's file; its references start there.
        options: Faults of the files that are put up with; none unless given.
        allow_outside: Whether any file outside the folder is read.

    Raises:
        PlanError: A file is missing, or is another one outside the folder; names track and remedy.
        InputError: A file cannot be used.
    """
    if not plan.tracks:
        raise PlanError("the plan has no tracks")
    files, notes = [], []
    for strip in plan.tracks:
        references = [reference for reference in (strip.file, strip.right_file) if reference]
        paths = [resolve_file(reference, folder) for reference in references]
        wanted = strip.sha256.split() or [""] * len(paths)
        if not paths:
            raise PlanError(
                f"track {strip.name!r}: there is no file named; correct `file` in the plan"
            )
        if len(wanted) != len(paths):
            raise PlanError(
                f"track {strip.name!r}: {len(wanted)} digests for {len(paths)} files;"
                " correct `sha256` in the plan"
            )
        for path, digest in zip(paths, wanted, strict=True):
            if not _is_same(strip.name, path, digest, folder, allow_outside):
                notes.append(f"{printable(path)}: not the file that the plan was made from")
        role: Role = next((role for role in ROLES if role == strip.role), "other")
        right = paths[1] if len(paths) == 2 else None
        files.append(
            TrackFile(
                name=strip.name,
                role=role,
                path=paths[0],
                right=right,
                channel=strip.channel,
                right_channel=strip.right_channel,
                stream=strip.stream,
                is_muted=strip.mute,
                start_s=strip.start_s,
            )
        )
    session = open_session(files, options, sample_rate=plan.sample_rate_hz)
    return replace(session, notes=(*notes, *session.notes))


def list_plan_inputs(plan: MixPlan, folder: Path) -> list[Path]:
    """Lists the files that a plan in ``folder`` names."""
    return [
        resolve_file(reference, folder)
        for strip in plan.tracks
        for reference in (strip.file, strip.right_file)
        if reference
    ]


def _is_same(track: str, path: Path, digest: str, folder: Path, allow_outside: bool) -> bool:
    if not os.path.isfile(path):  # unlike Path.is_file, never raises
        raise PlanError(
            f"track {track!r}: there is no file {printable(path)}; correct `file` in the plan"
        )
    same = not digest or sha256(path) == digest
    outside = not path.resolve().is_relative_to(folder.resolve())
    if outside and not allow_outside and not (digest and same):
        raise PlanError(
            f"track {track!r}: {printable(path)} is outside the plan's folder and not the file"
            " that the plan was made from; --allow-outside reads it all the same"
        )
    return same
