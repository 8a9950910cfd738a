"""Checks a song: opens its files as they are, hears each once, and runs the table of checks."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from automix.audio.blocks import fit
from automix.audio.resampling import resample
from automix.audio.samples import AudioSource, Samples
from automix.audio.streams import Stream
from automix.checking.catalog import check_takes
from automix.checking.findings import TakeFinding, are_faults
from automix.checking.takes import HeardTake, TakeScan
from automix.files.ffmpeg import LOSSLESS
from automix.files.foreign import FOREIGN
from automix.files.info import AudioInfo, ReadOptions
from automix.files.names import printable
from automix.files.probe import probe
from automix.files.reading import open_audio
from automix.parallel.workers import run_in_parallel
from automix.session.tracks import (
    IN_MEMORY_BYTES,
    Session,
    TrackFile,
    find_placed,
    join_pair,
    pick_track,
    place_by_stamps,
)

VERSION = 1
"""Version of the documents; a field that goes away or changes its meaning raises it."""

_PLAIN = ("wav", "rf64", "w64", "aiff")
"""Containers of files that can be read again at no cost."""

_LOSSY = {"MPEG_LAYER_I": "MP1", "MPEG_LAYER_II": "MP2", "MPEG_LAYER_III": "MP3"}
_LOSSY |= {"VORBIS": "Vorbis", "OPUS": "Opus"}


@dataclass(frozen=True, kw_only=True)
class CheckedTake:
    """A take that was checked.

    Attributes:
        name: Name of the track.
        role: Role of the track.
        files: Its file, or those of left and right; empty for samples in memory.
        sample_rate: Frames per second.
        channels: 1 or 2; surround sound is heard as stereo.
        duration_s: Length.
    """

    name: str
    role: str
    files: tuple[str, ...]
    sample_rate: int
    channels: int
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class SongCheck:
    """What is wrong with the takes of a song.

    Attributes:
        song: Name of the song.
        takes: The takes, in the order of the session.
        findings: What was found, the worst first.
        notes: Sentences for the user about what reading the files brought to light.
    """

    song: str
    takes: tuple[CheckedTake, ...]
    findings: tuple[TakeFinding, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong; what is only good to know does not count."""
        return not are_faults(self.findings)

    def document(self) -> dict[str, Any]:
        """The check as values that JSON has words for."""
        return {
            "song": self.song,
            "is_sound": self.is_sound,
            "takes": [
                {
                    "name": take.name,
                    "role": take.role,
                    "files": list(take.files),
                    "sample_rate_hz": take.sample_rate,
                    "channels": take.channels,
                    "duration_s": take.duration_s,
                }
                for take in self.takes
            ],
            "findings": [finding.document() for finding in self.findings],
            "notes": list(self.notes),
        }


def check_files(
    song: str, files: Sequence[TrackFile], options: ReadOptions, notes: Sequence[str] = ()
) -> SongCheck:
    """Checks the tracks of a song as their files are: neither resampled, padded, nor centered.

    Args:
        song: Name of the song.
        files: The tracks; `automix.session.song_folder.find_song_files` finds them.
        options: Faults of the files that are put up with.
        notes: Sentences for the user, to which those of opening are added.

    Raises:
        InputError: A file cannot be used; the message names it and the remedy.
    """
    groups: dict[tuple[Any, ...], list[TrackFile]] = {}
    for file in files:
        is_whole = any(channel is None for _, channel in file.parts)
        groups.setdefault((*file.streams, file.name if is_whole else None), []).append(file)
    parted = {stream for file in files for stream, channel in file.parts if channel is not None}

    infos: dict[tuple[Path, int | None], AudioInfo] = {}

    def hear(group: list[TrackFile]) -> list[tuple[HeardTake, CheckedTake, tuple[str, ...]]]:
        opened = _open(group, options, parted)
        infos[group[0].streams[0]] = opened.info
        scans = _scan(opened, group)
        rows = []
        for number, (file, scan) in enumerate(zip(group, scans, strict=True)):
            source = opened.sources[number]
            take = scan.result(file.name, file.role, source, _name_coding(opened.info))
            again = partial(_read_again, group, options, parted, number)
            later = Stream(
                sample_rate=source.sample_rate,
                channels=source.channels,
                frames=source.frames,
                make_blocks=again,
            )
            notes = () if number else opened.notes
            rows.append((replace(take, source=later), _describe(file, source), notes))
        return rows

    heard = [row for rows in run_in_parallel(hear, list(groups.values())) for row in rows]
    order = {file.name: number for number, file in enumerate(files)}
    heard.sort(key=lambda row: order[row[0].name])
    placed, placing = place_by_stamps(files, infos)
    starts = {file.name: file.start_s or 0.0 for file in placed}
    takes = _mark_placed([replace(take, start_s=starts[take.name]) for take, _, _ in heard])
    return SongCheck(
        song=song,
        takes=tuple(described for _, described, _ in heard),
        findings=tuple(check_takes(takes)),
        notes=(*notes, *(note for _, _, said in heard for note in said), *placing),
    )


def check_session(song: str, session: Session) -> SongCheck:
    """Checks tracks that are at hand; what their files say of rate and length is not known.

    Args:
        song: Name of the song.
        session: The tracks.

    Raises:
        InputError: A file changed while it was read.
    """

    def hear(number: int) -> HeardTake:
        track = session.tracks[number]
        scan = _scan_source(track.source, track.bits)
        return replace(scan.result(track.name, track.role, track.source), duration_s=0.0)

    heard = run_in_parallel(hear, range(len(session.tracks)))
    return SongCheck(
        song=song,
        takes=tuple(
            CheckedTake(
                name=track.name,
                role=track.role,
                files=tuple(str(path) for path in (track.path, track.right) if path is not None),
                sample_rate=track.source.sample_rate,
                channels=track.source.channels,
                duration_s=track.source.frames / track.source.sample_rate,
            )
            for track in session.tracks
        ),
        findings=tuple(check_takes(_mark_placed(heard))),
        notes=session.notes,
    )


def _name_coding(info: AudioInfo) -> str:
    """Name of the lossy code of a file; empty if it is coded without losses."""
    if info.container in FOREIGN:
        return "" if info.subtype.lower().startswith(LOSSLESS) else info.subtype
    return _LOSSY.get(info.subtype, "")


def _join(sides: Sequence[AudioSource], path: Path) -> AudioSource:
    """The source of a track; left and right are brought to one rate and length."""
    rate = max(side.sample_rate for side in sides)
    sides = [resample(side, rate) for side in sides]
    frames = max(side.frames for side in sides)
    return join_pair([fit(side, frames) for side in sides], path)


@dataclass(frozen=True, eq=False)
class _Opened:
    """The tracks of one file, or of one pair of files, which are read in one pass."""

    whole: AudioSource
    sources: tuple[AudioSource, ...]
    info: AudioInfo
    notes: tuple[str, ...]


def _open(
    group: Sequence[TrackFile], options: ReadOptions, parted: Collection[tuple[Path, int | None]]
) -> _Opened:
    """Opens the file of some tracks. What has to be decoded is, unless it is very long."""
    opened = {}
    for stream in dict.fromkeys(stream for file in group for stream in file.streams):
        path, number = stream
        separate = stream in parted
        info = probe(path, options, stream_number=number, separate=separate)
        fits = info.frames * info.channels * 4 <= IN_MEMORY_BYTES // 4
        opened[stream] = open_audio(
            path,
            options,
            stream_number=number,
            in_memory=fits and info.container not in _PLAIN,
            separate=separate,
        )
    sources = tuple(
        _join([pick_track(opened[s].source, s[0], n) for s, n in file.parts], file.path)
        for file in group
    )
    first = opened[group[0].streams[0]]
    notes = (f"{printable(s[0])}: {note}" for s, each in opened.items() for note in each.notes)
    whole = sources[0] if len(group) == 1 else first.source
    return _Opened(whole, sources, first.info, tuple(notes))


def _read_again(
    group: Sequence[TrackFile],
    options: ReadOptions,
    parted: Collection[tuple[Path, int | None]],
    number: int,
) -> Iterator[Samples]:
    return _open(group, options, parted).sources[number].blocks()


def _scan(opened: _Opened, group: Sequence[TrackFile]) -> list[TakeScan]:
    """Scans the tracks of one file in one pass through it."""
    if len(group) == 1:
        return [_scan_source(opened.whole, opened.info.bits)]
    channels = [[(channel or 1) - 1 for _, channel in file.parts] for file in group]
    rate = opened.whole.sample_rate
    scans = [TakeScan(rate, len(numbers), opened.info.bits) for numbers in channels]
    for block in opened.whole.blocks():
        for scan, numbers in zip(scans, channels, strict=True):
            scan.add(np.ascontiguousarray(block[numbers]))
    return scans


def _scan_source(source: AudioSource, bits: str) -> TakeScan:
    scan = TakeScan(source.sample_rate, source.channels, bits)
    for block in source.blocks():
        scan.add(block)
    return scan


def _describe(file: TrackFile, source: AudioSource) -> CheckedTake:
    return CheckedTake(
        name=file.name,
        role=file.role,
        files=tuple(str(path) for path in file.paths),
        sample_rate=source.sample_rate,
        channels=source.channels,
        duration_s=source.frames / source.sample_rate,
    )


def _mark_placed(takes: Sequence[HeardTake]) -> list[HeardTake]:
    """Marks the takes whose silent side is as it was meant."""
    sides: Mapping[str, int | None] = {take.name: take.conditions.only_side for take in takes}
    placed = find_placed(sides, {take.name: take.role for take in takes})
    return [replace(take, is_placed=take.name in placed) for take in takes]
