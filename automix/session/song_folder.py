"""Finds the files that make up a song: in a folder, a list of files, or a session file."""

import os
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from automix.analysis.role_features import RoleFeatures, guess_role, measure_role_features
from automix.errors import InputError
from automix.files.extensions import AUDIO_EXTENSIONS
from automix.files.info import ReadOptions
from automix.files.names import printable
from automix.files.probe import probe
from automix.parallel.workers import run_in_parallel
from automix.plan.roles import ROLE_FAMILIES, ROLES, Role
from automix.plan.toml import begins_as_plan
from automix.session.roles.naming import (
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

_FEWEST_PARTS = 2
"""Tracks that must be left beside a mix that was named one by one, so that it is left out."""

_SURE = 0.7
"""Confidence, 0 … 1, from which a role that is told by sound alone counts."""


def find_song_files(
    paths: Sequence[Path],
    *,
    recursive: bool = False,
    roles: Mapping[str, str] | None = None,
    known_mix: Path | None = None,
    mutes: Mapping[str, bool] | None = None,
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

    Returns:
        The tracks with natural unique names and the roles that their names tell (``other`` where
        they tell nothing), and notes for the user.

    Raises:
        InputError: There is no audio, a session file is not one, or a role is given for a track
            that is not there.
    """
    notes: list[str] = []
    given = dict(roles or {})
    kept: dict[Path, str] = {}
    if len(paths) == 1 and paths[0].suffix.lower() == ".toml":
        tracks = _read_session_file(paths[0])
    else:
        found, notes = _find_audio(paths, recursive, known_mix)
        kept = _keep_mixes(found, given)
        audio = [path for path, mix in found.items() if mix is None or path in kept]
        tracks, spoken = _read_tracks(audio, kept)
        notes += spoken
    if not tracks:
        raise InputError(
            f"{', '.join(map(printable, paths))}: no audio files; give a song's folder"
        )
    tracks = [_give_role(track, given, kept) for track in tracks]
    if given:
        raise InputError(
            f"no track is named {sorted(given)[0]!r}; there are:"
            f" {', '.join(track.name for track in tracks)}"
        )
    tracks, spoken = avoid_reserved_names(tracks)
    tracks, muted = _mute_guides(tracks, mutes or {})
    return tracks, [*notes, *spoken, *muted]


def _give_role(track: TrackFile, given: dict[str, str], kept: Mapping[Path, str]) -> TrackFile:
    """Gives a track the role that is given for its name, and takes that out of ``given``."""
    role = kept.get(track.path) or given.pop(track.name, None)
    if role is None:
        return track
    return replace(track, role=check_role(role, track.name), is_given=True)


def _keep_mixes(audio: Mapping[Path, str | None], given: dict[str, str]) -> dict[Path, str]:
    """The roles of mixes that are given one, and so are tracks; takes them out of ``given``."""
    kept = {}
    for path, name in audio.items():
        if name is None:
            continue
        for asked in (name, path.stem):
            if asked in given:
                kept[path] = given.pop(asked)
    return kept


def avoid_reserved_names(tracks: Sequence[TrackFile]) -> tuple[list[TrackFile], list[str]]:
    """Renames tracks that are called as the master of every plan is.

    Returns:
        The tracks, and notes for the user.
    """
    taken = {track.name for track in tracks}
    names = {name: make_unreserved_name(name, taken) for name in taken}
    notes = [
        f"a track may not be called {name!r}: it is {new!r} here"
        for name, new in sorted(names.items())
        if new != name
    ]
    return [replace(track, name=names[track.name]) for track in tracks], notes


def _mute_guides(
    tracks: Sequence[TrackFile], mutes: Mapping[str, bool]
) -> tuple[list[TrackFile], list[str]]:
    """Mutes clicks and scratch takes; those that the caller wants to hear, no method sets."""
    purposes = find_purposes([track.file_name for track in tracks])
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
                end = f"muted; --set '{track.name}.mute=false' mixes it in"
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


def _find_audio(
    paths: Sequence[Path], recursive: bool, known_mix: Path | None
) -> tuple[dict[Path, str | None], list[str]]:
    """Finds the audio files of a song.

    Returns:
        The files; those that are mixes of the song each with the name that it would have as a
        track, the others with none. And notes for the user.
    """
    found: list[Path] = []
    notes = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        for file in sorted(_walk_audio(path, recursive)):
            if file == known_mix:
                continue
            if is_own_mix(file):
                notes.append(f"{printable(file)}: a mix that automix wrote, left out")
            else:
                found.append(file)
        if not recursive:
            notes += _tell_deeper_audio(path)
    once = {os.path.realpath(path): path for path in reversed(found)}
    if len(once) < len(found):
        notes.append("a file that was named twice is used once")
    audio = list(reversed(once.values()))
    title = paths[0].resolve().name if len(paths) == 1 and paths[0].is_dir() else ""
    purposes = find_purposes([file.stem for file in audio], title)
    mixes = [file for file, purpose in zip(audio, purposes, strict=True) if purpose == "mix"]
    if not title and len(audio) - len(mixes) < _FEWEST_PARTS:
        mixes = []  # files that are named one by one are meant
    for file in mixes:
        name = make_natural_name(file.stem)
        notes.append(
            f"{printable(file)}: taken for a mix of the song, left out; --role"
            f" '{printable(name)}=backing track' mixes it in"
        )
    return {file: make_natural_name(file.stem) if file in mixes else None for file in audio}, notes


def _tell_deeper_audio(folder: Path) -> Iterator[str]:
    """Says which of the folders in a folder hold audio, where they are not looked into."""
    for inner in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        if inner.name.startswith((".", "__")) or inner.is_symlink():
            continue
        count = sum(1 for _ in _walk_audio(inner, recursive=False))
        if count:
            files = "1 audio file" if count == 1 else f"{count} audio files"
            yield f"{printable(inner)}: {files} in this folder left out; --recursive takes them"


def _walk_audio(folder: Path, recursive: bool) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):  # does not follow links to folders: no loops
        folders[:] = sorted(f for f in folders if recursive and not f.startswith((".", "__")))
        for name in names:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in AUDIO_EXTENSIONS:
                yield Path(here, name)


def is_own_mix(audio: Path) -> bool:
    """Tells whether automix wrote a file of audio: then a plan lies beside it."""
    plan = audio.with_suffix(".toml")
    return plan.is_file() and begins_as_plan(plan)


def _read_tracks(
    audio: Sequence[Path], kept: Collection[Path]
) -> tuple[list[TrackFile], list[str]]:
    """Makes tracks of files: names, roles, and pairs of left and right.

    Args:
        audio: The files.
        kept: Those that are tracks although their names say otherwise.
    """
    stems = [path.stem for path in audio]
    by_stem = dict(zip(stems, audio, strict=True))
    found = dict(find_stereo_pairs(stems)) if len(by_stem) == len(stems) else {}
    stereo = [left for left, right in found.items() if _is_stereo(by_stem[left], by_stem[right])]
    notes = [
        f"{printable(by_stem[left])} and {printable(by_stem[found[left]].name)}: stereo files, so"
        " they are two tracks and not the sides of one"
        for left in stereo
    ]
    pairs = {left: right for left, right in found.items() if left not in stereo}
    rights = set(pairs.values())
    singles = [path for path in audio if path.stem not in rights or path.stem not in by_stem]
    spoken = [name_pair(p.stem, pairs[p.stem]) if p.stem in pairs else p.stem for p in singles]
    told = [read_role(stem, spoken) for stem in spoken]
    has_lead = any(said and said.role == "lead vocal" and not said.double for said in told)
    tracks = []
    names = make_natural_names(spoken)
    for path, name, stem, said in zip(singles, names, spoken, told, strict=True):
        role: Role = said.role if said else "other"
        if said and said.double and role == "lead vocal" and has_lead:
            role = "backing vocal"  # the double of a lead stands behind it
        tracks.append(
            TrackFile(
                name=name,
                role=role,
                path=path,
                right=by_stem[pairs[path.stem]] if path.stem in pairs else None,
                file_name="" if path in kept else stem,
            )
        )
    return tracks, notes


def _is_stereo(*paths: Path) -> bool:
    """Whether any of these files has more than one channel; a file that is unreadable has not."""
    for path in paths:
        try:
            if probe(path, ReadOptions(repair=True, allow_truncated=True)).channels > 1:
                return True
        except InputError:  # said when the file is opened, by what opens it
            continue
    return False


def _read_session_file(path: Path) -> list[TrackFile]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{printable(path)}: cannot be read as a session: {error}") from error
    rows = document.get("tracks")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{printable(path)}: a session has [[tracks]] with `file`, `name`, `role`")
    tracks = []
    for number, row in enumerate(rows, 1):
        where = f"{printable(path)}, track {number}"
        if unknown := set(row) - {"file", "right", "name", "role"}:
            raise InputError(f"{where}: unknown key {sorted(unknown)[0]!r}")
        if not all(isinstance(value, str) for value in row.values()) or "file" not in row:
            raise InputError(f"{where}: needs `file`; all values are texts")
        name = row.get("name", Path(row["file"]).stem)
        said = read_role(name)
        role: Role = said.role if said else "other"
        tracks.append(
            TrackFile(
                name=name,
                role=check_role(row["role"], name) if "role" in row else role,
                is_given="role" in row,
                path=path.parent / row["file"],
                right=path.parent / row["right"] if "right" in row else None,
                file_name=name,
            )
        )
    return tracks


def open_song(
    files: Sequence[TrackFile], options: ReadOptions, notes: Sequence[str] = ()
) -> Session:
    """Opens the tracks of a song, and tells the role of those by sound whose names say nothing.

    Args:
        files: The tracks.
        options: Faults of the files that are put up with.
        notes: Sentences for the user, to which those of opening are added.

    Raises:
        InputError: A file cannot be used.
    """
    session = open_session(files, options)
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
