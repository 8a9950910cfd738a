"""Finds the files that make up a song: in a folder, a list of files, or a session file."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automix.analysis.clicks import is_metronome
from automix.analysis.role_features import RoleFeatures, guess_role, measure_role_features
from automix.analysis.sums import find_sums
from automix.errors import InputError
from automix.files.extensions import is_stem_file
from automix.files.folders import find_audio
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.probe import probe
from automix.files.recorder import read_recorder_tracks
from automix.files.stems import list_stems
from automix.files.text import read_toml
from automix.parallel.workers import run_in_parallel
from automix.plan.roles import ROLE_FAMILIES, ROLES, Role
from automix.plan.toml import begins_as_plan
from automix.session.roles.naming import (
    describe_new_names,
    make_natural_name,
    make_natural_names,
    make_unreserved_name,
)
from automix.session.roles.pairs import find_stereo_pairs, name_pair
from automix.session.roles.purpose import find_purposes
from automix.session.roles.recognition import read_role
from automix.session.tracks import Session, TrackFile, open_session

MIX_NAME = "mix"
"""Name of the file beside the tracks that is the human mix, in folders of songs to learn from."""

_CHANNEL_KEYS = ("channel", "right_channel")
_MOST_CHANNELS = 64

_COLLECTIVE = frozenset[Role](("backing track", "drums", "other", "fx"))
_FEWEST_PARTS = 2
"""Tracks that must be left beside a mix, so that it is left out: "Vox" and "Mix" are two tracks."""

_SURE = 0.7
"""Confidence, 0 … 1, from which a role that is told by sound alone counts."""


def find_song_files(
    paths: Sequence[Path],
    *,
    recursive: bool = False,
    roles: Mapping[str, str] | None = None,
    known_mix: Path | None = None,
    mutes: Mapping[str, bool] | None = None,
    strict: bool = False,
) -> tuple[list[TrackFile], list[str]]:
    """Finds the tracks of a song.

    A mix of the song among its files is left out, and a click or a scratch take is muted, with a
    note that says how to keep it; so is a take that its name calls a scratch, where there is
    another one of its kind.

    Args:
        paths: One folder, one session file (``.toml``), or the audio files themselves.
        recursive: Whether to look into the folders of the folder.
        roles: Roles by track name that overrule what the names say. A mix or a click that is given
            one is a track.
        known_mix: The file of the human mix, if the caller knows it: it is left out without a note.
        mutes: Tracks that the caller mutes, or wants to hear whatever they are, by name.
        strict: Whether a file of a folder that holds audio and is no track is an error.

    Returns:
        The tracks with natural unique names and the roles that their names tell (``other`` where
        they tell nothing), and notes for the user.

    Raises:
        InputError: There is no audio, a session file is not one, a role is given for a track that
            is not there, or, when strict, a file holds audio that cannot be used.
    """
    notes: list[str] = []
    given = dict(roles or {})
    kept: dict[_Part, str] = {}
    if len(paths) == 1 and paths[0].suffix.lower() == ".toml":
        tracks = _read_session_file(paths[0])
    elif len(paths) == 1 and os.path.isfile(paths[0]) and (stems := list_stems(paths[0])):
        tracks = _read_stems(paths[0], stems)
        if 1 not in stems:
            notes.append(f"{printable(paths[0])}: holds the mix of its stems too, left out")
    else:
        found, mixes, notes = _find_parts(paths, recursive, known_mix, strict)
        kept = _keep_mixes(mixes, given)
        notes += [_say_left_out(part, name) for part, name in mixes.items() if part not in kept]
        found = [part for part in found if part not in mixes or part in kept]
        tracks, spoken = _read_tracks(found, kept)
        notes += spoken
    if not tracks:
        why = f" ({'; '.join(notes[:3])})" if notes else ""
        raise InputError(
            f"{', '.join(map(printable, paths))}: no audio files; give a song's folder{why}"
        )
    tracks = [_give_role(track, given, kept) for track in tracks]
    if given:
        raise InputError(
            f"no track is named {sorted(given)[0]!r}; there are:"
            f" {', '.join(track.name for track in tracks)}"
        )
    tracks, spoken = _avoid_reserved_names(tracks)
    tracks, muted = _mute_guides(tracks, _find_title(paths), mutes or {})
    return tracks, [*notes, *spoken, *muted]


def _give_role(track: TrackFile, given: dict[str, str], kept: "Mapping[_Part, str]") -> TrackFile:
    """Gives a track the role that is given for its name, and takes that out of ``given``."""
    of_mix = {(part.path, part.channel): role for part, role in kept.items()}
    role = of_mix.get((track.path, track.channel)) or given.pop(track.name, None)
    if role is None:
        return track
    return replace(track, role=check_role(role, track.name), is_given=True)


def _keep_mixes(mixes: "Mapping[_Part, str]", given: dict[str, str]) -> "dict[_Part, str]":
    """The roles of mixes that are given one, and so are tracks; takes them out of ``given``."""
    kept = {}
    for part, name in mixes.items():
        for asked in (name, part.stem):
            if asked in given:
                kept[part] = given.pop(asked)
    return kept


def _avoid_reserved_names(tracks: Sequence[TrackFile]) -> tuple[list[TrackFile], list[str]]:
    """Renames tracks that are called as the master of every plan is.

    Returns:
        The tracks, and notes for the user.
    """
    taken = {track.name for track in tracks}
    names = {name: make_unreserved_name(name, taken) for name in taken}
    renamed = [replace(track, name=names[track.name]) for track in tracks]
    return renamed, describe_new_names(names)


def _mute_guides(
    tracks: Sequence[TrackFile], title: str, mutes: Mapping[str, bool]
) -> tuple[list[TrackFile], list[str]]:
    """Mutes clicks and scratch takes; those that the caller wants to hear, no method sets."""
    purposes = find_purposes([track.file_name for track in tracks], title)
    scratch = {t.name for t, purpose in zip(tracks, purposes, strict=True) if purpose == "scratch"}
    result, notes = [], []
    for track, purpose in zip(tracks, purposes, strict=True):
        told = track.is_given and track.role != "other"
        if purpose in ("guide", "scratch") and not told:
            what = "a click or another guide of the musicians"
            if purpose == "scratch":
                takes = [t for t in tracks if t.name not in scratch and _replaces(t, track)]
                what = "a scratch take"
                if not takes:
                    notes.append(f"{track.name}: {what} by its name, kept: there is no other take")
                    result.append(track)
                    continue
            is_muted = mutes.get(track.name, True)
            end = "not muted, and as loud as it is"
            if is_muted:
                end = _say_muted(track.name)
            notes.append(f"{track.name}: {what} by its name, {end}")
            track = replace(track, is_guide=True, is_muted=is_muted)
        result.append(track)
    return result, notes


def _replaces(take: TrackFile, scratch: TrackFile) -> bool:
    """Whether a track is what a scratch take was played for: any, if its name does not say."""
    if scratch.role in ("other", "fx"):
        return True
    if ROLE_FAMILIES[scratch.role] == "vocal":
        return take.role == scratch.role
    return ROLE_FAMILIES[take.role] == ROLE_FAMILIES[scratch.role]


def name_roles(names: Sequence[str], given: Mapping[str, str]) -> dict[str, Role]:
    """The roles of tracks by their names: what they are said to be, else what the names tell.

    Raises:
        InputError: No track has a name that is given, or there is no such role.
    """
    if unknown := sorted(set(given) - set(names)):
        raise InputError(f"no track is named {unknown[0]!r}; there are: {', '.join(names)}")
    roles: dict[str, Role] = {}
    for name in names:
        told = read_role(name, names)
        if name in given:
            roles[name] = check_role(given[name], name)
        else:
            roles[name] = told.role if told else "other"
    return roles


def check_role(role: str, name: str) -> Role:
    """Looks up the role of a name.

    Args:
        role: Name of the role.
        name: Name of the track, for the message.

    Raises:
        InputError: No role has that name.
    """
    for known in ROLES:
        if known == role:
            return known
    raise InputError(f"track {name!r}: no role {role!r}; there are: {', '.join(ROLES)}")


@dataclass(frozen=True)
class _Part:
    """A file, or one channel of a file that holds several tracks; ``stem`` is what it is called."""

    path: Path
    channel: int | None
    stem: str


def _find_parts(
    paths: Sequence[Path], recursive: bool, known_mix: Path | None, strict: bool
) -> tuple[list[_Part], dict[_Part, str], list[str]]:
    """Finds what a song is made of.

    Returns:
        Its parts; those of them that are mixes of the song, with the names that they would have as
        tracks; and notes for the user.
    """
    files, notes = _find_audio(paths, recursive, known_mix, strict)
    parts: list[_Part] = []
    for file in files:
        own, said = _find_channels(file)
        parts += own
        notes += said
    purposes = find_purposes([part.stem for part in parts], _find_title(paths))
    found = [part for part, purpose in zip(parts, purposes, strict=True) if purpose == "mix"]
    if len(parts) - len(found) < _FEWEST_PARTS:
        found = []  # what else would be mixed?
    mixes = {part: make_natural_name(part.stem) for part in found}
    return parts, mixes, notes


def _find_title(paths: Sequence[Path]) -> str:
    """The name of the song's folder; empty where files are named."""
    return paths[0].resolve().name if len(paths) == 1 and os.path.isdir(paths[0]) else ""


def _say_left_out(part: _Part, name: str) -> str:
    where = printable(part.path) + ("" if part.channel is None else f", channel {part.channel}")
    return (
        f"{where}: taken for a mix of the song, left out; --role '{printable(name)}=backing track'"
        " mixes it in"
    )


def _find_channels(file: Path) -> tuple[list[_Part], list[str]]:
    """The tracks that a file holds: one, or as many as a recorder has named in it."""
    told = read_recorder_tracks(file)
    whole = [_Part(file, None, file.stem)]
    if told is None:
        return whole, []
    if told.names:
        parts = [
            _Part(file, channel, name or f"{file.stem} {channel}")
            for channel, name in enumerate(told.names, 1)
        ]
        names = ", ".join(printable(part.stem) for part in parts)
        return parts, [f"{printable(file)}: its {told.channels} channels are tracks: {names}"]
    if told.channels > 2 and not told.has_layout:
        return whole, [
            f"{printable(file)}: does not say what its {told.channels} channels are; if they are"
            " tracks, name them in a session file: [[tracks]] with `file`, `name` and"
            " `channel = 1`, and so on"
        ]
    return whole, []


def _find_audio(
    paths: Sequence[Path], recursive: bool, known_mix: Path | None, strict: bool
) -> tuple[list[Path], list[str]]:
    found: list[Path] = []
    notes = []
    for path in paths:
        if not os.path.isdir(path):
            if is_stem_file(path.name):
                raise InputError(
                    f"{printable(path)}: holds the stems of a song of its own; mix it by itself"
                )
            found.append(path)
            continue
        for file, reason in sorted(_walk_audio(path, recursive)):
            if file == known_mix:
                continue
            if is_own_mix(file):
                notes.append(f"{printable(file)}: a mix that automix wrote, left out")
            elif reason and strict:
                raise InputError(f"{printable(file)}: {reason}, or leave out --strict")
            elif reason:
                notes.append(f"{printable(file)}: left out: {reason}")
            else:
                found.append(file)
        if not recursive:
            notes += _tell_deeper_audio(path)
    once = {os.path.realpath(path): path for path in reversed(found)}
    if len(once) < len(found):
        notes.append("a file that was named twice is used once")
    return list(reversed(once.values())), notes


def _tell_deeper_audio(folder: Path) -> Iterator[str]:
    """Says which of the folders in a folder hold audio, where they are not looked into."""
    try:
        folders = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError:  # then no audio is found in it, which is said
        return
    for inner in folders:
        if inner.name.startswith((".", "__")) or inner.is_symlink():
            continue
        count = sum(1 for _ in _walk_audio(inner, recursive=False))
        if count:
            files = "1 audio file" if count == 1 else f"{count} audio files"
            yield f"{printable(inner)}: {files} in this folder left out; --recursive takes them"


def _walk_audio(folder: Path, recursive: bool) -> Iterator[tuple[Path, str]]:
    """Yields the files that hold audio, each with the reason why it is no track, or nothing."""
    # does not follow links to folders: no loops
    for here, folders, names in os.walk(folder, onerror=_refuse_folder):
        folders[:] = sorted(f for f in folders if recursive and not f.startswith((".", "__")))
        for found in find_audio(here, names):
            yield Path(here, found.name), found.reason


def _refuse_folder(error: OSError) -> None:
    raise InputError(
        f"{printable(error.filename)}: cannot be looked into ({error.strerror}); change its "
        "permissions (chmod +rx)"
    ) from error


def is_own_mix(audio: Path) -> bool:
    """Tells whether automix wrote a file of audio: then a plan lies beside it."""
    return begins_as_plan(audio.with_suffix(".toml"))


def _read_tracks(
    parts: Sequence[_Part], kept: Collection[_Part]
) -> tuple[list[TrackFile], list[str]]:
    """Makes tracks of the parts of a song: names, roles, and pairs of left and right.

    Args:
        parts: Files, or channels of files.
        kept: Those that are tracks although their names say otherwise.

    Returns:
        The tracks, and notes for the user.
    """
    stems = [part.stem for part in parts]
    by_stem = dict(zip(stems, parts, strict=True))
    found = dict(find_stereo_pairs(stems)) if len(by_stem) == len(stems) else {}
    stereo = [left for left, right in found.items() if _is_stereo(by_stem[left], by_stem[right])]
    notes = [
        f"{printable(by_stem[left].path)} and {printable(by_stem[found[left]].path.name)}: stereo"
        " files, so they are two tracks and not the sides of one"
        for left in stereo
    ]
    pairs = {left: right for left, right in found.items() if left not in stereo}
    rights = set(pairs.values())
    singles = [part for part in parts if part.stem not in rights]
    spoken = [name_pair(p.stem, pairs[p.stem]) if p.stem in pairs else p.stem for p in singles]
    told = [read_role(stem, spoken) for stem in spoken]
    has_lead = any(said and said.role == "lead vocal" and not said.double for said in told)
    tracks = []
    names = make_natural_names(spoken)
    for part, name, stem, said in zip(singles, names, spoken, told, strict=True):
        role: Role = said.role if said else "other"
        if said and said.double and role == "lead vocal" and has_lead:
            role = "backing vocal"  # the double of a lead stands behind it
        right = by_stem[pairs[part.stem]] if part.stem in pairs else None
        tracks.append(
            TrackFile(
                name=name,
                role=role,
                path=part.path,
                right=right.path if right else None,
                channel=part.channel,
                right_channel=right.channel if right else None,
                file_name="" if part in kept else stem,
            )
        )
    return tracks, notes


def _is_stereo(*parts: _Part) -> bool:
    """Whether any of these files has more than one channel; a file that is unreadable has not."""
    for part in parts:
        try:
            options = ReadOptions(repair=True, allow_truncated=True)
            if part.channel is None and probe(part.path, options).channels > 1:
                return True
        except InputError:  # said when the file is opened, by what opens it
            continue
    return False


def _read_stems(path: Path, stems: Mapping[int, str]) -> list[TrackFile]:
    names = list(stems.values())
    told = [read_role(name, names) for name in names]
    return [
        TrackFile(name=name, role=said.role if said else "other", path=path, stream=number)
        for (number, name), said in zip(stems.items(), told, strict=True)
    ]


def _read_session_file(path: Path) -> list[TrackFile]:
    rows = read_toml(path).get("tracks")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{printable(path)}: a session has [[tracks]] with `file`, `name`, `role`")
    tracks = []
    for number, row in enumerate(rows, 1):
        where = f"{printable(path)}, track {number}"
        if unknown := set(row) - {"file", "right", "name", "role", *_CHANNEL_KEYS}:
            raise InputError(f"{where}: unknown key {sorted(unknown)[0]!r}")
        texts = (value for key, value in row.items() if key not in _CHANNEL_KEYS)
        if not all(isinstance(value, str) for value in texts) or "file" not in row:
            raise InputError(f"{where}: needs `file`; all values but channels are texts")
        if any("\0" in value for value in row.values() if isinstance(value, str)):
            raise InputError(f"{where}: a value holds a null character; remove it")
        for key in _CHANNEL_KEYS:
            if key in row and not (type(row[key]) is int and 1 <= row[key] <= _MOST_CHANNELS):
                raise InputError(f"{where}: {key} is a number from 1 to {_MOST_CHANNELS}")
        if "right_channel" in row and not {"channel", "right"} & set(row):
            raise InputError(f"{where}: right_channel goes with channel")
        name = row.get("name", Path(row["file"]).stem)
        said = read_role(name)
        role: Role = said.role if said else "other"
        tracks.append(
            TrackFile(
                name=name,
                role=check_role(row["role"], name) if "role" in row else role,
                is_given="role" in row,
                path=path.parent / row["file"],
                right=path.parent / row[right] if (right := _right_key(row)) else None,
                channel=row.get("channel"),
                right_channel=row.get("right_channel"),
                file_name=name,
            )
        )
    return tracks


def _right_key(row: Mapping[str, object]) -> str:
    """The key of a session's track that names the file of its right side; empty for mono."""
    if "right" in row:
        return "right"
    return "file" if "right_channel" in row else ""


def open_song(
    files: Sequence[TrackFile],
    options: ReadOptions,
    notes: Sequence[str] = (),
    mutes: Mapping[str, bool] | None = None,
    *,
    by_stamps: bool = False,
) -> Session:
    """Opens the tracks of a song, and tells the role of those by sound whose names say nothing.

    Args:
        files: The tracks.
        options: Faults of the files that are put up with.
        notes: Sentences for the user, to which those of opening are added.
        mutes: Tracks that the user mutes or wants to hear, by name; the others are muted where
            their sound shows that they are no part of the song. None where all files are known to
            be tracks, as in data sets.
        by_stamps: Whether time stamps place the files, see `open_session`.

    Raises:
        InputError: A file cannot be used.
    """
    session = open_session(files, options, by_stamps=by_stamps)
    if mutes is not None:
        session = _mute_by_sound(session, files, mutes)
    given = {file.name for file in files if file.is_given}
    unknown = [
        track
        for track in session.audible.tracks
        if track.role == "other" and track.name not in given
    ]
    has_lead = any(track.role == "lead vocal" for track in session.tracks)
    measured = run_in_parallel(lambda track: measure_role_features(track.source), unknown)
    features = dict(zip((track.name for track in unknown), measured, strict=True))
    roles = _tell_roles_by_sound(features, has_lead)
    heard = [f"{name}: sounds like {role}" for name, role in roles.items()]
    tracks = (replace(track, role=roles.get(track.name, track.role)) for track in session.tracks)
    return replace(session, tracks=tuple(tracks), notes=(*notes, *session.notes, *heard))


def _mute_by_sound(
    session: Session, files: Sequence[TrackFile], mutes: Mapping[str, bool]
) -> Session:
    """Mutes what its sound shows to be no part of a song: the sum of the others, and a metronome.

    Args:
        session: The tracks of a song.
        files: The same tracks as files.
        mutes: Tracks that the user mutes or wants to hear, by name: they stay as they are.

    Returns:
        The session, with notes on what was found.

    Raises:
        InputError: A file changed while it was read.
    """
    told = {file.name: file for file in files}
    tracks = [track for track in session.tracks if not track.muted]
    free = {
        track.name
        for track in tracks
        if track.name not in mutes and not (told[track.name].is_given and track.role != "other")
    }
    notes: list[str] = []
    muted: set[str] = set()
    unnamed = [t for t in tracks if t.name in free and _says_nothing(told[t.name], files)]
    ticking = run_in_parallel(
        lambda track: is_metronome(track.source, [t.source for t in tracks if t is not track]),
        unnamed,
    )
    for track, ticks in zip(unnamed, ticking, strict=True):
        if ticks:
            muted.add(track.name)
            notes.append(f"{track.name}: sounds like a metronome, {_say_muted(track.name)}")
    sources = {track.name: track.source for track in tracks if track.name not in muted}
    sums = find_sums(sources)
    roles = {track.name: track.role for track in tracks}
    for name, of in sums.items():
        parts = ", ".join(part for part in of if part not in sums) or ", ".join(of)
        if name in free and _may_be_sum(roles[name], [roles[part] for part in of]):
            muted.add(name)
            notes.append(f"{name}: is the sum of {parts}: taken for a mix, {_say_muted(name)}")
        else:
            mute = f"--set '{name}.mute=true'"
            notes.append(f"{name}: is the sum of {parts}, which are heard twice; {mute} mutes it")
    return replace(session.with_muted(muted), notes=(*session.notes, *notes))


def _may_be_sum(role: Role, parts: Sequence[Role]) -> bool:
    """Whether a track of a role may be a bus of others, and not a microphone that hears them.

    A tom that nobody plays is the sum of the kick and the snare that its microphone hears.
    """
    if role in _COLLECTIVE:
        return True
    if ROLE_FAMILIES[role] == "drums":
        return set(parts) == {role}
    return {ROLE_FAMILIES[part] for part in parts} == {ROLE_FAMILIES[role]}


def _say_muted(name: str) -> str:
    return f"muted; --set '{name}.mute=false' mixes it in"


def _says_nothing(file: TrackFile, files: Sequence[TrackFile]) -> bool:
    """Whether the name of a file tells no role."""
    names = [other.file_name for other in files]
    return bool(file.file_name) and read_role(file.file_name, names) is None


def _tell_roles_by_sound(features: Mapping[str, RoleFeatures], has_lead: bool) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for name, measured in features.items():
        role, confidence = guess_role(measured)
        if confidence >= _SURE:
            roles[name] = role
    # Sound alone cannot tell the lead from other voices: the busiest leads, if none does by name.
    voices = [name for name, role in roles.items() if role == "lead vocal"]
    lead = max(voices, key=lambda name: features[name].activity, default=None)
    for name in voices:
        if has_lead or name != lead:
            roles[name] = "backing vocal"
    return roles
